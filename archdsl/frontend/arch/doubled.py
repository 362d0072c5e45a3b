"""Two signs in a row where one was meant, or one that a blank has cut in two."""

from __future__ import annotations

import re

from archdsl.frontend.arch.fault import OPERATORS, Fault, Said

SIGNS = (OPERATORS | {"->"}) - {"if", "else", "not", "-"}
"""What stands between two values; `-` stands before one, too."""
CUT = re.compile(r"([=!<>])[ \t]+=(?!=)")
ARROWS = re.compile(r"->\s*->\Z")
JOINED = {"->", "<=", ">=", "!=", "//", "**"}


def doubled(fault: Fault) -> Said | None:
    """An operator behind an operator."""
    if ARROWS.search(fault.content[: fault.at + 1]):
        return Said("`->` is written twice", "remove one of the two", fault.at - 1, fault.at + 1)
    if fault.first == "stage" and ":" not in fault.line:
        return None
    if cut := CUT.match(fault.rest):
        if fault.last not in OPERATORS and fault.opened is None:
            return joined(f"{cut[1]}=", fault.at, fault.at + cut.end())
        return None
    last, start = fault.last, len(fault.code) - len(fault.last)
    if (
        last + fault.found in JOINED
        and fault.content[start + len(last) : fault.at].isspace()
        and has_left(fault, start)
    ):
        return joined(last + fault.found, start, fault.at + len(fault.found))
    if fault.found not in SIGNS or last not in SIGNS | {"-"}:
        return None
    if not has_left(fault, start):
        return None
    if fault.found == last:
        return Said(f"`{last}` is written twice", "remove one of the two", fault.at, fault.at + len(last))
    label = f"a value is missing between `{last}` and `{fault.found}`"
    return Said(label, "remove one of the two", fault.at, fault.at + len(fault.found))


def has_left(fault: Fault, start: int) -> bool:
    """Whether a value stands before a sign."""
    return fault.content[:start].rstrip()[-1:].isalnum() or fault.content[:start].rstrip().endswith((")", "]", "_"))


def joined(sign: str, start: int, end: int) -> Said:
    """A sign with a blank inside."""
    return Said(f"`{sign}` is written without a space inside", f"write `{sign}`", start, end)
