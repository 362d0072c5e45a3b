"""What bounds every elaboration, counted before the work is done."""

from __future__ import annotations

from typing import Any, NoReturn

from archdsl.diagnostics import Span, catalog

MOST_OPS = 10**6
MOST_APPLICATIONS = 10**5
MOST_TURNS = 10**6
MOST_STEPS = 15 * 10**5
"""Of expressions worked out, each as often as loops, calls and repeats come to it."""
TURNS_OF_A_CALL = 10
MOST_LEVELS = 64
MOST_PARAMS = 10**10
LARGEST_INT = 10**18
LARGEST_BITS = 256
LONGEST_LIST = 10**5
MOST_ITEMS = 10**7
LARGEST_MAP = 10**12

Cost = tuple[int, int, int, int]
"""Applications, turns, steps and items."""
FREE: Cost = (0, 0, 0, 0)

FEWER = "run fewer iterations, or do less in each"


def most() -> Cost:
    """The limits of all that is counted."""
    return MOST_APPLICATIONS, MOST_TURNS, MOST_STEPS, MOST_ITEMS


class Budget:
    """What an elaboration, or several in a row, have used up so far."""

    def __init__(self) -> None:
        self.applications = 0
        self.turns = 0
        self.steps = 0
        self.items = 0
        self.tried = FREE
        """What trials have used up that were given up."""

    @property
    def spent(self) -> Cost:
        """What has been used up, each count."""
        return self.applications, self.turns, self.steps, self.items

    def take_back(self, spent: Cost, span: Span | None) -> None:
        """Returns to what was `spent` before a trial; raises where such trials come to more than one network may."""
        applications, turns, steps, items = map(min, minus(self.spent, spent), most())
        self.tried = plus(self.tried, (applications, turns, steps, items))
        self.applications, self.turns, self.steps, self.items = spent
        if any(count > limit for count, limit in zip(self.tried, most(), strict=True)):
            label = "up to here, it takes too much work to see which stages reduce without a stride"
            raise catalog.TOO_MANY_TURNS.error(span, label, help="write the strides of the first blocks")

    def spend(self, cost: Cost) -> bool:
        """Counts work that was done elsewhere, if that is within the limits; says whether it is."""
        before = self.spent
        self.applications, self.turns, self.steps, self.items = plus(before, cost)
        if self.share > 1:
            self.applications, self.turns, self.steps, self.items = before
            return False
        return True

    @property
    def share(self) -> float:
        """What has been used of that of which most has been used; above 1, a limit has been passed."""
        return max(count / limit for count, limit in zip(self.spent, most(), strict=True))

    def apply(self, span: Span | None, count: int = 1) -> None:
        """Counts applications of blocks; raises at the limit."""
        self.applications += count
        if self.applications > MOST_APPLICATIONS:
            raise catalog.TOO_MANY_OPS.error(span, f"more than {MOST_APPLICATIONS:,} blocks are applied")

    def turn(self, span: Span | None, count: int = 1) -> None:
        """Counts the turns of loops before they are taken; raises at the limit."""
        self.turns += count
        if self.turns > MOST_TURNS:
            raise catalog.TOO_MANY_TURNS.error(span, f"loops run more than {MOST_TURNS:,} iterations in total")

    def too_many_steps(self, span: Span | None) -> NoReturn:
        """Raises where more expressions are worked out than may be; `steps` counts them."""
        label = f"loops, calls and repeats evaluate more than {MOST_STEPS:,} expressions"
        raise catalog.TOO_MANY_TURNS.error(span, label, help=FEWER)

    def item(self, span: Span | None, count: int) -> None:
        """Counts items of lists that are made or gone over; raises at the limit."""
        self.items += count
        if self.items > MOST_ITEMS:
            raise catalog.TOO_MANY_TURNS.error(span, f"lists of more than {MOST_ITEMS:,} items in total are worked on")

    def list(self, span: Span | None, items: tuple[object, ...]) -> None:
        """Counts a new list with the lists inside it, each as often as it is there; raises for one that is too long."""
        size = size_of(items, LONGEST_LIST)
        if size > LONGEST_LIST:
            raise catalog.TOO_MANY_TURNS.error(span, f"a list has at most {LONGEST_LIST:,} items, those inside it too")
        self.item(span, size)


def plus(one: Cost, other: Cost) -> Cost:
    """The cost of both."""
    return one[0] + other[0], one[1] + other[1], one[2] + other[2], one[3] + other[3]


def minus(one: Cost, other: Cost) -> Cost:
    """What one costs more than the other."""
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
