"""Set networks side by side, in figures or as a picture.

Parameters, multiply-adds, memory access, peak memory, and estimated time; differences and ratios are to the first.
`--figures` chooses others (`archdsl help figures` lists them); `--plot out.svg` or `.png` draws them, with the Pareto
front of four or more networks. Needs no torch; a plot needs matplotlib.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from archdsl.analyses.comparison import Comparison, compare
from archdsl.analyses.figures import FIGURES
from archdsl.commands._formats import json_text
from archdsl.commands._options import (
    add_device,
    add_figures,
    add_format,
    add_spec,
    chosen_graphs,
    chosen_load,
    words_in,
)
from archdsl.commands._output import check_output
from archdsl.commands._tables import WHOLE, Cell, Table, csv_text
from archdsl.diagnostics import catalog
from archdsl.diagnostics.characters import on_one_line
from archdsl.driver import memory

GROUP = "inspect"
EXAMPLES = (
    "archdsl compare resnet50 vovnet39",
    "archdsl compare specs/vovnet*.yaml --figures params,time --plot out.svg",
)
DEVICE = "v100"


def arguments(parser: argparse.ArgumentParser) -> None:
    """SPEC..., `-p`, `--input`, the figures, the format, the device."""
    add_spec(parser, several=True)
    add_figures(parser)
    parser.add_argument("--plot", metavar="OUT", help="x.svg or x.png: a picture")
    add_format(parser, "csv", "markdown")
    add_device(parser, DEVICE)


def run(options: argparse.Namespace) -> int:
    """Print the comparison, and draw it."""
    plot = checked_plot(options.plot)
    found = compare(chosen_graphs(options), words_in(options.figures), chosen_load(options), memory)
    print(as_text(found, options.format))
    if plot is not None:
        from archdsl.commands._plot import draw

        draw(found, plot)
        print(f"wrote {on_one_line(str(plot))}")
    return 0


def checked_plot(text: str | None) -> Path | None:
    """Path of the picture, if one is asked for."""
    if text is None:
        return None
    path = Path(text)
    if path.suffix not in (".svg", ".png"):
        raise catalog.USAGE.error(None, f"`--plot {text[:80]}`", help="a name that ends in .svg or .png")
    check_output(path)
    return path


# ---- formats -------------------------------------------------------------------------------------------------------


def as_text(found: Comparison, form: str) -> str:
    """Comparison in a format."""
    if form == "json":
        return json_text(found.as_json())
    if form == "csv":
        return as_csv(found)
    # Two networks in columns, more in rows.
    table = in_columns(found) if len(found.networks) == 2 else in_rows(found)
    return "\n".join([table.markdown() if form == "markdown" else table.text(), "", caption(found)])


def caption(found: Comparison) -> str:
    """Batch, precision and device of the figures."""
    ratio = "; x: times the first" if len(found.networks) > 2 else ""
    device = f"; time: at least, on {found.device}" if "time" in found.figures else ""
    return f"batch {found.load.batch}, {found.load.precision}{device}{ratio}"


def in_columns(found: Comparison) -> Table:
    """Two networks: a row for each figure, with difference and ratio."""
    second = found.networks[1]
    rows: list[list[str | Cell]] = []
    for name in found.figures:
        cells = [cell(name, network.figures[name]) for network in found.networks]
        difference = Cell(found.difference(second, name), FIGURES[name].unit, signed=True)
        rows.append([FIGURES[name].title, *cells, difference, ratio_text(found.ratio(second, name)).strip()])
    return Table(["", *found.names, "difference", "ratio"], rows)


def in_rows(found: Comparison) -> Table:
    """Networks in rows, each figure with its ratio to the first's."""
    rows = [
        [label, *(cell(name, each.figures[name], ratio_text(found.ratio(each, name))) for name in found.figures)]
        for label, each in zip(found.names, found.networks, strict=True)
    ]
    return Table(["", *(FIGURES[name].title for name in found.figures)], rows)


def cell(name: str, value: Any, behind: str = "") -> Cell:
    """Figure for people; a figure that a network lacks is an infinite receptive field."""
    return Cell(WHOLE, "text") if value is None else Cell(value, FIGURES[name].unit, behind=behind)


def ratio_text(ratio: float | None) -> str:
    """Ratio for people."""
    return "" if ratio is None else f" x{ratio:.2f}"


def as_csv(found: Comparison) -> str:
    """Exact comma-separated values."""
    heads = [head for name in found.figures for head in (name, f"{name}_difference", f"{name}_ratio")]
    rows: list[list[Any]] = [["name", *heads]]
    for network in found.networks:
        triples = ((network.figures[n], found.difference(network, n), found.ratio(network, n)) for n in found.figures)
        rows.append([network.name, *(part for triple in triples for part in triple)])
    return csv_text(rows)
