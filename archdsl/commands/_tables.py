"""Figures for people and for programs: numbers with units, and tables as text, Markdown, CSV and plain data."""

from __future__ import annotations

import csv
import io
import shutil
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any

from archdsl.analyses.breakdown import COLUMNS, BreakdownLine, Column, Kind
from archdsl.analyses.cost import Figures
from archdsl.commands._formats import plural
from archdsl.diagnostics.characters import on_one_line

# ---- numbers -------------------------------------------------------------------------------------------------------


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


# ---- tables --------------------------------------------------------------------------------------------------------

Rows = Sequence[Sequence[str]]
# A column that yields to the terminal's width keeps at least this many characters.
NARROWEST = 24


def table(rows: Rows, right: Collection[int], flexible: int | None = None) -> list[str]:
    """Rows in columns, those of `right` aligned there; the column `flexible` is cut to fit the terminal."""
    # Texts of specs may hold line ends and control characters.
    rows = [[on_one_line(cell) for cell in row] for row in rows]
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    gaps = 2 * (len(widths) - 1)
    if flexible is not None:
        room = shutil.get_terminal_size((110, 24)).columns - sum(widths) + widths[flexible] - gaps
        widths[flexible] = max(min(widths[flexible], room), min(NARROWEST, widths[flexible]))
    return ["  ".join(aligned(row, widths, right)).rstrip().ljust(sum(widths) + gaps) for row in rows]


def aligned(row: Sequence[str], widths: Sequence[int], right: Collection[int]) -> Iterable[str]:
    """Cells of a row, each as wide as its column."""
    for at, (cell, width) in enumerate(zip(row, widths, strict=True)):
        cut = cell if len(cell) <= width else cell[: width - 1] + "…"
        yield cell.rjust(width) if at in right else cut.ljust(width)


def ruled(lines: Sequence[str], *, total: bool = True) -> list[str]:
    """Table with a rule below its headings, and one above its last row, the total."""
    rule = "─" * len(lines[0])
    return [lines[0], rule, *lines[1:-1], rule, lines[-1]] if total else [lines[0], rule, *lines[1:]]


def markdown(rows: Rows, right: Collection[int]) -> str:
    """Rows as a table in Markdown, headings first, the columns of `right` aligned there."""
    rule = ["--:" if at in right else ":--" for at in range(len(rows[0]))]
    lines = ([on_one_line(cell).replace("|", "\\|") for cell in row] for row in (rows[0], rule, *rows[1:]))
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def csv_text(rows: Iterable[Iterable[Any]]) -> str:
    """Comma-separated values; None is empty."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().rstrip("\n")


# ---- summary of a network ------------------------------------------------------------------------------------------

HEADINGS = ("", "made of", "output", "parameters", "", "multiply-adds", "")


def summary(figures: Figures) -> str:
    """Figures of a network by section."""
    whole = figures.totals
    rows: list[Sequence[str]] = [HEADINGS]
    shape = last = ""
    for section, totals in figures.rows:
        shape = dimensions(section.shape)
        last = shape if section.kind != "output" else last
        macs = "" if section.training_only else share(totals.macs, whole.macs)
        name = f"{section.name} (training only)" if section.training_only else section.name
        text = " ".join(section.text.split())
        numbers = (f"{totals.params:,}", share(totals.params, whole.params), f"{totals.macs:,}", macs)
        rows.append((name, text, shape, *numbers))
    rows.append(("total", "", last or shape, f"{whole.params:,}", "", f"{whole.macs:,}", ""))
    return "\n".join([head(figures), "", *ruled(table(rows, {3, 4, 5, 6}, 1)), *notes(figures)])


def dimensions(shape: Iterable[int]) -> str:
    """Shape as text."""
    return "x".join(map(str, shape))


def head(figures: Figures) -> str:
    """Name of a network, and the first line of its doc."""
    return f"{figures.name}  {figures.doc.partition(chr(10))[0]}".rstrip()


def notes(figures: Figures) -> list[str]:
    """Lines below the table."""
    totals = figures.totals
    layers = ((totals.n_conv, "convolution"), (totals.n_norm, "norm"), (totals.n_linear, "linear layer"))
    counted = ", ".join(plural(count, noun) for count, noun in layers)
    rest = f"{totals.activations:,} activations, {totals.buffers:,} buffers"
    lines = ["", f"input {dimensions(figures.input)}; {counted}; {rest}"]
    if figures.training_params:
        params, macs = figures.training_params, figures.training_macs
        lines.append(f"training only: {params:,} of the parameters, {macs:,} multiply-adds more")
    return lines


# ---- breakdowns ----------------------------------------------------------------------------------------------------

SHOWN: dict[Kind, Callable[[Any], str]] = {
    "text": str,
    "count": "{:,}".format,
    "ratio": "{:,.1f}".format,
    "seconds": seconds,
    "rate": rate,
}


def shown(column: Column, line: BreakdownLine) -> str:
    """Cell for people."""
    value = column.value(line)
    return "" if value is None else SHOWN[column.kind](value)


def cells(lines: Sequence[BreakdownLine], total: BreakdownLine, names: Sequence[str], corner: str = "") -> Rows:
    """Cells of a breakdown, headings first, the total last; `corner` is the heading of the names."""
    columns = [COLUMNS[name] for name in names]
    last = ["total" if name == "part" else total_cell(name, COLUMNS[name], total) for name in names]
    headings = [column.title or corner for column in columns]
    return [headings, *([shown(column, line) for column in columns] for line in lines), last]


def total_cell(name: str, column: Column, total: BreakdownLine) -> str:
    """Cell of the total; texts, such as a kind, have no total but the bound."""
    return "" if column.kind == "text" and name != "bound" else shown(column, total)


def number_columns(names: Sequence[str]) -> set[int]:
    """Indices of the columns of numbers, which are aligned to the right."""
    return {at for at, name in enumerate(names) if COLUMNS[name].kind != "text"}


def as_text(lines: Sequence[BreakdownLine], total: BreakdownLine, names: Sequence[str]) -> str:
    """Breakdown as a table, with the network's own figures below."""
    flexible = names.index("kind") if "kind" in names else None
    return "\n".join(ruled(table(cells(lines, total, names), number_columns(names), flexible)))


def as_markdown(lines: Sequence[BreakdownLine], total: BreakdownLine, names: Sequence[str]) -> str:
    """Breakdown as a table in Markdown."""
    return markdown(cells(lines, total, names, "part"), number_columns(names))


def as_csv(lines: Sequence[BreakdownLine], names: Sequence[str]) -> str:
    """Breakdown as exact comma-separated values, under the names of the columns."""
    return csv_text([names, *([COLUMNS[name].value(line) for name in names] for line in lines)])


def as_data(lines: Sequence[BreakdownLine], names: Sequence[str]) -> list[dict[str, Any]]:
    """Breakdown as exact plain data, by the names of the columns."""
    return [{name: COLUMNS[name].value(line) for name in names} for line in lines]
