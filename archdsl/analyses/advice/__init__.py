"""Advice on a design: rules from the literature, each with its reason, its limit and its paper, in one table."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from archdsl.analyses.advice.rule import Advice, AdvisedNetwork, Finding
from archdsl.analyses.advice.rules import CHAINS, EARLY_STAGES, FRAGMENTS, GROUPS, POINTWISE, SIGHT, TILES, UNEQUAL
from archdsl.analyses.roofline import RooflineSetting
from archdsl.diagnostics import Diagnostic, Note, Span
from archdsl.graph import Graph

ADVICE: dict[str, Advice] = {
    advice.rule.code: advice for advice in (UNEQUAL, POINTWISE, FRAGMENTS, CHAINS, GROUPS, TILES, EARLY_STAGES, SIGHT)
}


class AdviceFinding(NamedTuple):
    """A finding, and the rule that found it."""

    advice: Advice
    finding: Finding

    @property
    def span(self) -> Span | None:
        """The place in the spec."""
        return self.finding.span or self.finding.section.span

    def diagnostic(self) -> Diagnostic:
        """As the one renderer of findings shows it."""
        finding = self.finding
        where = f"{finding.section.name}, for example {finding.where}" if finding.where else finding.section.name
        found = self.advice.rule.at(self.span, finding.label, help=finding.help, where=where)
        return found._replace(notes=(Note(None, self.advice.paper),))


def advise(graph: Graph, setting: RooflineSetting, codes: Collection[str] = ADVICE.keys()) -> list[AdviceFinding]:
    """What the rules have to say of a network, by code; `setting` is for those that estimate time."""
    case = AdvisedNetwork(graph, setting)
    return [
        AdviceFinding(ADVICE[code], finding) for code in ADVICE if code in codes for finding in ADVICE[code].find(case)
    ]
