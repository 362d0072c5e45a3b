"""Attach each comment to an element of the document."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from archdsl.diagnostics import Source
from archdsl.diagnostics.suppression import MARK
from archdsl.frontend.format.doc import END, HEAD, Comments, Notes, Place, at, of
from archdsl.syntax import ast
from archdsl.syntax.ast import Block, Element, Function, Node, Parameter, parts
from archdsl.syntax.document import Backbone, File
from archdsl.syntax.text import PIECE

Part = Node | Element | Backbone
OPENING, CLOSING = "([", ")]"
# As the grammar's indenter counts it.
TAB = 8


class Comment(NamedTuple):
    """A comment: where it begins, what it says, and whether it has a line of its own."""

    start: int
    text: str
    own: bool

    @property
    def end(self) -> int:
        """The offset of its end."""
        return self.start + len(self.text)


class LogicalLine(NamedTuple):
    """A line as the grammar knows it, which may go over several: where it begins, and its first word."""

    start: int
    word: str


class Tokens(NamedTuple):
    """The parts of a text: its comments, where the pieces of code end, by where they begin, and its lines."""

    comments: list[Comment]
    code: list[tuple[int, int]]
    lines: list[LogicalLine]


def tokens(text: str, start: int, end: int) -> Tokens:
    """The parts of a text between two offsets."""
    found = Tokens([], [], [])
    depth = 0
    fresh = begins = True
    for match in PIECE.finditer(text, start, end):
        token, at = match[0], match.start()
        if token == "\n":
            fresh, begins = True, depth == 0
            continue
        if token.startswith("#"):
            found.comments.append(Comment(at, token.rstrip(), fresh))
            continue
        # A line that begins with an arrow goes on with the one before.
        if begins and token != "->":
            found.lines.append(LogicalLine(at, token))
        found.code.append((at, match.end()))
        depth += (token in OPENING) - (token in CLOSING)
        fresh = begins = False
    return found


def indentation(text: str, offset: int) -> int:
    """The indentation of the line of an offset."""
    end = text.find("\n", offset)
    return indent_of(text[text.rfind("\n", 0, offset) + 1 : len(text) if end < 0 else end])


def indent_of(line: str) -> int:
    """The indentation of a line, in columns."""
    wide = line.expandtabs(TAB)
    return len(wide) - len(wide.lstrip())


def own_lines(lines: list[str]) -> list[tuple[str, int]]:
    """The comments among some lines, and the empty ones (as empty texts), with their indentation."""
    stripped = [(line.strip(), indent_of(line)) for line in lines]
    return [(text, indent) for text, indent in stripped if not text or text.startswith("#")]


CLOSED = re.compile(r"(?:\s++|#[^\n]*+)*+\)")
TYPE = re.compile(r"[ \t]*:[ \t\w|]*")


class Item(NamedTuple):
    """An item: where it begins and ends; `leads` says that no line can begin with it, as with a chain's first link."""

    start: int
    end: int
    place: Place
    node: Node
    leads: bool = False


def items(nodes: Iterable[Part], source: str) -> list[Item]:
    """The items of some nodes that are not inside other items, in order."""
    found = [item for node in nodes for item in within(node, source)]
    return sorted(found, key=lambda item: (item.start, -item.end))


def within(node: Part, source: str) -> Iterator[Item]:
    """The nearest items inside a node, or in the head of one that has a body."""
    match node:
        case ast.Chain(links=links):
            yield from (item_of(link, source, number == 0) for number, link in enumerate(links))
        case ast.Call(callee=callee, arguments=arguments):
            yield from within(callee, source)
            yield from (item_of(each, source) for each in arguments)
        case ast.Items(items=inner):
            yield from (item_of(each, source) for each in inner)
        case ast.Block() | ast.Function() | Backbone():
            yield from (of_parameter(each, source) for each in node.parameters)
            if isinstance(node, Backbone) and node.extends:
                yield from (item_of(each, source) for each in node.extends.arguments)
        case ast.Expression():
            yield from (item for part in parts(node) for item in within(part, source))
        case _:
            # Of the others, each has at most one expression in its head.
            values = (getattr(node, name, None) for name in ("value", "source", "test", "default"))
            yield from (item for value in values if isinstance(value, Node) for item in within(value, source))


def item_of(node: Node, source: str, leads: bool = False) -> Item:
    """A node as an item, with the parentheses around it."""
    closed = CLOSED.match(source, node.span.end) if node.grouped else None
    end = closed.end() if closed else node.span.end
    return Item(node.span.start, end, at(node.span), node, leads)


def of_parameter(node: ast.Parameter, source: str) -> Item:
    """A parameter as an item; its own place is that of its name only."""
    kind = TYPE.match(source, node.span.end)
    end = node.default.span.end if node.default else kind.end() if kind and node.type else node.span.end
    return Item(node.span.start, end, at(node.span), node)


MODELINE = re.compile(r"#\s*yaml-language-server:")
BEFORE_ITEM = re.compile(r"[\s,*(]*(?:->|\.{3})?[\s(]*")
BEHIND_ITEM = re.compile(r"[\s,*]*")
BEFORE_CLOSING = re.compile(r"(?:[\s,\]}]++|#[^\n]*+)*+")
COMMENT = re.compile(r"#[^\n]*")


class Region(NamedTuple):
    """Part of a source, from where an element begins to where the next does, with the nodes in it.

    An item of a list is part of a `whole`, which has the comments behind it, and those inside it if it `leads`.
    """

    start: int
    place: Place
    nodes: tuple[Part, ...] = ()
    whole: Place | None = None
    leads: bool = False


class CommentCollector:
    """Collect the comments of a part of a source, from `start` to `end`, by place.

    What stands at the end of an `inner_text`, a block of text in YAML, belongs to it, not to the list around it.
    """

    def __init__(
        self, source: str, parts: Tokens, notes: Notes, start: int, end: int, *, inner_text: bool = False
    ) -> None:
        self.source = source
        self.parts = parts
        self.notes = notes
        self.start = start
        self.end = end
        self.file = end == len(source)
        self.inner_text = inner_text
        self.codes: dict[tuple[int, int], str] = {}
        self.inside: dict[int, list[Item]] = {}

    def gather(self, regions: Sequence[Region]) -> None:
        """All comments, given the regions."""
        if not regions:
            self.alone()
            return
        self.ahead(self.lines(self.start, regions[0].start, whole=True), regions[0], self.file)
        stops = [*(region.start for region in regions[1:]), self.end]
        for number, (region, stop) in enumerate(zip(regions, stops, strict=True), 1):
            self.notes.starts.setdefault(region.place, region.start)
            # A comment behind the last piece of code, on its line, is beside the element.
            last = self.end_of_code(region, stop)
            inside = items(region.nodes, self.source)
            for comment in self.comments(region.start, last):
                self.inner(comment, region, inside, last)
            line_end = self.source.find("\n", last, stop)
            line_end = stop if line_end < 0 else line_end
            for comment in self.comments(last, line_end):
                # An `allow` at the end of an element is for all its lines, so it stays with the element.
                place = region.place if MARK.match(comment.text) else self.last_place(region, inside, last)
                self.notes.add(place, Comments(beside=(comment.text,)))
            self.between(line_end, regions, number)

    def alone(self) -> None:
        """The comments of a file with nothing else in it."""
        lines = own_lines(self.source.split("\n"))
        texts = [text for text, _ in lines]
        # Empty lines between comments are kept where all of these have lines of their own.
        said = [each.text for each in self.parts.comments]
        self.notes.add(END, Comments(tuple(texts if [*filter(None, texts)] == said else said)))

    def comments(self, start: int, end: int) -> list[Comment]:
        """The comments that begin between two offsets."""
        found = self.parts.comments
        return found[bisect_left(found, start, key=first) : bisect_left(found, end, key=first)]

    def end_of_code(self, region: Region, stop: int) -> int:
        """The end of the last piece of code in a region."""
        code = self.parts.code
        at = bisect_left(code, stop, key=first) - 1
        return max(code[at][1], region.start) if at >= 0 else region.start

    def last_place(self, region: Region, inside: Sequence[Item], end: int) -> Place:
        """The place of a comment at the end of an element: the link on its last line, if there are several."""
        if "\n" in self.source[region.start : end]:
            places = Counter(item.place for item in inside)
            for item in inside:
                if item.end == end and not item.leads and places[item.place] == 1 and self.stays(item):
                    return item.place
        return region.place

    def stays(self, item: Item) -> bool:
        """Check that a comment after an item stays on its line: a parameter over several lines will be on one."""
        return not isinstance(item.node, Parameter) or "\n" not in self.source[item.start : item.end]

    def lines(self, start: int, end: int, *, whole: bool) -> list[tuple[str, int]]:
        """The comments and empty lines between two offsets; the last line is that of what follows, if anything does."""
        lines = self.source[start:end].split("\n")
        return own_lines(lines[0 if whole else 1 : None if end == self.end else -1])

    def between(self, start: int, regions: Sequence[Region], number: int) -> None:
        """The comments before a region: those that are indented further than it belong to what ends there."""
        after = regions[number] if number < len(regions) else None
        lines = self.lines(start, after.start if after else self.end, whole=False)
        if after is None and self.file and lines and not lines[-1][0]:
            lines.pop()
        indent = indentation(self.source, after.start) if after else 0 if self.file else -1
        cut = max((number for number, (text, level) in enumerate(lines, 1) if text and level > indent), default=0)
        if cut:
            # A comment at the end of a body stands as far in as the body; further left, it is about what follows.
            owner = self.owner(regions, number, next(level for text, level in lines if text))
            if indentation(self.source, owner.start) <= indent:
                cut = 0
            else:
                self.notes.add(self.end_place(owner), Comments(behind=tuple(text for text, _ in lines[:cut])))
        self.ahead(lines[cut:], after, False)

    def owner(self, regions: Sequence[Region], number: int, level: int) -> Region:
        """The last of so many regions that is not indented further than a comment behind it."""
        last = (regions[at] for at in range(number - 1, -1, -1))
        return next((each for each in last if indentation(self.source, each.start) <= level), regions[number - 1])

    def end_place(self, region: Region) -> Place:
        """The place of comments after an element: the list around an item, or in a text its last link."""
        if region.whole is None:
            return region.place
        if not self.inner_text:
            return region.whole
        return self.last_place(region, items(region.nodes, self.source), self.end_of_code(region, self.end))

    def ahead(self, lines: Sequence[tuple[str, int]], region: Region | None, at_head: bool) -> None:
        """Comments before a region, or before the end."""
        texts = tuple(text for text, _ in lines)
        if region is None:
            self.notes.add(END, Comments(texts))
            return
        if at_head:
            apart = max((number for number, text in enumerate(texts, 1) if not text or MARK.match(text)), default=0)
            apart = max(apart, int(bool(texts) and bool(MODELINE.match(texts[0]))))
            if any(texts[:apart]):
                self.notes.add(HEAD, Comments(texts[:apart]))
            texts = texts[apart:]
        if region.leads and region.whole:
            self.notes.leading[region.place] = region.whole
        self.notes.add(region.place, Comments(texts))

    def inner(self, comment: Comment, region: Region, inside: list[Item], end: int) -> None:
        """A comment inside an element that ends at `end`: at an item, or there if only brackets follow, else before."""
        around = region.whole if region.leads and region.whole else region.place
        number = last_before(inside, comment.start)
        while number >= 0 and comment.start < inside[number].end:
            enclosing = inside[number]
            around = around if enclosing.leads else enclosing.place
            inside = self.inside_of(enclosing)
            number = last_before(inside, comment.start)
        before = inside[number] if number >= 0 else None
        after = inside[number + 1] if number + 1 < len(inside) else None
        clear = before is not None and BEHIND_ITEM.fullmatch(self.code(before.end, comment.start)) is not None
        if before and clear and "\n" not in self.source[before.end : comment.start]:
            self.notes.add(before.place, Comments(beside=(comment.text,)))
        elif after and not after.leads and BEFORE_ITEM.fullmatch(self.code(comment.end, after.start)):
            self.notes.add(after.place, Comments((comment.text,)))
        elif before and clear:
            self.notes.add(before.place, Comments(behind=(comment.text,)))
        elif BEFORE_CLOSING.fullmatch(self.source, comment.end, end):
            if comment.own:
                self.notes.add(region.whole or region.place, Comments(behind=(comment.text,)))
            else:
                self.notes.add(region.place, Comments(beside=(comment.text,)))
        else:
            self.notes.add(around, Comments((comment.text,)))

    def inside_of(self, item: Item) -> list[Item]:
        """The items inside an item."""
        known = id(item.node)
        if known not in self.inside:
            self.inside[known] = items((item.node,), self.source)
        return self.inside[known]

    def code(self, start: int, end: int) -> str:
        """The code between two offsets, with the blanks and without the comments in it."""
        code = self.parts.code
        first_piece, behind = (bisect_left(code, offset, key=first) for offset in (start, end))
        if first_piece == behind:
            return ""
        place = code[first_piece][0], code[behind - 1][1]
        if place not in self.codes:
            self.codes[place] = COMMENT.sub("", self.source[slice(*place)])
        return self.codes[place]


def last_before(inside: Sequence[Item], offset: int) -> int:
    """The number of the last item that begins before an offset, or -1."""
    return bisect_right(inside, offset, key=lambda item: item.start) - 1


def first(part: Comment | tuple[int, int]) -> int:
    """The start of a comment or a piece of code."""
    return part[0]


# ---- the lines of a text ---------------------------------------------------------------------------------------------

QUOTES = '"""'


def notes_of_arch(source: Source, document: File) -> tuple[Notes, list[str]]:
    """The comments and empty lines of a `.arch` file, and its comments again, as they come."""
    notes, size = Notes(keep=True), len(source.text)
    parts = tokens(source.text, 0, size)
    CommentCollector(source.text, parts, notes, 0, size).gather(
        LineElements(elements(document), None).regions(parts.lines)
    )
    return notes, [each.text for each in parts.comments]


def elements(document: File) -> Iterator[Part]:
    """Everything in a document that has a line of its own in the text form."""
    yield from document.imports
    for node in (*document.blocks, *document.functions):
        yield node
        yield from statements(node.body)
    for node in document.backbones:
        yield node
        for lines in (node.settings, node.sections, node.outputs, node.drops, node.expect):
            yield from lines


def statements(body: Iterable[ast.Statement]) -> Iterator[ast.Statement]:
    """The statements of a body, and those inside them."""
    for each in body:
        yield each
        if isinstance(each, ast.If | ast.For):
            yield from statements(each.body)
        if isinstance(each, ast.If):
            yield from statements(each.other)


class LineElements:
    """Finds the element of each line; `owner` is the definition that a body in YAML belongs to."""

    def __init__(self, parts: Iterable[Part], owner: Block | Function | None) -> None:
        found = [each for each in parts if each.span is not None]
        self.parts = sorted(found, key=start_of)
        self.otherwise = {at(each.other[0].span): each for each in found if isinstance(each, ast.If) and each.other}
        self.owner: Block | Function | Backbone | None = owner
        self.expects: set[Place] = set()

    def regions(self, lines: list[LogicalLine]) -> list[Region]:
        """The regions of lines. A line that is no element of its own belongs to the one before."""
        inside = self.inside(lines)
        found: list[Region] = []
        for number, (line, nodes) in enumerate(zip(lines, inside, strict=True)):
            for node in nodes:
                if isinstance(node, Block | Function | Backbone):
                    self.owner = node
            following = inside[number + 1] if number + 1 < len(lines) else []
            place = self.special(line, following) or (at(nodes[0].span) if nodes else None)
            if place is not None:
                found.append(Region(line.start, place, tuple(nodes)))
        return found

    def inside(self, lines: list[LogicalLine]) -> list[list[Part]]:
        """The elements that begin in each line."""
        starts = [start_of(each) for each in self.parts]
        cuts = [*(bisect_left(starts, line.start) for line in lines), len(starts)]
        return [self.parts[start:stop] for start, stop in pairwise(cuts)]

    def special(self, line: LogicalLine, following: list[Part]) -> Place | None:
        """The place of a line that is no node of the document."""
        owner = self.owner
        if line.word.startswith(QUOTES) and owner:
            return of("doc", owner.span)
        if line.word == "archdsl" and owner is None:
            return of("archdsl")
        if line.word == "else" and following:
            outer = self.otherwise.get(at(following[0].span))
            return of("else", outer.span) if outer else None
        if not isinstance(owner, Backbone):
            return None
        if line.word == "input":
            return of("input", owner.span)
        place = of("expect", owner.span)
        if line.word == "expect" and place not in self.expects:
            self.expects.add(place)
            return place
        return None


def start_of(node: Part) -> int:
    """The start of a node, or -1 without a place."""
    return node.span.start if node.span else -1
