"""Paths as messages show them."""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path


def shown(path: Path) -> str:
    """A path as messages show it: relative to where the user is, if it lies below."""
    if not path.is_absolute() and ".." not in path.parts:
        return str(path)
    try:
        real, here = os.path.realpath(path), without_links(os.getcwd())
    except (ValueError, OSError):
        return str(path)
    if real == here:
        return "."
    inside = os.path.join(here, "")
    return real[len(inside) :] if real.startswith(inside) else str(path)


@lru_cache(maxsize=1)
def without_links(folder: str) -> str:
    """Where the user is: asked once for each file that is read."""
    return os.path.realpath(folder)
