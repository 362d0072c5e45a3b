"""`# archdsl: allow W201`: comments that silence a warning, where they stand or in the whole file."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from archdsl.diagnostics import catalog
from archdsl.diagnostics.diagnostic import Diagnostic, DiagnosticKind
from archdsl.diagnostics.source import Span
from archdsl.diagnostics.suggest import did_you_mean

FORM = "write `# archdsl: allow W201` at the end of the line or above it, or above the first line for the whole file"

# The beginning of such a comment; with another word than `allow` it is reported.
MARK = re.compile(r"#[ \t]*archdsl:[ \t]*(allow|ignore|disable|silence|noqa)\b[ \t:=]*")
WHOLE = (0, 0)
NOWHERE = (-1, -1)


class Suppression(NamedTuple):
    """A code in a comment that says `word`, its place, and its lines (`WHOLE`: all of the file, `NOWHERE`: none)."""

    code: str
    span: Span
    first: int = 0
    last: int = 0
    word: str = "allow"


class Suppressions:
    """The suppressions of a file; `used` are those that have silenced something."""

    def __init__(self, found: Iterable[Suppression]) -> None:
        self.found = list(found)
        self.known = warnings()
        self.used: set[tuple[str, int, int]] = set()
        self.places: dict[tuple[str, int], list[tuple[str, int, int]]] = {}
        for code, first, last in {key_of(each) for each in self.found if each.code in self.known}:
            for line in range(first, last + 1):
                self.places.setdefault((code, line), []).append((code, first, last))

    def silences(self, finding: Diagnostic) -> bool:
        """Check for a suppression of a finding, for one of its lines or for the whole file, and mark it as used."""
        lines = [0] if finding.span is None else [0, *lines_of(finding.span)]
        fitting = [key for line in lines for key in self.places.get((finding.code, line), ())]
        self.used.update(fitting)
        return bool(fitting)

    def idle(self, *, unused: bool) -> list[Diagnostic]:
        """Report suppressions of unknown codes and, if asked for, those that silenced nothing."""
        wrong = [
            each for each in self.found if each.code not in self.known or (unused and key_of(each) not in self.used)
        ]
        return [complaint(each, self.known) for each in wrong]


def key_of(each: Suppression) -> tuple[str, int, int]:
    """The code and lines of a suppression."""
    return each.code, each.first, each.last


def lines_of(span: Span) -> range:
    """The lines that a place goes over."""
    return range(span.source.position(span.start)[0], span.source.position(max(span.start, span.end - 1))[0] + 1)


def warnings() -> dict[str, DiagnosticKind]:
    """The rules of all warnings that can be silenced, by code."""
    rules = catalog.rules()
    return {code: rule for code, rule in rules.items() if code[0] == "W" and rule is not catalog.IDLE_ALLOWANCE}


def complaint(each: Suppression, known: dict[str, DiagnosticKind]) -> Diagnostic:
    """The warning about a suppression."""
    rule = catalog.IDLE_ALLOWANCE
    if each.code in known:
        where = "here" if each.first else "in this file"
        return rule.at(each.span, f"no {each.code} occurs {where}", help="remove it, or put it where it belongs")
    if not each.code:
        label = "this names no warning" if each.word == "allow" else "the word is `allow`"
        return rule.at(each.span, label, help=FORM)
    label = "errors cannot be silenced" if each.code[0] == "E" else f"no warning has the code `{each.code[:20]}`"
    return rule.at(each.span, label, help=did_you_mean(each.code, known))


def without_silenced(
    findings: Iterable[Diagnostic], found: Iterable[Suppression], *, unused: bool = True
) -> list[Diagnostic]:
    """The findings that no comment silences, and the comments that silence nothing, in the order of their places."""
    suppressions = Suppressions(found)
    kept = [each for each in findings if not suppressions.silences(each)]
    return sorted([*kept, *suppressions.idle(unused=unused)], key=lambda each: each.span.start if each.span else 0)
