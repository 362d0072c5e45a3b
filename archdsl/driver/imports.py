"""Open a text with its imports, all from below one folder."""

from __future__ import annotations

import os
from collections.abc import Mapping
from itertools import islice
from pathlib import Path
from posixpath import normpath
from typing import NamedTuple

from archdsl.diagnostics import ArchError, Diagnostic, Note, Source, Span, catalog, did_you_mean, nearest
from archdsl.diagnostics.diagnostic import MOST_FINDINGS
from archdsl.diagnostics.files import read_text, resolved
from archdsl.diagnostics.source import shown
from archdsl.frontend import read
from archdsl.resources import folder
from archdsl.syntax.ast import Import
from archdsl.syntax.document import File
from archdsl.syntax.scopes import FileScope, Library
from archdsl.syntax.text import SUFFIXES

DEEPEST_IMPORTS = 32
MOST_IMPORTS = 500
# Number of characters of all imports together, or of one text.
LARGEST = 1_000_000
MOST_BESIDE = 1_000
ROOT = Path("/")
"""Folder of the texts of a bundle."""
WITHIN = "imports come from the folder of the spec that is read, and from those below it"


def open_file(
    library: Library,
    source: Source,
    home: Path | None,
    trail: tuple[Path, ...] = (),
    reads: list[Read] | None = None,
) -> FileScope:
    """Text with its imports; `trail` are the files that led here, `reads` collects the imported ones.

    Names that no text defines come from `library`. Raises ArchError with all mistakes in the texts.
    """
    top = trail[0].parent if trail else home
    return Opening(library, top, [] if reads is None else reads).file(source, home, trail)


def open_document(library: Library, document: File, source: Source, base: Path | None) -> FileScope:
    """A document that is no file, with what it imports from the folder `base`, if that is given."""
    home = None if base is None else resolved(base, None)
    return Opening(library, home, []).scope(document, source, home, ())


class Read(NamedTuple):
    """Imported file: its path as written, its path without symbolic links, and its text."""

    asked: Path
    path: Path
    text: str


class Opening:
    """Texts below the folder `top`, each read once, even if it has errors."""

    def __init__(self, library: Library, top: Path | None, reads: list[Read]) -> None:
        self.library = library
        self.top = top
        self.reads = reads
        self.files: dict[Path, FileScope] = {}
        self.failed: set[Path] = set()
        self.size = 0

    def file(self, source: Source, home: Path | None, trail: tuple[Path, ...]) -> FileScope:
        """A text as a file; its imports are relative to `home`."""
        return self.scope(read(source), source, home, trail)

    def scope(self, document: File, source: Source, home: Path | None, trail: tuple[Path, ...]) -> FileScope:
        """A document as a file; its imports are relative to `home`."""
        imports: list[FileScope] = []
        findings: list[Diagnostic] = []
        for each in document.imports:
            try:
                imports.append(self.imported(each, source, home, trail))
            except ArchError as error:
                findings += error.diagnostics
                if len(findings) >= MOST_FINDINGS or self.is_full:
                    break
        if findings:
            raise ArchError(findings)
        return FileScope(document, source, self.library, tuple(imports))

    @property
    def is_full(self) -> bool:
        """True at a limit of imports."""
        return len(self.files) + len(self.failed) >= MOST_IMPORTS or self.size > LARGEST

    def imported(self, each: Import, source: Source, home: Path | None, trail: tuple[Path, ...]) -> FileScope:
        """File that a line imports."""
        if home is None or self.top is None:
            raise catalog.OUTSIDE.error(each.span, "a text that is not a file cannot import files")
        asked = home / each.path
        path = self.resolved(asked, each.span)
        # A spec from elsewhere must not read the user's files.
        if not path.is_relative_to(self.top):
            raise catalog.OUTSIDE.error(
                each.span, f"`{each.path}` is outside the spec's folder, `{shown(self.top)}`", help=WITHIN
            )
        if path in trail:
            raise catalog.CYCLE.error(each.span, f"`{each.path}` already imports this file, directly or through others")
        if len(trail) > DEEPEST_IMPORTS:
            raise catalog.TOO_DEEP.error(each.span, f"more than {DEEPEST_IMPORTS} files import one another")
        if path in self.failed:
            raise ArchError([])  # it has been told where the file was first imported
        if path not in self.files:
            if len(self.files) + len(self.failed) >= MOST_IMPORTS:
                raise catalog.TOO_LARGE.error(each.span, f"more than {MOST_IMPORTS} files are imported")
            text = self.text(each, path, trail)
            self.size += len(text)
            if self.size > LARGEST:
                label = f"this one brings the imports to more than {LARGEST:,} characters"
                raise catalog.TOO_LARGE.error(each.span, label)
            self.reads.append(Read(asked, path, text))
            inner = Source(shown(path), text, shipped=source.shipped)
            try:
                self.files[path] = self.file(inner, path.parent, (*trail, path))
            except ArchError as error:
                self.failed.add(path)
                raise ArchError([with_import_note(finding, each.span) for finding in error.diagnostics]) from None
        return self.files[path]

    def resolved(self, path: Path, span: Span | None) -> Path:
        """Path without symbolic links."""
        return resolved(path, span)

    def text(self, each: Import, path: Path, trail: tuple[Path, ...]) -> str:
        """Text of an imported file; for a missing one, the help suggests others of its folder."""
        try:
            return read_text(path, each.span)
        except ArchError as error:
            help = did_you_mean(path.name, [name for name in specs_beside(path) if path.with_name(name) not in trail])
            raise ArchError([finding._replace(help=help) for finding in error.diagnostics]) from None


class Bundle(Opening):
    """Texts by path, in place of files: nothing is read from the disk."""

    def __init__(self, library: Library, texts: Mapping[str, str]) -> None:
        super().__init__(library, ROOT, [])
        self.texts = texts

    def resolved(self, path: Path, span: Span | None) -> Path:
        """Path without `..`; above the root there is nothing."""
        return Path(normpath(path))

    def text(self, each: Import, path: Path, trail: tuple[Path, ...]) -> str:
        name = path.relative_to(ROOT).as_posix()
        if name not in self.texts:
            raise catalog.FILE.error(each.span, f"`{each.path}` is not among the texts that were stored")
        return self.texts[name]


def open_bundle(library: Library, texts: Mapping[str, str], name: str) -> FileScope:
    """One of several texts, by its path, with what it imports of the others."""
    path = ROOT / name
    return Bundle(library, texts).file(Source(name, texts[name]), path.parent, (path,))


def bundled(file: FileScope, name: str, text: str) -> dict[str, str]:
    """The text of a file under its path, and the texts that it imports, under theirs."""
    found: dict[str, str] = {}
    queue = [(file, name, text)]
    for scope, path, content in queue:
        found[path] = content
        for line, inner in zip(scope.document.imports, scope.imports, strict=True):
            key = normpath(f"{path.rpartition('/')[0]}/{line.path}").lstrip("/")
            if key not in found:
                queue.append((inner, key, inner.source.text))
    return found


def with_import_note(finding: Diagnostic, imported: Span | None) -> Diagnostic:
    """Finding in an imported file, with a note on the line that imports it."""
    return finding._replace(notes=(*finding.notes, Note(imported, "imported here")))


def read_spec(path: Path) -> str:
    """Text of a file that a user names; raises ArchError."""
    try:
        return read_text(path)
    except ArchError as error:
        raise with_suggestion(error, path) from None


def with_suggestion(error: ArchError, path: Path) -> ArchError:
    """Error of a file that a user names; for a missing one, the help suggests a similar name of its folder."""
    stems = {Path(name).stem: name for name in specs_beside(path)}
    if len(path.parts) == 1 and not path.suffix:
        stems |= {each.stem: each.stem for each in folder("specs").iterdir()}
    alike = nearest(path.stem, stems)
    help = f"did you mean `{stems[alike[0]]}`?" if alike else ""
    return ArchError([finding._replace(help=help) for finding in error.diagnostics])


def specs_beside(path: Path) -> list[str]:
    """Names of the specs in the folder of a missing file, unless it cannot be read."""
    if os.path.lexists(path):
        return []
    try:
        names = [each.name for each in islice(path.parent.iterdir(), MOST_BESIDE)]
    except OSError:
        return []
    return [name for name in names if name.endswith(SUFFIXES) and not name.startswith(".")]
