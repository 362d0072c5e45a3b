"""Text to syntax tree: limits, indentation, the parser of the grammar, and the error where a text does not fit it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from archdsl.diagnostics import ArchError, DiagnosticKind, Source, Span, catalog
from archdsl.resources import folder
from archdsl.syntax.text import PIECE, LocatedText, check_characters
from archdsl.syntax.transformer import MisplacedOperator, SyntaxTransformer, branches

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

    # Loading unpickles, so tables are read from the package alone, where the wheel has put them; never from a cache.
    made = Path(__file__).with_name(name())
    if not made.is_file():
        return build()
    with made.open("rb") as file:
        return Lark.load(file)


# In characters, of a text in either notation.
LARGEST = 1_000_000
DEEPEST = 50
MOST_PIECES = 100_000
SPLIT = "define the inner parts as blocks of their own"
# In pieces between two commas, arrows, brackets or line ends. Whatever anybody writes has a few dozen.
LONGEST_EXPRESSION = 4_000

NO_CODE = ("#", '"')


def check_size(text: LocatedText, lines: bool) -> None:
    """Raise for a text beyond the limits; `lines`: its line ends have a meaning."""
    content = text.content
    check_length(content, text.whole)
    check_characters(text)
    # A text with few characters and brackets cannot have too many pieces, or nest too deeply.
    if len(content) > LONGEST_EXPRESSION or content.count("(") + content.count("[") > DEEPEST:
        check_pieces(text, lines)


def check_length(content: str, place: Span) -> None:
    """Raise for too many characters."""
    if len(content) > LARGEST:
        raise catalog.TOO_LARGE.error(place, f"{len(content):,} characters; at most {LARGEST:,} are read")


def check_pieces(text: LocatedText, lines: bool) -> None:
    """Raise for too many tokens, nested brackets, or tokens of one expression."""
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


def refused(rule: DiagnosticKind, text: LocatedText, match: re.Match[str], label: str, help: str = "") -> ArchError:
    """The error at a token."""
    return rule.error(text.span(*match.span()), label, help=help)


# lark does not tell the types of its trees.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false


INDENTED = {"file", "body"}
DEEPEST_TREE = 200
SHORT = 200
MOST_TREES = 2_000
MEANINGLESS = re.compile(r"#[^\n]*|[\r\n]")


def parse_body(text: LocatedText) -> Any:
    """The docstring and the statements of a body, each on a line of the source; raises as for a file."""
    try:
        return parse(text, "body")
    except ArchError as error:
        from archdsl.syntax.syntax_errors import all_mistakes

        raise all_mistakes(text, error, lambda rest: parse(rest, "body"), head="block body:") from None


def parse(text: LocatedText, start: str) -> Any:
    """Parse a text by the rule `start`; raises ArchError.

    Only files and bodies have lines: anywhere else a line end is a blank.
    """
    from lark import UnexpectedInput

    check_size(text, start in INDENTED)
    if start in INDENTED:
        content = text.content.rstrip() + "\n"
    else:
        # As many blanks, so that offsets stay.
        content = MEANINGLESS.sub(lambda found: " " * len(found[0]), text.content)
    try:
        tree = short_tree(content, start) if len(content) <= SHORT else machine().parse(content, start=start)
        # Before the transformer, and whatever walks its result, recurse.
        check_depth(text, tree)
        return SyntaxTransformer(text).transform(tree)
    except IndentationFault as fault:
        end = fault.token.end_pos or 0
        place = text.span(end - len(fault.token.rsplit("\n", 1)[1]), end)
        raise catalog.SYNTAX.error(place, fault.message, help="align it with one of the lines above") from None
    except MisplacedOperator as error:
        raise syntax_error(text, error.token.start_pos, error.token, error.expected) from None
    except UnexpectedInput as error:
        # Lark's errors have what was expected under three names, by the part that raised them.
        known = (getattr(error, name, None) for name in ("accepts", "expected", "allowed"))
        expected: set[str] = set(next(filter(None, known), ()))
        raise syntax_error(text, error.pos_in_stream or 0, getattr(error, "token", None), expected) from None


@lru_cache(MOST_TREES)
def short_tree(content: str, start: str) -> Any:
    """The tree of a short text, cached: many networks have the same stem and head."""
    return machine().parse(content, start=start)


def check_depth(text: LocatedText, tree: Any) -> None:
    """Raise for expressions that nest too deeply, before anything recurses into them."""
    left = [(tree, 0)]
    while left:
        each, above = left.pop()
        depth = above + levels(each)
        if depth > DEEPEST_TREE:
            place = text.span(each.meta.start_pos, each.meta.end_pos)
            raise catalog.TOO_DEEP.error(place, f"nested {DEEPEST_TREE} levels deep")
        left += [(part, depth) for part in branches(each)]


def levels(tree: Any) -> int:
    """The levels that a branch adds: a row of operands may nest as deep as it has signs."""
    return sum(isinstance(part, str) for part in tree.children) if tree.data == "operation" else 1


def syntax_error(text: LocatedText, at: int, token: Any, expected: set[str]) -> ArchError:
    """The error at the place where the parser stopped: at a token, or at a character that begins none."""
    from archdsl.syntax.syntax_errors import ErrorContext, describe

    if token is None or token.type == "$END":
        at = len(text.content) if token is not None else at  # lark gives `$END` the place of the token before it
        found = text.content[at : at + 1]
        size = len(text.content.rstrip())
        at, end = min(at, size), min(at + 1, size)
    else:
        found = str(token)
        end = at + max(len(found.rstrip()), 1)
    kind = token.type if token is not None else "" if found else "$END"
    return ArchError([describe(ErrorContext(text, at, kind, found, expected, is_expression), end)])


def is_expression(content: str) -> bool:
    """Check that a text parses as an expression."""
    try:
        parse(LocatedText.of(Source("", content)), "expression")
    except ArchError:
        return False
    return True
