"""How much of a network is looked at or built one by one. What is summed up, or written as a loop, has no bound."""

from __future__ import annotations

from archdsl.errors import ArchError, catalog

MOST_PARTS = 100_000
"""Ops or blocks. A network of a thousand layers has some ten thousand."""
INSTEAD = "`show` without `--depth`, `memory`, `compare` and `emit` take it as it is; for the rest, repeat less"


def too_many(name: str, what: str) -> ArchError:
    """The finding for a network of more parts."""
    label = f"`{name}` has more than {MOST_PARTS:,} {what}, which are not looked at or built one by one"
    return catalog.TOO_MANY_OPS.error(None, label, help=INSTEAD)
