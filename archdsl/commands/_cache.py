"""Cache of the findings of `validate`, for files that have not changed since.

An entry is a file named by a digest of everything the findings depend on: the path and text of the spec, the options,
and the files of this archdsl and of its parsers. It lists the imported specs with digests of their texts. Entries are
plain data, so someone who can write to the folder can falsify a result, and nothing else. Any failure of the folder is
treated as an empty cache.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
import sys
from collections.abc import Iterable, Iterator
from functools import cached_property
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Any

from archdsl import __version__
from archdsl.diagnostics import Diagnostic, Note, Source, Span, catalog

FORMAT = 1
PACKAGES = ("lark", "yaml")
LARGEST_ENTRY = 200_000
MOST_ENTRIES = 2_000
MOST_BYTES = 20_000_000
FOLLOW_NO_LINK = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
# Findings on files that are missing, too large, or elsewhere: they can change with no text changing.
OUTSIDE_CODES = {rule.code for rule in (catalog.CYCLE, catalog.TOO_LARGE, catalog.FILE, catalog.OUTSIDE)}

Import = tuple[str, str, str]
"""Imported file: its path as written, its path without symbolic links, and its text."""


class Cache:
    """Entries of a folder; None disables the cache."""

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder

    @cached_property
    def stamp(self) -> list[Any]:
        """Version of this archdsl, to the file, and of the packages that it parses with."""
        package = Path(__file__).resolve().parents[1]
        around = [package.parent / name for name in ("grammar", "specs")]
        files = sorted(row for top in (package, *around) for row in files_below(str(top)))
        specs = [PathFinder.find_spec(name) for name in PACKAGES]
        origins = [each.origin for each in specs if each and each.origin]
        stamps = [(path, os.stat(path).st_mtime_ns) for path in origins]
        return [FORMAT, __version__, sys.version, stamps, digest(repr(files))]

    def key(self, path: str, size: tuple[int, ...] | None, text: str) -> str:
        """Name of the entry for a file; empty without a cache."""
        if self.folder is None:
            return ""
        try:
            asked = [self.stamp, os.getcwd(), path, os.path.realpath(path), size, digest(text)]
        except OSError:
            return ""
        return digest(json.dumps(asked))

    def get(self, key: str, source: Source) -> list[Diagnostic] | None:
        """Cached findings of a file, or None."""
        if self.folder is None or not key:
            return None
        try:
            head, _, body = content(self.folder / f"{key}.json").partition("\n")
            if head != digest(key + body):
                return None
            entry = json.loads(body)
            return from_plain(entry, source) if unchanged(entry["imports"]) else None
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return None

    def put(self, key: str, source: Source, findings: list[Diagnostic], imports: Iterable[Import]) -> None:
        """Store the findings of a file."""
        if self.folder is None or not key or any(each.code in OUTSIDE_CODES for each in findings):
            return
        entry = {"imports": [(asked, path, digest(text)) for asked, path, text in imports]}
        body = json.dumps(entry | as_plain(findings, source))
        if len(body) > LARGEST_ENTRY:
            return
        try:
            write(self.folder, f"{key}.json", f"{digest(key + body)}\n{body}")
        except (OSError, ValueError):
            self.folder = None

    def tidy(self) -> None:
        """Remove the older half of the entries if there are too many."""
        if self.folder is None:
            return
        try:
            found = [(each.stat(follow_symlinks=False), each.path) for each in os.scandir(self.folder)]
        except OSError:
            return
        if len(found) <= MOST_ENTRIES and sum(about.st_size for about, _ in found) <= MOST_BYTES:
            return
        found.sort(key=lambda each: each[0].st_mtime_ns)
        for _, path in found[: len(found) // 2 + 1]:
            try:
                os.unlink(path)
            except OSError:
                continue


# ---- the folder ------------------------------------------------------------------------------------------------------


def usual_folder() -> Path | None:
    """Folder of the cache, created if missing; None if it cannot be, or if other users can write to it."""
    try:
        folder = Path(os.environ.get("ARCHDSL_CACHE_DIR") or user_folder() / "archdsl") / "validate"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        about = folder.lstat()
    except (OSError, RuntimeError, ValueError):
        return None
    mine = not hasattr(os, "geteuid") or (about.st_uid == os.geteuid() and not about.st_mode & 0o022)
    return folder if stat.S_ISDIR(about.st_mode) and mine else None


def user_folder() -> Path:
    """The user's folder for caches."""
    if os.name == "nt":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches"
    named = os.environ.get("XDG_CACHE_HOME", "")
    return Path(named) if os.path.isabs(named) else Path.home() / ".cache"


def files_below(folder: str) -> Iterator[tuple[str, int, int]]:
    """Files below a folder with sizes and times, but for bytecode; none if there is no such folder."""
    if not os.path.isdir(folder):
        return
    with os.scandir(folder) as found:
        for each in found:
            if each.is_dir(follow_symlinks=False):
                if each.name != "__pycache__":
                    yield from files_below(each.path)
            else:
                about = each.stat(follow_symlinks=False)
                yield each.path, about.st_size, about.st_mtime_ns


def content(path: Path) -> str:
    """Text of an entry; raises OSError or ValueError if it cannot be one."""
    # A link, a pipe or a huge file in the folder must not hang or fill the process.
    handle = os.open(path, os.O_RDONLY | FOLLOW_NO_LINK)
    with open(handle, "rb") as file:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise ValueError("no regular file")
        return file.read(4 * LARGEST_ENTRY).decode("utf-8")


def write(folder: Path, name: str, text: str) -> None:
    """Write an entry atomically; raises OSError."""
    import tempfile

    handle, made = tempfile.mkstemp(prefix=".", suffix=".new", dir=folder)
    try:
        with open(handle, "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(made, folder / name)
    except (OSError, ValueError):
        os.unlink(made)
        raise


# ---- what an entry depends on ----------------------------------------------------------------------------------------


def digest(text: str) -> str:
    """Digest of a text."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def unchanged(imports: list[tuple[str, str, str]]) -> bool:
    """Check that imported files are the same; raises OSError if one is missing."""
    from archdsl.diagnostics.files import BOM, file_content

    for asked, path, said in imports:
        if os.path.realpath(asked) != path:
            return False
        if hashlib.sha256(file_content(Path(path), regular=True).removeprefix(BOM)).hexdigest() != said:
            return False
    return True


# ---- findings as plain data ----------------------------------------------------------------------------------------

SEVERITIES = ("error", "warning")


def as_plain(findings: Iterable[Diagnostic], main: Source) -> dict[str, Any]:
    """Findings as plain data, with the texts of all sources but the file's own."""
    sources = {main: 0}

    def place(span: Span | None) -> list[int] | None:
        return None if span is None else [sources.setdefault(span.source, len(sources)), span.start, span.end]

    rows = [
        [
            *(each.code, each.title, place(each.span), each.label, each.help, each.where),
            [[place(note.span), note.label] for note in each.notes],
            each.severity,
            each.scopes,
            place(each.opening),
        ]
        for each in findings
    ]
    return {"sources": [[each.name, each.text] for each in sources if each is not main], "findings": rows}


def from_plain(data: Any, main: Source) -> list[Diagnostic]:
    """Findings from plain data; raises ValueError for anything else."""
    # The folder may hold anything, so every value is checked.
    sources = [main, *(Source(text(name), text(content)) for name, content in data["sources"])]

    def place(at: Any) -> Span | None:
        return None if at is None else span(sources, *at)

    return [
        Diagnostic(
            *(text(code), text(title), place(at), text(label), text(help), text(where)),
            tuple(Note(place(note), text(said)) for note, said in notes),
            one_of(severity, SEVERITIES),
            text(scopes),
            place(opening),
        )
        for code, title, at, label, help, where, notes, severity, scopes, opening in data["findings"]
    ]


def span(sources: list[Source], number: Any, start: Any, end: Any) -> Span:
    """Span; raises ValueError if its source or range does not exist."""
    if not all(type(each) is int for each in (number, start, end)) or not 0 <= number < len(sources):
        raise ValueError("no place")
    source: Source = sources[int(number)]
    if not 0 <= start <= end <= len(source.text):
        raise ValueError("a place outside of its text")
    return Span(source, int(start), int(end))


def text(value: Any) -> str:
    """String; raises ValueError for another value."""
    if type(value) is not str:
        raise ValueError("no text")
    return value


def one_of(value: Any, known: tuple[str, ...]) -> str:
    """Known string; raises ValueError for another value."""
    if value not in known:
        raise ValueError("an unknown word")
    return value
