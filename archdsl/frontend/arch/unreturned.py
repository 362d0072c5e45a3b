"""A line of a body that is an expression: nothing takes its value, and in the last line a `return` was meant."""

from __future__ import annotations

from archdsl.errors import ArchError, Source
from archdsl.frontend.arch.fault import Fault, Said, code_of, unclosed
from archdsl.frontend.arch.recovery import leading_blanks
from archdsl.frontend.text import Text

BEHIND_NAME = {"COMMA", "EQUAL"}
"""What goes on behind the name that a line of a body begins with; in a backbone, more does."""
LONGEST = 60


def unreturned(fault: Fault) -> Said | None:
    """An expression that is neither named nor returned."""
    begins = "_RETURN" in fault.expected and not fault.line.strip()
    if fault.opened or not (begins or fault.expected == BEHIND_NAME):
        return None
    start = fault.at - len(fault.line.lstrip())
    if fault.kind in {"_NL", "$END"}:
        start = fault.content.rfind("\n", 0, len(fault.code)) + 1
        start += leading_blanks(fault.content[start:])
    lines = statement(fault.content[start:])
    if not is_expression("\n".join(lines)):
        return None
    before, first = fault.content[: start + len(lines[0])].split("\n"), code_of(lines[0]).rstrip()
    end = start + len(first)
    if not is_last(before[-1], fault.content[start:].split("\n")[len(lines) :]) or is_in_loop(before):
        return Said("this is neither named nor returned", "write `name = ...`, or remove it", start, end)
    help = f"write `return {first}`" if len(lines) == 1 and len(first) <= LONGEST else "write `return` before it"
    return Said("`return` is missing before this", help, start, end)


def statement(text: str) -> list[str]:
    """The lines of the statement that a text begins with."""
    lines = text.split("\n")
    for count in range(1, len(lines)):
        if not lines[count].lstrip().startswith("->") and unclosed("\n".join(lines[:count])) is None:
            return lines[:count]
    return lines


def is_expression(text: str) -> bool:
    """Whether a text can be read as one."""
    from archdsl.frontend.arch.parser import parse

    try:
        parse(Text.of(Source("", text)), "expression")
    except ArchError:
        return False
    return True


def is_last(line: str, below: list[str]) -> bool:
    """Whether a line is the last of its body."""
    after = next((code for each in below if (code := code_of(each)).strip()), "")
    return not after or leading_blanks(after) < leading_blanks(line)


def is_in_loop(lines: list[str]) -> bool:
    """Whether the last of some lines stands right in the body of a `for`."""
    *above, last = lines
    heads = (each for each in reversed(above) if code_of(each).strip() and leading_blanks(each) < leading_blanks(last))
    return next(heads, "").lstrip().startswith("for ")
