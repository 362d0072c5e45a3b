"""What makes a short-lived process quick. For the command line only: no library may do this to its users."""

from __future__ import annotations

import gc
import os
import sys

YOUNG = 1_000_000
"""So many new objects are looked through for garbage at once: a run makes many, and drops few before its end."""
KEPT: list[object] = []


def lighten() -> None:
    """Looks for garbage but seldom."""
    gc.set_threshold(YOUNG, 20, 20)


def keep(thing: object) -> None:
    """Keeps what a run has made until its process ends, if `lighten` began it: taking it apart takes long."""
    if gc.get_threshold()[0] == YOUNG:
        KEPT.append(thing)


def leave(code: int) -> int:
    """Ends the process at once where much is kept; otherwise gives back its exit code."""
    gc.freeze()
    if KEPT:
        try:
            sys.stdout.flush()
            sys.stderr.flush()
        except (OSError, ValueError):
            return code  # a closed pipe: Python itself meets it again, and tells of it
        os._exit(code)
    return code
