"""The functions on values, and exact arithmetic within limits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import ceil, floor
from typing import Any

from archdsl.elaborate.budget import LONGEST_LIST
from archdsl.elaborate.numbers import (
    ARITHMETIC,
    ORDER,
    ComputationError,
    Number,
    as_index,
    binary_logarithm,
    bounded,
    half_up,
    is_int,
    is_number,
    whole,
)
from archdsl.elaborate.values import Value, describe, distinct, equal, is_list


def nothing_called(word: str) -> str:
    """The label for an undefined name."""
    return f"nothing here is called `{word}`"


def need_numbers(*values: Value) -> None:
    """Raise ComputationError unless all values are numbers."""
    for value in values:
        if not is_number(value):
            raise ComputationError(f"a number is needed here, not {describe(value)}")


def compute(sign: str, left: Value, right: Value) -> Value:
    """Compute an arithmetic operation or a comparison; raise ComputationError where it has no value."""
    if sign in {"==", "!="}:
        return equal(left, right) == (sign == "==")
    need_numbers(left, right)
    return ORDER[sign](left, right) if sign in ORDER else bounded(ARITHMETIC[sign](left, right))


# ---- functions -----------------------------------------------------------------------------------------------------


def to_int(value: Value) -> Value:
    """Convert a number to an int; raise ComputationError if it is not whole."""
    need_numbers(value)
    if (found := whole(value)) is None:
        raise ComputationError(lambda: f"{describe(value)} is not an integer", "use `floor`, `ceil` or `round`")
    return found


def on_number(function: Callable[[Any], Any]) -> Callable[[Value], Value]:
    """A function that takes one number."""

    def checked(value: Value) -> Value:
        need_numbers(value)
        return function(value)

    return checked


def need_list(value: Value) -> tuple[Value, ...]:
    """The items of a list; raise ComputationError for anything else."""
    if not is_list(value):
        raise ComputationError(lambda: f"a list is needed here, not {describe(value)}", lambda: counted(value))
    return value


def counted(value: Value) -> str:
    """Help for a number where a list is needed."""
    return f"`range({value})` is the list of the numbers below {value}" if is_int(value) and value > 0 else ""


def length(values: Value) -> int:
    """The number of items of a list."""
    return len(need_list(values))


def extreme(function: Callable[..., Any]) -> Callable[..., Value]:
    """`min` or `max` of several numbers, or of a list."""

    def checked(*values: Value) -> Value:
        numbers = need_list(values[0]) if len(values) == 1 else values
        if not numbers:
            raise ComputationError("an empty list has neither least nor greatest")
        need_numbers(*numbers)
        return function(numbers)

    return checked


def total(values: Value) -> Value:
    """The sum of a list of numbers."""
    result: Number = 0
    for number in need_list(values):
        need_numbers(number)
        result = bounded(result + number)
    return result


def number_range(*bounds: Value) -> Value:
    """`range(n)`, `range(start, stop)`, `range(start, stop, step)` as a list."""
    for bound in bounds:
        if not is_int(bound):
            raise ComputationError(f"range takes ints, not {describe(bound)}")
    if len(bounds) == 3 and bounds[2] == 0:
        raise ComputationError("a range's step cannot be 0")
    numbers = range(*map(as_index, bounds))
    if len(numbers) > LONGEST_LIST:
        raise ComputationError(f"a list has at most {LONGEST_LIST:,} items")
    return tuple(numbers)


def unique(values: Value) -> Value:
    """The items of a list without repeats, in order."""
    return distinct(need_list(values))


def together(*lists: Value) -> Value:
    """`zip`: the first items, the second items, ... of lists of equal length."""
    items = [need_list(each) for each in lists]
    if len({len(each) for each in items}) > 1:
        raise ComputationError(
            lambda: f"zip takes lists of equal length, not of {', '.join(str(len(each)) for each in items)}"
        )
    return tuple(zip(*items, strict=True))


def count(values: Value, item: Value) -> int:
    """The number of times that an item is in a list."""
    return sum(equal(each, item) for each in need_list(values))


FUNCTIONS: dict[str, tuple[Callable[..., Value], int, int]] = {
    "min": (extreme(min), 1, 64),
    "max": (extreme(max), 1, 64),
    "abs": (on_number(abs), 1, 1),
    "round": (on_number(half_up), 1, 1),
    "floor": (on_number(floor), 1, 1),
    "ceil": (on_number(ceil), 1, 1),
    "int": (to_int, 1, 1),
    "log2": (on_number(binary_logarithm), 1, 1),
    "len": (length, 1, 1),
    "range": (number_range, 1, 3),
    "zip": (together, 1, 64),
    "sum": (total, 1, 1),
    "unique": (unique, 1, 1),
    "count": (count, 2, 2),
}
"""Each function by name, with the least and the greatest number of arguments."""


def call(name: str, arguments: Sequence[Value]) -> Value:
    """Call a function; raise ComputationError where it has no value."""
    function, least, most = FUNCTIONS[name]
    if not least <= len(arguments) <= most:
        wanted = str(least) if least == most else f"{least} to {most}"
        raise ComputationError(lambda: f"{name} takes {wanted} arguments, not {len(arguments)}")
    return function(*arguments)


def truth(value: Value) -> bool:
    """The bool; raise ComputationError for anything else."""
    if not isinstance(value, bool):
        raise ComputationError(lambda: f"true or false is needed here, not {describe(value)}")
    return value
