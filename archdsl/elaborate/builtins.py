"""The functions on values, and exact arithmetic within limits."""

from __future__ import annotations

import operator
from collections.abc import Callable, Hashable, Iterable, Sequence
from fractions import Fraction
from math import ceil, floor, log2
from typing import Any

from archdsl.diagnostics import did_you_mean
from archdsl.elaborate.budget import LARGEST_BITS, LARGEST_INT, LONGEST_LIST
from archdsl.elaborate.values import BlockValue, Use, Value, describe, is_list

MEANT = {
    "yes": "true",
    "on": "true",
    "no": "false",
    "off": "false",
    "null": "none",
    "batchnorm": "bn",
    "batch_norm": "bn",
    "batchnorm2d": "bn",
    "swish": "silu",
    "cat": "concat",
    "fc": "linear",
    "gap": "global_avgpool",
    "resize": "upsample",
    "interpolate": "upsample",
    "stochastic_depth": "drop_path",
    "se_block": "se",
    "seblock": "se",
    "conv_bn_relu": "cna",
    "convbnrelu": "cna",
    "depthwise": "dwsep",
    "shuffle": "channel_shuffle",
    "skip": "identity",
    "gn": "group_norm",
    "ln": "layer_norm",
    "dwconv": "dwsep",
    "depthwise_conv": "dwsep",
    "integer": "int",
    "boolean": "bool",
    "double": "float",
    "module": "block",
    "layer": "block",
    "tuple": "size",
    "kernel_size": "kernel",
    "strides": "stride",
    "out_channels": "out",
    "out_features": "out",
    "filters": "out",
    "use_bias": "bias",
    "negative_slope": "slope",
}


def suggestion(name: str, valid: Iterable[str]) -> str:
    """What stands here for a word of another language; else the nearest of the valid names."""
    known = list(valid)
    meant = MEANT.get(name.lower(), "")
    return f"did you mean `{meant}`?" if meant in known else did_you_mean(name, known)


def nothing_called(word: str) -> str:
    """What is said of a name that stands for nothing."""
    return f"nothing here is called `{word}`"


Number = int | Fraction


class Trouble(Exception):
    """A computation that cannot be done; the message says why, `help` what would work."""

    def __init__(self, message: str, help: str = "") -> None:
        super().__init__(message)
        self.help = help


def is_number(value: Value) -> bool:
    """Whether a value is a number (a bool is none)."""
    return type(value) is int or type(value) is Fraction


def need_numbers(*values: Value) -> None:
    """Raises for what is no number."""
    for value in values:
        if not is_number(value):
            raise Trouble(f"a number is needed here, not {describe(value)}")


def bounded(value: Number) -> Number:
    """The number, if it is of a size that anybody means; a whole fraction stays a fraction."""
    if isinstance(value, int):
        if abs(value) > LARGEST_INT:
            raise Trouble(f"numbers beyond {LARGEST_INT:.0e} are out of range")
    elif max(value.numerator.bit_length(), value.denominator.bit_length()) > LARGEST_BITS:
        raise Trouble("this fraction has too many digits")
    return value


def divide(left: Number, right: Number) -> Number:
    """Exact division."""
    if right == 0:
        raise Trouble("division by zero")
    return Fraction(left) / Fraction(right)


def floor_divide(left: Number, right: Number) -> Number:
    """Division, rounded down."""
    if right == 0:
        raise Trouble("division by zero")
    return left // right


def modulo(left: Number, right: Number) -> Number:
    """The rest of the division."""
    if right == 0:
        raise Trouble("division by zero")
    return left % right


def power(left: Number, right: Number) -> Number:
    """A power with a small whole exponent."""
    if isinstance(right, Fraction) or abs(right) > 256:
        raise Trouble("an exponent is an int from -256 to 256")
    if right < 0 and left == 0:
        raise Trouble("division by zero")
    return Fraction(left) ** right if right < 0 else left**right


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


def compute(sign: str, left: Value, right: Value) -> Value:
    """An arithmetic operation or a comparison of values; raises Trouble."""
    if sign in {"==", "!="}:
        return same(left, right) == (sign == "==")
    need_numbers(left, right)
    return ORDER[sign](left, right) if sign in ORDER else bounded(ARITHMETIC[sign](left, right))


def same(left: Value, right: Value) -> bool:
    """Whether two values are equal; a bool is equal to no number, blocks are equal that do the same."""
    return form(left) == form(right)


def form(value: Value) -> Hashable:
    """What is equal for equal values."""
    if isinstance(value, BlockValue):
        return BlockValue, value.content if isinstance(value, Use) else value.key
    if isinstance(value, bool):
        return bool, value
    return tuple(map(form, value)) if is_list(value) else value


# ---- functions -----------------------------------------------------------------------------------------------------


def whole(value: Value) -> int:
    """The int that a number is; raises for what is none."""
    need_numbers(value)
    if value != floor(value):
        raise Trouble(f"{describe(value)} is not an integer", "use `floor`, `ceil` or `round`")
    return int(value)


def half_up(value: Value) -> int:
    """The nearest int, halves up."""
    need_numbers(value)
    return floor(value + Fraction(1, 2))


def on_number(function: Callable[[Any], Any]) -> Callable[[Value], Value]:
    """A function that takes one number."""

    def checked(value: Value) -> Value:
        need_numbers(value)
        return function(value)

    return checked


def binary_logarithm(value: Value) -> Value:
    """The logarithm to base 2: exact for powers of 2, else the nearest float there is."""
    need_numbers(value)
    if value <= 0:
        raise Trouble("log2 takes positive numbers")
    result = log2(value) if isinstance(value, int) else log2(value.numerator) - log2(value.denominator)
    return Fraction(result)


def need_list(value: Value) -> tuple[Value, ...]:
    """The items of a list; raises for what is none."""
    if not is_list(value):
        raise Trouble(f"a list is needed here, not {describe(value)}", counted(value))
    return value


def counted(value: Value) -> str:
    """What was probably meant by a number where a list is needed."""
    return f"`range({value})` is the list of the numbers below {value}" if type(value) is int and value > 0 else ""


def length(values: Value) -> int:
    """The number of items of a list."""
    return len(need_list(values))


def extreme(function: Callable[..., Any]) -> Callable[..., Value]:
    """`min` or `max` of several numbers, or of a list."""

    def checked(*values: Value) -> Value:
        numbers = need_list(values[0]) if len(values) == 1 else values
        if not numbers:
            raise Trouble("an empty list has neither least nor greatest")
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
        if not isinstance(bound, int) or isinstance(bound, bool):
            raise Trouble(f"range takes ints, not {describe(bound)}")
    if len(bounds) == 3 and bounds[2] == 0:
        raise Trouble("a range's step cannot be 0")
    numbers = range(*bounds)
    if len(numbers) > LONGEST_LIST:
        raise Trouble(f"a list has at most {LONGEST_LIST:,} items")
    return tuple(numbers)


def unique(values: Value) -> Value:
    """The items of a list without repeats, in order."""
    found: dict[Hashable, Value] = {}
    for item in need_list(values):
        found.setdefault(form(item), item)
    return tuple(found.values())


def together(*lists: Value) -> Value:
    """`zip`: the first items, the second items, ... of lists of equal length."""
    items = [need_list(each) for each in lists]
    if len({len(each) for each in items}) > 1:
        raise Trouble(f"zip takes lists of equal length, not of {', '.join(str(len(each)) for each in items)}")
    return tuple(zip(*items, strict=True))


def count(values: Value, item: Value) -> int:
    """How often an item is in a list."""
    return sum(same(each, item) for each in need_list(values))


FUNCTIONS: dict[str, tuple[Callable[..., Value], int, int]] = {
    "min": (extreme(min), 1, 64),
    "max": (extreme(max), 1, 64),
    "abs": (on_number(abs), 1, 1),
    "round": (half_up, 1, 1),
    "floor": (on_number(floor), 1, 1),
    "ceil": (on_number(ceil), 1, 1),
    "int": (whole, 1, 1),
    "log2": (binary_logarithm, 1, 1),
    "len": (length, 1, 1),
    "range": (number_range, 1, 3),
    "zip": (together, 1, 64),
    "sum": (total, 1, 1),
    "unique": (unique, 1, 1),
    "count": (count, 2, 2),
}
"""Each function by name, with the least and the greatest number of arguments."""


def call(name: str, arguments: Sequence[Value]) -> Value:
    """A function's value; raises Trouble."""
    function, least, most = FUNCTIONS[name]
    if not least <= len(arguments) <= most:
        wanted = str(least) if least == most else f"{least} to {most}"
        raise Trouble(f"{name} takes {wanted} arguments, not {len(arguments)}")
    return function(*arguments)


def truth(value: Value) -> bool:
    """A bool; raises for anything else."""
    if not isinstance(value, bool):
        raise Trouble(f"true or false is needed here, not {describe(value)}")
    return value
