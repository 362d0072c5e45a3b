"""Memory as reference counting has it: blocks of bytes that die with their last holder, and the peak."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

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
