"""The context of a syntax error: the text on both sides, and what could have followed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import cached_property

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
# Terminals that are a value by themselves.
VALUES = {"INT", "DECIMAL", "SHAPE", "QUANTITY", "STRING"}
WORD = re.compile(r"[A-Za-z_]\w*")
LAST = re.compile(r"(\w+|->|\.{3}|//|\*\*|[=!<>]=|\"[^\"\n]*\"|[^\w\s])\Z")
OPERATORS = {"+", "-", "*", "/", "//", "%", "**", "==", "!=", "<=", ">=", "<", ">", "and", "or", "not", "if", "else"}
# Signs and words that something has to follow.
HALVES = {*OPERATORS, "->", "=", ":", ".", "...", "as", "in", "return"}
ENDS = {"_NL", "$END", "_DEDENT", ")", "]", ",", ":", "="}
# The text before a parenthesis that belongs to no call.
CALLED_BY_NOTHING = re.compile(r"(?:[(,=+*/-]|->|\A)\s*\Z")


class ErrorContext:
    """The place where the parser stopped: the token there (its `kind` and its text), and the terminals expected.

    `is_expression` checks a text: the parser hands it in, so that errors need not import the parser.
    """

    def __init__(
        self,
        text: LocatedText,
        at: int,
        kind: str,
        found: str,
        expected: Iterable[str],
        is_expression: Callable[[str], bool],
    ) -> None:
        self.text = text
        self.content = text.content
        self.at = at
        self.kind = kind
        self.found = found
        self.expected = frozenset(expected)
        self.is_expression = is_expression

    @cached_property
    def code(self) -> str:
        """The text before, without blanks, line ends and comments at its end."""
        return without_comments(self.content[: self.at]).rstrip()

    @cached_property
    def last(self) -> str:
        """The word or sign before."""
        last = LAST.search(self.code)
        return last[1] if last else ""

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
        """The innermost open bracket, and its offset."""
        return unclosed(self.content[: self.at])

    @cached_property
    def word(self) -> str:
        """The word that stands there."""
        found = WORD.match(self.content, self.at)
        return found[0] if found else ""

    @property
    def ends(self) -> bool:
        """True where a line, a bracket or an item ends."""
        return self.kind in ENDS or self.found in ENDS

    @property
    def at_operand(self) -> bool:
        """True where a value begins right after another."""
        begins = bool(self.word) or self.kind in VALUES or self.found in BRACKETS
        ended = self.last[-1:].isalnum() or self.last.endswith(("_", '"')) or self.last in BRACKETS.values()
        return begins and ended and self.last not in HALVES

    @property
    def what(self) -> str:
        """The token, for a sentence."""
        if self.kind == "NAME" or self.word:
            return f"`{self.word}`"
        return KINDS.get(self.kind) or (f"`{self.found}`" if self.found else "the end")

    # ---- places

    def last_character(self) -> tuple[int, int]:
        """The last character of the code before."""
        return len(self.code) - 1, len(self.code)

    def last_word(self) -> tuple[int, int]:
        """The word or sign before."""
        return len(self.code) - len(self.last), len(self.code)

    def token(self) -> tuple[int, int]:
        """The token, or, at the end of a line, the character before."""
        if self.kind in {"_NL", "$END", "_DEDENT"}:
            return self.last_character()
        return self.at, self.at + max(len(self.found), 1)

    # ---- facts

    @cached_property
    def facts(self) -> frozenset[str]:
        """The terminals expected, and what else `given` in `grammar/mistakes.txt` can ask for."""
        sign, at = self.opened or ("", 0)
        known = {
            "in brackets": bool(sign),
            "in parentheses": sign == "(",
            "in an index": sign == "[" and self.content[at - 1 : at].isalnum(),
            "in a tuple": bool(sign) and CALLED_BY_NOTHING.search(self.content[:at]) is not None,
            "an operand follows a value": self.at_operand,
            "something ends": self.ends,
            "nothing is expected": not self.expected,
            "after an operator": self.last in OPERATORS,
            "after half of something": self.last in HALVES,
            f"after {self.last}": True,
            f"at {self.kind}": True,
        }
        return self.expected | {fact for fact, holds in known.items() if holds}


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
    """The innermost bracket that is open at the end of a text, and its offset."""
    stack: list[tuple[str, int]] = []
    for match in re.finditer(r'"""(?:.|\n)*?"""|"[^"\n]*"|#[^\n]*|[()\[\]]', content):
        char = match[0]
        if char in BRACKETS:
            stack.append((char, match.start()))
        elif stack and char == BRACKETS[stack[-1][0]]:
            stack.pop()
    return stack[-1] if stack else None
