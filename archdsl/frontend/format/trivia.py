"""What a document does not hold but its text does: comments and empty lines, each at the part that it stands at."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from archdsl.diagnostics import Span
from archdsl.diagnostics.characters import plain

Place = tuple[object, ...]
"""Where notes can stand: the place of a node in its source; of what is no node, a word and where its owner begins."""

HEAD: Place = ("head",)
"""What stands at the very beginning of a file, apart from its first element."""
END: Place = ("end",)
"""What stands behind the last element of a file."""


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
        """Takes down one more note."""
        self.notes[place] = self.notes.get(place, NOTHING).plus(Comments(*(tuple(map(plain, part)) for part in note)))

    def lead(self) -> None:
        """Moves the comments before the first item of a list to before the whole, where no line can begin with one."""
        for first, whole in self.leading.items():
            note = self.notes.pop(first)
            self.add(whole, Comments(note.before))
            self.add(first, note._replace(before=()))

    def take(self, places: Iterable[Place]) -> Comments:
        """The notes of some places, once."""
        found = NOTHING
        for place in places:
            found = found.plus(self.notes.pop(place, NOTHING))
        return found

    def rest(self) -> tuple[str, ...]:
        """The comments that nobody took: they stood at what is said no more, as at an empty list."""
        left = self.take(list(self.notes))
        return tuple(text for part in left for text in part if text)

    def comments_at(self, places: Iterable[Place]) -> bool:
        """Whether there are comments (empty lines do not count)."""
        return any(any(part) for place in places for part in self.notes.get(place, NOTHING))

    def start_of(self, place: Place) -> int:
        """Where in its source something stands, or -1."""
        first = place[0] if place else -1
        return first if isinstance(first, int) else self.starts.get(place, -1)
