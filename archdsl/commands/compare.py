"""Sets networks side by side: parameters, multiply-adds, memory access, peak memory, estimated time.

Differences and ratios are to the first. `--figures` chooses others (`--figures help` lists them); `--plot out.svg` or
`.png` draws them, with the Pareto front of four or more networks. Needs no torch; a plot needs matplotlib.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from archdsl.analyses.comparison import WHOLE, Comparison, compare, title
from archdsl.analyses.figures import FIGURES, Load
from archdsl.commands._formats import json_text
from archdsl.commands._options import add_device, add_format, add_spec, chosen_batch, chosen_graphs, chosen_setting
from archdsl.commands._output import check_output
from archdsl.commands._tables import csv_text, markdown, rate, ruled, seconds, size, table
from archdsl.diagnostics import catalog
from archdsl.diagnostics.characters import on_one_line
from archdsl.driver.memory import memory

DEVICE = "v100"


def arguments(parser: argparse.ArgumentParser) -> None:
    """SPEC..., `-p`, `--input`, the figures, the format, the device."""
    add_spec(parser, several=True, needed=False)
    parser.add_argument("--figures", metavar="NAMES", default="", help="which, as `macs,time`; `help` lists them")
    parser.add_argument("--plot", metavar="OUT", help="x.svg or x.png: a picture")
    add_format(parser, "csv", "markdown")
    add_device(parser, DEVICE)


def run(options: argparse.Namespace) -> int:
    """Print the comparison, and draw it."""
    if options.figures == "help":
        print("\n".join(f"{name:<15} {figure.meaning}" for name, figure in FIGURES.items()))
        print("time            the least time of a batch on the device\nefficiency      multiply-adds a second there")
        return 0
    if not options.spec:
        raise catalog.USAGE.error(None, "nothing to compare", help="`archdsl compare SPEC SPEC ...`")
    plot = checked_plot(options.plot)
    found = comparison(options)
    print(WRITERS[options.format](found))
    if plot is not None:
        from archdsl.commands._plot import draw

        draw(found, plot)
        print(f"wrote {on_one_line(str(plot))}")
    return 0


def comparison(options: argparse.Namespace) -> Comparison:
    """Comparison of the chosen specs."""
    setting = chosen_setting(options)
    wanted = options.figures.replace(" ", "").split(",")
    return compare(chosen_graphs(options), wanted, Load(chosen_batch(options), options.precision), setting, memory)


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


def as_text(found: Comparison) -> str:
    """Table for people."""
    rows = cells(found)
    return "\n".join([*ruled(table(rows, range(1, len(rows[0]))), total=False), "", caption(found)])


def as_markdown(found: Comparison) -> str:
    """Table in Markdown."""
    rows = cells(found)
    return "\n".join([markdown(rows, range(1, len(rows[0]))), "", caption(found)])


def cells(found: Comparison) -> list[list[str]]:
    """Cells of the table: two networks in columns, more in rows."""
    return in_columns(found) if len(found.networks) == 2 else in_rows(found)


def caption(found: Comparison) -> str:
    """Batch, precision and device of the figures."""
    ratio = "; x: times the first" if len(found.networks) > 2 else ""
    device = f"; time: at least, on {found.device}" if "time" in found.figures else ""
    return f"batch {found.load.batch}, {found.load.precision}{device}{ratio}"


def in_columns(found: Comparison) -> list[list[str]]:
    """Two networks: a row for each figure, with difference and ratio."""
    second = found.networks[1]
    rows = [["", *found.names, "difference", "ratio"]]
    for name in found.figures:
        difference = found.difference(second, name)
        cells = [cell(name, network.figures[name]) for network in found.networks]
        rows.append([title(name), *cells, signed(name, difference), ratio_text(found.ratio(second, name))])
    return rows


def signed(name: str, difference: Any) -> str:
    """Difference for people."""
    if difference is None:
        return ""
    return ("+" if difference > 0 else "-" if difference < 0 else "") + cell(name, abs(difference))


def in_rows(found: Comparison) -> list[list[str]]:
    """Networks in rows, each figure with its ratio to the first's."""
    rows = [["", *(part for name in found.figures for part in (title(name), ""))]]
    for name, network in zip(found.names, found.networks, strict=True):
        parts = ((cell(each, network.figures[each]), ratio_text(found.ratio(network, each))) for each in found.figures)
        rows.append([name, *(part for pair in parts for part in pair)])
    return rows


def cell(name: str, value: Any) -> str:
    """Figure for people."""
    if value is None:
        return WHOLE
    if name == "time":
        return seconds(value)
    if name == "efficiency":
        return rate(value)
    if name in FIGURES and FIGURES[name].unit == "bytes":
        return size(value)
    return f"{value:,}" if isinstance(value, int) else f"{value:,.1f}"


def ratio_text(ratio: float | None) -> str:
    """Ratio for people."""
    return "" if ratio is None else f"x{ratio:.2f}"


def as_csv(found: Comparison) -> str:
    """Exact comma-separated values."""
    heads = [head for name in found.figures for head in (name, f"{name}_difference", f"{name}_ratio")]
    rows: list[list[Any]] = [["name", *heads]]
    for network in found.networks:
        triples = ((network.figures[n], found.difference(network, n), found.ratio(network, n)) for n in found.figures)
        rows.append([network.name, *(part for triple in triples for part in triple)])
    return csv_text(rows)


WRITERS: dict[str, Callable[[Comparison], str]] = {
    "text": as_text,
    "json": lambda found: json_text(found.as_json()),
    "csv": as_csv,
    "markdown": as_markdown,
}
