"""Files written whole or not at all."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Callable
from errno import EACCES
from pathlib import Path

from archdsl.diagnostics import catalog
from archdsl.diagnostics.source import shown


def write_whole(path: Path, write: Callable[[Path], None]) -> None:
    """Write a file beside its place, then move it there; raises ArchError if that fails.

    Links are followed; an existing file has to be writable, and keeps its permissions. A device or a pipe is
    written to.
    """
    try:
        target = path.resolve()
        folder = None if is_special(target) else target.parent
        if target.is_file() and not os.access(target, os.W_OK):
            raise PermissionError(EACCES, os.strerror(EACCES))
        # Beside the target, so that the move stays on one file system and is atomic.
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
    """Tell devices and pipes."""
    return path.exists() and not path.is_file() and not path.is_dir()


def permissions(path: Path) -> int:
    """Permissions of the existing file, or of a new one."""
    return stat.S_IMODE(path.stat().st_mode) if path.exists() else 0o666 & ~current_umask()


def current_umask() -> int:
    """Permissions that new files do not get."""
    # The mask can only be read by setting it.
    mask = os.umask(0)
    os.umask(mask)
    return mask


def write_text(path: Path, text: str) -> None:
    """Write a text, whole or not at all."""

    def write(made: Path) -> None:
        made.write_text(text, encoding="utf-8")

    write_whole(path, write)
