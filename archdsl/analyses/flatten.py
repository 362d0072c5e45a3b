"""The flat view of a network: its ops in execution order, with full paths and the tensors that they read and make.

Derived from the graph lazily and without recursion, for analyses that need every op in its place. What only sums up
should walk the distinct scopes instead (`archdsl.graph.distinct`): this view is as long as the network.
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
"""Tensors by their numbers: those of a value, or all that a call takes."""

Depth = Literal["stage", "block", "op"]
DEPTHS: tuple[Depth, ...] = ("stage", "block", "op")
DEEPEST = {"stage": 1, "block": 2, "op": sys.maxsize}


class Placed(NamedTuple):
    """An op in its place.

    `path` is the module's (`c2.0.body.cna2.conv`); an op that is no module (a sum in a block's body) has the path of
    the scope whose `forward` does it, a colon and its name: `c2.0:add`, the second one there `c2.0:add2`. `reads` and
    `gives` are tensors, numbered through the network in the order in which they are made; 0 is the network's input.
    An op that gives back its input's memory (`Op.view`) has a new number all the same. `trail` are the scopes that
    the op lies in, the network first; `step` is the act of the last of them that does this op (a whole row has one).
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
        """The op itself (of `parts_of`, where it is one)."""
        assert self.scope.op is not None
        return self.scope.op

    @property
    def input(self) -> Shapes:
        """What the op's rules take: a shape, or the shapes of a list."""
        return self.scope.inputs[0]

    @property
    def inputs(self) -> tuple[Shape, ...]:
        """The shape of each tensor that it reads."""
        return tuple(shape for shapes in self.scope.inputs for shape in each_shape(shapes))

    @property
    def output(self) -> Shapes:
        """The shape of what it gives, or the shapes of a list."""
        return self.scope.output


def ops_of(graph: Graph, *, training: bool = False) -> Iterator[Placed]:
    """The ops of the inference graph in execution order; with `training`, training-only parts too."""
    return parts_of(graph, "op", training=training)


def parts_of(graph: Graph, depth: Depth, *, training: bool = False) -> Iterator[Placed]:
    """As `ops_of`, but not below a depth: the sections, the modules of their chains (blocks), or the ops.

    Raises ArchError for more of them than are looked at one by one.
    """
    sections = {section.value: section for section in graph.sections}
    deepest = DEEPEST[depth]
    numbers = count(1)
    found = 0
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
    """The shape of each tensor that a walk numbered."""
    found: dict[int, Shape] = {0: graph.input}
    for each in placed:
        found |= dict(zip(each.gives, each_shape(each.output), strict=True))
    return found


class Act(NamedTuple):
    """A scope about to be called under a path, on tensors."""

    path: str
    scope: Scope
    reads: Held
    step: Step


class FlatCall:
    """A call of a scope under way: its values so far, and the row of modules that it is in."""

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
        """The next scope to call; None when the scope is through."""
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
        """What the scope called last gives."""
        if self.current.kind != "collect":
            self.row.clear()
        self.row += held
        self.before = held

    def end_step(self) -> None:
        """The value of a step whose modules are all through."""
        self.busy = None
        self.values[self.current.output] = tuple(self.row)

    def modules(self, step: Step) -> Iterator[tuple[str, Scope]]:
        """What a step calls, one after the other, each with its path."""
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
        """The path of a module of this scope."""
        return f"{self.path}.{name}" if self.path else name

    def result(self) -> Held:
        """What the scope gives."""
        return gathered(self.values, [self.scope.result])


NO_STEP = Step("pick", "", (), 0, ())
