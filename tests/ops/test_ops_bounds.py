"""Each op and each initializer at the bounds of its parameters: finite on ordinary input, or refused."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import Any

import pytest

from archdsl.elaborate.signature import LARGEST, out_of_bounds
from archdsl.initializer import INITIALIZERS, Initializer
from archdsl.op import Declaration, Misfit, Op, Param, elements
from tests.ops.spelled import BATCH, LAYERS, Line, make, spell_function, spell_module

torch = pytest.importorskip("torch")

NEAR = 1e-6
"""What stands for the least that is above an excluded bound."""
MOST_VALUES = 10**6
ZEROED = {"dropout", "drop_path"}
"""What gives nothing but zeros in training at a bound, of which a warning tells (W105)."""


def ends(declared: Param) -> list[Any]:
    """The least and the most that a parameter takes; none for what is no number, and of ints only a lower bound."""
    kind = declared.type.name
    if kind not in {"int", "float", "size"}:
        return []
    if kind != "float":
        return [int(end) for end in (declared.minimum, declared.maximum) if end is not None]
    low = declared.above + NEAR if declared.above is not None else declared.minimum
    high = declared.maximum
    return [-float(LARGEST) if low is None else float(low), float(LARGEST) if high is None else float(high)]


def at_bounds(made: Declaration) -> Iterator[Any]:
    """A thing with one parameter after the other at its bounds, then with all at their lower, and at their upper."""
    found = {name: values for name, declared in made.params.items() if (values := ends(declared))}
    single = ({name: value} for name, values in found.items() for value in values)
    together = ({name: values[at] for name, values in found.items()} for at in (0, -1))
    for changed in chain(single, together):
        assert not any(out_of_bounds(made.params[name], value) for name, value in changed.items())
        yield made.replace(**changed)


@pytest.mark.parametrize("line", LAYERS)
def test_an_op_at_its_bounds_is_finite(line: Line) -> None:
    for shape in line.shapes:
        for op in at_bounds(make(line.columns[0])):
            check(op, shape)


def check(op: Op, shape: Any) -> None:
    """Fails where an op gives what is no number, or the same everywhere for an input that is not."""
    try:
        size = elements(op.output(shape))
        spelling = op.spelling(shape)
    except Misfit:
        return
    if size > MOST_VALUES or elements(shape) == 0:
        return
    run = spell_module(op, shape) if spelling.module else spell_function(op, shape)
    for training in (True, False):
        torch.manual_seed(7)
        several = op.takes == "list"
        x = [torch.randn(BATCH, *each) for each in shape] if several else torch.randn(BATCH, *shape)
        if spelling.module:
            run.train(training)
        result = run(x)
        for each in result if isinstance(result, list | tuple) else (result,):
            assert torch.isfinite(each).all(), (op, shape)
            assert each.std() > 0 or (training and op.name in ZEROED) or is_single(op, shape), (op, shape)


def is_single(op: Op, shape: Any) -> bool:
    """Whether an op is a softmax over one value."""
    return (op.name == "softmax" and shape[0] == 1) or (op.name == "softmax_list" and len(shape) == 1)


@pytest.mark.parametrize("kind", INITIALIZERS.values(), ids=lambda kind: kind.name)
def test_an_initializer_at_its_bounds_is_finite(kind: type[Initializer]) -> None:
    for made in at_bounds(kind()):
        if not made.trouble():
            weight = torch.empty(6, 4, 3, 3)
            settings = {name: getattr(made, name) for name in made.fields}
            eval(made.torch, {"nn": torch.nn})(weight, **settings)
            assert torch.isfinite(weight).all(), made
