"""Messages for syntax errors, and further errors in the lines that do not depend on the first.

A message is the first row of `grammar/mistakes.txt` that fits where the parser stopped: the text on both sides, and
what could have followed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from functools import cache, cached_property
from typing import NamedTuple

from archdsl.diagnostics import ArchError, Diagnostic, Note, Span, catalog, nearest
from archdsl.resources import folder
from archdsl.syntax.ast import LONGEST_NAME
from archdsl.syntax.text import LINE_WORDS, PIECE, LocatedText

BRACKETS = {"(": ")", "[": "]"}
KINDS = {
    "INT": "a number",
    "DECIMAL": "a number",
    "SHAPE": "a shape",
    "QUANTITY": "an amount",
    "STRING": "a quoted text",
    "DOCSTRING": "a docstring",
    "_NL": "the end of the line",
    "_INDENT": "an indented line",
    "_DEDENT": "the end of the indented lines",
    "$END": "the end of the text",
}
# Terminals that are a value by themselves.
VALUES = {"INT", "DECIMAL", "SHAPE", "QUANTITY", "STRING"}
WORD = re.compile(r"[A-Za-z_]\w*")
LAST = re.compile(r"(\w+|->|\.{3}|//|\*\*|[=!<>]=|\"[^\"\n]*\"|[^\w\s])\Z")
OPERATORS = {"+", "-", "*", "/", "//", "%", "**", "==", "!=", "<=", ">=", "<", ">", "and", "or", "not", "if", "else"}
# Signs and words that something has to follow.
HALVES = {*OPERATORS, "->", "=", ":", ".", "...", "as", "in", "return"}
ENDS = {"_NL", "$END", "_DEDENT", ")", "]", ",", ":", "="}
# The text before a parenthesis that belongs to no call.
CALLED_BY_NOTHING = re.compile(r"(?:[(,=+*/-]|->|\A)\s*\Z")


class ErrorContext:
    """The place where the parser stopped: the token there (its `kind` and its text), and the terminals expected.

    `is_expression` checks a text: the parser hands it in, so that errors need not import the parser.
    """

    def __init__(
        self,
        text: LocatedText,
        at: int,
        kind: str,
        found: str,
        expected: Iterable[str],
        is_expression: Callable[[str], bool],
    ) -> None:
        self.text = text
        self.content = text.content
        self.at = at
        self.kind = kind
        self.found = found
        self.expected = frozenset(expected)
        self.is_expression = is_expression

    @cached_property
    def code(self) -> str:
        """The text before, without blanks, line ends and comments at its end."""
        return without_comments(self.content[: self.at]).rstrip()

    @cached_property
    def last(self) -> str:
        """The word or sign before."""
        last = LAST.search(self.code)
        return last[1] if last else ""

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
        """The innermost open bracket, and its offset."""
        return unclosed(self.content[: self.at])

    @cached_property
    def word(self) -> str:
        """The word that stands there."""
        found = WORD.match(self.content, self.at)
        return found[0] if found else ""

    @property
    def ends(self) -> bool:
        """True where a line, a bracket or an item ends."""
        return self.kind in ENDS or self.found in ENDS

    @property
    def at_operand(self) -> bool:
        """True where a value begins right after another."""
        begins = bool(self.word) or self.kind in VALUES or self.found in BRACKETS
        ended = self.last[-1:].isalnum() or self.last.endswith(("_", '"')) or self.last in BRACKETS.values()
        return begins and ended and self.last not in HALVES

    @property
    def what(self) -> str:
        """The token, for a sentence."""
        if self.kind == "NAME" or self.word:
            return f"`{self.word}`"
        return KINDS.get(self.kind) or (f"`{self.found}`" if self.found else "the end")

    # ---- places

    def last_character(self) -> tuple[int, int]:
        """The last character of the code before."""
        return len(self.code) - 1, len(self.code)

    def last_word(self) -> tuple[int, int]:
        """The word or sign before."""
        return len(self.code) - len(self.last), len(self.code)

    def token(self) -> tuple[int, int]:
        """The token, or, at the end of a line, the character before."""
        if self.kind in {"_NL", "$END", "_DEDENT"}:
            return self.last_character()
        return self.at, self.at + max(len(self.found), 1)

    # ---- facts

    @cached_property
    def facts(self) -> frozenset[str]:
        """The terminals expected, and what else `given` in `grammar/mistakes.txt` can ask for."""
        sign, at = self.opened or ("", 0)
        known = {
            "in brackets": bool(sign),
            "in parentheses": sign == "(",
            "in an index": sign == "[" and self.content[at - 1 : at].isalnum(),
            "in a tuple": bool(sign) and CALLED_BY_NOTHING.search(self.content[:at]) is not None,
            "an operand follows a value": self.at_operand,
            "something ends": self.ends,
            "nothing is expected": not self.expected,
            "after an operator": self.last in OPERATORS,
            "after half of something": self.last in HALVES,
            f"after {self.last}": True,
            f"at {self.kind}": True,
        }
        return self.expected | {fact for fact, holds in known.items() if holds}


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
    """The innermost bracket that is open at the end of a text, and its offset."""
    stack: list[tuple[str, int]] = []
    for match in PIECE.finditer(content):
        char = match[0]
        if char in BRACKETS:
            stack.append((char, match.start()))
        elif stack and char == BRACKETS[stack[-1][0]]:
            stack.pop()
    return stack[-1] if stack else None


class Message(NamedTuple):
    """A sentence with its help and its place; without an `end`, the place ends with the token."""

    label: str
    help: str
    start: int
    end: int | None = None
    opening: Span | None = None
    """The bracket that is still open."""


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
    help = f"close it with `{BRACKETS[sign]}`"
    if error.kind in {"_NL", "$END", "_DEDENT"}:
        return Message(f"the text ends while {bracket} is still open", help, error.at, None, opening)
    if "\n" in error.content[at : error.at] and begins_line(error, at):
        start = error.at - len(error.line.lstrip())
        label = f"a new line begins here, while {bracket} is still open"
        return Message(label, help, start, start + len(error.first), opening)
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
    for each in (unclosed_bracket, split_operator, repeated_operator, extra_indentation, unreturned, misspelt_word)
}


LONG_NAME = re.compile(rf"[A-Za-z_][A-Za-z0-9_]{{{LONGEST_NAME},}}")


def describe(error: ErrorContext, end: int) -> Diagnostic:
    """The finding for what the parser could not read; `end` is where the token ends."""
    # A name that is too long is none to the lexer, which would report its first character.
    if found := LONG_NAME.match(error.content, error.at):
        return catalog.TOO_LARGE.at(error.text.span(*found.span()), f"a name has at most {LONGEST_NAME} characters")
    # The last row fits everything.
    said = next(filter(None, (row.message(error) for row in mistakes())))
    token_end = max(end, said.start, error.at + len(error.word))
    place = error.text.span(said.start, token_end if said.end is None else said.end)
    notes = (Note(said.opening, "opened here"),) if said.opening else ()
    return catalog.SYNTAX.at(place, said.label, help=said.help, notes=notes)._replace(opening=said.opening)


MOST = 10
# In characters: of a long text, the first mistake has to do.
LARGEST = 20_000
QUOTES = '"""'
BEGINS = re.compile(r"(?:archdsl|import|block|fn|backbone)\b")
RULES = {catalog.SYNTAX.code, catalog.MIXED.code}


def all_mistakes(
    text: LocatedText, first: ArchError, parse: Callable[[LocatedText], object], head: str = ""
) -> ArchError:
    """The first mistake of a text, and those in other lines that do not depend on it; with the document of the rest.

    A body stands below a `head`, which its text does not have, and is looked at as if it were indented.
    """
    if text.offsets is None:
        return first
    found, rest = list(first.diagnostics), None
    lines = [head, *(f" {line}" for line in text.content.split("\n"))] if head else text.content.split("\n")
    top = text.whole.source.position(text.offsets[0])[0] - bool(head)
    while len(found) < MOST and len(text.content) <= LARGEST and without(lines, found[-1], top):
        content = "\n".join(line[1:] for line in lines[1:]) if head else "\n".join(lines)
        if head and not content.strip():
            break
        try:
            rest = parse(text._replace(content=content))
        except ArchError as error:
            if is_follow_on(error.diagnostics[0], found):
                break
            found += error.diagnostics
        else:
            break
    return ArchError(sorted(found, key=start_of), rest)


def is_follow_on(finding: Diagnostic, found: list[Diagnostic]) -> bool:
    """Check for a finding that exists only because lines were left out.

    It is already reported, it comes before the last one, or it is a docstring, which is misplaced only below a mistake.
    Precedence of operators is checked last, so a mistake of it may come before; a bracket may not.
    """
    is_misplaced_doc = finding.span is not None and finding.span.text.startswith(QUOTES)
    is_before = start_of(finding) <= start_of(found[-1]) and finding.opening is not None
    return is_misplaced_doc or is_before or any(each.span == finding.span for each in found)


def start_of(finding: Diagnostic) -> int:
    """The offset of a finding; -1 without a place."""
    return -1 if finding.span is None else finding.span.start


def line_of(span: Span) -> int:
    """The number of the line in which something begins."""
    return span.source.position(span.start)[0]


def without(lines: list[str], finding: Diagnostic, top: int) -> bool:
    """Blank the lines of a finding, or the definition around them; return False where that cannot be done.

    `top` is the number of the first of the lines.
    """
    if finding.code not in RULES or finding.span is None:
        return False
    first = last = line_of(finding.span) - top
    if finding.opening:  # it stays open until the next line
        first, last = line_of(finding.opening) - top, last - 1
    if not stands_alone(lines, first, last):
        first, last = definition(lines, first, last)
    if any(sum(line.count(QUOTES) for line in part) % 2 for part in (lines, lines[first : last + 1])):
        return False  # from there on, docstrings are taken for code
    for at in range(first, last + 1):
        lines[at] = " " * len(lines[at])
    return True


def definition(lines: list[str], first: int, last: int) -> tuple[int, int]:
    """Lines with all that stands around them at the left margin, up to where a definition begins again.

    What stands at the margin below a first line without a body is told at once, and it is the first line that lacks it.
    """
    while first > 0 and (not lines[first].strip() or leading_blanks(lines[first]) or is_open(lines, first)):
        first -= 1
    head = next((at for at in range(first - 1, -1, -1) if lines[at].strip()), first)
    if head < first and lacks_body(lines[head]):
        first, last = head, head if BEGINS.match(lines[first]) else last
    while last + 1 < len(lines) and not BEGINS.match(lines[last + 1]):
        last += 1
    return first, last


def lacks_body(line: str) -> bool:
    """Check for a line at the left margin that a body belongs to; another line at the margin follows."""
    return not leading_blanks(line) and opens_body(line)


def opens_body(line: str) -> bool:
    """Check that indented lines belong below a line."""
    return code_of(line).rstrip().endswith((":", "="))


def above(lines: list[str], at: int) -> str:
    """The next line above that is not empty, and not indented further."""
    indent = leading_blanks(lines[at])
    return next((line for line in reversed(lines[:at]) if line.strip() and leading_blanks(line) <= indent), "")


def stands_alone(lines: list[str], first: int, last: int) -> bool:
    """Check that lines can be left out: they have a neighbor in their body, and nothing depends on them."""
    before = above(lines, first)
    after = next((line for line in lines[last + 1 :] if line.strip()), "")
    indent = leading_blanks(lines[first])
    goes_on = after.lstrip().startswith(("->", ")", "]")) or lines[first].lstrip().startswith("->")
    is_too_far = indent > leading_blanks(before) and not opens_body(before)
    neighbours = {leading_blanks(after), *([] if before.rstrip().endswith(QUOTES) else [leading_blanks(before)])}
    is_a_line = not (goes_on or is_too_far or QUOTES in lines[first] or is_open(lines, first))
    return is_a_line and 0 < indent >= leading_blanks(after) and indent in neighbours


def is_open(lines: list[str], at: int) -> bool:
    """Check for an open bracket at the start of a line."""
    return unclosed("\n".join(lines[:at])) is not None


def leading_blanks(line: str) -> int:
    """The indentation of a line, in characters."""
    return len(line) - len(line.lstrip())
