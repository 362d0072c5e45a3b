"""The elaborator is generic over numbers: what it asks of one goes through `archdsl.elaborate.numbers`."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import pytest

from archdsl.elaborate.numbers import nearest_quotient, whole
from archdsl.elaborate.values import Symbol, distinct, equal, same_key

ELABORATE = Path(__file__).parents[2] / "archdsl" / "elaborate"
CLASSES = {"int", "Fraction"}
CONVERSIONS = {"int", "round", "Fraction", "hash"}
APART = {"numbers", "values", "blame"}
"""The protocol and its layer, and the numbers in names of modules (`c2.0`, `cna2`)."""
FILES = [path for path in sorted(ELABORATE.glob("*.py")) if path.stem not in APART]


def bypasses(tree: ast.AST) -> Iterator[int]:
    """The lines that look at a number's class, or convert one, on their own."""
    for node in ast.walk(tree):
        match node:
            case ast.Compare(ast.Call(ast.Name("type")), [ast.Is() | ast.IsNot()], [ast.Name(kind)]):
                found = kind in CLASSES
            case ast.Call(ast.Name("isinstance"), [_, kinds]):
                found = any(isinstance(each, ast.Name) and each.id in CLASSES for each in ast.walk(kinds))
            case ast.Call(ast.Name(name), [argument]):
                found = name in CONVERSIONS and not isinstance(argument, ast.Compare)
            case _:
                found = False
        if found and isinstance(node, ast.expr):
            yield node.lineno


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_numbers_go_through_the_protocol(path: Path) -> None:
    assert [*bypasses(ast.parse(path.read_text("utf-8")))] == []


@pytest.mark.parametrize(
    "text", ["type(x) is int", "type(x) is not Fraction", "isinstance(x, int | str)", "int(x)", "round(a / b)"]
)
def test_a_bypass_is_found(text: str) -> None:
    assert [*bypasses(ast.parse(text))] == [1]


def test_equality_by_meaning_is_not_that_of_memos() -> None:
    assert equal(2, Fraction(2))
    assert not equal(True, 1)
    assert not equal((1, True), (1, 1))
    assert distinct((1, Fraction(1), True, Symbol("same"), 1)) == (1, True, "same")
    assert same_key(2) != same_key(Fraction(2))
    assert same_key(True) != same_key(1)


def test_quotients_are_rounded_as_floats_are() -> None:
    assert all(nearest_quotient(a, b) == round(a / b) for a in range(1, 300) for b in range(1, 40))


def test_whole_numbers() -> None:
    assert whole(Fraction(6, 2)) == whole(3) == 3
    assert whole(Fraction(1, 2)) is None
