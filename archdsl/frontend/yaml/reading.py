"""What the scalars of a spec say: names, and texts of the language."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any, TypeVar

from archdsl.errors import ArchError, Diagnostic, catalog, did_you_mean, listed
from archdsl.frontend.arch.parser import parse, parse_body
from archdsl.frontend.notation import NAME_HELP, RESERVED
from archdsl.frontend.text import Text
from archdsl.frontend.yaml.data import KINDS, Data, Entry, Mapping, Scalar, Sequence
from archdsl.frontend.yaml.findings import Findings
from archdsl.frontend.yaml.guard import QUOTES
from archdsl.lang.text.document import LONGEST_NAME

D = TypeVar("D", Scalar, Sequence, Mapping)

COMMENT = re.compile(r"[ \t]+#")
STATEMENT = re.compile(
    r"(?:\s|#[^\n]*+)*+(?:return\b|for\b|if\b|\"\"\"|[A-Za-z_]\w*+(?:\s*+,\s*+[A-Za-z_]\w*+)*+\s*+=(?!=))"
)
NAME = re.compile("[A-Za-z_][A-Za-z0-9_]*")
SIGNS = re.compile(r"[(\[]|->")
HINTS = {
    **dict.fromkeys(("settings", "constants", "policies"), "write `set`"),
    **dict.fromkeys(("neck", "body"), "a section of another name goes into `sections`, with all the others"),
    "name": "the name of a backbone is its key in `backbones`",
}
"""What to do about keys that are like none of those that exist."""
THOUSANDS = "a comma separates values here; one thousand is `1_000`"


class Reader:
    """Reads scalars, and collects what is wrong with them."""

    def __init__(self, findings: Findings) -> None:
        self.findings = findings

    def parsed(self, scalar: Scalar, rule: str, text: Text | None = None) -> Any:
        """What a rule of the grammar makes of a scalar (or of another text of it), or None where it does not fit."""
        try:
            has_lines = rule == "body" and scalar.style == "|"
            return parse_body(scalar.text) if has_lines else parse(text or scalar.text, rule)
        except ArchError as error:
            self.findings.extend([advised(each, scalar) for each in error.diagnostics])
            return None

    def scalar(self, data: Data, wanted: str) -> Scalar | None:
        """A scalar that says something; `wanted` is said of anything else."""
        found = self.kind(data, Scalar, wanted)
        if found is not None and not found.content.strip():
            self.findings.add(catalog.DOCUMENT, found.span, f"there is nothing here, where {wanted} belongs")
            return None
        return found

    def kind(self, data: Data, kind: type[D], wanted: str) -> D | None:
        """Data, if it is of a kind."""
        if isinstance(data, kind):
            return data
        if isinstance(data, Scalar) and not data.content:
            self.findings.add(catalog.DOCUMENT, data.span, f"there is nothing here, where {wanted} belongs")
            return None
        help = "write its lines as `name: ...`" if kind is Mapping else ""
        if kind is Scalar and isinstance(data, Mapping) and is_set(data):
            help = "a text that begins with `{` needs quotes"
        self.findings.add(catalog.WRONG_TYPE, data.span, f"{KINDS[type(data)]}, where {wanted} belongs", help)
        return None

    def keys(self, mapping: Mapping, known: Collection[str], where: str) -> dict[str, Entry]:
        """The lines of a mapping by their keys, without those that are not known."""
        found: dict[str, Entry] = {}
        for entry in mapping.entries:
            if entry.key.content in known:
                found[entry.key.content] = entry
            else:
                self.unknown(entry.key, known, where)
        return found

    def unknown(self, key: Scalar, known: Collection[str], where: str) -> None:
        """A key that means nothing; what was meant may be another, or an expression."""
        name = key.content
        help = HINTS.get(name) or did_you_mean(name, known) or f"the keys are {listed(known)}"
        if SIGNS.search(name) and not key.style:
            help = QUOTES
        self.findings.add(catalog.DOCUMENT, key.span, f"`{shown(name)}` is not a key of {where}", help)

    def lines(self, data: Data, wanted: str) -> list[Entry]:
        """The lines of an ordered mapping; a list of mappings is another way to write it, in which keys may repeat."""
        if isinstance(data, Sequence):
            return [line for each in data.items for line in self.lines(each, wanted)]
        found = self.kind(data, Mapping, wanted)
        return list(found.entries) if found else []

    def name(self, data: Data, wanted: str = "a name") -> str | None:
        """A name."""
        scalar = self.scalar(data, wanted)
        if scalar is None:
            return None
        if scalar.content in RESERVED:
            label = f"`{scalar.content}` is a reserved word, so it cannot be a name"
            self.findings.add(catalog.SYNTAX, scalar.span, label, "choose another name")
            return None
        if not NAME.fullmatch(scalar.content):
            help = THOUSANDS if scalar.content.isdigit() else NAME_HELP
            self.findings.add(catalog.WRONG_TYPE, scalar.span, f"`{shown(scalar.content)}` is not a name", help)
            return None
        if len(scalar.content) > LONGEST_NAME:
            self.findings.add(catalog.TOO_LARGE, scalar.span, f"a name has at most {LONGEST_NAME} characters")
            return None
        return scalar.content


def is_set(data: Mapping) -> bool:
    """Whether this is a text in braces, of which YAML makes keys without values."""
    values = [entry.value for entry in data.entries]
    return data.span.text.startswith("{") and any(isinstance(each, Scalar) and not each.content for each in values)


def advised(finding: Diagnostic, scalar: Scalar) -> Diagnostic:
    """A finding in a scalar's text, with what YAML has to do with it."""
    span, text = scalar.span, scalar.span.source.text
    at_end = finding.span is not None and finding.span.end >= span.end
    if not scalar.style and at_end and COMMENT.match(text, span.end):
        return finding._replace(help=f"` #` ends a value without quotes: {QUOTES}")
    if scalar.style != "|" and "\n" in span.text and STATEMENT.match(scalar.content):
        return finding._replace(help="only `|` keeps the lines of a body: write `body: |`")
    return finding


def shown(value: object) -> str:
    """A value in a message, cut where it is long."""
    text = str(value)
    return text if len(text) <= 60 else text[:57] + "..."
