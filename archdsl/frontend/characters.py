"""Refuses characters that nobody sees in a text: some end lines for YAML and not for an editor, others turn text round.

Only the newline, alone or behind a carriage return, ends lines in both notations; a tab is a blank.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from archdsl.errors import ArchError, Diagnostic, Rule, catalog
from archdsl.errors.characters import is_unseen, name_of_character
from archdsl.frontend.text import Text

SUSPECT = re.compile(r"[^\t\n\r\x20-\x7e]|\r(?!\n)")
BYTE_ORDER_MARK = "\ufeff"
LINE_ENDS = "\r\v\f\x1c\x1d\x1e\x85\u2028\u2029"
ENDED = "lines end with a newline, or with a carriage return and a newline"
REMOVED = "remove it"
ESCAPED = f"{REMOVED}; the `doc` of a YAML spec can hold it as an escape, in double quotes"

UNSEEN_IN_PATH = "a path of an import has no tab, and no other character that nobody sees"


def check_characters(text: Text, rule: Rule = catalog.SYNTAX) -> None:
    """Raises for a text with such characters, with the first place of each."""
    content = text.content
    if content.isascii() and content.isprintable():
        return
    first: dict[str, int] = {}
    for found in SUSPECT.finditer(content, content.startswith(BYTE_ORDER_MARK)):
        if is_unseen(found[0]):
            first.setdefault(found[0], found.start())
    if first:
        raise ArchError(list(findings(text, first, rule)))


def findings(text: Text, first: dict[str, int], rule: Rule) -> Iterator[Diagnostic]:
    """The finding for each character, at its first place."""
    for char, at in first.items():
        kind = "a line end that many editors do not show" if char in LINE_ENDS else "a character that nobody sees"
        label = f"{kind}: {name_of_character(char)}"
        yield rule.at(
            text.span(at, at + 1),
            label,
            help=ENDED if char in LINE_ENDS else ESCAPED if rule is catalog.YAML else REMOVED,
        )
