"""Figures for people: numbers with units, and tables as text that fits the terminal, Markdown, and CSV."""

from __future__ import annotations

import csv
import io
import os
import shutil
import sys
import textwrap
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import zip_longest
from math import inf
from typing import Any, NamedTuple

from archdsl.analyses.figures import Figures, Unit, shown_shape
from archdsl.diagnostics import plural
from archdsl.diagnostics.characters import on_one_line

# Width of a text that goes into a file or a pipe.
USUAL_WIDTH = 110
WHOLE = "whole"
"""Text of an infinite receptive field."""


def terminal_width() -> int:
    """Width of the terminal in characters; COLUMNS overrides it."""
    return shutil.get_terminal_size((USUAL_WIDTH, 24)).columns


def is_for_a_terminal() -> bool:
    """Tell if a width is to be kept: that of a terminal, or one that is asked for."""
    return "COLUMNS" in os.environ or sys.stdout.isatty()


# ---- numbers -------------------------------------------------------------------------------------------------------

PREFIXES = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "K"))


def seconds(value: float) -> str:
    """Time in a suitable unit."""
    for factor, unit in ((1.0, "s"), (1e3, "ms")):
        if value * factor >= 1:
            return f"{value * factor:,.2f} {unit}"
    return f"{value * 1e6:,.1f} us"


def rate(value: float) -> str:
    """Number per second."""
    return f"{value / 1e9:,.1f} G"


def size(value: float) -> str:
    """Bytes in a suitable unit."""
    units = ("B", "KB", "MB", "GB", "TB")
    power = 0
    while value >= 1000 and power < len(units) - 1:
        value, power = value / 1000, power + 1
    return f"{value:,.2f} {units[power]}" if power else f"{value} B"


def share(part: int, whole: int) -> str:
    """Percentage."""
    return f"{100 * part / whole:.1f} %" if whole else ""


def short(value: float) -> str:
    """Number in three digits, in the notation of `expect`: `25.6M`."""
    for factor, prefix in PREFIXES:
        if abs(value) >= 0.9995 * factor:
            return f"{value / factor:.3g}{prefix}"
    return f"{value:.3g}"


SHOWN: dict[Unit, Callable[[Any], str]] = {
    "text": str,
    "number": "{:,}".format,
    "bytes": size,
    "pixels": "{:,g}".format,
    "ratio": "{:,.1f}".format,
    "seconds": seconds,
    "rate": rate,
}

BRIEF: dict[Unit, Callable[[Any], str]] = {"number": short, "bytes": lambda value: f"{short(value)}B"}


class Cell(NamedTuple):
    """Value in a unit, perhaps with its sign, and a text behind it."""

    value: Any
    unit: Unit = "number"
    signed: bool = False
    behind: str = ""

    def text(self, brief: bool) -> str:
        """Value for people; a `brief` one has three digits."""
        if self.value is None:
            return ""
        if self.value == inf:
            return WHOLE + self.behind
        value = abs(self.value) if self.signed else self.value
        sign = "" if not self.signed or not self.value else "-" if self.value < 0 else "+"
        return sign + (BRIEF if brief and self.unit in BRIEF else SHOWN)[self.unit](value) + self.behind


# ---- tables --------------------------------------------------------------------------------------------------------

Row = Sequence[Cell | str]


class Fit(NamedTuple):
    """Way to lay out a table: numbers in three digits, headings of several lines, the least width of its long text."""

    brief: bool
    wrapped: bool
    narrowest: int


# Tried in order, until one fits the terminal.
FITS = (Fit(False, False, 24), Fit(False, True, 24), Fit(True, True, 16), Fit(True, True, 6))


class Table(NamedTuple):
    """Headings and rows, perhaps with a total. Columns are aligned right but for those in `left`.

    The column `long` holds texts that are cut where the table would not fit the terminal.
    """

    heads: Sequence[str]
    rows: Sequence[Row]
    total: Row | None = None
    left: Sequence[int] = (0,)
    long: int | None = None

    def text(self) -> str:
        """Table for a terminal: exact numbers where they fit, else in three digits, else several tables.

        Into a file or a pipe, numbers are exact, however wide the table gets.
        """
        width = terminal_width()
        if not is_for_a_terminal():
            return "\n".join(self.lines(FITS[0], width))
        laid_out = [self.lines(fit, width) for fit in FITS]
        count = len(self.heads) - 1
        if fitting := [lines for lines in laid_out if len(lines[0]) <= width]:
            return "\n".join(fitting[0])
        if count < 2:
            return "\n".join(laid_out[-1])
        while count > 2 and len(self.part(range(count)).lines(FITS[-1], width)[0]) > width:
            count -= 1
        return f"{self.part(range(count)).text()}\n\n{self.part([0, *range(count, len(self.heads))]).text()}"

    def part(self, columns: Sequence[int]) -> Table:
        """Some columns of the table."""
        rows = [[row[at] for at in columns] for row in self.rows]
        total = self.total and [self.total[at] for at in columns]
        left = [new for new, old in enumerate(columns) if old in self.left]
        long = next((new for new, old in enumerate(columns) if old == self.long), None)
        return Table([self.heads[at] for at in columns], rows, total, left, long)

    def lines(self, fit: Fit, width: int) -> list[str]:
        """Lines of the table in one of the layouts, with rules below the headings and above the total."""
        rows = [self.cells(row, fit.brief) for row in self.rows]
        total = [self.cells(self.total, fit.brief)] if self.total else []
        heads = self.cells(self.heads, False)
        columns = zip(*rows, *total, strict=True) if rows or total else [()] * len(heads)
        widths = [
            max(len(head) if not fit.wrapped else max(map(len, wrapped(head, 0)), default=0), *map(len, cells), 0)
            for head, cells in zip(heads, columns, strict=True)
        ]
        gaps = 2 * (len(widths) - 1)
        if self.long is not None:
            room = width - gaps - sum(widths) + widths[self.long]
            widths[self.long] = max(min(widths[self.long], room), min(fit.narrowest, widths[self.long]))
        above = zip_longest(*(reversed(wrapped(*each)) for each in zip(heads, widths, strict=True)), fillvalue="")
        rule = "─" * (sum(widths) + gaps)
        headings = [self.line(row, widths) for row in reversed(list(above))] or [self.line(heads, widths)]
        body, last = ([self.line(row, widths) for row in part] for part in (rows, total))
        return [*headings, rule, *body, *([rule] if last else []), *last]

    def cells(self, row: Row, brief: bool) -> list[str]:
        """Cells as texts on one line, whatever the names in them hold."""
        return [on_one_line(cell if isinstance(cell, str) else cell.text(brief)) for cell in row]

    def line(self, row: Sequence[str], widths: Sequence[int]) -> str:
        """Cells of a row, each as wide as its column."""
        parts = [
            cell if len(cell) <= width else f"{cell[: width - 1]}…" for cell, width in zip(row, widths, strict=True)
        ]
        aligned = (
            part.ljust(widths[at]) if at in self.left else part.rjust(widths[at]) for at, part in enumerate(parts)
        )
        return "  ".join(aligned).ljust(sum(widths) + 2 * (len(widths) - 1))

    def markdown(self, corner: str = "") -> str:
        """Table in Markdown, `corner` being the heading of the first column."""
        rule = [":--" if at in self.left else "--:" for at in range(len(self.heads))]
        rows = [[self.heads[0] or corner, *self.heads[1:]], rule, *self.rows, *([self.total] if self.total else [])]
        lines = ([cell.replace("|", "\\|") for cell in self.cells(row, False)] for row in rows)
        return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def wrapped(text: str, width: int) -> list[str]:
    """Heading in lines of at most a width, or of a word."""
    longest = max(map(len, text.replace("-", "- ").split()), default=1)
    return textwrap.wrap(text, max(width, longest))


def csv_text(rows: Iterable[Iterable[Any]]) -> str:
    """Comma-separated values; None is empty."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().rstrip("\n")


def listing(entries: Mapping[str, str], indent: int = 2) -> str:
    """Names, each with a sentence that is cut to fit the terminal."""
    width = max(map(len, entries), default=0)
    room = max(terminal_width() - indent - width - 2, 20)
    lines = (f"{' ' * indent}{name:<{width}}  {cut(text, room)}".rstrip() for name, text in entries.items())
    return "\n".join(lines)


def cut(text: str, width: int) -> str:
    """First sentence of a text, cut to a width."""
    line = on_one_line(" ".join(text.partition("\n\n")[0].split()))
    sentence, dot, _ = line.partition(". ")
    line = f"{sentence}." if dot else line
    return line if len(line) <= width else f"{line[: width - 1]}…"


# ---- summary of a network ------------------------------------------------------------------------------------------

HEADINGS = ("", "made of", "output", "parameters", "", "multiply-adds", "")


def summary(figures: Figures) -> str:
    """Figures of a network by section."""
    rows: list[Row] = []
    shape = last = ""
    for section, totals in figures.rows:
        shape = shown_shape(section.shape)
        last = shape if section.kind != "output" else last
        macs = "" if section.training_only else share(totals.macs, figures.macs)
        name = f"{section.name} (training only)" if section.training_only else section.name
        text = " ".join(section.text.split())
        params = share(totals.params, figures.params)
        rows.append((name, text, shape, Cell(totals.params), params, Cell(totals.macs), macs))
    total = ("total", "", last or shape, Cell(figures.params), "", Cell(figures.macs), "")
    return "\n".join([head(figures), "", Table(HEADINGS, rows, total, (0, 1, 2), long=1).text(), "", *notes(figures)])


def head(figures: Figures) -> str:
    """Name of a network, and the first line of its doc, as far as it fits."""
    line, width = f"{figures.name}  {figures.doc.partition(chr(10))[0]}".rstrip(), terminal_width()
    return line if len(line) <= width else f"{line[: width - 1]}…"


def notes(figures: Figures) -> list[str]:
    """Lines below the table."""
    layers = ((figures.n_conv, "convolution"), (figures.n_norm, "norm"), (figures.n_linear, "linear layer"))
    counted = ", ".join(plural(count, noun) for count, noun in layers)
    lines = [f"input {shown_shape(figures.input)}; {counted}"]
    lines.append(f"{figures.activations:,} activations, {figures.buffers:,} buffers")
    if figures.training_params:
        params, macs = figures.training_params, figures.training_macs
        lines.append(f"training only: {params:,} of the parameters, {macs:,} multiply-adds more")
    return lines
