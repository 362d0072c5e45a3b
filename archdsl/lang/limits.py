"""What bounds every elaboration, counted before the work is done."""

from __future__ import annotations

from archdsl.errors import Span, catalog

MOST_OPS = 10**6
MOST_APPLICATIONS = 10**6
MOST_TURNS = 10**6
MOST_LEVELS = 64
MOST_PARAMS = 10**10
LARGEST_INT = 10**18
LARGEST_BITS = 256
LONGEST_LIST = 10**5
LARGEST_MAP = 10**12


class Budget:
    """What an elaboration has used up so far."""

    def __init__(self) -> None:
        self.applications = 0
        self.turns = 0

    def apply(self, span: Span | None, count: int = 1) -> None:
        """Counts applications of blocks; raises at the limit."""
        self.applications += count
        if self.applications > MOST_APPLICATIONS:
            raise catalog.TOO_MANY_OPS.error(span, f"more than {MOST_APPLICATIONS:,} blocks are applied")

    def turn(self, span: Span | None, count: int = 1) -> None:
        """Counts the turns of loops before they are taken; raises at the limit."""
        self.turns += count
        if self.turns > MOST_TURNS:
            raise catalog.TOO_MANY_TURNS.error(span, f"loops take more than {MOST_TURNS:,} turns in all")
