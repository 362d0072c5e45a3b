"""Findings, the one exception that carries them, and their one renderer.

Rendered are the head, the place, the marked line, the scopes it lies in, and the way out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from archdsl.diagnostics.characters import on_one_line, plain
from archdsl.diagnostics.source import Source, Span

LONGEST_SENTENCE = 600
# Maximum number of findings, of one network or one file.
MOST_FINDINGS = 100
# By the letter with which a code begins.
SEVERITIES = {"E": "error", "W": "warning", "A": "advice"}


class DiagnosticKind(NamedTuple):
    """A kind of finding: a stable code, and the sentence that heads its messages. Rows of `catalog.py`."""

    code: str
    title: str

    def at(
        self,
        span: Span | None,
        label: str = "",
        *,
        help: str = "",
        title: str = "",
        where: str = "",
        scopes: str = "",
        notes: tuple[Note, ...] = (),
    ) -> Diagnostic:
        """A finding of this kind: the mistake at the place (`label`), and what would work (`help`)."""
        said = (title or self.title, span, shortened(label), shortened(help), where, notes)
        return Diagnostic(self.code, *said, SEVERITIES[self.code[0]], scopes)

    def error(self, span: Span | None, label: str = "", *, help: str = "", title: str = "") -> ArchError:
        """The exception with this one finding."""
        return ArchError([self.at(span, label, help=help, title=title)])


def shortened(text: str) -> str:
    """A sentence, cut where a quotation makes it too long."""
    return text if len(text) <= LONGEST_SENTENCE else f"{text[:LONGEST_SENTENCE]}..."


class Note(NamedTuple):
    """A second place that belongs to a finding, with a label."""

    span: Span | None
    label: str


class Diagnostic(NamedTuple):
    """A finding. `where` is the path of its module; `scopes` are the words for it, where they help."""

    code: str
    title: str
    span: Span | None
    label: str = ""
    help: str = ""
    where: str = ""
    notes: tuple[Note, ...] = ()
    severity: str = "error"
    scopes: str = ""
    opening: Span | None = None
    """The bracket that is still open, of a finding that is about one."""

    def __str__(self) -> str:
        return str(ArchError([self]))


# A sentence. What describes values, or searches names, is made when it is shown: most errors of trials never are.
Text = str | Callable[[], str]


class UnlocatedError(Exception):
    """An error whose place only a caller knows: an op knows its numbers, but not where the user wrote them."""

    def __init__(self, rule: DiagnosticKind, label: Text = "", help: Text = "") -> None:
        super().__init__(rule, label, help)
        self.rule, self.texts = rule, (label, help)

    def __str__(self) -> str:
        return self.label

    @property
    def label(self) -> str:
        """The mistake, in a sentence."""
        return rendered(self.texts[0])

    @property
    def help(self) -> str:
        """The way out, in a sentence."""
        return rendered(self.texts[1])

    def at(self, span: Span | None) -> Diagnostic:
        """The finding at a place."""
        return self.rule.at(span, self.label, help=self.help)


def rendered(text: Text) -> str:
    """A sentence as it is shown."""
    return text if isinstance(text, str) else text()


class ArchError(Exception):
    """Everything that archdsl finds wrong with a spec or with what it was asked for.

    `diagnostics` holds the findings, in the order of their places; `str()` shows them all. `rest` is the document of
    what can be read, if it is a text that cannot be read as a whole.
    """

    def __init__(self, diagnostics: list[Diagnostic], rest: object = None) -> None:
        super().__init__(diagnostics)
        self.diagnostics = diagnostics
        self.rest = rest

    def __str__(self) -> str:
        return render(self.diagnostics)


# ---- rendering -------------------------------------------------------------------------------------------------------

LONGEST_LINE = 160
# Of a terminal; `aside` is for all that leads to the text.
COLORS = {"error": 31, "warning": 33, "advice": 36, "aside": 34, "strong": 0}

SENTENCES = ("title", "label", "help", "where", "scopes")

# Paint a text in the color of a word of `COLORS`.
Paint = Callable[[str, str], str]


def render(diagnostics: Iterable[Diagnostic], *, color: bool = False) -> str:
    """All findings, an empty line between each two."""
    paint = painted if color else unpainted
    return "\n\n".join(render_one(legible(finding), paint) for finding in diagnostics)


def legible(finding: Diagnostic) -> Diagnostic:
    """A finding whose sentences are on one line each, and steer nothing: colors are added to these."""
    notes = tuple(note._replace(label=on_one_line(note.label)) for note in finding.notes)
    said = {name: on_one_line(getattr(finding, name)) for name in SENTENCES}
    return finding._replace(notes=notes, **said)


def painted(kind: str, text: str) -> str:
    """A text in bold and in color."""
    return f"\x1b[1;{COLORS[kind]}m{text}\x1b[0m" if COLORS[kind] else f"\x1b[1m{text}\x1b[0m"


def unpainted(kind: str, text: str) -> str:
    """A text as it is."""
    return text


def render_one(finding: Diagnostic, paint: Paint) -> str:
    """One finding as text."""
    notes = [note for note in finding.notes if note.span is not None]
    spans = [span for span in (finding.span, *(note.span for note in notes)) if span is not None]
    width = max((len(str(span.source.position(span.start)[0])) for span in spans), default=1)
    head = paint(finding.severity, f"{finding.severity}[{finding.code}]") + paint("strong", f": {finding.title}")
    facts = [("", finding.label)] if finding.span is None or not finding.span.source.text else []
    lines = [head, *(excerpt(finding.span, finding.label, width, finding.severity, paint) if finding.span else [])]
    before = finding.span
    for note in notes:
        lines += note_excerpt(note, before, width, paint)
        before = note.span
    facts += [("note", note.label) for note in finding.notes if note.span is None]
    where = f"{finding.where} ({finding.scopes})" if finding.scopes else finding.where
    facts += [("in", where), ("help", finding.help)]
    lines += [fact(word, text, width, paint) for word, text in facts if text]
    return "\n".join(lines)


def fact(word: str, text: str, width: int, paint: Paint) -> str:
    """A line below the excerpts."""
    lead = paint("aside", f"{' ' * width}  =")
    return f"{lead} {paint('strong', f'{word}:')} {text}" if word else f"{lead} {text}"


def name_of(source: Source) -> str:
    """The name of a source, on one line."""
    return on_one_line(source.name)


def note_excerpt(note: Note, before: Span | None, width: int, paint: Paint) -> list[str]:
    """The excerpt of a second place; its file and its line are shown only where they are others than those before."""
    assert note.span is not None
    source = note.span.source
    lines = excerpt(note.span, note.label, width, "aside", paint)
    if before is None or source is not before.source:
        return lines
    number = source.position(note.span.start)[0]
    shown = number == source.position(before.start)[0] and len(source.line(number)) <= LONGEST_LINE
    return lines[3:] if shown else lines[2:]


def excerpt(span: Span, label: str, width: int, kind: str, paint: Paint) -> list[str]:
    """The arrow line, and the source line with the part underlined; only the file's name where nothing is in it."""
    source = span.source
    gutter = " " * width
    arrow = paint("aside", f"{gutter} -->")
    if not source.text:
        return [f"{arrow} {name_of(source)}"]
    number, column = source.position(span.start)
    line = source.line(number)
    end = min(span.end - span.start, max(len(line) - column + 1, 1))
    before, marked = line[: column - 1], line[column - 1 : column - 1 + end]
    line, lead = window(line, before)
    sign = "-" if kind == "aside" else "^"
    marks = (sign * max(columns(printed(marked)), 1))[: max(LONGEST_LINE - columns(printed(lead)), 1)]
    under = paint(kind, f"{marks} {label}" if label else marks)
    return [
        f"{arrow} {name_of(source)}:{number}:{column}",
        paint("aside", f"{gutter}  |"),
        f"{paint('aside', f' {number:>{width}} |')} {printed(line)}",
        f"{paint('aside', f'{gutter}  |')} {' ' * columns(printed(lead))}{under}",
    ]


def window(line: str, before: str) -> tuple[str, str]:
    """The part of a very long line that is shown, and what of it stands before the mark."""
    if len(line) <= LONGEST_LINE:
        return line, before
    start = max(len(before) - LONGEST_LINE // 2, 0)
    dots = "..." if start else ""
    return dots + line[start : start + LONGEST_LINE], dots + before[start:]


def printed(line: str) -> str:
    """A line as it is shown."""
    return plain(line)


def columns(text: str) -> int:
    """The width of a text in columns of a terminal."""
    if text.isascii():
        return len(text)
    from unicodedata import combining, east_asian_width

    return sum(0 if combining(sign) else 2 if east_asian_width(sign) in {"W", "F"} else 1 for sign in text)
