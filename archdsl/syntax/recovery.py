"""Find further mistakes in a text: leave out the lines with known mistakes, and parse the rest again.

A line is left out alone where nothing hangs on it: it stands among others of a body, and opens none itself. Of any
other, the whole definition is left out.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from archdsl.diagnostics import ArchError, Diagnostic, Span, catalog
from archdsl.syntax.error_context import code_of, unclosed
from archdsl.syntax.located_text import LocatedText

MOST = 10
# In characters: of a long text, the first mistake has to do.
LARGEST = 20_000
QUOTES = '"""'
BEGINS = re.compile(r"(?:archdsl|import|block|fn|backbone)\b")
RULES = {catalog.SYNTAX.code, catalog.MIXED.code}


def all_mistakes(
    text: LocatedText, first: ArchError, parse: Callable[[LocatedText], object], head: str = ""
) -> ArchError:
    """The first mistake of a text, and those in other lines that do not depend on it; with the document of the rest.

    A body stands below a `head`, which its text does not have, and is looked at as if it were indented.
    """
    if text.offsets is None:
        return first
    found, rest = list(first.diagnostics), None
    lines = [head, *(f" {line}" for line in text.content.split("\n"))] if head else text.content.split("\n")
    top = text.whole.source.position(text.offsets[0])[0] - bool(head)
    while len(found) < MOST and len(text.content) <= LARGEST and without(lines, found[-1], top):
        content = "\n".join(line[1:] for line in lines[1:]) if head else "\n".join(lines)
        if head and not content.strip():
            break
        try:
            rest = parse(text._replace(content=content))
        except ArchError as error:
            if is_follow_on(error.diagnostics[0], found):
                break
            found += error.diagnostics
        else:
            break
    return ArchError(sorted(found, key=start_of), rest)


def is_follow_on(finding: Diagnostic, found: list[Diagnostic]) -> bool:
    """Check for a finding that exists only because lines were left out.

    It is already reported, it comes before the last one, or it is a docstring, which is misplaced only below a mistake.
    Precedence of operators is checked last, so a mistake of it may come before; a bracket may not.
    """
    is_misplaced_doc = finding.span is not None and finding.span.text.startswith(QUOTES)
    is_before = start_of(finding) <= start_of(found[-1]) and bool(finding.notes)
    return is_misplaced_doc or is_before or any(each.span == finding.span for each in found)


def start_of(finding: Diagnostic) -> int:
    """The offset of a finding; -1 without a place."""
    return -1 if finding.span is None else finding.span.start


def line_of(span: Span) -> int:
    """The number of the line in which something begins."""
    return span.source.position(span.start)[0]


def without(lines: list[str], finding: Diagnostic, top: int) -> bool:
    """Blank the lines of a finding, or the definition around them; return False where that cannot be done.

    `top` is the number of the first of the lines.
    """
    if finding.code not in RULES or finding.span is None:
        return False
    first = last = line_of(finding.span) - top
    if finding.notes and finding.notes[0].span:  # a bracket that stays open until the next line
        first, last = line_of(finding.notes[0].span) - top, last - 1
    if not stands_alone(lines, first, last):
        first, last = definition(lines, first, last)
    if any(sum(line.count(QUOTES) for line in part) % 2 for part in (lines, lines[first : last + 1])):
        return False  # from there on, docstrings are taken for code
    for at in range(first, last + 1):
        lines[at] = " " * len(lines[at])
    return True


def definition(lines: list[str], first: int, last: int) -> tuple[int, int]:
    """Lines with all that stands around them at the left margin, up to where a definition begins again.

    What stands at the margin below a first line without a body is told at once, and it is the first line that lacks it.
    """
    while first > 0 and (not lines[first].strip() or leading_blanks(lines[first]) or is_open(lines, first)):
        first -= 1
    head = next((at for at in range(first - 1, -1, -1) if lines[at].strip()), first)
    if head < first and lacks_body(lines[head]):
        first, last = head, head if BEGINS.match(lines[first]) else last
    while last + 1 < len(lines) and not BEGINS.match(lines[last + 1]):
        last += 1
    return first, last


def lacks_body(line: str) -> bool:
    """Check for a line at the left margin that a body belongs to; another line at the margin follows."""
    return not leading_blanks(line) and opens_body(line)


def opens_body(line: str) -> bool:
    """Check that indented lines belong below a line."""
    return code_of(line).rstrip().endswith((":", "="))


def above(lines: list[str], at: int) -> str:
    """The next line above that is not empty, and not indented further."""
    indent = leading_blanks(lines[at])
    return next((line for line in reversed(lines[:at]) if line.strip() and leading_blanks(line) <= indent), "")


def stands_alone(lines: list[str], first: int, last: int) -> bool:
    """Check that lines can be left out: they have a neighbor in their body, and nothing depends on them."""
    before = above(lines, first)
    after = next((line for line in lines[last + 1 :] if line.strip()), "")
    indent = leading_blanks(lines[first])
    goes_on = after.lstrip().startswith(("->", ")", "]")) or lines[first].lstrip().startswith("->")
    is_too_far = indent > leading_blanks(before) and not opens_body(before)
    neighbours = {leading_blanks(after), *([] if before.rstrip().endswith(QUOTES) else [leading_blanks(before)])}
    is_a_line = not (goes_on or is_too_far or QUOTES in lines[first] or is_open(lines, first))
    return is_a_line and 0 < indent >= leading_blanks(after) and indent in neighbours


def is_open(lines: list[str], at: int) -> bool:
    """Check for an open bracket at the start of a line."""
    return unclosed("\n".join(lines[:at])) is not None


def leading_blanks(line: str) -> int:
    """The indentation of a line, in characters."""
    return len(line) - len(line.lstrip())
