"""The YAML notation: from a text to the document, by way of plain data with places."""

from __future__ import annotations

from bisect import bisect

from archdsl.diagnostics import ArchError, Diagnostic, Source, Span, catalog
from archdsl.frontend.yaml.compose import load
from archdsl.syntax.detect_format import text_form
from archdsl.syntax.document import START, File
from archdsl.syntax.models import in_order, validated
from archdsl.syntax.nodes import Data, Mapping, MappingEntry, Scalar, Sequence

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
