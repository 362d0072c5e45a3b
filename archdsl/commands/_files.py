"""The files that a command is asked for: by name, below folders, or standard input."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from archdsl.errors import Source
from archdsl.errors.reading import STDIN, read_input, read_text, shown

STANDARD_INPUT = "-"


class Asked(NamedTuple):
    """A file that is asked for, and whether it was met through a folder only."""

    path: str
    through_folder: bool


def files(paths: list[str]) -> Iterator[Asked]:
    """Each file that is asked for once, in order."""
    from archdsl.frontend.notation import SUFFIXES

    seen: set[str] = set()
    for text in paths:
        path = Path(text)
        if text and text != STANDARD_INPUT and path.is_dir():
            named = [Asked(each, True) for each in sorted(below(path, SUFFIXES))]
        else:
            named = [Asked(text, False)]
        for each in named:
            if each.path not in seen:
                seen.add(each.path)
                yield each


def below(folder: Path, endings: tuple[str, ...]) -> Iterator[str]:
    """The files below a folder with one of some endings; none of hidden folders, and of what npm puts there."""
    for where, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".") and name != "node_modules"]
        paths = [Path(where, name) for name in names if name.endswith(endings)]
        yield from (str(path) for path in paths if path.is_file())


def source_of(path: str) -> Source:
    """A file's text, or standard input's."""
    if path == STANDARD_INPUT:
        return Source(STDIN, read_input())
    return Source(shown(Path(path)), read_text(Path(path)))
