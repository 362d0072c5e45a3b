"""Show the figures of networks, by stage, block or op.

Parameters, multiply-adds, memory access, traffic, receptive fields. `--depth block` or `op` goes down to the blocks or
ops, `--figures` chooses figures (`archdsl help figures` lists them), `--sort macs` sorts by one. `--device v100`
estimates the time there. Needs no torch.
"""

from __future__ import annotations

import argparse
from typing import Any

from archdsl.analyses.cost import Times, efficiency
from archdsl.analyses.figures import COLUMNS, Figures, Measured, Part, chosen, shown_pair, shown_shape
from archdsl.analyses.flatten import DEPTHS, Depth
from archdsl.commands._formats import json_text
from archdsl.commands._options import (
    add_device,
    add_features,
    add_figures,
    add_format,
    add_spec,
    chosen_graphs,
    chosen_load,
    words_in,
)
from archdsl.commands._tables import Cell, Table, csv_text, head, notes, rate, seconds, summary
from archdsl.driver import memory

GROUP = "inspect"
EXAMPLES = ("archdsl show resnet50", "archdsl show net.yaml --depth block --figures params,macs,time --device v100")
USUAL = ("part", "kind", "output", "params", "macs", "memory_access", "bytes", "field")


def arguments(parser: argparse.ArgumentParser) -> None:
    """SPEC..., `-p`, `--input`, the figures and their form."""
    add_spec(parser, several=True)
    parser.add_argument("--depth", choices=DEPTHS, help="a line for each section, block or op (default: stage)")
    add_figures(parser)
    add_features(parser)
    parser.add_argument("--sort", metavar="FIGURE", help="the largest of it first")
    parser.add_argument("--count-all", action="store_true", help="also count norms, activations, pools, sums")
    add_format(parser, "csv", "markdown")
    add_device(parser)


def run(options: argparse.Namespace) -> int:
    """Print the figures of each spec."""
    view = View(options)
    networks = [Measured(graph, memory) for graph in chosen_graphs(options)]
    if options.format == "json":
        print(json_text([view.data(each) for each in networks]))
    else:
        gap = "\n" if options.format == "csv" else "\n\n"
        print(gap.join(view.text(each, options.format) for each in networks))
    return 0


class View:
    """Chosen depth, figures and device."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.load = chosen_load(options)
        self.depth: Depth = options.depth or "stage"
        self.count_all: bool = options.count_all
        timed = self.load.device is not None
        usual = [*USUAL, *(["operations"] if self.count_all else []), *(("time", "bound") if timed else ())]
        names = chosen(words_in(options.figures), usual, timed=timed, known=COLUMNS)
        self.names = names if "part" in names else ("part", *names)
        self.sort: str | None = options.sort
        if self.sort is not None:
            chosen([self.sort], (), timed=timed, known=COLUMNS)
        # Without options, people get the short summary.
        self.plain = not (options.depth or options.figures or options.sort)

    def value(self, asked: Measured, part: Part, name: str) -> Any:
        """Figure of a part."""
        return COLUMNS[name].find(asked, part, self.load)

    def rows(self, asked: Measured) -> list[list[Any]]:
        """Values of each part, in the chosen order."""
        parts = asked.parts(self.depth)
        if self.sort:
            known = [(self.value(asked, part, self.sort), part) for part in parts]
            filled = [each for each in known if each[0] is not None]
            # Names read best from A to Z, figures from the largest down; parts without a value come last.
            filled.sort(key=lambda each: each[0], reverse=COLUMNS[self.sort].unit != "text")
            parts = [part for _, part in [*filled, *(each for each in known if each[0] is None)]]
        return [[self.value(asked, part, name) for name in self.names] for part in parts]

    def table(self, asked: Measured) -> Table:
        """Breakdown as a table, with the network's own figures as its total."""
        columns = [COLUMNS[name] for name in self.names]
        values = [*self.rows(asked), [self.value(asked, asked.network, name) for name in self.names]]
        rows = [[Cell(value, column.unit) for value, column in zip(row, columns, strict=True)] for row in values]
        total = [
            Cell("total", "text") if name == "part" else cell for name, cell in zip(self.names, rows[-1], strict=True)
        ]
        left = [at for at, column in enumerate(columns) if column.unit == "text"]
        long = self.names.index("kind") if "kind" in self.names else None
        return Table([column.title for column in columns], rows[:-1], total, left, long)

    def text(self, asked: Measured, form: str) -> str:
        """Figures of a network in a format."""
        if form == "csv":
            return csv_text([self.names, *self.rows(asked)])
        if form == "markdown":
            return f"**{asked.graph.name}**\n\n{self.table(asked).markdown('part')}"
        figures = Figures(asked, self.load)
        if self.plain:
            return "\n".join([summary(figures), *self.more(figures)])
        return "\n".join([head(figures), "", self.table(asked).text(), "", *notes(figures), *self.more(figures)])

    def more(self, figures: Figures) -> list[str]:
        """Lines below a table: memory access, traffic, receptive field, and the estimate."""
        batch = f", batch {self.load.batch}" if self.load.batch > 1 else ""
        field = figures.asked.field(figures.part)
        told = [
            f"memory access {figures.memory_access:,} elements; "
            f"receptive field {shown_pair(field.size) if field else 'whole'}",
            f"all ops move {figures.bytes:,} bytes ({self.load.precision}{batch}), {figures.intensity:.1f} FLOP a byte",
        ]
        if figures.features:
            maps = (f"{each.path} {shown_shape(each.shape)} (1/{each.reduction})" for each in figures.features)
            told.append(f"features: {', '.join(maps)}")
        if self.count_all:
            told.append(f"{figures.operations:,} operations of all kinds, a multiply-add counted once")
        if (times := figures.asked.times(figures.part, self.load)) and times.seconds:
            told += self.told_estimate(figures, times)
        return told

    def told_estimate(self, figures: Figures, times: Times) -> list[str]:
        """Estimate in sentences."""
        device = self.load.device
        assert device is not None
        bounds = ", ".join(f"{name} {100 * value / times.seconds:.0f} %" for name, value in times.shares.items())
        return [
            f"on {device.label or device.name}: at least {seconds(times.seconds)}, in {times.kernels} kernels,",
            f"  bound by {bounds}; {rate(figures.efficiency)}MAC/s",
        ]

    def data(self, asked: Measured) -> dict[str, Any]:
        """Figures of a network as plain data; stable keys, exact integers."""
        figures = Figures(asked, self.load)
        counted = asked.counts[asked.graph.root]
        data = figures.as_json() | {
            "memory_access": figures.memory_access,
            "operations": figures.operations,
            "traffic": {
                "precision": self.load.precision,
                "batch": self.load.batch,
                "read": counted.read,
                "weights": counted.weights,
                "written": counted.written,
                "bytes": figures.bytes,
            },
            "intensity": figures.intensity,
            "receptive_field": field_data(figures),
            "depth": self.depth,
            "lines": [dict(zip(self.names, row, strict=True)) for row in self.rows(asked)],
        }
        if figures.features:
            data["features"] = [each._asdict() for each in figures.features]
        return data | self.estimate_data(figures)

    def estimate_data(self, figures: Figures) -> dict[str, Any]:
        """Estimate as plain data; nothing without a device."""
        times, device = figures.asked.times(figures.part, self.load), self.load.device
        if times is None or device is None:
            return {}
        reached = efficiency(figures.macs, times.seconds, self.load.batch)
        origin = {"device": device.name, "source": device.source}
        return {"estimate": {**origin, **times._asdict(), "bound": times.bound, "efficiency": reached}}


def field_data(figures: Figures) -> dict[str, Any] | None:
    """Receptive field for programs: (height, width) of each; fractions, from upsampling, as floats."""
    field = figures.asked.field(figures.part)
    if field is None:
        return None
    parts = {"size": field.size, "stride": field.stride, "offset": field.offset}
    data = {name: [int(side) if side == int(side) else float(side) for side in pair] for name, pair in parts.items()}
    return data | {"gated": field.gated}
