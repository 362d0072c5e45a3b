"""Lines of figures in each format: a table for people, JSON, CSV, Markdown."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from typing import Any

from archdsl.analyses.lines import COLUMNS, Column, Kind, Line
from archdsl.commands._table import ruled, table


def as_text(lines: Sequence[Line], total: Line, names: Sequence[str]) -> str:
    """A table, with the network's own figures below."""
    columns = [COLUMNS[name] for name in names]
    rows = [
        [column.title for column in columns],
        *([shown(column, column.value(line)) for column in columns] for line in lines),
        total_row(total, names),
    ]
    right = {at for at, column in enumerate(columns) if column.kind != "text"}
    return "\n".join(ruled(table(rows, right, names.index("kind") if "kind" in names else None)))


def total_row(total: Line, names: Sequence[str]) -> list[str]:
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


def as_markdown(lines: Sequence[Line], total: Line, names: Sequence[str]) -> str:
    """A table in Markdown."""
    columns = [COLUMNS[name] for name in names]
    rows = [
        [column.title or "part" for column in columns],
        [":--" if column.kind == "text" else "--:" for column in columns],
        *([shown(column, column.value(line)).replace("|", "\\|") for column in columns] for line in lines),
        total_row(total, names),
    ]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def as_csv(lines: Sequence[Line], names: Sequence[str]) -> str:
    """Comma-separated values, exact, under the columns' names."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(names)
    writer.writerows([plain(COLUMNS[name].value(line)) for name in names] for line in lines)
    return text.getvalue().rstrip("\n")


def as_data(lines: Sequence[Line], names: Sequence[str]) -> list[dict[str, Any]]:
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


def seconds(value: float) -> str:
    """A time in the unit that suits."""
    for factor, unit in ((1.0, "s"), (1e3, "ms")):
        if value * factor >= 1:
            return f"{value * factor:,.2f} {unit}"
    return f"{value * 1e6:,.1f} us"


def rate(value: float) -> str:
    """So many a second."""
    return f"{value / 1e9:,.1f} G"


def count(value: int) -> str:
    """A number with its thousands apart."""
    return f"{value:,}"


def ratio(value: float) -> str:
    """A number with one place."""
    return f"{value:,.1f}"


SHOWN: dict[Kind, Callable[[Any], str]] = {
    "text": str,
    "count": count,
    "ratio": ratio,
    "seconds": seconds,
    "rate": rate,
}
