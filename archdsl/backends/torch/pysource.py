"""Words and values as Python source. Whatever a spec's author wrote freely reaches the emitted text through here."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from fractions import Fraction
from inspect import cleandoc
from typing import Any

from archdsl.backends.torch.locals import identifier
from archdsl.diagnostics.characters import without_commands

DIGITS_MEET = re.compile(r"(?<=\d) (?=\d)")


def camel(name: str) -> str:
    """A class's name: CspVovnet39 for `csp_vovnet39`, and Vovnetv2_39 for `vovnetv2_39`, as digits stay apart."""
    words = [word[0].upper() + word[1:] for word in name.replace(".", "_").split("_") if word]
    return identifier(DIGITS_MEET.sub("_", " ".join(words)).replace(" ", "") or "Block")


def literal(value: Any) -> str:
    """A value as Python writes it."""
    return next(LITERALS[kind] for kind in type(value).__mro__ if kind in LITERALS)(value)


def number(value: float) -> str:
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
    float: number,
    Fraction: number,
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
