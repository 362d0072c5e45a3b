"""Messages for errors of the YAML parser, with what was probably meant.

PyYAML has two parsers with two wordings; a row fits both. Most of these mistakes are expressions that need quotes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

from yaml import MarkedYAMLError

from archdsl.diagnostics import ArchError, Diagnostic, Source, Span, catalog
from archdsl.frontend.yaml.source_map import FOLD, rewritten
from archdsl.syntax.located_text import LocatedText
from archdsl.syntax.models import QUOTES
from archdsl.syntax.nodes import DEEPEST_DATA, SPLIT, Data, MappingEntry, Scalar

LONGEST_EXAMPLE = 60
MOST_PIECES = 50


class Piece(NamedTuple):
    """A part of a flow mapping or list, read as a piece of an expression."""

    opens: int
    """How many brackets it leaves open."""
    may_go_on: bool
    """Whether it can be a piece in the middle: a text without quotes, or a key without a value."""
    may_close: bool
    """Whether it can be the last piece."""


def entries(given: Sequence[MappingEntry], findings: list[Diagnostic]) -> list[MappingEntry]:
    """The lines of a flow mapping, with torn expressions whole again."""
    pieces = [piece_of_entry(each) for each in given]
    found: list[MappingEntry] = []
    at = 0
    while at < len(given):
        entry = given[at]
        first = entry.key if empty(entry.value) else entry.value
        end = end_of_pieces(pieces, at + 1, opened(first))
        if end > at + 1 and isinstance(first, Scalar):
            last = given[end - 1]
            whole = mended(first, last.key.span if empty(last.value) else last.value.span, findings)
            entry = MappingEntry(whole, entry.value) if first is entry.key else MappingEntry(entry.key, whole)
        found.append(entry)
        at = end
    return found


def items(given: Sequence[Data], findings: list[Diagnostic]) -> list[Data]:
    """The items of a flow list, with torn expressions whole again; what never closes is no expression."""
    pieces = [Piece(opened(each), is_plain(each), is_plain(each)) for each in given]
    found: list[Data] = []
    at = 0
    while at < len(given):
        item = given[at]
        end = end_of_pieces(pieces, at + 1, pieces[at].opens)
        whole = end > at + 1 and sum(piece.opens for piece in pieces[at:end]) <= 0
        if whole and isinstance(item, Scalar):
            item = mended(item, given[end - 1].span, findings)
        found.append(item)
        at = end if whole else at + 1
    return found


def end_of_pieces(pieces: Sequence[Piece], at: int, count: int) -> int:
    """Find the end of the pieces, from `at` on, that belong to an expression with `count` open brackets."""
    last = min(len(pieces), at + MOST_PIECES)
    while count > 0 and at < last:
        count += pieces[at].opens
        if not (pieces[at].may_go_on or (pieces[at].may_close and count <= 0)):
            break
        at += 1
    return at


def piece_of_entry(entry: MappingEntry) -> Piece:
    """A line of a flow mapping as a piece."""
    plain = is_plain(entry.key)
    return Piece(opened(entry.key) + opened(entry.value), plain and empty(entry.value), plain)


def is_plain(data: Data) -> bool:
    """True if this is a text without quotes."""
    return isinstance(data, Scalar) and not data.style


def opened(data: Data) -> int:
    """Count the brackets that an unquoted text leaves open."""
    if not isinstance(data, Scalar) or data.style:
        return 0
    return data.content.count("(") - data.content.count(")")


def empty(data: Data) -> bool:
    """True if there is no value."""
    return isinstance(data, Scalar) and not data.content and not data.style


def mended(first: Scalar, last: Span, findings: list[Diagnostic]) -> Scalar:
    """The whole expression, which is reported."""
    span = first.span.to(last)
    content, offsets = rewritten(span.text, span.start, FOLD)
    example = f': "{content}"' if len(content) <= LONGEST_EXAMPLE else ""
    label = "without quotes, YAML splits this at its commas"
    findings.append(catalog.YAML.at(span, label, help=f"{QUOTES}{example}"))
    return Scalar(LocatedText(content, span, offsets))


JOINED = re.compile(r"[ \t]*+(\w[\w ./]{0,60}+):([\w\"'\[{(][^\n]{0,40})")
COMMENT = re.compile(r"[^ \t#][ \t]+#")
INDENT = "YAML indents with spaces"


class ScannerState(NamedTuple):
    """Position of the parser: `at`, in a thing that began at `begun`, with the character `char` before it."""

    source: Source
    at: int
    begun: int

    @property
    def char(self) -> str:
        """The character that stands there."""
        return self.source.text[self.at : self.at + 1]

    @property
    def line(self) -> str:
        """The line up to there."""
        return self.source.text[self.source.text.rfind("\n", 0, self.at) + 1 : self.at]

    def follows_comment(self, at: int) -> bool:
        """True if the line before the one at an offset is a value with a comment behind it."""
        above = self.source.text[:at].rstrip(" \t")
        return above.endswith("\n") and bool(COMMENT.search(above, above.rfind("\n", 0, -1) + 1))

    @property
    def opening(self) -> str:
        """The character with which the thing began."""
        return self.source.text[self.begun : self.begun + 1]

    def said(self, label: str, help: str = "", at: int | None = None) -> ArchError:
        """The finding."""
        place, size = self.at if at is None else at, len(self.source.text.rstrip())
        return catalog.YAML.error(Span(self.source, min(place, size), min(place + 1, size)), label, help=help)


def colon(fault: ScannerState) -> ArchError:
    """A `: ` that cannot be: in a value, or after a line that is a value already."""
    if re.search(r":\s", fault.line):
        return fault.said("`: ` is not allowed inside a value without quotes", QUOTES)
    above = fault.source.text.rfind("\n", 0, fault.at - len(fault.line) - 1) + 1
    if joined := JOINED.match(fault.source.text, above):
        return unspaced(fault, joined)
    label = "the text above continues on this line, where `: ` is not allowed"
    return fault.said(label, f"align the key with those above; or, if this is one expression, {QUOTES}")


def beginning(fault: ScannerState) -> ArchError:
    """A sign with which no value begins."""
    if fault.char == "\t":
        return fault.said("a tab in the indentation", INDENT)
    return fault.said(f"in YAML no value can begin with `{fault.char}`", QUOTES)


def bracket(fault: ScannerState) -> ArchError:
    """A list or mapping in brackets that does not go on."""
    closing = {"[": "]", "{": "}"}.get(fault.opening)
    if closing is None:
        return (
            beginning(fault)
            if fault.char.strip()
            else fault.said("the text ends while a bracket is still open", "close it")
        )
    if fault.char in "[]{}()" and fault.char:
        label = f"`{fault.char}` is not allowed in a text without quotes inside `{fault.opening}{closing}`"
        return fault.said(label, QUOTES)
    line, _ = fault.source.position(fault.begun)
    return fault.said(f"the `{fault.opening}` of line {line} is still open here", f"close it with `{closing}`")


def outside(fault: ScannerState) -> ArchError:
    """A text that stands behind a value, or is indented like nothing above."""
    if fault.follows_comment(fault.at):
        return comment(fault)
    if fault.line.strip():
        label = "the value ends before this: it began with a quote or bracket, which is closed"
        return fault.said(label, "put the whole expression in quotes")
    if re.match(r"-\s", fault.source.text[fault.at :]):
        return fault.said("a list item among keys", "indent the list below its key")
    return fault.said("this is neither a key of the mapping above nor part of a value", "check its indentation")


def comment(fault: ScannerState) -> ArchError:
    """A text after a comment: the comment has ended the value."""
    return fault.said("the `#` above ends the value, so this is not part of it", f"{QUOTES}, or move the comment")


def keyless(fault: ScannerState) -> ArchError:
    """A line without `: `."""
    if fault.follows_comment(fault.begun):
        return comment(fault._replace(at=fault.begun))
    if joined := JOINED.match(fault.source.text, fault.source.text.rfind("\n", 0, fault.begun) + 1):
        return unspaced(fault, joined)
    return fault.said("there is no `: ` in this line", "write `key: value`", fault.begun)


def unspaced(fault: ScannerState, joined: re.Match[str]) -> ArchError:
    """A key whose `:` has no blank behind it."""
    return fault.said("a space is missing after this `:`", f"write `{joined[1]}: {joined[2]}`", joined.end(1))


def block_sign(fault: ScannerState) -> ArchError:
    """A `|` or `>` that was meant as part of an expression."""
    label = f"`{fault.opening}` at the beginning of a value starts a block of text in YAML"
    return fault.said(label, QUOTES, fault.begun)


def anchor(fault: ScannerState) -> ArchError:
    """A `*` or `&` that was meant as part of an expression."""
    what = "an alias" if fault.opening == "*" else "an anchor"
    return fault.said(f"`{fault.opening}` at the beginning of a value is {what} in YAML", QUOTES, fault.begun)


def dash(fault: ScannerState) -> ArchError:
    """A `- ` behind a key."""
    return fault.said(
        "`- ` begins a list item, which cannot follow a key on its line", f"start a new line with it, or {QUOTES}"
    )


def unclosed_quote(fault: ScannerState) -> ArchError:
    """A quote without its end."""
    return fault.said("this quote is never closed", f"close it with `{fault.opening}`", fault.begun)


def escape(fault: ScannerState) -> ArchError:
    """A backslash in double quotes that is no escape."""
    at = fault.source.text.rfind("\\", 0, fault.at + 1)
    if at < fault.begun:
        return fault.said("`!` at the beginning of a value is a tag in YAML; a spec has none", QUOTES, fault.begun)
    return fault.said("this is not an escape that YAML knows", "in single quotes a backslash is a backslash", at)


def after_end(fault: ScannerState) -> ArchError:
    """Something behind the document."""
    return fault.said("this is outside the mapping above", "align it with the keys above")


def directive(fault: ScannerState) -> ArchError:
    """A line that begins with `%`."""
    return fault.said("a directive that YAML does not know", "remove the line")


def too_deep(fault: ScannerState) -> ArchError:
    """More nesting than the C library reads, which looks ahead of what `guard` counts (since PyYAML 6.0.4)."""
    span = Span(fault.source, fault.at, fault.at)
    return catalog.TOO_DEEP.error(span, f"more than {DEEPEST_DATA} lists and mappings are open", help=SPLIT)


ROWS: list[tuple[str, Callable[[ScannerState], ArchError]]] = [
    ("nesting depth", too_deep),
    ("tab character", lambda fault: fault.said("a tab in the indentation", INDENT)),
    ("mapping values are not allowed", colon),
    ("cannot start any token", beginning),
    ("scanning a block scalar", block_sign),
    ("scanning an alias|scanning an anchor", anchor),
    ("sequence entries are not allowed", dash),
    ("parsing a flow", bracket),
    ("a quoted scalar: found unexpected|a double-quoted scalar: found unexpected", unclosed_quote),
    ("escape|hexa?decimal", escape),
    ("could not find expected ':'", keyless),
    ("node content", beginning),
    ("parsing a block", outside),
    ("<document start>", after_end),
    ("mapping keys are not allowed", beginning),
    ("directive|incompatible", directive),
]


def explained(error: MarkedYAMLError, source: Source, shift: int) -> ArchError:
    """The finding for what PyYAML raised."""
    at = error.problem_mark.index + shift if error.problem_mark else 0
    begun = error.context_mark.index + shift if error.context_mark else at
    fault = ScannerState(source, at, begun)
    text = f"{error.context or ''}: {error.problem or ''}"
    for pattern, explain in ROWS:
        if re.search(pattern, text):
            return explain(fault)
    return fault.said("YAML cannot be read from here on", QUOTES)
