"""Values of YAML keys: on one line, line by line, or as a block of text."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import accumulate
from typing import NamedTuple

from archdsl.diagnostics.characters import escape, is_unseen
from archdsl.frontend.format.arch import PrintedLine
from archdsl.frontend.format.doc import ENDLESS, WIDTH, Layout, render, spots
from archdsl.frontend.format.expressions import expression
from archdsl.frontend.format.trivia import Notes, Place, at
from archdsl.syntax.ast import Chain, Expression, Items, Unpack

ESCAPED = re.compile(r'["\\]|[^\x20-\x7e]')
"""What stands in double quotes as an escape, or may have to."""

SPECIAL = re.compile(r"[-?](?:\s|\Z)|[\s,:\[\]{}#&*!|>'\"%@`~]|---|\.\.\.|\Z|.*(?:: | #|[:\s]\Z)|(?:=|<<)\Z", re.DOTALL)
IN_FLOW = re.compile(r"[,\[\]{}:?]")
GUESSED = re.compile(r"on|off|yes|no|null|0[\d_]+", re.IGNORECASE)
PROSE_GUESSED = re.compile(r"true|false|[-+.\d][-+.:_\deExXoT ]*|\.(?:inf|nan)", re.IGNORECASE)
ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\ufffe": "\\ufffe", "\uffff": "\\uffff"}


def scalar(text: str, *, flow: bool = False, prose: bool = False) -> str:
    """A text as a scalar; `flow` inside of brackets, `prose` where it is no expression, whatever it looks like."""
    if is_strange(text):
        return f'"{escaped(text)}"'
    quoted = SPECIAL.match(text) or GUESSED.fullmatch(text) or (flow and IN_FLOW.search(text))
    if not quoted and not (prose and (PROSE_GUESSED.fullmatch(text) or (flow and "(" in text))):
        return text
    return f'"{text}"' if not re.search(r'["\\]', text) else "'" + text.replace("'", "''") + "'"


def escaped(text: str) -> str:
    """The inside of double quotes."""
    return ESCAPED.sub(escaped_sign, text)


def escaped_sign(found: re.Match[str]) -> str:
    """One character, or its escape."""
    char = found[0]
    return ESCAPES.get(char) or (escape(char) if is_unseen(char) else char)


def is_strange(text: str) -> bool:
    """Whether a text can stand in a scalar only with escapes; line ends count."""
    return not text.isprintable() and any(char in "\n\ufffe\uffff" or is_unseen(char) for char in text)


def can_be_block(text: str) -> bool:
    """Whether lines of text can stand as they are after a `|`."""
    return not is_strange(text.replace("\n", ""))


STEP = 2
FEW_LINKS = 4
DEEPEST_LIST = 30
"""Lists inside of more lists are texts; YAML is read up to 40."""
Rows = Iterator[PrintedLine]


class MappingLine(NamedTuple):
    """A line of a mapping: its key, the places whose comments stand at it, and what writes it, given these two."""

    key: str
    places: tuple[Place, ...]
    write: Callable[[str, tuple[Place, ...], int], Rows]

    def rows(self, indent: int) -> Rows:
        """The line, and what belongs to it."""
        return self.write(self.key, self.places, indent)


def named(key: str) -> str:
    """A key, and the colon."""
    return f"{scalar(key, prose=True)}:"


def nested(key: str, places: tuple[Place, ...], entries: Sequence[MappingLine], indent: int) -> Rows:
    """A mapping, line by line; where a key repeats, a list of mappings."""
    yield PrintedLine(indent, named(key), places)
    repeats = len({entry.key for entry in entries}) < len(entries)
    for entry in entries:
        if repeats:
            first, *rest = entry.rows(indent + 2 * STEP)
            yield first._replace(indent=indent + STEP, layout=("- ", first.layout))
            yield from rest
        else:
            yield from entry.rows(indent + STEP)


class Value(NamedTuple):
    """A value: inside brackets, on one line, as a layout for several lines, and, of a chain in parts, these.

    `noted` says that comments stand in it, so that one line cannot hold it.
    """

    flow: str
    flat: str
    layout: Layout
    noted: bool = False
    links: tuple[Link, ...] = ()

    @property
    def quoted(self) -> bool:
        """Whether it has quotes around it."""
        return self.flat.startswith(('"', "'"))

    def write(self, key: str, places: tuple[Place, ...], indent: int) -> Rows:
        """`key: value`; where that line would be too long, as a list of links or a block of text."""
        text = f"{named(key)} {self.flat}"
        if self.links:
            yield PrintedLine(indent, named(key), places)
            yield from (row for link in self.links for row in link.rows(indent + STEP))
        elif not self.noted and (indent + len(text) <= WIDTH or "\n" not in render(self.layout, indent + STEP)):
            yield PrintedLine(indent, text, places)
        else:
            yield from block(key, places, [PrintedLine(indent + STEP, self.layout)], indent)


class Link(NamedTuple):
    """A link of a chain that is a list in YAML."""

    place: Place
    value: Value

    def rows(self, indent: int) -> Rows:
        """`- link`."""
        text = f"- {self.value.flat}"
        if not self.value.noted and (
            indent + len(text) <= WIDTH or "\n" not in render(self.value.layout, indent + STEP)
        ):
            yield PrintedLine(indent, text, (self.place,))
        else:
            yield PrintedLine(indent, "- |", (self.place,))
            yield PrintedLine(indent + STEP, self.value.layout)


def block(key: str, places: tuple[Place, ...], rows: Iterable[PrintedLine], indent: int) -> Rows:
    """`key: |` and lines of text."""
    yield PrintedLine(indent, f"{named(key)} |", places)
    yield from rows


def value_of(node: Expression, notes: Notes, own: Place = ()) -> Value:
    """An expression as a value; comments at its `own` place stand at its line, not in it."""
    return text_value(expression(node), notes, own)


def text_value(layout: Layout, notes: Notes, own: Place = ()) -> Value:
    """A layout as a value."""
    flat = render(layout, width=ENDLESS)
    noted = notes.comments_at(place for place in spots(layout) if place != own)
    return Value(scalar(flat, flow=True), scalar(flat), layout, noted)


def levels(text: str) -> int:
    """How many lists are open at once."""
    steps = accumulate((char == "[") - (char == "]") for char in text)
    return max(steps, default=0)


def list_value(node: Expression, notes: Notes) -> Value:
    """A value where a list in YAML is a list."""
    value = value_of(node, notes)
    if isinstance(node, Items) and not any(isinstance(each, Unpack) for each in node.items):
        items = [list_value(each, notes) for each in node.items]
        if all(item.flow == item.flat for item in items) and levels(value.flat) <= DEEPEST_LIST:
            text = f"[{', '.join(item.flow for item in items)}]"
            return value._replace(flow=text, flat=text)
    return value


def chain_value(key: str, node: Expression, notes: Notes, indent: int) -> Value:
    """A value where a list in YAML is a chain: one of chains is a list, and so is a long one of few links."""
    value = value_of(node, notes)
    if not isinstance(node, Chain):
        return value
    links = tuple(Link(at(link.span), value_of(link, notes, at(link.span))) for link in node.links)
    short = not value.noted and indent + len(named(key)) + 1 + len(value.flat) <= WIDTH
    few = len(links) <= FEW_LINKS and not any(link.value.quoted for link in links)
    of_chains = any(isinstance(link, Chain) for link in node.links)
    return value._replace(links=links) if of_chains or (few and not short) else value


def expression_entry(key: str, node: Expression, place: Place, notes: Notes) -> MappingLine:
    """A line whose value is an expression."""

    def write(key: str, places: tuple[Place, ...], indent: int) -> Rows:
        return chain_value(key, node, notes, indent).write(key, places, indent)

    return MappingLine(key, (place,), write)


def short_mapping(
    key: str,
    places: tuple[Place, ...],
    values: Sequence[tuple[str, Place, Value]],
    indent: int,
    notes: Notes,
    most: int,
) -> Rows:
    """A mapping on one line, if it is short, and fits there without more quotes; otherwise line by line."""
    inside = ", ".join(f"{named(name)} {value.flow}" for name, _, value in values)
    text = f"{named(key)} {{{inside}}}"
    plain = all(value.flow == value.flat and not value.noted for _, _, value in values)
    once = len({name for name, _, _ in values}) == len(values) <= most
    bare = not notes.comments_at(place for _, place, _ in values)
    if plain and once and bare and indent + len(text) <= WIDTH:
        yield PrintedLine(indent, text, places)
    else:
        yield from nested(
            key, places, [MappingLine(name, (place,), value.write) for name, place, value in values], indent
        )


def one_or_list(
    key: str, places: tuple[Place, ...], texts: Sequence[tuple[str, Place]], indent: int, notes: Notes
) -> Rows:
    """`key: text`, or several texts in a list."""
    if notes.comments_at(each for _, each in texts):
        yield PrintedLine(indent, named(key), places)
        yield from (PrintedLine(indent + STEP, f"- {scalar(text, prose=True)}", (each,)) for text, each in texts)
    elif len(texts) == 1:
        yield PrintedLine(indent, f"{named(key)} {scalar(texts[0][0], prose=True)}", (*places, texts[0][1]))
    else:
        inside = ", ".join(scalar(text, flow=True, prose=True) for text, _ in texts)
        yield PrintedLine(indent, f"{named(key)} [{inside}]", (*places, *(each for _, each in texts)))
