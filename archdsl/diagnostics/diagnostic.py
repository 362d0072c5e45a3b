"""What is wrong, where, and what would work; and the one exception that carries such findings."""

from __future__ import annotations

from typing import NamedTuple

from archdsl.diagnostics.source import Span

LONGEST = 600
MOST_FINDINGS = 100
"""Of one network, or one file; whoever reads so many has stopped by then."""
SEVERITIES = {"E": "error", "W": "warning", "A": "advice"}
"""By the letter with which a code begins."""


class DiagnosticKind(NamedTuple):
    """A way to be wrong: a stable code and the sentence that heads its messages. One row of `catalog.py` each."""

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
        """A finding of this rule: what stands at the place (`label`), and what would work (`help`)."""
        said = (title or self.title, span, shortened(label), shortened(help), where, notes)
        return Diagnostic(self.code, *said, SEVERITIES[self.code[0]], scopes)

    def error(self, span: Span | None, label: str = "", *, help: str = "", title: str = "") -> ArchError:
        """The exception with this one finding."""
        return ArchError([self.at(span, label, help=help, title=title)])


def shortened(text: str) -> str:
    """A sentence, cut where what it quotes is too long for anybody to read."""
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."


class Note(NamedTuple):
    """A second place that belongs to a finding, with what is there."""

    span: Span | None
    label: str


class Diagnostic(NamedTuple):
    """One finding. `where` is the path of the module that it is in; `scopes` are the words for it, where they help."""

    code: str
    title: str
    span: Span | None
    label: str = ""
    help: str = ""
    where: str = ""
    notes: tuple[Note, ...] = ()
    severity: str = "error"
    scopes: str = ""

    def __str__(self) -> str:
        return str(ArchError([self]))


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
        from archdsl.diagnostics.render import render

        return render(self.diagnostics)
