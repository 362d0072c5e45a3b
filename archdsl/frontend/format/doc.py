"""Text that knows where it may be broken: a small pretty-printer after Wadler (1998).

A layout is a string, a tuple of layouts one after the other, a `LineBreak`, or one of the boxes below. A `DocGroup`
stands on one line if it fits; otherwise its own lines break, and those of groups inside it only if they have to. At a
`Spot`, comments may stand: what holds one is never on one line, and after a comment the line always ends.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from archdsl.frontend.format.trivia import Comments, Notes, Place

WIDTH = 100
ENDLESS = 10**9


class LineBreak(NamedTuple):
    """A place to break; on one line it is `flat`, unless it always breaks."""

    flat: str = " "
    always: bool = False


class DocGroup(NamedTuple):
    """What breaks together; `begun` says that its author broke it, which counts where the author's layout is kept."""

    inner: Layout
    begun: bool = False


class Nest(NamedTuple):
    """What is indented further by `by`, when it breaks."""

    by: int
    inner: Layout


class Align(NamedTuple):
    """What is indented to where it begins, when it breaks."""

    inner: Layout


class Spot(NamedTuple):
    """A part that comments can stand at."""

    place: Place
    inner: Layout


class Remark(NamedTuple):
    """A comment, on a line of its own or at the end of one."""

    text: str
    own: bool


Layout = str | LineBreak | DocGroup | Nest | Align | Spot | Remark | tuple["Layout", ...]
Item = tuple[int, bool, Layout]
"""A layout that waits: its indentation, whether it stands on one line, and itself."""

NO_NOTES = Notes()


def fill(parts: Iterable[Layout], before: str = "", behind: str = "") -> Layout:
    """Parts that fill each line; `before` and `behind` stand beside each break."""
    first, *rest = parts
    return (
        DocGroup(first),
        *(each for part in rest for each in (behind, DocGroup((LineBreak(), before, DocGroup(part))))),
    )


def render(
    layout: Layout, indent: int = 0, column: int | None = None, width: int = WIDTH, notes: Notes = NO_NOTES
) -> str:
    """The text of a layout that begins at `column`, in lines indented by `indent`."""
    page = Page(indent if column is None else column, width)
    waiting: list[Item] = [(indent, False, layout)]
    while waiting:
        level, flat, item = waiting.pop()
        match item:
            case str():
                page.write(item, level)
            case LineBreak(blank, always):
                page.line(level, blank if flat and not always else None)
            case Remark(text, own):
                page.remark(text, own, level)
            case DocGroup(inner, begun):
                held = (level, True, inner)
                on_line = flat or (not (begun and notes.keep) and fits(held, waiting, page.room, notes))
                waiting.append((level, on_line, inner))
            case Spot(place, inner):
                waiting += ((level, flat, part) for part in reversed(with_remarks(inner, notes.take([place]))))
            case _:
                waiting += opened(level, flat, item, page.at)
    return "".join(page.out)


class Page:
    """What has been written, and where the pen is."""

    def __init__(self, at: int, width: int) -> None:
        self.out: list[str] = []
        self.at = at
        self.width = width
        self.fresh = False
        self.remarked = False

    @property
    def room(self) -> int:
        """How much of the line is left; nothing behind a comment."""
        return -1 if self.remarked else self.width - self.at

    def write(self, text: str, level: int) -> None:
        """A text; behind a comment, on a new line."""
        if text and self.remarked:
            self.line(level, None)
        self.out.append(text)
        self.at += len(text)
        self.fresh = self.fresh and not text

    def line(self, level: int, blank: str | None) -> None:
        """A place to break: a blank, or the next line; nothing at the beginning of a line."""
        if self.fresh:
            return
        if blank is not None and not self.remarked:
            self.write(blank, level)
            return
        self.out.append("\n" + " " * level)
        self.at, self.fresh, self.remarked = level, True, False

    def remark(self, text: str, own: bool, level: int) -> None:
        """A comment."""
        if (own and not self.fresh) or self.remarked:
            self.line(level, None)
        self.out.append(text if self.fresh else f"  {text}")
        self.fresh, self.remarked = False, True


def with_remarks(inner: Layout, note: Comments) -> tuple[Layout, ...]:
    """A part with its comments; of several beside it, all but the last come first."""
    *more, beside = note.beside or ("",)
    before = ((Remark(text, True), LineBreak(always=True)) for text in (*note.before, *more) if text)
    return (
        *before,
        inner,
        *([Remark(beside, False)] if beside else []),
        *(Remark(text, True) for text in note.behind if text),
    )


def spots(layout: Layout) -> Iterator[Place]:
    """The places of a layout at which comments can stand."""
    waiting = [layout]
    while waiting:
        match waiting.pop():
            case str() | LineBreak() | Remark():
                pass
            case Spot(place, inner):
                yield place
                waiting.append(inner)
            case DocGroup(inner, _) | Align(inner) | Nest(_, inner):
                waiting.append(inner)
            case parts:
                waiting += parts


def opened(level: int, flat: bool, item: Nest | Align | tuple[Layout, ...], at: int) -> Iterator[Item]:
    """What is in a box, last things first."""
    match item:
        case Nest(by, inner):
            yield level + by, flat, inner
        case Align(inner):
            yield at, flat, inner
        case _:
            yield from ((level, flat, part) for part in reversed(item))


def fits(first: Item, following: list[Item], room: int, notes: Notes) -> bool:
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
            case LineBreak(blank, always):
                if always or not flat:
                    return not flat
                room -= len(blank)
            case Remark():
                return not flat
            case DocGroup(inner, _):
                waiting.append((level, flat, inner))
            case Spot(place, inner):
                if notes.comments_at([place]):
                    return not flat
                waiting.append((level, flat, inner))
            case _:
                waiting += opened(level, flat, item, 0)
    return False
