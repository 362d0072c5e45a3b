"""Tensors and lists of tensors, as shapes and as references: one by one."""

from __future__ import annotations

from typing import cast

from archdsl.graph.scope import Ref, Spread
from archdsl.op import Shape, Shapes


def is_list(shapes: Shapes) -> bool:
    """Whether these are the shapes of a list of tensors (of none, too), not a tensor's shape."""
    return not shapes or isinstance(shapes[0], tuple)


def each_shape(shapes: Shapes) -> tuple[Shape, ...]:
    """The shapes of a value, one by one."""
    return cast("tuple[Shape, ...]", shapes if is_list(shapes) else (shapes,))


def each_value(ref: Ref) -> tuple[int, ...]:
    """The values that a step's input stands for."""
    if isinstance(ref, int):
        return (ref,)
    return tuple(part.value if isinstance(part, Spread) else part for part in ref)
