"""Peak activation memory of inference as a planner could reach it: liveness over the graph, in execution order.

A tensor lives from the op that makes it to the last op that reads it; an activation that can run in place does so
where nobody reads its input afterwards; views take nothing. What an op needs inside itself is left out, since a
compiler does without most of it (the indices of a max pool).

A call depends on its scope and on which of its inputs end with it, so each different pair is worked out once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from math import prod
from typing import NamedTuple

from archdsl.analyses.memory_access import BYTES, check_precision
from archdsl.analyses.roofline import check_batch
from archdsl.graph import ROWS, Graph, Run, Scope, Step, dealt, each_shape, each_value, gathered, values_read
from archdsl.graph.lower import content
from archdsl.op import Inner, Shape


class Unit(NamedTuple):
    """What turns a shape into bytes: how many samples, and how wide a value is."""

    batch: int
    width: int

    def size(self, *shapes: Shape) -> int:
        """Bytes of tensors."""
        return sum(map(prod, shapes)) * self.batch * self.width

    def inner(self, tensors: Iterable[Inner]) -> int:
        """Bytes of the tensors that an op makes inside itself."""
        return sum(each.size * (1 if each.shared else self.batch) * (each.width or self.width) for each in tensors)


def unit_of(batch: int, precision: str) -> Unit:
    """The unit for a batch and a precision; raises ArchError where there is none."""
    return Unit(check_batch(batch), BYTES[check_precision(precision)])


def fresh(scope: Scope) -> bool:
    """Whether an op's output has memory of its own, in evaluation."""
    op, x = content(scope)
    return op.moves(x)


def fresh_in_training(scope: Scope) -> bool:
    """Whether an op's output has memory of its own, in training: noise writes its output anew."""
    op, x = content(scope)
    return op.moves(x) or any(isinstance(each, Inner) for each in op.kept(x, scope.output))


def made(scope: Scope, unit: Unit) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The memories that an op's output takes, in bytes, and which of them each tensor of the output lies in."""
    op, _ = content(scope)
    shapes = each_shape(scope.output)
    if op.view:
        return (unit.size(*shapes),), (0,) * len(shapes)
    return tuple(map(unit.size, shapes)), tuple(range(len(shapes)))


Block = int
Blocks = tuple[Block, ...]
"""The blocks in which the tensors of a value lie."""


class Heap:
    """The blocks of one call. Those of the inputs belong to the caller: they count nothing, and never die."""

    def __init__(self, inputs: int) -> None:
        self.inputs = inputs
        self.sizes = [0] * inputs
        self.holders = [1] * inputs
        self.live = 0
        self.peak = 0

    def take(self, sizes: Iterable[int]) -> list[Block]:
        """New blocks, without a holder yet, beside all that is in use."""
        blocks = self.add(sizes)
        self.reach(0)
        return blocks

    def add(self, sizes: Iterable[int]) -> list[Block]:
        """New blocks of a call whose peak is known otherwise: it may have freed others before."""
        first = len(self.sizes)
        for size in sizes:
            self.sizes.append(size)
            self.holders.append(0)
            self.live += size
        return list(range(first, len(self.sizes)))

    def reach(self, more: int) -> None:
        """Notes that so many bytes more are in use for a moment."""
        self.peak = max(self.peak, self.live + more)

    def hold(self, blocks: Blocks) -> Blocks:
        """Adds a holder to each."""
        for block in blocks:
            self.holders[block] += 1
        return blocks

    def drop(self, blocks: Blocks) -> None:
        """Takes a holder from each; who loses the last one is freed."""
        for block in blocks:
            self.holders[block] -= 1
            if not self.holders[block]:
                self.live -= self.sizes[block]


class Called(NamedTuple):
    """What a call comes to: bytes at the peak above those at its start, the blocks that outlive it, and its output.

    `gives` has a block for each tensor of the output: one of `made`, or, below zero, ~n for the n-th input.
    """

    peak: int
    made: tuple[int, ...]
    gives: tuple[int, ...]

    def output(self, inputs: Sequence[Block], made: Sequence[Block]) -> Blocks:
        """The output in the caller's blocks."""
        return tuple(inputs[~at] if at < 0 else made[at] for at in self.gives)


def called(heap: Heap, output: Blocks) -> Called:
    """What a call came to, from its memory at the end."""
    new = sorted({block for block in output if block >= heap.inputs})
    place = {block: at for at, block in enumerate(new)}
    sizes = tuple(heap.sizes[block] for block in new)
    return Called(heap.peak, sizes, tuple(place.get(block, ~block) for block in output))


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
        op, x = content(scope)
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
