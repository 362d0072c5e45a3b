"""Storage of tensors: sizes in bytes, the blocks of a call with their holders, and what an execution comes to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import prod
from typing import NamedTuple

from archdsl.graph.ir import Scope, each_shape, op_of
from archdsl.op import Inner, Shape


class Unit(NamedTuple):
    """The factor from a shape to bytes: the number of samples, and the width of a value."""

    batch: int
    width: int

    def size(self, *shapes: Shape) -> int:
        """Bytes of tensors."""
        return sum(map(prod, shapes)) * self.batch * self.width

    def inner(self, tensors: Iterable[Inner]) -> int:
        """Bytes of the tensors that an op makes inside itself."""
        return sum(each.size * (1 if each.shared else self.batch) * (each.width or self.width) for each in tensors)


def fresh(scope: Scope) -> bool:
    """True if an op's output has memory of its own, in evaluation."""
    op, x = op_of(scope)
    return op.moves(x)


def fresh_in_training(scope: Scope) -> bool:
    """True if an op's output has memory of its own, in training: noise writes its output anew."""
    op, x = op_of(scope)
    return op.moves(x) or any(isinstance(each, Inner) for each in op.kept(x, scope.output))


def made(scope: Scope, unit: Unit) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The memories that an op's output takes, in bytes, and which of them each tensor of the output lies in."""
    op, _ = op_of(scope)
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
    """The result of a call: bytes at the peak above those at its start, the blocks that outlive it, and its output.

    `gives` has a block for each tensor of the output: one of `made`, or, below zero, ~n for the n-th input.
    """

    peak: int
    made: tuple[int, ...]
    gives: tuple[int, ...]

    def output(self, inputs: Sequence[Block], made: Sequence[Block]) -> Blocks:
        """The output in the caller's blocks."""
        return tuple(inputs[~at] if at < 0 else made[at] for at in self.gives)


def called(heap: Heap, output: Blocks) -> Called:
    """The result of a call, from its memory at the end."""
    new = sorted({block for block in output if block >= heap.inputs})
    place = {block: at for at, block in enumerate(new)}
    sizes = tuple(heap.sizes[block] for block in new)
    return Called(heap.peak, sizes, tuple(place.get(block, ~block) for block in output))


class Saved(NamedTuple):
    """Bytes kept by a network: in all, and by section what each adds to what is there.

    With checkpoints `total` is what is kept from the forward to the backward pass; `again` is the most that there is
    while a checkpointed section is run again: what it keeps itself, and what the sections before it do.
    """

    total: int
    sections: dict[int, int]
    again: int = 0


class Execution(NamedTuple):
    """Activation memory of a network as one framework executes it, in bytes.

    `peak` is that of inference, the network's input included; `sections` has the peaks while each section's value is
    computed, the input not included.
    """

    peak: int
    sections: dict[int, int]
    saved: Saved
