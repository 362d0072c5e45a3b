"""From a name or a text to a graph: load, elaborate, verify, and nothing more."""

from __future__ import annotations

from contextlib import suppress
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from archdsl.analyses.expect import hold
from archdsl.asked import given, size_of
from archdsl.errors import ArchError, Diagnostic, Note, Source, Span, catalog, did_you_mean
from archdsl.errors.allowance import without_silenced
from archdsl.errors.reading import read_text, resolved, shown
from archdsl.frontend import read
from archdsl.frontend.allowances import allowances
from archdsl.frontend.notation import SUFFIXES
from archdsl.graph import Graph
from archdsl.graph.verify import verify
from archdsl.lang.elaborate.backbone import elaborate
from archdsl.lang.evaluate.known import Known
from archdsl.lang.text.document import Backbone, Import
from archdsl.lang.text.family import lineage, resolve
from archdsl.lang.text.files import Definition, File
from archdsl.resources import folder

DEEPEST_IMPORTS = 32
MOST_IMPORTS = 500
MOST_BESIDE = 1_000
WITHIN = "a file imports from its own folder, and from those below"
BEGINNING = 'it begins with `backbone name:`, `block name(...)` or `import "..."`'
MOST_FINDINGS = 100
"""Of one file; whoever reads so many has stopped by then."""


class Spec:
    """A backbone in its file: what `load` gives, and `build`, `compile` and `cost` take."""

    def __init__(self, file: File, backbone: Backbone) -> None:
        self.file = file
        self.backbone = backbone
        self.name = backbone.name

    def __repr__(self) -> str:
        return f"<Spec {self.name} of {self.file.source.name}>"


# ---- the shipped files ---------------------------------------------------------------------------------------------


class Shipped:
    """The block library and the specs that come with the package, each read when it is first asked for."""

    def __init__(self) -> None:
        self.files: dict[Path, File] = {}

    @cached_property
    def block_files(self) -> dict[str, Path]:
        """The file of each shipped block: it bears the block's name."""
        return {path.stem: path for path in sorted((folder("grammar") / "blocks").glob("*.arch"))}

    @cached_property
    def spec_files(self) -> dict[str, Path]:
        """The file of each shipped backbone: it bears the backbone's name."""
        return {path.stem: path for path in sorted(folder("specs").iterdir()) if path.suffix in SUFFIXES}

    def block(self, name: str) -> Definition | None:
        """A shipped block."""
        path = self.block_files.get(name)
        return None if path is None else self.file(path).blocks[name]

    def blocks(self) -> list[str]:
        """The names of the shipped blocks."""
        return list(self.block_files)

    def spec(self, name: str) -> tuple[File, Backbone] | None:
        """A shipped backbone, with its file."""
        path = self.spec_files.get(name)
        if path is None:
            return None
        file = self.file(path)
        return (file, file.backbones[name]) if name in file.backbones else None

    def specs(self) -> list[str]:
        """The names of the shipped backbones."""
        return sorted(self.spec_files)

    def opened(self, path: Path, text: str) -> File | None:
        """The file of a shipped spec, if this is one, as the networks that extend it have it: none is read twice."""
        if self.spec_files.get(path.stem) != path:
            return None
        file = self.file(path, text)
        return file if file.source.text == text and not file.imports else None

    def file(self, path: Path, text: str | None = None) -> File:
        """A shipped file, whose `text` may have been read already."""
        if path not in self.files:
            source = Source(shown(path), read_text(path, None) if text is None else text, shipped=True)
            self.files[path] = open_file(source, path.parent, ())
        return self.files[path]


SHIPPED = Shipped()


# ---- loading -------------------------------------------------------------------------------------------------------


def load(spec: str | Path) -> Spec:
    """The backbone that a file holds (`net.yaml`, `net.arch`, `net.arch:name` of several), or a shipped one's name.

    Raises ArchError with everything that is wrong with the text.
    """
    text = str(spec)
    path_text, name = split_name(text)
    path = Path(path_text)
    if path.suffix in SUFFIXES or path.exists() or "/" in path_text:
        source = Source(shown(path), read_text(path, None))
        real = resolved(path, None)
        return choose(open_file(source, real.parent, (real,)), name)
    found = SHIPPED.spec(text)
    if found is None:
        raise catalog.FILE.error(
            None,
            f"`{text[:100]}` is neither a file nor a shipped spec",
            help=did_you_mean(text, SHIPPED.specs()) or "`archdsl list` shows the shipped specs",
        )
    return Spec(*found)


def loads(text: str, name: str = "<text>") -> Spec:
    """The backbone that a text holds, in either notation."""
    return choose(open_file(Source(name, text), None, ()), "")


def split_name(text: str) -> tuple[str, str]:
    """A path, and the name of one of its backbones behind a colon."""
    path, colon, name = text.rpartition(":")
    return (path, name) if colon and name.isidentifier() and Path(path).suffix in SUFFIXES else (text, "")


def choose(file: File, name: str) -> Spec:
    """One backbone of a file."""
    if name:
        if name not in file.backbones:
            raise catalog.NO_BACKBONE.error(
                None, f"{file.source.name} has no backbone `{name}`", help=did_you_mean(name, file.backbones)
            )
        return Spec(file, file.backbones[name])
    if len(file.backbones) == 1:
        return Spec(file, next(iter(file.backbones.values())))
    names = ", ".join(file.backbones)
    raise catalog.NO_BACKBONE.error(
        Span(file.source, 0, 0),
        f"{len(file.backbones)} backbones here" if names else "no backbone here",
        help=f"name one: `{file.source.name}:{next(iter(file.backbones))}` (there are {names})" if names else "",
    )


def open_file(source: Source, home: Path | None, trail: tuple[Path, ...], reads: list[Read] | None = None) -> File:
    """A text with what it imports; `trail` are the files that led here, `reads` takes note of the imported ones."""
    top = trail[0].parent if trail else home
    return Opening(top, [] if reads is None else reads).file(source, home, trail)


class Read(NamedTuple):
    """An imported file: its path as it was asked for, without symbolic links, and the text that was there."""

    asked: Path
    path: Path
    text: str


class Opening:
    """Opens a text and what it imports, all below the folder `top`; each file once, also one that has errors."""

    def __init__(self, top: Path | None, reads: list[Read]) -> None:
        self.top = top
        self.reads = reads
        self.files: dict[Path, File] = {}
        self.failed: set[Path] = set()

    def file(self, source: Source, home: Path | None, trail: tuple[Path, ...]) -> File:
        """A text as a file; its imports are relative to `home`."""
        document = read(source)
        imports: list[File] = []
        findings: list[Diagnostic] = []
        for each in document.imports:
            try:
                imports.append(self.imported(each, source, home, trail))
            except ArchError as error:
                findings += error.diagnostics
        if findings:
            raise ArchError(findings)
        return File(document, source, SHIPPED, tuple(imports))

    def imported(self, each: Import, source: Source, home: Path | None, trail: tuple[Path, ...]) -> File:
        """What a line imports."""
        if home is None or self.top is None:
            raise catalog.OUTSIDE.error(each.span, "a text that is no file cannot import one")
        asked = home / each.path
        path = resolved(asked, each.span)
        if not path.is_relative_to(self.top):
            raise catalog.OUTSIDE.error(each.span, f"`{each.path}` lies outside of {shown(self.top)}", help=WITHIN)
        if path in trail:
            raise catalog.CYCLE.error(each.span, f"`{each.path}` is on its way to import this file")
        if len(trail) > DEEPEST_IMPORTS:
            raise catalog.TOO_DEEP.error(each.span, f"more than {DEEPEST_IMPORTS} files import one another")
        if path in self.failed:
            raise ArchError([])  # it has been told where the file was first imported
        if path not in self.files:
            if len(self.files) + len(self.failed) >= MOST_IMPORTS:
                raise catalog.TOO_LARGE.error(each.span, f"more than {MOST_IMPORTS} files are imported")
            text = self.text(each, path, trail)
            self.reads.append(Read(asked, path, text))
            inner = Source(shown(path), text, shipped=source.shipped)
            try:
                self.files[path] = self.file(inner, path.parent, (*trail, path))
            except ArchError as error:
                self.failed.add(path)
                raise ArchError([noted(finding, each.span) for finding in error.diagnostics]) from None
        return self.files[path]

    def text(self, each: Import, path: Path, trail: tuple[Path, ...]) -> str:
        """What an imported file holds; for one that is not there, others of its folder are offered."""
        try:
            return read_text(path, each.span)
        except ArchError as error:
            beside = [] if path.exists() else specs_in(path.parent)
            help = did_you_mean(path.name, [name for name in beside if path.with_name(name) not in trail])
            raise ArchError([finding._replace(help=help) for finding in error.diagnostics]) from None


def noted(finding: Diagnostic, imported: Span | None) -> Diagnostic:
    """What is wrong with an imported file, with the line that imports it."""
    return finding._replace(notes=(*finding.notes, Note(imported, "imported here")))


def specs_in(folder: Path) -> list[str]:
    """The names of the specs in a folder, if it can be looked into, and has no more than anybody looks through."""
    try:
        names = [each.name for each in islice(folder.iterdir(), MOST_BESIDE)]
    except OSError:
        return []
    return [name for name in names if name.endswith(SUFFIXES)]


# ---- checking ------------------------------------------------------------------------------------------------------


def validate(
    source: Source,
    path: Path | None,
    size: tuple[int, ...] | None = None,
    reads: list[Read] | None = None,
    known: Known | None = None,
) -> list[Diagnostic]:
    """All that is wrong with a text: with the file, with each of its backbones, and with what they expect.

    Where nothing is, its warnings: what is legal, and surely not meant. `reads` takes note of what the text imports;
    `known` is what the texts before have in common with it.
    """
    known = known or Known()
    try:
        file = opened(source, path, reads)
    except ArchError as error:
        return error.diagnostics[:MOST_FINDINGS]
    if file.is_empty:
        return [catalog.NO_BACKBONE.at(Span(source, 0, 0), "there is nothing in this file", help=BEGINNING)]
    findings: list[Diagnostic] = []
    unmeant: list[Diagnostic] = []
    for backbone in file.backbones.values():
        if len(findings) >= MOST_FINDINGS:
            break
        try:
            graph = elaborated(Spec(file, backbone), input=size, known=known)
        except ArchError as error:
            findings += error.diagnostics
            continue
        if size is None and backbone.expect:
            findings += [outcome.finding for outcome in hold(graph, backbone.expect) if outcome.finding]
        if not findings:
            unmeant += warnings_of(graph, file, backbone, known)
    return list(dict.fromkeys(findings)) or unsilenced(file, unmeant, as_declared=size is None)


def opened(source: Source, path: Path | None, reads: list[Read] | None) -> File:
    """A text, which `path` holds if it is given, with what it imports."""
    if path is None:
        return open_file(source, None, (), reads)
    real = resolved(path, None)
    return SHIPPED.opened(real, source.text) or open_file(source, real.parent, (real,), reads)


def warnings_of(graph: Graph, file: File, backbone: Backbone, known: Known) -> list[Diagnostic]:
    """What is surely not meant in a backbone's graph, and not its parent's doing."""
    from archdsl.analyses import warnings

    found = warnings.of_network(graph, file, backbone)
    inherited: list[warnings.Told] = []
    if warnings.inherits(found, backbone):
        home, parent = lineage(file, backbone)[1]
        with suppress(ArchError):
            other = elaborated(Spec(home, parent), input=graph.input, known=known)
            inherited = warnings.of_network(other, home, parent)
    return warnings.own(found, inherited, backbone)


def unsilenced(file: File, unmeant: list[Diagnostic], *, as_declared: bool) -> list[Diagnostic]:
    """The warnings of a file that no comment in it silences; of another input size than declared, some do not come."""
    from archdsl.analyses.warnings import of_file

    found = dict.fromkeys([*of_file(file), *unmeant])
    silent = allowances(file.source, file.document)
    return without_silenced(found, silent, unused=as_declared)[:MOST_FINDINGS]


# ---- compiling -----------------------------------------------------------------------------------------------------


def compile(spec: Spec | str | Path, *, params: dict[str, Any] | None = None, input: Any = None) -> Graph:
    """The graph of a spec, with its parameters set by `params`, for an input of (channels, height, width).

    Values of `params` are numbers, bools, None, lists of such, or texts of the language, as behind `-p`: `"[1, 2]"`,
    `"silu"`, `"cna(16)"`. Raises ArchError with all that is wrong.
    """
    graph = elaborated(spec, params, input)
    verify(graph)
    return graph


def elaborated(
    spec: Spec | str | Path, params: dict[str, Any] | None = None, input: Any = None, known: Known | None = None
) -> Graph:
    """A spec worked out, without the account that `verify` takes of us: for many in a row, of which none is built.

    `known` is what those before have in common with it.
    """
    chosen = spec if isinstance(spec, Spec) else load(spec)
    try:
        family = resolve(chosen.file, chosen.backbone)
        return elaborate(family, given(params or {}), size_of(input), known)
    except RecursionError:
        raise ArchError([catalog.TOO_DEEP.at(chosen.backbone.span, "this nests too deeply")]) from None
