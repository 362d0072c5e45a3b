"""Expressions that lost their commas: inside `{...}` and `[...]` YAML cuts an unquoted text at every one.

`{stem: cna(64, 7, 2)}` is a mapping with the keys `stem`, `7` and `2)`. The pieces are found by the brackets that they
leave open, reported, and put together again, so that what else is wrong can be said too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from archdsl.errors import Span, catalog
from archdsl.frontend.text import Text
from archdsl.frontend.yaml.data import Data, Entry, Scalar
from archdsl.frontend.yaml.findings import Findings
from archdsl.frontend.yaml.scalars import FOLD, rewritten

T = TypeVar("T")
LONGEST_EXAMPLE = 60
MOST_PIECES = 100


def entries(given: Sequence[Entry], findings: Findings) -> list[Entry]:
    """The lines of a flow mapping, with torn expressions whole again."""
    found: list[Entry] = []
    at = 0
    while at < len(given):
        entry = given[at]
        first = entry.key if empty(entry.value) else entry.value
        end = pieces_end(given, at + 1, opened(first), lambda each: opened(each.key) + opened(each.value), is_piece)
        if end > at + 1 and isinstance(first, Scalar):
            last = given[end - 1]
            whole = mended(first, last.key.span if empty(last.value) else last.value.span, findings)
            entry = Entry(whole, entry.value) if first is entry.key else Entry(entry.key, whole)
        found.append(entry)
        at = end
    return found


def items(given: Sequence[Data], findings: Findings) -> list[Data]:
    """The items of a flow list, with torn expressions whole again; what never closes is no expression."""
    found: list[Data] = []
    at = 0
    while at < len(given):
        item = given[at]
        end = pieces_end(given, at + 1, opened(item), opened, is_plain)
        whole = end > at + 1 and sum(map(opened, given[at:end])) <= 0
        if whole and isinstance(item, Scalar):
            item = mended(item, given[end - 1].span, findings)
        found.append(item)
        at = end if whole else at + 1
    return found


def pieces_end(
    given: Sequence[T], at: int, count: int, opens: Callable[[T], int], fits: Callable[[T, int], bool]
) -> int:
    """Where the pieces end that belong to an expression with `count` open brackets."""
    last = min(len(given), at + MOST_PIECES)
    while count > 0 and at < last and fits(given[at], count):
        count += opens(given[at])
        at += 1
    return at


def is_piece(entry: Entry, count: int) -> bool:
    """Whether a line of a mapping can be a piece: it is a key without a value, or it closes what is open."""
    return not entry.key.style and (empty(entry.value) or opened(entry.key) + opened(entry.value) + count <= 0)


def is_plain(data: Data, count: int) -> bool:
    """Whether an item of a list can be a piece: it is a text without quotes."""
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
    label = "without quotes, YAML cuts this at its commas"
    findings.add(catalog.YAML, span, label, f"put the expression in quotes{example}")
    return Scalar(Text(content, span, offsets))
