"""The text of a spec: its notation, its words, the place of each character, and characters that nobody sees."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from textwrap import dedent
from typing import NamedTuple

from archdsl.diagnostics import ArchError, Diagnostic, DiagnosticKind, Source, Span, catalog
from archdsl.diagnostics.characters import is_unseen, name_of_character

YAML_ENDINGS = (".yaml", ".yml")
TEXT_ENDING = ".arch"
SUFFIXES = (TEXT_ENDING, *YAML_ENDINGS)

# Help for invalid names.
NAME_HELP = "a name is of letters (a to z), digits and `_`, and does not begin with a digit"

# The words that begin a line of a backbone in the text form; no section and no setting can have such a name.
LINE_WORDS = ("input", "stage", "output", "expect")

# The words of expressions and bodies, and Python's names for three of them; nothing can have such a name.
RESERVED = frozenset(
    [
        "return",
        "for",
        "if",
        "elif",
        "else",
        "in",
        "as",
        "and",
        "or",
        "not",
        "true",
        "false",
        "none",
        "True",
        "False",
        "None",
    ]
)

# Possessive (`*+`), so that a million blanks before something else are not tried in a million ways.
START = r"\ufeff?(?:\s|#[^\n]*+)*+"
TEXT_FORM = re.compile(START + r'(archdsl[ \t]+\d|import[ \t]*"|(?:block|fn|backbone)[ \t]+[A-Za-z_])')
YAML_FORM = re.compile(START + r"(?:[\"']?\w+[\"']?[ \t]*:(?:\s|\Z)|---|\{|%)")

KEY = r"^['\"]?(?:{})['\"]?[ \t]*:"
SPEC_KEY = re.compile(KEY.format("stages|sections|backbones|blocks"), re.MULTILINE)
CHILD_KEYS = [re.compile(KEY.format(key), re.MULTILINE) for key in ("name", "extends")]


def text_form(text: str) -> int | None:
    """The offset of the first definition, in a text that begins as a `.arch` file does."""
    found = TEXT_FORM.match(text)
    return found.start(1) if found else None


def is_yaml(name: str, text: str) -> bool:
    """Check for YAML: by the ending of the name, otherwise by the beginning of the text."""
    if name.endswith((TEXT_ENDING, *YAML_ENDINGS)):
        return name.endswith(YAML_ENDINGS)
    return text_form(text) is None and YAML_FORM.match(text) is not None


def is_spec(name: str, text: str) -> bool:
    """Check that a file looks like a spec.

    All `.arch` files do, and YAML with stages, sections, backbones or blocks, or with a name and a parent.
    """
    if not name.endswith(YAML_ENDINGS) or SPEC_KEY.search(text):
        return True
    return all(key.search(text) for key in CHILD_KEYS)


PIECE = re.compile(r'"""(?:.|\n)*?"""|"[^"\n\\]*"|#[^\n]*|\n|->|\w+|[^\w\s]')
"""A piece of a text: a docstring, a quoted text, a comment, a line end, a word or number, a sign."""


class LocatedText(NamedTuple):
    """Part of a source.

    `offsets` says where in the source each character of `content` stands (and, last, where it ends); with None, the
    content is not a literal copy, and all of it has the place `whole`.
    """

    content: str
    whole: Span
    offsets: Sequence[int] | None = None

    @staticmethod
    def of(source: Source) -> LocatedText:
        """A whole source."""
        size = len(source.text)
        return LocatedText(source.text, Span(source, 0, size), range(size + 1))

    def span(self, start: int, end: int) -> Span:
        """The place of a part of the content."""
        if self.offsets is None:
            return self.whole
        offsets, size = self.offsets, len(self.content)
        first = offsets[start if start < size else size]
        last = offsets[(end if end < size else size) - 1] + 1 if end > start else first
        return Span(self.whole.source, first, last)

    def after(self, start: int) -> LocatedText:
        """The text without its first `start` characters."""
        offsets = self.offsets and self.offsets[start:]
        return LocatedText(self.content[start:], self.span(start, len(self.content)), offsets)

    def between(self, before: str, after: str) -> LocatedText:
        """The text with a sign before and a sign behind that do not stand in the source."""
        offsets = self.offsets and [self.offsets[0], *self.offsets, self.offsets[-1]]
        return LocatedText(before + self.content + after, self.whole, offsets)


LINE_END = re.compile(r"\r\n?")


def tidy(text: str) -> str:
    """The text of a docstring: no common indentation, no blanks at line ends, no empty lines around it.

    The first line, which stands behind the quotes, takes no part in the indentation. Both notations tidy, so that
    either can say whatever the other said.
    """
    lines = LINE_END.sub("\n", text).expandtabs().split("\n")
    first, *rest = (line.rstrip() for line in lines)
    return "\n".join([first.lstrip(" "), dedent("\n".join(rest))]).strip("\n")


# All but what most texts consist of: these are looked up in Unicode's tables one by one.
SUSPECT = re.compile(r"[^\t\n\r\x20-\x7e]|\r(?!\n)")
BYTE_ORDER_MARK = "\ufeff"
LINE_ENDS = "\r\v\f\x1c\x1d\x1e\x85\u2028\u2029"
ENDED = "lines end with a newline, or with a carriage return and a newline"
REMOVED = "remove it"
ESCAPED = f"{REMOVED}; the `doc` of a YAML spec can hold it as an escape, in double quotes"

UNSEEN_IN_PATH = "a path of an import has no tab, and no other character that nobody sees"


def check_characters(text: LocatedText, rule: DiagnosticKind = catalog.SYNTAX) -> None:
    """Raise for invisible characters, with the first place of each."""
    content = text.content
    if content.isascii() and content.isprintable():
        return
    first: dict[str, int] = {}
    for found in SUSPECT.finditer(content, content.startswith(BYTE_ORDER_MARK)):
        if is_unseen(found[0]):
            first.setdefault(found[0], found.start())
    if first:
        raise ArchError(list(findings(text, first, rule)))


def findings(text: LocatedText, first: dict[str, int], rule: DiagnosticKind) -> Iterator[Diagnostic]:
    """The finding for each character, at its first place."""
    for char, at in first.items():
        kind = "a line end that many editors do not show" if char in LINE_ENDS else "a character that nobody sees"
        label = f"{kind}: {name_of_character(char)}"
        yield rule.at(
            text.span(at, at + 1),
            label,
            help=ENDED if char in LINE_ENDS else ESCAPED if rule is catalog.YAML else REMOVED,
        )
