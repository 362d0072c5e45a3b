"""A text to be parsed, which knows the place of each of its characters in the file that it came from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from archdsl.errors import Source, Span


class Text(NamedTuple):
    """Part of a source.

    `offsets` says where in the source each character of `content` stands (and, last, where it ends); with None, the
    content is not a literal copy, and all of it has the place `whole`.
    """

    content: str
    whole: Span
    offsets: Sequence[int] | None = None

    @staticmethod
    def of(source: Source) -> Text:
        """A whole source."""
        size = len(source.text)
        return Text(source.text, Span(source, 0, size), range(size + 1))

    def span(self, start: int, end: int) -> Span:
        """The place of a part of the content."""
        if self.offsets is None:
            return self.whole
        offsets, size = self.offsets, len(self.content)
        first = offsets[start if start < size else size]
        last = offsets[(end if end < size else size) - 1] + 1 if end > start else first
        return Span(self.whole.source, first, last)

    def after(self, start: int) -> Text:
        """The text without its first `start` characters."""
        offsets = self.offsets and self.offsets[start:]
        return Text(self.content[start:], self.span(start, len(self.content)), offsets)

    def between(self, before: str, after: str) -> Text:
        """The text with a sign before and a sign behind that do not stand in the source."""
        offsets = self.offsets and [self.offsets[0], *self.offsets, self.offsets[-1]]
        return Text(before + self.content + after, self.whole, offsets)
