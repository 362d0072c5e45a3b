"""Expressions that lost their commas: inside `{...}` and `[...]` YAML cuts an unquoted text at every one.

`{stem: cna(64, 7, 2)}` is a mapping with the keys `stem`, `7` and `2)`. The pieces are found by the brackets that they
leave open, reported, and put together again, so that what else is wrong can be said too.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from archdsl.errors import Span, catalog
from archdsl.frontend.text import Text
from archdsl.frontend.yaml.data import Data, Entry, Scalar
from archdsl.frontend.yaml.findings import Findings
from archdsl.frontend.yaml.scalars import FOLD, rewritten

LONGEST_EXAMPLE = 60
MOST_PIECES = 50


class Piece(NamedTuple):
    """How a part of a flow mapping or list looks as a piece of an expression."""

    opens: int
    """How many brackets it leaves open."""
    may_go_on: bool
    """Whether it can be a piece in the middle: a text without quotes, or a key without a value."""
    may_close: bool
    """Whether it can be the last piece."""


def entries(given: Sequence[Entry], findings: Findings) -> list[Entry]:
    """The lines of a flow mapping, with torn expressions whole again."""
    pieces = [piece_of_entry(each) for each in given]
    found: list[Entry] = []
    at = 0
    while at < len(given):
        entry = given[at]
        first = entry.key if empty(entry.value) else entry.value
        end = end_of_pieces(pieces, at + 1, opened(first))
        if end > at + 1 and isinstance(first, Scalar):
            last = given[end - 1]
            whole = mended(first, last.key.span if empty(last.value) else last.value.span, findings)
            entry = Entry(whole, entry.value) if first is entry.key else Entry(entry.key, whole)
        found.append(entry)
        at = end
    return found


def items(given: Sequence[Data], findings: Findings) -> list[Data]:
    """The items of a flow list, with torn expressions whole again; what never closes is no expression."""
    pieces = [Piece(opened(each), is_plain(each), is_plain(each)) for each in given]
    found: list[Data] = []
    at = 0
    while at < len(given):
        item = given[at]
        end = end_of_pieces(pieces, at + 1, pieces[at].opens)
        whole = end > at + 1 and sum(piece.opens for piece in pieces[at:end]) <= 0
        if whole and isinstance(item, Scalar):
            item = mended(item, given[end - 1].span, findings)
        found.append(item)
        at = end if whole else at + 1
    return found


def end_of_pieces(pieces: Sequence[Piece], at: int, count: int) -> int:
    """Where the pieces end, from `at` on, that belong to an expression with `count` open brackets."""
    last = min(len(pieces), at + MOST_PIECES)
    while count > 0 and at < last:
        count += pieces[at].opens
        if not (pieces[at].may_go_on or (pieces[at].may_close and count <= 0)):
            break
        at += 1
    return at


def piece_of_entry(entry: Entry) -> Piece:
    """A line of a flow mapping as a piece."""
    plain = is_plain(entry.key)
    return Piece(opened(entry.key) + opened(entry.value), plain and empty(entry.value), plain)


def is_plain(data: Data) -> bool:
    """Whether this is a text without quotes."""
    return isinstance(data, Scalar) and not data.style


def opened(data: Data) -> int:
    """How many brackets an unquoted text leaves open."""
    if not isinstance(data, Scalar) or data.style:
        return 0
    return data.content.count("(") - data.content.count(")")


def empty(data: Data) -> bool:
    """Whether there is no value."""
    return isinstance(data, Scalar) and not data.content and not data.style


def mended(first: Scalar, last: Span, findings: Findings) -> Scalar:
    """The whole expression, which is reported."""
    span = first.span.to(last)
    content, offsets = rewritten(span.text, span.start, FOLD)
    example = f': "{content}"' if len(content) <= LONGEST_EXAMPLE else ""
    label = "without quotes, YAML splits this at its commas"
    findings.add(catalog.YAML, span, label, f"put the expression in quotes{example}")
    return Scalar(Text(content, span, offsets))
