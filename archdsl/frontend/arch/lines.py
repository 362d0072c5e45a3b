"""Mistakes at the beginning of a line, or between lines: its first word, and its indentation."""

from __future__ import annotations

import re

from archdsl.errors import nearest
from archdsl.frontend.arch.fault import OPERATORS, WORD, Fault, Said, mark, without_comments
from archdsl.frontend.notation import LINE_WORDS, RESERVED

LINE_START = re.compile(r"(?:stage|output|input|expect|return|block|fn|backbone)\b(?!\s*[=,)\]])|\w+\s*:")
DEFINITIONS = ("block", "fn", "backbone", "import")
LINES_AND_STATEMENTS = (*LINE_WORDS, "return")
BODIES = ("block", "fn", "backbone", "for", "if", "elif", "else")


MISSING = {
    "stage": "write `stage c2: block`, or `stage c2 / 2: block`",
    "output": "write `output p3: block`",
    "expect": "write `expect: params <= 26M`",
    "block": "write `block name(...) = expression`, or `:` and indented lines below it",
    "fn": "write `fn name(...) = expression`, or `:` and indented lines below it",
    "backbone": "write `backbone name:`, and indented lines below it",
    "if": "write `if test:`, and indented lines below it",
    "elif": "write `elif test:`, and indented lines below it",
    "else": "write `else:`, and indented lines below it",
    "for": "write `for name in list:`, and indented lines below it",
}


def sign_of(word: str) -> str:
    """What the first line of something ends with."""
    return "`=` or `:`" if word in {"block", "fn"} else "`:`"


def reserved(fault: Fault) -> Said | None:
    """A word of the language in place of a name."""
    word = fault.last if fault.last in LINE_WORDS and fault.line.strip() == fault.last else ""
    if word and (fault.found in {"=", "."} or (fault.found == ":" and word != "expect")):
        return spelled_line(fault, word)
    if fault.word in RESERVED and "NAME" in fault.expected and not fault.before(*OPERATORS):
        help = PYTHON_WORDS.get(fault.word, "choose another name")
        return Said(f"`{fault.word}` is a reserved word, so it cannot be a name", help)
    return None


PYTHON_WORDS = {"True": "write `true`", "False": "write `false`", "None": "write `none`"}


def spelled_line(fault: Fault, word: str) -> Said:
    """A line that begins with a word such as `stage`, and goes on like one that sets or names something."""
    if word == "input" and fault.found == ":":
        return Said("`input` takes no `:`", "write `input 3 x 224 x 224`")
    if word != "input" and fault.found == ":":
        return Said(f"`{word}` needs a name", f"write `{word} c2: ...`")
    return Said(f"`{word}` is a reserved word that begins a line of its own kind", f"write `{LINES[word]}`")


LINES = {
    "input": "input 3 x 224 x 224",
    "stage": "stage c2 / 2: ...",
    "output": "output p3: ...",
    "expect": "expect: params <= 26M",
}


def misspelt(fault: Fault) -> Said | None:
    """A line that begins with almost a word of the language, and goes on like one that does."""
    begun = WORD.match((fault.line + fault.rest).lstrip())
    if fault.opened or begun is None or fault.line.strip() not in {"", begun[0]} or begun[0] in GOES_ON:
        return None
    start = fault.at - len(fault.line.lstrip())
    known = DEFINITIONS if start == 0 or fault.content[start - 1] == "\n" else LINES_AND_STATEMENTS
    likely = nearest(begun[0], known)
    if not likely or not re.match(GOES_ON[likely[0]], fault.content[start + len(begun[0]) :]):
        return None
    label = f"no line can begin with `{begun[0]}`"
    return Said(label, f"did you mean `{likely[0]}`?", start, start + len(begun[0]))


GOES_ON = {
    "stage": r"[ \t]+\w+[ \t]*(?:/[ \t]*\w+[ \t]*)?:",
    "output": r"[ \t]+\w+[^\n:]*:",
    "input": r"[ \t]+\d",
    "expect": r"[ \t]*:?[ \t]*\w+[ \t]*[=<>!]",
    "return": r"[ \t]+\w",
    "block": r"[ \t]+\w",
    "fn": r"[ \t]+\w+\(",
    "backbone": r"[ \t]+\w",
    "import": r"[ \t]+\"",
}
"""How lines go on that begin with these words."""


def indentation(fault: Fault) -> Said | None:
    """Lines that are indented and should not be, or the other way round."""
    above = without_comments(fault.code).rpartition("\n")[2]
    word = WORD.match(above.lstrip())
    has_body = word is not None and word[0] in BODIES
    at, end = fault.place()
    if fault.kind == "_INDENT":
        if has_body and word and fault.last not in {"=", ":"}:
            return Said(f"{sign_of(word[0])} is missing at the end of this line", MISSING[word[0]], at, end)
        code = NEXT_CODE.match(fault.content, fault.at)
        start, stop = (code.start(1), code.end(1)) if code else (at, end)
        tab = ", as a tab counts as 8 spaces" if "\t" in fault.content[start:stop] else ""
        label = f"this line is indented further than the one before{tab}"
        return Said(label, "align it with the line before", start, stop)
    if fault.kind == "_DEDENT" and fault.code.endswith('"""'):
        return Said("a body is missing after this docstring", "it ends with `return ...`", end - 3, end)
    if "_INDENT" not in fault.expected or fault.last not in {"=", ":"}:
        return None
    if has_body and fault.last == ":":
        return Said("indented lines belong here, below the line above", "indent them", *mark(fault))
    return Said(f"nothing follows this `{fault.last}`", "", at, end)


NEXT_CODE = re.compile(r"(?:\s*\n|[ \t]*#[^\n]*\n)*([ \t]*)")


def out_of_place(fault: Fault) -> Said | None:
    """A word at the beginning of a line that has its place elsewhere."""
    if fault.found == "->" and (fault.last in {"", ":", "="}):
        return Said("nothing comes before this arrow", "a chain begins with a block")
    if fault.opened or fault.last == "=" or (fault.line.strip() and fault.line.strip() != fault.first):
        return None
    if fault.line[:1].isspace() and fault.first in {"block", "fn", "backbone"} and fault.last == fault.first:
        start = fault.at - len(fault.line.lstrip())
        label = "a definition starts at the left margin, not inside another one"
        return Said(label, "do not indent it", start, start + len(fault.first))
    named = AS_NAME.match(fault.rest[len(fault.word) :]) and not fault.rest.startswith("else:")
    if fault.word in MISPLACED and not fault.line.strip() and not named:
        return Said(*MISPLACED[fault.word])
    return None


AS_NAME = re.compile(r"\s*(?:[:=/.]|\Z)")
"""What follows a word that was meant as a name."""


MISPLACED = {
    "import": ("imports come first, before the definitions", "move it to the top"),
    "archdsl": ("the edition comes first, before everything else", "move it to the top"),
    "else": ("there is no `if` above that this belongs to", "align it with its `if`"),
    "elif": ("there is no `if` above that this belongs to", "align it with its `if`"),
    "return": ("`return` belongs in the body of a block or function", "a section is `name: block`"),
    "for": ("`for` belongs in the body of a block or function", "`3 * block` repeats a block"),
    "if": ("`if` belongs in the body of a block or function", "in an expression, write `a if test else b`"),
}
