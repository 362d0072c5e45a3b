"""Files given on the command line: by name, below folders, or standard input."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from archdsl.diagnostics import ArchError, Source
from archdsl.diagnostics.files import STDIN, read_input, read_text
from archdsl.diagnostics.source import shown

STANDARD_INPUT = "-"


class GivenFile(NamedTuple):
    """File to read; `through_folder` if only its folder was named."""

    path: str
    through_folder: bool


def files(paths: list[str]) -> Iterator[GivenFile]:
    """Each given file once, in order."""
    from archdsl.syntax.text import SUFFIXES

    named = {str(Path(text)) for text in paths}
    seen: set[str] = set()
    for text in paths:
        # A file named twice is read once, in the place of its first mention.
        inside = text not in {"", STANDARD_INPUT} and os.path.isdir(text)
        for each in sorted(specs_below(Path(text), SUFFIXES)) if inside else [GivenFile(text, False)]:
            path = str(Path(each.path)) if each.path else ""
            if path not in seen:
                seen.add(path)
                yield each._replace(through_folder=each.through_folder and path not in named)


def specs_below(folder: Path, endings: tuple[str, ...]) -> Iterator[GivenFile]:
    """Files below a folder with one of some suffixes, without hidden folders and `node_modules`.

    A folder that cannot be read is yielded itself, so that it is reported.
    """
    closed: list[OSError] = []
    for where, folders, names in os.walk(folder, onerror=closed.append):
        folders[:] = [name for name in folders if not name.startswith(".") and name != "node_modules"]
        paths = [str(Path(where, name)) for name in names if name.endswith(endings)]
        yield from (GivenFile(path, True) for path in paths if is_file(path))
    yield from (GivenFile(str(error.filename), False) for error in closed)


def is_file(path: str) -> bool:
    """Tell regular files; one without permission counts, so that it is reported."""
    try:
        return stat.S_ISREG(os.stat(path).st_mode)
    except PermissionError:
        return True
    except OSError:
        return False


def source_of(path: str) -> Source:
    """Text of a file, or of standard input."""
    if path == STANDARD_INPUT:
        return Source(STDIN, read_input())
    try:
        return Source(shown(Path(path)), read_text(Path(path)))
    except ArchError as error:
        from archdsl.driver.imports import with_suggestion

        raise with_suggestion(error, Path(path)) from None
