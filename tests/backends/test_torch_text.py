"""Free text and values as Python source: nothing in them can end a string, and they come back as they were."""

from __future__ import annotations

import ast
from fractions import Fraction
from inspect import cleandoc
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archdsl.backends.torch import arithmetic
from archdsl.backends.torch.locals import identifier, unique
from archdsl.backends.torch.pysource import camel, docstring, literal, quoted

HOSTILE = [
    '"""\nimport os\n"""',
    'ends in a quote"',
    '"starts with one',
    "ends in a backslash\\",
    "\\N{BULLET} \\x41 \\u0041 {braces} %s",
    "nul \0, bell \a, escape \x1b[31m, carriage \r return",
    "bidi \u202e override, zero \u200b width, line \u2028 separator",
    "é, 网络, \U0001f600, a lone \ud800 surrogate",
    "tabs\tand\n\n  indented\n    lines   \n",
    '\'\'\' and """""" and \\"""',
]


def meaning(text: str) -> str:
    """What a docstring says once Python has read it."""
    source = "\n".join(["def f():", *docstring(text), "    return 1"])
    (function,) = ast.parse(source.encode("utf-8")).body
    assert isinstance(function, ast.FunctionDef)
    assert len(function.body) == 2
    return ast.get_docstring(function) or ""


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_docstrings_stay_text(text: str) -> None:
    assert "import os" not in [line.strip() for line in docstring(text)[:1]]
    assert meaning(text).split() == cleandoc(text.replace("\r\n", "\n")).split()


@given(st.text())
def test_any_docstring_stays_text(text: str) -> None:
    meaning(text)


@given(st.text())
def test_any_string_comes_back(text: str) -> None:
    source = quoted(text)
    assert "\n" not in source
    assert ast.literal_eval(source) == text


VALUES = st.recursive(
    st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text() | st.none(),
    lambda inner: st.tuples(inner) | st.tuples(inner, inner) | st.lists(inner, max_size=3),
    max_leaves=6,
)


@given(VALUES)
def test_any_value_comes_back(value: Any) -> None:
    assert ast.literal_eval(literal(value)) == value


def test_values_without_a_literal() -> None:
    assert literal(Fraction(1, 4)) == "0.25"
    assert literal(float("inf")) == 'float("inf")'


def test_names() -> None:
    assert camel("csp_vovnet39") == "CspVovnet39"
    assert camel("acme.swish") == "AcmeSwish"
    assert camel("none") == "None_"
    assert camel("_") == "Block"
    assert identifier("lambda") == "lambda_"
    assert identifier("__class__") == "__class___"
    assert identifier("__debug__") == "__debug___"
    assert unique("pair13", {"pair13"}) == "pair13_2"
    assert unique("osa", {"osa", "osa2"}) == "osa3"


KNOWN = {"out": 64, arithmetic.INPUT: 32, "stride": 2}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("out // 4", 16),
        ("x.channels * 2 + 1", 65),
        ("stride if stride == 2 else 1", 2),
        ("-out % 7", 6),
        ("out / 4", None),
        ("out ** out", None),
        ("out // 0", None),
        ("__import__('os')", None),
        ("open", None),
        ("(" * 60 + "out" + ")" * 60, None),
        ("out +", None),
        ("[out for out in out]", None),
    ],
)
def test_arithmetic_is_nothing_but_arithmetic(text: str, value: int | None) -> None:
    tree = arithmetic.parse(text)
    if value is None:
        with pytest.raises(arithmetic.Unknown):
            arithmetic.evaluate(tree or ast.Name("?"), KNOWN)
    else:
        assert tree is not None
        assert arithmetic.evaluate(tree, KNOWN) == value
