"""Checks before YAML is composed: size, depth, numbers, aliases, tags, characters.

PyYAML's composer recurses (in C, down to a crash), and an alias is the same node again, so that a few lines can stand
for millions of nodes. Events come one by one, and are counted here, with what aliases stand for.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, cast

from yaml import events as ev

from archdsl.diagnostics import ArchError, DiagnosticKind, Note, Source, Span, catalog
from archdsl.syntax.located_text import LocatedText, check_characters
from archdsl.syntax.models import QUOTES
from archdsl.syntax.nodes import DEEPEST_DATA, MOST_NODES, SPLIT, SURROGATE
from archdsl.syntax.parser import LARGEST, check_length

NONCHARACTER = re.compile("[\ufffe\uffff]")
MEANT = "write the values out: aliases of aliases multiply"


class Size(NamedTuple):
    """Size of a node with everything in it."""

    nodes: int = 0
    characters: int = 0

    def plus(self, other: Size) -> Size:
        """Both together."""
        return Size(self.nodes + other.nodes, self.characters + other.characters)


class OpenCollection(NamedTuple):
    """A list or mapping that has begun."""

    anchor: str | None
    before: Size


def check_text(source: Source) -> None:
    """Raises for a text that is too large, or holds characters that nobody sees, or that YAML does not have."""
    check_length(source.text, Span(source, 0, 0))
    check_characters(LocatedText.of(source), catalog.YAML)
    if found := NONCHARACTER.search(source.text):
        label = f"the character {ord(found[0]):#06x} does not belong in a text"
        raise catalog.YAML.error(Span(source, found.start(), found.end()), label, help="remove it")


class Guard:
    """Counts the events of a file, and raises for the first that goes too far."""

    def __init__(self, place: Callable[[Any, Any], Span]) -> None:
        self.place = place
        self.total = Size()
        self.open: list[OpenCollection] = []
        self.anchors: dict[str, tuple[Size, Span]] = {}
        self.documents = 0

    def check(self, events: Iterable[object]) -> None:
        """Looks at all events."""
        for event in events:
            if handler := HANDLERS.get(type(event)):
                handler(self, event)

    def error(self, rule: DiagnosticKind, event: Any, label: str, help: str = "") -> ArchError:
        """A finding at an event."""
        return rule.error(self.place(event.start_mark, event.end_mark), label, help=help)

    def document(self, event: Any) -> None:
        """A file holds one document."""
        self.documents += 1
        if self.documents > 1:
            label, help = "a second YAML document begins here", "one file is one document; `backbones:` holds several"
            raise self.error(catalog.YAML, event, label, help)

    def node(self, event: Any, size: Size) -> None:
        """Any node: its tag, its anchor, and how many there are."""
        if event.tag is not None:
            label = f"`{event.tag[:60]}` is a tag; a spec is plain data and has none"
            raise self.error(catalog.YAML, event, label, help=f"remove it; or, if this is an expression, {QUOTES}")
        if event.anchor is not None and event.anchor in self.anchors:
            raise self.second_anchor(event)
        self.grow(event, size)

    def second_anchor(self, event: Any) -> ArchError:
        """The finding for an anchor that is set again."""
        span = self.place(event.start_mark, event.end_mark)
        notes = (Note(self.anchors[event.anchor][1], "first here"),)
        return ArchError([catalog.DUPLICATE.at(span, f"the anchor `{event.anchor}` is already defined", notes=notes)])

    def grow(self, event: Any, size: Size) -> None:
        """Counts."""
        self.total = self.total.plus(size)
        if self.total.nodes > MOST_NODES:
            raise self.error(catalog.TOO_LARGE, event, f"more than {MOST_NODES:,} values, with aliases expanded", MEANT)
        if self.total.characters > LARGEST:
            raise self.error(catalog.TOO_LARGE, event, f"more than {LARGEST:,} characters, with aliases expanded")

    def scalar(self, event: Any) -> None:
        """A text."""
        if SURROGATE.search(event.value):
            raise self.error(catalog.YAML, event, "an escape that stands for no character", "remove it")
        size = Size(1, len(event.value))
        self.node(event, size)
        if event.anchor is not None:
            self.anchors[event.anchor] = size, self.place(event.start_mark, event.end_mark)

    def start(self, event: Any) -> None:
        """The beginning of a list or mapping."""
        before = self.total
        self.node(event, Size(1, 0))
        self.open.append(OpenCollection(event.anchor, before))
        if len(self.open) > DEEPEST_DATA:
            raise self.error(catalog.TOO_DEEP, event, f"more than {DEEPEST_DATA} lists and mappings are open", SPLIT)

    def end(self, event: Any) -> None:
        """Its end."""
        anchor, before = self.open.pop()
        if anchor is not None:
            size = Size(self.total.nodes - before.nodes, self.total.characters - before.characters)
            self.anchors[anchor] = size, self.place(event.start_mark, event.end_mark)

    def alias(self, event: Any) -> None:
        """A node once more."""
        if any(each.anchor == event.anchor for each in self.open):
            raise self.error(catalog.CYCLE, event, f"`*{event.anchor}` is used inside the value that it stands for")
        if event.anchor not in self.anchors:
            label = f"`*` at the beginning of a value is an alias in YAML, and there is no anchor `{event.anchor[:60]}`"
            raise self.error(catalog.YAML, event, label, QUOTES)
        self.grow(event, self.anchors[event.anchor][0])


HANDLERS = cast(
    "dict[type[Any], Callable[[Guard, Any], None]]",
    {
        ev.DocumentStartEvent: Guard.document,
        ev.ScalarEvent: Guard.scalar,
        ev.SequenceStartEvent: Guard.start,
        ev.MappingStartEvent: Guard.start,
        ev.SequenceEndEvent: Guard.end,
        ev.MappingEndEvent: Guard.end,
        ev.AliasEvent: Guard.alias,
    },
)
