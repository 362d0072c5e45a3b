"""The mistakes, as cases: `cases/*.txt`, from which `docs/mistakes.md` is written too (`page.py`).

    === groups that do not divide
    --- net.arch
    backbone net:
        input 3 x 32 x 32
        stem: cna(«250», 3, groups = 32)
    --- net.yaml
    name: net
    input: 3x32x32
    stem: cna(«250», 3, groups = 32)
    --- mended
    250 => 256
    --- net.arch says
    error[E203]: ...
    --- net.yaml says
    error[E203]: ...

The places are marked by hand: «so» the places of errors, ⟨so⟩ those of their notes, in the order of the text. What the
notations say is the whole message; `UPDATE_CASES=1 pytest tests/mistakes` writes it anew, never the marks; its diff
wants reading. `mended` are texts and what stands in their place in a spec that is fine, for one notation where that is
named in front (`yaml: a => b`); or the spec as a whole, as `net.arch mended`. Other parts are further files. A case has
one notation where the mistake cannot be made in the other.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from archdsl.diagnostics import Diagnostic, Source, Span
from archdsl.driver import validation

FOLDER = Path(__file__).parent / "cases"
NOTATIONS = ("arch", "yaml")
MARKS = re.compile("[«»⟨⟩]")
PART = re.compile(r"^--- (.*)\n", re.MULTILINE)
ARROW = " =>"


class Case(NamedTuple):
    """A mistake in one notation: `text` has the marks, `says` is the whole message."""

    topic: str
    title: str
    notation: str
    text: str
    says: str
    mended: str
    others: dict[str, str]

    @property
    def id(self) -> str:
        """What pytest calls it."""
        return f"{self.title}, {self.notation}"

    @property
    def name(self) -> str:
        """The name of the file."""
        return f"net.{self.notation}"

    def findings(self, folder: Path) -> list[Diagnostic]:
        """What is wrong with it."""
        return validated(self.name, unmarked(self.text), self.others, folder)

    @property
    def texts(self) -> dict[str, str]:
        """All texts by their files' names, with the marks."""
        return {self.name: self.text, **self.others}


class Mistake(NamedTuple):
    """A mistake, in the notations in which it can be made; `mends` are texts and what stands in their place."""

    title: str
    cases: list[Case]
    mends: list[str]


def validated(name: str, text: str, others: dict[str, str], folder: Path) -> list[Diagnostic]:
    """What is wrong with a spec in a folder, beside other files."""
    (folder / name).write_text(text, "utf-8")
    for other, content in others.items():
        (folder / other).write_text(unmarked(content), "utf-8")
    return validation.validate(Source(name, text), folder / name)


# ---- reading


def topics() -> dict[str, list[Mistake]]:
    """All mistakes, by topic: the first line of their file."""
    return {heading(path): list(mistakes(path)) for path in sorted(FOLDER.glob("*.txt"))}


def heading(path: Path) -> str:
    """The topic of a file."""
    return path.read_text("utf-8").partition("\n")[0].removeprefix("# ")


def mistakes(path: Path) -> Iterator[Mistake]:
    """The mistakes of a file."""
    for text in re.split(r"^=== ", path.read_text("utf-8"), flags=re.MULTILINE)[1:]:
        title, _, rest = text.partition("\n")
        parts = parts_of(rest)
        mends = parts.pop("mended", "").splitlines()
        main = [f"net.{notation}" for notation in NOTATIONS if f"net.{notation}" in parts]
        own = {f"{name}{kind}" for name in main for kind in ("", " says", " mended")}
        others = {name: content for name, content in parts.items() if name not in own}
        cases = [
            Case(
                path.stem,
                title,
                name.removeprefix("net."),
                parts[name],
                parts.get(f"{name} says", "").rstrip("\n"),
                parts.get(f"{name} mended") or mended(parts[name], name.removeprefix("net."), mends),
                others,
            )
            for name in main
        ]
        yield Mistake(title, cases, mends)


def unmarked(text: str) -> str:
    """A text without its marks."""
    return MARKS.sub("", text)


def parts_of(text: str) -> dict[str, str]:
    """The parts of a case by name."""
    _, *found = PART.split(text.rstrip("\n") + "\n")
    return dict(zip(found[::2], found[1::2], strict=True))


def mended(text: str, notation: str, mends: list[str]) -> str:
    """A text with its mistakes mended; empty where nothing says how."""
    text, lines = unmarked(text), [for_notation(line, notation) for line in mends]
    lines = [line for line in lines if line]
    for line in lines:
        wrong, right = (each.replace("\\n", "\n") for each in line.split(ARROW, 1))
        right = right.removeprefix(" ")
        assert text.count(wrong) == 1, f"{wrong!r} stands {text.count(wrong)} times"
        text = text.replace(wrong, right)
    return text if lines else ""


def for_notation(line: str, notation: str) -> str:
    """What a line of `mended` says for a notation, if anything."""
    named, colon, rest = line.partition(": ")
    return line if not colon or named not in NOTATIONS else rest if named == notation else ""


# ---- comparing


def remarked(texts: dict[str, str], findings: list[Diagnostic]) -> dict[str, str]:
    """Texts by their files' names, with the places of findings and of their notes marked."""
    spans = [(finding.span, "«»") for finding in findings]
    spans += [(note.span, "⟨⟩") for finding in findings for note in finding.notes]
    return {name: with_marks(unmarked(text), name, spans) for name, text in texts.items()}


def with_marks(text: str, name: str, spans: list[tuple[Span | None, str]]) -> str:
    """A text with the places marked that are in the file of this name."""
    signs: list[tuple[int, int, int, str]] = []
    for span, pair in dict.fromkeys(spans):
        if span is not None and span.source.name == name:
            signs.append((span.start, 1, -span.end, pair[0]))
            signs.append((span.end, 0 if span.end > span.start else 2, -span.start, pair[1]))
    for at, _, _, sign in sorted(signs, reverse=True):
        text = text[:at] + sign + text[at:]
    return text


def write(case: Case, says: str) -> None:
    """Writes what a case says anew, and nothing else of it."""
    path = FOLDER / f"{case.topic}.txt"
    head, _, rest = path.read_text("utf-8").partition(f"=== {case.title}\n")
    body, following, tail = rest.partition("\n=== ")
    parts = parts_of(body)
    parts[f"{case.name} says"] = says + "\n"
    shown = "".join(f"--- {name}\n{content}" for name, content in parts.items())
    blank = "\n" if following else ""
    path.write_text(f"{head}=== {case.title}\n{shown}{blank}{following.lstrip()}{tail}", "utf-8")
