"""What YAML's parser finds wrong, in words, and what was probably meant.

PyYAML has two parsers with two wordings; a row fits both. Most of these mistakes are expressions that need quotes.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from yaml import MarkedYAMLError

from archdsl.errors import ArchError, Source, Span, catalog
from archdsl.frontend.yaml.guard import DEEPEST, QUOTES, SPLIT

JOINED = re.compile(r"[ \t]*+(\w[\w ./]{0,60}+):([\w\"'\[{(][^\n]{0,40})")
COMMENT = re.compile(r"[^ \t#][ \t]+#")
INDENT = "YAML indents with spaces"


class Fault(NamedTuple):
    """Where the parser stood: `at`, in a thing that began at `begun`, with the character `char` before it."""

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
        """Whether the line before the one at an offset is a value with a comment behind it."""
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


def colon(fault: Fault) -> ArchError:
    """A `: ` that cannot be: in a value, or after a line that is a value already."""
    if re.search(r":\s", fault.line):
        return fault.said("`: ` is not allowed inside a value without quotes", QUOTES)
    above = fault.source.text.rfind("\n", 0, fault.at - len(fault.line) - 1) + 1
    if joined := JOINED.match(fault.source.text, above):
        return unspaced(fault, joined)
    label = "the text above continues on this line, where `: ` is not allowed"
    return fault.said(label, f"align the key with those above; or, if this is one expression, {QUOTES}")


def beginning(fault: Fault) -> ArchError:
    """A sign with which no value begins."""
    if fault.char == "\t":
        return fault.said("a tab in the indentation", INDENT)
    return fault.said(f"in YAML no value can begin with `{fault.char}`", QUOTES)


def bracket(fault: Fault) -> ArchError:
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


def outside(fault: Fault) -> ArchError:
    """A text that stands behind a value, or is indented like nothing above."""
    if fault.follows_comment(fault.at):
        return comment(fault)
    if fault.line.strip():
        label = "the value ends before this: it began with a quote or bracket, which is closed"
        return fault.said(label, "put the whole expression in quotes")
    if re.match(r"-\s", fault.source.text[fault.at :]):
        return fault.said("a list item among keys", "indent the list below its key")
    return fault.said("this is neither a key of the mapping above nor part of a value", "check its indentation")


def comment(fault: Fault) -> ArchError:
    """A text after a comment: the comment has ended the value."""
    return fault.said("the `#` above ends the value, so this is not part of it", f"{QUOTES}, or move the comment")


def keyless(fault: Fault) -> ArchError:
    """A line without `: `."""
    if fault.follows_comment(fault.begun):
        return comment(fault._replace(at=fault.begun))
    if joined := JOINED.match(fault.source.text, fault.source.text.rfind("\n", 0, fault.begun) + 1):
        return unspaced(fault, joined)
    return fault.said("there is no `: ` in this line", "write `key: value`", fault.begun)


def unspaced(fault: Fault, joined: re.Match[str]) -> ArchError:
    """A key whose `:` has no blank behind it."""
    return fault.said("a space is missing after this `:`", f"write `{joined[1]}: {joined[2]}`", joined.end(1))


def block_sign(fault: Fault) -> ArchError:
    """A `|` or `>` that was meant as part of an expression."""
    label = f"`{fault.opening}` at the beginning of a value starts a block of text in YAML"
    return fault.said(label, QUOTES, fault.begun)


def anchor(fault: Fault) -> ArchError:
    """A `*` or `&` that was meant as part of an expression."""
    what = "an alias" if fault.opening == "*" else "an anchor"
    return fault.said(f"`{fault.opening}` at the beginning of a value is {what} in YAML", QUOTES, fault.begun)


def dash(fault: Fault) -> ArchError:
    """A `- ` behind a key."""
    return fault.said(
        "`- ` begins a list item, which cannot follow a key on its line", f"start a new line with it, or {QUOTES}"
    )


def unclosed_quote(fault: Fault) -> ArchError:
    """A quote without its end."""
    return fault.said("this quote is never closed", f"close it with `{fault.opening}`", fault.begun)


def escape(fault: Fault) -> ArchError:
    """A backslash in double quotes that is no escape."""
    at = fault.source.text.rfind("\\", 0, fault.at + 1)
    if at < fault.begun:
        return fault.said("`!` at the beginning of a value is a tag in YAML; a spec has none", QUOTES, fault.begun)
    return fault.said("this is not an escape that YAML knows", "in single quotes a backslash is a backslash", at)


def after_end(fault: Fault) -> ArchError:
    """Something behind the document."""
    return fault.said("this is outside the mapping above", "align it with the keys above")


def directive(fault: Fault) -> ArchError:
    """A line that begins with `%`."""
    return fault.said("a directive that YAML does not know", "remove the line")


def too_deep(fault: Fault) -> ArchError:
    """More nesting than the C library reads, which looks ahead of what `guard` counts (since PyYAML 6.0.4)."""
    span = Span(fault.source, fault.at, fault.at)
    return catalog.TOO_DEEP.error(span, f"more than {DEEPEST} lists and mappings are open", help=SPLIT)


ROWS: list[tuple[str, Callable[[Fault], ArchError]]] = [
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
    fault = Fault(source, at, begun)
    text = f"{error.context or ''}: {error.problem or ''}"
    for pattern, explain in ROWS:
        if re.search(pattern, text):
            return explain(fault)
    return fault.said("YAML cannot be read from here on", QUOTES)
