"""The protocol of numbers: all that the elaborator asks of one.

The elaborator is generic over numbers: nothing outside looks at their class or converts them. Plain ones are ints and
exact fractions; others are `Varying`, and take part wherever a plain one does.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from fractions import Fraction
from math import floor, log2
from typing import Any, TypeGuard

from archdsl.diagnostics import Text, UnlocatedError, catalog
from archdsl.elaborate.budget import LARGEST_INT, LARGEST_PART

Number = int | Fraction


class Varying:
    """Base of numbers that differ among the members of a family, known by the value that one of them has.

    It is no subclass of int, as Python's own code would take the value of that one without asking. Its operators and
    comparisons are called as those of any number; `__index__` and `__float__` where it has to be a plain one. It is
    hashed and found again by what it is in all members, never by that value. Where it is not `whole`, it has, as a
    Fraction, a `numerator` and a `denominator`, the latter a plain int.
    """

    # True for an int, False for a fraction: for all members alike, whatever the values.
    whole = True

    def as_fraction(self) -> Fraction:
        """The same number, not `whole`."""
        raise NotImplementedError


class Undecided(Exception):
    """Raised for a question about varying numbers that only plain ones answer."""


def is_int(value: Any) -> TypeGuard[int]:
    """Tell ints from all other values; a bool is none."""
    return type(value) is int or (isinstance(value, Varying) and value.whole)


def is_fraction(value: Any) -> TypeGuard[Fraction]:
    """Tell fractions from all other values."""
    return type(value) is Fraction or (isinstance(value, Varying) and not value.whole)


def is_number(value: Any) -> TypeGuard[Number]:
    """Tell numbers from all other values; a bool is none."""
    return type(value) is int or type(value) is Fraction or isinstance(value, Varying)


def as_index(value: int) -> int:
    """An int as Python's own, where something is counted or picked by it."""
    return operator.index(value)


def as_fraction(value: Number) -> Fraction:
    """A number as a fraction."""
    if is_fraction(value):
        return value
    return value.as_fraction() if isinstance(value, Varying) else Fraction(value)


def clamped(end: int | None, size: int, default: int) -> int:
    """An end of a slice of `size` items, counted from the first; negative ones count from the last."""
    if end is None:
        return default
    from_start = end + size if end < 0 else end
    return 0 if from_start < 0 else size if from_start > size else from_start


def as_float(value: Number) -> float:
    """The nearest float."""
    return float(value)


def whole(value: Number) -> int | None:
    """The int that a number is; None for one that is none."""
    found = floor(value)
    return found if found == value else None


def half_up(value: Number) -> int:
    """The nearest int, halves up."""
    return floor(value + Fraction(1, 2))


def nearest_quotient(size: int, part: int) -> int:
    """The quotient of two positive ints, rounded to the nearest, halves to the even."""
    quotient, twice = size // part, size % part * 2
    return quotient + 1 if twice > part or (twice == part and quotient % 2 == 1) else quotient


def binary_logarithm(value: Number) -> Number:
    """The logarithm to base 2: exact for powers of 2, else the nearest float there is."""
    if value <= 0:
        raise ComputationError("log2 takes positive numbers")
    result = log2(value) if is_int(value) else log2(value.numerator) - log2(value.denominator)
    return Fraction(result)


class ComputationError(UnlocatedError):
    """A computation that cannot be done; the message says why, `help` what would work."""

    def __init__(self, message: Text, help: Text = "") -> None:
        super().__init__(catalog.ARITHMETIC, message, help)


def bounded(value: Number) -> Number:
    """The number, within limits; a whole fraction stays a fraction."""
    if is_int(value):
        if abs(value) > LARGEST_INT:
            raise ComputationError(f"numbers beyond {LARGEST_INT:.0e} are out of range")
    elif abs(value.numerator) > LARGEST_PART or value.denominator > LARGEST_PART:
        raise ComputationError("this fraction has too many digits")
    return value


def divide(left: Number, right: Number) -> Number:
    """Exact division."""
    if right == 0:
        raise ComputationError("division by zero")
    return as_fraction(left) / right


def floor_divide(left: Number, right: Number) -> Number:
    """Division, rounded down."""
    if right == 0:
        raise ComputationError("division by zero")
    return left // right


def modulo(left: Number, right: Number) -> Number:
    """The remainder of a division."""
    if right == 0:
        raise ComputationError("division by zero")
    return left % right


def power(left: Number, right: Number) -> Number:
    """A power with a small whole exponent."""
    # Before it is computed: `9 ** 9 ** 9` would not end.
    if not is_int(right) or abs(right) > 256:
        raise ComputationError("an exponent is an int from -256 to 256")
    if right < 0 and left == 0:
        raise ComputationError("division by zero")
    exponent = as_index(right)
    return as_fraction(left) ** exponent if exponent < 0 else left**exponent


ARITHMETIC: dict[str, Callable[[Any, Any], Number]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": divide,
    "//": floor_divide,
    "%": modulo,
    "**": power,
}
ORDER: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
