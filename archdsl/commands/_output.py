"""Files are written whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from archdsl.errors import catalog


def write_whole(path: Path, write: Callable[[Path], None]) -> None:
    """Has a file written beside its place, then moves it there; raises ArchError where that cannot be done."""
    handle = None
    try:
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        os.close(handle)
        made = Path(name)
        try:
            write(made)
            made.chmod(0o666 & ~current_umask())
            made.replace(path)
        finally:
            made.unlink(missing_ok=True)
    except OSError as error:
        raise catalog.OUTPUT.error(None, f"{path}: {error.strerror or error}") from None


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
