"""Docstrings and statements as lines of text."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from archdsl.errors import Span, catalog
from archdsl.frontend.docstring import tidy
from archdsl.frontend.printing.expressions import STEP, expression, names_of
from archdsl.frontend.printing.layout import Layout, render
from archdsl.lang import syntax as ast

QUOTES = '"""'


def docstring(doc: str, indent: int, span: Span | None) -> Iterator[str]:
    """A docstring, if there is something to say; raises ArchError for what no docstring can say."""
    text = tidy(f"\n{doc}")
    if not text:
        return
    if QUOTES in text:
        label = "the doc has three quotes in a row, which end a docstring in the text form"
        raise catalog.UNSUPPORTED.error(span, label, help="write one quote, or two, in the doc")
    first, *rest = text.split("\n")
    pad = " " * indent
    if not rest and not text.endswith('"'):
        yield f"{pad}{QUOTES}{text}{QUOTES}"
        return
    # Behind the quotes a line has no indentation, and the others are measured without it.
    beside = not first.startswith(" ") and any(re.match("[^ ]", line) for line in rest)
    yield pad + QUOTES + (first if beside else "")
    yield from (pad + line if line else "" for line in (rest if beside else [first, *rest]))
    yield pad + QUOTES


def statements(body: tuple[ast.Statement, ...], indent: int) -> Iterator[str]:
    """The lines of a body."""
    for each in body:
        yield from FORMS[type(each)](each, indent)


def line(layout: Layout, indent: int) -> str:
    """A layout as one line, or, where it is too long, as several in one string."""
    return " " * indent + render(layout, indent)


def assign(node: ast.Assign, indent: int) -> Iterator[str]:
    """`a, b = value`."""
    targets = ", ".join(each.id for each in node.targets)
    yield line((f"{targets} = ", expression(node.value)), indent)


def loop(node: ast.For, indent: int) -> Iterator[str]:
    """`for i in list:` and its body."""
    yield line((f"for {names_of(node.variables)} in ", expression(node.source), ":"), indent)
    yield from statements(node.body, indent + STEP)


def choice(node: ast.If, indent: int, word: str = "if") -> Iterator[str]:
    """`if`, `elif` and `else`."""
    yield line((f"{word} ", expression(node.test), ":"), indent)
    yield from statements(node.body, indent + STEP)
    match node.other:
        case ():
            pass
        case (ast.If() as other,):
            yield from choice(other, indent, "elif")
        case other:
            yield " " * indent + "else:"
            yield from statements(other, indent + STEP)


FORMS: dict[type[ast.Statement], Callable[[Any, int], Iterator[str]]] = {
    ast.Assign: assign,
    ast.Return: lambda node, indent: iter([line(("return ", expression(node.value)), indent)]),
    ast.For: loop,
    ast.If: choice,
}
