"""Syntax errors in words: what stands there, what is missing, and what was probably meant."""

from __future__ import annotations

from lark import Token

from archdsl.frontend.text import Text

BRACKETS = {"(": ")", "[": "]"}
KINDS = {
    "NAME": "a name",
    "INT": "a number",
    "DECIMAL": "a number",
    "STRING": "a text in quotes",
    "DOCSTRING": "a docstring",
    "_NL": "the end of the line",
    "_INDENT": "an indented line",
    "_DEDENT": "the end of the indented lines",
    "$END": "the end of the text",
}


def describe(text: Text, at: int, token: Token | None, found: str, expected: set[str]) -> tuple[str, str]:
    """A label for the place, and a way out."""
    at_end = token.type in {"_NL", "$END", "_DEDENT"} if token is not None else not found
    if (opened := unclosed(text.content[:at])) and at_end:
        line, _ = text.whole.source.position(text.span(opened[1], opened[1] + 1).start)
        return (
            f"the text ends while `{opened[0]}` of line {line} is still open",
            f"close it with `{BRACKETS[opened[0]]}`",
        )
    what = KINDS.get(token.type, f"`{found}`") if token is not None else (f"`{found}`" if found else "the end")
    if found in {")", "]"} and not opened:
        return f"{what} closes nothing", "remove it, or open it before"
    if "_INDENT" in expected and len(expected) == 1:
        return f"{what} stands where an indented body is needed", "indent the lines of the body"
    if token is not None and token.type == "_INDENT":
        return "this line is indented, but the one before it opens no body", "align it with the line before"
    if found == "=" and "COMPARE" in expected:
        return "`=` does not compare", "write `==`"
    return f"{what} cannot stand here", hint(expected)


def hint(expected: set[str]) -> str:
    """What could stand here, where that is one thing."""
    signs = {"COLON": "`:`", "EQUAL": "`=`", "RPAR": "`)`", "RSQB": "`]`", "IN": "`in`", "ELSE": "`else`"}
    known = [signs.get(kind) or KINDS.get(kind) for kind in sorted(expected) if kind in signs or kind in KINDS]
    wanted = [word for word in dict.fromkeys(known) if word]
    return f"{wanted[0]} is expected here" if len(wanted) == 1 and len(expected) <= 3 else ""


def unclosed(content: str) -> tuple[str, int] | None:
    """The last bracket that is open at the end of a text, and its place."""
    stack: list[tuple[str, int]] = []
    for offset, char in enumerate(content):
        if char in BRACKETS:
            stack.append((char, offset))
        elif stack and char == BRACKETS[stack[-1][0]]:
            stack.pop()
    return stack[-1] if stack else None
