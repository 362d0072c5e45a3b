"""Text that knows where it may be broken: a small pretty-printer after Wadler (1998).

A layout is a string, a tuple of layouts one after the other, a `Line`, or one of the boxes below. A `Group` stands on
one line if it fits; otherwise its own lines break, and those of groups inside it only if they have to.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

WIDTH = 100


class Line(NamedTuple):
    """A place to break; on one line it is `flat`."""

    flat: str = " "


class Group(NamedTuple):
    """What breaks together."""

    inner: Layout


class Nest(NamedTuple):
    """What is indented further by `by`, when it breaks."""

    by: int
    inner: Layout


class Align(NamedTuple):
    """What is indented to where it begins, when it breaks."""

    inner: Layout


Layout = str | Line | Group | Nest | Align | tuple["Layout", ...]
Item = tuple[int, bool, Layout]
"""A layout that waits: its indentation, whether it stands on one line, and itself."""


def fill(parts: Iterable[Layout], before: str = "", behind: str = "") -> Layout:
    """Parts that fill each line; `before` and `behind` stand beside each break."""
    first, *rest = parts
    return (Group(first), *(each for part in rest for each in (behind, Group((Line(), before, Group(part))))))


def render(layout: Layout, indent: int = 0, column: int | None = None, width: int = WIDTH) -> str:
    """The text of a layout that begins at `column`, in lines indented by `indent`."""
    out: list[str] = []
    at = indent if column is None else column
    waiting: list[Item] = [(indent, False, layout)]
    while waiting:
        level, flat, item = waiting.pop()
        match item:
            case str():
                out.append(item)
                at += len(item)
            case Line(blank):
                out.append(blank if flat else "\n" + " " * level)
                at = at + len(blank) if flat else level
            case Group(inner):
                waiting.append((level, flat or fits((level, True, inner), waiting, width - at), inner))
            case _:
                waiting += opened(level, flat, item, at)
    return "".join(out)


def opened(level: int, flat: bool, item: Nest | Align | tuple[Layout, ...], at: int) -> Iterator[Item]:
    """What is in a box, last things first."""
    match item:
        case Nest(by, inner):
            yield level + by, flat, inner
        case Align(inner):
            yield at, flat, inner
        case _:
            yield from ((level, flat, part) for part in reversed(item))


def fits(first: Item, following: list[Item], room: int) -> bool:
    """Whether an item, and what follows it up to the next break, fits into the rest of a line."""
    waiting = [first]
    behind = len(following)
    while room >= 0:
        if not waiting:
            if behind == 0:
                return True
            behind -= 1
            waiting.append(following[behind])
        level, flat, item = waiting.pop()
        match item:
            case str():
                room -= len(item)
            case Line(blank):
                if not flat:
                    return True
                room -= len(blank)
            case Group(inner):
                waiting.append((level, flat, inner))
            case _:
                waiting += opened(level, flat, item, 0)
    return False
