"""Line ends and indentation: which line ends mean something, and where bodies begin and end."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from archdsl.resources import folder

# A token of lark: a str with its type and its place.
Token = Any

OPENING = {"LPAR", "LSQB"}
CLOSING = {"RPAR", "RSQB"}
NEWLINE = "_NL"
TAB = 8


class IndentationFault(Exception):
    """A line whose indentation fits no line above it; carries the token of the line's start."""

    def __init__(self, token: Token, message: str) -> None:
        super().__init__(message)
        self.token, self.message = token, message


class Indenter:
    """Lark's post-lexer. Drops line ends inside brackets, and marks the rest with indents and dedents."""

    always_accept = (NEWLINE,)

    def process(self, stream: Iterator[Token]) -> Iterator[Token]:
        """The tokens, with `_NL`, `_INDENT` and `_DEDENT` where lines end and bodies begin and end."""
        levels = [0]
        depth = 0
        for token in stream:
            if token.type == NEWLINE:
                if depth == 0:
                    yield from self.line_end(token, levels)
                continue
            depth += (token.type in OPENING) - (token.type in CLOSING)
            yield token

    def line_end(self, token: Token, levels: list[int]) -> Iterator[Token]:
        """The tokens for a line end, given the indentation of the line after it."""
        yield token
        indent = token.rsplit("\n", 1)[1].replace("\t", " " * TAB)
        width = len(indent)
        above = ", ".join(map(str, levels))
        if width > levels[-1]:
            levels.append(width)
            yield token.new_borrow_pos("_INDENT", indent, token)
        while width < levels[-1]:
            levels.pop()
            if width > levels[-1]:
                tab = ", where a tab counts as 8" if "\t" in token.rsplit("\n", 1)[1] else ""
                raise IndentationFault(token, f"indented by {width}{tab}; the lines above are at {above}")
            yield token.new_borrow_pos("_DEDENT", indent, token)


# lark does not tell the types of its trees.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false


STARTS = (
    "file",
    "expression",
    "parameters",
    "body",
    "shape",
    "stage_key",
    "output_key",
    "bound",
    "target",
    "extends_value",
)


def name() -> str:
    """The tables' file name, by the version of lark that made them."""
    import lark

    return f"tables-{lark.__version__}.bin"


def build() -> Any:
    """The parser, from the grammar."""
    from lark import Lark

    return Lark(
        (folder("grammar") / "archdsl.lark").read_text(encoding="utf-8"),
        parser="lalr",
        start=list(STARTS),
        maybe_placeholders=True,
        propagate_positions=True,
        postlex=Indenter(),  # type: ignore[arg-type]
    )


def make(path: Path) -> None:
    """Write the tables."""
    with path.open("wb") as file:
        build().save(file)


@cache
def machine() -> Any:
    """The parser, once in a process."""
    from lark import Lark

    made = Path(__file__).with_name(name())
    if not made.is_file():
        return build()
    with made.open("rb") as file:
        return Lark.load(file)
