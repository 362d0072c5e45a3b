"""Source texts and places in them."""

from __future__ import annotations

import os
from bisect import bisect_right
from functools import cached_property, lru_cache
from pathlib import Path
from typing import NamedTuple


def shown(path: Path) -> str:
    """A path as messages show it: relative to where the user is, if it lies below."""
    if not path.is_absolute() and ".." not in path.parts:
        return str(path)
    try:
        real, here = os.path.realpath(path), without_links(os.getcwd())
    except (ValueError, OSError):
        return str(path)
    if real == here:
        return "."
    inside = os.path.join(here, "")
    return real[len(inside) :] if real.startswith(inside) else str(path)


@lru_cache(maxsize=1)
def without_links(folder: str) -> str:
    """The current folder without symbolic links; cached, as each file that is read needs it."""
    return os.path.realpath(folder)


class Source:
    """A text with the name it is shown by (a file's path, `<text>`, `-p`).

    A name that is given as a path is shown as it is seen from where the user is at the time: such a text is read once,
    and the user may go elsewhere.
    """

    def __init__(self, name: str | Path, text: str, *, shipped: bool = False) -> None:
        self.called = name
        self.text = text
        self.shipped = shipped

    @property
    def name(self) -> str:
        """The name of the text."""
        return self.called if isinstance(self.called, str) else shown(self.called)

    @cached_property
    def line_starts(self) -> list[int]:
        """The offset at which each line starts."""
        starts = [0]
        find = self.text.find
        while (end := find("\n", starts[-1])) >= 0:
            starts.append(end + 1)
        return starts

    def position(self, offset: int) -> tuple[int, int]:
        """Line and column of an offset, both counted from 1, columns in characters."""
        line = bisect_right(self.line_starts, offset)
        return line, offset - self.line_starts[line - 1] + 1

    def line(self, number: int) -> str:
        """The text of a line, without its end."""
        start = self.line_starts[number - 1]
        end = self.text.find("\n", start)
        return self.text[start : end if end >= 0 else None].rstrip("\r")

    def __repr__(self) -> str:
        return f"Source({self.name!r})"


class Span(NamedTuple):
    """A part of a source: from `start` up to, not including, `end`."""

    source: Source
    start: int
    end: int

    def __repr__(self) -> str:
        line, column = self.source.position(self.start)
        return f"{self.source.name}:{line}:{column}"

    @property
    def text(self) -> str:
        """The marked text itself."""
        return self.source.text[self.start : self.end]

    def to(self, other: Span) -> Span:
        """From the start of this to the end of the other."""
        return Span(self.source, self.start, max(self.end, other.end))


def whole(name: str) -> Span:
    """The place of what is wrong with a text as a whole, when nothing of it can be shown."""
    return Span(Source(name, ""), 0, 0)
