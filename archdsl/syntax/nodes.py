"""Plain data with places: texts, lists and mappings, from YAML or from Python. No scalar has a type: all are text."""

from __future__ import annotations

import re
from collections.abc import Mapping as PythonMapping
from collections.abc import Sequence as PythonSequence
from decimal import Decimal
from fractions import Fraction
from numbers import Real
from typing import Any, NamedTuple, cast

from archdsl.diagnostics import Source, Span, catalog
from archdsl.syntax.text import LocatedText

DEEPEST_DATA = 40
MOST_NODES = 50_000
SPLIT = "a spec is at most three or four deep; define the inner parts as blocks of their own"
SURROGATE = re.compile("[\ud800-\udfff]")


class Scalar(NamedTuple):
    """A text. `style` is its first sign in YAML (quote, `|`, `>`), or empty; a text of Python keeps lines, as `|`."""

    text: LocatedText
    style: str = ""

    @property
    def content(self) -> str:
        """The text itself."""
        return self.text.content

    @property
    def span(self) -> Span:
        """The place of the text."""
        return self.text.whole


class Sequence(NamedTuple):
    """A list."""

    items: tuple[Data, ...]
    span: Span


class MappingEntry(NamedTuple):
    """A line of a mapping."""

    key: Scalar
    value: Data

    @property
    def span(self) -> Span:
        """The place of the whole line; of Python's data, where each text is a source of its own, that of the key."""
        key, value = self.key.span, self.value.span
        return key.to(value) if key.source is value.source else key


class Mapping(NamedTuple):
    """A mapping; no key stands twice in it."""

    entries: tuple[MappingEntry, ...]
    span: Span


Data = Scalar | Sequence | Mapping

KINDS = {Scalar: "a text", Sequence: "a list", Mapping: "a mapping"}
"""How they are called in messages."""


def of_python(value: Any, name: str = "") -> Data:
    """Data of Python (a dict, lists, texts, numbers), each text a source that is named after the path of its key.

    Raises ArchError for what is no plain data, or too much of it.
    """
    return PythonData().node(value, name, 0)


class PythonData:
    """Converts data of Python, and counts it: lists may hold themselves, and each other."""

    def __init__(self) -> None:
        self.count = 0

    def node(self, value: Any, path: str, depth: int) -> Data:
        """Any value."""
        # A list that holds itself never ends; the count and the depth stop it.
        self.count += 1
        place = Span(Source(path or "the spec", ""), 0, 0)
        if self.count > MOST_NODES:
            raise catalog.TOO_LARGE.error(place, f"more than {MOST_NODES:,} values")
        if depth > DEEPEST_DATA:
            raise catalog.TOO_DEEP.error(place, f"more than {DEEPEST_DATA} lists and mappings are open", help=SPLIT)
        if isinstance(value, PythonMapping):
            pairs = cast("PythonMapping[Any, Any]", value).items()
            return Mapping(tuple(self.entry(key, each, path, depth + 1) for key, each in pairs), place)
        if isinstance(value, PythonSequence) and not isinstance(value, str | bytes):
            items = enumerate(cast("PythonSequence[Any]", value))
            return Sequence(tuple(self.node(each, f"{path}[{at}]", depth + 1) for at, each in items), place)
        return self.scalar(value, path, place)

    def entry(self, key: Any, value: Any, path: str, depth: int) -> MappingEntry:
        """A line of a mapping."""
        place = Span(Source(path or "the spec", ""), 0, 0)
        inner = f"{path}.{key}" if path else str(key)
        return MappingEntry(self.scalar(key, inner, place), self.node(value, inner, depth))

    def scalar(self, value: Any, path: str, place: Span) -> Scalar:
        """A text, number or truth value as the language writes it; `None` is what YAML has behind an empty key."""
        text = written(value)
        if text is None:
            label = f"a value of the type `{type(value).__name__}`, which a spec cannot hold"
            raise catalog.WRONG_TYPE.error(place, label, help="give texts, numbers, lists and dicts")
        # Half of a pair of UTF-16, which no file in UTF-8 can hold.
        if SURROGATE.search(text):
            raise catalog.DOCUMENT.error(place, "half a character: a surrogate on its own", help="remove it")
        return Scalar(LocatedText.of(Source(path, text)) if text else LocatedText("", place), "|")


def written(value: Any) -> str | None:
    """A simple value as the language writes it; None for any other."""
    if value is None or isinstance(value, str):
        return value or ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Real | Decimal) and not isinstance(value, Fraction):
        try:
            return str(value)
        except ValueError:  # more digits than Python writes
            return None
    return None
