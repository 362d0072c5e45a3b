"""What the analyses of memory share: sizes in bytes, the tensors of a value, and where an op's output lies."""

from __future__ import annotations

from collections.abc import Iterable
from math import prod
from typing import NamedTuple

from archdsl.analyses.counts import BYTES, check_precision
from archdsl.analyses.roofline import check_batch
from archdsl.graph import Scope, each_shape
from archdsl.graph.forward.rules import content
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
