"""`keeps_size`: under the conditions that an op declares there, a map keeps its height and width."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import pytest

from archdsl.elaborate.signature import signature_of
from archdsl.op import ALWAYS, Conditions, Misfit, Op, Shape, param
from archdsl.ops import vocabulary

SHAPES = [(4, height, width) for height, width in itertools.product((1, 2, 5, 8), (1, 3, 8))]
MOST = 3000
VALUES: dict[str, tuple[Any, ...]] = {
    "int": (1, 2, 3),
    "size": (1, 2, 3, (3, 1)),
    "padding": (0, 1, (1, 0), "same", "valid"),
    "bool": (False, True),
    "float": (0.5, 1.0),
    "floats": ((0.5,) * 4,),
    "ints": ((0, 1, 2), (0, 2, 1), (4, -1, 1)),
    "parts": (2, Fraction(1, 4), (1, 3)),
    "init": (None,),
}
KEEPING = {name: kind for name, kind in vocabulary().items() if kind.keeps_size is not None}


def made(kind: type[Op], conditions: Conditions) -> Iterator[Op]:
    """The op with many choices of its parameters, of which some have one of certain values."""
    said = dict(conditions)
    slots = signature_of(kind).slots
    choices = [said.get(name) or slot.type.symbols + VALUES.get(slot.type.name, ()) for name, slot in slots.items()]
    for values in itertools.islice(itertools.product(*choices), MOST):
        yield kind(**dict(zip(slots, values, strict=True)))


def outputs(kind: type[Op], conditions: Conditions) -> Iterator[tuple[Shape, Shape]]:
    """The shapes of maps and of what the op makes of them; of a list of two alike, and of each of a list."""
    for op, shape in itertools.product(made(kind, conditions), SHAPES):
        try:
            output: Any = op.output((shape, shape) if op.takes == "list" else shape)
        except Misfit:
            continue
        for each in output if isinstance(output[0], tuple) else (output,):
            yield shape, each


@pytest.mark.parametrize("name", sorted(KEEPING))
def test_the_size_is_kept_under_the_conditions(name: str) -> None:
    kind = KEEPING[name]
    found = list(outputs(kind, kind.keeps_size or ()))
    assert found
    assert [pair for pair in found if pair[0][1:] != pair[1][1:]] == []


@pytest.mark.parametrize(
    ("name", "without"),
    [(name, each) for name, kind in sorted(KEEPING.items()) for each in dict(kind.keeps_size or ())],
)
def test_each_condition_is_needed(name: str, without: str) -> None:
    kind = KEEPING[name]
    rest = tuple((each, values) for each, values in kind.keeps_size or () if each != without)
    assert any(shape[1:] != output[1:] for shape, output in outputs(kind, rest))


def test_conditions_are_on_parameters_of_the_op() -> None:
    for kind in KEEPING.values():
        assert set(dict(kind.keeps_size or ())) <= set(kind.params)


def test_a_class_with_an_output_of_its_own_has_to_declare_it() -> None:
    class Plain(Op):
        b: float = param(1.0)

    class Halving(Op):
        def output(self, x: Shape) -> Shape:
            return x[0], x[1] // 2, x[2] // 2

    class Again(KEEPING["conv"]):  # type: ignore[misc]
        def output(self, x: Shape) -> Shape:
            return x[0], 1, 1

    assert (Plain.keeps_size, Halving.keeps_size, Again.keeps_size) == (ALWAYS, None, None)
