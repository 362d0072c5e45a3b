"""Tensors and lists of tensors, as shapes and as references: one by one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import TypeVar, cast

from archdsl.graph.scope import Ref, Spread, Step
from archdsl.op import Shape, Shapes

Item = TypeVar("Item")
"""What somebody knows of a tensor."""


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


def values_read(refs: Iterable[Ref]) -> Iterator[int]:
    """The values that the inputs of a step stand for, once for each time that they are read."""
    return (value for ref in refs for value in each_value(ref))


def needed(results: Iterable[int], steps: Sequence[Step]) -> set[int]:
    """The values that results come from, by steps in the order of their work, and the results."""
    found = set(results)
    for step in reversed(steps):
        if step.output in found:
            found |= set(values_read(step.inputs))
    return found


def gathered(values: Mapping[int, tuple[Item, ...]], refs: Iterable[Ref]) -> tuple[Item, ...]:
    """What is known of each tensor that references stand for, from what is known of each value's tensors."""
    return tuple(item for value in values_read(refs) for item in values[value])


def dealt(inputs: Iterable[Shapes], items: Iterable[Item]) -> dict[int, tuple[Item, ...]]:
    """What is known of a scope's input tensors, all in a row, as that of its first values."""
    row = iter(items)
    return {at: tuple(islice(row, len(each_shape(shapes)))) for at, shapes in enumerate(inputs)}
