"""The figures of a network: exact integers, from the totals that the graph carries."""

from __future__ import annotations

from typing import Any, NamedTuple

from archdsl.graph import Graph, Map, Section, Totals
from archdsl.op import Shape


class SectionFigures(NamedTuple):
    """A section's part in the figures."""

    section: Section
    totals: Totals


class Figures(NamedTuple):
    """What a network costs.

    Parameters, buffers and layer counts are of everything that it holds, training-only parts included; multiply-adds
    (of convolutions and linear layers, counted once) and activations (outputs of convolutions, in elements) are of
    inference on one input. `training_params` and `training_macs` are what the training-only parts hold, and what
    they add in training.
    """

    name: str
    doc: str
    input: Shape
    totals: Totals
    training_params: int
    training_macs: int
    rows: tuple[SectionFigures, ...]
    maps: tuple[Map, ...]

    @property
    def stages(self) -> list[Section]:
        """The stages in order."""
        return [row.section for row in self.rows if row.section.kind == "stage"]

    def as_json(self) -> dict[str, Any]:
        """The figures as plain data; stable keys, exact integers."""
        totals = self.totals
        return {
            "name": self.name,
            "input": list(self.input),
            "params": totals.params,
            "buffers": totals.buffers,
            "macs": totals.macs,
            "activations": totals.activations,
            "n_conv": totals.n_conv,
            "n_norm": totals.n_norm,
            "n_linear": totals.n_linear,
            "training_only": {"params": self.training_params, "macs": self.training_macs},
            "stages": [named_map(stage) for stage in self.stages],
            "maps": [named_map(each) for each in self.maps],
        }


def named_map(each: Section | Map) -> dict[str, Any]:
    """A feature map as plain data."""
    return {"name": each.name, "shape": list(each.shape), "reduction": each.reduction}


def cost(graph: Graph) -> Figures:
    """The figures of a graph."""
    rows = tuple(SectionFigures(section, graph.scope_of(section).totals) for section in graph.sections)
    training = [row.totals for row in rows if row.section.training_only]
    return Figures(
        name=graph.name,
        doc=graph.doc,
        input=graph.input,
        totals=graph.root.totals,
        training_params=sum(totals.params for totals in training),
        training_macs=sum(totals.macs for totals in training),
        rows=rows,
        maps=graph.maps,
    )
