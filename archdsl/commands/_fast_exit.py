"""Shorten the command line's process: seldom collect garbage, look for no plugins, and exit without freeing memory.

For the process of the command line only, never for a program that uses the library. Measured: a cold `validate` takes
15 to 20 % less CPU time, `validate specs` 13 %.
"""

from __future__ import annotations

import gc
import os
import sys

# Number of new objects before a collection: a run makes many, and drops few before its end.
YOUNG = 1_000_000
# Objects that live until the process ends, since freeing them takes long.
KEPT: list[object] = []


def lighten() -> None:
    """Raise the garbage collector's threshold, and keep pydantic from looking for plugins."""
    gc.set_threshold(YOUNG, 20, 20)
    # It would read the metadata of every installed package, for plugins that watch what programs validate.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")


def keep(thing: object) -> None:
    """Keep an object until the process ends, if `lighten` began it."""
    if gc.get_threshold()[0] == YOUNG:
        KEPT.append(thing)


def leave(code: int) -> int:
    """Exit the process at once if objects are kept; otherwise return its exit code."""
    gc.freeze()
    if KEPT:
        try:
            sys.stdout.flush()
            sys.stderr.flush()
        except (OSError, ValueError):
            return code  # a closed pipe: Python meets it again, and reports it
        os._exit(code)
    return code
