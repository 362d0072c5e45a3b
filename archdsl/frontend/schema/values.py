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
    return {"type": [*kinds, "string"], "pattern": r"\S", **more}


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


def lines(mapping: Json) -> Json:
    """A mapping; or a list of mappings, in which keys may repeat."""
    return {"if": {"type": "array"}, "then": {"items": mapping}, "else": mapping}


def items(item: Json, **more: Any) -> Json:
    """A list; or an expression that comes to one."""
    return {"anyOf": [{"type": "array", "items": item, **more}, expression()]}


WHOLE = expression("integer")
SIZE: Json = {"anyOf": [WHOLE, {"type": "array", "items": WHOLE, "minItems": 2, "maxItems": 2}]}

TYPES: dict[str, Callable[[Type], Json]] = {
    "int": lambda _: expression("integer"),
    "float": lambda _: expression("number"),
    "bool": lambda _: expression("boolean"),
    "size": lambda _: SIZE,
    "padding": lambda kind: {"anyOf": [choices(dict.fromkeys(kind.symbols, "")), *SIZE["anyOf"]]},
    "parts": lambda _: {"anyOf": [expression("number"), {"type": "array", "items": WHOLE}]},
    "block": lambda _: ref("argument"),
    "tensor": lambda _: expression(),
    "list": lambda _: items(ref("value")),
    "init": lambda _: by_kind(names="initializer"),
    "ints": lambda _: items(WHOLE),
    "floats": lambda _: items(expression("number")),
    "symbol": lambda kind: {"anyOf": [choices(dict.fromkeys(kind.symbols, "")), expression()]},
}


def typed(kind: Type, bounds: Param | None) -> Json:
    """What a parameter of a type takes."""
    found = TYPES[kind.name](kind)
    return found | limits(bounds) if bounds and kind.name in {"int", "float"} else found


def limits(bounds: Param) -> Json:
    """The bounds of a number."""
    said = {"minimum": bounds.minimum, "maximum": bounds.maximum, "exclusiveMinimum": bounds.above}
    return {key: value for key, value in said.items() if value is not None}
