"""From a YAML text to the document: limits, plain data with the place of each part, and the models.

PyYAML's composer recurses (in C, down to a crash), and an alias is the same node again, so that a few lines can stand
for millions of nodes. Events come one by one, and are counted before anything is composed, with what aliases stand for.
"""

from __future__ import annotations

import re
from bisect import bisect
from collections.abc import Callable, Iterable, Iterator
from itertools import accumulate, takewhile
from typing import Any

import yaml
from yaml import events as ev
from yaml.nodes import MappingNode, ScalarNode

from archdsl.diagnostics import ArchError, Diagnostic, DiagnosticKind, Note, Source, Span, catalog
from archdsl.frontend.yaml.yaml_errors import explained
from archdsl.syntax.document import START, File
from archdsl.syntax.models import QUOTES, in_order, validated
from archdsl.syntax.nodes import (
    DEEPEST_DATA,
    KINDS,
    MOST_NODES,
    SPLIT,
    SURROGATE,
    Data,
    Mapping,
    MappingEntry,
    Scalar,
    Sequence,
)
from archdsl.syntax.parser import LARGEST, check_length
from archdsl.syntax.text import LocatedText, check_characters, text_form

NONCHARACTER = re.compile("[\ufffe\uffff]")
MEANT = "write the values out: aliases of aliases multiply"


def check_text(source: Source) -> None:
    """Raise for a text that is too large, or holds characters that nobody sees, or that YAML does not have."""
    check_length(source.text, Span(source, 0, 0))
    check_characters(LocatedText.of(source), catalog.YAML)
    if found := NONCHARACTER.search(source.text):
        label = f"the character {ord(found[0]):#06x} does not belong in a text"
        raise catalog.YAML.error(Span(source, found.start(), found.end()), label, help="remove it")


class YamlGuard:
    """Counts of a file's nodes and characters, which raise at the first event that goes too far."""

    def __init__(self, place: Callable[[Any, Any], Span]) -> None:
        self.place = place
        self.nodes = self.characters = self.documents = 0
        self.open: list[tuple[str | None, int, int]] = []
        """The lists and mappings that have begun: their anchors, and the counts before them."""
        self.anchors: dict[str, tuple[int, int, Span]] = {}

    def check(self, events: Iterable[Any]) -> None:
        """Count all events."""
        for event in events:
            match event:
                case ev.DocumentStartEvent():
                    self.document(event)
                case ev.AliasEvent():
                    self.alias(event)
                case ev.NodeEvent():
                    self.node(event)
                case ev.CollectionEndEvent():
                    self.close(event, *self.open.pop())
                case _:
                    pass

    def span(self, event: Any) -> Span:
        """The place of an event."""
        return self.place(event.start_mark, event.end_mark)

    def error(self, rule: DiagnosticKind, event: Any, label: str, help: str = "") -> ArchError:
        """A finding at an event."""
        return rule.error(self.span(event), label, help=help)

    def document(self, event: Any) -> None:
        """A file holds one document."""
        self.documents += 1
        if self.documents > 1:
            label, help = "a second YAML document begins here", "one file is one document; `backbones:` holds several"
            raise self.error(catalog.YAML, event, label, help)

    def node(self, event: Any) -> None:
        """Any node: its tag, its anchor, and how many there are."""
        text = event.value if isinstance(event, ev.ScalarEvent) else ""
        if SURROGATE.search(text):
            raise self.error(catalog.YAML, event, "an escape that stands for no character", "remove it")
        if event.tag is not None:
            label = f"`{event.tag[:60]}` is a tag; a spec is plain data and has none"
            raise self.error(catalog.YAML, event, label, help=f"remove it; or, if this is an expression, {QUOTES}")
        if event.anchor is not None and event.anchor in self.anchors:
            notes = (Note(self.anchors[event.anchor][2], "first here"),)
            label = f"the anchor `{event.anchor}` is already defined"
            raise ArchError([catalog.DUPLICATE.at(self.span(event), label, notes=notes)])
        before = event.anchor, self.nodes, self.characters
        self.grow(event, 1, len(text))
        if isinstance(event, ev.ScalarEvent):
            self.close(event, *before)
            return
        self.open.append(before)
        if len(self.open) > DEEPEST_DATA:
            raise self.error(catalog.TOO_DEEP, event, f"more than {DEEPEST_DATA} lists and mappings are open", SPLIT)

    def close(self, event: Any, anchor: str | None, nodes: int, characters: int) -> None:
        """The end of a node: what an alias for it will stand for."""
        if anchor is not None:
            self.anchors[anchor] = self.nodes - nodes, self.characters - characters, self.span(event)

    def grow(self, event: Any, nodes: int, characters: int) -> None:
        """Count."""
        self.nodes += nodes
        self.characters += characters
        if self.nodes > MOST_NODES:
            raise self.error(catalog.TOO_LARGE, event, f"more than {MOST_NODES:,} values, with aliases expanded", MEANT)
        if self.characters > LARGEST:
            raise self.error(catalog.TOO_LARGE, event, f"more than {LARGEST:,} characters, with aliases expanded")

    def alias(self, event: Any) -> None:
        """A node once more."""
        if any(anchor == event.anchor for anchor, *_ in self.open):
            raise self.error(catalog.CYCLE, event, f"`*{event.anchor}` is used inside the value that it stands for")
        if event.anchor not in self.anchors:
            label = f"`*` at the beginning of a value is an alias in YAML, and there is no anchor `{event.anchor[:60]}`"
            raise self.error(catalog.YAML, event, label, QUOTES)
        self.grow(event, *self.anchors[event.anchor][:2])


# ---- from each character of a scalar to its place --------------------------------------------------------------------

# PyYAML says where a scalar begins and ends, and what it says; the way from one to the other is gone again here, style
# by style. Where the two do not meet (escapes, the rarer line ends), the whole scalar is the place.

BREAK = r"(?:\r\n|\r|\n)"
FOLD = re.compile(rf"(?<![ \t])[ \t]*+{BREAK}(?:[ \t]*+{BREAK})*+[ \t]*+")
ANCHOR = re.compile(r"(?:&\S++(?:\s++(?:#[^\r\n]*+)?)*+)?")
FOLD_OR_QUOTES = re.compile(rf"''|{FOLD.pattern}")

Placed = tuple[str, list[int] | range]
"""A content, and the offset in the file of each of its characters and of its end."""


def located(source: Source, start: int, end: int, value: str, style: str | None) -> LocatedText:
    """The text of a scalar that stands from `start` to `end` and says `value`."""
    start += len(ANCHOR.match(source.text[start:end])[0])  # type: ignore[index]
    raw = source.text[start:end].rstrip()
    content, offsets = STYLES.get(style or "", nowhere)(raw, start, value)
    whole = Span(source, start, start + len(raw))
    return LocatedText(value, whole, offsets if content == value else None)


def plain(raw: str, start: int, value: str) -> Placed:
    """Without quotes; mostly a copy."""
    if raw == value:
        return value, range(start, start + len(raw) + 1)
    return rewritten(raw, start, FOLD)


def single(raw: str, start: int, value: str) -> Placed:
    """In single quotes, where two of them stand for one."""
    return rewritten(raw[1:-1], start + 1, FOLD_OR_QUOTES)


def double(raw: str, start: int, value: str) -> Placed:
    """In double quotes; escapes make it differ from the value."""
    return rewritten(raw[1:-1], start + 1, FOLD)


def rewritten(raw: str, start: int, pattern: re.Pattern[str]) -> Placed:
    """The content with its line ends folded; what replaces some characters has the place of the first of them."""
    pieces: list[str] = []
    offsets: list[int] = []
    done = 0
    for found in pattern.finditer(raw):
        new = "'" if found[0] == "''" else "\n" * (len(re.findall(BREAK, found[0])) - 1) or " "
        pieces += [raw[done : found.start()], new]
        offsets += [*range(start + done, start + found.start()), *[start + found.start()] * len(new)]
        done = found.end()
    pieces.append(raw[done:])
    offsets += range(start + done, start + len(raw) + 1)
    return "".join(pieces), offsets


def literal(raw: str, start: int, value: str) -> Placed:
    """A block after `|`: its lines, without the indentation that they share."""
    lines = [(found[1], start + found.start()) for found in re.finditer(rf"(.*?)(?:{BREAK}|\Z)", raw)][1:]
    wanted = value.split("\n")
    indent = next((len(line) - len(want) for want, (line, _) in zip(wanted, lines, strict=False) if want), 0)
    end = start + len(raw)
    lines += [("", end)] * (len(wanted) - len(lines))
    pieces: list[str] = []
    offsets: list[int] = []
    for line, at in lines[: len(wanted)]:
        cut = min(max(indent, 0), len(line))
        pieces.append(line[cut:])
        offsets += range(at + cut, at + len(line) + 1)
    return "\n".join(pieces), offsets


def folded(raw: str, start: int, value: str) -> Placed:
    """A block after `>`: as `literal`, but a line end is a blank there, or left out beside an empty line."""
    shared = INDENTED.search(raw)
    if shared is None:
        return nowhere(raw, start, value)
    # The indentation of the first line that says something is that of the block.
    above, below = (len(re.findall(BREAK, part)) for part in (raw[: shared.start()], raw[shared.end() :]))
    content, places = literal(raw, start, "\n".join([*[""] * above, shared[1], *[""] * below]))
    offsets: list[int] = []
    at = 0
    for char in value:
        while at < len(content) and content[at] == "\n" != char and char != " ":
            at += 1
        if at < len(content) and content[at] != char and (content[at], char) != ("\n", " "):
            return nowhere(raw, start, value)
        offsets.append(places[min(at, len(places) - 1)])
        at += 1
    return value, [*offsets, places[min(at, len(places) - 1)]]


def nowhere(raw: str, start: int, value: str) -> Placed:
    """A scalar whose content is not a copy of the file's text, or empty."""
    return "", [start]


INDENTED = re.compile(rf"{BREAK}[ \t]*(\S[^\r\n]*)")
STYLES: dict[str, Callable[[str, int, str], Placed]] = {"": plain, "'": single, '"': double, "|": literal, ">": folded}


YAML: Any = yaml
"""PyYAML has no types."""

LOADER = getattr(YAML, "CSafeLoader", YAML.SafeLoader)


class Places:
    """From the marks of PyYAML, which here counts in a text without byte order mark, to places in the source."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.shift = int(source.text.startswith("\ufeff"))
        self.text = source.text[self.shift :]

    def span(self, start: Any, end: Any) -> Span:
        """The place between two marks, without the blanks at its end (a block ends where the next thing begins)."""
        first, last = start.index + self.shift, end.index + self.shift
        return Span(self.source, first, first + len(self.source.text[first:last].rstrip()))


def load(source: Source, findings: list[Diagnostic]) -> Data | None:
    """The data of a file, or None where it holds nothing; raises ArchError for what is not YAML."""
    check_text(source)
    places = Places(source)
    try:
        # Twice over the text: all events are counted before the composer makes the first node.
        YamlGuard(places.span).check(YAML.parse(places.text, Loader=LOADER))
        node = YAML.compose(places.text, Loader=LOADER)
    except yaml.MarkedYAMLError as error:
        raise explained(error, source, places.shift) from None
    return None if node is None else Composer(places, findings).data(node)


class Composer:
    """Makes data of nodes, and finds what no data should have."""

    def __init__(self, places: Places, findings: list[Diagnostic]) -> None:
        self.places = places
        self.findings = findings

    def data(self, node: Any) -> Data:
        """Any node."""
        if isinstance(node, ScalarNode):
            return self.scalar(node)
        span = self.places.span(node.start_mark, node.end_mark)
        if isinstance(node, MappingNode):
            pairs = list(self.pairs(node))
            return Mapping(self.unique(self.whole_entries(pairs) if node.flow_style else pairs), span)
        items = [self.data(each) for each in node.value]
        return Sequence(tuple(self.whole_items(items) if node.flow_style else items), span)

    def whole_entries(self, given: list[MappingEntry]) -> Iterator[MappingEntry]:
        """The lines of a mapping in braces, with expressions whole again that were split at their commas."""
        opens = [opened(each.key) + opened(each.value) for each in given]
        for start, end in runs(opens, [empty(each.value) for each in given]):
            entry, last = given[start], given[end - 1]
            first = entry.key if empty(entry.value) else entry.value
            if end > start + 1 and isinstance(first, Scalar):
                whole = self.mended(first, (last.key if empty(last.value) else last.value).span)
                entry = entry._replace(key=whole) if first is entry.key else entry._replace(value=whole)
            yield entry

    def whole_items(self, given: list[Data]) -> Iterator[Data]:
        """The items of a list in brackets, with expressions whole again that were split at their commas."""
        for start, end in runs([opened(each) for each in given], [False] * len(given)):
            first = given[start]
            yield self.mended(first, given[end - 1].span) if end > start + 1 and isinstance(first, Scalar) else first

    def mended(self, first: Scalar, last: Span) -> Scalar:
        """The whole expression, which is reported."""
        span = first.span.to(last)
        content, offsets = rewritten(span.text, span.start, FOLD)
        example = f': "{content}"' if len(content) <= LONGEST_EXAMPLE else ""
        label = "without quotes, YAML splits this at its commas"
        self.findings.append(catalog.YAML.at(span, label, help=f"{QUOTES}{example}"))
        return Scalar(LocatedText(content, span, offsets))

    def scalar(self, node: ScalarNode) -> Scalar:
        """A text."""
        start, end = (mark.index + self.places.shift for mark in (node.start_mark, node.end_mark))
        return Scalar(located(self.places.source, start, end, node.value, node.style), node.style or "")

    def pairs(self, node: MappingNode) -> Iterator[MappingEntry]:
        """The lines of a mapping."""
        for key_node, value in node.value:
            key = self.data(key_node)
            if not isinstance(key, Scalar):
                label = f"{KINDS[type(key)]} cannot be a key"
                self.findings.append(catalog.YAML.at(key.span, label, help="write `key: value`"))
            elif key.content == "<<" and not key.style:
                help = "write the keys out; a backbone inherits the lines of another with `extends`"
                label = "YAML's merge key is not part of the notation"
                self.findings.append(catalog.YAML.at(key.span, label, help=help))
            else:
                yield self.entry(key, self.data(value))

    def entry(self, key: Scalar, value: Data) -> MappingEntry:
        """A line. Where there is no value, its place is the key's: the two parsers put it at different ones."""
        return MappingEntry(key, Scalar(LocatedText("", key.span)) if empty(value) else value)

    def unique(self, entries: Iterable[MappingEntry]) -> tuple[MappingEntry, ...]:
        """The lines of a mapping, each key once."""
        found: dict[str, MappingEntry] = {}
        for entry in entries:
            first = found.setdefault(entry.key.content, entry)
            if first is not entry:
                notes = (Note(first.key.span, "first here"),)
                label = f"a second `{entry.key.content}`"
                self.findings.append(catalog.DUPLICATE.at(entry.key.span, label, notes=notes))
        return tuple(found.values())


LONGEST_EXAMPLE = 60
MOST_PIECES = 50


def runs(opens: list[int], fragments: list[bool]) -> Iterator[tuple[int, int]]:
    """Runs of pieces that belong together, given the brackets that each leaves open.

    Where a bracket is never closed, these are the fragments up to the next piece that can stand alone.
    """
    at = 0
    while at < len(opens):
        open_brackets = accumulate(opens[at : at + MOST_PIECES])
        rest = takewhile(bool, fragments[at + 1 : at + MOST_PIECES])
        closed = next((number for number, count in enumerate(open_brackets, 1) if count <= 0), None)
        end = at + (closed or 1 + len([*rest]))
        yield at, end
        at = end


def opened(data: Data) -> int:
    """The number of brackets that a text without quotes leaves open."""
    if not isinstance(data, Scalar) or data.style:
        return 0
    return data.content.count("(") - data.content.count(")")


def empty(data: Data) -> bool:
    """True if there is no value."""
    return isinstance(data, Scalar) and not data.content and not data.style


# ---- the document ----------------------------------------------------------------------------------------------------

INNER_DEPTH = 3
"""So many levels below `backbones` a line stands, as a stage of one of them."""


def parse_yaml(source: Source) -> File:
    """The document that a YAML text says; raises ArchError, with all that is wrong."""
    if (start := text_form(source.text)) is not None:
        label = "this is the text form of the language, not YAML"
        help = "give the file a name that ends in `.arch`"
        raise catalog.YAML.error(Span(source, start, start + 1), label, help=help)
    findings: list[Diagnostic] = []
    data = load(source, findings)
    if data is None or (isinstance(data, Scalar) and not data.content.strip()):
        raise catalog.YAML.error(Span(source, 0, 0), "there is nothing in this file", help=START)
    try:
        document = validated(File, data)
    except ArchError as error:
        findings += error.diagnostics
        raise ArchError(in_order(findings), readable(data, findings)) from None
    if findings:
        raise ArchError(in_order(findings), document)
    return document


def readable(data: Data, findings: list[Diagnostic]) -> File | None:
    """The document without the lines that cannot be read, if that is one."""
    spans = sorted((each.span for each in findings if each.span is not None), key=lambda span: span.start)
    try:
        return validated(File, without(data, spans, 1))
    except ArchError:
        return None


def without(data: Data, wrong: list[Span], depth: int) -> Data:
    """Data without the innermost lines, down to some depth, that have one of some places in them."""
    if isinstance(data, Sequence):
        return data._replace(items=tuple(without(each, inside(wrong, each.span), depth) for each in data.items))
    if not isinstance(data, Mapping):
        return data
    kept: list[MappingEntry] = []
    for entry in data.entries:
        found = inside(wrong, entry.span)
        below = INNER_DEPTH if entry.key.content == "backbones" else depth
        is_inner = below and not isinstance(entry.value, Scalar) and entry.value.span not in found
        if not found:
            kept.append(entry)
        elif is_inner and inside(wrong, entry.value.span) == found:
            kept.append(entry._replace(value=without(entry.value, found, below - 1)))
    return data._replace(entries=tuple(kept))


def inside(spans: list[Span], outer: Span) -> list[Span]:
    """Those of some places, in order, that are inside of another."""
    first, last = (bisect(spans, offset, key=lambda span: span.start) for offset in (outer.start - 1, outer.end))
    return [span for span in spans[first:last] if span.end <= outer.end]
