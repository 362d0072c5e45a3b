"""What other languages write in another way: a table of signs and words, with what stands for them here."""

from __future__ import annotations

import re

from archdsl.frontend.arch.fault import Fault, Said, code_of


def foreign(fault: Fault) -> Said | None:
    """What other languages write in another way."""
    if fault.last == "import" and (found := BACKSLASHED.match(fault.rest)):
        return Said("an import's path has no backslashes", FOLDERS, fault.at, fault.at + found.end())
    for pattern, (label, help) in FOREIGN.items():
        if found := re.match(pattern, fault.rest):
            return Said(label, help, fault.at, fault.at + found.end())
    start, end = fault.place()
    if fault.opened is None and fault.last.isdigit() and (found := SIXTIETHS.match(fault.rest)):
        value = int(fault.last[:6]) * 60 + int(found[1])
        return Said("a number has no `:`", f"where YAML 1.1 would read {value}, write `{value}`")
    if fault.last == "0" and fault.at_operand and BASE.match(fault.rest):
        return Said("numbers are decimal", f"write it out: `0{fault.word}` is `{int('0' + fault.word, 0)}`", end - 1)
    if fault.last.isdigit() and fault.opened and (found := TIMES.match(fault.rest)):
        sizes = fault.last if fault.last == found[1] else f"[{fault.last}, {found[1]}]"
        start = end - len(fault.last)
        return Said("a size is one number, or a pair", f"write `{sizes}`", start, fault.at + found.end())
    if fault.found in MEANINGLESS:
        return Said(f"`{fault.found}` has no meaning here")
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
        return Said("`//` divides; it does not begin a comment", "a comment begins with `#`", at, at + 2)
    return None


MEANINGLESS = set("@$`~^")
BACKSLASHED = re.compile(r'"[^"\\\n]*\\[^"\n]*"')
FOLDERS = "write `/` between folders"
SIXTIETHS = re.compile(r":([0-9]{1,2})\s*\Z")
TIMES = re.compile(r"x([0-9]+)\b")
BASE = re.compile(r"(?:o[0-7]{1,18}|b[01]{1,60}|x[0-9a-fA-F]{1,15})\b")


FOREIGN: dict[str, tuple[str, str]] = {
    r"'(?:[\w.-]*')?": (
        "single quotes are not used here",
        "write words such as `same` without quotes, and a path in double quotes",
    ),
    r"[\u2018\u2019\u201c-\u201e]": (
        "these quotes are not used here",
        'a path goes in `"`, a docstring in `"""`',
    ),
    r"[→⇒⟶]|=>": ("this arrow is not used here", "write `->`"),
    r"[\u2013\u2014\u2212]": ("this minus is not used here", "write `-`"),
    r"[\u00a0\u2000-\u200a\u202f\u3000]+": ("this kind of space is not used here", "write an ordinary space"),
    r"\u00d7": ("this sign is not used here", "write `x` in shapes, `*` elsewhere"),
    r"~\s*$": ("`~` has no meaning here", "write `none`"),
    r";": ("`;` does not end a line here", "start a new line"),
    r"&&?": ("there is no `&`", "write `and`"),
    r"\|\|?": ("there is no `|` in expressions", "write `or`"),
    r"!(?!=)": ("there is no `!`", "write `not`"),
    r"\?": ("there is no `?`", "write `a if test else b`"),
    r"\\": (
        "a backslash does not continue a line",
        "lines continue inside brackets, and where the next one begins with `->`",
    ),
    r"[{}]": ("there are no braces", "bodies are indented, lists go in `[...]`"),
    r"\*\*\s*\w+": ("settings are passed on with `...`", "write `...args`"),
    r'"""[^"]*"""': ("a docstring comes first", "move it above the other lines"),
    r'"""': ("this docstring is never closed", 'close it with `"""`'),
    r'"[^"\n]*$': ("this quote is never closed", 'close it with `"`'),
    r'"[^"\n]*"': ("a quoted text does not belong here", "write numbers, and words such as `same`, without quotes"),
    r"//(?=\s*\w+\s+\w)": ("`//` divides; it does not begin a comment", "a comment begins with `#`"),
}


KEYWORDS = {
    "lambda": "give the function a name: `fn name(v) = ...`",
    "def": "write `block name(...)` for a block, `fn name(...)` for a function on values",
    "class": "write `backbone name:` for a network, `block name(...)` for a block",
    "from": 'write `import "file.arch"`',
    "while": "loops are `for name in list:`",
    "elsif": "write `elif`",
    "elseif": "write `elif`",
    "try": "a spec has no exceptions",
    "pass": "leave the line out",
    "let": "write `name = value`",
    "var": "write `name = value`",
    "const": "write `name = value`",
    "function": "write `fn name(...)`",
    "func": "write `fn name(...)`",
}
