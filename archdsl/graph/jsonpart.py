"""Parts of a JSON text, with the path to each, so that whatever is wrong can be told; and the ops in it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from fractions import Fraction
from math import isfinite
from typing import Any, NoReturn

from archdsl.errors import catalog
from archdsl.initializer import INITIALIZERS, Initializer
from archdsl.op import Op, Param
from archdsl.record import MISSING

LARGEST = 10**18
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

Vocabulary = Mapping[str, type[Op]]


def refuse(path: str, said: str) -> NoReturn:
    """Raises what is wrong with the text, and where."""
    raise catalog.FILE.error(None, f"{path}: {said}" if path else said) from None


class Part:
    """A part of the text, and the path to it."""

    def __init__(self, value: Any, path: str) -> None:
        self.value = value
        self.path = path

    def get(self, name: str, test: Callable[[Any], bool], default: Any = MISSING) -> Any:
        """A field's value, if it passes a test."""
        return self.part(name, default).checked(test)

    def part(self, name: str, default: Any = MISSING) -> Part:
        """A field."""
        path = f"{self.path}.{name}".lstrip(".")
        if not is_object(self.value):
            refuse(self.path, "an object is needed here")
        value = self.value.get(name, default)
        return refuse(path, "this is missing") if value is MISSING else Part(value, path)

    def checked(self, test: Callable[[Any], bool]) -> Any:
        """The value, if it passes a test."""
        return self.value if test(self.value) else refuse(self.path, f"{NEEDED[test]} is needed here")

    def parts(self, length: int = -1) -> list[Part]:
        """The items of a list (of a length)."""
        if not is_items(self.value) or length not in {-1, len(self.value)}:
            refuse(self.path, f"a list{f' of {length}' if length >= 0 else ''} is needed here")
        return [Part(item, f"{self.path}[{at}]") for at, item in enumerate(self.value)]

    def only(self, known: tuple[str, ...]) -> None:
        """Refuses fields that there are none of."""
        if not is_object(self.value):
            refuse(self.path, "an object is needed here")
        for name in self.value:
            if name not in known:
                refuse(self.path, f"there is no field {name!r}")


def is_object(value: Any) -> bool:
    """Whether a value has fields."""
    return isinstance(value, dict)


def is_items(value: Any) -> bool:
    """Whether a value is a list of JSON."""
    return isinstance(value, list)


def is_tuple(value: Any) -> bool:
    """Whether a value is a list, as read."""
    return isinstance(value, tuple)


def is_int(value: Any) -> bool:
    """Whether a value is an int of a sensible size."""
    return type(value) is int and abs(value) <= LARGEST


def is_count(value: Any) -> bool:
    """Whether a value is an int that counts something."""
    return is_int(value) and value >= 0


def is_number(value: Any) -> bool:
    """Whether a value is an int or a float."""
    return is_int(value) or (type(value) is float and isfinite(value))


def is_bool(value: Any) -> bool:
    """Whether a value is true or false."""
    return type(value) is bool


def is_text(value: Any) -> bool:
    """Whether a value is a text."""
    return type(value) is str


def is_name(value: Any) -> bool:
    """Whether a value is a name, which may become one in a program."""
    return is_text(value) and NAME.fullmatch(value) is not None


def is_label(value: Any) -> bool:
    """Whether a value is a name, or empty."""
    return value == "" or is_name(value)


NEEDED: dict[Callable[[Any], bool], str] = {
    is_int: "an int",
    is_count: "an int from 0",
    is_number: "a number",
    is_bool: "true or false",
    is_text: "a text",
    is_name: "a name",
    is_label: "a name, or an empty text,",
}


# ---- ops and their parameters --------------------------------------------------------------------------------------


def read_op(part: Part, vocabulary: Vocabulary) -> Op:
    """An op by its name, with its parameters."""
    kind = vocabulary.get(name := part.get("op", is_text))
    return refuse(f"{part.path}.op", f"no op is called {name!r}") if kind is None else read_params(part, kind)


def read_params(part: Part, kind: type[Any]) -> Any:
    """An op or an initializer with all its parameters, each of its type and within its bounds."""
    given = part.part("params")
    given.only(tuple(kind.params))
    return kind(**{name: read_param(given.part(name), param) for name, param in kind.params.items()})


def read_param(part: Part, param: Param) -> Any:
    """A parameter's value."""
    value = read_plain(part)
    if not fits(param.type, value):
        refuse(part.path, f"{value!r} is no {param.type}")
    for number in value if is_tuple(value) else (value,):
        if is_number(number) and outside(param, number):
            refuse(part.path, f"{value!r} is out of range")
    return float(value) if param.type.startswith("float") and value is not None else value


def outside(param: Param, number: float) -> bool:
    """Whether a number is out of a parameter's bounds."""
    return (
        (param.minimum is not None and number < param.minimum)
        or (param.maximum is not None and number > param.maximum)
        or (param.above is not None and number <= param.above)
    )


def fits(annotation: str, value: Any) -> bool:
    """Whether a value has the type that an op's annotation says."""
    inner = annotation.removesuffix(" | None")
    if value is None:
        return inner != annotation
    if inner.startswith("Literal["):
        return is_text(value) and value in inner[8:-1].replace("'", "").replace('"', "").split(", ")
    return TYPES[inner](value)


def ints(value: Any) -> bool:
    """Whether a value is a list of ints."""
    return is_tuple(value) and all(map(is_int, value))


def size(value: Any) -> bool:
    """Whether a value is an int, or a pair of ints."""
    return is_int(value) or (ints(value) and len(value) == 2)


TYPES: dict[str, Callable[[Any], bool]] = {
    "int": is_int,
    "float": is_number,
    "bool": is_bool,
    "Size": size,
    "Padding": lambda value: size(value) or value in {"same", "valid"},
    "Parts": lambda value: is_int(value) or isinstance(value, Fraction) or ints(value),
    "Initializer": lambda value: isinstance(value, Initializer),
    "tuple[int, ...]": ints,
    "tuple[float, ...]": lambda value: is_tuple(value) and all(map(is_number, value)),
}


def read_plain(part: Part) -> Any:
    """A parameter's value, as `plain` writes it."""
    value = part.value
    if is_items(value):
        return tuple(map(read_plain, part.parts()))
    if is_object(value):
        return read_fraction(part) if "fraction" in value else read_initializer(part)
    if value is None or is_bool(value) or is_number(value) or is_text(value):
        return value
    return refuse(part.path, "this number is too large")


def read_fraction(part: Part) -> Fraction:
    """An exact fraction."""
    above, below = (each.checked(is_int) for each in part.part("fraction").parts(2))
    return refuse(part.path, "a fraction by 0") if below == 0 else Fraction(above, below)


def read_initializer(part: Part) -> Initializer:
    """An initializer by its name, with its settings."""
    kind = INITIALIZERS.get(name := part.get("initializer", is_text))
    return refuse(part.path, f"no initializer is called {name!r}") if kind is None else read_params(part, kind)
