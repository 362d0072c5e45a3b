"""What the analyses of memory share: sizes in bytes, the tensors of a value, and where an op's output lies."""

from __future__ import annotations

from collections.abc import Iterable
from math import prod
from typing import NamedTuple, cast

from archdsl.analyses.counts import BYTES, check_precision
from archdsl.analyses.roofline import check_batch
from archdsl.graph import Child, Ref, Scope, Spread
from archdsl.op import Inner, Op, Shape, Shapes


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


def is_list(shapes: Shapes) -> bool:
    """Whether these are a list's shapes, not a tensor's."""
    return bool(shapes) and isinstance(shapes[0], tuple)


def tensors(shapes: Shapes) -> tuple[Shape, ...]:
    """The shapes of a value, one by one."""
    return cast("tuple[Shape, ...]", shapes if is_list(shapes) or shapes == () else (shapes,))


def content(scope: Scope) -> tuple[Op, Shapes]:
    """An op's scope as its op, and what the op's rules take: a shape, or the shapes of a list."""
    assert scope.op is not None
    listed = scope.op.takes == "list" and not is_list(scope.inputs[0])
    return scope.op, cast("Shapes", scope.inputs) if listed else scope.inputs[0]


def parts(ref: Ref) -> tuple[int | Spread, ...]:
    """What a reference is made of."""
    return (ref,) if isinstance(ref, int) else ref


def read(ref: Ref) -> list[int]:
    """The values that a reference reads."""
    return [part.value if isinstance(part, Spread) else part for part in parts(ref)]


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
    shapes = tensors(scope.output)
    if op.view:
        return (unit.size(*shapes),), (0,) * len(shapes)
    return tuple(map(unit.size, shapes)), tuple(range(len(shapes)))


def is_identity(scope: Scope) -> bool:
    """Whether a module does nothing."""
    if scope.op is None:
        return False
    op, x = content(scope)
    return op.spelling(x).function == "{x}"


def numeral(child: Child) -> bool:
    """Whether the modules are `0`, `1`, ... of the scope itself."""
    return child.form == "repeat" and not child.name


def pipeline(scope: Scope) -> bool:
    """Whether a scope passes one tensor through all its children in order: emitted as nn.Sequential."""
    if scope.kind == "network" or len(scope.inputs) != 1 or is_list(scope.inputs[0]):
        return False
    value: Ref = 0
    for step in scope.steps:
        if step.kind not in ("call", "repeat") or step.inputs != (value,) or step.index is not None:
            return False
        if is_list(step.shape):
            return False
        value = step.output
    return scope.result == value and [step.target for step in scope.steps] == [each.name for each in scope.children]
