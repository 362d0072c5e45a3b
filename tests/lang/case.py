"""Text cases: what a spec comes to, or what is wrong with it and where.

A case is a title, a text and what is expected of it:

    === a title
    backbone net:
        input 3 x 8 x 8
        stem: conv(«0»)
    ---
    E106 `out` is 0; at least 1 is needed
    in: stem.conv

The places of errors are marked in the text by hand: «so», and ⟨so⟩ for the places of notes, in the order of the
text. `UPDATE_CASES=1 pytest tests/lang` writes what is expected anew, never the marks; its diff wants reading.

A text without a backbone is a line of its own, or a chain's lines: `frame` puts it into one. `@@ name` begins another
file; `$ name = value` before the text sets a parameter or the input. Expected are errors, or lines of

    params 1_728            a figure of the totals, the sections, or the output's shape
    modules a.b c           the paths of all ops
    flow                    what flows where, a line for each op
    same other              flow and totals are those of another backbone
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from archdsl import driver
from archdsl.diagnostics import ArchError, Diagnostic, Source, Span
from archdsl.driver import loading
from archdsl.graph import Graph, Totals
from archdsl.syntax.parser import parse
from archdsl.syntax.scopes import FileScope
from archdsl.syntax.text import LocatedText
from tests.lang.shown import flow, modules, shape

MARKS = re.compile("[«»⟨⟩]")
TITLE = "=== "
SEPARATOR = "---"
MAIN = "net.arch"
FRAME = "backbone net:\n    input 3 x 32 x 32\n"
WHOLE = re.compile(r"^\s*(?:backbone|archdsl|import)\b", re.MULTILINE)
DEFINES = re.compile(r"(?:archdsl|import|block|fn|backbone)\b")
WIDTH = 118


class Case(NamedTuple):
    """A case, and where it stands."""

    file: str
    line: int
    title: str
    asked: tuple[str, ...]
    texts: dict[str, str]
    expected: str

    @property
    def id(self) -> str:
        """What pytest calls it."""
        return f"{self.file}:{self.line} {self.title}"


class Marked(NamedTuple):
    """A text without its marks, and what they marked: (start, end) of errors and of notes."""

    text: str
    errors: list[tuple[int, int]]
    notes: list[tuple[int, int]]


# ---- reading


def cases(path: Path) -> list[Case]:
    """The cases of a file."""
    lines = path.read_text("utf-8").split("\n")
    starts = [at for at, line in enumerate(lines) if line.startswith(TITLE)]
    ends = [*starts[1:], len(lines)]
    return [case(path.stem, start, lines[start:end]) for start, end in zip(starts, ends, strict=True)]


def case(file: str, at: int, lines: list[str]) -> Case:
    """One case: its title, its text, and what is expected."""
    split = lines.index(SEPARATOR)
    asked = tuple(line[2:] for line in lines[1:split] if line.startswith("$ "))
    named = any(line.startswith("@@ ") for line in lines[1:split])
    texts: dict[str, list[str]] = {} if named else {MAIN: []}
    for line in lines[1:split]:
        if line.startswith("@@ "):
            texts[line[3:]] = []
        elif not line.startswith("$ "):
            texts[next(reversed(texts))].append(line)
    whole = {name: "\n".join(content) for name, content in texts.items()}
    if not named:
        whole[MAIN] = frame(whole[MAIN])
    expected = "\n".join(lines[split + 1 :]).strip("\n")
    return Case(file, at + 1, lines[0].removeprefix(TITLE), asked, whole, expected)


def frame(text: str) -> str:
    """The text as a whole file: lines of a backbone (the last paragraph, where none begins one) get the head."""
    plain = MARKS.sub("", text)
    if WHOLE.search(plain):
        return text
    lines = text.split("\n")
    first = next(at for at, line in enumerate(lines) if begins_network(line))
    inside = [f"    {line}" if line.strip() else line for line in lines[first:]]
    if ":" not in MARKS.sub("", lines[first]).split("(")[0] and "=" not in lines[first].split("(")[0]:
        inside[0] = f"    net: {lines[first]}"
    return "\n".join([*lines[:first], FRAME + "\n".join(inside)])


def begins_network(line: str) -> bool:
    """Whether a line is the first that does not belong to a definition."""
    plain = MARKS.sub("", line)
    return bool(plain.strip()) and not plain[0].isspace() and not DEFINES.match(plain) and plain[0] not in ")#"


def unmarked(text: str) -> Marked:
    """A text and its marks, apart."""
    found: dict[str, list[tuple[int, int]]] = {"»": [], "⟩": []}
    open_at: list[int] = []
    clean = ""
    for char in text:
        if char in "«⟨":
            open_at.append(len(clean))
        elif char in "»⟩":
            found[char].append((open_at.pop(), len(clean)))
        else:
            clean += char
    return Marked(clean, sorted(found["»"]), sorted(found["⟩"]))


# ---- running


def outcome(case: Case, folder: Path | None = None) -> tuple[Graph | ArchError, dict[str, Graph]]:
    """What a case's text comes to: a graph, or what is wrong; and the graphs of its other backbones."""
    try:
        file = opened(case, folder)
        params, size = asked(case)
        main = next(iter(file.backbones.values()), None)
        spec = driver.Network.of(file, main) if main is not None else loading.choose(file, "")
        graph = driver.compile(spec, params=params, input=size)
        compared = re.findall(r"^same (\w+)$", case.expected, re.MULTILINE)
        return graph, {name: driver.compile(driver.Network.of(file, file.backbones[name])) for name in compared}
    except ArchError as error:
        return error, {}


def opened(case: Case, folder: Path | None) -> FileScope:
    """The case's main file, with its other files beside it."""
    text = unmarked(case.texts[MAIN]).text
    if len(case.texts) == 1 or folder is None:
        return driver.opened(Source(MAIN, text))
    for name, content in case.texts.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(unmarked(content).text, "utf-8")
    path = folder / MAIN
    return driver.opened(Source(MAIN, text), path)


def asked(case: Case) -> tuple[dict[str, object], tuple[int, ...] | None]:
    """The parameters and the input that a case sets."""
    params: dict[str, object] = {}
    size = None
    for line in case.asked:
        name, _, text = (part.strip() for part in line.partition("="))
        if name == "input":
            size = tuple(map(int, text.split("x")))
        else:
            params[name] = parse(LocatedText.of(Source("-p", text)), "expression")
    return params, size


# ---- showing


def describe(case: Case, found: Graph | ArchError, others: dict[str, Graph], folder: Path | None = None) -> str:
    """What there is, in the form in which the case states what it expects."""
    if isinstance(found, ArchError):
        return "\n\n".join(finding(each) for each in found.diagnostics).replace(f"{folder}", "FOLDER")
    words = [line.split()[0] for line in case.expected.split("\n") if line and not line.startswith((" ", "E"))]
    shown = [fact(word, case, found, others) for word in words or ["params", "output", "flow"]]
    return "\n".join(shown)


def finding(each: Diagnostic) -> str:
    """An error: its code, what it says at its place, the scope, the way out, and notes."""
    head = f"{each.code} {each.label}" if each.severity == "error" else f"{each.severity} {each.code} {each.label}"
    lines = [head.rstrip(), *([f"in: {each.where}"] if each.where else [])]
    lines += [f"note: {note.label}" for note in each.notes]
    return "\n".join([*lines, *([f"help: {each.help}"] if each.help else [])])


def fact(word: str, case: Case, graph: Graph, others: dict[str, Graph]) -> str:
    """One line (or paragraph) of what is expected."""
    match word:
        case "output":
            return f"output {shape(graph.root.output)}"
        case "modules":
            return wrapped("modules", modules(graph))
        case "flow":
            return "\n    ".join(["flow", *flow(graph)])
        case "sections":
            parts = [f"{part.name} {shape(part.shape)} / {part.reduction}" for part in graph.sections]
            return wrapped("sections", [f"{part}," for part in parts]).rstrip(",")
        case "maps":
            parts = [f"{each.name} {shape(each.shape)} / {each.reduction}" for each in graph.maps]
            return wrapped("maps", [f"{part}," for part in parts]).rstrip(",")
        case "same":
            return f"same {' '.join(name for name in others if alike(graph, others[name]))}"
        case _ if word in Totals._fields:
            return f"{word} {getattr(graph.root.totals, word):_}"
        case _:
            raise ValueError(f"{case.id}: nothing is called {word!r}")


def alike(graph: Graph, other: Graph) -> bool:
    """Whether two networks do the same with as many weights."""
    return flow(graph) == flow(other) and graph.root.totals == other.root.totals


def wrapped(word: str, parts: list[str]) -> str:
    """Words in lines that are not too long."""
    lines = [word]
    for part in parts:
        if len(lines[-1]) + len(part) + 1 > WIDTH:
            lines.append("   ")
        lines[-1] += f" {part}"
    return "\n".join(lines)


def places(case: Case, found: Graph | ArchError) -> tuple[dict[str, str], dict[str, str]]:
    """The texts as they are marked, and as they should have been."""
    clean = {name: unmarked(text).text for name, text in case.texts.items()}
    marks: dict[str, list[tuple[int, int, str]]] = {name: [] for name in clean}
    for each in found.diagnostics if isinstance(found, ArchError) else ():
        spans = [(each.span, "«»"), *((note.span, "⟨⟩") for note in each.notes)]
        for span, signs in spans:
            if span is not None and (name := file_of(span, clean)):
                marks[name].append((span.start, span.end, signs))
    right = {name: with_marks(text, marks[name]) for name, text in clean.items()}
    wrong = {name: with_marks(text, as_marked(case.texts[name])) for name, text in clean.items()}
    return wrong, right


def file_of(span: Span, texts: dict[str, str]) -> str:
    """Which of the case's files a place lies in."""
    name = span.source.name
    return next((each for each in texts if name == each or name.endswith(f"/{each}")), "")


def as_marked(text: str) -> list[tuple[int, int, str]]:
    """The marks of a text."""
    marked = unmarked(text)
    return [(*place, "«»") for place in marked.errors] + [(*place, "⟨⟩") for place in marked.notes]


def with_marks(text: str, marks: list[tuple[int, int, str]]) -> str:
    """A text with its marks put in, always in the same order."""
    signs = [(start, 1, -end, sign[0]) for start, end, sign in marks]
    signs += [(end, 0 if end > start else 2, -start, sign[1]) for start, end, sign in marks]
    for at, _, _, sign in sorted(signs, reverse=True):
        text = text[:at] + sign + text[at:]
    return text
