"""YAML as plain data: texts, lists and mappings, each with its place. No scalar has a type: all are text."""

from __future__ import annotations

from typing import NamedTuple

from archdsl.diagnostics import Span
from archdsl.syntax.located_text import LocatedText


class Scalar(NamedTuple):
    """A text. `style` is its first sign (quote, `|`, `>`), or empty."""

    text: LocatedText
    style: str = ""

    @property
    def content(self) -> str:
        """What it says."""
        return self.text.content

    @property
    def span(self) -> Span:
        """Its place."""
        return self.text.whole


class Sequence(NamedTuple):
    """A list."""

    items: tuple[Data, ...]
    span: Span


class MappingEntry(NamedTuple):
    """A line of a mapping."""

    key: Scalar
    value: Data


class Mapping(NamedTuple):
    """A mapping; no key stands twice in it."""

    entries: tuple[MappingEntry, ...]
    span: Span


Data = Scalar | Sequence | Mapping

KINDS = {Scalar: "a text", Sequence: "a list", Mapping: "a mapping"}
"""How they are called in messages."""
