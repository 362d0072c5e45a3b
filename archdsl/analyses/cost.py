"""Figures of a network: exact integers, from the totals that the graph carries, and sums over its ops."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

from archdsl.graph import ROWS, Graph, Map, Run, Scope, Section, Step, Totals, distinct
from archdsl.op import Shape


class SectionFigures(NamedTuple):
    """Share of a section in the figures."""

    section: Section
    totals: Totals


class Figures(NamedTuple):
    """Cost of a network.

    Parameters, buffers and layer counts are of the whole network, training-only parts included; multiply-adds (of
    convolutions and linear layers, counted once) and activations (outputs of convolutions, in elements) are of
    inference on one input. `training_params` and `training_macs` are the share of the training-only parts, and the
    multiply-adds that they add in training.
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
        """Stages in order."""
        return [row.section for row in self.rows if row.section.kind == "stage"]

    def as_json(self) -> dict[str, Any]:
        """Figures as plain data; stable keys, exact integers."""
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
    """Feature map as plain data."""
    return {"name": each.name, "shape": list(each.shape), "reduction": each.reduction}


def cost(graph: Graph) -> Figures:
    """Figures of a graph."""
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


# ---- sums over ops -------------------------------------------------------------------------------------------------

Figure = TypeVar("Figure", bound=tuple[Any, ...])


def sums(
    network: Graph | Scope,
    zero: Figure,
    of_op: Callable[[Scope], Figure],
    count: Callable[[Any], Any] = lambda times: times,
) -> dict[Scope, Figure]:
    """Sum of a figure over the ops of each scope; a figure is a named tuple of numbers, `zero` the sum of no ops.

    Every call counts, also a second one of shared weights. The network's own sum is of inference: training-only
    parts are left out of it, and have sums of their own. `count` gives the number of equal modules in a row as the
    figures have it.
    """
    # Distinct scopes only, so that time does not grow with repeats.
    root, idle = (network, frozenset[int]()) if isinstance(network, Scope) else (network.root, network.training_only)
    found: dict[Scope, Figure] = {}
    for scope in distinct(root):
        if scope.op is not None:
            found[scope] = of_op(scope)
            continue
        steps = (step for step in scope.steps if scope is not root or step.output not in idle)
        runs = [run for step in steps for run in runs_of(scope, step)]
        found[scope] = added(zero, [(count(run.count), found[run.scope]) for run in runs])
    return found


def runs_of(scope: Scope, step: Step) -> tuple[Run, ...]:
    """Modules that a step calls."""
    if step.kind in ROWS:
        return scope.child(step.target).runs
    return () if step.scope is None else (Run(1, step.scope),)


def added(start: Figure, parts: list[tuple[int, Figure]]) -> Figure:
    """Sum of figures, each multiplied by its count, and a start."""
    values = list(start)
    for count, figure in parts:
        for at, value in enumerate(figure):
            values[at] += count * value
    return type(start)(*values)
