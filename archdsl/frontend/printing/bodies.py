"""Docstrings and statements as rows."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from archdsl.errors import catalog
from archdsl.errors.characters import is_unseen, name_of_character
from archdsl.frontend.docstring import tidy
from archdsl.frontend.printing.expressions import STEP, expression, names_of
from archdsl.frontend.printing.notes import Place, at, of
from archdsl.frontend.printing.rows import Row
from archdsl.lang.text import syntax as ast
from archdsl.lang.text.document import Backbone

QUOTES = '"""'

Documented = ast.Block | ast.Function | Backbone
Places = tuple[Place, ...]


def docstring(node: Documented, indent: int) -> Iterator[Row]:
    """A docstring, if there is something to say; raises ArchError for what no docstring can say."""
    text = tidy(f"\n{node.doc}")
    if not text:
        return
    if QUOTES in text:
        label = "the doc has three quotes in a row, which end a docstring in the text form"
        raise catalog.UNSUPPORTED.error(node.span, label, help="write one quote, or two, in the doc")
    if (found := next(filter(is_unseen, text), None)) is not None:
        label = f"the doc has a character that nobody sees, {name_of_character(found)}, which a docstring cannot escape"
        raise catalog.UNSUPPORTED.error(node.span, label, help="remove it from the doc")
    yield Row(indent, "\n".join(quoted(text, " " * indent)), (of("doc", node.span),))


def quoted(text: str, pad: str) -> Iterator[str]:
    """The lines of a docstring; all but the first are indented."""
    first, *rest = text.split("\n")
    if not rest and not text.endswith('"'):
        yield f"{QUOTES}{text}{QUOTES}"
        return
    # Behind the quotes a line has no indentation, and the others are measured without it.
    beside = not first.startswith(" ") and any(re.match("[^ ]", line) for line in rest)
    yield QUOTES + (first if beside else "")
    yield from (pad + line if line else "" for line in (rest if beside else [first, *rest]))
    yield pad + QUOTES


def statements(body: tuple[ast.Statement, ...], indent: int, first: tuple[Place, ...] = ()) -> Iterator[Row]:
    """The lines of a body; `first` are further places of its first line."""
    for each in body:
        yield from FORMS[type(each)](each, indent, (*first, at(each.span)))
        first = ()


def assign(node: ast.Assign, indent: int, places: Places) -> Iterator[Row]:
    """`a, b = value`."""
    targets = ", ".join(each.id for each in node.targets)
    yield Row(indent, (f"{targets} = ", expression(node.value)), places)


def leave(node: ast.Return, indent: int, places: Places) -> Iterator[Row]:
    """`return value`."""
    yield Row(indent, ("return ", expression(node.value)), places)


def loop(node: ast.For, indent: int, places: Places) -> Iterator[Row]:
    """`for i in list:` and its body."""
    yield Row(indent, (f"for {names_of(node.variables)} in ", expression(node.source), ":"), places)
    yield from statements(node.body, indent + STEP)


def choice(node: ast.If, indent: int, places: Places, word: str = "if") -> Iterator[Row]:
    """`if`, `elif` and `else`."""
    yield Row(indent, (f"{word} ", expression(node.test), ":"), places)
    yield from statements(node.body, indent + STEP)
    otherwise = of("else", node.span)
    match node.other:
        case ():
            pass
        case (ast.If() as other,):
            yield from choice(other, indent, (otherwise, at(other.span)), "elif")
        case other:
            yield Row(indent, "else:", (otherwise,))
            yield from statements(other, indent + STEP)


FORMS: dict[type[ast.Statement], Callable[[Any, int, Places], Iterator[Row]]] = {
    ast.Assign: assign,
    ast.Return: leave,
    ast.For: loop,
    ast.If: choice,
}
