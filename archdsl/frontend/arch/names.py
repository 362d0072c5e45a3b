"""What stands where a name belongs, and is none: letters of other alphabets, dashes, dots, the name of a file."""

from __future__ import annotations

import re

from archdsl.frontend.arch.fault import Fault, Said
from archdsl.frontend.notation import NAME_HELP, SUFFIXES

BEFORE = re.compile(r"[\w.-]*\Z")
BEHIND = re.compile(r"[\w.-]*")
NAMES = re.compile(r"\bas[ \t]+\Z")
"""What stands before a name behind which an expression may go on."""
TRAINING = re.compile(r"if\b[^:\n]*[^:\s]")


def unnamed(fault: Fault) -> Said | None:
    """A name with signs or letters that names do not have."""
    if fault.word == "if" and "IF_TRAINING" in fault.expected:
        written = TRAINING.match(fault.rest)
        stop = fault.at + (written.end() if written else 2)
        label = "an output exists always, or in training only"
        return Said(label, f"write `{fault.last} if training`", fault.at, stop)
    before, behind = BEFORE.search(fault.line), BEHIND.match(fault.rest)
    if before is None or behind is None:
        return None
    name = before[0] + behind[0]
    foreign = fault.found.isalpha() and not fault.found.isascii()
    joined = fault.found in {"-", "."} and before[0].isidentifier() and behind[0][1:2].isalnum()
    begins_with_name = "_ARROW" not in fault.expected or NAMES.search(fault.line, 0, len(fault.line) - len(before[0]))
    if not foreign and not (joined and begins_with_name):
        return None
    start, stop = fault.at - len(before[0]), fault.at + behind.end()
    stem, dot, ending = name.rpartition(".")
    if dot + ending in SUFFIXES:
        return Said("a backbone is named by its name, not by its file", f"write `{stem}`", start, stop)
    return Said(f"`{name}` is not a name", NAME_HELP, start, stop)
