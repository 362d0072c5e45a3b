"""Rules on a network, of advice and of warnings: the network that they look at, and their findings.

A rule is a function that yields findings. Its code and title are a row of `diagnostics/catalog.py`, its page a part of
`diagnostics/explanations.md`.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from archdsl.analyses.cost import Counts, Load, Times, counts, estimate
from archdsl.diagnostics import Diagnostic, DiagnosticKind, Note, Span
from archdsl.graph import Graph, Scope, Section, distinct

if TYPE_CHECKING:
    from archdsl.analyses.flatten import Placed
    from archdsl.analyses.receptive_field import Field

# Number of ops that are looked at one by one. Nobody writes more by hand.
MOST_OPS = 50_000
MANY = 1000


class Finding(NamedTuple):
    """Observation of a rule at a location, a better way, and the figures that it rests on."""

    kind: DiagnosticKind
    section: Section
    label: str
    help: str
    span: Span | None = None
    where: str = ""
    figures: dict[str, Any] = {}  # noqa: RUF012 (never changed)

    @property
    def key(self) -> tuple[str, Span | None]:
        """Identity of a finding, to compare with a parent's."""
        return self.kind.code, self.span

    def diagnostic(self, span: Span | None, count: int = 1, paper: str = "") -> Diagnostic:
        """Finding for the renderer, with the number of those at its location, and the paper that it is after."""
        more = f" ({count if count < MANY else f'{MANY} and more'} times here)" if count > 1 else ""
        notes = (Note(None, paper),) if paper else ()
        return self.kind.at(span, self.label + more, help=self.help, where=self.where, notes=notes)


class ExaminedNetwork:
    """Network under rules, with analyses that are computed when first asked for, and not twice."""

    def __init__(self, graph: Graph, load: Load | None = None) -> None:
        self.graph = graph
        self.load = load or Load()

    @cached_property
    def ops(self) -> list[Scope]:
        """Each different op, whatever the number of repeats."""
        return [scope for scope in distinct(self.graph.root) if scope.op is not None]

    @cached_property
    def placed(self) -> list[Placed]:
        """Ops one by one, training-only ones too, for rules that found something in `ops`."""
        from archdsl.analyses.flatten import ops_of

        return list(islice(ops_of(self.graph, training=True), MOST_OPS))

    @cached_property
    def makers(self) -> dict[int, Placed]:
        """Op that makes each tensor."""
        return {tensor: each for each in self.placed for tensor in each.gives}

    @cached_property
    def parts(self) -> list[tuple[Section, list[Placed]]]:
        """Sections that work on maps, with their ops of inference in order; raises ArchError for too many ops."""
        from archdsl.analyses.flatten import ops_of

        # All sections, also those without ops in inference.
        found: dict[str, list[Placed]] = {section.name: [] for section in self.graph.sections}
        for placed in ops_of(self.graph):
            found[placed.section.name].append(placed)
        return [(section, found[section.name]) for section in self.graph.sections if len(section.shape) == 3]

    @cached_property
    def counts(self) -> dict[Scope, Counts]:
        """Counts of each scope."""
        return counts(self.graph)

    @cached_property
    def times(self) -> dict[Scope, Times]:
        """Estimate of each scope, on the device of the advice."""
        return estimate(self.graph, self.load)

    @cached_property
    def fields(self) -> list[tuple[Placed, Field | None]]:
        """Receptive field of each section."""
        from archdsl.analyses.receptive_field import fields

        return fields(self.graph)

    def share_of_macs(self, ops: Iterable[Placed]) -> float:
        """Share of some ops in the network's multiply-adds."""
        return sum(placed.scope.totals.macs for placed in ops) / max(self.graph.root.totals.macs, 1)


def place_of(placed: Placed) -> Span | None:
    """Location of an op: the innermost scope in the section's own text, or the section."""
    section = placed.section.span
    if section is None:
        return None
    inside = [scope.span for scope in (*placed.trail[2:], placed.scope) if scope.span is not None]
    near = [span for span in inside if span.source is section.source and section.start <= span.start < section.end]
    return near[-1] if near else section


def at(kind: DiagnosticKind, placed: Placed, label: str, help: str, span: Span | None = None) -> Finding:
    """Finding at an op."""
    return Finding(kind, placed.section, label, help, span or place_of(placed), placed.path)
