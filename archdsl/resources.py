"""Locate package data: the grammar with the block library, and the specs."""

from __future__ import annotations

from pathlib import Path


def folder(name: str) -> Path:
    """Folder `grammar` or `specs`: inside an installed package, else at the top of the repository."""
    package = Path(__file__).resolve().parent
    for parent in (package, package.parent):
        if (found := parent / name).is_dir():
            return found
    raise FileNotFoundError(f"archdsl was installed without its folder {name!r}; install it again")
