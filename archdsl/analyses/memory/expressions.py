"""Expressions of an emitted `forward`, as far as they tell how long a value lives: who reads it, and how long they are.

The emitter folds values into the expressions that read them where a line stays short, so the length of the text
decides between a variable, which lives on, and a value inside an expression, which does not.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from archdsl.graph import Step

PLACE = re.compile(r"\{(\w+)\}")
WIDTH = 100
DEEPEST = 5
FEW = 3
"""The emitter's limits: columns of a line, calls inside each other, tensors of a list in one line."""


class Expression(NamedTuple):
    """A value as it is written: a variable, an element, a list, or a step on operands.

    `text` is what the emitter writes, but for the names of an op's settings.
    """

    text: str
    operands: tuple[Expression, ...] = ()
    step: Step | None = None
    variable: str = ""
    at: int | None = None
    items: bool = False
    """Whether it is a list of its operands."""
    spread: tuple[bool, ...] = ()
    depth: int = 0

    @property
    def plain(self) -> bool:
        """Whether it is a variable, or an element of one."""
        return bool(self.variable) or (self.at is not None and self.operands[0].plain)

    @property
    def reads(self) -> frozenset[str]:
        """The variables in it."""
        own = {self.variable} if self.variable else set[str]()
        return frozenset(own.union(*(each.reads for each in self.operands)))


def variable(name: str) -> Expression:
    """A variable."""
    return Expression(name, variable=name)


def element(value: Expression, index: int) -> Expression:
    """One tensor of a list."""
    return Expression(f"{value.text}[{index}]", (value,), at=index, depth=value.depth)


def display(parts: list[tuple[Expression, bool]]) -> Expression:
    """A list of tensors and, where the flag is set, of all tensors of lists."""
    texts = ", ".join(part.text for part, _ in parts)
    depth = max((part.depth for part, _ in parts), default=0)
    return Expression(
        f"[{texts}]", tuple(part for part, _ in parts), items=True, spread=tuple(flag for _, flag in parts), depth=depth
    )


def applied(step: Step, text: str, operands: list[Expression]) -> Expression:
    """A step on its operands."""
    depth = max((each.depth for each in operands), default=0) + 1
    return Expression(text, tuple(operands), step, depth=depth)


def filled(template: str, operand: Expression, tensors: list[str], facts: dict[str, object]) -> str:
    """A function's text."""

    def place(match: re.Match[str]) -> str:
        word = match[1]
        if word == "sum":
            return " + ".join(tensors)
        if word == "product":
            return " * ".join(tensors)
        return operand.text if word == "x" else tensors[int(word)] if word.isdigit() else str(facts[word])

    return PLACE.sub(place, template)
