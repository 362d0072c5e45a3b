"""Values: an expression in a string, a list, or a block in plain data, which programs write more easily."""

from __future__ import annotations

import re

from archdsl.errors import ArchError, Source, Span, catalog
from archdsl.frontend.arch.parser import parse
from archdsl.frontend.text import Text
from archdsl.frontend.yaml.data import Data, Entry, Mapping, Scalar, Sequence
from archdsl.frontend.yaml.reading import Reader
from archdsl.lang.text.syntax import Argument, Binary, Call, Chain, Expression, Items, Name, Named

SMALL = 160
ALIAS = re.compile(r"(?<![\w)\]])\s*\*\w")
PLAIN = ("repeat", "block", "args", "with", "as")


class Values(Reader):
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
            last = Argument(value.span, False, (), value)
            value = Call(data.span, False, Name(keys["with"].key.span, False, "with"), (*settings, last))
        return value if name is None else Named(data.span, False, inner(value), name)

    def arguments(self, data: Data) -> tuple[Argument, ...] | None:
        """The arguments of a call: a list by position, a mapping by name."""
        if not isinstance(data, Sequence):
            return self.named(data, "a mapping of names to values, or a list of values,")
        values = [self.expression(each) for each in data.items]
        return tuple(Argument(each.span, False, (), each) for each in given(values)) if all(values) else None

    def named(self, data: Data, wanted: str = "a mapping of names to values") -> tuple[Argument, ...] | None:
        """Arguments by name."""
        mapping = self.kind(data, Mapping, wanted)
        if mapping is None:
            return None
        pairs = [(entry, self.target(entry), self.expression(entry.value)) for entry in mapping.entries]
        found = [Argument(line(entry), False, target, value) for entry, target, value in pairs if target and value]
        return tuple(found) if len(found) == len(pairs) else None

    def target(self, entry: Entry) -> tuple[str, ...] | None:
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
    from archdsl.frontend.printing.expressions import expression
    from archdsl.frontend.printing.layout import ENDLESS, render

    try:
        text = render(expression(value), width=ENDLESS)
        parse(Text.of(Source("", f"{around}({text})" if around else text)), "expression")
    except (ArchError, RecursionError):
        return False
    return True


def given(values: list[Expression | None]) -> tuple[Expression, ...]:
    """The values that could be read."""
    return tuple(each for each in values if each is not None)


def inner(value: Expression) -> Expression:
    """A value as part of another: what would stand in brackets in the text form is marked so."""
    return value.replace(grouped=True) if isinstance(value, Binary | Chain) else value


def line(entry: Entry) -> Span:
    """The place of a whole line."""
    return entry.key.span.to(entry.value.span)
