"""Findings as plain data for the cache, and back. What comes back is checked: a cache may hold anything."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from archdsl.diagnostics import Diagnostic, Note, Source, Span

SEVERITIES = ("error", "warning")


def as_plain(findings: Iterable[Diagnostic], main: Source) -> dict[str, Any]:
    """Findings as plain data; their texts stand beside them, but for that of the file itself."""
    sources = {main: 0}

    def place(span: Span | None) -> list[int] | None:
        return None if span is None else [sources.setdefault(span.source, len(sources)), span.start, span.end]

    rows = [
        [
            *(each.code, each.title, place(each.span), each.label, each.help, each.where),
            [[place(note.span), note.label] for note in each.notes],
            each.severity,
            each.scopes,
        ]
        for each in findings
    ]
    return {"sources": [[each.name, each.text] for each in sources if each is not main], "findings": rows}


def from_plain(data: Any, main: Source) -> list[Diagnostic]:
    """The findings again; raises ValueError for data that are none."""
    sources = [main, *(Source(text(name), text(content)) for name, content in data["sources"])]

    def place(at: Any) -> Span | None:
        return None if at is None else span(sources, *at)

    return [
        Diagnostic(
            *(text(code), text(title), place(at), text(label), text(help), text(where)),
            tuple(Note(place(note), text(said)) for note, said in notes),
            one_of(severity, SEVERITIES),
            text(scopes),
        )
        for code, title, at, label, help, where, notes, severity, scopes in data["findings"]
    ]


def span(sources: list[Source], number: Any, start: Any, end: Any) -> Span:
    """A place, if there is such a place."""
    if not all(type(each) is int for each in (number, start, end)) or not 0 <= number < len(sources):
        raise ValueError("no place")
    source: Source = sources[int(number)]
    if not 0 <= start <= end <= len(source.text):
        raise ValueError("a place outside of its text")
    return Span(source, int(start), int(end))


def text(value: Any) -> str:
    """A text."""
    if type(value) is not str:
        raise ValueError("no text")
    return value


def one_of(value: Any, known: tuple[str, ...]) -> str:
    """One of several texts."""
    if value not in known:
        raise ValueError("an unknown word")
    return value
