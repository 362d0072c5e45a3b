"""Syntax errors in words: what stands there, what is missing, and what was probably meant.

Rows of a table, tried from the top: each knows one mistake. `tests/frontend/cases/mistakes.txt` shows them all.
"""

from __future__ import annotations

import re

from archdsl.errors import Diagnostic, Note, catalog
from archdsl.frontend.arch.doubled import doubled
from archdsl.frontend.arch.fault import BRACKETS, HALVES, KINDS, OPERATORS, Fault, Row, Said, mark
from archdsl.frontend.arch.foreign import foreign
from archdsl.frontend.arch.lines import (
    BODIES,
    LINE_START,
    MISSING,
    indentation,
    misspelt,
    out_of_place,
    reserved,
    sign_of,
)
from archdsl.frontend.arch.names import unnamed
from archdsl.frontend.arch.unreturned import unreturned
from archdsl.frontend.notation import NAME_HELP
from archdsl.lang.text.document import LONGEST_NAME

DECIMAL = re.compile(r"((?<![\w.])\d+\.)\Z")
REDUCED = re.compile(r"/[ \t]*\d+\Z")
TUPLE = re.compile(r"(?:[(,=+*/-]|->|\A)\s*\Z")
"""What stands before a parenthesis that calls nothing."""
ASSIGNMENT = re.compile(r"[A-Za-z_]\w*[ \t]*=(?!=)")
TYPED = re.compile(r"[(,]\s*(\w+)\s*:\Z")
UNIT = re.compile(r"[kKMGTP]?i?B?")
NUMBER = re.compile(r"[0-9][0-9_.]*\Z")
DIGITS = re.compile(r"[.\d]*")
NUMBERS = {"INT", "DECIMAL"}
LONG_NAME = re.compile(rf"[A-Za-z_][A-Za-z0-9_]{{{LONGEST_NAME},}}")


def bracket(fault: Fault) -> Said | None:
    """A bracket that is never closed, or never opened, or closed by the wrong sign."""
    if fault.opened is None:
        return (
            Said(f"`{fault.found}` closes no bracket", "remove it, or add the bracket that it closes")
            if fault.found in {")", "]"}
            else None
        )
    sign, at = fault.opened
    closing = BRACKETS[sign]
    line, _ = fault.text.whole.source.position(fault.text.span(at, at + 1).start)
    if fault.found in {")", "]"} and fault.found != closing and not fault.before(*HALVES, ","):
        return Said(f"`{fault.found}` does not close the `{sign}` of line {line}", f"write `{closing}`")
    if fault.kind in {"_NL", "$END", "_DEDENT"}:
        label = f"the text ends while `{sign}` of line {line} is still open"
        return Said(label, f"close it with `{closing}`", notes=(Note(fault.text.span(at, at + 1), "opened here"),))
    if "\n" in fault.content[at : fault.at] and begins_line(fault, at):
        start = fault.at - len(fault.line.lstrip())
        label = f"a new line begins here, while `{sign}` of line {line} is still open"
        note = Note(fault.text.span(at, at + 1), "opened here")
        return Said(label, f"close it with `{closing}`", start, start + len(fault.first), (note,))
    return None


def begins_line(fault: Fault, at: int) -> bool:
    """Whether a line of its own begins: by its first word, or as `name = value` no further in than where `(` stands."""
    line = fault.line + fault.rest
    opening = fault.content[fault.content.rfind("\n", 0, at) + 1 : at]
    no_deeper = margin(line) <= margin(opening) and not fault.line.strip()
    return bool(LINE_START.match(line.lstrip()) or (no_deeper and ASSIGNMENT.match(line.lstrip())))


def margin(line: str) -> int:
    """How far in a line begins."""
    return len(line) - len(line.lstrip())


def nothing(fault: Fault) -> Said | None:
    """A sign with nothing behind it, a comma too many."""
    if not fault.ends:
        return None
    start, end = fault.place()
    if fault.found == "," and (fault.before(",", "(", "[")):
        return Said("nothing comes before this comma", "remove it")
    if fault.found == "," and fault.opened and TUPLE.search(fault.content[: fault.opened[1]]):
        return Said("parentheses hold a single expression", "a list goes in `[...]`")
    if fault.before("->") and fault.kind in {"_NL", "$END"}:
        help = "move the arrow to the start of the next line" if fault.kind == "_NL" else ""
        return Said("nothing follows this arrow", help, end - 2, end)
    if fault.before(*HALVES) and fault.last != ":" and fault.found not in {":", "="}:
        label = f"nothing follows `{fault.last}`"
        help = (
            "an expression continues on the next line only inside brackets"
            if fault.kind == "_NL" and fault.last in OPERATORS
            else ""
        )
        return Said(label, help, end - len(fault.last), end)
    if fault.before(":") and fault.kind in {"_NL", "$END"}:
        return Said("nothing follows this `:`", "", start, end)
    return None


def otherwise(fault: Fault) -> Said | None:
    """An `if` without `else`."""
    if "_ELSE" in fault.expected and (fault.ends or fault.at_operand):
        return Said(
            "`else` is missing: an `if` in an expression needs both branches",
            "write `a if test else identity`",
            *mark(fault),
        )
    return None


def swapped(fault: Fault) -> Said | None:
    """`=` for `:`, `:` for `=`, `=` for `==`."""
    if fault.found == "=" and ({"COMPARE", "_ELSE"} & fault.expected or fault.first in {"if", "elif"}):
        return Said("`=` does not compare", "write `==`")
    if fault.found == "=" and "COLON" in fault.expected:
        return Said("`:` belongs here", MISSING.get(fault.first, f"write `{fault.line.strip()}: ...`"))
    if fault.found == ":" and "COMPARE" in fault.expected and fault.first == "expect":
        return Said("a bound belongs here", f"write `{fault.last} == ...`, `<=` or `>=`")
    if fault.found == ":" and fault.opened and is_index(fault, *fault.opened):
        return Said("a slice has no step", "write `x[1:3]`, `x[1:]` or `x[:3]`")
    if fault.found == ":" and fault.opened and fault.opened[0] == "(":
        return Said("`=` belongs here", "write a named argument as `name = value`")
    if fault.found == ":" and "EQUAL" in fault.expected:
        return Said("`=` belongs here", f"write `{fault.line.strip()} = ...`")
    return None


def is_index(fault: Fault, sign: str, at: int) -> bool:
    """Whether an open bracket is that of an index or a slice."""
    return sign == "[" and fault.content[at - 1 : at].isalnum()


def form_of_line(fault: Fault) -> Said | None:
    """A line that begins with a word of the language, and goes on in a form that such lines do not have."""
    if fault.first == "input" and fault.found in {",", "(", "["}:
        return Said("the sizes are separated by `x`", "write `input 3 x 224 x 224`")
    if fault.first == "stage" and fault.found in {"//", "/", "%"}:
        start = fault.at - (fault.last == "/")
        return Said(
            "a stage's reduction is written with `/`",
            "`/ 2` means that it halves the map",
            start,
            fault.at + len(fault.found),
        )
    if fault.first == "stage" and fault.expected == {"INT"}:
        return Said("the factor by which the stage reduces the map belongs here", "write it as a number, such as `/ 2`")
    if fault.first == "extends" and fault.line[:1].isspace():
        start = fault.at - len(fault.line.lstrip())
        help = f"write `backbone name extends {fault.word or 'parent'}:`"
        return Said("the parent belongs on the first line", help, start, start + len(fault.first))
    if fault.first == "archdsl":
        return Said("an edition is a whole number", "write `archdsl 1`")
    if fault.first == "fn" and fault.expected == {"LPAR"}:
        return Said("a function has parameters", f"write `fn {fault.last}(v) = ...`")
    if fault.first == fault.last == "else" and fault.word == "if":
        return Said("`else if` is one word", "write `elif`", fault.at - len(fault.line.lstrip()), fault.at + 2)
    if fault.expected == {"STRING"}:
        return Said("an import names a file, by its path in quotes", 'write `import "blocks.arch"`')
    if fault.first == "expect" and "COMPARE" in fault.expected and (fault.ends or fault.at_operand):
        start, end = len(fault.code) - len(fault.last), len(fault.code)
        return Said("a bound is missing after this figure", f"write `expect: {fault.last} == ...`", start, end)
    return None


def form_of_number(fault: Fault) -> Said | None:
    """A number that ends with its point, or a fraction where a stage reduces."""
    if fault.found == "." and REDUCED.search(fault.code) and "_ARROW" not in fault.expected:
        start, end = fault.at - len(fault.last), fault.at + len(DIGITS.match(fault.rest)[0])  # type: ignore[index]
        return Said("a stage's reduction is a whole number", "write it like `/ 2`", start, end)
    if DECIMAL.search(fault.code):
        end = len(fault.code)
        number = DECIMAL.split(fault.code)[-2]
        return Said("a decimal number ends with a digit", f"write `{number}0`", end - len(number), end)
    return None


def missing(fault: Fault) -> Said | None:
    """A sign between two things, or a name, that is not there."""
    if fault.expected == {"NAME"} and not fault.word and not fault.last:
        return Said("a name belongs here", NAME_HELP)
    if fault.expected == {"NAME"} and fault.last == ":" and (typed := TYPED.search(fault.code)):
        return Said("a type belongs after `:`", f"a default is written `{typed[1]} = {fault.found}`")
    if fault.expected == {"NAME"} and not fault.word:
        return Said(f"a name is missing after `{fault.last}`", "", *mark(fault))
    if fault.at_operand and fault.opened:
        return Said("a comma or an operator is missing before this", "items and arguments are separated by `,`")
    if {"COLON", "EQUAL"} & fault.expected and fault.kind in {"_NL", "$END"} and fault.first in BODIES:
        return Said(f"{sign_of(fault.first)} is missing at the end of this line", MISSING[fault.first], *fault.place())
    for kind, sign in (("COLON", ":"), ("EQUAL", "=")):
        if kind in fault.expected and "_ARROW" not in fault.expected and not fault.ends:
            help = MISSING.get(fault.first, "`name: block` is a section, `name = value` a setting")
            wanted = sign_of(fault.first) if fault.first in BODIES else f"`{sign}`"
            return Said(f"{wanted} is missing before this", help)
    return None


def unjoined(fault: Fault) -> Said | None:
    """Things in a row that do not go together."""
    if fault.found == "," and not fault.opened:
        return Said("a comma only separates items and arguments", "`->` chains one block after another")
    if fault.kind == "COMPARE" or fault.found in {"<", ">"}:
        return Said("comparisons cannot be chained", "write `a < b and b < c`")
    if fault.found == ".":
        return Said("a decimal number begins with a digit", "write `0.5`")
    if fault.at_operand and "_ARROW" in fault.expected and fault.word == "x":
        number = fault.last if fault.last.isdigit() else "3"
        return Said("a block is repeated with `*`, the number first", f"write `{number} * ...`")
    if fault.at_operand and "_ARROW" in fault.expected and fault.last.isidentifier() and fault.kind in NUMBERS:
        return Said("arguments go in parentheses", f"write `{fault.last}({fault.found})`")
    if fault.at_operand and "_ARROW" in fault.expected:
        return Said("an operator is missing before this", "`->` chains one block after another")
    if fault.ends and {"EQUAL", "DOT"} & fault.expected and fault.line.strip().isidentifier():
        label, help = "a name alone is not a statement", "write `name = value`, `name: block` or `return value`"
        return Said(label, help, len(fault.code) - len(fault.last), len(fault.code))
    if fault.word and not fault.line and fault.expected <= FILE_WORDS:
        return Said(
            "a file holds only imports and definitions", "these begin with `import`, `block`, `fn` or `backbone`"
        )
    return None


def amount(fault: Fault) -> Said | None:
    """What a figure cannot be held to."""
    number = NUMBER.search(fault.code)
    if number and fault.word and "_AT" in fault.expected and UNIT.fullmatch(fault.word):
        help = f"write `{number[0]}{fault.word}`"
        return Said("a unit directly follows its number", help, number.start(), fault.at + len(fault.word))
    if fault.last == "," and fault.kind in NUMBERS and fault.first == "expect":
        return Said("a comma starts the next figure", "a thousand is `1_000`")
    if fault.first == "expect" and fault.last == ":" and fault.kind in {*NUMBERS, "QUANTITY"}:
        return Said("the figure comes first", "write `expect: params >= ...`")
    if fault.expected == {"_BATCH"}:
        return Said("`batch` belongs here", "write `at batch 8`, or `at batch 8 fp16`", *mark(fault))
    if fault.kind == "COMPARE" and fault.expected <= {"DOT", "$END"}:
        return Said("a bound follows a `:`", f"write `{fault.line.strip()}: {fault.rest.strip()}`")
    if "QUANTITY" in fault.expected:
        help = "write it as `25_028_904`, `4.3G` or `200MB`, the shape of a section as `64x56x56`"
        return Said("an amount belongs here", help, *mark(fault))
    return None


FILE_WORDS = {"_ARCHDSL", "_IMPORT", "_BLOCK", "_FN", "_BACKBONE", "$END", "_NL"}


ROWS: tuple[Row, ...] = (
    bracket,
    doubled,
    foreign,
    unnamed,
    indentation,
    out_of_place,
    unreturned,
    reserved,
    misspelt,
    swapped,
    amount,
    otherwise,
    form_of_line,
    form_of_number,
    missing,
    nothing,
    unjoined,
)


def describe(fault: Fault, end: int) -> Diagnostic:
    """The finding for what the parser could not read."""
    if found := LONG_NAME.match(fault.content, fault.at):
        return catalog.TOO_LARGE.at(fault.text.span(*found.span()), f"a name has at most {LONGEST_NAME} characters")
    said = next(filter(None, (row(fault) for row in ROWS)), None) or Said(
        f"{fault.what} is not allowed here", hint(fault)
    )
    start = fault.at if said.start is None else said.start
    end = max(end, start, fault.at + len(fault.word))
    place = fault.text.span(start, end if said.end is None else said.end)
    return catalog.SYNTAX.at(place, said.label, help=said.help, notes=said.notes)


def hint(fault: Fault) -> str:
    """What could stand here, where that is one thing."""
    signs = {
        "COLON": "`:`",
        "EQUAL": "`=`",
        "RPAR": "`)`",
        "RSQB": "`]`",
        "_IN": "`in`",
        "NAME": "a name",
        **KINDS,
        "SHAPE": KINDS["INT"],
    }
    wanted = list(dict.fromkeys(signs[kind] for kind in sorted(fault.expected) if kind in signs))
    return f"{wanted[0]} is expected here" if len(wanted) == 1 and len(fault.expected) <= 3 else ""
