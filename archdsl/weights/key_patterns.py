"""Names with numbers in them: `layer{i}.{j}.conv{k}`, as the rules write them.

In braces stands a variable, or a linear expression of one: `{i+1}`, `{2*j+6}`; constants of the rules' case may stand
in it, too (`{s*j+b}`), or alone (`conv{last}`). `{k?}` is written as our names are: nothing for 1, the number above
(`cna`, `cna2`, `cna3`). `{k<4}` says how far a variable goes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property
from typing import NamedTuple

BRACES = re.compile(r"\{([^{}]*)\}")
EXPRESSION = re.compile(
    r"(?:(?P<factor>\w+)\*)?(?P<name>\w+)(?P<offset>(?:[+-]\w+)*)(?P<bare>\?)?(?:<(?P<end>[0-9]+))?"
)
ADDEND = re.compile(r"([+-])(\w+)")
NUMBER = "(0|[1-9][0-9]*)"
BARE = "([2-9]|[1-9][0-9]+|)"


class TemplateNumber(NamedTuple):
    """A number in a template: `factor * variable + offset`; a `bare` one is not written where it is 1.

    The variable is below `end`, if there is one.
    """

    variable: str
    factor: int = 1
    offset: int = 0
    bare: bool = False
    end: int | None = None

    def write(self, value: int) -> str:
        """The number for a value of the variable."""
        number = self.factor * value + self.offset
        return "" if self.bare and number == 1 else str(number)

    def read(self, text: str) -> int | None:
        """The value of the variable that gives a number, if one does."""
        value, rest = divmod(int(text or 1) - self.offset, self.factor)
        return value if rest == 0 and value >= 0 else None


class Template:
    """The name of a module, with slots for numbers."""

    def __init__(self, text: str, constants: Mapping[str, int]) -> None:
        self.text = text
        pieces = BRACES.split(text)
        self.parts = [slot(each, constants) if index % 2 else each for index, each in enumerate(pieces)]
        self.slots = [part for part in self.parts if isinstance(part, TemplateNumber)]
        self.variables = {each.variable for each in self.slots}
        self.ends = {each.variable: each.end for each in self.slots if each.end is not None}

    def __repr__(self) -> str:
        return f"Template({self.text!r})"

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """What the names look like."""
        parts = [re.escape(part) if isinstance(part, str) else BARE if part.bare else NUMBER for part in self.parts]
        return re.compile("".join(parts))

    def match(self, name: str) -> dict[str, int] | None:
        """The values of the variables that give a name, or None."""
        found = self.pattern.fullmatch(name)
        if found is None:
            return None
        values: dict[str, int] = {}
        for each, text in zip(self.slots, found.groups(), strict=True):
            value = each.read(text)
            if value is None or values.setdefault(each.variable, value) != value:
                return None
        return values

    def fill(self, values: Mapping[str, int]) -> str:
        """The name for values of the variables."""
        return "".join(part if isinstance(part, str) else part.write(values[part.variable]) for part in self.parts)


def slot(text: str, constants: Mapping[str, int]) -> TemplateNumber | str:
    """What stands in braces: a slot, or the number that a constant is."""
    found = EXPRESSION.fullmatch(text)
    if found is None:
        raise ValueError(f"`{{{text}}}` is no number of a template")
    factor = number(found["factor"] or "1", constants)
    offset = sum(int(f"{sign}1") * number(each, constants) for sign, each in ADDEND.findall(found["offset"]))
    if (name := found["name"]) in constants:
        return str(factor * constants[name] + offset)
    return TemplateNumber(name, factor, offset, found["bare"] is not None, int(found["end"]) if found["end"] else None)


def number(text: str, constants: Mapping[str, int]) -> int:
    """A number, or a constant."""
    return int(text) if text.isdecimal() else constants[text]
