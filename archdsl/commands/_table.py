"""The summary of a network: a row for each section, totals, and shares."""

from __future__ import annotations

import shutil
from collections.abc import Sequence

from archdsl.analyses.cost import Figures, Row

HEADINGS = ("", "made of", "output", "parameters", "", "multiply-adds", "")
RIGHT = {3, 4, 5, 6}
NARROWEST = 24
SHARES = ("params", "macs")


def summary(figures: Figures) -> str:
    """A network's figures for people."""
    doc = figures.doc.partition("\n")[0]
    head = f"{figures.name}  {doc}".rstrip()
    lines = table([HEADINGS, *(cells(figures, row) for row in figures.rows), total(figures)])
    rule = "─" * len(lines[0])
    return "\n".join([head, "", lines[0], rule, *lines[1:-1], rule, lines[-1], *notes(figures)])


def cells(figures: Figures, row: Row) -> tuple[str, ...]:
    """A section's row."""
    section, totals = row
    text = " ".join(section.text.split())
    shape = "x".join(map(str, section.shape))
    mark = " (training only)" if section.training_only else ""
    return (
        f"{section.name}{mark}",
        text,
        shape,
        f"{totals.params:,}",
        share(totals.params, figures.totals.params),
        f"{totals.macs:,}",
        "" if section.training_only else share(totals.macs, figures.totals.macs),
    )


def total(figures: Figures) -> tuple[str, ...]:
    """The last row."""
    totals = figures.totals
    shape = "x".join(map(str, figures.rows[-1].section.shape)) if figures.rows else ""
    head = next((row.section for row in reversed(figures.rows) if row.section.kind != "output"), None)
    shape = "x".join(map(str, head.shape)) if head else shape
    return ("total", "", shape, f"{totals.params:,}", "", f"{totals.macs:,}", "")


def share(part: int, whole: int) -> str:
    """A part of a whole in per cent, rounded for display."""
    return f"{100 * part / whole:.1f} %" if whole else ""


def notes(figures: Figures) -> list[str]:
    """What stands below the table."""
    totals = figures.totals
    lines = [
        "",
        f"input {'x'.join(map(str, figures.input))}; {totals.n_conv} convolutions, {totals.n_norm} norms, "
        f"{totals.n_linear} linear layers; {totals.activations:,} activations, {totals.buffers:,} buffers",
    ]
    if figures.training_params:
        lines.append(
            f"training only: {figures.training_params:,} of the parameters, {figures.training_macs:,} "
            "multiply-adds more"
        )
    return lines


def table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows in columns; the second column gives way to the terminal's width."""
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    room = shutil.get_terminal_size((110, 24)).columns - sum(widths) + widths[1] - 2 * (len(widths) - 1)
    widths[1] = max(min(widths[1], room), min(NARROWEST, widths[1]))
    return ["  ".join(aligned(row, widths)).rstrip().ljust(sum(widths) + 2 * (len(widths) - 1)) for row in rows]


def aligned(row: Sequence[str], widths: Sequence[int]) -> list[str]:
    """A row's cells, each of its column's width."""
    return [
        cell.rjust(width) if at in RIGHT else clipped(cell, width).ljust(width)
        for at, (cell, width) in enumerate(zip(row, widths, strict=True))
    ]


def clipped(text: str, width: int) -> str:
    """A text cut to a width."""
    return text if len(text) <= width else text[: width - 1] + "…"
