"""Syntax errors in words: what stands there, what is missing, and what was probably meant.

Rows of a table, tried from the top: each knows one mistake. `tests/frontend/cases/mistakes.txt` shows them all.
"""

from __future__ import annotations

import re

from archdsl.diagnostics import ArchError, Diagnostic, Note, Source, catalog, nearest
from archdsl.syntax.detect_format import LINE_WORDS, NAME_HELP, RESERVED, SUFFIXES
from archdsl.syntax.document import LONGEST_NAME
from archdsl.syntax.error_context import (
    BRACKETS,
    HALVES,
    KINDS,
    OPERATORS,
    WORD,
    ErrorContext,
    Row,
    Said,
    code_of,
    mark,
    unclosed,
    without_comments,
)
from archdsl.syntax.located_text import LocatedText
from archdsl.syntax.recovery import leading_blanks

BEFORE = re.compile(r"[\w.-]*\Z")
BEHIND = re.compile(r"[\w.-]*")
NAMES = re.compile(r"\bas[ \t]+\Z")
"""What stands before a name behind which an expression may go on."""
TRAINING = re.compile(r"if\b[^:\n]*[^:\s]")


def unnamed(fault: ErrorContext) -> Said | None:
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


def reserved(fault: ErrorContext) -> Said | None:
    """A word of the language in place of a name."""
    word = fault.last if fault.last in LINE_WORDS and fault.line.strip() == fault.last else ""
    if word and (fault.found in {"=", "."} or (fault.found == ":" and word != "expect")):
        return spelled_line(fault, word)
    if fault.word in RESERVED and "NAME" in fault.expected and not fault.before(*OPERATORS):
        help = PYTHON_WORDS.get(fault.word, "choose another name")
        return Said(f"`{fault.word}` is a reserved word, so it cannot be a name", help)
    return None


PYTHON_WORDS = {"True": "write `true`", "False": "write `false`", "None": "write `none`"}


def spelled_line(fault: ErrorContext, word: str) -> Said:
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


def misspelt(fault: ErrorContext) -> Said | None:
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


def indentation(fault: ErrorContext) -> Said | None:
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


def out_of_place(fault: ErrorContext) -> Said | None:
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


def foreign(fault: ErrorContext) -> Said | None:
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


SIGNS = (OPERATORS | {"->"}) - {"if", "else", "not", "-"}
"""What stands between two values; `-` stands before one, too."""
CUT = re.compile(r"([=!<>])[ \t]+=(?!=)")
ARROWS = re.compile(r"->\s*->\Z")
JOINED = {"->", "<=", ">=", "!=", "//", "**"}


def doubled(fault: ErrorContext) -> Said | None:
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


def has_left(fault: ErrorContext, start: int) -> bool:
    """Whether a value stands before a sign."""
    return fault.content[:start].rstrip()[-1:].isalnum() or fault.content[:start].rstrip().endswith((")", "]", "_"))


def joined(sign: str, start: int, end: int) -> Said:
    """A sign with a blank inside."""
    return Said(f"`{sign}` is written without a space inside", f"write `{sign}`", start, end)


BEHIND_NAME = {"COMMA", "EQUAL"}
"""What goes on behind the name that a line of a body begins with; in a backbone, more does."""
LONGEST = 60


def unreturned(fault: ErrorContext) -> Said | None:
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
    from archdsl.syntax.parser import parse

    try:
        parse(LocatedText.of(Source("", text)), "expression")
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


def bracket(fault: ErrorContext) -> Said | None:
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


def begins_line(fault: ErrorContext, at: int) -> bool:
    """Whether a line of its own begins: by its first word, or as `name = value` no further in than where `(` stands."""
    line = fault.line + fault.rest
    opening = fault.content[fault.content.rfind("\n", 0, at) + 1 : at]
    no_deeper = margin(line) <= margin(opening) and not fault.line.strip()
    return bool(LINE_START.match(line.lstrip()) or (no_deeper and ASSIGNMENT.match(line.lstrip())))


def margin(line: str) -> int:
    """How far in a line begins."""
    return len(line) - len(line.lstrip())


def nothing(fault: ErrorContext) -> Said | None:
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


def otherwise(fault: ErrorContext) -> Said | None:
    """An `if` without `else`."""
    if "_ELSE" in fault.expected and (fault.ends or fault.at_operand):
        return Said(
            "`else` is missing: an `if` in an expression needs both branches",
            "write `a if test else identity`",
            *mark(fault),
        )
    return None


def swapped(fault: ErrorContext) -> Said | None:
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


def is_index(fault: ErrorContext, sign: str, at: int) -> bool:
    """Whether an open bracket is that of an index or a slice."""
    return sign == "[" and fault.content[at - 1 : at].isalnum()


def form_of_line(fault: ErrorContext) -> Said | None:
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


def form_of_number(fault: ErrorContext) -> Said | None:
    """A number that ends with its point, or a fraction where a stage reduces."""
    if fault.found == "." and REDUCED.search(fault.code) and "_ARROW" not in fault.expected:
        start, end = fault.at - len(fault.last), fault.at + len(DIGITS.match(fault.rest)[0])  # type: ignore[index]
        return Said("a stage's reduction is a whole number", "write it like `/ 2`", start, end)
    if DECIMAL.search(fault.code):
        end = len(fault.code)
        number = DECIMAL.split(fault.code)[-2]
        return Said("a decimal number ends with a digit", f"write `{number}0`", end - len(number), end)
    return None


def missing(fault: ErrorContext) -> Said | None:
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


def unjoined(fault: ErrorContext) -> Said | None:
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


def amount(fault: ErrorContext) -> Said | None:
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


def describe(fault: ErrorContext, end: int) -> Diagnostic:
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


def hint(fault: ErrorContext) -> str:
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
