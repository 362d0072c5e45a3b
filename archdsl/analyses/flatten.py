"""Flat view of a network: its ops in execution order, with full paths and the tensors that they read and make.

Derived from the graph lazily and without recursion, for analyses that need every op in its place. The view is as long
as the network, so sums should be computed over distinct scopes instead (`cost.sums`).
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from itertools import count
from typing import Literal, NamedTuple

from archdsl.graph import ROWS, Graph, Scope, Section, Step, dealt, each_shape, gathered
from archdsl.graph.ir import MOST_PARTS, too_many
from archdsl.op import Op, Shape, Shapes

Held = tuple[int, ...]
"""Numbers of tensors: those of a value, or of all inputs of a call."""

Depth = Literal["stage", "block", "op"]
DEPTHS: tuple[Depth, ...] = ("stage", "block", "op")
DEEPEST = {"stage": 1, "block": 2, "op": sys.maxsize}


class Placed(NamedTuple):
    """Op in its place.

    `path` is the module's (`c2.0.body.cna2.conv`); an op that is no module (a sum in a block's body) has the path
    of the scope whose `forward` does it, a colon and its name: `c2.0:add`, the second one there `c2.0:add2`.
    `reads` and `gives` are tensors, numbered through the network in the order in which they are made; 0 is the
    network's input. An op that returns its input's memory (`Op.view`) has a new number all the same. `trail` are
    the scopes that the op lies in, the network first; `step` is the step of the innermost one that does this op (a
    repeat has a single one).
    """

    path: str
    scope: Scope
    reads: tuple[int, ...]
    gives: tuple[int, ...]
    trail: tuple[Scope, ...]
    step: Step
    section: Section

    @property
    def op(self) -> Op:
        """Op of the scope (of `parts_of`, if it is one)."""
        assert self.scope.op is not None
        return self.scope.op

    @property
    def input(self) -> Shapes:
        """Input of the op's rules: a shape, or the shapes of a list."""
        return self.scope.inputs[0]

    @property
    def inputs(self) -> tuple[Shape, ...]:
        """Shape of each tensor that the op reads."""
        return tuple(shape for shapes in self.scope.inputs for shape in each_shape(shapes))

    @property
    def output(self) -> Shapes:
        """Shape of the output, or shapes of a list."""
        return self.scope.output


def ops_of(graph: Graph, *, training: bool = False) -> Iterator[Placed]:
    """Ops of the inference graph in execution order; with `training`, training-only parts too."""
    return parts_of(graph, "op", training=training)


def parts_of(graph: Graph, depth: Depth, *, training: bool = False) -> Iterator[Placed]:
    """Like `ops_of`, but not below a depth: sections, modules of their chains (blocks), or ops.

    Raises ArchError if there are too many to look at one by one.
    """
    sections = {section.value: section for section in graph.sections}
    deepest = DEEPEST[depth]
    numbers = count(1)
    found = 0
    # An explicit stack: networks may nest more deeply than Python recurses.
    stack = [FlatCall(graph.root, "", (0,), (graph.root,))]
    while stack:
        frame = stack[-1]
        act = frame.next_act()
        if act is None:
            stack.pop()
            if stack:
                stack[-1].receive(frame.result())
            continue
        section = sections[stack[0].current.output]
        if section.training_only and not training:
            frame.busy = None
        elif act.scope.op is None and len(stack) < deepest:
            stack.append(FlatCall(act.scope, act.path, act.reads, (*frame.trail, act.scope)))
        else:
            if (found := found + 1) > MOST_PARTS:
                raise too_many(graph.name, f"{depth}s")
            gives = tuple(next(numbers) for _ in each_shape(act.scope.output))
            yield Placed(act.path, act.scope, act.reads, gives, frame.trail, act.step, section)
            frame.receive(gives)


def tensors_of(graph: Graph, placed: list[Placed]) -> dict[int, Shape]:
    """Shape of each tensor that a walk numbered."""
    found: dict[int, Shape] = {0: graph.input}
    for each in placed:
        found |= dict(zip(each.gives, each_shape(each.output), strict=True))
    return found


class Act(NamedTuple):
    """Call of a scope on tensors, under a path."""

    path: str
    scope: Scope
    reads: Held
    step: Step


class FlatCall:
    """Call of a scope in progress: its values so far, and the repeat that it is in."""

    def __init__(self, scope: Scope, path: str, reads: Held, trail: tuple[Scope, ...]) -> None:
        self.scope = scope
        self.path = path
        self.trail = trail
        self.values = dealt(scope.inputs, reads)
        self.steps = iter(scope.steps)
        self.busy: Iterator[tuple[str, Scope]] | None = None
        self.current: Step = scope.steps[0] if scope.steps else NO_STEP
        self.before: Held = ()
        self.row: list[int] = []
        self.plain: Counter[str] = Counter()

    def next_act(self) -> Act | None:
        """Next scope to call, or None at the end of the scope."""
        while True:
            if self.busy is not None:
                if module := next(self.busy, None):
                    return Act(*module, self.before, self.current)
                self.end_step()
            step = next(self.steps, None)
            if step is None:
                return None
            self.current = step
            self.before = gathered(self.values, step.inputs)
            if step.kind == "pick":
                self.values[step.output] = (self.before[int(step.index)],)
                continue
            self.row = []
            self.busy = self.modules(step)

    def receive(self, held: Held) -> None:
        """Take the outputs of the last call."""
        if self.current.kind != "collect":
            self.row.clear()
        self.row += held
        self.before = held

    def end_step(self) -> None:
        """Store the value of a finished step."""
        self.busy = None
        self.values[self.current.output] = tuple(self.row)

    def modules(self, step: Step) -> Iterator[tuple[str, Scope]]:
        """Modules that a step calls, with their paths."""
        if step.kind == "op":
            assert step.scope is not None
            self.plain[step.scope.name] += 1
            times = self.plain[step.scope.name]
            yield f"{self.path}:{step.scope.name}{times if times > 1 else ''}", step.scope
        elif step.kind in ROWS:
            scopes = (run.scope for run in self.scope.child(step.target).runs for _ in range(run.count))
            for at, scope in enumerate(scopes):
                yield self.below(f"{step.target}.{at}" if step.target else str(at)), scope
        else:
            assert step.scope is not None
            yield self.below(step.target if step.index is None else f"{step.target}.{step.index}"), step.scope

    def below(self, name: str) -> str:
        """Path of a module of this scope."""
        return f"{self.path}.{name}" if self.path else name

    def result(self) -> Held:
        """Outputs of the scope."""
        return gathered(self.values, [self.scope.result])


NO_STEP = Step("pick", "", (), 0, ())
