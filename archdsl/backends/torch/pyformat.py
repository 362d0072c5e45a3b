"""Python expressions, laid out as ruff format does: on one line where they fit, else one argument a line."""

from __future__ import annotations

from typing import NamedTuple

from archdsl.backends.torch.locals import LONG, WIDTH

STEP = "    "
FIGURES = 8
"""The longest number that shares a line with others."""


class Doc(NamedTuple):
    """An expression: `flat` is its text on one line, or None where no line could hold it.

    `items` stand between `head` and `tail`, each followed by `comma` where they have lines of their own.
    """

    flat: str | None
    head: str = ""
    items: tuple[Doc, ...] = ()
    tail: str = ""
    comma: str = ","


def atom(text: str) -> Doc:
    """An expression that is never broken: a name, a number, a sum."""
    return Doc(text, text)


def number(text: str) -> Doc:
    """A number, or a list of numbers, which may take several lines."""
    if text.startswith("[") and len(text) > LONG:
        return group("[", [atom(item) for item in text[1:-1].split(", ")], "]")
    return atom(text)


def group(head: str, items: list[Doc], tail: str, comma: str = ",") -> Doc:
    """Items between brackets."""
    joint = f"{comma} "
    flat = "" if len(items) < WIDTH else None
    if flat is not None and all(item.flat is not None for item in items):
        flat = f"{head}{joint.join(item.flat or '' for item in items)}{tail}"
    else:
        flat = None
    return Doc(flat if flat and len(flat) <= WIDTH else None, head, tuple(items), tail, comma)


def call(function: str, *arguments: Doc) -> Doc:
    """A call."""
    return group(f"{function}(", list(arguments), ")")


def keyword(name: str, value: Doc) -> Doc:
    """A named argument."""
    return prefixed(f"{name}=", value)


def prefixed(lead: str, value: Doc) -> Doc:
    """An expression with something in front: `name=`, `*`."""
    flat = None if value.flat is None else lead + value.flat
    return value._replace(flat=flat, head=lead + value.head)


def listing(items: list[Doc]) -> Doc:
    """A list."""
    if len(items) == 1 and items[0].head == "*[":
        (row,) = items
        return row._replace(flat=row.flat and row.flat[1:], head="[")
    return group("[", items, "]")


def comprehension(item: Doc, variable: str, count: str) -> Doc:
    """`*[item for variable in range(count)]`, a part of a list or of arguments."""
    return group("*[", [item, atom(f"for {variable} in range({count})")], "]", "")


def lines(doc: Doc, indent: str, lead: str = "", trail: str = "") -> list[str]:
    """The lines of `lead doc trail` at an indent."""
    if (doc.flat is not None and len(indent) + len(lead) + len(doc.flat) + len(trail) <= WIDTH) or not doc.items:
        return [f"{indent}{lead}{doc.flat}{trail}"]
    comma = "" if len(doc.items) == 1 and doc.items[0].items else doc.comma
    inside = row(doc, indent + STEP) or [line for item in doc.items for line in lines(item, indent + STEP, trail=comma)]
    return [f"{indent}{lead}{doc.head}", *inside, f"{indent}{doc.tail}{trail}"]


def row(doc: Doc, indent: str) -> list[str]:
    """The items on one line, if they are simple: a call's, or a list's numbers."""
    plain = not any(item.items for item in doc.items)
    simple = plain and (doc.head.endswith("(") or all(len(item.head) <= FIGURES for item in doc.items))
    text = indent + ", ".join(item.flat or "" for item in doc.items)
    return [text] if simple and len(text) <= WIDTH else []


def signature(name: str, parameters: list[str], returns: str = "") -> list[str]:
    """The head of a method: on one line, with the parameters on a second one, or one a line."""
    opening, closing = f"{STEP}def {name}(", f"){f' -> {returns}' if returns else ''}:"
    text = ", ".join(parameters)
    if len(opening + text + closing) <= WIDTH:
        return [opening + text + closing]
    inner = 2 * STEP
    rows = [inner + text] if len(inner + text) <= WIDTH else [f"{inner}{each}," for each in parameters]
    return [opening, *rows, STEP + closing]
