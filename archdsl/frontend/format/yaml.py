"""A document as a YAML file."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import accumulate, chain
from typing import NamedTuple

from archdsl.diagnostics.characters import escape, is_unseen
from archdsl.frontend.format import arch
from archdsl.frontend.format.arch import Documented, PrintedLine, statements, weave
from archdsl.frontend.format.doc import ENDLESS, NO_NOTES, WIDTH, Layout, Notes, Place, at, of, render, spots
from archdsl.frontend.format.expressions import expression, filled, signature
from archdsl.syntax.ast import (
    Binary,
    Block,
    Chain,
    Comprehension,
    Conditional,
    Expectation,
    Expression,
    Function,
    Items,
    Named,
    Output,
    Parameter,
    Return,
    SectionLine,
    Unary,
    Unpack,
)
from archdsl.syntax.document import Backbone, File
from archdsl.syntax.models import simple_keys
from archdsl.syntax.text import tidy

# ---- values ----------------------------------------------------------------------------------------------------------

# Characters that double quotes hold as escapes, or may have to.
ESCAPED = re.compile(r'["\\]|[^\x20-\x7e]')

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
    # Single quotes hold quotes and backslashes as they are, where double ones need escapes.
    return f'"{text}"' if not re.search(r'["\\]', text) else "'" + text.replace("'", "''") + "'"


def escaped(text: str) -> str:
    """The inside of double quotes."""
    return ESCAPED.sub(escaped_sign, text)


def escaped_sign(found: re.Match[str]) -> str:
    """One character, or its escape."""
    char = found[0]
    return ESCAPES.get(char) or (escape(char) if is_unseen(char) else char)


def is_strange(text: str) -> bool:
    """Check that a scalar can hold a text only with escapes; line ends count."""
    return not text.isprintable() and any(char in "\n\ufffe\uffff" or is_unseen(char) for char in text)


def can_be_block(text: str) -> bool:
    """Check that lines of text can follow a `|` as they are."""
    return not is_strange(text.replace("\n", ""))


STEP = 2
FEW_LINKS = 4
# Lists inside of more lists are texts; YAML is read up to 40.
DEEPEST_LIST = 30
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
    # Settings may repeat, keys of a mapping may not.
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
    links: tuple[tuple[Place, Value], ...] = ()

    @property
    def quoted(self) -> bool:
        """True for a value in quotes."""
        return self.flat.startswith(('"', "'"))

    def write(self, key: str, places: tuple[Place, ...], indent: int) -> Rows:
        """`key: value`; where that line would be too long, as a list of links or a block of text."""
        if self.links:
            yield PrintedLine(indent, named(key), places)
            yield from (row for place, link in self.links for row in link.rows("-", (place,), indent + STEP))
        else:
            yield from self.rows(named(key), places, indent)

    def rows(self, head: str, places: tuple[Place, ...], indent: int) -> Rows:
        """The value behind a key or a dash, or as a block of text below it."""
        text = f"{head} {self.flat}"
        if not self.noted and (indent + len(text) <= WIDTH or "\n" not in render(self.layout, indent + STEP)):
            yield PrintedLine(indent, text, places)
        else:
            yield from block(head, places, [PrintedLine(indent + STEP, self.layout)], indent)


def block(head: str, places: tuple[Place, ...], rows: Iterable[PrintedLine], indent: int) -> Rows:
    """`key: |` or `- |`, and lines of text."""
    yield PrintedLine(indent, f"{head} |", places)
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
    """The depth of nested lists."""
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
    links = tuple((at(link.span), value_of(link, notes, at(link.span))) for link in node.links)
    short = not value.noted and indent + len(named(key)) + 1 + len(value.flat) <= WIDTH
    # A list of many links, or of links in quotes, reads worse than one block of text.
    few = len(links) <= FEW_LINKS and not any(value.quoted for _, value in links)
    of_chains = any(isinstance(link, Chain) for link in node.links)
    return value._replace(links=links) if of_chains or (few and not short) else value


def expression_rows(node: Expression, notes: Notes, key: str, places: tuple[Place, ...], indent: int) -> Rows:
    """A line whose value is an expression, and what belongs to it."""
    return chain_value(key, node, notes, indent).write(key, places, indent)


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
    # In braces a text with a comma or a colon needs quotes, and then reads worse than on a line of its own.
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


# ---- files -----------------------------------------------------------------------------------------------------------

MANY = 100
# Most settings on one line; more are easier to find in a column.
FEW = 2
# Values that are computed, or made of parts, have lines of their own.
REASONED = (Binary, Chain, Comprehension, Conditional, Named, Unary)
SHORT = re.compile("(stem )?(stages )*(head )?")
Places = tuple[Place, ...]


def yaml_text(document: File, notes: Notes = NO_NOTES) -> str:
    """The whole file. A single backbone has its keys at the top."""
    return weave(FileWriter(document, notes).rows() or [PrintedLine(0, "{}")], notes)


class FileWriter:
    """Writes the keys of a file."""

    def __init__(self, document: File, notes: Notes) -> None:
        self.document = document
        self.notes = notes

    def rows(self) -> list[PrintedLine]:
        """All keys, in groups with empty lines between: the head, the definitions, the backbones."""
        match self.document.backbones:
            case (only,):
                # Its name says what the file is, so it stands above the definitions.
                groups = [self.head(), self.network(only)]
            case several:
                groups = [self.head(), *self.definitions(), self.networks(several)]
        found: list[PrintedLine] = []
        for first, *rest in filter(None, map(list, groups)):
            found += [first._replace(apart=bool(found)), *rest]
        return found

    def network(self, only: Backbone) -> Rows:
        """The keys of the only backbone, with the definitions."""
        yield PrintedLine(0, f"name: {scalar(only.name, prose=True)}", (of("backbones"), at(only.span)))
        yield from NetworkWriter(only, self.notes, 0).rows(chain(*self.definitions()))

    def networks(self, several: tuple[Backbone, ...]) -> Rows:
        """Several backbones by name."""
        if several:
            entries = [
                MappingLine(each.name, (at(each.span),), partial(named_backbone, each, self.notes)) for each in several
            ]
            yield from nested("backbones", (of("backbones"),), entries, 0)

    def head(self) -> Rows:
        """The edition and the imports."""
        if self.document.edition is not None:
            yield PrintedLine(0, f"archdsl: {self.document.edition}", (of("archdsl"),))
        if self.document.imports:
            paths = [(each.path, at(each.span)) for each in self.document.imports]
            yield from one_or_list("import", (of("import"),), paths, 0, self.notes)

    def definitions(self) -> Iterator[Rows]:
        """The blocks, then the functions."""
        for key, nodes in (("blocks", self.document.blocks), ("functions", self.document.functions)):
            if nodes:
                yield nested(key, (of(key),), [definition(each, self.notes) for each in nodes], 0)


# ---- definitions -----------------------------------------------------------------------------------------------------


def definition(node: Block | Function, notes: Notes) -> MappingLine:
    """A block or function; with neither parameters nor a doc, its body stands behind its name."""
    if not node.parameters and not node.doc:
        places = (at(node.span), of("args", node.span), of("body", node.span))
        return MappingLine(node.name, places, partial(body, node, notes))
    return MappingLine(node.name, (at(node.span),), partial(long_definition, node, notes))


def long_definition(node: Block | Function, notes: Notes, key: str, places: Places, indent: int) -> Rows:
    """`name:` and `args`, `doc`, `body` below it."""
    yield PrintedLine(indent, named(key), places)
    if node.parameters:
        yield from signature_value(node.parameters, notes).write("args", (of("args", node.span),), indent + STEP)
    yield from doc_rows(node, indent + STEP)
    yield from body(node, notes, "body", (of("body", node.span),), indent + STEP)


def body(node: Block | Function, notes: Notes, key: str, places: Places, indent: int) -> Rows:
    """An expression, or statements as a block of text."""
    match node.body:
        case (Return(value=value) as only,):
            yield from expression_rows(value, notes, key, (*places, at(only.span)), indent)
        case several:
            yield from block(named(key), places, statements(several, indent + STEP), indent)


def signature_value(parameters: Sequence[Parameter], notes: Notes) -> Value:
    """A signature in a string."""
    return text_value(filled(signature(parameters)), notes)


def doc_rows(node: Documented, indent: int) -> Rows:
    """`doc: ...`, if there is something to say."""
    text = tidy(f"\n{node.doc}")
    places = (of("doc", node.span),)
    if "\n" in text and can_be_block(text):
        yield PrintedLine(indent, "doc: |2" if text.startswith(" ") else "doc: |", places)
        yield from (PrintedLine(indent + STEP, line) for line in text.split("\n"))
    elif text:
        yield PrintedLine(indent, f"doc: {scalar(text, prose=True)}", places)


# ---- backbones -------------------------------------------------------------------------------------------------------


def named_backbone(node: Backbone, notes: Notes, key: str, places: Places, indent: int) -> Rows:
    """One of several backbones."""
    yield PrintedLine(indent, named(key), places)
    yield from NetworkWriter(node, notes, indent + STEP).rows(())


class NetworkWriter:
    """Writes the keys of a backbone."""

    def __init__(self, node: Backbone, notes: Notes, indent: int) -> None:
        self.node = node
        self.notes = notes
        self.indent = indent

    def place(self, key: str) -> Places:
        """The place of a key."""
        return (of(key, self.node.span),)

    def rows(self, definitions: Iterable[PrintedLine]) -> Rows:
        """All keys; definitions stand before the sections."""
        node, indent = self.node, self.indent
        yield from doc_rows(node, indent)
        yield from self.parameters()
        if node.extends:
            parent = text_value(arch.parent(node.extends), self.notes)
            yield from parent.write("extends", self.place("extends"), indent)
        if node.input:
            yield PrintedLine(indent, f"input: {'x'.join(map(str, node.input))}", self.place("input"))
        if node.settings:
            rows = [
                (".".join(each.target), at(each.span), list_value(each.value, self.notes)) for each in node.settings
            ]
            most = 0 if any(isinstance(each.value, REASONED) for each in node.settings) else FEW
            yield from short_mapping("set", self.place("set"), rows, indent, self.notes, most)
        yield from definitions
        yield from self.sections()
        if node.outputs:
            entries = [self.entry(arch.output_key(each), each) for each in node.outputs]
            yield from nested("outputs", self.place("outputs"), entries, indent)
        if node.drops:
            names = [(each.name, at(each.span)) for each in node.drops]
            yield from one_or_list("drop", arch.drop_places(node.span), names, indent, self.notes)
        if node.expect:
            checks = [(".".join(each.figure), at(each.span), bound(each)) for each in node.expect]
            yield from short_mapping("expect", self.place("expect"), checks, indent, self.notes, MANY)
        # A key of a Python type needs no line of its own here: a new one is a field of the model, and nothing else.
        for key in sorted(simple_keys(Backbone)):
            if text := str(getattr(node, key)):
                yield PrintedLine(indent, f"{key}: {scalar(text, prose=True)}", self.place(key))

    def entry(self, key: str, part: SectionLine | Output) -> MappingLine:
        """A line of a section or output."""
        return MappingLine(key, (at(part.span),), partial(expression_rows, part.value, self.notes))

    def parameters(self) -> Rows:
        """`params: {name: default}`, or a signature where there is more to say."""
        given = self.node.parameters
        pairs = [
            (each.name, at(each.span), list_value(each.default, self.notes))
            for each in given
            if each.default is not None
        ]
        if len(pairs) < len(given) or any(each.type or each.named for each in given):
            yield from signature_value(given, self.notes).write("params", self.place("params"), self.indent)
        elif given:
            yield from short_mapping("params", self.place("params"), pairs, self.indent, self.notes, MANY)

    def sections(self) -> Rows:
        """`stem`, `stages` and `head` where they come in this order, otherwise `sections`."""
        given, indent = self.node.sections, self.indent
        kinds = "".join("stages " if each.stage else f"{each.name} " for each in given)
        if not SHORT.fullmatch(kinds):
            keys = [("stage " if each.stage else "") + arch.stage_key(each) for each in given]
            entries = [self.entry(*each) for each in zip(keys, given, strict=True)]
            yield from nested("sections", (*self.place("sections"), *self.place("stages")), entries, indent)
            return
        stages = [each for each in given if each.stage]
        for each in given:
            if not each.stage:
                yield from self.entry(each.name, each).rows(indent)
            elif each is stages[0]:
                entries = [self.entry(arch.stage_key(stage), stage) for stage in stages]
                yield from nested("stages", (*self.place("sections"), *self.place("stages")), entries, indent)


def bound(check: Expectation) -> Value:
    """The bound of an expectation; `==` is left out."""
    amount = arch.amount(check.amount) + arch.load(check)
    text = amount if check.sign == "==" else f"{check.sign} {amount}"
    return Value(scalar(text, flow=True), scalar(text), text)
