"""Stages that say the same in other numbers, as in a paper's table: what is alike stands in columns."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from itertools import groupby

from archdsl.frontend.printing.expressions import expression, link
from archdsl.frontend.printing.layout import ENDLESS, Layout, render, spots
from archdsl.frontend.printing.notes import Notes
from archdsl.lang.text import syntax as ast

NUMBER = re.compile(r"\d[\d_.]*")
COMMA = ", "


def in_columns(values: Sequence[ast.Expression], room: int, notes: Notes) -> list[Layout]:
    """The values of stages, in columns if each of them fits into its line."""
    layouts = [expression(value) for value in values]
    if any(notes.comments_at(spots(layout)) for layout in layouts):
        return layouts
    texts = [render(layout, width=ENDLESS) for layout in layouts]
    start = first_step(values)
    leads = [start if text.startswith(start) else "" for text in texts]
    tails = table([text.removeprefix(lead) for text, lead in zip(texts, leads, strict=True)])
    lines = [lead.ljust(len(start)) + tail for lead, tail in zip(leads, tails, strict=True)]
    return [*lines] if all(len(line) <= room for line in lines) else layouts


def first_step(values: Sequence[ast.Expression]) -> str:
    """The `down -> ` with which all stages begin but for those that begin with what follows it; or nothing."""
    names = Counter(map(block_name, values))
    begun: dict[str, list[ast.Chain]] = {}
    for each in values:
        if isinstance(each, ast.Chain):
            begun.setdefault(render(link(each.links[0]), width=ENDLESS), []).append(each)
    for step, chains in begun.items():
        followers = {block_name(each.links[1]) for each in chains}
        own = block_name(chains[0])
        gone = {own} if names[own] == len(chains) else set[str]()
        if (
            len(followers) == 1
            and len(names) - len(gone) == 1
            and followers.isdisjoint(gone)
            and followers <= names.keys()
        ):
            return f"{step} -> "
    return ""


def block_name(node: ast.Expression) -> str:
    """The block that an expression begins with: `a` of `3 * a(64)` and of `a -> b`."""
    match node:
        case ast.Chain(links=[first, *_]):
            return block_name(first)
        case ast.Binary(sign="*", right=right):
            return block_name(right)
        case ast.Call(callee=callee):
            return block_name(callee)
        case ast.Name(id=name):
            return name
        case _:
            return ""


def table(texts: Sequence[str]) -> list[str]:
    """Texts, with blanks behind the commas of neighbours that differ in numbers only."""
    found: list[str] = []
    for _, alike in groupby(texts, key=lambda text: NUMBER.sub("0", text)):
        rows = [text.split(COMMA) for text in alike]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        for *cells, last in rows:
            padded = [f"{cell},".ljust(width + 1) for cell, width in zip(cells, widths, strict=False)]
            found.append(" ".join([*padded, last]))
    return found
