"""Tables for people: the summary of a network, a row for each section, and any rows in columns."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Sequence

from archdsl.analyses.cost import Figures, SectionFigures
from archdsl.diagnostics.characters import on_one_line

HEADINGS = ("", "made of", "output", "parameters", "", "multiply-adds", "")
RIGHT = frozenset({3, 4, 5, 6})
NARROWEST = 24


def summary(figures: Figures) -> str:
    """A network's figures for people."""
    rows = [HEADINGS, *(cells(figures, row) for row in figures.rows), total(figures)]
    return "\n".join([head(figures), "", *ruled(table(rows, RIGHT)), *notes(figures)])


def head(figures: Figures) -> str:
    """A network's name, and the first line of what it says of itself."""
    doc = figures.doc.partition("\n")[0]
    return f"{figures.name}  {doc}".rstrip()


def ruled(lines: Sequence[str]) -> list[str]:
    """A table with a rule below its headings and above its total."""
    rule = "─" * len(lines[0])
    return [lines[0], rule, *lines[1:-1], rule, lines[-1]]


def cells(figures: Figures, row: SectionFigures) -> tuple[str, ...]:
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
    last = next((row.section for row in reversed(figures.rows) if row.section.kind != "output"), None)
    shape = "x".join(map(str, last.shape)) if last else shape
    return ("total", "", shape, f"{totals.params:,}", "", f"{totals.macs:,}", "")


def share(part: int, whole: int) -> str:
    """A part of a whole in per cent, rounded for display."""
    return f"{100 * part / whole:.1f} %" if whole else ""


def counted(count: int, what: str) -> str:
    """So many of something."""
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def notes(figures: Figures) -> list[str]:
    """What stands below the table."""
    totals = figures.totals
    layers = (
        counted(totals.n_conv, "convolution"),
        counted(totals.n_norm, "norm"),
        counted(totals.n_linear, "linear layer"),
    )
    lines = [
        "",
        f"input {'x'.join(map(str, figures.input))}; {', '.join(layers)}; "
        f"{totals.activations:,} activations, {totals.buffers:,} buffers",
    ]
    if figures.training_params:
        lines.append(
            f"training only: {figures.training_params:,} of the parameters, {figures.training_macs:,} "
            "multiply-adds more"
        )
    return lines


def markdown(rows: Sequence[Sequence[str]], right: Collection[int]) -> str:
    """Rows as a table in Markdown, headings first, the columns of `right` aligned there."""
    rule = ["--:" if at in right else ":--" for at in range(len(rows[0]))]
    lines = ([on_one_line(cell).replace("|", "\\|") for cell in row] for row in (rows[0], rule, *rows[1:]))
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def table(rows: Sequence[Sequence[str]], right: Collection[int] = RIGHT, flexible: int | None = 1) -> list[str]:
    """Rows in columns, those of `right` aligned there; the column `flexible` gives way to the terminal's width."""
    rows = [[on_one_line(cell) for cell in row] for row in rows]
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    gaps = 2 * (len(widths) - 1)
    if flexible is not None:
        room = shutil.get_terminal_size((110, 24)).columns - sum(widths) + widths[flexible] - gaps
        widths[flexible] = max(min(widths[flexible], room), min(NARROWEST, widths[flexible]))
    return ["  ".join(aligned(row, widths, right)).rstrip().ljust(sum(widths) + gaps) for row in rows]


def aligned(row: Sequence[str], widths: Sequence[int], right: Collection[int]) -> list[str]:
    """A row's cells, each of its column's width."""
    return [
        cell.rjust(width) if at in right else clipped(cell, width).ljust(width)
        for at, (cell, width) in enumerate(zip(row, widths, strict=True))
    ]


def clipped(text: str, width: int) -> str:
    """A text cut to a width."""
    return text if len(text) <= width else text[: width - 1] + "…"
