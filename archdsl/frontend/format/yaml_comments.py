"""The comments of a YAML spec: those of YAML, and those of the language inside its texts."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from archdsl.diagnostics import Source, Span
from archdsl.frontend.format.attach_comments import (
    Comment,
    CommentCollector,
    LineElements,
    Part,
    Region,
    Tokens,
    elements,
    statements,
    tokens,
)
from archdsl.frontend.format.doc import Comments, Notes, Place, at, of
from archdsl.frontend.yaml.reader import load
from archdsl.syntax.ast import Block, Chain, Function, Return
from archdsl.syntax.document import Backbone, File
from archdsl.syntax.nodes import Data, Mapping, MappingEntry, Scalar, Sequence

# Keys whose items are those of the definition.
OWNER_KEYS = ("params", "extends", "args")
GAP = re.compile(r"(?<!\S)#[^\n]*|[^\s#]\S*|#\S*")
# A YAML directive or document start, which may stand above everything and has no meaning.
START = re.compile(r"^(?:---(?=\s)|%[^\n#]*)", re.MULTILINE)
HEADER = re.compile(r"[|>][-+0-9]*")
DASHES = re.compile(r"[ \t]*(?:[-?][ \t]+)+")
NO_EXPRESSION = ("doc", "import", "archdsl")
FILE_KEYS = frozenset({"archdsl", "import", "blocks", "functions", "backbones"})


class KeyStart(NamedTuple):
    """The start of a mapping's line or a list's item, with its place, if the key determines one, and its owner."""

    start: int
    place: Place | None = None
    owner: Part | None = None
    item_of: Place | None = None


Path = tuple[str, ...]
KeyPlace = tuple[Place | None, Part | None, Place | None]
Starts = Iterator[KeyStart]


def notes_of_yaml(source: Source, document: File) -> tuple[Notes, list[str]]:
    """The comments and empty lines of a YAML spec, and its comments again, as they come."""
    data = load(source, [])
    reader = YamlComments(source, document)
    return reader.read(data) if isinstance(data, Mapping) else (Notes(), [])


class YamlComments:
    """Reads the comments of one file."""

    def __init__(self, source: Source, document: File) -> None:
        self.source = source
        # Blanks of the same length, so that all offsets stay.
        self.text = START.sub(lambda found: " " * len(found[0]), source.text)
        self.document = document
        self.notes = Notes(keep=True)
        self.found: list[str] = []
        owners = [*document.blocks, *document.functions, *document.backbones]
        self.only: Backbone | None = None
        """The network whose keys are those of the file."""
        self.owners: dict[Place, Part] = {at(each.span): each for each in owners}
        self.parts = [InOrder((*elements(document), *signatures(document))), InOrder(links(document))]

    def read(self, data: Mapping) -> tuple[Notes, list[str]]:
        """All notes, and all comments."""
        if not any(entry.key.content == "backbones" for entry in data.entries):
            self.only = next(iter(self.document.backbones), None)
        scalars = sorted({each.span: each for each in scalars_of(data)}.values(), key=lambda each: each.span.start)
        parts, headers = self.tokens(scalars)
        regions = self.regions(sorted({key.start: key for key in reversed([*self.keys(data)])}.values()))
        self.found += [each.text for each in (*parts.comments, *headers)]
        CommentCollector(self.text, parts, self.notes, 0, len(self.text)).gather(regions)
        starts = [region.start for region in regions]
        for comment in headers:
            self.notes.add(regions[bisect_right(starts, comment.start) - 1].place, Comments(beside=(comment.text,)))
        for scalar in scalars:
            self.inside(scalar, regions[bisect_right(starts, scalar.span.start) - 1])
        return self.notes, self.found

    # ---- text

    def tokens(self, scalars: list[Scalar]) -> tuple[Tokens, list[Comment]]:
        """Comments and code outside of texts; and the comments behind the `|` of a text."""
        found = Tokens([], [], [])
        headers: list[Comment] = []
        done = 0
        for scalar in scalars:
            self.gap(found, done, scalar.span.start)
            done = scalar.span.end
            if scalar.style in {"|", ">"}:
                headers += self.header(scalar)
            if scalar.span.text:
                found.code.append((scalar.span.start, done))
        self.gap(found, done, len(self.text))
        return found, headers

    def gap(self, found: Tokens, start: int, end: int) -> None:
        """Collect comments and code between two scalars."""
        for match in GAP.finditer(self.text, start, end):
            if match[0].startswith("#"):
                line = self.text[self.text.rfind("\n", 0, match.start()) + 1 : match.start()]
                found.comments.append(Comment(match.start(), match[0].rstrip(), not line.strip()))
            else:
                found.code.append(match.span())

    def header(self, scalar: Scalar) -> Iterator[Comment]:
        """The comment behind the sign with which a block of text begins."""
        sign = HEADER.match(self.text, scalar.span.start)
        line = scalar.span.text.partition("\n")[0][len(sign[0]) if sign else 0 :]
        if sign and line.strip():
            yield Comment(self.text.index("#", sign.end()), line.strip(), False)

    def inside(self, scalar: Scalar, region: Region) -> None:
        """The comments of the language in a text."""
        if region.place[0] in NO_EXPRESSION or (scalar.text.offsets is None and "#" not in scalar.content):
            return
        if scalar.style == "|":
            self.literal(scalar.span, region)
        elif "#" in scalar.content:
            comments = [each.text for each in tokens(scalar.content, 0, len(scalar.content)).comments]
            self.found += comments
            self.notes.add(region.whole or region.place, Comments(tuple(comments)))

    def literal(self, span: Span, region: Region) -> None:
        """The comments in a block of text, with those of its statements, if it has some."""
        start = self.text.find("\n", span.start, span.end) + 1
        parts = tokens(self.text, start, span.end)
        owner = next((each for each in region.nodes if isinstance(each, Block | Function)), None)
        several = region.place[0] != "args" and owner is not None and not isinstance(owner.body[0], Return)
        self.found += [each.text for each in parts.comments]
        if several and owner is not None:
            inner = LineElements(statements(owner.body), owner).regions(parts.lines)
        else:
            inner = [region._replace(start=parts.code[0][0] if parts.code else start)]
        CommentCollector(self.text, parts, self.notes, start, span.end, inner_text=True).gather(inner)

    # ---- keys

    def keys(self, data: Data, path: Path = (), owner: Part | None = None, whole: Place | None = None) -> Starts:
        """The keys of mappings and the items of lists, unless they are on one line."""
        if isinstance(data, Scalar) or (path and one_line(data)):
            return
        if isinstance(data, Mapping):
            for entry in data.entries:
                place, own, inner = self.place_of(entry, path, owner)
                yield KeyStart(self.begin(entry.key), place, own)
                yield from self.keys(entry.value, (*path, entry.key.content), own, inner)
            return
        for item in data.items:
            if not isinstance(item, Mapping):
                yield KeyStart(self.begin(item), item_of=whole)
            yield from self.keys(item, path, owner)

    def place_of(self, entry: MappingEntry, path: Path, owner: Part | None) -> KeyPlace:
        """The place of a key below others, the definition that it belongs to, and the place for the items in it."""
        key, own = entry.key.content, at(entry.key.span)
        match path:
            case () if key in FILE_KEYS or self.only is None:
                return of(key), None, None
            case ("blocks" | "functions" | "backbones",):
                return own, self.owners.get(own), own
            case ("blocks" | "functions", _) if owner:
                return of(key, owner.span), owner, of(key, owner.span)
            case () | ("backbones", _):
                network = owner or self.only
                is_section = key in {"stem", "head"}
                place = None if network is None or is_section or key == "name" else of(key, network.span)
                return place, network, own if is_section else None
            case _:
                return None, None, own

    def begin(self, data: Data) -> int:
        """The start of the line of a key or item: its dash, if it has one."""
        start = data.span.start
        line = self.text.rfind("\n", 0, start) + 1
        dashes = DASHES.fullmatch(self.text, line, start)
        return start if dashes is None else start - len(self.text[line:start].lstrip())

    def regions(self, keys: list[KeyStart]) -> list[Region]:
        """The regions of keys; a key without a place of its own belongs to the one before."""
        found: list[Region] = []
        stops = [*(key.start for key in keys), len(self.text)][1:]
        for key, stop in zip(keys, stops, strict=True):
            nodes = self.parts[key.item_of is not None].between(key.start, stop)
            place = key.place or (at(nodes[0].span) if nodes else None)
            if place is None:
                continue
            leads = bool(found) and found[-1].place == key.item_of
            owner = (key.owner,) if key.owner else ()
            inside = owner if place[0] in OWNER_KEYS else (*owner, *nodes)
            found.append(Region(key.start, place, inside, key.item_of, leads))
        return found


class InOrder:
    """Parts of a document, in the order of their places, outer ones first."""

    def __init__(self, parts: Iterable[Part]) -> None:
        placed = ((each.span, each) for each in parts if each.span is not None)
        # Of parts with one start, the longer is the outer one; the number keeps parts from being compared.
        self.found = sorted(((span.start, -span.end, at, each) for at, (span, each) in enumerate(placed)))

    def between(self, start: int, stop: int) -> list[Part]:
        """Those that begin between two offsets."""
        return [each for *_, each in self.found[bisect_left(self.found, (start,)) : bisect_left(self.found, (stop,))]]


def one_line(data: Mapping | Sequence) -> bool:
    """Check for a list or mapping in brackets on one line."""
    text = data.span.text
    return text.startswith(("{", "[")) and "\n" not in text


def scalars_of(data: Data) -> Iterator[Scalar]:
    """All texts."""
    match data:
        case Scalar():
            yield data
        case Sequence():
            yield from (scalar for each in data.items for scalar in scalars_of(each))
        case Mapping():
            for entry in data.entries:
                yield entry.key
                yield from scalars_of(entry.value)


def links(document: File) -> Iterator[Part]:
    """The links of the chains that can be lists."""
    values = [part.value for each in document.backbones for part in (*each.sections, *each.outputs)]
    bodies = [part.body[0] for part in (*document.blocks, *document.functions)]
    values += [each.value for each in bodies if isinstance(each, Return)]
    yield from (link for value in values if isinstance(value, Chain) for link in value.links)


def signatures(document: File) -> Iterator[Part]:
    """All parameters."""
    owners: Iterable[Block | Function | Backbone] = (*document.blocks, *document.functions, *document.backbones)
    yield from (parameter for each in owners for parameter in each.parameters)
