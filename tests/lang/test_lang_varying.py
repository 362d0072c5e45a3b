"""Numbers of another kind take part wherever a plain one does, and a line of the chain is a function of its names."""

from __future__ import annotations

import math
import operator
from fractions import Fraction
from functools import partialmethod
from typing import Any

import pytest

from archdsl import driver
from archdsl.elaborate.budget import plus
from archdsl.elaborate.context import Context
from archdsl.elaborate.lines import work_out
from archdsl.elaborate.network import DISPATCH, Elaboration
from archdsl.elaborate.numbers import Number, Undecided, Varying
from archdsl.elaborate.values import distinct, equal
from archdsl.graph import Totals
from archdsl.op import Shape
from archdsl.syntax.inheritance import resolve

SPACE = """
fn round_to(v, d = 8) = int(floor(v / d + 0.5)) * d
block own(out, ratio = 0.5, *, stride = 1) = cna(round_to(out * ratio), 3, stride) -> conv(max(out, 8))
backbone space(w = [64, 96], n = [32, 48], d = [1, 2], l = 3, k = 3, first_half = true, classes = 10):
    input 3 x 64 x 64
    wide = [2 * width for width in w]
    conv.groups = d[0]
    stem: cna(w[0] // 2, k, 2)
    stage c2:     d[0] * csp(osa(l, cna(n[0], 3), w[0] // 2, ese), cna(w[0]))
    stage c3 / 2: maxpool(2) -> d[1] * (cna(n[1], 3) if n[1] % 16 == 0 else identity) -> own(wide[1])
    stage c4 / 2: own(w[1] ** 2 // w[1])
    head: (identity if first_half else relu) -> global_avgpool -> flatten -> linear(classes)
    output part: c3 -> split(0.25) -> concat
"""


class Wrapped(Varying):
    """A number in a class of its own, known by identity alone; counts how often it has to be a plain one."""

    asked = 0

    def __init__(self, value: Number) -> None:
        self.value = value
        self.whole = isinstance(value, int)

    def compute(self, other: Any, function: Any) -> Any:
        return wrapped(function(self.value, bare(other)))

    def computed(self, other: Any, function: Any) -> Any:
        return wrapped(function(bare(other), self.value))

    def apply(self, function: Any) -> Any:
        return wrapped(function(self.value))

    @property
    def numerator(self) -> Any:
        return wrapped(self.value.numerator)

    @property
    def denominator(self) -> int:
        return self.value.denominator

    def as_fraction(self) -> Any:
        return wrapped(Fraction(self.value))

    def plain(self) -> Any:
        Wrapped.asked += 1
        return self.value

    def __eq__(self, other: object) -> bool:
        return self.value == bare(other)

    __hash__ = object.__hash__
    __index__ = plain

    def __float__(self) -> float:
        return float(self.plain())

    def __bool__(self) -> bool:
        return self.value != 0


for name in ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow"):
    function = getattr(operator, name)
    setattr(Wrapped, f"__{name}__", partialmethod(Wrapped.compute, function=function))
    setattr(Wrapped, f"__r{name}__", partialmethod(Wrapped.computed, function=function))
for name in ("lt", "le", "gt", "ge"):
    setattr(Wrapped, f"__{name}__", partialmethod(Wrapped.compute, function=getattr(operator, name)))
for name in ("neg", "abs", "floor", "ceil"):
    setattr(
        Wrapped,
        f"__{name}__",
        partialmethod(Wrapped.apply, function=getattr(operator, name, getattr(math, name, None))),
    )


def bare(value: Any) -> Any:
    """The plain number of a wrapped one, also inside lists."""
    if isinstance(value, tuple):
        return tuple(map(bare, value))
    return value.value if isinstance(value, Wrapped) else value


def wrapped(value: Any) -> Any:
    """A number wrapped; a bool stays one."""
    if isinstance(value, tuple):
        return tuple(map(wrapped, value))
    return Wrapped(value) if type(value) in (int, Fraction) else value


def elaboration(**params: Any) -> Elaboration:
    """An elaboration of the space."""
    spec = driver.loads(SPACE, "space.arch")
    return Elaboration(resolve(spec.scope, spec), params, None, Context(DISPATCH))


PARAMS = {"w": (64, 96), "n": (32, 48), "d": (1, 2), "l": 3, "k": 3, "classes": 10}


@pytest.mark.parametrize(
    "changed", [{}, {"w": (80, 128), "d": (2, 0)}, {"n": (24, 40), "classes": 0}, {"l": 1, "k": 5}]
)
def test_wrapped_numbers_come_to_the_same_figures(changed: dict[str, Any]) -> None:
    params = PARAMS | changed
    plain = elaboration(**params).graph().root
    other = elaboration(**{name: wrapped(value) for name, value in params.items()}).graph().root
    assert Totals(*map(bare, other.totals)) == plain.totals
    assert bare(other.output) == plain.output


def test_a_width_is_never_asked_for_its_plain_value() -> None:
    Wrapped.asked = 0
    other = elaboration(**PARAMS | {"w": wrapped((64, 96)), "n": wrapped((32, 48)), "classes": wrapped(10)})
    assert bare(other.graph().root.totals) == elaboration(**PARAMS).graph().root.totals
    assert Wrapped.asked == 0


def test_a_line_is_a_function_of_its_names_its_settings_and_its_shape() -> None:
    whole = elaboration()
    graph = whole.graph()
    shapes: dict[str, Shape] = {section.name: section.shape for section in graph.sections}
    before: Shape | None = (3, 64, 64)
    for line in (*whole.family.sections, *whole.family.outputs):
        content: Any = line.content
        alone = elaboration()
        alone.prepare()
        prepared = alone.context.budget.spent
        read = {
            name: whole.line_context.names[name] for name in ("w", "n", "d", "l", "k", "wide", "classes", "first_half")
        }
        if content in [each.content for each in whole.family.outputs]:
            read, before = {"c3": whole.line_context.names["c3"]}, None
        worked = work_out(alone.line_context.under(read, alone.line_context.settings), content, line.file, before)
        scope = graph.root.child(content.name).scope
        assert (worked.scope.totals, worked.scope.output) == (scope.totals, scope.output)
        assert plus(prepared, worked.spent) == alone.context.budget.spent
        before = shapes[content.name]
    assert worked.reads == ("c3",)


def test_varying_numbers_are_equal_by_value_and_distinct_by_comparison() -> None:
    two, other = Wrapped(2), Wrapped(2)
    assert equal(two, other)
    assert equal((two, 1), (2, Wrapped(1)))
    assert not equal(Wrapped(1), True)
    assert bare(distinct((two, 3, other, 2, Wrapped(3)))) == (2, 3)


def test_equality_of_blocks_with_varying_numbers_is_not_decided() -> None:
    text = "backbone net(n = 4):\n    input 3 x 8 x 8\n    c = count([conv(n)], conv(4))\n    c1: conv(c + 1)\n"
    spec = driver.loads(text, "net.arch")
    with pytest.raises(Undecided):
        Elaboration(resolve(spec.scope, spec), {"n": Wrapped(4)}, None, Context(DISPATCH)).graph()
