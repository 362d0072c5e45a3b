"""Messages for errors of the YAML parser, with what was probably meant.

Most of these mistakes are expressions that need quotes.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

from yaml import MarkedYAMLError

from archdsl.diagnostics import ArchError, Source, Span, catalog
from archdsl.syntax.models import QUOTES
from archdsl.syntax.nodes import DEEPEST_DATA, SPLIT

JOINED = re.compile(r"[ \t]*+(?P<key>\w[\w ./]{0,60}+):(?P<rest>[\w\"'\[{(][^\n]{0,40})")
COMMENT = re.compile(r"[^ \t#][ \t]+#")
CLOSING = {"[": "]", "{": "}"}


class ScannerState:
    """Position of the parser: `at`, in something that began at `begun`."""

    def __init__(self, source: Source, at: int, begun: int) -> None:
        self.source = source
        self.text = source.text
        self.at = at
        self.begun = begun
        self.char = self.text[at : at + 1]
        self.opening = self.text[begun : begun + 1]
        self.closing = CLOSING.get(self.opening)

    @property
    def row(self) -> int:
        """The line in which the thing began."""
        return self.source.position(self.begun)[0]

    def start(self, at: int) -> int:
        """The start of the line of an offset."""
        return self.text.rfind("\n", 0, at) + 1

    @property
    def line(self) -> str:
        """The line up to there."""
        return self.text[self.start(self.at) : self.at]

    def joined(self, at: int) -> re.Match[str] | None:
        """A key with no blank behind its colon, in the line of an offset."""
        return JOINED.match(self.text, self.start(at))

    def follows_comment(self, at: int) -> bool:
        """True if the line before the one at an offset is a value with a comment behind it."""
        above = self.text[:at].rstrip(" \t")
        return above.endswith("\n") and bool(COMMENT.search(above, above.rfind("\n", 0, -1) + 1))

    @property
    def backslash(self) -> int:
        """The last backslash up to there."""
        return self.text.rfind("\\", 0, self.at + 1)


def always(state: ScannerState) -> bool:
    """Hold for any state."""
    return True


def current(state: ScannerState) -> int:
    """Place a finding where the parser stopped."""
    return state.at


def begun(state: ScannerState) -> int:
    """Place a finding where the thing began."""
    return state.begun


@dataclass(frozen=True)
class YamlMistake:
    """A message: the words of PyYAML's, ours, what else has to be true of the state, and the place."""

    problem: str
    label: str
    help: str = QUOTES
    holds: Callable[[ScannerState], Any] = always
    place: Callable[[ScannerState], int] = current

    def finding(self, problem: str, state: ScannerState) -> ArchError | None:
        """The finding, if the row fits."""
        found = self.holds(state) if re.search(self.problem, problem) else None
        if not found:
            return None
        joined = cast("re.Match[str]", found) if isinstance(found, re.Match) else None
        values = joined.groupdict() if joined else {}
        at, size = joined.end("key") if joined else self.place(state), len(state.text.rstrip())
        span = Span(state.source, min(at, size), min(at + 1, size))
        label, help = (text.format(state=state, **values) for text in (self.label, self.help))
        return catalog.YAML.error(span, label, help=help)


COLON, KEYLESS = "mapping values are not allowed", "could not find expected ':'"
FLOW, BLOCK, NO_VALUE = "parsing a flow", "parsing a block", "cannot start any token|node content|keys are not allowed"
ESCAPE = "escape|hexa?decimal"
TAB = ("a tab in the indentation", "YAML indents with spaces")
UNSPACED = ("a space is missing after this `:`", "write `{key}: {rest}`")
AFTER_COMMENT = ("the `#` above ends the value, so this is not part of it", f"{QUOTES}, or move the comment")
NO_BEGINNING = "in YAML no value can begin with `{state.char}`"
ROWS: tuple[YamlMistake, ...] = (
    YamlMistake("tab character", *TAB),
    YamlMistake(
        COLON,
        "`: ` is not allowed inside a value without quotes",
        holds=lambda state: re.search(r":\s", state.line) is not None,
    ),
    YamlMistake(COLON, *UNSPACED, holds=lambda state: state.joined(state.start(state.at) - 1)),
    YamlMistake(
        COLON,
        "the text above continues on this line, where `: ` is not allowed",
        f"align the key with those above; or, if this is one expression, {QUOTES}",
    ),
    YamlMistake(
        "scanning a block scalar",
        "`{state.opening}` at the beginning of a value starts a block of text in YAML",
        place=begun,
    ),
    YamlMistake("scanning an alias", "`*` at the beginning of a value is an alias in YAML", place=begun),
    YamlMistake("scanning an anchor", "`&` at the beginning of a value is an anchor in YAML", place=begun),
    YamlMistake(
        "sequence entries are not allowed",
        "`- ` begins a list item, which cannot follow a key on its line",
        f"start a new line with it, or {QUOTES}",
    ),
    YamlMistake(FLOW, NO_BEGINNING, holds=lambda state: state.closing is None and state.char.strip()),
    YamlMistake(
        FLOW,
        "the text ends while a bracket is still open",
        "close it",
        lambda state: state.closing is None and state.char != "\t",
    ),
    YamlMistake(
        FLOW,
        "`{state.char}` is not allowed in a text without quotes inside `{state.opening}{state.closing}`",
        holds=lambda state: state.char and state.char in "[]{}()",
    ),
    YamlMistake(
        FLOW,
        "the `{state.opening}` of line {state.row} is still open here",
        "close it with `{state.closing}`",
        lambda state: state.closing,
    ),
    YamlMistake(
        "a quoted scalar: found unexpected|a double-quoted scalar: found unexpected",
        "this quote is never closed",
        "close it with `{state.opening}`",
        place=begun,
    ),
    YamlMistake(
        ESCAPE,
        "`!` at the beginning of a value is a tag in YAML; a spec has none",
        holds=lambda state: state.backslash < state.begun,
        place=begun,
    ),
    YamlMistake(
        ESCAPE,
        "this is not an escape that YAML knows",
        "in single quotes a backslash is a backslash",
        place=lambda state: state.backslash,
    ),
    YamlMistake(KEYLESS, *AFTER_COMMENT, holds=lambda state: state.follows_comment(state.begun), place=begun),
    YamlMistake(KEYLESS, *UNSPACED, holds=lambda state: state.joined(state.begun)),
    YamlMistake(KEYLESS, "there is no `: ` in this line", "write `key: value`", place=begun),
    YamlMistake(f"{FLOW}|{NO_VALUE}", *TAB, holds=lambda state: state.char == "\t"),
    YamlMistake(NO_VALUE, NO_BEGINNING),
    YamlMistake(BLOCK, *AFTER_COMMENT, holds=lambda state: state.follows_comment(state.at)),
    YamlMistake(
        BLOCK,
        "the value ends before this: it began with a quote or bracket, which is closed",
        "put the whole expression in quotes",
        lambda state: state.line.strip(),
    ),
    YamlMistake(
        BLOCK,
        "a list item among keys",
        "indent the list below its key",
        lambda state: re.match(r"-\s", state.text[state.at :]) is not None,
    ),
    YamlMistake(BLOCK, "this is neither a key of the mapping above nor part of a value", "check its indentation"),
    YamlMistake("<document start>", "this is outside the mapping above", "align it with the keys above"),
    YamlMistake("directive|incompatible", "a directive that YAML does not know", "remove the line"),
    YamlMistake("", "YAML cannot be read from here on"),
)
"""Tried in this order. PyYAML has two parsers with two wordings, and says nothing else; a row fits both."""


def explained(error: MarkedYAMLError, source: Source, shift: int) -> ArchError:
    """The finding for what PyYAML raised."""
    at = error.problem_mark.index + shift if error.problem_mark else 0
    begun = error.context_mark.index + shift if error.context_mark else at
    problem = f"{error.context or ''}: {error.problem or ''}"
    if "nesting depth" in problem:  # the C library counts before `YamlGuard` does (since PyYAML 6.0.4)
        label = f"more than {DEEPEST_DATA} lists and mappings are open"
        return catalog.TOO_DEEP.error(Span(source, at, at), label, help=SPLIT)
    state = ScannerState(source, at, begun)
    return next(found for row in ROWS if (found := row.finding(problem, state)))
