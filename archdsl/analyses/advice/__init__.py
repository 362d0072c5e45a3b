"""Advice on a design: rules from the literature, each with its reason, its limit and its paper, and their pages."""

from __future__ import annotations

import textwrap
from collections.abc import Collection
from typing import NamedTuple

from archdsl.analyses.advice.rule import Advice, AdvisedNetwork, Finding
from archdsl.analyses.advice.rules import CHAINS, EARLY_STAGES, FRAGMENTS, GROUPS, POINTWISE, SIGHT, TILES, UNEQUAL
from archdsl.analyses.roofline import RooflineSetting
from archdsl.diagnostics import Diagnostic, Note, Span
from archdsl.diagnostics.explain import Explanation
from archdsl.graph import Graph

ADVICE: dict[str, Advice] = {
    advice.rule.code: advice for advice in (UNEQUAL, POINTWISE, FRAGMENTS, CHAINS, GROUPS, TILES, EARLY_STAGES, SIGHT)
}


class AdviceFinding(NamedTuple):
    """Finding, and the rule that made it."""

    advice: Advice
    finding: Finding

    @property
    def span(self) -> Span | None:
        """Location in the spec."""
        return self.finding.span or self.finding.section.span

    def diagnostic(self) -> Diagnostic:
        """Finding for the common renderer."""
        finding = self.finding
        where = f"{finding.section.name}, for example {finding.where}" if finding.where else finding.section.name
        found = self.advice.rule.at(self.span, finding.label, help=finding.help, where=where)
        return found._replace(notes=(Note(None, self.advice.paper),))


def advise(graph: Graph, setting: RooflineSetting, codes: Collection[str] = ADVICE.keys()) -> list[AdviceFinding]:
    """Findings of the rules on a network, by code; `setting` is for those that estimate time."""
    case = AdvisedNetwork(graph, setting)
    return [
        AdviceFinding(ADVICE[code], finding) for code in ADVICE if code in codes for finding in ADVICE[code].find(case)
    ]


# ---- pages ---------------------------------------------------------------------------------------------------------

HEAD = """# Advice

`archdsl lint SPEC...` checks a network against rules from the literature. A finding is not an error: it names a cost of
the design that multiply-adds do not show, its size, and the way the papers avoid it. `--select` and `--ignore` choose
rules, `--explain A101` shows one, `--device` names the device of the estimated times (default: a V100), `--format json`
is for programs. The exit code is 1 if there is advice, else 0.

The limits are set so that a rule fires on the networks that its paper criticizes, and not on those that were designed
to avoid the problem: `densenet121` gets A101 to A104, `resnet50` A101 and A102 for the bottlenecks of its early stages,
`vovnet39` none. This page is written by `python -m tests.update`.
"""


def handbook() -> str:
    """Page of all rules: `docs/advice.md`."""
    return "\n".join([HEAD, *(section(advice) for advice in ADVICE.values())])


def section(advice: Advice) -> str:
    """Section of a rule on the page."""
    return (
        f"## {advice.rule.code}: {advice.rule.title}\n\n{reasons(advice)}\n\n"
        f"It fires on\n\n```arch\n{advice.bad}```\n\nand not on\n\n```arch\n{advice.good}```\n"
    )


def reasons(advice: Advice) -> str:
    """Reason, limit and paper of a rule."""
    texts = (advice.why, f"**When.** {advice.limit}", f"**After** {advice.paper}.")
    return "\n\n".join(textwrap.fill(text, 120, break_long_words=False) for text in texts)


def explanations() -> dict[str, Explanation]:
    """Page of each rule, in the form of the other codes'."""
    heads = ("It fires on", "and not on")
    return {
        code: Explanation(each.rule, reasons(each), "arch", each.bad, each.good, heads) for code, each in ADVICE.items()
    }
