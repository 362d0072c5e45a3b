"""Finds the comments that silence warnings, in either notation: `# archdsl: allow W201, W302 (and why)`."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator

from archdsl.errors import Source, Span
from archdsl.errors.allowance import Allowance
from archdsl.frontend.formatting.tokens import Comment, Tokens, tokens
from archdsl.frontend.notation import is_yaml
from archdsl.frontend.yaml.data import Data, Mapping, Scalar, Sequence
from archdsl.lang.document import Document

MARK = re.compile(r"#[ \t]*archdsl:[ \t]*(allow|ignore|disable|silence|noqa)\b[ \t:=]*")
CODE = re.compile(r"([A-Za-z]\d+)\b[ \t]*,?[ \t]*")


def allowances(source: Source, document: Document) -> list[Allowance]:
    """All of a text; most have none, and are not looked through."""
    if not MARK.search(source.text):
        return []
    found = in_yaml(source, document) if is_yaml(source.name, source.text) else tokens(source.text, 0, len(source.text))
    starts = [start for start, _ in found.code]
    return [each for comment in found.comments for each in of_comment(source, comment, starts)]


def in_yaml(source: Source, document: Document) -> Tokens:
    """The comments and the code of a YAML spec: YAML's own, and those of the language in its blocks of text (`|`)."""
    from archdsl.frontend.formatting.yaml import Reader, scalars_of
    from archdsl.frontend.yaml.compose import load
    from archdsl.frontend.yaml.findings import Findings

    data = load(source, Findings()) or Sequence((), Span(source, 0, 0))
    scalars = {each.span: each for each in scalars_of(data)}
    found, _ = Reader(source, document).tokens(sorted(scalars.values(), key=lambda each: each.span.start))
    docs = {each.span for each in docs_of(data)}
    for span in (each.span for each in scalars.values() if each.style == "|" and each.span not in docs):
        inner = tokens(source.text, source.text.find("\n", span.start, span.end) + 1, span.end)
        found.comments.extend(inner.comments)
        found.code.extend(inner.code)
    found.comments.sort()
    found.code.sort()
    return found


def docs_of(data: Data) -> Iterator[Scalar]:
    """The texts that are for people only."""
    match data:
        case Scalar():
            return
        case Sequence(items=items):
            yield from (each for item in items for each in docs_of(item))
        case Mapping(entries=entries):
            for key, value in entries:
                yield from (value,) if key.content == "doc" and isinstance(value, Scalar) else docs_of(value)


def of_comment(source: Source, comment: Comment, starts: list[int]) -> Iterator[Allowance]:
    """What a comment silences. `starts` are the places of all code.

    One beside code is for its line, one on a line of its own for the next line with code, one above all for the file.
    """
    mark = MARK.match(comment.text)
    if mark is None:
        return
    lines: tuple[int, ...] = (source.position(comment.start)[0],)
    if comment.own:
        following = bisect_left(starts, comment.start)
        lines = () if following == 0 else tuple(source.position(at)[0] for at in starts[following : following + 1])
        if following == len(starts):
            lines = (-1,)
    codes = list(codes_of(comment.text, mark.end())) if mark[1] == "allow" else []
    for code, start, end in codes or [("", 0, len(comment.text))]:
        yield Allowance(code, Span(source, comment.start + start, comment.start + end), lines)


def codes_of(text: str, at: int) -> Iterator[tuple[str, int, int]]:
    """The codes in a comment, with their places in it; what follows them is the reason."""
    while found := CODE.match(text, at):
        yield found[1].upper(), *found.span(1)
        at = found.end()
