"""The types of parameters, and what may be given for each.

A type is declared by an op (`archdsl.op`), or by a block's signature (`kernel: size = 1`). `fit` turns a value into
what the parameter takes, or says in words why it does not.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from archdsl.diagnostics import UnlocatedError, catalog
from archdsl.elaborate.numbers import as_float, as_fraction, is_fraction, is_int, is_number
from archdsl.elaborate.values import (
    BlockValue,
    Policy,
    Role,
    Symbol,
    Use,
    Value,
    captures,
    describe,
    is_list,
    is_tensors,
)
from archdsl.initializer import Initializer
from archdsl.op import BOOL, FLOAT, INIT, INT, PADDING, SIZE, Type, symbol


class TypeMismatch(UnlocatedError):
    """A value that a type does not take; with `fraction`, one that would do if that were rounded."""

    def __init__(self, kind: Type, value: Value, fraction: Fraction | None = None) -> None:
        super().__init__(catalog.WRONG_TYPE, lambda: f"{kind.phrase} is needed here, not {describe(value)}")
        self.fraction = fraction


BLOCK = Type("block", "a block")
TENSOR = Type("tensor", "a tensor")
LIST = Type("list", "a list of values")
DECLARABLE = {kind.name: kind for kind in (INT, FLOAT, BOOL, SIZE, PADDING, BLOCK, TENSOR, LIST, INIT)}
"""The types that a signature may name."""


def of_words(words: tuple[str, ...]) -> Type | None:
    """The type that a block's signature names: one of the types, or the words of an enumeration."""
    return symbol(*words) if len(words) > 1 else DECLARABLE.get(words[0]) if words else None


def fit(kind: Type, value: Value, exact: bool = True) -> Value:
    """The value as the parameter takes it; raises TypeMismatch. Without `exact`, floats become Python's (for ops)."""
    # Fast path: most arguments are ints.
    if kind.name == "int" and is_int(value):
        return value
    if value is None and kind.optional:
        return None
    fitted = FITS[kind.name](value)
    if fitted is None:
        if kind.symbols and (word := word_of(value)) in kind.symbols:
            return Symbol(word)
        raise TypeMismatch(kind, value)
    return inexact(fitted) if not exact and kind.name in {"float", "floats"} else fitted


def word_of(value: Value) -> str:
    """The word that a value is by its text: also that of a block or a policy with nothing set (`tanh`)."""
    match value:
        case Symbol():
            return value
        case Use(given={}, target=target) if not value.given:
            return target.name
        case Policy(given={}, policy=policy) if not value.given:
            return policy
        case Role():
            return word_of(value.body)
        case _:
            return ""


def inexact(value: Value) -> Value:
    """Fractions as floats, the nearest there are."""
    return tuple(map(as_float, value)) if is_list(value) else as_float(value)


def fit_int(value: Value) -> Value:
    """An int; a fraction is said to be none."""
    if is_fraction(value):
        raise TypeMismatch(INT, value, value)
    return value if is_int(value) else None


def fit_float(value: Value) -> Value:
    """A number; an int widens."""
    return as_fraction(value) if is_number(value) else None


def fit_size(value: Value) -> Value:
    """An int, or a pair of ints (a pair of equal ones is one int)."""
    if is_list(value) and len(value) == 2 and all(is_int(side) for side in value):
        # So that `3` and `[3, 3]` are equal ops.
        return value[0] if value[0] == value[1] else value
    return fit_int(value)


def fit_parts(value: Value) -> Value:
    """A share, a number of parts, or counts."""
    if is_number(value):
        return value
    return value if is_list(value) and value and all(is_int(part) for part in value) else None


def fit_list(value: Value) -> Value:
    """A list of values."""
    return value if is_list(value) and not captures(value) else None


def list_of(fit_item: Callable[[Value], Value]) -> Callable[[Value], Value]:
    """A list whose items all fit."""

    def fit_items(value: Value) -> Value:
        items = fit_list(value)
        if items is None:
            return None
        fitted = tuple(fit_item(item) for item in items)
        return None if any(item is None for item in fitted) else fitted

    return fit_items


def of_class(*kinds: type) -> Callable[[Value], Value]:
    """A value of some class."""
    return lambda value: value if isinstance(value, kinds) else None


FITS: dict[str, Callable[[Value], Value]] = {
    "int": fit_int,
    "float": fit_float,
    "bool": of_class(bool),
    "size": fit_size,
    "padding": fit_size,
    "parts": fit_parts,
    "block": of_class(BlockValue),
    "tensor": lambda value: value if is_tensors(value) else None,
    "list": fit_list,
    "init": of_class(Initializer),
    "ints": list_of(fit_int),
    "floats": list_of(fit_float),
    "symbol": lambda value: None,
}
