"""The one renderer of findings: head, place, the marked line, the scopes it lies in, and the way out."""

from __future__ import annotations

import re
from collections.abc import Iterable

from archdsl.errors.diagnostic import Diagnostic, Note
from archdsl.errors.source import Span

CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
LONGEST = 160
TAB = "    "


def render(diagnostics: Iterable[Diagnostic]) -> str:
    """All findings, an empty line between each two."""
    return "\n\n".join(render_one(finding) for finding in diagnostics)


def render_one(finding: Diagnostic) -> str:
    """One finding as text."""
    head = f"{finding.severity}[{finding.code}]: {finding.title}"
    width = 1
    if finding.span is None:
        lines = [head, *([f"  = {finding.label}"] if finding.label else [])]
    else:
        notes = [note for note in finding.notes if note.span is not None]
        shown = [finding.span, *(note.span for note in notes if note.span)]
        width = max(len(str(span.source.position(span.start)[0])) for span in shown)
        lines = [head, *excerpt(finding.span, finding.label, width)]
        before = finding.span
        for note in notes:
            lines += note_excerpt(note, before, width)
            before = note.span or before
    gutter = " " * width
    lines += [f"{gutter}  = note: {note.label}" for note in finding.notes if note.span is None]
    lines += [f"{gutter}  = in: {finding.where}"] if finding.where else []
    lines += [f"{gutter}  = help: {finding.help}"] if finding.help else []
    return plain("\n".join(lines))


def plain(text: str) -> str:
    """A text in which nothing steers a terminal."""
    return CONTROL.sub(escaped, text)


def escaped(found: re.Match[str]) -> str:
    """A control character, or half a character, as text, so that no spec can steer a terminal, or break off a print."""
    code = ord(found[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def note_excerpt(note: Note, before: Span, width: int) -> list[str]:
    """The excerpt of a second place; its file and its line are shown only where they are others than those before."""
    assert note.span is not None
    source = note.span.source
    lines = excerpt(note.span, note.label, width, "-")
    if source is not before.source:
        return lines
    number = source.position(note.span.start)[0]
    shown = number == source.position(before.start)[0] and len(source.line(number)) <= LONGEST
    return lines[3:] if shown else lines[2:]


def excerpt(span: Span, label: str, width: int, sign: str = "^") -> list[str]:
    """The arrow line, and the source line with the part underlined."""
    source = span.source
    number, column = source.position(span.start)
    line = source.line(number)
    end = min(span.end - span.start, max(len(line) - column + 1, 1))
    before, marked = line[: column - 1], line[column - 1 : column - 1 + end]
    line, lead = window(line, before)
    under = " " * len(lead.replace("\t", TAB)) + sign * max(len(marked.replace("\t", TAB)), 1)
    gutter = " " * width
    return [
        f"{gutter} --> {source.name}:{number}:{column}",
        f"{gutter}  |",
        f" {number:>{width}} | {CONTROL.sub(escaped, line).replace(chr(9), TAB)}",
        f"{gutter}  | {under[:LONGEST]}{' ' + label if label else ''}",
    ]


def window(line: str, before: str) -> tuple[str, str]:
    """The part of a very long line that is shown, and what of it stands before the mark."""
    if len(line) <= LONGEST:
        return line, before
    start = max(len(before) - LONGEST // 2, 0)
    dots = "..." if start else ""
    return dots + line[start : start + LONGEST], dots + before[start:]
