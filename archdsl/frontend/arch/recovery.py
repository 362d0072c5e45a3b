"""What else is wrong with a text: lines that are wrong in themselves are left out, and the rest is read again.

A line is left out only where nothing hangs on it: it stands among others of a body, and opens none itself.
"""

from __future__ import annotations

from collections.abc import Callable

from archdsl.errors import ArchError, Diagnostic, catalog
from archdsl.frontend.text import Text

MOST = 10
LARGEST = 20_000
"""In characters: of a long text, the first mistake has to do."""
RULES = {catalog.SYNTAX.code, catalog.MIXED.code}


def all_mistakes(text: Text, first: ArchError, parse: Callable[[Text], object]) -> ArchError:
    """The first mistake of a text, and those in other lines that do not depend on it."""
    found = list(first.diagnostics)
    lines = text.content.split("\n")
    while len(found) < MOST and len(text.content) <= LARGEST and without(lines, found[-1]):
        try:
            parse(text._replace(content="\n".join(lines)))
        except ArchError as error:
            if is_follow_on(error.diagnostics[0], found):
                break
            found += error.diagnostics
        else:
            break
    return ArchError(sorted(found, key=start_of))


def is_follow_on(finding: Diagnostic, found: list[Diagnostic]) -> bool:
    """Whether a finding is there only because lines were left out: it has been told, or it stands before the last one.

    How operators go together is looked at last, so what is wrong with that may stand before; a bracket may not.
    """
    return any(each.span == finding.span for each in found) or (
        start_of(finding) <= start_of(found[-1]) and bool(finding.notes)
    )


def start_of(finding: Diagnostic) -> int:
    """Where a finding stands; -1 without a place."""
    return -1 if finding.span is None else finding.span.start


def line_of(finding: Diagnostic) -> int:
    """The number of a finding's line, from 0; -1 without a place."""
    return -1 if finding.span is None else finding.span.source.position(finding.span.start)[0] - 1


def without(lines: list[str], finding: Diagnostic) -> bool:
    """Blanks the lines that a finding is about; whether that could be done."""
    if finding.code not in RULES or finding.span is None:
        return False
    first, last = line_of(finding), line_of(finding)
    if finding.notes:  # a bracket that stays open until the next line
        first, last = line_of(finding._replace(span=finding.notes[0].span)), last - 1
    if not stands_alone(lines, first, last):
        return False
    for at in range(first, last + 1):
        lines[at] = " " * len(lines[at])
    return True


def stands_alone(lines: list[str], first: int, last: int) -> bool:
    """Whether lines are indented, with a neighbour in their body, and neither open a body nor go on below."""
    before = next((line for line in reversed(lines[:first]) if line.strip()), "")
    after = next((line for line in lines[last + 1 :] if line.strip()), "")
    indent = indentation(lines[first])
    goes_on = after.lstrip().startswith(("->", ")", "]")) or lines[first].lstrip().startswith("->")
    return 0 < indent >= indentation(after) and not goes_on and indent in {indentation(before), indentation(after)}


def indentation(line: str) -> int:
    """How far a line is indented."""
    return len(line) - len(line.lstrip())
