"""Values of a spec: an expression in a string, a list, or a block in plain data, which programs write more easily."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated, Any, ClassVar, TypeVar

from pydantic import Field

from archdsl.diagnostics import ArchError, Diagnostic, catalog, nearest
from archdsl.syntax.ast import (
    LONGEST_NAME,
    Binary,
    Call,
    CallArgument,
    Chain,
    Comprehension,
    Content,
    Expression,
    Index,
    Items,
    ListSlice,
    Name,
    Named,
    parts,
)
from archdsl.syntax.models import BRACKETS_OR_ARROW, QUOTES, Key, Model, collected, shown, validated
from archdsl.syntax.nodes import KINDS, Data, Mapping, MappingEntry, Scalar, Sequence
from archdsl.syntax.parser import DEEPEST, DEEPEST_TREE, parse, parse_body
from archdsl.syntax.text import NAME_HELP, RESERVED, LocatedText

D = TypeVar("D", Scalar, Sequence, Mapping)

COMMENT = re.compile(r"[ \t]+#")
# Possessive (`*+`), so that long blanks and comments are not tried in many ways.
STATEMENT = re.compile(
    r"(?:\s|#[^\n]*+)*+(?:return\b|for\b|if\b|\"\"\"|[A-Za-z_]\w*+(?:\s*+,\s*+[A-Za-z_]\w*+)*+\s*+=(?!=))"
)
NAME = re.compile("[A-Za-z_][A-Za-z0-9_]*")
THOUSANDS = "a comma separates values here; one thousand is `1_000`"


# ---- texts


def parsed(scalar: Scalar, rule: str, text: LocatedText | None = None) -> Any:
    """The tree of a scalar, or of another text of it, by a rule of the grammar."""
    try:
        # Only after `|` a line end of the text is one of the source, so that lines can be left out one by one.
        has_lines = rule == "body" and scalar.style == "|"
        return parse_body(scalar.text) if has_lines else parse(text or scalar.text, rule)
    except ArchError as error:
        raise ArchError([advised(each, scalar) for each in error.diagnostics]) from None


def advised(finding: Diagnostic, scalar: Scalar) -> Diagnostic:
    """A finding in a scalar's text, with what YAML has to do with it."""
    span, text = scalar.span, scalar.span.source.text
    at_end = finding.span is not None and finding.span.end >= span.end
    if not scalar.style and at_end and COMMENT.match(text, span.end):
        return finding._replace(help=f"` #` ends a value without quotes: {QUOTES}")
    if scalar.style != "|" and "\n" in span.text and STATEMENT.match(scalar.content):
        return finding._replace(help="only `|` keeps the lines of a body: write `body: |`")
    return finding


def kind(data: Data, kind: type[D], wanted: str) -> D:
    """Data of a kind; raises ArchError for any other. `wanted` says what belongs there."""
    if isinstance(data, kind):
        return data
    if isinstance(data, Scalar) and not data.content:
        raise catalog.DOCUMENT.error(data.span, f"there is nothing here, where {wanted} belongs")
    help = "write its lines as `name: ...`" if kind is Mapping else ""
    if kind is Scalar and isinstance(data, Mapping) and is_set(data):
        help = "a text that begins with `{` needs quotes"
    raise catalog.WRONG_TYPE.error(data.span, f"{KINDS[type(data)]}, where {wanted} belongs", help=help)


def is_set(data: Mapping) -> bool:
    """True if this is a text in braces, of which YAML makes keys without values."""
    # In YAML `{a, b}` is a mapping of `a` and `b` to nothing.
    values = [entry.value for entry in data.entries]
    return data.span.text.startswith("{") and any(isinstance(each, Scalar) and not each.content for each in values)


def scalar(data: Data, wanted: str) -> Scalar:
    """A text that says something."""
    found = kind(data, Scalar, wanted)
    if not found.content.strip():
        raise catalog.DOCUMENT.error(found.span, f"there is nothing here, where {wanted} belongs")
    return found


def name(data: Data, wanted: str = "a name") -> str:
    """A name."""
    found = scalar(data, wanted)
    if found.content in RESERVED:
        label = f"`{found.content}` is a reserved word, so it cannot be a name"
        raise catalog.SYNTAX.error(found.span, label, help="choose another name")
    if not NAME.fullmatch(found.content):
        help = THOUSANDS if found.content.isdigit() else NAME_HELP
        raise catalog.WRONG_TYPE.error(found.span, f"`{shown(found.content)}` is not a name", help=help)
    # The grammar has the same bound: both notations take the same names.
    if len(found.content) > LONGEST_NAME:
        raise catalog.TOO_LARGE.error(found.span, f"a name has at most {LONGEST_NAME} characters")
    return found.content


def target(entry: MappingEntry) -> tuple[str, ...]:
    """The names in a key, as in `conv.bias`."""
    return (name(entry.key),) if entry.key.content.isdigit() else parsed(scalar(entry.key, "a name"), "target")


# ---- mappings


def lines(data: Data, wanted: str) -> list[MappingEntry]:
    """The lines of an ordered mapping; a list of mappings is another way to write it, in which keys may repeat."""
    if isinstance(data, Sequence):
        return [line for each in collected(lambda item: lines(item, wanted), data.items) for line in each]
    return list(kind(data, Mapping, wanted).entries)


# ---- expressions


def whole(data: Data, *, lists: bool = False) -> Expression:
    """A value that the text form can say, too: plain data may nest where no text has so many brackets."""
    value = expression(data) if lists else block(data)
    if not isinstance(data, Scalar) and is_too_deep(value):
        label = "as one expression, this is nested too deeply to be read"
        raise catalog.TOO_DEEP.error(data.span, label, help="give its parts names, as constants or blocks")
    return value


def is_too_deep(value: Expression, around: int = 0) -> bool:
    """True if a value, inside of some brackets, nests deeper than the grammar reads: in brackets, or in levels."""
    left = [(value, around, 0)]
    while left:
        each, brackets, levels = left.pop()
        # The text form puts this in brackets, and its limits are on brackets and on levels.
        brackets += each.grouped
        if brackets > DEEPEST or levels > DEEPEST_TREE:
            return True
        for part in parts(each):
            is_inside = isinstance(each, BRACKETED) and part is not outside(each)
            left.append((part, brackets + is_inside, levels + 1 + each.grouped + 2 * is_inside))
    return False


BRACKETED = (Call, Items, Comprehension, Index, ListSlice)


def outside(node: Expression) -> Expression | None:
    """The part of a call or index that stands before its brackets."""
    return node.callee if isinstance(node, Call) else node.base if isinstance(node, Index | ListSlice) else None


def expression(data: Data) -> Expression:
    """A value where a list is a list."""
    if isinstance(data, Sequence):
        return Items(data.span, False, tuple(collected(expression, data.items)))
    return block(data)


def block(data: Data) -> Expression:
    """A value where a list is a chain."""
    if isinstance(data, Scalar):
        return parsed(scalar(data, "an expression"), "expression")
    if isinstance(data, Mapping):
        return validated(PlainBlock, data).expression()
    if not data.items:
        raise catalog.DOCUMENT.error(data.span, "a chain without links", help="`identity` does nothing")
    links = collected(block, data.items)
    return Chain(data.span, False, tuple(map(inner, links))) if len(links) > 1 else links[0]


def inner(value: Expression) -> Expression:
    """A value as part of another: what would stand in brackets in the text form is marked so."""
    return value.replace(grouped=True) if isinstance(value, Binary | Chain) else value


def arguments(data: Data) -> tuple[CallArgument, ...]:
    """The arguments of a call: a list by position, a mapping by name."""
    if not isinstance(data, Sequence):
        return named(data, "a mapping of names to values, or a list of values,")
    return tuple(CallArgument(each.span, False, (), each) for each in collected(expression, data.items))


def named(data: Data, wanted: str = "a mapping of names to values") -> tuple[CallArgument, ...]:
    """Arguments by name."""

    def argument(entry: MappingEntry) -> CallArgument:
        key, value = both(lambda: target(entry), lambda: expression(entry.value))
        return CallArgument(entry.span, False, key, value)

    return tuple(collected(argument, kind(data, Mapping, wanted).entries))


def both(*work: Callable[[], Any]) -> list[Any]:
    """The results of several pieces of work; raises ArchError with the findings of all."""
    return collected(lambda each: each(), work)


Count = Annotated[Expression | None, Key(lambda entry: expression(entry.value), "count")]
Inner = Annotated[Expression, Key(lambda entry: block(entry.value), "block")]
Arguments = Annotated[tuple[CallArgument, ...] | None, Key(lambda entry: arguments(entry.value), "arguments")]
LocalSettings = Annotated[tuple[CallArgument, ...] | None, Key(lambda entry: named(entry.value), "local settings")]
LinkName = Annotated[str | None, Key(lambda entry: name(entry.value), "name")]


REPEATS = {"n", "number", "repeats", "times", "depth", "num_blocks", "num_layers"}
"""Keys of other libraries for the number of blocks."""


class PlainBlock(Model):
    """`{repeat: 3, block: bottleneck, args: {...}, with: {...}, as: name}`."""

    where: ClassVar[str] = "a block"
    needed: ClassVar[dict[str, str]] = {"block": "`block` is missing here"}

    repeat: Count = Field(None, description="How often, each time with weights of its own.")
    block: Inner = Field(description="The block.")
    arguments: Arguments = Field(
        None, alias="args", description="The block's arguments: by name, or a list by position."
    )
    settings: LocalSettings = Field(None, alias="with", description="Settings for this block and all in it.")
    called: LinkName = Field(None, alias="as", description="The name of the module.")

    @classmethod
    def content(cls, given: Mapping) -> Content:
        """The lines of a mapping."""
        entries = {entry.key.content: entry for entry in given.entries}
        return Content(given.span, dict(entries), {key: entry.key.span for key, entry in entries.items()})

    @classmethod
    def unknown(cls, key: Scalar) -> Diagnostic:
        """The finding for a key that there is none of: an argument of the block, or one that is misspelt."""
        name = key.content
        if BRACKETS_OR_ARROW.search(name):
            return super().unknown(key)
        meant = "repeat" if name in REPEATS else next(iter(nearest(name, cls.all_keys())), "")
        help = f"did you mean `{meant}`?" if meant else f"arguments of the block go into `args: {{{shown(name)}: ...}}`"
        return catalog.DOCUMENT.at(key.span, f"`{shown(name)}` is not a key of a block", help=help)

    def expression(self) -> Expression:
        """The block as an expression."""
        assert self.span is not None
        # Inside out: the settings hold for all repeats, and the name is that of the whole.
        value = self.block
        if self.arguments is not None:
            value = Call(self.span, False, inner(value), self.arguments)
        if self.repeat is not None:
            value = Binary(self.span, False, "*", inner(self.repeat), inner(value))
        if self.settings is not None:
            last = CallArgument(value.span, False, (), value)
            value = Call(self.span, False, Name(self._places["with"], False, "with"), (*self.settings, last))
        return value if self.called is None else Named(self.span, False, inner(value), self.called)
