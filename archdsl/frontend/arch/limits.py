"""What is looked at before a text is parsed: its size, characters and brackets, and how long its expressions are.

The parser takes its time for every piece of a text, and builds a level of the tree for every operator of a sum.
"""

from __future__ import annotations

import re

from archdsl.errors import ArchError, Rule, Span, catalog
from archdsl.frontend.characters import check_characters
from archdsl.frontend.text import Text

LARGEST = 1_000_000
"""In characters, of a text in either notation."""
DEEPEST = 50
MOST_PIECES = 100_000
SPLIT = "define the inner parts as blocks of their own"
LONGEST_EXPRESSION = 4_000
"""In pieces between two commas, arrows, brackets or line ends. Whatever anybody writes has a few dozen."""

PIECE = re.compile(r'"""(?:.|\n)*?"""|"[^"\n\\]*"|#[^\n]*|\n|->|\w+|[^\w\s]')
NO_CODE = ("#", '"')


def check_size(text: Text, lines: bool) -> None:
    """Raises for a text that goes too far; `lines` says that its line ends mean something."""
    content = text.content
    check_length(content, text.whole)
    check_characters(text)
    if len(content) > LONGEST_EXPRESSION or content.count("(") + content.count("[") > DEEPEST:
        check_pieces(text, lines)


def check_length(content: str, place: Span) -> None:
    """Raises for more characters than are read."""
    if len(content) > LARGEST:
        raise catalog.TOO_LARGE.error(place, f"{len(content):,} characters; at most {LARGEST:,} are read")


def check_pieces(text: Text, lines: bool) -> None:
    """Raises for too many pieces, brackets inside of brackets, or pieces of one expression."""
    counts = [0]
    for number, match in enumerate(PIECE.finditer(text.content)):
        piece = match[0]
        if number == MOST_PIECES:
            raise refused(catalog.TOO_LARGE, text, match, f"more than {MOST_PIECES:,} names, numbers and signs")
        if piece in "([":
            counts.append(0)
            if len(counts) > DEEPEST + 1:
                raise refused(catalog.TOO_DEEP, text, match, f"more than {DEEPEST} brackets are open", SPLIT)
        elif piece in ")]":
            counts = counts[:-1] or [0]
        elif piece in {",", "->"} or (piece == "\n" and lines and len(counts) == 1):
            counts[-1] = 0
            continue
        elif piece == "\n" or piece.startswith(NO_CODE):
            continue
        counts[-1] += 1
        if counts[-1] > LONGEST_EXPRESSION:
            label = f"an expression of more than {LONGEST_EXPRESSION:,} names, numbers and signs"
            raise refused(catalog.TOO_DEEP, text, match, label)


def refused(rule: Rule, text: Text, match: re.Match[str], label: str, help: str = "") -> ArchError:
    """The finding at a piece."""
    return rule.error(text.span(*match.span()), label, help=help)
