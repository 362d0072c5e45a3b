"""Text to syntax tree: the grammar, loaded once, and what is said of text that does not fit it."""

# lark does not tell the types of its trees.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from lark import Token, Tree, UnexpectedCharacters, UnexpectedInput

from archdsl.errors import ArchError, Source, catalog
from archdsl.frontend.arch.builder import Builder
from archdsl.frontend.arch.indenter import IndentationFault
from archdsl.frontend.arch.limits import check_size
from archdsl.frontend.arch.tables import machine
from archdsl.frontend.text import Text
from archdsl.lang.text.document import Document

INDENTED = {"file", "body"}
DEEPEST_TREE = 200
SHORT = 200
MOST_TREES = 2_000
MEANINGLESS = re.compile(r"#[^\n]*|[\r\n]")


def parse_file(source: Source) -> Document:
    """The document that a `.arch` text says; raises ArchError with all mistakes that are independent of each other."""
    text = Text.of(source)
    try:
        return parse(text, "file")
    except ArchError as error:
        from archdsl.frontend.arch.recovery import all_mistakes

        raise all_mistakes(text, error, lambda rest: parse(rest, "file")) from None


def parse_body(text: Text) -> Any:
    """The docstring and the statements of a body, each on a line of the source; raises as `parse_file` does."""
    try:
        return parse(text, "body")
    except ArchError as error:
        from archdsl.frontend.arch.recovery import all_mistakes

        raise all_mistakes(text, error, lambda rest: parse(rest, "body"), head="block body:") from None


def parse(text: Text, start: str) -> Any:
    """What the rule `start` makes of a text; raises ArchError.

    Only files and bodies have lines: anywhere else a line end is a blank.
    """
    check_size(text, start in INDENTED)
    if start in INDENTED:
        content = text.content.rstrip() + "\n"
    else:
        content = MEANINGLESS.sub(lambda found: " " * len(found[0]), text.content)
    try:
        tree = short_tree(content, start) if len(content) <= SHORT else machine().parse(content, start=start)
        check_depth(text, tree)
        return Builder(text).transform(tree)
    except IndentationFault as fault:
        end = fault.token.end_pos or 0
        place = text.span(end - len(fault.token.rsplit("\n", 1)[1]), end)
        raise catalog.SYNTAX.error(place, fault.message, help="align it with one of the lines above") from None
    except UnexpectedInput as error:
        raise syntax_error(text, error) from None


@lru_cache(MOST_TREES)
def short_tree(content: str, start: str) -> Any:
    """The tree of a short text, made once: many networks have the same stem and head, and families share all."""
    return machine().parse(content, start=start)


def check_depth(text: Text, tree: Any) -> None:
    """Raises where expressions nest (or sums go on) deeper than anybody reads, before anything walks them."""
    left = [(tree, 0)]
    while left:
        each, above = left.pop()
        depth = above + levels(each)
        if depth > DEEPEST_TREE:
            place = text.span(each.meta.start_pos, each.meta.end_pos)
            raise catalog.TOO_DEEP.error(place, f"nested {DEEPEST_TREE} levels deep")
        left += [(part, depth) for part in each.children if isinstance(part, Tree)]


def levels(tree: Any) -> int:
    """How many levels a branch comes to: a row of operands may nest as deep as there are signs in it."""
    return sum(isinstance(part, Token) for part in tree.children) if tree.data == "operation" else 1


def syntax_error(text: Text, error: UnexpectedInput) -> ArchError:
    """What is wrong, in words, at the place where the parser could not go on."""
    from archdsl.frontend.arch.mistakes import Fault, describe

    at = error.pos_in_stream or 0
    token = getattr(error, "token", None)
    if isinstance(error, UnexpectedCharacters) or token is None or token.type == "$END":
        at = len(text.content) if token is not None else at  # lark gives `$END` the place of the token before it
        found = text.content[at : at + 1]
        size = len(text.content.rstrip())
        at, end = min(at, size), min(at + 1, size)
    else:
        found = str(token)
        end = at + max(len(found.rstrip()), 1)
    known = (getattr(error, name, None) for name in ("accepts", "expected", "allowed"))
    expected: set[str] = set(next(filter(None, known), ()))
    return ArchError([describe(Fault(text, at, token, found, expected), end)])
