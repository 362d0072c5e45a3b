"""Where the parser could not go on: what stands there, what stands before, and what would be possible."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import cached_property
from typing import NamedTuple

from lark import Token

from archdsl.diagnostics import Note
from archdsl.syntax.located_text import LocatedText

BRACKETS = {"(": ")", "[": "]"}


KINDS = {
    "INT": "a number",
    "DECIMAL": "a number",
    "SHAPE": "a shape",
    "QUANTITY": "an amount",
    "STRING": "a quoted text",
    "DOCSTRING": "a docstring",
    "_NL": "the end of the line",
    "_INDENT": "an indented line",
    "_DEDENT": "the end of the indented lines",
    "$END": "the end of the text",
}
WORD = re.compile(r"[A-Za-z_]\w*")
BEHIND = re.compile(r"(\w+|->|\.{3}|//|\*\*|[=!<>]=|\"[^\"\n]*\"|[^\w\s])\Z")
OPERATORS = {"+", "-", "*", "/", "//", "%", "**", "==", "!=", "<=", ">=", "<", ">", "and", "or", "not", "if", "else"}
HALVES = {*OPERATORS, "->", "=", ":", ".", "...", "as", "in", "return"}
"""What something has to follow."""
ENDS = {"_NL", "$END", "_DEDENT", ")", "]", ",", ":", "="}


class Said(NamedTuple):
    """What is said of a mistake; `start` and `end` where it is not what the parser stopped at."""

    label: str
    help: str = ""
    start: int | None = None
    end: int | None = None
    notes: tuple[Note, ...] = ()


class ErrorContext:
    """Where the parser could not go on: what it found there, and what would have been possible."""

    def __init__(self, text: LocatedText, at: int, token: Token | None, found: str, expected: Iterable[str]) -> None:
        self.text = text
        self.content = text.content
        self.at = at
        self.kind = token.type if token is not None else "" if found else "$END"
        self.found = found
        self.expected = set(expected)

    @cached_property
    def code(self) -> str:
        """The text before, without blanks, line ends and comments at its end."""
        return without_comments(self.content[: self.at]).rstrip()

    @cached_property
    def last(self) -> str:
        """The word or sign before."""
        behind = BEHIND.search(self.code)
        return behind[1] if behind else ""

    @cached_property
    def line(self) -> str:
        """The line up to there."""
        return self.content[self.content.rfind("\n", 0, self.at) + 1 : self.at]

    @cached_property
    def rest(self) -> str:
        """The line from there on."""
        return self.content[self.at :].partition("\n")[0]

    @cached_property
    def first(self) -> str:
        """The first word of the line."""
        word = WORD.match((self.line + self.rest).lstrip())
        return word[0] if word else ""

    @cached_property
    def opened(self) -> tuple[str, int] | None:
        """The last bracket that is open, and its place."""
        return unclosed(self.content[: self.at])

    @cached_property
    def word(self) -> str:
        """The word that stands there."""
        found = WORD.match(self.content, self.at)
        return found[0] if found else ""

    @property
    def ends(self) -> bool:
        """Whether something ends here."""
        return self.kind in ENDS or self.found in ENDS

    @property
    def at_operand(self) -> bool:
        """Whether a value begins here, right behind another."""
        begins = (
            bool(self.word) or self.kind in {"INT", "DECIMAL", "SHAPE", "QUANTITY", "STRING"} or self.found in BRACKETS
        )
        ended = self.last[-1:].isalnum() or self.last.endswith(("_", '"')) or self.last in BRACKETS.values()
        return begins and ended and self.last not in HALVES

    @property
    def what(self) -> str:
        """What stands there, in words."""
        if self.kind == "NAME" or self.word:
            return f"`{self.word}`"
        return KINDS.get(self.kind) or (f"`{self.found}`" if self.found else "the end")

    def before(self, *signs: str) -> bool:
        """Whether one of these signs stands before."""
        return self.last in signs

    def place(self) -> tuple[int, int]:
        """Where the code before ends: one character."""
        return len(self.code) - 1, len(self.code)


def mark(fault: ErrorContext) -> tuple[int, int]:
    """What stands there, or the sign before it, where that is the end of a line."""
    return (
        fault.place() if fault.kind in {"_NL", "$END", "_DEDENT"} else (fault.at, fault.at + max(len(fault.found), 1))
    )


def without_comments(text: str) -> str:
    """A text without the comments at its end."""
    lines = text.rstrip().split("\n")
    while lines:
        code = code_of(lines[-1])
        if code.strip():
            return "\n".join([*lines[:-1], code])
        lines.pop()
    return ""


def code_of(line: str) -> str:
    """A line without its comment."""
    quoted = re.match(r'(?:[^#"]|"[^"]*")*', line)
    return quoted[0] if quoted else line


def unclosed(content: str) -> tuple[str, int] | None:
    """The last bracket that is open at the end of a text, and its place."""
    stack: list[tuple[str, int]] = []
    for match in re.finditer(r'"""(?:.|\n)*?"""|"[^"\n]*"|#[^\n]*|[()\[\]]', content):
        char = match[0]
        if char in BRACKETS:
            stack.append((char, match.start()))
        elif stack and char == BRACKETS[stack[-1][0]]:
            stack.pop()
    return stack[-1] if stack else None


Row = Callable[[ErrorContext], Said | None]
