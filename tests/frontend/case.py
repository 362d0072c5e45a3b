"""Text cases of the two notations.

    === a title
    name: net
    stem: cna(64, «)»
    ---
    E001 `)` is not allowed here
    help: ...

The text may have the places of errors marked by hand: «so», and ⟨so⟩ for the places of notes, in the order of the text.
Below the `---` is what is expected; `UPDATE_CASES=1 pytest tests/frontend` writes it anew (never the marks); its diff
wants reading.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from archdsl.diagnostics import ArchError, Diagnostic, Source

FOLDER = Path(__file__).parent / "cases"
MARKS = re.compile("[«»⟨⟩]")


class Case(NamedTuple):
    """A case, and the file that it stands in."""

    file: str
    title: str
    marked: str
    expected: str

    @property
    def id(self) -> str:
        return f"{self.file}: {self.title}"

    @property
    def text(self) -> str:
        """The text without its marks."""
        return MARKS.sub("", self.marked)

    @property
    def places(self) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
        """What is marked, of errors and of notes, as offsets in the text without marks."""
        found: dict[str, list[tuple[int, int]]] = {"»": [], "⟩": []}
        starts: list[int] = []
        for number, mark in enumerate(MARKS.finditer(self.marked)):
            if mark[0] in "«⟨":
                starts.append(mark.start() - number)
            else:
                found[mark[0]].append((starts.pop(), mark.start() - number))
        return found["»"], found["⟩"]


def cases(file: str) -> list[Case]:
    """The cases of a file."""
    return list(read(file, (FOLDER / f"{file}.txt").read_text("utf-8")))


def read(file: str, text: str) -> Iterator[Case]:
    """The cases of a text."""
    for part in re.split(r"^=== ", text, flags=re.MULTILINE)[1:]:
        title, _, rest = part.partition("\n")
        marked, separator, expected = rest.rpartition("\n---\n")
        assert separator, f"{title} has no ---"
        yield Case(file, title, marked + "\n", expected.rstrip("\n"))


def settle(case: Case, shown: str) -> None:
    """Compares what is shown with what is expected, or writes it down."""
    if not os.environ.get("UPDATE_CASES"):
        assert shown == case.expected
        return
    path = FOLDER / f"{case.file}.txt"
    old = f"=== {case.title}\n{case.marked}---\n{case.expected}"
    whole = path.read_text("utf-8")
    assert whole.count(old) == 1, case.title
    path.write_text(whole.replace(old, f"=== {case.title}\n{case.marked}---\n{shown}"), "utf-8")


def spans(error: ArchError) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """The places of findings, and those of their notes."""
    main = [(each.span.start, each.span.end) for each in error.diagnostics if each.span]
    notes = [(note.span.start, note.span.end) for each in error.diagnostics for note in each.notes if note.span]
    return main, notes


def described(findings: list[Diagnostic]) -> str:
    """Findings in short."""
    lines: list[str] = []
    for each in findings:
        lines.append(f"{each.code} {each.label}")
        lines += [f"note: {note.label}" for note in each.notes]
        lines += [f"help: {each.help}"] if each.help else []
    return "\n".join(lines)


def yaml_source(text: str) -> Source:
    return Source("spec.yaml", text)
