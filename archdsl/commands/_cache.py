"""What `validate` found before, for files that have not changed since.

An entry is one file, named by a digest of all that the findings depend on: the file's path and text, the options, and
the very files of this archdsl and of what it stands on. It lists the imported files with digests of their texts, and
holds only plain data, so that whoever can write to the folder can spoil a result, and nothing else. Whatever goes
wrong with the folder, it is as if there were no cache.
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
from archdsl.commands._findings_json import as_plain, from_plain
from archdsl.diagnostics import Diagnostic, Source, catalog

FORMAT = 1
PACKAGES = ("lark", "yaml")
LARGEST_ENTRY = 200_000
MOST_ENTRIES = 2_000
MOST_BYTES = 20_000_000
FOLLOW_NO_LINK = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
OUTSIDE_CODES = {rule.code for rule in (catalog.CYCLE, catalog.TOO_LARGE, catalog.FILE, catalog.OUTSIDE)}
"""Findings of files that are missing, too large, or elsewhere: they can change with no text changing."""

Import = tuple[str, str, str]
"""An imported file: its path as it was asked for, without symbolic links, and its text."""


class Cache:
    """The entries of a folder; None for no cache."""

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder

    @cached_property
    def stamp(self) -> list[Any]:
        """This archdsl, to the very file, and what it runs on."""
        package = Path(__file__).resolve().parents[1]
        around = [package.parent / name for name in ("grammar", "specs")]
        files = sorted(row for top in (package, *around) for row in files_of(str(top)))
        specs = [PathFinder.find_spec(name) for name in PACKAGES]
        origins = [each.origin for each in specs if each and each.origin]
        stamps = [(path, os.stat(path).st_mtime_ns) for path in origins]
        return [FORMAT, __version__, sys.version, stamps, digest(repr(files))]

    def key(self, path: str, size: tuple[int, ...] | None, text: str) -> str:
        """The name of the entry for a file, or an empty text where there is no cache."""
        if self.folder is None:
            return ""
        try:
            asked = [self.stamp, os.getcwd(), path, os.path.realpath(path), size, digest(text)]
        except OSError:
            return ""
        return digest(json.dumps(asked))

    def get(self, key: str, source: Source) -> list[Diagnostic] | None:
        """What was found in a file; None where that is not known."""
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
        """Keeps what was found in a file."""
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
        """Removes the older half of the entries where they have become too many."""
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
    """The folder for entries, made where it is missing; None where there can be none, or where others write, too."""
    try:
        folder = Path(os.environ.get("ARCHDSL_CACHE_DIR") or user_folder() / "archdsl") / "validate"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        about = folder.lstat()
    except (OSError, RuntimeError, ValueError):
        return None
    mine = not hasattr(os, "geteuid") or (about.st_uid == os.geteuid() and not about.st_mode & 0o022)
    return folder if stat.S_ISDIR(about.st_mode) and mine else None


def user_folder() -> Path:
    """The folder in which this user's programs keep what they can make again."""
    if os.name == "nt":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches"
    named = os.environ.get("XDG_CACHE_HOME", "")
    return Path(named) if os.path.isabs(named) else Path.home() / ".cache"


def files_of(folder: str) -> Iterator[tuple[str, int, int]]:
    """All files below a folder with their sizes and times, but for compiled ones; none where there is no folder."""
    if not os.path.isdir(folder):
        return
    with os.scandir(folder) as found:
        for each in found:
            if each.is_dir(follow_symlinks=False):
                if each.name != "__pycache__":
                    yield from files_of(each.path)
            else:
                about = each.stat(follow_symlinks=False)
                yield each.path, about.st_size, about.st_mtime_ns


def content(path: Path) -> str:
    """The text of an entry; raises OSError or ValueError for what can be none."""
    handle = os.open(path, os.O_RDONLY | FOLLOW_NO_LINK)
    with open(handle, "rb") as file:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise ValueError("no regular file")
        return file.read(4 * LARGEST_ENTRY).decode("utf-8")


def write(folder: Path, name: str, text: str) -> None:
    """Puts an entry into its place, whole; raises OSError."""
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
    """A digest of a text."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def unchanged(imports: list[tuple[str, str, str]]) -> bool:
    """Whether imported files are what they were; raises OSError where they are not there."""
    from archdsl.diagnostics.files import BOM, file_content

    for asked, path, said in imports:
        if os.path.realpath(asked) != path:
            return False
        if hashlib.sha256(file_content(Path(path), regular=True).removeprefix(BOM)).hexdigest() != said:
            return False
    return True
