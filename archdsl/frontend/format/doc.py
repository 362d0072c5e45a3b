"""Text that knows where it may be broken: a small pretty-printer after Wadler (1998).

A layout is a string, a tuple of layouts one after the other, a `LineBreak`, or one of the boxes below. A `DocGroup`
stands on one line if it fits; otherwise its own lines break, and those of groups inside it only if they have to. At a
`Spot`, comments may stand: what holds one is never on one line, and after a comment the line always ends.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from archdsl.diagnostics import Span
from archdsl.diagnostics.characters import plain
from archdsl.diagnostics.suppression import MARK

# ---- comments --------------------------------------------------------------------------------------------------------

# A key for comments: the offsets of a node or, for a part that is no node, a word and the offset of its owner.
Place = tuple[object, ...]

# The comments at the top of a file, apart from those of its first element.
HEAD: Place = ("head",)
# The comments after the last element of a file.
END: Place = ("end",)


def at(span: Span | None) -> Place:
    """The place of a node."""
    return () if span is None else (span.start, span.end)


def of(word: str, owner: Span | None = None) -> Place:
    """The place of a part that is no node: `of("doc", block.span)`."""
    return (word,) if owner is None else (word, owner.start)


class Comments(NamedTuple):
    """The comments before a part, each on its own line (an empty one is an empty line), beside it, and behind it."""

    before: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()
    behind: tuple[str, ...] = ()

    def plus(self, other: Comments) -> Comments:
        """Both together."""
        return Comments(self.before + other.before, self.beside + other.beside, self.behind + other.behind)


NOTHING = Comments()


class Notes:
    """The notes of a text. Each is taken once, so that nothing is said twice where one node stands at two places.

    With `keep`, breaks that the author made are kept where something does not fit into a line. With `above`, comments
    beside what goes over several lines come before it: in YAML they stood at its key.
    """

    def __init__(self, *, keep: bool = False) -> None:
        self.notes: dict[Place, Comments] = {}
        self.starts: dict[Place, int] = {}
        self.leading: dict[Place, Place] = {}
        self.keep = keep
        self.above = False

    def add(self, place: Place, note: Comments) -> None:
        """Add comments at a place."""
        self.notes[place] = self.notes.get(place, NOTHING).plus(Comments(*(tuple(map(plain, part)) for part in note)))

    def lead(self) -> None:
        """Move the comments before a first item to before the whole list, where no line can begin with the item."""
        for first, whole in self.leading.items():
            note = self.notes.pop(first)
            self.add(whole, Comments(note.before))
            self.add(first, note._replace(before=()))

    def take(self, places: Iterable[Place]) -> Comments:
        """Take the comments of some places, which are gone afterwards."""
        found = NOTHING
        for place in places:
            found = found.plus(self.notes.pop(place, NOTHING))
        return found

    def rest(self) -> tuple[str, ...]:
        """Take the comments that are left: those of parts that are not written, such as an empty list."""
        left = self.take(list(self.notes))
        return tuple(text for part in left for text in part if text)

    def comments_at(self, places: Iterable[Place]) -> bool:
        """Check for comments; empty lines do not count."""
        return any(any(part) for place in places for part in self.notes.get(place, NOTHING))

    def start_of(self, place: Place) -> int:
        """The offset of a place in its source, or -1."""
        first = place[0] if place else -1
        return first if isinstance(first, int) else self.starts.get(place, -1)


# ---- layouts ---------------------------------------------------------------------------------------------------------

WIDTH = 100
ENDLESS = 10**9


class LineBreak(NamedTuple):
    """A place to break; on one line it is `flat`, unless it always breaks."""

    flat: str = " "
    always: bool = False


class DocGroup(NamedTuple):
    """A layout whose line breaks break together; `begun`: its author broke it, which may be kept."""

    inner: Layout
    begun: bool = False


class Nest(NamedTuple):
    """A layout that is indented further by `by` where it breaks; to its own beginning, if that is None."""

    by: int | None
    inner: Layout


class Spot(NamedTuple):
    """A part that comments can stand at."""

    place: Place
    inner: Layout


class Remark(NamedTuple):
    """A comment, on a line of its own or at the end of one."""

    text: str
    own: bool


Layout = str | LineBreak | DocGroup | Nest | Spot | Remark | tuple["Layout", ...]
# A layout that waits: its indentation, whether it stands on one line, and itself.
Item = tuple[int, bool, Layout]

NO_NOTES = Notes()


def render(layout: Layout, indent: int = 0, width: int = WIDTH, notes: Notes = NO_NOTES) -> str:
    """The text of a layout, in lines indented by `indent`."""
    page = Printer(indent, width)
    # A stack in place of recursion: a sum of thousands of terms nests deeper than Python does.
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
                # A break that the author made stands for all breaks of its group.
                on_line = flat or (not (begun and notes.keep) and fits(held, waiting, page.room, notes))
                waiting.append((level, on_line, inner))
            case Spot(place, inner):
                waiting += ((level, flat, part) for part in reversed(with_remarks(inner, notes.take([place]))))
            case _:
                waiting += opened(level, flat, item, page.at)
    return "".join(page.out)


class Printer:
    """The text written so far, and the column of its end."""

    def __init__(self, at: int, width: int) -> None:
        self.out: list[str] = []
        self.at = at
        self.width = width
        self.fresh = False
        self.remarked = False

    @property
    def room(self) -> int:
        """The columns that are left in the line; none after a comment."""
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
            case DocGroup(inner, _) | Nest(_, inner):
                waiting.append(inner)
            case parts:
                waiting += parts


def opened(level: int, flat: bool, item: Nest | tuple[Layout, ...], at: int) -> Iterator[Item]:
    """The parts of a box, the last first."""
    match item:
        case Nest(by, inner):
            yield at if by is None else level + by, flat, inner
        case _:
            yield from ((level, flat, part) for part in reversed(item))


def fits(first: Item, following: list[Item], room: int, notes: Notes) -> bool:
    """Check that an item, with the text after it up to the next break, fits into the rest of a line."""
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


# ---- lines -----------------------------------------------------------------------------------------------------------


class PrintedLine(NamedTuple):
    """A line, or, where its layout has to be broken, several.

    `places` are those whose comments stand at it. What is indented further below it belongs to it. `apart` puts an
    empty line before it; otherwise there is one where the author put one.
    """

    indent: int
    layout: Layout
    places: tuple[Place, ...] = ()
    apart: bool = False


def weave(rows: Iterable[PrintedLine], notes: Notes = NO_NOTES) -> str:
    """The text of a file."""
    head = notes.take([HEAD]).before
    loom = Loom(notes)
    loom.comments(tidied(head), 0)
    for row in rows:
        loom.add(row)
    loom.comments(loom.close(-1), 0)
    end = notes.take([END]).before
    loom.comments(tidied((*notes.rest(), *end)), 0)
    while loom.lines and not loom.lines[-1]:
        loom.lines.pop()
    return "".join(f"{line}\n" for line in loom.lines)


class Loom:
    """The lines so far, and the comments that wait for the end of what they stand behind."""

    def __init__(self, notes: Notes) -> None:
        self.notes = notes
        self.lines: list[str] = []
        self.behind: list[tuple[int, tuple[str, ...]]] = []
        self.last = -1

    def add(self, row: PrintedLine) -> None:
        """A row, with its comments before and beside it."""
        ahead = self.close(row.indent)
        before, beside, behind = self.notes.take(row.places)
        text = render(row.layout, row.indent, notes=self.notes)
        # A line has room for one comment beside it; the others go above.
        *more, last = beside or ("",)
        if "\n" in text and self.notes.above:
            more, last = [*more, last], ""
        before = (*ahead, *before, *filter(None, more))
        if self.last < 0 and not last and before and MARK.match(before[-1]):
            *before, last = before  # above the first line, it would be for the whole file
        if row.apart and before[:1] != ("",):
            before = ("", *before)
        first = row.indent > self.last or not self.lines
        self.comments(tidied(before, first=first), row.indent)
        self.lines.append(" " * row.indent + text if text else "")
        if last:
            self.lines[-1] += f"  {last}"
        if behind:
            self.behind.append((row.indent, behind))
        self.last = row.indent

    def comments(self, texts: Iterable[str], indent: int) -> None:
        """Comments on lines of their own."""
        self.lines += [" " * indent + text if text else "" for text in texts]

    def close(self, indent: int) -> tuple[str, ...]:
        """Write the comments after parts that end before a row; return those of its neighbor, which precede it."""
        while self.behind and self.behind[-1][0] > indent:
            level, texts = self.behind.pop()
            self.comments(tidied(texts), level)
        return self.behind.pop()[1] if self.behind and self.behind[-1][0] == indent else ()


def tidied(texts: Iterable[str], *, first: bool = False) -> list[str]:
    """Comments with at most one empty line between two, and none before the first thing inside of another."""
    found: list[str] = []
    for text in texts:
        if text or (found[-1] if found else not first):
            found.append(text)
    return found
