"""Numbers as they are written: their values, and which of them are refused."""

# lark does not tell the types of its tokens.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from lark import Token

from archdsl.errors import Span, catalog

LONGEST = 40
LEADING_ZERO = re.compile(r"0_*\d")
OCTAL = re.compile(r"[0-7]+")
Place = Callable[[Token], Span]
"""Gives the place of a token."""


def number(token: Token, kind: type[Any], place: Place) -> Any:
    """The value of a number's text, if it is of a size that anybody means."""
    exponent = token.lower().partition("e")[2].lstrip("+-")
    if len(token) > LONGEST or (exponent and int(exponent) > LONGEST):
        raise catalog.OUT_OF_RANGE.error(place(token), "this number has too many digits")
    check_start(token, place)
    return kind(token.replace("_", ""))


def check_start(token: Token, place: Place) -> None:
    """Raises for `017`, which some read as 17, others (YAML 1.1 among them) as 15."""
    if LEADING_ZERO.match(token):
        plain = re.sub(r"^[0_]+(?=\d)", "", token)
        octal = int(token, 8) if OCTAL.fullmatch(token) else 0
        help = f"write `{plain}`, or `{octal}` if it is octal" if octal > 7 else f"write `{plain}`"
        raise catalog.SYNTAX.error(place(token), "a number does not begin with `0`", help=help)
