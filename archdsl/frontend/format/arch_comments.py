"""The comments of a text in the language: of a `.arch` file, or of a body in YAML."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from itertools import pairwise

from archdsl.diagnostics import Source
from archdsl.frontend.format.attach_comments import CommentCollector, LogicalLine, Region, tokens
from archdsl.frontend.format.trivia import Notes, Place, at, of
from archdsl.syntax import ast
from archdsl.syntax.ast import Block, Function, Node
from archdsl.syntax.document import Backbone, File
from archdsl.syntax.elements import Element

Part = Node | Element
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
    """Where a node stands."""
    return node.span.start if node.span else -1
