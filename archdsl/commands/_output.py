"""Files are written whole or not at all."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Callable, Iterable, Iterator
from errno import EACCES
from pathlib import Path
from typing import TYPE_CHECKING

from archdsl.diagnostics import catalog
from archdsl.diagnostics.source import shown

if TYPE_CHECKING:
    from archdsl.driver import Spec
    from archdsl.syntax.scopes import FileScope

NO_FOLDER = "make the folder first, or choose another"


def check_output(path: Path, specs: Iterable[Spec] = ()) -> None:
    """Raises ArchError, before any work, where no file can be written, or one would replace a spec that is read."""
    try:
        target = path.resolve()
        if is_special(target):
            return
        if not target.parent.is_dir():
            raise catalog.OUTPUT.error(None, f"{path}: there is no folder `{path.parent}`", help=NO_FOLDER)
        if target.is_dir():
            raise catalog.OUTPUT.error(None, f"{path}: this is a folder", help="name a file in it")
        if not os.access(target.parent, os.W_OK):
            raise catalog.OUTPUT.error(None, f"{path}: nothing may be written into `{path.parent}`")
    except (OSError, RuntimeError, ValueError) as error:
        raise catalog.OUTPUT.error(None, f"{path}: {getattr(error, 'strerror', None) or error}") from None
    if any(same(target, read) for spec in specs for read in read_for(spec.file)):
        label = f"`-o {path}` would replace a spec that is read"
        raise catalog.OUTPUT.error(None, label, help="choose another name")


def read_for(file: FileScope) -> Iterator[Path]:
    """The files that a spec is read from: its own, and all that it imports."""
    files = [file]
    for each in files:
        yield Path(each.source.name)
        files += [other for other in each.imports if other not in files]


def same(one: Path, other: Path) -> bool:
    """Whether two paths lead to one file."""
    try:
        return one.samefile(other)
    except (OSError, RuntimeError, ValueError):
        return False


def write_whole(path: Path, write: Callable[[Path], None]) -> None:
    """Has a file written beside its place, then moves it there; raises ArchError where that cannot be done.

    Links are followed; a file that is there has to be writable, and keeps its permissions. A device or a pipe is
    written to.
    """
    try:
        target = path.resolve()
        folder = None if is_special(target) else target.parent
        if target.is_file() and not os.access(target, os.W_OK):
            raise PermissionError(EACCES, os.strerror(EACCES))
        handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=folder)
        os.close(handle)
        made = Path(name)
        try:
            write(made)
            if folder is None:
                target.write_bytes(made.read_bytes())
            else:
                made.chmod(permissions(target))
                made.replace(target)
        finally:
            made.unlink(missing_ok=True)
    except (OSError, RuntimeError) as error:
        raise catalog.OUTPUT.error(None, f"{shown(path)}: {getattr(error, 'strerror', None) or error}") from None


def is_special(path: Path) -> bool:
    """Whether there is something that is no file and no folder."""
    return path.exists() and not path.is_file() and not path.is_dir()


def permissions(path: Path) -> int:
    """Those of the file that is there, or those that a new file gets."""
    return stat.S_IMODE(path.stat().st_mode) if path.exists() else 0o666 & ~current_umask()


def current_umask() -> int:
    """The permissions that new files do not get."""
    mask = os.umask(0)
    os.umask(mask)
    return mask


def write_text(path: Path, text: str) -> None:
    """A text as a file, whole or not at all."""

    def write(made: Path) -> None:
        made.write_text(text, encoding="utf-8")

    write_whole(path, write)
