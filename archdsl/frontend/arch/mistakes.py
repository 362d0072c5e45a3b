"""Syntax errors in words: what stands there, what is missing, and what was probably meant.

Rows of a table, tried from the top: each knows one mistake. `tests/frontend/cases/mistakes.txt` shows them all.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import cached_property
from typing import NamedTuple

from lark import Token

from archdsl.errors import Diagnostic, Note, catalog, nearest
from archdsl.frontend.notation import LINE_WORDS, WORDS
from archdsl.frontend.text import Text

BRACKETS = {"(": ")", "[": "]"}
KINDS = {
    "INT": "a number",
    "DECIMAL": "a number",
    "SHAPE": "a shape",
    "QUANTITY": "an amount",
    "STRING": "a text in quotes",
    "DOCSTRING": "a docstring",
    "_NL": "the end of the line",
    "_INDENT": "an indented line",
    "_DEDENT": "the end of the indented lines",
    "$END": "the end of the text",
}
LONG_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{100,}")
WORD = re.compile(r"[A-Za-z_]\w*")
BEHIND = re.compile(r"(\w+|->|\.{3}|//|\*\*|[=!<>]=|\"[^\"\n]*\"|[^\w\s])\Z")
COMMENTS = re.compile(r"\s*(#[^\n]*)?(?=\n|\Z)")
OPERATORS = {"+", "-", "*", "/", "//", "%", "**", "==", "!=", "<=", ">=", "<", ">", "and", "or", "not", "if", "else"}
HALVES = {*OPERATORS, "->", "=", ":", ".", "...", "as", "in", "return", "extends"}
"""What something has to follow."""
ENDS = {"_NL", "$END", "_DEDENT", ")", "]", ",", ":", "="}
LINE_START = re.compile(r"(?:stage|output|input|expect|return|block|fn|backbone)\b(?!\s*[=,)\]])|\w+\s*:")
DEFINITIONS = ("block", "fn", "backbone", "import")
STATEMENTS = ("return", "for", "if")


class Said(NamedTuple):
    """What is said of a mistake; `start` and `end` where it is not what the parser stopped at."""

    label: str
    help: str = ""
    start: int | None = None
    end: int | None = None
    notes: tuple[Note, ...] = ()


class Fault:
    """Where the parser could not go on: what it found there, and what would have been possible."""

    def __init__(self, text: Text, at: int, token: Token | None, found: str, expected: Iterable[str]) -> None:
        self.text = text
        self.content = text.content
        self.at = at
        self.kind = token.type if token is not None else "" if found else "$END"
        self.found = found
        self.expected = frozenset(expected)

    @cached_property
    def code(self) -> str:
        """The text before, without blanks, line ends and comments at its end."""
        return without_comments(self.content[: self.at]).rstrip()

    @cached_property
    def last(self) -> str:
        """The word or sign before."""
        behind = BEHIND.search(self.code)
        return behind[1] if behind else ""

    @cached_property
    def line(self) -> str:
        """The line up to there."""
        return self.content[self.content.rfind("\n", 0, self.at) + 1 : self.at]

    @cached_property
    def rest(self) -> str:
        """The line from there on."""
        return self.content[self.at :].partition("\n")[0]

    @cached_property
    def first(self) -> str:
        """The first word of the line."""
        word = WORD.match((self.line + self.rest).lstrip())
        return word[0] if word else ""

    @cached_property
    def opened(self) -> tuple[str, int] | None:
        """The last bracket that is open, and its place."""
        return unclosed(self.content[: self.at])

    @cached_property
    def word(self) -> str:
        """The word that stands there."""
        found = WORD.match(self.content, self.at)
        return found[0] if found else ""

    @property
    def ends(self) -> bool:
        """Whether something ends here."""
        return self.kind in ENDS or self.found in ENDS

    @property
    def at_operand(self) -> bool:
        """Whether a value begins here, right behind another."""
        begins = bool(self.word) or self.kind in {"INT", "DECIMAL", "SHAPE", "QUANTITY", "STRING"} or self.found in BRACKETS
        ended = self.last[-1:].isalnum() or self.last.endswith(("_", '"')) or self.last in BRACKETS.values()
        return begins and ended and self.last not in HALVES

    @property
    def what(self) -> str:
        """What stands there, in words."""
        if self.kind == "NAME" or self.word:
            return f"`{self.word}`"
        return KINDS.get(self.kind) or (f"`{self.found}`" if self.found else "the end")

    def before(self, *signs: str) -> bool:
        """Whether one of these signs stands before."""
        return self.last in signs

    def place(self) -> tuple[int, int]:
        """Where the code before ends: one character."""
        return len(self.code) - 1, len(self.code)


def without_comments(text: str) -> str:
    """A text without the comments at its end."""
    lines = text.rstrip().split("\n")
    while lines:
        code = code_of(lines[-1])
        if code.strip():
            return "\n".join([*lines[:-1], code])
        lines.pop()
    return ""


def code_of(line: str) -> str:
    """A line without its comment."""
    quoted = re.match(r'(?:[^#"]|"[^"]*")*', line)
    return quoted[0] if quoted else line


def unclosed(content: str) -> tuple[str, int] | None:
    """The last bracket that is open at the end of a text, and its place."""
    stack: list[tuple[str, int]] = []
    for match in re.finditer(r'"""(?:.|\n)*?"""|"[^"\n]*"|#[^\n]*|[()\[\]]', content):
        char = match[0]
        if char in BRACKETS:
            stack.append((char, match.start()))
        elif stack and char == BRACKETS[stack[-1][0]]:
            stack.pop()
    return stack[-1] if stack else None


# ---- the rows --------------------------------------------------------------------------------------------------------

Row = Callable[[Fault], Said | None]


def bracket(fault: Fault) -> Said | None:
    """A bracket that is never closed, or never opened, or closed by the wrong sign."""
    if fault.opened is None:
        return Said(f"`{fault.found}` closes nothing", "remove it, or open it before") if fault.found in {")", "]"} else None
    sign, at = fault.opened
    closing = BRACKETS[sign]
    line, _ = fault.text.whole.source.position(fault.text.span(at, at + 1).start)
    if fault.found in {")", "]"} and fault.found != closing and not fault.before(*HALVES, ","):
        return Said(f"`{fault.found}` does not close the `{sign}` of line {line}", f"write `{closing}`")
    if fault.kind in {"_NL", "$END", "_DEDENT"}:
        return Said(f"the text ends while `{sign}` of line {line} is still open", f"close it with `{closing}`")
    if "\n" in fault.content[at : fault.at] and LINE_START.match((fault.line + fault.rest).lstrip()):
        start = fault.at - len(fault.line.lstrip())
        label = f"a new line begins here, while `{sign}` of line {line} is still open"
        note = Note(fault.text.span(at, at + 1), "opened here")
        return Said(label, f"close it with `{closing}`", start, start + len(fault.first), (note,))
    return None


def python(fault: Fault) -> Said | None:
    """What other languages write in another way."""
    for pattern, (label, help) in FOREIGN.items():
        if re.match(pattern, fault.rest):
            return Said(label, help)
    if fault.found == "*" and fault.before("(", ","):
        return Said("a list is spread with `...`", "write `...list`")
    if fault.last in KEYWORDS:
        start, end = fault.place()
        return Said(f"there is no `{fault.last}`", KEYWORDS[fault.last], end - len(fault.last), start + 1)
    if fault.word in KEYWORDS:
        return Said(f"there is no `{fault.word}`", KEYWORDS[fault.word])
    if fault.found in {"+", "-", "*", "//", "/"} and fault.rest[len(fault.found) :].startswith("="):
        name = fault.last
        return Said(f"there is no `{fault.found}=`", f"write `{name} = {name} {fault.found} ...`")
    if "//" in code_of(fault.line) and fault.at_operand and not fault.opened:
        at = fault.at - len(fault.line) + fault.line.index("//")
        return Said("`//` divides; it begins no comment", "a comment begins with `#`", at, at + 2)
    return None


FOREIGN: dict[str, tuple[str, str]] = {
    r"'": ("the language has no single quotes", "words such as `same` stand without quotes, a path in double quotes"),
    r"[“”‘’„]": ("these are no quotes of the language", 'a path stands in `"`, a docstring in `\"\"\"`'),
    r"[→⇒⟶]|=>": ("this is no arrow of the language", "write `->`"),
    r"–|—|−": ("this is no minus of the language", "write `-`"),
    r"×": ("this is no sign of the language", "write `x` in shapes, `*` elsewhere"),
    r";": ("`;` ends nothing", "begin a new line"),
    r"&&?": ("there is no `&`", "write `and`"),
    r"\|\|?": ("there is no `|` in expressions", "write `or`"),
    r"!(?!=)": ("there is no `!`", "write `not`"),
    r"\?": ("there is no `?`", "write `a if test else b`"),
    r"\\": ("lines do not go on behind a backslash", "they go on inside brackets, and with `->` at their beginning"),
    r"[{}]": ("there are no braces", "bodies are indented, lists stand in `[...]`"),
    r"@|\$|`|~|\^": ("this sign means nothing in the language", ""),
    r"\*\*\s*\w+": ("settings are passed on with `...`", "write `...args`"),
    r'"""': ("this docstring is never closed, or stands where none can", 'close it with `\"\"\"`'),
    r'"[^"\n]*$': ("this quote is never closed", 'close it with `"`'),
    r'"': ("a text in quotes has no place here", "words such as `same` stand without quotes"),
    r"\.\d": ("a decimal number begins with a digit", "write `0.5`"),
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


def reserved(fault: Fault) -> Said | None:
    """A word of the language in place of a name."""
    word = fault.last if fault.last in LINE_WORDS and fault.line.strip() == fault.last else ""
    if word and (fault.found in {"=", "."} or (fault.found == ":" and word != "expect")):
        return spelled_line(fault, word)
    if fault.word in WORDS and "NAME" in fault.expected and not fault.before(*OPERATORS):
        help = PYTHON_WORDS.get(fault.word, "take another name")
        return Said(f"`{fault.word}` is a word of the language, so it cannot be a name", help)
    return None


PYTHON_WORDS = {"True": "write `true`", "False": "write `false`", "None": "write `none`"}


def spelled_line(fault: Fault, word: str) -> Said:
    """A line that begins with a word such as `stage`, and goes on like one that sets or names something."""
    if word == "input" and fault.found == ":":
        return Said("no `:` belongs behind `input`", "write `input 3 x 224 x 224`")
    if word != "input" and fault.found == ":":
        return Said(f"`{word}` needs a name", f"write `{word} c2: ...`")
    return Said(f"`{word}` is a word of the language, and begins a line of its own kind", f"write `{LINES[word]}`")


LINES = {
    "input": "input 3 x 224 x 224",
    "stage": "stage c2 / 2: ...",
    "output": "output p3: ...",
    "expect": "expect: params <= 26M",
}


def misspelt(fault: Fault) -> Said | None:
    """A line that begins with almost a word of the language."""
    begun = fault.line.split()
    if len(begun) != 1 or not fault.word and fault.found != '"':
        return None
    known = DEFINITIONS if not fault.line[:1].isspace() else (*LINE_WORDS, *STATEMENTS)
    if fault.opened or not begun[0].isidentifier() or not (found := nearest(begun[0], known)):
        return None
    start = fault.at - len(fault.line.lstrip())
    return Said(f"no line begins with `{begun[0]}`", f"did you mean `{found[0]}`?", start, start + len(begun[0]))


def indentation(fault: Fault) -> Said | None:
    """Lines that are indented and should not be, or the other way round."""
    if fault.kind == "_INDENT":
        start = fault.at + len(fault.found) if fault.found.isspace() else fault.at
        head = without_comments(fault.code).rpartition("\n")[2]
        word = WORD.match(head.lstrip())
        if word and word[0] in {"block", "fn", "backbone", "for", "if", "elif", "else", "stage", "output"}:
            at, end = fault.place()
            wanted = "`:`" if word[0] not in {"block", "fn"} else "`=` or `:`"
            return Said(f"{wanted} is missing behind this line, which lines below belong to", "", at, end)
        return Said("this line is indented, but the one before it opens no body", "align it with the line before")
    if "_INDENT" in fault.expected and len(fault.expected) == 1 or fault.before(":") and "_INDENT" in fault.expected:
        return Said("the body of what begins above is missing", "indent its lines", *mark(fault))
    return None


def mark(fault: Fault) -> tuple[int, int]:
    """What stands there, or the sign before it, where that is the end of a line."""
    return fault.place() if fault.kind in {"_NL", "$END", "_DEDENT"} else (fault.at, fault.at + max(len(fault.found), 1))


def nothing(fault: Fault) -> Said | None:
    """A sign with nothing behind it, a comma too many."""
    if not fault.ends:
        return None
    start, end = fault.place()
    if fault.found == "," and (fault.before(",", "(", "[")):
        return Said("there is nothing before this comma", "remove it")
    if fault.before("->") and fault.kind in {"_NL", "$END"}:
        return Said("there is nothing behind this arrow", "an arrow begins a line: move it to the next one", end - 2, end)
    if fault.before(*HALVES) and fault.last != ":" and (fault.found not in {":", "="} or fault.last == "="):
        label = f"there is nothing behind `{fault.last}`"
        help = "an expression goes on inside brackets only" if fault.kind == "_NL" and fault.last in OPERATORS else ""
        return Said(label, help, end - len(fault.last), end)
    if fault.before(":") and fault.kind in {"_NL", "$END"}:
        return Said("there is nothing behind this `:`", "", start, end)
    return None


def otherwise(fault: Fault) -> Said | None:
    """An `if` without `else`."""
    if "_ELSE" in fault.expected and (fault.ends or fault.at_operand):
        return Said("`else` is missing: an `if` in an expression has two arms", "write `a if test else identity`", *mark(fault))
    return None


def swapped(fault: Fault) -> Said | None:
    """`=` for `:`, `:` for `=`, `=` for `==`."""
    if fault.found == "=" and "COMPARE" in fault.expected:
        return Said("`=` does not compare", "write `==`")
    if fault.found == "=" and "COLON" in fault.expected:
        return Said("`:` belongs here", f"write `{fault.line.strip()}: ...`")
    if fault.found == ":" and "COMPARE" in fault.expected and fault.first == "expect":
        return Said("a bound belongs here", f"write `{fault.last} == ...`, `<=` or `>=`")
    if fault.found == ":" and fault.opened and fault.opened[0] == "(":
        return Said("`=` belongs here", "an argument by name is `name = value`")
    if fault.found == ":" and "EQUAL" in fault.expected:
        return Said("`=` belongs here", f"write `{fault.line.strip()} = ...`")
    return None


def missing(fault: Fault) -> Said | None:
    """A sign between two things, or a name, that is not there."""
    if fault.first == "input" and fault.found in {",", "(", "["}:
        return Said("the sizes stand with `x` between them", "write `input 3 x 224 x 224`")
    if fault.first == "stage" and "COLON" in fault.expected and fault.found in {"//", "%"}:
        return Said(f"`{fault.found}` says nothing of a stage", "`/ 2` says that it halves the map")
    if fault.expected == {"STRING"}:
        return Said("an import is of a file, whose path stands in quotes", 'write `import "blocks.arch"`')
    if fault.expected == {"NAME"} and not fault.word:
        return Said(f"a name is missing behind `{fault.last}`", "", *mark(fault))
    if fault.at_operand and fault.opened:
        return Said("a comma or an operator is missing before this", "items and arguments have `,` between them")
    for kind, sign in (("COLON", ":"), ("EQUAL", "=")):
        if kind in fault.expected and "_ARROW" not in fault.expected and not fault.ends:
            return Said(f"`{sign}` is missing before this", MISSING.get(fault.first, "`name: block` is a section, `name = value` a setting"))
    return None


MISSING = {
    "stage": "write `stage NAME: block`, or `stage NAME / 2: block`",
    "output": "write `output NAME: block`",
    "expect": "write `expect: params <= 26M`",
    "block": "write `block NAME(...) = expression`, or `:` and lines below",
    "fn": "write `fn NAME(...) = expression`, or `:` and lines below",
    "backbone": "write `backbone NAME:`, and lines below",
    "if": "write `if test:`, and lines below",
    "elif": "write `elif test:`, and lines below",
    "else": "write `else:`, and lines below",
    "for": "write `for name in list:`, and lines below",
}


def out_of_place(fault: Fault) -> Said | None:
    """A word at the beginning of a line that has its place elsewhere."""
    begins = fault.word in MISPLACED and not fault.line.strip() and not fault.opened
    return Said(*MISPLACED[fault.word]) if begins else None


def unjoined(fault: Fault) -> Said | None:
    """Things in a row that do not go together."""
    if fault.found == "->" and not fault.code:
        return Said("there is nothing before this arrow", "a chain begins with a block")
    if fault.found == "," and not fault.opened:
        return Said("a comma stands between items and arguments only", "`->` puts one block behind another")
    if fault.kind == "COMPARE" or fault.found in {"<", ">"}:
        return Said("comparisons do not go on", "write `a < b and b < c`")
    if fault.at_operand and "_ARROW" in fault.expected:
        return Said("an operator is missing before this", "`->` puts one block behind another")
    if fault.ends and {"EQUAL", "DOT"} & fault.expected and fault.line.strip().isidentifier():
        return Said("a line of a name alone says nothing", "write `name = value`, `name: block` or `return value`", *mark(fault))
    return None


MISPLACED = {
    "import": ("imports come first, before the definitions", "move it to the top"),
    "archdsl": ("the edition comes first, before all else", "move it to the top"),
    "else": ("there is no `if` above to which this belongs", "align it with its `if`"),
    "elif": ("there is no `if` above to which this belongs", "align it with its `if`"),
    "return": ("`return` belongs in the body of a block or function", "a section is `name: block`"),
    "for": ("`for` belongs in the body of a block or function", "`3 * block` repeats a block"),
    "if": ("`if` belongs in the body of a block or function", "in an expression, write `a if test else b`"),
}

ROWS: tuple[Row, ...] = (
    bracket,
    python,
    out_of_place,
    reserved,
    misspelt,
    indentation,
    otherwise,
    swapped,
    nothing,
    missing,
    unjoined,
)


def describe(fault: Fault, end: int) -> Diagnostic:
    """The finding for what the parser could not read."""
    if found := LONG_NAME.match(fault.content, fault.at):
        return catalog.TOO_LARGE.at(fault.text.span(*found.span()), "a name has at most 100 letters")
    said = next(filter(None, (row(fault) for row in ROWS)), None) or Said(f"{fault.what} cannot stand here", hint(fault))
    start = fault.at if said.start is None else said.start
    place = fault.text.span(start, end if said.end is None else said.end)
    return catalog.SYNTAX.at(place, said.label, help=said.help, notes=said.notes)


def hint(fault: Fault) -> str:
    """What could stand here, where that is one thing."""
    signs = {"COLON": "`:`", "EQUAL": "`=`", "RPAR": "`)`", "RSQB": "`]`", "_IN": "`in`", "NAME": "a name", **KINDS}
    wanted = list(dict.fromkeys(signs[kind] for kind in sorted(fault.expected) if kind in signs))
    return f"{wanted[0]} is expected here" if len(wanted) == 1 and len(fault.expected) <= 3 else ""
