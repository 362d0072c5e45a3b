"""Limits on the work of an elaboration, counted before it is done."""

from __future__ import annotations

from typing import Any, NoReturn

from archdsl.diagnostics import Span, catalog

MOST_OPS = 10**6
MOST_APPLICATIONS = 10**5
MOST_TURNS = 10**6
# Evaluated expressions, each counted as often as it is evaluated.
MOST_STEPS = 15 * 10**5
TURNS_OF_A_CALL = 10
MOST_LEVELS = 64
MOST_PARAMS = 10**10
LARGEST_INT = 10**18
# Of the numerator and the denominator of a fraction.
LARGEST_PART = 2**256 - 1
LONGEST_LIST = 10**5
MOST_ITEMS = 10**7
LARGEST_MAP = 10**12

# Applications, iterations, steps and items.
Cost = tuple[int, int, int, int]
FREE: Cost = (0, 0, 0, 0)

FEWER = "run fewer iterations, or do less in each"


def most() -> Cost:
    """The limits, in the order of a cost."""
    return MOST_APPLICATIONS, MOST_TURNS, MOST_STEPS, MOST_ITEMS


class Budget:
    """The work done so far by an elaboration, or by several in a row."""

    def __init__(self) -> None:
        self.applications = 0
        self.turns = 0
        self.steps = 0
        self.items = 0
        # The work of abandoned trials.
        self.tried = FREE

    @property
    def spent(self) -> Cost:
        """All counts."""
        return self.applications, self.turns, self.steps, self.items

    def take_back(self, spent: Cost, span: Span | None) -> None:
        """Return to the counts before a trial; raise if all trials together exceed the limits of one network."""
        applications, turns, steps, items = map(min, minus(self.spent, spent), most())
        self.tried = plus(self.tried, (applications, turns, steps, items))
        self.reset(spent)
        if any(count > limit for count, limit in zip(self.tried, most(), strict=True)):
            label = "up to here, it takes too much work to see which stages reduce without a stride"
            raise catalog.TOO_MANY_TURNS.error(span, label, help="write the strides of the first blocks")

    def reset(self, spent: Cost) -> None:
        """Return to what was `spent` before."""
        self.applications, self.turns, self.steps, self.items = spent

    def spend(self, cost: Cost) -> bool:
        """Count work that was done elsewhere if it is within the limits; True if it is."""
        before = self.spent
        self.applications, self.turns, self.steps, self.items = plus(before, cost)
        if self.share > 1:
            self.applications, self.turns, self.steps, self.items = before
            return False
        return True

    @property
    def share(self) -> float:
        """The largest share of any limit that has been used; above 1, the limit has been passed."""
        return max(count / limit for count, limit in zip(self.spent, most(), strict=True))

    def apply(self, span: Span | None, count: int = 1) -> None:
        """Count applications of blocks; raise at the limit."""
        self.applications += count
        if self.applications > MOST_APPLICATIONS:
            raise catalog.TOO_MANY_OPS.error(span, f"more than {MOST_APPLICATIONS:,} blocks are applied")

    def turn(self, span: Span | None, count: int = 1) -> None:
        """Count the iterations of a loop before it runs; raise at the limit."""
        self.turns += count
        if self.turns > MOST_TURNS:
            raise catalog.TOO_MANY_TURNS.error(span, f"loops run more than {MOST_TURNS:,} iterations in total")

    def too_many_steps(self, span: Span | None) -> NoReturn:
        """Raise the error for too many evaluated expressions, which `steps` counts."""
        label = f"loops, calls and repeats evaluate more than {MOST_STEPS:,} expressions"
        raise catalog.TOO_MANY_TURNS.error(span, label, help=FEWER)

    def item(self, span: Span | None, count: int) -> None:
        """Count items of lists that are made or read; raise at the limit."""
        self.items += count
        if self.items > MOST_ITEMS:
            raise catalog.TOO_MANY_TURNS.error(span, f"lists of more than {MOST_ITEMS:,} items in total are worked on")

    def list(self, span: Span | None, items: tuple[object, ...]) -> None:
        """Count a new list with all lists inside it; raise for one that is too long."""
        size = size_of(items, LONGEST_LIST)
        if size > LONGEST_LIST:
            raise catalog.TOO_MANY_TURNS.error(span, f"a list has at most {LONGEST_LIST:,} items, those inside it too")
        self.item(span, size)


def plus(one: Cost, other: Cost) -> Cost:
    """The sum of two costs."""
    return one[0] + other[0], one[1] + other[1], one[2] + other[2], one[3] + other[3]


def minus(one: Cost, other: Cost) -> Cost:
    """The difference of two costs."""
    return one[0] - other[0], one[1] - other[1], one[2] - other[2], one[3] - other[3]


def size_of(items: tuple[object, ...], most: int) -> int:
    """The number of items of a list and of the lists inside it, or something above `most`."""
    size = 0
    stack: list[Any] = [items]
    while stack and size <= most:
        top = stack.pop()
        size += len(top)
        stack += [item for item in top if type(item) is tuple]
    return size
