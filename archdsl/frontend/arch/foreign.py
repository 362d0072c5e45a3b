"""What other languages write in another way: a table of signs and words, with what stands for them here."""

from __future__ import annotations

import re

from archdsl.frontend.arch.fault import Fault, Said, code_of


def foreign(fault: Fault) -> Said | None:
    """What other languages write in another way."""
    if fault.last == "import" and (found := BACKSLASHED.match(fault.rest)):
        return Said("the path of an import has no backslash", FOLDERS, fault.at, fault.at + found.end())
    for pattern, (label, help) in FOREIGN.items():
        if found := re.match(pattern, fault.rest):
            return Said(label, help, fault.at, fault.at + found.end())
    start, end = fault.place()
    if fault.opened is None and fault.last.isdigit() and (found := SIXTIETHS.match(fault.rest)):
        value = int(fault.last[:6]) * 60 + int(found[1])
        return Said("a number has no `:`", f"where YAML 1.1 would read {value}, write `{value}`")
    if fault.last == "0" and fault.at_operand and BASE.match(fault.rest):
        return Said("numbers are decimal", f"write it out: `0{fault.word}` is `{int('0' + fault.word, 0)}`", end - 1)
    if fault.found in MEANINGLESS:
        return Said(f"`{fault.found}` means nothing in the language")
    if fault.found == fault.last == "*":
        return Said("settings are passed on with `...`", "write `...args`", start, fault.at + 1)
    if fault.found == "*" and fault.before("(", ","):
        return Said("a list is spread with `...`", "write `...list`")
    if fault.last in KEYWORDS:
        return Said(f"there is no `{fault.last}`", KEYWORDS[fault.last], end - len(fault.last), end)
    if fault.word in KEYWORDS:
        return Said(f"there is no `{fault.word}`", KEYWORDS[fault.word])
    if fault.found in {"+", "-", "*", "//", "/"} and fault.rest[len(fault.found) :].startswith("="):
        label = f"there is no `{fault.found}=`"
        return Said(
            label, f"write `{fault.last} = {fault.last} {fault.found} ...`", fault.at, fault.at + len(fault.found) + 1
        )
    if "//" in code_of(fault.line) and fault.at_operand and not fault.opened:
        at = fault.at - len(fault.line) + fault.line.index("//")
        return Said("`//` divides; it begins no comment", "a comment begins with `#`", at, at + 2)
    return None


MEANINGLESS = set("@$`~^")
BACKSLASHED = re.compile(r'"[^"\\\n]*\\[^"\n]*"')
FOLDERS = "write `/` between folders"
SIXTIETHS = re.compile(r":([0-9]{1,2})\s*\Z")
BASE = re.compile(r"(?:o[0-7]{1,18}|b[01]{1,60}|x[0-9a-fA-F]{1,15})\b")


FOREIGN: dict[str, tuple[str, str]] = {
    r"'(?:[\w.-]*')?": (
        "the language has no single quotes",
        "words such as `same` stand without quotes, a path in double quotes",
    ),
    r"[\u2018\u2019\u201c-\u201e]": (
        "these are no quotes of the language",
        'a path stands in `"`, a docstring in `"""`',
    ),
    r"[→⇒⟶]|=>": ("this is no arrow of the language", "write `->`"),
    r"[\u2013\u2014\u2212]": ("this is no minus of the language", "write `-`"),
    r"[\u00ad\u200b-\u200f\u2060-\u2064\ufeff]+": ("there is a character here that nobody sees", "remove it"),
    r"[\u00a0\u2000-\u200a\u202f\u3000]+": ("this blank is none of the language", "write a space"),
    r"\u00d7": ("this is no sign of the language", "write `x` in shapes, `*` elsewhere"),
    r"~\s*$": ("`~` means nothing in the language", "write `none`"),
    r";": ("`;` ends nothing", "begin a new line"),
    r"&&?": ("there is no `&`", "write `and`"),
    r"\|\|?": ("there is no `|` in expressions", "write `or`"),
    r"!(?!=)": ("there is no `!`", "write `not`"),
    r"\?": ("there is no `?`", "write `a if test else b`"),
    r"\\": ("lines do not go on behind a backslash", "they go on inside brackets, and with `->` at their beginning"),
    r"[{}]": ("there are no braces", "bodies are indented, lists stand in `[...]`"),
    r"\*\*\s*\w+": ("settings are passed on with `...`", "write `...args`"),
    r'"""[^"]*"""': ("a docstring stands at the beginning", "move it above the other lines"),
    r'"""': ("this docstring is never closed", 'close it with `"""`'),
    r'"[^"\n]*$': ("this quote is never closed", 'close it with `"`'),
    r'"[^"\n]*"': ("a text in quotes has no place here", "numbers, and words such as `same`, stand without quotes"),
    r"//(?=\s*\w+\s+\w)": ("`//` divides; it begins no comment", "a comment begins with `#`"),
}


KEYWORDS = {
    "lambda": "give the function a name: `fn name(v) = ...`",
    "def": "write `block name(...)` for a block, `fn name(...)` for a function on values",
    "class": "write `backbone name:` for a network, `block name(...)` for a block",
    "from": 'write `import "file.arch"`',
    "while": "loops are `for name in list:`",
    "try": "a spec has no exceptions",
    "pass": "leave the line out",
    "let": "write `name = value`",
    "var": "write `name = value`",
    "const": "write `name = value`",
    "function": "write `fn name(...)`",
    "func": "write `fn name(...)`",
}
