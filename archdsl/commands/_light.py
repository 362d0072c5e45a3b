"""What makes a short-lived process quick. For the command line only: no library may do this to its users."""

from __future__ import annotations

import gc

YOUNG = 1_000_000
"""So many new objects are looked through for garbage at once: a run makes many, and drops few before its end."""


def lighten() -> None:
    """Looks for garbage but seldom."""
    gc.set_threshold(YOUNG, 20, 20)


def leave() -> None:
    """Leaves all that was made to the system: Python would look through it for garbage once more before it ends."""
    gc.freeze()
