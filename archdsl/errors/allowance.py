"""`# archdsl: allow W201`: comments that silence a warning, where they stand or in the whole file."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from archdsl.errors import catalog
from archdsl.errors.diagnostic import Diagnostic, Rule
from archdsl.errors.source import Span
from archdsl.errors.suggest import did_you_mean

FORM = "`# archdsl: allow W201` at the end of the line or above it; above the first line, for the whole file"


class Allowance(NamedTuple):
    """One code of a comment: where it stands, and the lines that it is for; none for the whole file."""

    code: str
    span: Span
    lines: tuple[int, ...] = ()


class Allowances:
    """The allowances of a file, and which of them have silenced something."""

    def __init__(self, found: Iterable[Allowance]) -> None:
        self.found = list(found)
        self.places: dict[tuple[str, int], list[int]] = {}
        for at, each in enumerate(self.found):
            for line in each.lines or (0,):
                self.places.setdefault((each.code, line), []).append(at)
        self.used: set[int] = set()

    def silences(self, finding: Diagnostic) -> bool:
        """Whether a finding is silenced: by its line (or one of the lines that are marked), or in the whole file."""
        lines = [0] if finding.span is None else [0, *lines_of(finding.span)]
        fitting = [at for line in lines for at in self.places.get((finding.code, line), ())]
        self.used.update(fitting)
        return bool(fitting)

    def idle(self, *, unused: bool) -> list[Diagnostic]:
        """What is wrong with the allowances themselves: an unknown code; if asked for, one that silenced nothing."""
        known = warnings()
        wrong = [each for each in self.found if each.code not in known]
        if unused:
            wrong += [each for at, each in enumerate(self.found) if each.code in known and at not in self.used]
        return [complaint(each, known) for each in wrong]


def lines_of(span: Span) -> range:
    """The lines that a place goes over."""
    return range(span.source.position(span.start)[0], span.source.position(max(span.start, span.end - 1))[0] + 1)


def warnings() -> dict[str, Rule]:
    """The rules of all warnings that can be silenced, by code."""
    rules = (value for value in vars(catalog).values() if isinstance(value, Rule))
    return {rule.code: rule for rule in rules if rule.code[0] == "W" and rule is not catalog.IDLE_ALLOWANCE}


def complaint(each: Allowance, known: dict[str, Rule]) -> Diagnostic:
    """What is wrong with an allowance."""
    rule = catalog.IDLE_ALLOWANCE
    if each.code in known:
        where = "here" if each.lines else "in this file"
        return rule.at(each.span, f"nothing {where} gives {each.code}", help=f"remove it; {FORM}")
    if not each.code:
        return rule.at(each.span, "this names no warning", help=FORM)
    label = "errors cannot be silenced" if each.code[0] == "E" else f"no warning has the code `{each.code[:20]}`"
    return rule.at(each.span, label, help=did_you_mean(each.code, known))


def without_silenced(
    findings: Iterable[Diagnostic], found: Iterable[Allowance], *, unused: bool = True
) -> list[Diagnostic]:
    """The findings that no comment silences, and the comments that silence nothing, in the order of their places."""
    allowances = Allowances(found)
    kept = [each for each in findings if not allowances.silences(each)]
    return sorted([*kept, *allowances.idle(unused=unused)], key=lambda each: each.span.start if each.span else 0)
