"""How operators bind: a row of operands with signs between and before them becomes nested expressions."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from lark import Token, UnexpectedToken

from archdsl.frontend.text import Text
from archdsl.lang.text import syntax as ast

INFIX = {
    "OR": 1,
    "AND": 2,
    "COMPARE": 4,
    "PLUS": 5,
    "MINUS": 5,
    "STAR": 6,
    "DIVIDE": 6,
    "POWER": 8,
}
"""The higher, the tighter. Equal ones bind from the left, but for `POWER`, which binds from the right."""
PREFIX = {"NOT": 3, "MINUS": 7}
BEHIND = {sign: binding + 1 for sign, binding in INFIX.items()} | {"POWER": PREFIX["MINUS"]}
"""How tightly what stands to the right of a sign has to bind: `2 ** -n` is a power."""
NO_COMPARISON = {"_ARROW", *INFIX} - {"COMPARE"}
NO_PREFIX = {"NAME", "INT", "DECIMAL", "LPAR", "LSQB"}
"""What can stand where a second comparison, or a `not` behind a sign that binds tighter, cannot."""


class Operand(NamedTuple):
    """An expression, and where it starts and ends with the brackets around it."""

    value: ast.Expression
    start: int
    end: int


def combined(text: Text, parts: Iterable[Operand | Token]) -> ast.Expression:
    """What a row of operands and signs says; raises lark's UnexpectedToken for a sign that cannot stand where it does.

    It goes as deep as there are signs: the caller has counted them.
    """
    return Row(text, parts).from_here(0).value


class Row:
    """The operands and signs that are left, the first of them last."""

    def __init__(self, text: Text, parts: Iterable[Operand | Token]) -> None:
        self.text = text
        self.left = [*parts][::-1]

    def from_here(self, least: int) -> Operand:
        """As much of the row as signs that bind at least so tightly hold together."""
        found = self.operand(least)
        while self.left and INFIX[(sign := self.sign()).type] >= least:
            self.left.pop()
            right = self.from_here(BEHIND[sign.type])
            span = self.text.span(found.start, right.end)
            value = ast.Binary(span, False, str(sign), found.value, right.value)
            found = Operand(value, found.start, right.end)
            if sign.type == "COMPARE" and self.left and self.sign().type == "COMPARE":
                raise UnexpectedToken(self.sign(), NO_COMPARISON)
        return found

    def operand(self, least: int) -> Operand:
        """The next operand, with the signs before it."""
        first = self.left.pop()
        if isinstance(first, Operand):
            return first
        if PREFIX[first.type] < least:
            raise UnexpectedToken(first, NO_PREFIX)
        inner = self.from_here(PREFIX[first.type])
        assert first.start_pos is not None
        value = ast.Unary(self.text.span(first.start_pos, inner.end), False, str(first), inner.value)
        return Operand(value, first.start_pos, inner.end)

    def sign(self) -> Token:
        """The sign that comes next."""
        sign = self.left[-1]
        assert isinstance(sign, Token)
        return sign
