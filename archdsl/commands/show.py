"""Shows the figures of specs: sections, maps, parameters, multiply-adds, memory access, receptive field.

`--depth block` or `op` goes down to the blocks or ops, `--columns` chooses figures (`--columns help` lists them),
`--sort macs` sorts by one. `--device v100` estimates the time there; docs/costs.md defines each figure. Needs no torch.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

from archdsl.analyses.breakdown import COLUMNS, BreakdownLine, chosen_columns, lines, shown_pair, sorted_lines
from archdsl.analyses.cost import cost
from archdsl.analyses.flatten import DEPTHS, Depth
from archdsl.analyses.memory_access import counts
from archdsl.analyses.receptive_field import Field, fields, largest
from archdsl.analyses.roofline import RooflineSetting, efficiency, estimate
from archdsl.commands._formats import json_text
from archdsl.commands._options import (
    add_device,
    add_features,
    add_format,
    add_spec,
    chosen_batch,
    chosen_graphs,
    chosen_setting,
)
from archdsl.commands._tables import (
    as_csv,
    as_data,
    as_markdown,
    as_text,
    dimensions,
    head,
    notes,
    rate,
    seconds,
    summary,
)
from archdsl.diagnostics import catalog
from archdsl.graph import Graph


def arguments(parser: argparse.ArgumentParser) -> None:
    """SPEC..., `-p`, `--input`, the figures and their form."""
    add_spec(parser, several=True, needed=False)
    add_features(parser)
    parser.add_argument("--depth", choices=DEPTHS, help="a line for each section, block or op (default: stage)")
    parser.add_argument("--columns", metavar="NAMES", help="which figures, as `macs,bytes,field`; `help` lists them")
    parser.add_argument("--sort", metavar="COLUMN", help="the largest of it first")
    parser.add_argument("--count-all", action="store_true", help="also count norms, activations, pools, sums")
    add_format(parser, "csv", "markdown")
    add_device(parser)


def run(options: argparse.Namespace) -> int:
    """Print the figures of each spec."""
    if options.columns == "help":
        print("\n".join(f"{name:<14} {column.meaning}" for name, column in COLUMNS.items()))
        return 0
    if not options.spec:
        raise catalog.USAGE.error(None, "no spec to show", help="`archdsl show SPEC`; `archdsl list` has some")
    view = View(options)
    graphs = chosen_graphs(options)
    if options.format == "json":
        print(json_text([view.data(graph) for graph in graphs]))
    else:
        gap = "\n" if options.format == "csv" else "\n\n"
        print(gap.join(view.text(graph, options.format) for graph in graphs))
    return 0


class View:
    """Chosen depth, columns and device."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.setting = chosen_setting(options)
        self.precision: str = options.precision
        self.batch = chosen_batch(options)
        self.depth: Depth = options.depth or "stage"
        self.count_all: bool = options.count_all
        asked = (options.columns or "").replace(" ", "").split(",")
        self.names = chosen_columns(asked, device=self.setting is not None, count_all=self.count_all)
        self.sort: str | None = options.sort
        if self.sort is not None:
            chosen_columns([self.sort], device=self.setting is not None, count_all=True)
        # Without options, people get the short summary.
        self.plain = not (options.depth or options.columns or options.sort)

    def lines(self, graph: Graph) -> list[BreakdownLine]:
        """Lines in the chosen order."""
        found = lines(graph, self.depth, setting=self.setting, precision=self.precision, batch=self.batch)
        return sorted_lines(found, self.sort) if self.sort else found

    def total(self, graph: Graph, found: Sequence[BreakdownLine]) -> BreakdownLine:
        """Figures of the network, as a line."""
        times = estimate(graph, self.setting)[graph.root] if self.setting else None
        return found[-1]._replace(totals=graph.root.totals, counts=counts(graph)[graph.root], times=times)

    def text(self, graph: Graph, form: str) -> str:
        """Figures of a network in a format."""
        figures, found = cost(graph), self.lines(graph)
        total = self.total(graph, found)
        if form == "csv":
            return as_csv(found, self.names)
        if form == "markdown":
            return f"**{graph.name}**\n\n{as_markdown(found, total, self.names)}"
        if self.plain:
            return "\n".join([summary(figures), *self.more(graph, total)])
        body = as_text(found, total, self.names)
        return "\n".join([head(figures), "", body, *notes(figures), *self.more(graph, total)])

    def more(self, graph: Graph, total: BreakdownLine) -> list[str]:
        """Lines below a table: memory access, traffic, receptive field, and the estimate."""
        counted, moved = total.counts, total.counts.bytes(self.precision, self.batch)
        kind = self.precision + (f", batch {self.batch}" if self.batch > 1 else "")
        told = [
            f"memory access {counted.memory_access:,} elements; all ops move {moved:,} bytes ({kind}), "
            f"{counted.intensity(self.precision, self.batch):.1f} FLOP a byte; receptive field {field_text(graph)}"
        ]
        if graph.features:
            maps = (f"{each.path} {dimensions(each.shape)} (1/{each.reduction})" for each in graph.features)
            told.append(f"features: {', '.join(maps)}")
        if self.count_all:
            told.append(f"{counted.operations:,} operations of all kinds, a multiply-add counted once")
        if self.setting and total.times and total.times.seconds:
            told.append(self.told_estimate(total, self.setting))
        return told

    def told_estimate(self, total: BreakdownLine, setting: RooflineSetting) -> str:
        """Estimate as a sentence."""
        times = total.times
        assert times is not None
        parts = [
            f"{name} {100 * value / times.seconds:.0f} %"
            for name, value in zip(("compute", "memory", "launch"), times[1:4], strict=True)
        ]
        reached = rate(efficiency(total.totals.macs, times.seconds, setting.batch))
        label = setting.device.label or setting.device.name
        return (
            f"on {label}: at least {seconds(times.seconds)}, in {times.kernels} kernels, "
            f"bound by {', '.join(parts)}; {reached}MAC/s"
        )

    def data(self, graph: Graph) -> dict[str, Any]:
        """Figures of a network as plain data; stable keys, exact integers."""
        found = self.lines(graph)
        total = self.total(graph, found)
        counted = total.counts
        data = cost(graph).as_json() | {
            "memory_access": counted.memory_access,
            "operations": counted.operations,
            "traffic": {
                "precision": self.precision,
                "batch": self.batch,
                "read": counted.read,
                "weights": counted.weights,
                "written": counted.written,
                "bytes": counted.bytes(self.precision, self.batch),
            },
            "intensity": counted.intensity(self.precision, self.batch),
            "receptive_field": field_data(graph),
            "depth": self.depth,
            "lines": as_data(found, self.names),
        }
        if graph.features:
            data["features"] = [each._asdict() for each in graph.features]
        return data | ({"estimate": self.estimate_data(total, self.setting)} if self.setting else {})

    def estimate_data(self, total: BreakdownLine, setting: RooflineSetting) -> dict[str, Any]:
        """Estimate as plain data."""
        times = total.times
        assert times is not None
        return {
            "device": setting.device.name,
            "source": setting.device.source,
            **times._asdict(),
            "bound": times.bound,
            "efficiency": efficiency(total.totals.macs, times.seconds, setting.batch),
        }


def field_of(graph: Graph) -> Field | None:
    """Receptive field of a network: the largest of its sections', as for `expect` and `compare`."""
    return largest(field for _, field in fields(graph))


def field_text(graph: Graph) -> str:
    """Receptive field for people."""
    field = field_of(graph)
    return shown_pair(field.size) if field else "whole"


def field_data(graph: Graph) -> dict[str, Any] | None:
    """Receptive field for programs: (height, width) of each; fractions, from upsampling, as floats."""
    field = field_of(graph)
    if field is None:
        return None
    parts = {"size": field.size, "stride": field.stride, "offset": field.offset}
    data = {name: [int(side) if side == int(side) else float(side) for side in pair] for name, pair in parts.items()}
    return data | {"gated": field.gated}
