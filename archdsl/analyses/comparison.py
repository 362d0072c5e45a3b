"""Comparison of networks: figures, differences and ratios to the first, and the Pareto front."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import inf
from typing import Any, NamedTuple

from archdsl.analyses.figures import FIGURES, Load, Measured, MemoryOf
from archdsl.analyses.roofline import RooflineSetting, efficiency, estimate
from archdsl.diagnostics import catalog, did_you_mean
from archdsl.graph import Graph

USUAL = ("params", "macs", "memory_access", "peak_memory")
OF_DEVICE = ("time", "efficiency")
TITLES = {
    "params": "parameters",
    "macs": "multiply-adds",
    "memory_access": "memory access",
    "peak_memory": "peak memory",
    "planned_memory": "planned memory",
    "saved_memory": "saved for backward",
    "weight_memory": "weights",
    "efficiency": "MAC/s",
}
# Text for an infinite receptive field.
WHOLE = "whole"


class ComparedNetwork(NamedTuple):
    """Figures of a network by name; None for a figure that it lacks."""

    name: str
    input: tuple[int, ...]
    figures: dict[str, Any]


class Comparison(NamedTuple):
    """Networks side by side, for the same load."""

    networks: tuple[ComparedNetwork, ...]
    figures: tuple[str, ...]
    load: Load
    device: str = ""

    @property
    def names(self) -> list[str]:
        """Names of the networks, with their inputs if those differ."""
        same = len({each.input for each in self.networks}) == 1
        return [each.name if same else f"{each.name} {'x'.join(map(str, each.input))}" for each in self.networks]

    def difference(self, network: ComparedNetwork, figure: str) -> Any:
        """Difference to the first network; None if one of them lacks the figure."""
        base, own = self.networks[0].figures[figure], network.figures[figure]
        return None if base is None or own is None else own - base

    def ratio(self, network: ComparedNetwork, figure: str) -> float | None:
        """Ratio to the first network; None if undefined."""
        base, own = self.networks[0].figures[figure], network.figures[figure]
        return own / base if base and own is not None else None

    def as_json(self) -> dict[str, Any]:
        """Comparison as plain data."""
        return {
            "batch": self.load.batch,
            "precision": self.load.precision,
            "device": self.device,
            "networks": [
                {
                    "name": network.name,
                    "input": list(network.input),
                    "figures": network.figures,
                    "difference": {name: self.difference(network, name) for name in self.figures},
                    "ratio": {name: self.ratio(network, name) for name in self.figures},
                }
                for network in self.networks
            ],
        }


def compare(
    graphs: Iterable[Graph], figures: Sequence[str], load: Load, setting: RooflineSetting | None, memory: MemoryOf
) -> Comparison:
    """Compare networks; raises ArchError for an unknown figure."""
    names = chosen_figures(figures, setting)
    networks = tuple(
        ComparedNetwork(graph.name, graph.input, figures_of(Measured(graph, memory), names, load, setting))
        for graph in graphs
    )
    device = (setting.device.label or setting.device.name) if setting else ""
    return Comparison(networks, names, load, device)


def chosen_figures(figures: Sequence[str], setting: RooflineSetting | None) -> tuple[str, ...]:
    """Chosen figures, or the default ones."""
    wanted = tuple(name for name in figures if name)
    known = [*FIGURES, *OF_DEVICE]
    for name in wanted:
        if name not in known:
            help = did_you_mean(name, known) or ", ".join(known)
            raise catalog.USAGE.error(None, f"no figure is called `{name[:40]}`", help=help)
        if name in OF_DEVICE and setting is None:
            raise catalog.USAGE.error(None, f"`{name}` is of a device", help="name one: `--device v100`")
    if wanted:
        return tuple(dict.fromkeys(wanted))
    return (*USUAL, "time") if setting else USUAL


def figures_of(asked: Measured, names: Sequence[str], load: Load, setting: RooflineSetting | None) -> dict[str, Any]:
    """Figures of a network; None for an infinite receptive field."""
    graph = asked.graph
    values = {name: FIGURES[name].find(asked, None, load) for name in names if name in FIGURES}
    if setting is not None and set(names) & {*OF_DEVICE}:
        seconds = estimate(graph, setting)[graph.root].seconds
        values["time"] = seconds
        values["efficiency"] = efficiency(graph.root.totals.macs, seconds, setting.batch)
    return {name: None if values[name] == inf else values[name] for name in names}


def title(figure: str) -> str:
    """Heading of a figure."""
    return TITLES.get(figure, figure.replace("_", " "))


def front(points: Sequence[tuple[float, float]]) -> list[int]:
    """Pareto front: indices of the points that no other point equals or undercuts in both coordinates, sorted."""
    # By the first coordinate, so a point is on the front if it lowers the minimum of the second.
    order = sorted(range(len(points)), key=lambda at: points[at])
    best, kept = float("inf"), list[int]()
    for at in order:
        if points[at][1] < best:
            best = points[at][1]
            kept.append(at)
    return kept
