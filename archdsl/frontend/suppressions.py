"""The comments that silence warnings, and the lines that each is for, in either notation.

Most texts have none: look for `MARK` first.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from archdsl.diagnostics import Source, Span
from archdsl.diagnostics.suppression import MARK, NOWHERE, WHOLE, Suppression
from archdsl.frontend.format.attach_comments import Comment, tokens
from archdsl.frontend.format.yaml_comments import YamlComments, scalars_of
from archdsl.frontend.yaml.reader import load
from archdsl.syntax.document import File
from archdsl.syntax.nodes import Data, Mapping, MappingEntry, Sequence
from archdsl.syntax.text import is_yaml

CODE = re.compile(r"([A-Za-z]\d+)\b[ \t]*,?[ \t]*")


class SuppressedPart(NamedTuple):
    """A part of a text that is silenced as one: a logical line of the language, an entry of YAML.

    A comment at its end is for all of it, or, if it has a `head`, one at the end of its first line.
    """

    start: int
    end: int
    head: bool = False


class CommentedText(NamedTuple):
    """The comments of a text, where its pieces of code begin, and the parts that are more than these."""

    comments: list[Comment]
    code: list[int]
    parts: list[SuppressedPart]


def suppressions(source: Source, document: File) -> list[Suppression]:
    """The suppressions of a text."""
    text = in_yaml(source, document) if is_yaml(source.name, source.text) else in_arch(source, 0, len(source.text))
    lines = SuppressionScopes(source, text)
    return [each for comment in text.comments for each in of_comment(source, comment, lines)]


def of_comment(source: Source, comment: Comment, lines: SuppressionScopes) -> Iterator[Suppression]:
    """The suppressions of a comment, one a code; without a code, or with another word, one that will be reported."""
    mark = MARK.match(comment.text)
    if mark is None:
        return
    where = lines.of(comment)
    codes = list(codes_of(comment.text, mark.end())) if mark[1] == "allow" else []
    for code, start, end in codes or [("", 0, len(comment.text))]:
        yield Suppression(code, Span(source, comment.start + start, comment.start + end), *where, mark[1])


def codes_of(text: str, at: int) -> Iterator[tuple[str, int, int]]:
    """The codes in a comment, with their places in it; what follows them is the reason."""
    while found := CODE.match(text, at):
        yield found[1].upper(), *found.span(1)
        at = found.end()


class SuppressionScopes:
    """Finds the lines that a comment is for."""

    def __init__(self, source: Source, text: CommentedText) -> None:
        self.source = source
        self.code = text.code
        self.starts: dict[int, list[SuppressedPart]] = {}
        self.ends: dict[int, list[SuppressedPart]] = {}
        for part in text.parts:
            self.starts.setdefault(part.start, []).append(part)
            self.ends.setdefault(self.line(part.start if part.head else part.end - 1), []).append(part)

    def line(self, offset: int) -> int:
        """The line of an offset."""
        return self.source.position(offset)[0]

    def of(self, comment: Comment) -> tuple[int, int]:
        """Its own line and the part that it ends; on a line of its own, the next one; above all, the whole file."""
        line = self.line(comment.start)
        parts = [part for part in self.ends.get(line, ()) if part.head or part.end <= comment.start]
        if comment.own:
            following = bisect_left(self.code, comment.start)
            # Above everything it is for the whole file; behind everything there is nothing that it could be for.
            if following in {0, len(self.code)}:
                return NOWHERE if following else WHOLE
            line = self.line(self.code[following])
            parts = self.starts.get(self.code[following], [])
        first, last = (self.line(part.start) for part in parts), (self.line(part.end - 1) for part in parts)
        return min(line, *first, line), max(line, *last, line)


# ---- the two notations -----------------------------------------------------------------------------------------------


def in_arch(source: Source, start: int, end: int) -> CommentedText:
    """The comments of a text in the language, and its lines."""
    found = tokens(source.text, start, end)
    starts = [each.start for each in found.lines]
    cuts = [bisect_left(found.code, (at, 0)) for at in starts] + [len(found.code)]
    parts = [SuppressedPart(at, found.code[stop - 1][1]) for at, (_, stop) in zip(starts, pairwise(cuts), strict=True)]
    return CommentedText(found.comments, [at for at, _ in found.code], parts)


def in_yaml(source: Source, document: File) -> CommentedText:
    """The comments of a YAML spec: YAML's own, and those of the language in its blocks of text (`|`)."""
    data = load(source, []) or Sequence((), Span(source, 0, 0))
    scalars = {each.span: each for each in scalars_of(data)}
    outer, headers = YamlComments(source, document).tokens(sorted(scalars.values(), key=lambda each: each.span.start))
    lines = [*entries_of(data)]
    docs = {entry.value.span for _, entry in lines if entry.key.content == "doc"}
    literal = [each.span for each in scalars.values() if each.style == "|" and each.span not in docs]
    inner = [in_arch(source, source.text.find("\n", each.start, each.end) + 1, each.end) for each in literal]
    comments = sorted([*outer.comments, *headers, *(each for text in inner for each in text.comments)])
    code = sorted([*(at for at, _ in outer.code), *(at for text in inner for at in text.code)])
    parts = [SuppressedPart(*each.span[1:]) for each in scalars.values() if each.style != "|"]
    parts += [part for text in inner for part in text.parts]
    return CommentedText(comments, code, [*parts, *parts_of(lines)])


Path = tuple[str, ...]
"""The keys around a line of YAML."""


def entries_of(data: Data, path: Path = ()) -> Iterator[tuple[Path, MappingEntry]]:
    """All lines of mappings, with the keys around them."""
    if isinstance(data, Sequence):
        yield from (line for item in data.items for line in entries_of(item, path))
    elif isinstance(data, Mapping):
        for entry in data.entries:
            yield path, entry
            yield from entries_of(entry.value, (*path, entry.key.content))


def parts_of(lines: list[tuple[Path, MappingEntry]]) -> Iterator[SuppressedPart]:
    """The lines that are silenced as one: texts, lists, definitions, a network's name with its parameters.

    Stages and networks are not.
    """
    names: dict[Path, int] = {}
    for path, entry in lines:
        key, start = entry.key.content, entry.key.span.start
        if not isinstance(entry.value, Mapping) or path[-1:] in {("blocks",), ("functions",)}:
            yield SuppressedPart(start, entry.value.span.end, head=True)
        if (path, key) == ((), "name"):
            names[()] = start
        if path == ("backbones",):
            names["backbones", key] = start
        if key == "params" and path in names:  # the text form has both on one line
            yield SuppressedPart(names[path], entry.value.span.end, head=True)
