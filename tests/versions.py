"""The version of the code that long campaigns note with their results, so that none is taken for another's."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

TOP = Path(__file__).parents[1]
SOURCES = ("archdsl", "grammar", "specs")
"""What decides the results of all of them."""


class Outdated(Exception):
    """Results that are of another version of the code."""

    def __init__(self, file: Path) -> None:
        super().__init__(f"{file} holds results of another version of the code: remove it, or name another file")


def version(*folders: str) -> str:
    """A hash of our sources and of more folders."""
    found = sha256()
    for folder in (*SOURCES, *folders):
        for path in sorted((TOP / folder).rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                found.update(f"{path.relative_to(TOP)}\0{path.stat().st_size}\0".encode())
                found.update(path.read_bytes())
    return found.hexdigest()[:16]
