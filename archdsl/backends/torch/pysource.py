"""Python source: names, values and docstrings, and expressions laid out as ruff format does.

Whatever a spec's author wrote freely reaches the emitted text through here.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from fractions import Fraction
from inspect import cleandoc
from typing import Any, NamedTuple

from archdsl.backends.torch.locals import LONG, WIDTH, identifier
from archdsl.diagnostics.characters import without_commands

DIGITS_MEET = re.compile(r"(?<=\d) (?=\d)")


def camel(name: str) -> str:
    """A class's name: CspVovnet39 for `csp_vovnet39`, and Vovnetv2_39 for `vovnetv2_39`, as digits stay apart."""
    words = [word[0].upper() + word[1:] for word in name.replace(".", "_").split("_") if word]
    return identifier(DIGITS_MEET.sub("_", " ".join(words)).replace(" ", "") or "Block")


def literal(value: Any) -> str:
    """A value as Python writes it."""
    return next(LITERALS[kind] for kind in type(value).__mro__ if kind in LITERALS)(value)


def real(value: float) -> str:
    """A float, infinities and all."""
    return repr(float(value)) if math.isfinite(value) else f'float("{value}")'


def sequence(values: tuple[Any, ...] | list[Any], opening: str, closing: str) -> str:
    """A tuple or a list."""
    return f"{opening}{', '.join(map(literal, values))}{closing}"


def quoted(text: str) -> str:
    """A string in double quotes, on one line, whatever is in it."""
    return without_commands('"' + "".join('\\"' if char == '"' else escaped(char) for char in text) + '"')


LITERALS: dict[type, Callable[[Any], str]] = {
    bool: repr,
    int: repr,
    float: real,
    Fraction: real,
    str: quoted,
    type(None): repr,
    tuple: lambda value: sequence(value, "(", ",)" if len(value) == 1 else ")"),
    list: lambda value: sequence(value, "[", "]"),
}


def escaped(char: str) -> str:
    """A character in a string: as it is, where it can be seen."""
    if char == "\\":
        return "\\\\"
    if char.isprintable():
        return char
    code = ord(char)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def docstring(text: str, indent: str = "    ") -> list[str]:
    """A docstring, in lines, laid out as ruff does."""
    lines = [docline(line) for line in paragraphs(text)] or [""]
    if len(lines) == 1:
        return [f'{indent}"""{lines[0]}"""']
    first, *rest = lines
    return [f'{indent}"""{first}', *(f"{indent}{line}".rstrip() for line in rest), f'{indent}"""']


def paragraphs(text: str) -> list[str]:
    """The lines of free text, without the blanks around it and at its lines' ends."""
    return [line.rstrip() for line in cleandoc(text.replace("\r\n", "\n")).strip().split("\n")]


def docline(line: str) -> str:
    """A line of a docstring: no quote in it can end the string."""
    text = without_commands("".join(map(escaped, line)))
    if '"""' in text:
        return text.replace('"', '\\"')
    if text.endswith('"'):
        text = f'{text[:-1]}\\"'
    return f"\\{text}" if text.startswith('"') else text


def first_line(text: str) -> str:
    """The first line of a docstring."""
    return next(iter(paragraphs(text)), "")


STEP = "    "
# The longest number that shares a line with others.
FIGURES = 8


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
        return bracketed("[", [atom(item) for item in text[1:-1].split(", ")], "]")
    return atom(text)


def bracketed(head: str, items: list[Doc], tail: str, comma: str = ",") -> Doc:
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
    return bracketed(f"{function}(", list(arguments), ")")


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
    return bracketed("[", items, "]")


def comprehension(item: Doc, variable: str, count: str) -> Doc:
    """`*[item for variable in range(count)]`, a part of a list or of arguments."""
    return bracketed("*[", [item, atom(f"for {variable} in range({count})")], "]", "")


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
