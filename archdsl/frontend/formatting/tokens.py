"""Comments, code and lines of a text in the language, found without parsing it; the text has been parsed before."""

from __future__ import annotations

import re
from typing import NamedTuple

TOKEN = re.compile(r'"""(?:.|\n)*?"""|"[^"\n\\]*"|#[^\n]*|\n|->|\w+|[^\w\s]')
OPENING, CLOSING = "([", ")]"
TAB = 8


class Comment(NamedTuple):
    """A comment: where it begins, what it says, and whether it has a line of its own."""

    start: int
    text: str
    own: bool

    @property
    def end(self) -> int:
        """Where it ends."""
        return self.start + len(self.text)


class Line(NamedTuple):
    """A line as the grammar knows it, which may go over several: where it begins, and its first word."""

    start: int
    word: str


class Tokens(NamedTuple):
    """The parts of a text: its comments, where the pieces of code end, by where they begin, and its lines."""

    comments: list[Comment]
    code: list[tuple[int, int]]
    lines: list[Line]


def tokens(text: str, start: int, end: int) -> Tokens:
    """The parts of a text between two offsets."""
    found = Tokens([], [], [])
    depth = 0
    fresh = begins = True
    for match in TOKEN.finditer(text, start, end):
        token, at = match[0], match.start()
        if token == "\n":
            fresh, begins = True, depth == 0
            continue
        if token.startswith("#"):
            found.comments.append(Comment(at, token.rstrip(), fresh))
            continue
        if begins and token != "->":
            found.lines.append(Line(at, token))
        found.code.append((at, match.end()))
        depth += (token in OPENING) - (token in CLOSING)
        fresh = begins = False
    return found


def indentation(text: str, offset: int) -> int:
    """How far the line of an offset is indented."""
    end = text.find("\n", offset)
    return indent_of(text[text.rfind("\n", 0, offset) + 1 : len(text) if end < 0 else end])


def indent_of(line: str) -> int:
    """How far a line is indented."""
    wide = line.expandtabs(TAB)
    return len(wide) - len(wide.lstrip())


def own_lines(lines: list[str]) -> list[tuple[str, int]]:
    """The comments among some lines, and the empty ones (as empty texts), with their indentation."""
    stripped = [(line.strip(), indent_of(line)) for line in lines]
    return [(text, indent) for text, indent in stripped if not text or text.startswith("#")]
