"""What may stand for a value: an expression in a string, or what YAML has of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from archdsl.lang.values.types import Type
from archdsl.op import Param

Json = dict[str, Any]

NAME = "[A-Za-z_][A-Za-z0-9_]*"
NUMBER = "[0-9][0-9_]*"
AMOUNT = rf"{NUMBER}(\.[0-9]+)?([eE][+-]?[0-9]+)?(K|M|G|T|B|KB|MB|GB|TB|KiB|MiB|GiB|TiB)?"
SIZES = rf"{NUMBER}([ \t]*x[ \t]*{NUMBER})*"
SHAPE = rf"{NUMBER}(x{NUMBER})+"

TEXT: Json = {"type": ["string", "number", "boolean"]}
"""A scalar: YAML takes some texts for numbers or truth values, archdsl takes all as they stand."""


def ref(name: str) -> Json:
    """What is defined elsewhere in the schema."""
    return {"$ref": f"#/$defs/{name}"}


def expression(*kinds: str, **more: Any) -> Json:
    """A string in the language, or a scalar of some kinds."""
    return {"type": [*kinds, "string"] if kinds else "string", "pattern": r"\S", **more}


def fitting(pattern: str, said: str, *kinds: str, **more: Any) -> Json:
    """A string that fits a pattern, or a scalar of some kinds; editors say in words what does not fit."""
    return expression(*kinds, **more) | {"pattern": pattern, "patternErrorMessage": said}


def choices(docs: dict[str, str]) -> Json:
    """One of several words, each explained."""
    return {"anyOf": [{"const": word, "description": doc} if doc else {"const": word} for word, doc in docs.items()]}


def by_kind(array: Json | None = None, names: str = "") -> Json:
    """A block in plain data where there is a mapping, else a list or an expression.

    So a message is about the kind that there is. Names are only offered: a file may define its own.
    """
    scalar = ref("expression")
    rest: Json = {"if": {"type": "array"}, "then": array, "else": scalar} if array else scalar
    offered: Json = {"anyOf": [ref(names), {}]} if names else {}
    return offered | {"if": {"type": "object"}, "then": ref("plain"), "else": rest}


def one_or_list(item: Json) -> Json:
    """Something, or several in a list."""
    return {"if": {"type": "array"}, "then": {"items": item}, "else": item}


def lines(mapping: Json) -> Json:
    """A mapping; or a list of mappings, in which keys may repeat."""
    return one_or_list(mapping)


def items(item: Json, **more: Any) -> Json:
    """A list; or an expression that comes to one."""
    return {"anyOf": [{"type": "array", "items": item, **more}, expression()]}


def whole(bounds: Json) -> Json:
    """An int."""
    return expression("integer", **bounds)


def size(bounds: Json) -> Json:
    """An int or a pair."""
    pair = {"items": whole(bounds), "minItems": 2, "maxItems": 2}
    return {"if": {"type": "array"}, "then": pair, "else": whole(bounds)}


def padding(kind: Type, bounds: Json) -> Json:
    """A size, or a word, which is only offered: an expression takes its place."""
    return {"anyOf": [choices(dict.fromkeys(kind.symbols, "")), {}]} | size(bounds)


def parts(bounds: Json) -> Json:
    """A share, a number of parts, or what is in each."""
    return {"if": {"type": "array"}, "then": {"items": whole(bounds)}, "else": expression("number")}


def plainly(found: Json) -> Callable[[Type, Json], Json]:
    """What neither words nor bounds change."""
    return lambda _kind, _bounds: found


TYPES: dict[str, Callable[[Type, Json], Json]] = {
    "int": lambda _kind, bounds: whole(bounds),
    "float": lambda _kind, bounds: expression("number", **bounds),
    "bool": plainly(expression("boolean")),
    "size": lambda _kind, bounds: size(bounds),
    "padding": padding,
    "parts": lambda _kind, bounds: parts(bounds),
    "block": plainly(ref("argument")),
    "tensor": plainly(expression()),
    "list": plainly(items(ref("value"))),
    "init": plainly(by_kind(names="initializer")),
    "ints": lambda _kind, bounds: items(whole(bounds)),
    "floats": lambda _kind, bounds: items(expression("number", **bounds)),
    "symbol": lambda kind, _bounds: {"anyOf": [choices(dict.fromkeys(kind.symbols, "")), expression()]},
}


def typed(kind: Type, declared: Param | None) -> Json:
    """What a parameter of a type takes, within its bounds."""
    return TYPES[kind.name](kind, limits(declared) if declared else {})


def limits(declared: Param) -> Json:
    """The bounds of a number."""
    said = {"minimum": declared.minimum, "maximum": declared.maximum, "exclusiveMinimum": declared.above}
    return {key: value for key, value in said.items() if value is not None}
