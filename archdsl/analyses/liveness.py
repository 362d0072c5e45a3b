"""Peak activation memory of inference as a planner could reach it: liveness over the graph, in execution order.

A tensor lives from the op that makes it to the last op that reads it; an activation that can run in place does so
where nobody reads its input afterwards; views take nothing. What an op needs inside itself is left out, since a
compiler does without most of it (the indices of a max pool).

A call depends on its scope and on which of its inputs end with it, so each different pair is worked out once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from archdsl.graph import ROWS, Graph, Run, Scope, Step, dealt, each_shape, each_value, gathered, op_of, values_read
from archdsl.graph.storage import Blocks, Called, Heap, Unit, called, fresh, made

Ending = tuple[tuple[int, int], ...]
"""For each input tensor the block that it lies in, as a number, and the bytes that end with it in this call, or 0."""


class Planned:
    """The calls of a graph's scopes, and the peaks of its sections."""

    def __init__(self, graph: Graph, unit: Unit) -> None:
        self.graph = graph
        self.unit = unit
        self.known: dict[tuple[Scope, Ending], Called] = {}
        self.sections: dict[int, int] = {}
        size = unit.size(graph.input)
        self.peak = size + self.call(graph.root, ((0, size),)).peak

    def call(self, scope: Scope, ending: Ending) -> Called:
        """A call of a scope, some of whose inputs end with it."""
        if (scope, ending) not in self.known:
            self.known[scope, ending] = (
                PlannedCall(self, scope, ending).run() if scope.op is None else self.op(scope, ending)
            )
        return self.known[scope, ending]

    def op(self, scope: Scope, ending: Ending) -> Called:
        """An op by itself."""
        op, x = op_of(scope)
        shapes = each_shape(scope.output)
        overwrites = op.takes == "tensor" and op.spelling(x).inplace and ending[0][1] > 0
        if overwrites or not fresh(scope):
            return Called(0, (), (~ending[0][0],) * len(shapes))
        sizes, places = made(scope, self.unit)
        return Called(sum(sizes), sizes, places)


class PlannedCall:
    """A call under way. The heap counts from what is in use at the start, inputs included."""

    def __init__(self, planned: Planned, scope: Scope, ending: Ending) -> None:
        self.planned = planned
        self.scope = scope
        blocks = 1 + max((block for block, _ in ending), default=-1)
        self.heap = Heap(blocks)
        for block, size in ending:
            self.heap.sizes[block] = max(size, self.heap.sizes[block])
        for block in range(blocks):
            self.heap.holders[block] = 0 if self.heap.sizes[block] else 1
        idle = planned.graph.training_only if scope.kind == "network" else frozenset[int]()
        self.steps = [step for step in scope.steps if step.output not in idle]
        self.left = Counter(value for step in self.steps for ref in step.inputs for value in set(each_value(ref)))
        self.values = dealt(scope.inputs, self.heap.hold(tuple(block for block, _ in ending)))
        self.left.update(self.results())

    def results(self) -> Iterator[int]:
        """The values that outlive the call."""
        yield from each_value(self.scope.result)
        if self.scope.kind == "network":
            yield from (
                each.value for each in self.planned.graph.sections if each.kind == "output" and not each.training_only
            )

    def run(self) -> Called:
        """Does all steps."""
        for value in [value for value in self.values if not self.left[value]]:
            self.let_go(value)
        for step in self.steps:
            self.act(step)
        return called(self.heap, gathered(self.values, [self.scope.result]))

    def act(self, step: Step) -> None:
        """Does a step, whose operands end with it where nobody reads them afterwards."""
        inputs = gathered(self.values, step.inputs)
        over = self.ended(step)
        self.heap.peak, before = self.heap.live, self.heap.peak
        if step.kind == "pick":
            self.values[step.output] = self.heap.hold(inputs[step.index : step.index + 1 or None])
            for value in over:
                self.let_go(value)
        elif step.kind in ROWS:
            self.row(step, inputs, over)
        else:
            assert step.scope is not None
            self.values[step.output] = self.module(step.scope, inputs, over)
        if self.scope.kind == "network":
            self.planned.sections[step.output] = self.heap.peak
        self.heap.peak = max(before, self.heap.peak)
        if not self.left[step.output]:
            self.let_go(step.output)

    def ended(self, step: Step) -> list[int]:
        """The values that a step is the last to read."""
        values = set(values_read(step.inputs))
        for ref in step.inputs:
            self.left.subtract(set(each_value(ref)))
        return [value for value in values if not self.left[value]]

    def let_go(self, value: int) -> None:
        """Frees what a value alone holds."""
        self.heap.drop(self.values.pop(value))

    def module(self, scope: Scope, inputs: Blocks, over: list[int]) -> Blocks:
        """Calls a module; the values `over` end with the call, at its last use of them."""
        ends = Counter(block for value in over for block in self.values[value])
        order = {block: at for at, block in enumerate(dict.fromkeys(inputs))}
        sole = {block: self.heap.sizes[block] if self.heap.holders[block] == ends[block] else 0 for block in order}
        found = self.planned.call(scope, tuple((order[block], sole[block]) for block in inputs))
        self.heap.reach(found.peak)
        output = self.heap.hold(found.output(list(order), self.heap.add(found.made)))
        for value in over:
            self.let_go(value)
        return output

    def row(self, step: Step, value: Blocks, over: list[int]) -> None:
        """Modules one after the other."""
        outputs: list[int] = []
        for run in self.scope.child(step.target).runs:
            for result in self.turns(run, value, over, step):
                outputs += result
                value, over = result, [] if step.kind == "collect" else [step.output]
        self.values[step.output] = tuple(outputs) if step.kind == "collect" else value

    def turns(self, run: Run, value: Blocks, over: list[int], step: Step) -> Iterator[Blocks]:
        """The outputs of equal modules, until more of them change nothing: where none is kept, that is soon."""
        before: tuple[int, int] | None = None
        for _ in range(run.count):
            value = self.module(run.scope, value, over)
            self.values[step.output] = value
            yield value
            over = [step.output]
            if step.kind == "collect":
                over = []
            elif before == (before := (self.heap.live, self.heap.peak)):
                return
