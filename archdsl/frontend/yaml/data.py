"""YAML as plain data: texts, lists and mappings, each with its place. No scalar has a type: all are text."""

from __future__ import annotations

from typing import NamedTuple

from archdsl.errors import Span
from archdsl.frontend.text import Text


class Scalar(NamedTuple):
    """A text. `style` is its first sign (quote, `|`, `>`), or empty."""

    text: Text
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


class Entry(NamedTuple):
    """A line of a mapping."""

    key: Scalar
    value: Data


class Mapping(NamedTuple):
    """A mapping; no key stands twice in it."""

    entries: tuple[Entry, ...]
    span: Span


Data = Scalar | Sequence | Mapping

KINDS = {Scalar: "a text", Sequence: "a list", Mapping: "a mapping"}
"""How they are called in messages."""
