"""Lines of figures in each format: a table for people, JSON, CSV, Markdown."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from typing import Any

from archdsl.analyses.breakdown import COLUMNS, BreakdownLine, Column, Kind
from archdsl.commands._table import markdown, ruled, table
from archdsl.commands._units import count, rate, ratio, seconds


def as_text(lines: Sequence[BreakdownLine], total: BreakdownLine, names: Sequence[str]) -> str:
    """A table, with the network's own figures below."""
    columns = [COLUMNS[name] for name in names]
    rows = [
        [column.title for column in columns],
        *([shown(column, column.value(line)) for column in columns] for line in lines),
        total_row(total, names),
    ]
    return "\n".join(ruled(table(rows, numbers(columns), names.index("kind") if "kind" in names else None)))


def total_row(total: BreakdownLine, names: Sequence[str]) -> list[str]:
    """The network's own figures."""
    cells = [COLUMNS[name] for name in names]
    return [
        "total"
        if name == "part"
        else ""
        if column.kind == "text" and name != "bound"
        else shown(column, column.value(total))
        for name, column in zip(names, cells, strict=True)
    ]


def as_markdown(lines: Sequence[BreakdownLine], total: BreakdownLine, names: Sequence[str]) -> str:
    """A table in Markdown."""
    columns = [COLUMNS[name] for name in names]
    rows = [
        [column.title or "part" for column in columns],
        *([shown(column, column.value(line)) for column in columns] for line in lines),
        total_row(total, names),
    ]
    return markdown(rows, numbers(columns))


def numbers(columns: Sequence[Column]) -> set[int]:
    """Which columns hold numbers: they are aligned to the right."""
    return {at for at, column in enumerate(columns) if column.kind != "text"}


def as_csv(lines: Sequence[BreakdownLine], names: Sequence[str]) -> str:
    """Comma-separated values, exact, under the columns' names."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(names)
    writer.writerows([plain(COLUMNS[name].value(line)) for name in names] for line in lines)
    return text.getvalue().rstrip("\n")


def as_data(lines: Sequence[BreakdownLine], names: Sequence[str]) -> list[dict[str, Any]]:
    """Plain data, exact, under the columns' names."""
    return [{name: COLUMNS[name].value(line) for name in names} for line in lines]


def plain(value: Any) -> Any:
    """A value of a cell for programs: nothing for None."""
    return "" if value is None else value


def shown(column: Column, value: Any) -> str:
    """A value for people."""
    if value is None:
        return ""
    return SHOWN[column.kind](value)


SHOWN: dict[Kind, Callable[[Any], str]] = {
    "text": str,
    "count": count,
    "ratio": ratio,
    "seconds": seconds,
    "rate": rate,
}
