"""What a rule of advice is, what it looks at, and what it finds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from typing import Any, NamedTuple

from archdsl.analyses.flatten import Placed, ops_of
from archdsl.analyses.memory_access import Counts, counts
from archdsl.analyses.receptive_field import Field, fields
from archdsl.analyses.roofline import RooflineSetting, Times, estimate
from archdsl.diagnostics import DiagnosticKind, Span
from archdsl.graph import Graph, Scope, Section
from archdsl.op import Shape


class Finding(NamedTuple):
    """What a rule says of a place: what is there, with its figures, and what would be better."""

    section: Section
    label: str
    help: str
    figures: dict[str, Any]
    span: Span | None = None
    where: str = ""


class Advice(NamedTuple):
    """A rule: documented like an error's code.

    `limit` says in words from where on it speaks; `bad` is a spec that it finds something in, `good` the same network
    with the advice taken, in which it does not: the rule's own test.
    """

    rule: DiagnosticKind
    find: Callable[[AdvisedNetwork], Iterator[Finding]]
    why: str
    limit: str
    paper: str
    bad: str
    good: str


class AdvisedNetwork:
    """A network under advice, with what the rules need of it, each worked out when it is first asked for."""

    def __init__(self, graph: Graph, setting: RooflineSetting) -> None:
        self.graph = graph
        self.setting = setting

    @cached_property
    def counts(self) -> dict[Scope, Counts]:
        """The counts of each scope."""
        return counts(self.graph)

    @cached_property
    def times(self) -> dict[Scope, Times]:
        """The estimate of each scope, on the device that the advice is for."""
        return estimate(self.graph, self.setting)

    @cached_property
    def fields(self) -> list[tuple[Placed, Field | None]]:
        """The receptive field of each section."""
        return fields(self.graph)

    @cached_property
    def ops(self) -> dict[str, list[Placed]]:
        """The ops of each section, in order."""
        found: dict[str, list[Placed]] = {section.name: [] for section in self.graph.sections}
        for placed in ops_of(self.graph):
            found[placed.section.name].append(placed)
        return found

    @cached_property
    def parts(self) -> list[tuple[Section, list[Placed]]]:
        """The sections that work on maps, with their ops."""
        return [(section, self.ops[section.name]) for section in self.graph.sections if len(section.shape) == 3]

    def share_of_macs(self, ops: Iterable[Placed]) -> float:
        """What part of the network's multiply-adds some ops do."""
        return sum(placed.scope.totals.macs for placed in ops) / max(self.graph.root.totals.macs, 1)


def convolutions(ops: Iterable[Placed]) -> Iterator[Placed]:
    """The convolutions on maps of more than one place."""
    return (placed for placed in ops if placed.op.counts_as == "conv" and len(placed.output) == 3 and area(placed) > 1)


def area(placed: Placed) -> int:
    """The places of an op's output."""
    _, height, width = out(placed)
    return height * width


def out(placed: Placed) -> Shape:
    """The shape of the map that an op gives."""
    return placed.output  # type: ignore[return-value]


def place_of(placed: Placed) -> Span | None:
    """Where in the section's own text an op comes from, as near as that text tells."""
    section = placed.section.span
    if section is None:
        return None
    inside = [scope.span for scope in placed.trail[2:] if scope.span is not None]
    near = [span for span in inside if span.source is section.source and section.start <= span.start < section.end]
    return near[-1] if near else section


def percent(part: float, whole: float = 1.0) -> str:
    """A share, for people."""
    return f"{100 * part / whole:.0f} %" if whole else "0 %"
