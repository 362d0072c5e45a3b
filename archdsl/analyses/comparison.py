"""Comparison of networks: figures, differences and ratios to the first, and the Pareto front."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import inf
from typing import Any, NamedTuple

from archdsl.analyses.cost import Load
from archdsl.analyses.figures import FIGURES, Measured, MemoryOf, chosen
from archdsl.graph import Graph

USUAL = ("params", "macs", "memory_access", "peak_memory")


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

    @property
    def device(self) -> str:
        """Device of estimated times, for people."""
        device = self.load.device
        return (device.label or device.name) if device else ""

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


def compare(graphs: Iterable[Graph], figures: Sequence[str], load: Load, memory: MemoryOf) -> Comparison:
    """Compare networks; raises ArchError for an unknown figure."""
    timed = load.device is not None
    names = chosen(figures, (*USUAL, "time") if timed else USUAL, timed=timed)
    return Comparison(tuple(compared(Measured(graph, memory), names, load) for graph in graphs), names, load)


def compared(asked: Measured, names: Sequence[str], load: Load) -> ComparedNetwork:
    """Figures of a network; None for an infinite receptive field."""
    values = {name: FIGURES[name].find(asked, asked.network, load) for name in names}
    found = {name: None if value == inf else value for name, value in values.items()}
    return ComparedNetwork(asked.graph.name, asked.graph.input, found)


def front(points: Sequence[tuple[float, float]]) -> list[int]:
    """Pareto front: indices of the points that no other point equals or undercuts in both coordinates, sorted."""
    # By the first coordinate, so a point is on the front if it lowers the minimum of the second.
    order = sorted(range(len(points)), key=lambda at: points[at])
    best, kept = inf, list[int]()
    for at in order:
        if points[at][1] < best:
            best = points[at][1]
            kept.append(at)
    return kept
