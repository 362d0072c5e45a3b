"""What the scalars of a spec say: names, numbers, texts of the language; and pydantic's errors in the user's words."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from functools import cache
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from archdsl.errors import ArchError, Diagnostic, Rule, Span, catalog, did_you_mean, listed
from archdsl.frontend.arch.parser import parse
from archdsl.frontend.notation import RESERVED
from archdsl.frontend.text import Text
from archdsl.frontend.yaml.data import KINDS, Data, Entry, Mapping, Scalar, Sequence
from archdsl.frontend.yaml.findings import Findings
from archdsl.frontend.yaml.guard import QUOTES
from archdsl.lang.text.document import Element, Identifier

E = TypeVar("E", bound=Element)
D = TypeVar("D", Scalar, Sequence, Mapping)

COMMENT = re.compile(r"[ \t]+#")
STATEMENT = re.compile(
    r"(?:\s|#[^\n]*+)*+(?:return\b|for\b|if\b|\"\"\"|[A-Za-z_]\w*+(?:\s*+,\s*+[A-Za-z_]\w*+)*+\s*+=(?!=))"
)
SIGNS = re.compile(r"[(\[]|->")
HINTS = {
    **dict.fromkeys(("settings", "constants", "policies"), "write `set`"),
    **dict.fromkeys(("neck", "body"), "a section of another name goes into `sections`, with all the others"),
    "name": "the name of a backbone is its key in `backbones`",
}
"""What to do about keys that are like none of those that exist."""
THOUSANDS = "a comma begins something new here; a thousand is `1_000`"
NAME_HELP = "a name is of letters, digits and `_`, and does not begin with a digit"


class Reader:
    """Reads scalars, and collects what is wrong with them."""

    def __init__(self, findings: Findings) -> None:
        self.findings = findings

    def parsed(self, scalar: Scalar, rule: str, text: Text | None = None) -> Any:
        """What a rule of the grammar makes of a scalar (or of another text of it), or None where it does not fit."""
        try:
            return parse(text or scalar.text, rule)
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
        in_braces = kind is Scalar and isinstance(data, Mapping) and data.span.text.startswith("{")
        help = "a text that begins with `{` needs quotes" if in_braces else ""
        help = (
            "its lines are of the form `name: ...`"
            if kind is Mapping and isinstance(data, Scalar) and data.content
            else help
        )
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
        if SIGNS.search(name):
            help = QUOTES
        self.findings.add(catalog.DOCUMENT, key.span, f"`{shown(name)}` is no key of {where}", help)

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
            label = f"`{scalar.content}` is a word of the language, so it cannot be a name"
            self.findings.add(catalog.SYNTAX, scalar.span, label, "take another name")
            return None
        try:
            return identifier().validate_python(scalar.content)
        except ValidationError as error:
            self.findings.extend(translated(error, scalar.span, {}))
            return None

    def element(self, kind: type[E], span: Span, places: dict[str, Span] | None = None, **content: Any) -> E | None:
        """A validated part of the document.

        `places` tells where its fields (or, as `field.2`, parts of them) stand, if not at `span`.
        """
        try:
            return kind.model_validate({**content, "span": span})
        except ValidationError as error:
            self.findings.extend(translated(error, span, places or {}))
            return None


@cache
def identifier() -> TypeAdapter[str]:
    """The check of names."""
    return TypeAdapter(Identifier)


def advised(finding: Diagnostic, scalar: Scalar) -> Diagnostic:
    """A finding in a scalar's text, with what YAML has to do with it."""
    span, text = scalar.span, scalar.span.source.text
    at_end = finding.span is not None and finding.span.end >= span.end
    if not scalar.style and at_end and COMMENT.match(text, span.end):
        return finding._replace(help=f"` #` ends a value without quotes: {QUOTES}")
    if scalar.style != "|" and "\n" in span.text and STATEMENT.match(scalar.content):
        return finding._replace(help="only after `|` are the lines of a body kept: write `body: |`")
    return finding


# ---- pydantic's errors -----------------------------------------------------------------------------------------------

Said = tuple[Rule, str, str]

WORDS: dict[str, Callable[[Any, dict[str, Any]], Said]] = {
    "string_pattern_mismatch": lambda value, _: (
        catalog.WRONG_TYPE,
        f"`{shown(value)}` is no name",
        THOUSANDS if str(value).isdigit() else NAME_HELP,
    ),
    "string_too_long": lambda _, about: (catalog.TOO_LARGE, f"a name has at most {about['max_length']} letters", ""),
    "greater_than": lambda value, about: (
        catalog.OUT_OF_RANGE,
        f"`{shown(value)}` must be more than {about['gt']}",
        "",
    ),
    "less_than_equal": lambda value, about: (catalog.OUT_OF_RANGE, f"at most {about['le']:,} is of use", ""),
    "int_parsing": lambda value, _: (catalog.WRONG_TYPE, f"`{shown(value)}` is no whole number", ""),
    "int_parsing_size": lambda value, _: (catalog.OUT_OF_RANGE, "this number is longer than any that is of use", ""),
    "missing": lambda _, about: (catalog.DOCUMENT, "something is missing here", ""),
    "extra_forbidden": lambda _, about: (catalog.DOCUMENT, "this does not belong here", ""),
    "literal_error": lambda value, about: (catalog.WRONG_TYPE, f"choose from {about['expected']}", ""),
}


def translated(error: ValidationError, span: Span, places: dict[str, Span]) -> list[Diagnostic]:
    """Pydantic's errors in our words, each at the place of its field."""
    found: list[Diagnostic] = []
    for each in error.errors(include_url=False):
        rule, label, help = WORDS.get(each["type"], misfit)(each["input"], each.get("ctx", {}))
        field, *_ = each["loc"] or ("",)
        place = places.get(".".join(map(str, each["loc"]))) or places.get(str(field), span)
        found.append(rule.at(place, label, help=help))
    return found


def misfit(value: Any, about: dict[str, Any]) -> Said:
    """What is said of an error that is not in the table: too little, but nothing of pydantic's."""
    return catalog.WRONG_TYPE, "this does not fit", ""


def shown(value: object) -> str:
    """A value in a message, cut where it is long."""
    text = str(value)
    return text if len(text) <= 60 else text[:57] + "..."
