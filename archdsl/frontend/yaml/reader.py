"""Values: an expression in a string, a list, or a block in plain data, which programs write more easily."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from typing import Any, ParamSpec, TypeVar

from archdsl.diagnostics import ArchError, Diagnostic, DiagnosticKind, Source, Span, catalog, did_you_mean, listed
from archdsl.diagnostics.diagnostic import MOST_FINDINGS
from archdsl.frontend.yaml.limits import QUOTES
from archdsl.frontend.yaml.nodes import KINDS, Data, Mapping, MappingEntry, Scalar, Sequence
from archdsl.syntax.ast import Binary, Call, CallArgument, Chain, Expression, Items, Name, Named
from archdsl.syntax.detect_format import NAME_HELP, RESERVED
from archdsl.syntax.document import LONGEST_NAME
from archdsl.syntax.located_text import LocatedText
from archdsl.syntax.parser import parse, parse_body

P = ParamSpec("P")
T = TypeVar("T")


class Findings:
    """The findings of one file."""

    def __init__(self) -> None:
        self.found: list[Diagnostic] = []

    def add(self, rule: DiagnosticKind, span: Span | None, label: str, help: str = "") -> None:
        """One more."""
        self.extend([rule.at(span, label, help=help)])

    def extend(self, findings: list[Diagnostic]) -> None:
        """Several more; raises where there are too many to go on."""
        self.found += findings
        if len(self.found) >= MOST_FINDINGS:
            self.report()

    def attempt(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T | None:
        """The result of some work, or None where it has findings."""
        try:
            return work(*args, **kwargs)
        except ArchError as error:
            self.extend(error.diagnostics)
            return None

    def report(self, rest: object = None) -> None:
        """Raises if anything was found, in the order of its places, and one finding at each: the first says most.

        `rest` is what can be read all the same.
        """
        if self.found:
            first = {each.span: each for each in reversed(self.found)}
            found = sorted(first.values(), key=lambda each: each.span.start if each.span else 0)
            raise ArchError(found[:MOST_FINDINGS], rest)


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


class ScalarReader:
    """Reads scalars, and collects what is wrong with them."""

    def __init__(self, findings: Findings) -> None:
        self.findings = findings

    def parsed(self, scalar: Scalar, rule: str, text: LocatedText | None = None) -> Any:
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

    def keys(self, mapping: Mapping, known: Collection[str], where: str) -> dict[str, MappingEntry]:
        """The lines of a mapping by their keys, without those that are not known."""
        found: dict[str, MappingEntry] = {}
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

    def lines(self, data: Data, wanted: str) -> list[MappingEntry]:
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


SMALL = 160
ALIAS = re.compile(r"(?<![\w)\]])\s*\*\w")
PLAIN = ("repeat", "block", "args", "with", "as")


class Values(ScalarReader):
    """Reads values."""

    def whole(self, data: Data, *, lists: bool = False) -> Expression | None:
        """A value that the text form can say, too: plain data may nest where no text has so many brackets."""
        value = self.expression(data) if lists else self.block(data)
        if value is None or isinstance(data, Scalar) or is_small(data.span.text) or sayable(value):
            return value
        label = "as one expression, this is nested too deeply to be read"
        self.findings.add(catalog.TOO_DEEP, data.span, label, "give its parts names, as constants or blocks")
        return None

    def expression(self, data: Data) -> Expression | None:
        """A value where a list is a list."""
        if not isinstance(data, Sequence):
            return self.block(data)
        items = [self.expression(each) for each in data.items]
        return Items(data.span, False, given(items)) if all(items) else None

    def block(self, data: Data) -> Expression | None:
        """A value where a list is a chain."""
        if isinstance(data, Scalar):
            text = self.scalar(data, "an expression")
            return text and self.parsed(text, "expression")
        return self.chain(data) if isinstance(data, Sequence) else self.plain(data)

    def chain(self, data: Sequence) -> Expression | None:
        """The links of a chain."""
        if not data.items:
            self.findings.add(catalog.DOCUMENT, data.span, "a chain without links", "`identity` does nothing")
            return None
        links = [self.block(each) for each in data.items]
        if not all(links):
            return None
        return Chain(data.span, False, tuple(map(inner, given(links)))) if len(links) > 1 else links[0]

    def plain(self, data: Mapping) -> Expression | None:
        """`{repeat: 3, block: bottleneck, args: {...}, with: {...}, as: name}`."""
        keys = self.keys(data, PLAIN, "a block")
        if "block" not in keys:
            if len(keys) == len(data.entries):
                self.findings.add(catalog.DOCUMENT, data.span, "`block` is missing here", "add `block: ...`")
            return None
        value = self.block(keys["block"].value)
        arguments = self.arguments(keys["args"].value) if "args" in keys else None
        count = self.expression(keys["repeat"].value) if "repeat" in keys else None
        settings = self.named(keys["with"].value) if "with" in keys else None
        name = self.name(keys["as"].value) if "as" in keys else None
        read = {"args": arguments, "repeat": count, "with": settings, "as": name}
        if value is None or any(read[key] is None for key in keys if key != "block"):
            return None
        if arguments is not None:
            value = Call(data.span, False, inner(value), arguments)
        if count is not None:
            value = Binary(data.span, False, "*", inner(count), inner(value))
        if settings is not None:
            last = CallArgument(value.span, False, (), value)
            value = Call(data.span, False, Name(keys["with"].key.span, False, "with"), (*settings, last))
        return value if name is None else Named(data.span, False, inner(value), name)

    def arguments(self, data: Data) -> tuple[CallArgument, ...] | None:
        """The arguments of a call: a list by position, a mapping by name."""
        if not isinstance(data, Sequence):
            return self.named(data, "a mapping of names to values, or a list of values,")
        values = [self.expression(each) for each in data.items]
        return tuple(CallArgument(each.span, False, (), each) for each in given(values)) if all(values) else None

    def named(self, data: Data, wanted: str = "a mapping of names to values") -> tuple[CallArgument, ...] | None:
        """Arguments by name."""
        mapping = self.kind(data, Mapping, wanted)
        if mapping is None:
            return None
        pairs = [(entry, self.target(entry), self.expression(entry.value)) for entry in mapping.entries]
        found = [CallArgument(line(entry), False, target, value) for entry, target, value in pairs if target and value]
        return tuple(found) if len(found) == len(pairs) else None

    def target(self, entry: MappingEntry) -> tuple[str, ...] | None:
        """The names in a key, as in `conv.bias`."""
        if entry.key.content.isdigit():
            self.name(entry.key)
            return None
        key = self.scalar(entry.key, "a name")
        return key and self.parsed(key, "target")


def is_small(text: str) -> bool:
    """Whether a piece of YAML is certainly an expression of few levels."""
    return len(text) < SMALL and sum(map(text.count, "([{\n")) < SMALL // 4 and not ALIAS.search(text)


def sayable(value: Expression, around: str = "") -> bool:
    """Whether a value can be read again when it is written out, alone or in a call of `around`."""
    from archdsl.frontend.format.doc import ENDLESS, render
    from archdsl.frontend.format.expressions import expression

    try:
        text = render(expression(value), width=ENDLESS)
        parse(LocatedText.of(Source("", f"{around}({text})" if around else text)), "expression")
    except (ArchError, RecursionError):
        return False
    return True


def given(values: list[Expression | None]) -> tuple[Expression, ...]:
    """The values that could be read."""
    return tuple(each for each in values if each is not None)


def inner(value: Expression) -> Expression:
    """A value as part of another: what would stand in brackets in the text form is marked so."""
    return value.replace(grouped=True) if isinstance(value, Binary | Chain) else value


def line(entry: MappingEntry) -> Span:
    """The place of a whole line."""
    return entry.key.span.to(entry.value.span)
