"""Rows: the lines of a file before its comments and empty lines are woven in."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from archdsl.frontend.allowances import MARK
from archdsl.frontend.printing.layout import NO_NOTES, Layout, render
from archdsl.frontend.printing.notes import END, HEAD, Notes, Place


class Row(NamedTuple):
    """A line, or, where its layout has to be broken, several.

    `places` are those whose comments stand at it. What is indented further below it belongs to it. `apart` puts an
    empty line before it; otherwise there is one where the author put one.
    """

    indent: int
    layout: Layout
    places: tuple[Place, ...] = ()
    apart: bool = False


def weave(rows: Iterable[Row], notes: Notes = NO_NOTES) -> str:
    """The text of a file."""
    head = notes.take([HEAD]).before
    loom = Loom(notes)
    loom.comments(tidied(head), 0)
    for row in rows:
        loom.add(row)
    loom.comments(loom.close(-1), 0)
    end = notes.take([END]).before
    loom.comments(tidied((*notes.rest(), *end)), 0)
    while loom.lines and not loom.lines[-1]:
        loom.lines.pop()
    return "".join(f"{line}\n" for line in loom.lines)


class Loom:
    """The lines so far, and the comments that wait for the end of what they stand behind."""

    def __init__(self, notes: Notes) -> None:
        self.notes = notes
        self.lines: list[str] = []
        self.behind: list[tuple[int, tuple[str, ...]]] = []
        self.last = -1

    def add(self, row: Row) -> None:
        """A row, with its comments before and beside it."""
        ahead = self.close(row.indent)
        before, beside, behind = self.notes.take(row.places)
        text = render(row.layout, row.indent, notes=self.notes)
        *more, last = beside or ("",)
        if "\n" in text and self.notes.above:
            more, last = [*more, last], ""
        before = (*ahead, *before, *filter(None, more))
        if self.last < 0 and not last and before and MARK.match(before[-1]):
            *before, last = before  # above the first line, it would be for the whole file
        if row.apart and before[:1] != ("",):
            before = ("", *before)
        first = row.indent > self.last or not self.lines
        self.comments(tidied(before, first=first), row.indent)
        self.lines.append(" " * row.indent + text if text else "")
        if last:
            self.lines[-1] += f"  {last}"
        if behind:
            self.behind.append((row.indent, behind))
        self.last = row.indent

    def comments(self, texts: Iterable[str], indent: int) -> None:
        """Comments on lines of their own."""
        self.lines += [" " * indent + text if text else "" for text in texts]

    def close(self, indent: int) -> tuple[str, ...]:
        """Writes the comments behind what ends before a row; those of its neighbour come to stand before the row."""
        while self.behind and self.behind[-1][0] > indent:
            level, texts = self.behind.pop()
            self.comments(tidied(texts), level)
        return self.behind.pop()[1] if self.behind and self.behind[-1][0] == indent else ()


def tidied(texts: Iterable[str], *, first: bool = False) -> list[str]:
    """Comments with at most one empty line between two, and none before the first thing inside of another."""
    found: list[str] = []
    for text in texts:
        if text or (found[-1] if found else not first):
            found.append(text)
    return found
