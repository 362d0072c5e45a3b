"""Messages for syntax errors: the first row of `grammar/mistakes.txt` that fits where the parser stopped."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import NamedTuple

from archdsl.diagnostics import Diagnostic, Note, catalog, nearest
from archdsl.resources import folder
from archdsl.syntax.detect_format import LINE_WORDS
from archdsl.syntax.elements import LONGEST_NAME
from archdsl.syntax.error_context import BRACKETS, HALVES, KINDS, OPERATORS, WORD, ErrorContext, code_of, unclosed
from archdsl.syntax.recovery import leading_blanks


class Message(NamedTuple):
    """A sentence with its help and its place; without an `end`, the place ends with the token."""

    label: str
    help: str
    start: int
    end: int | None = None
    notes: tuple[Note, ...] = ()


class Condition(NamedTuple):
    """One of the facts holds; if `negated`, none; if `only`, no terminal but these can follow."""

    facts: frozenset[str]
    negated: bool
    only: bool

    def holds(self, error: ErrorContext) -> bool:
        """Check the condition for an error."""
        if self.only:
            return bool(error.expected) and error.expected <= self.facts
        return self.facts.isdisjoint(error.facts) == self.negated


def condition(text: str) -> Condition:
    """Read a condition: `A`, `A|B`, `no A` or `only A`."""
    facts = text.removeprefix("no ").removeprefix("only ")
    return Condition(frozenset(facts.split("|")), text.startswith("no "), text.startswith("only "))


class SyntaxMistake(NamedTuple):
    """A row of the table. Its keys are `help`, `when`, `given`, `place`, `computed` and `rule`."""

    label: str
    keys: Mapping[str, str]
    conditions: tuple[Condition, ...]
    example: str

    def message(self, error: ErrorContext) -> Message | None:
        """The message for an error, if the row fits it."""
        if not all(each.holds(error) for each in self.conditions):
            return None
        if name := self.keys.get("computed"):
            return COMPUTED[name](error)
        found = match_around(self.keys.get("when", "«"), error)
        if found is None:
            return None
        start, end, groups = found
        if name := self.keys.get("place"):
            start, end = PLACES[name](error)
        values = MessageValues(error, groups, error.content[start:end])
        return Message(self.label.format_map(values), self.keys.get("help", "").format_map(values), start, end)


@cache
def mistakes() -> tuple[SyntaxMistake, ...]:
    """The table, in the order in which its rows are tried."""
    text = (folder("grammar") / "mistakes.txt").read_text("utf-8")
    return tuple(map(mistake, re.split(r"^=== ", text, flags=re.MULTILINE)[1:]))


def mistake(row: str) -> SyntaxMistake:
    """Read a row: its message, its keys, its example."""
    lines = row.rstrip("\n").split("\n")
    keys = dict(line.split(": ", 1) for line in lines[1:] if KEY.match(line))
    given = keys.get("given")
    example = "\n".join(lines[len(keys) + 1 :])
    return SyntaxMistake(lines[0], keys, tuple(map(condition, given.split(", "))) if given else (), example)


KEY = re.compile(r"(?:help|when|given|place|computed|rule): ")
PLACES = {
    "the token": ErrorContext.token,
    "the last word": ErrorContext.last_word,
    "the last character": ErrorContext.last_character,
}


# ---- patterns --------------------------------------------------------------------------------------------------------


def match_around(pattern: str, error: ErrorContext) -> tuple[int, int | None, dict[str, str]] | None:
    """Match a marked pattern on both sides of an error: where the place that it marks starts and ends; its groups."""
    before, after = sides(pattern)
    text = code_of(error.line) if pattern.startswith("^") else error.code.rpartition("\n")[2]
    begin = error.at - len(error.line) if pattern.startswith("^") else len(error.code) - len(text)
    right = after.match(error.rest)
    left = before.search(text) if right else None
    if left is None or right is None:
        return None
    start, end = error.at, None
    if "place" in before.groupindex:
        start, end = begin + left.start("place"), begin + left.end("place")
    if "place" in after.groupindex:
        end = error.at + right.end("place")
    return start, end, left.groupdict() | right.groupdict()


@cache
def sides(pattern: str) -> tuple[re.Pattern[str], re.Pattern[str]]:
    """The two sides of a marked pattern; the marked text is the group `place` in each."""
    before, _, after = pattern.partition("@" if "@" in pattern else "«")
    if "«" in before:
        before = before.replace("«", "(?P<place>").replace("»", ")") + ("" if "»" in before else ")")
    if "»" in after:
        after = "(?P<place>" + after.replace("»", ")")
    return re.compile(rf"(?:{before})\Z"), re.compile(after)


class MessageValues(dict[str, object]):
    """The values of the names in a message: groups of the pattern, parts of the text, and what is derived from them."""

    def __init__(self, error: ErrorContext, groups: Mapping[str, str], text: str) -> None:
        super().__init__(groups)
        self.error = error
        self["text"] = text

    def __missing__(self, name: str) -> object:
        return DERIVED[name](self) if name in DERIVED else getattr(self.error, name)


DERIVED: dict[str, Callable[[MessageValues], object]] = {
    "line": lambda values: values.error.line.strip(),
    "rest": lambda values: values.error.rest.strip(),
    "lower": lambda values: values.error.word.lower(),
    "instead": lambda values: INSTEAD.get(values.error.last) or INSTEAD[values.error.word],
    "form": lambda values: FORMS[values.error.first],
    "sign": lambda values: "`=` or `:`" if values.error.first in {"block", "fn"} else "`:`",
    "expected": lambda values: only_choice(values.error.expected),
    "decimal": lambda values: int(f"0{values.error.word}", 0),
    "seconds": lambda values: int(str(values["number"])[:6]) * 60 + int(str(values["sixtieths"])),
    "sizes": lambda values: (
        values["width"] if values["width"] == values["height"] else f"[{values['height']}, {values['width']}]"
    ),
}

# The form of each line that begins with a word of the language.
FORMS = {
    "input": "`input 3 x 224 x 224`",
    "stage": "`stage c2: block`, or `stage c2 / 2: block`",
    "output": "`output p3: block`",
    "expect": "`expect: params <= 26M`",
    "block": "`block name(...) = expression`, or `:` and indented lines below it",
    "fn": "`fn name(...) = expression`, or `:` and indented lines below it",
    "backbone": "`backbone name:`, and indented lines below it",
    "if": "`if test:`, and indented lines below it",
    "elif": "`elif test:`, and indented lines below it",
    "else": "`else:`, and indented lines below it",
    "for": "`for name in list:`, and indented lines below it",
}

# Help for the keywords of other languages.
INSTEAD = {
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

TERMINALS = {
    "COLON": "`:`",
    "EQUAL": "`=`",
    "RPAR": "`)`",
    "RSQB": "`]`",
    "_IN": "`in`",
    "NAME": "a name",
    **KINDS,
    "SHAPE": KINDS["INT"],
}


def only_choice(expected: frozenset[str]) -> str:
    """Help that names what could follow, where that is one thing."""
    wanted = list(dict.fromkeys(TERMINALS[kind] for kind in sorted(expected) if kind in TERMINALS))
    return f"{wanted[0]} is expected here" if len(wanted) == 1 and len(expected) <= 3 else ""


# ---- computed messages -----------------------------------------------------------------------------------------------

LINE_START = re.compile(r"(?:stage|output|input|expect|return|block|fn|backbone)\b(?!\s*[=,)\]])|\w+\s*:")
ASSIGNMENT = re.compile(r"[A-Za-z_]\w*[ \t]*=(?!=)")


def unclosed_bracket(error: ErrorContext) -> Message | None:
    """A bracket that is closed by the wrong sign, or still open where a line begins or the text ends."""
    if error.opened is None:
        return None
    sign, at = error.opened
    opening = error.text.span(at, at + 1)
    bracket = f"`{sign}` of line {error.text.whole.source.position(opening.start)[0]}"
    if error.found in {")", "]"} and error.found != BRACKETS[sign] and error.last not in {*HALVES, ","}:
        return Message(f"`{error.found}` does not close the {bracket}", f"write `{BRACKETS[sign]}`", error.at)
    help, notes = f"close it with `{BRACKETS[sign]}`", (Note(opening, "opened here"),)
    if error.kind in {"_NL", "$END", "_DEDENT"}:
        return Message(f"the text ends while {bracket} is still open", help, error.at, None, notes)
    if "\n" in error.content[at : error.at] and begins_line(error, at):
        start = error.at - len(error.line.lstrip())
        label = f"a new line begins here, while {bracket} is still open"
        return Message(label, help, start, start + len(error.first), notes)
    return None


def begins_line(error: ErrorContext, at: int) -> bool:
    """Tell a new line from an argument: by its first word, or as `name = value` no further in than its bracket."""
    line = error.line + error.rest
    opening = error.content[error.content.rfind("\n", 0, at) + 1 : at]
    no_deeper = leading_blanks(line) <= leading_blanks(opening) and not error.line.strip()
    return bool(LINE_START.match(line.lstrip()) or (no_deeper and ASSIGNMENT.match(line.lstrip())))


INFIX = (OPERATORS | {"->"}) - {"if", "else", "not"}
CUT = re.compile(r"([=!<>])[ \t]+=(?!=)")
CUT_IN_TWO = {"->", "<=", ">=", "!=", "//", "**"}


def split_operator(error: ErrorContext) -> Message | None:
    """An operator with a blank inside."""
    if cut := CUT.match(error.rest):
        sign, start, end = f"{cut[1]}=", error.at, error.at + cut.end()
        is_one = error.last not in OPERATORS and error.opened is None
    else:
        sign, (start, stop), end = error.last + error.found, error.last_word(), error.at + len(error.found)
        is_one = sign in CUT_IN_TWO and error.content[stop : error.at].isspace() and follows_value(error, start)
    if not is_one or is_stage_key(error):
        return None
    return Message(f"`{sign}` is written without a space inside", f"write `{sign}`", start, end)


def repeated_operator(error: ErrorContext) -> Message | None:
    """An operator after an operator. A `-` may follow one, as a sign."""
    last, found = error.last, error.found
    if found not in INFIX - {"-"} or last not in INFIX or is_stage_key(error):
        return None
    if CUT.match(error.rest) or not follows_value(error, error.last_word()[0]):
        return None
    same = f"`{last}` is written twice"
    label = same if found == last else f"a value is missing between `{last}` and `{found}`"
    return Message(label, "remove one of the two", error.at, error.at + len(found))


def is_stage_key(error: ErrorContext) -> bool:
    """True in the name and reduction of a stage."""
    return error.first == "stage" and ":" not in error.line


def follows_value(error: ErrorContext, start: int) -> bool:
    """True if a value stands before a sign."""
    before = error.content[:start].rstrip()
    return before[-1:].isalnum() or before.endswith((")", "]", "_"))


NEXT_INDENTATION = re.compile(r"(?:\s*\n|[ \t]*#[^\n]*\n)*([ \t]*)")


def extra_indentation(error: ErrorContext) -> Message | None:
    """A line that is indented below one that has no body."""
    code = NEXT_INDENTATION.match(error.content, error.at) if error.kind == "_INDENT" else None
    if code is None:
        return None
    tab = ", as a tab counts as 8 spaces" if "\t" in code[1] else ""
    label = f"this line is indented further than the one before{tab}"
    return Message(label, "align it with the line before", *code.span(1))


# The terminals after the name that a line of a body begins with; in a backbone there are more.
AFTER_TARGET = frozenset({"COMMA", "EQUAL"})
LONGEST_QUOTED = 60


def unreturned(error: ErrorContext) -> Message | None:
    """An expression that is neither named nor returned."""
    begins = "_RETURN" in error.expected and not error.line.strip()
    if error.opened or not (begins or error.expected == AFTER_TARGET):
        return None
    start = error.at - len(error.line.lstrip())
    if error.kind in {"_NL", "$END"}:
        start = error.content.rfind("\n", 0, len(error.code)) + 1
        start += leading_blanks(error.content[start:])
    lines = statement(error.content[start:])
    if not error.is_expression("\n".join(lines)):
        return None
    before, first = error.content[: start + len(lines[0])].split("\n"), code_of(lines[0]).rstrip()
    end = start + len(first)
    if not is_last(before[-1], error.content[start:].split("\n")[len(lines) :]) or is_in_loop(before):
        return Message("this is neither named nor returned", "write `name = ...`, or remove it", start, end)
    short = len(lines) == 1 and len(first) <= LONGEST_QUOTED
    help = f"write `return {first}`" if short else "write `return` before it"
    return Message("`return` is missing before this", help, start, end)


def statement(text: str) -> list[str]:
    """The lines of the statement that a text begins with."""
    lines = text.split("\n")
    for count in range(1, len(lines)):
        if not lines[count].lstrip().startswith("->") and unclosed("\n".join(lines[:count])) is None:
            return lines[:count]
    return lines


def is_last(line: str, below: list[str]) -> bool:
    """Check that a line is the last of its body."""
    after = next((code for each in below if (code := code_of(each)).strip()), "")
    return not after or leading_blanks(after) < leading_blanks(line)


def is_in_loop(lines: list[str]) -> bool:
    """Check that the last of some lines stands right in the body of a `for`."""
    *above, last = lines
    heads = (each for each in reversed(above) if code_of(each).strip() and leading_blanks(each) < leading_blanks(last))
    return next(heads, "").lstrip().startswith("for ")


DEFINITIONS = ("block", "fn", "backbone", "import")
# The rest of lines that begin with these words.
REST_OF_LINE = {
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


def misspelt_word(error: ErrorContext) -> Message | None:
    """A line that begins with almost a word of the language, and goes on like one that does."""
    begun = WORD.match((error.line + error.rest).lstrip())
    if error.opened or begun is None or error.line.strip() not in {"", begun[0]} or begun[0] in REST_OF_LINE:
        return None
    start = error.at - len(error.line.lstrip())
    end = start + len(begun[0])
    at_margin = start == 0 or error.content[start - 1] == "\n"
    likely = nearest(begun[0], DEFINITIONS if at_margin else (*LINE_WORDS, "return"))
    if not likely or not re.match(REST_OF_LINE[likely[0]], error.content[end:]):
        return None
    return Message(f"no line can begin with `{begun[0]}`", f"did you mean `{likely[0]}`?", start, end)


COMPUTED: dict[str, Callable[[ErrorContext], Message | None]] = {
    each.__name__: each
    for each in (
        unclosed_bracket,
        split_operator,
        repeated_operator,
        extra_indentation,
        unreturned,
        misspelt_word,
    )
}


LONG_NAME = re.compile(rf"[A-Za-z_][A-Za-z0-9_]{{{LONGEST_NAME},}}")


def describe(error: ErrorContext, end: int) -> Diagnostic:
    """The finding for what the parser could not read; `end` is where the token ends."""
    if found := LONG_NAME.match(error.content, error.at):
        return catalog.TOO_LARGE.at(error.text.span(*found.span()), f"a name has at most {LONGEST_NAME} characters")
    # The last row fits everything.
    said = next(filter(None, (row.message(error) for row in mistakes())))
    token_end = max(end, said.start, error.at + len(error.word))
    place = error.text.span(said.start, token_end if said.end is None else said.end)
    return catalog.SYNTAX.at(place, said.label, help=said.help, notes=said.notes)
