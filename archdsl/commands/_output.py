"""Where output goes: checked before any work."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from archdsl.diagnostics import catalog
from archdsl.driver.writing import is_special, write_text, write_whole

if TYPE_CHECKING:
    from archdsl.driver import Network
    from archdsl.syntax.scopes import FileScope

__all__ = ["check_output", "write_text", "write_whole"]

NO_FOLDER = "make the folder first, or choose another"


def check_output(path: Path, specs: Iterable[Network] = ()) -> None:
    """Raise ArchError, before any work, if a file cannot be written, or would replace a spec that is read."""
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
    if any(same(target, read) for spec in specs for read in files_of_spec(spec.scope)):
        label = f"`-o {path}` would replace a spec that is read"
        raise catalog.OUTPUT.error(None, label, help="choose another name")


def files_of_spec(file: FileScope) -> Iterator[Path]:
    """Files that a spec is read from: its own and its imports."""
    files = [file]
    for each in files:
        yield Path(each.source.name)
        files += [other for other in each.imports if other not in files]


def same(one: Path, other: Path) -> bool:
    """Tell whether two paths lead to one file."""
    try:
        return one.samefile(other)
    except (OSError, RuntimeError, ValueError):
        return False
