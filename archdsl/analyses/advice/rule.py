"""Rules of advice: their declaration, the network that they look at, and their findings."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from typing import Any, NamedTuple

from archdsl.analyses.flatten import Placed, nearest_span, ops_of
from archdsl.analyses.memory_access import Counts, counts
from archdsl.analyses.receptive_field import Field, fields
from archdsl.analyses.roofline import RooflineSetting, Times, estimate
from archdsl.diagnostics import DiagnosticKind, Span
from archdsl.graph import Graph, Scope, Section
from archdsl.op import Shape


class Finding(NamedTuple):
    """Observation of a rule at a location, with its figures and a better way."""

    section: Section
    label: str
    help: str
    figures: dict[str, Any]
    span: Span | None = None
    where: str = ""


class Advice(NamedTuple):
    """Rule, documented like an error code.

    `limit` states the threshold in words; `bad` is a spec that the rule fires on, `good` the same network with the
    advice taken, which it does not fire on: the rule's own test.
    """

    rule: DiagnosticKind
    find: Callable[[AdvisedNetwork], Iterator[Finding]]
    why: str
    limit: str
    paper: str
    bad: str
    good: str


class AdvisedNetwork:
    """Network under advice, with analyses that are computed when first asked for."""

    def __init__(self, graph: Graph, setting: RooflineSetting) -> None:
        self.graph = graph
        self.setting = setting

    @cached_property
    def counts(self) -> dict[Scope, Counts]:
        """Counts of each scope."""
        return counts(self.graph)

    @cached_property
    def times(self) -> dict[Scope, Times]:
        """Estimate of each scope, on the device of the advice."""
        return estimate(self.graph, self.setting)

    @cached_property
    def fields(self) -> list[tuple[Placed, Field | None]]:
        """Receptive field of each section."""
        return fields(self.graph)

    @cached_property
    def ops(self) -> dict[str, list[Placed]]:
        """Ops of each section, in order."""
        # All sections, also those without ops in inference.
        found: dict[str, list[Placed]] = {section.name: [] for section in self.graph.sections}
        for placed in ops_of(self.graph):
            found[placed.section.name].append(placed)
        return found

    @cached_property
    def parts(self) -> list[tuple[Section, list[Placed]]]:
        """Sections that work on maps, with their ops."""
        return [(section, self.ops[section.name]) for section in self.graph.sections if len(section.shape) == 3]

    def share_of_macs(self, ops: Iterable[Placed]) -> float:
        """Share of some ops in the network's multiply-adds."""
        return sum(placed.scope.totals.macs for placed in ops) / max(self.graph.root.totals.macs, 1)


def convolutions(ops: Iterable[Placed]) -> Iterator[Placed]:
    """Convolutions on maps of more than one place."""
    return (placed for placed in ops if placed.op.counts_as == "conv" and len(placed.output) == 3 and area(placed) > 1)


def area(placed: Placed) -> int:
    """Number of places of an op's output."""
    _, height, width = out(placed)
    return height * width


def out(placed: Placed) -> Shape:
    """Shape of the map that an op makes."""
    return placed.output  # type: ignore[return-value]


def place_of(placed: Placed) -> Span | None:
    """Location of an op in the section's own text, as near as the text tells."""
    return nearest_span(placed, placed.trail[2:])


def percent(part: float, whole: float = 1.0) -> str:
    """Share for people."""
    return f"{100 * part / whole:.0f} %" if whole else "0 %"
