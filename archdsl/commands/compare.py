"""Sets networks side by side: parameters, multiply-adds, memory access, peak memory, estimated time.

Differences and ratios are to the first. `--figures` chooses others (`--figures help` lists them); `--plot out.svg`
or `.png` draws them, with the ones that are not outdone where there are many. Needs no torch; a plot needs
matplotlib.
"""

from __future__ import annotations

import argparse
import csv
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

from archdsl.analyses.comparison import WHOLE, Comparison, compare, title
from archdsl.analyses.figures import FIGURES, Load
from archdsl.commands._device_options import add_machine, chosen_batch, chosen_setting
from archdsl.commands._json import json_text
from archdsl.commands._options import add_spec, chosen_input, chosen_params
from archdsl.commands._output import check_output
from archdsl.commands._table import markdown, table
from archdsl.commands._units import rate, seconds, size
from archdsl.diagnostics import catalog
from archdsl.diagnostics.characters import on_one_line
from archdsl.driver import compile, load
from archdsl.driver.memory import memory

DEVICE = "v100"
FORMATS = ("text", "json", "csv", "markdown")


def arguments(parser: argparse.ArgumentParser) -> None:
    """SPEC..., `-p`, `--input`, what to compare, and how to show it."""
    add_spec(parser, several=True, needed=False)
    parser.add_argument("--figures", metavar="NAMES", default="", help="which, as `macs,time`; `help` lists them")
    parser.add_argument("--plot", metavar="OUT", help="x.svg or x.png: a picture")
    parser.add_argument("--format", choices=FORMATS, default="text", help="for people, or for programs")
    add_machine(parser)
    parser.set_defaults(device=DEVICE)


def run(options: argparse.Namespace) -> int:
    """Prints the comparison, and draws it."""
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
    """What is asked for."""
    setting = chosen_setting(options)
    wanted = options.figures.replace(" ", "").split(",")
    params, size = chosen_params(options), chosen_input(options)
    graphs = [compile(load(spec), params=params, input=size) for spec in options.spec]
    return compare(graphs, wanted, Load(chosen_batch(options), options.precision), setting, memory)


def checked_plot(text: str | None) -> Path | None:
    """Where to draw, if at all."""
    if text is None:
        return None
    path = Path(text)
    if path.suffix not in (".svg", ".png"):
        raise catalog.USAGE.error(None, f"`--plot {text[:80]}`", help="a name that ends in .svg or .png")
    check_output(path)
    return path


# ---- formats -------------------------------------------------------------------------------------------------------


def as_text(found: Comparison) -> str:
    """A table for people: two networks in columns, more in rows."""
    rows = in_columns(found) if len(found.networks) == 2 else in_rows(found)
    lines = table(rows, range(1, len(rows[0])), None)
    return "\n".join([lines[0], "─" * len(lines[0]), *lines[1:], "", told(found)])


def as_markdown(found: Comparison) -> str:
    """A table in Markdown."""
    rows = in_columns(found) if len(found.networks) == 2 else in_rows(found)
    return "\n".join([markdown(rows, range(1, len(rows[0]))), "", told(found)])


def told(found: Comparison) -> str:
    """What the figures are for."""
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
        rows.append([title(name), *cells, signed(name, difference), times(found.ratio(second, name))])
    return rows


def signed(name: str, difference: Any) -> str:
    """A difference for people."""
    if difference is None:
        return ""
    return ("+" if difference > 0 else "-" if difference < 0 else "") + cell(name, abs(difference))


def in_rows(found: Comparison) -> list[list[str]]:
    """Networks in rows, each figure with its ratio to the first's."""
    rows = [["", *(part for name in found.figures for part in (title(name), ""))]]
    for name, network in zip(found.names, found.networks, strict=True):
        parts = ((cell(each, network.figures[each]), times(found.ratio(network, each))) for each in found.figures)
        rows.append([name, *(part for pair in parts for part in pair)])
    return rows


def cell(name: str, value: Any) -> str:
    """A figure for people."""
    if value is None:
        return WHOLE
    if name == "time":
        return seconds(value)
    if name == "efficiency":
        return rate(value)
    if name in FIGURES and FIGURES[name].unit == "bytes":
        return size(value)
    return f"{value:,}" if isinstance(value, int) else f"{value:,.1f}"


def times(ratio: float | None) -> str:
    """A ratio for people."""
    return "" if ratio is None else f"x{ratio:.2f}"


def as_csv(found: Comparison) -> str:
    """Comma-separated values, exact."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    heads = [head for name in found.figures for head in (name, f"{name}_difference", f"{name}_ratio")]
    writer.writerow(["name", *heads])
    for network in found.networks:
        cells = ((network.figures[n], found.difference(network, n), found.ratio(network, n)) for n in found.figures)
        writer.writerow([network.name, *("" if part is None else part for cell in cells for part in cell)])
    return text.getvalue().rstrip("\n")


WRITERS: dict[str, Callable[[Comparison], str]] = {
    "text": as_text,
    "json": lambda found: json_text(found.as_json()),
    "csv": as_csv,
    "markdown": as_markdown,
}
