"""Where the tensors come from that do not fit together."""

from __future__ import annotations

import re
from collections.abc import Generator, Sequence
from contextlib import contextmanager

from archdsl.errors import Note
from archdsl.graph import each_shape
from archdsl.lang.evaluate.building import shapes_of
from archdsl.lang.values.faults import Fault
from archdsl.lang.values.value import Operand, Role, Value
from archdsl.op import Shape

ITEM = re.compile(r"\[(\d+)]")
"""What an op calls a tensor of its list."""


@contextmanager
def origins_shown(parts: Sequence[tuple[Operand, Value]]) -> Generator[None]:
    """Where an op cannot take a list of tensors: the first of them and the one that does not fit, as notes.

    `parts` are what is joined, tensors and lists, each with the operand that it comes from.
    """
    try:
        yield
    except Fault as fault:
        if found := ITEM.fullmatch(fault.param):
            tensors = [(operand, shape) for operand, value in parts for shape in each_shape(shapes_of(value))]
            fault.notes = tuple(origin(*tensors[at]) for at in (0, int(found[1])))
        raise


def origin(operand: Operand, shape: Shape) -> Note:
    """A tensor at its operand; at the user's own block, where a shipped one only hands that on."""
    span, value = operand.span, operand.value
    if span.source.shipped and isinstance(value, Role) and value.role == "parameter":
        span = value.body.span
    return Note(span, f"this is {'x'.join(map(str, shape))}")
