"""`# archdsl: allow W201`: comments that silence a warning, where they stand or in the whole file."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from archdsl.diagnostics import catalog
from archdsl.diagnostics.diagnostic import Diagnostic, DiagnosticKind
from archdsl.diagnostics.source import Span
from archdsl.diagnostics.suggest import did_you_mean

FORM = "write `# archdsl: allow W201` at the end of the line or above it, or above the first line for the whole file"


WHOLE = (0, 0)
NOWHERE = (-1, -1)


class Suppression(NamedTuple):
    """One code of a comment: where it stands, and the lines that it is for (`WHOLE`: the file, `NOWHERE`: none)."""

    code: str
    span: Span
    first: int = 0
    last: int = 0


class Allowances:
    """The allowances of a file, and which of them have silenced something."""

    def __init__(self, found: Iterable[Suppression]) -> None:
        self.found = list(found)
        self.known = warnings()
        self.used: set[tuple[str, int, int]] = set()
        self.places: dict[tuple[str, int], list[tuple[str, int, int]]] = {}
        for code, first, last in {key_of(each) for each in self.found if each.code in self.known}:
            for line in range(first, last + 1):
                self.places.setdefault((code, line), []).append((code, first, last))

    def silences(self, finding: Diagnostic) -> bool:
        """Whether a finding is silenced: by its line (or one of the lines that are marked), or in the whole file."""
        lines = [0] if finding.span is None else [0, *lines_of(finding.span)]
        fitting = [key for line in lines for key in self.places.get((finding.code, line), ())]
        self.used.update(fitting)
        return bool(fitting)

    def idle(self, *, unused: bool) -> list[Diagnostic]:
        """What is wrong with the allowances themselves: an unknown code; if asked for, one that silenced nothing."""
        wrong = [
            each for each in self.found if each.code not in self.known or (unused and key_of(each) not in self.used)
        ]
        return [complaint(each, self.known) for each in wrong]


def key_of(allowance: Suppression) -> tuple[str, int, int]:
    """What an allowance silences, wherever it stands."""
    return allowance.code, allowance.first, allowance.last


def lines_of(span: Span) -> range:
    """The lines that a place goes over."""
    return range(span.source.position(span.start)[0], span.source.position(max(span.start, span.end - 1))[0] + 1)


def warnings() -> dict[str, DiagnosticKind]:
    """The rules of all warnings that can be silenced, by code."""
    rules = (value for value in vars(catalog).values() if isinstance(value, DiagnosticKind))
    return {rule.code: rule for rule in rules if rule.code[0] == "W" and rule is not catalog.IDLE_ALLOWANCE}


def complaint(each: Suppression, known: dict[str, DiagnosticKind]) -> Diagnostic:
    """What is wrong with an allowance."""
    rule = catalog.IDLE_ALLOWANCE
    if each.code in known:
        where = "here" if each.first else "in this file"
        return rule.at(each.span, f"no {each.code} occurs {where}", help="remove it, or put it where it belongs")
    if not each.code:
        label = "this names no warning" if "allow" in each.span.text else "the word is `allow`"
        return rule.at(each.span, label, help=FORM)
    label = "errors cannot be silenced" if each.code[0] == "E" else f"no warning has the code `{each.code[:20]}`"
    return rule.at(each.span, label, help=did_you_mean(each.code, known))


def without_silenced(
    findings: Iterable[Diagnostic], found: Iterable[Suppression], *, unused: bool = True
) -> list[Diagnostic]:
    """The findings that no comment silences, and the comments that silence nothing, in the order of their places."""
    allowances = Allowances(found)
    kept = [each for each in findings if not allowances.silences(each)]
    return sorted([*kept, *allowances.idle(unused=unused)], key=lambda each: each.span.start if each.span else 0)
