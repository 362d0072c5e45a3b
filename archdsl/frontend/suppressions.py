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
from archdsl.frontend.format.attach_comments import Comment, Tokens, tokens
from archdsl.frontend.format.yaml_comments import YamlComments, scalars_of
from archdsl.frontend.yaml.reader import load
from archdsl.syntax.document import File
from archdsl.syntax.nodes import Data, Mapping, MappingEntry, Scalar, Sequence
from archdsl.syntax.text import is_yaml

CODE = re.compile(r"([A-Za-z]\d+)\b[ \t]*,?[ \t]*")
DEFINITIONS = ("blocks", "functions")


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
    docs = {each.span for each in docs_of(data)}
    literal = [each.span for each in scalars.values() if each.style == "|" and each.span not in docs]
    inner = [in_arch(source, source.text.find("\n", each.start, each.end) + 1, each.end) for each in literal]
    parts = [SuppressedPart(*each.span[1:]) for each in scalars.values() if each.style != "|"]
    parts += [SuppressedPart(each.key.span.start, each.value.span.end, head=True) for each in entries(data, "")]
    parts += heads(data)
    return merged(outer, headers, parts, inner)


def merged(
    outer: Tokens, headers: list[Comment], parts: list[SuppressedPart], inner: list[CommentedText]
) -> CommentedText:
    """All in the order of their places."""
    comments = sorted([*outer.comments, *headers, *(each for text in inner for each in text.comments)])
    code = sorted([*(at for at, _ in outer.code), *(at for text in inner for at in text.code)])
    return CommentedText(comments, code, [*parts, *(part for text in inner for part in text.parts)])


def docs_of(data: Data) -> Iterator[Scalar]:
    """The texts that are for people only."""
    match data:
        case Scalar():
            return
        case Sequence(items=items):
            yield from (each for item in items for each in docs_of(item))
        case Mapping(entries=lines):
            for key, value in lines:
                yield from (value,) if key.content == "doc" and isinstance(value, Scalar) else docs_of(value)


def heads(data: Data) -> Iterator[SuppressedPart]:
    """The name of each backbone with its parameters: the language has them on one line."""
    keys = keys_of(data)
    found = [(keys["name"].key, keys)] if "name" in keys else []
    if "backbones" in keys:
        found += [(each.key, keys_of(each.value)) for each in keys_of(keys["backbones"].value).values()]
    for name, inner in found:
        if "params" in inner and name.span.start < inner["params"].key.span.start:
            yield SuppressedPart(name.span.start, inner["params"].value.span.end, head=True)


def keys_of(data: Data) -> dict[str, MappingEntry]:
    """The entries of a mapping by their keys; none of anything else."""
    return {each.key.content: each for each in data.entries} if isinstance(data, Mapping) else {}


def entries(data: Data, key: str) -> Iterator[MappingEntry]:
    """The entries that are silenced as one: texts, lists, and definitions of blocks; not stages or backbones."""
    match data:
        case Scalar():
            return
        case Sequence(items=items):
            yield from (entry for item in items for entry in entries(item, ""))
        case Mapping(entries=lines):
            for entry in lines:
                if not isinstance(entry.value, Mapping) or key in DEFINITIONS:
                    yield entry
                yield from entries(entry.value, entry.key.content)
