"""A document as a YAML file."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import chain

from archdsl.frontend.format import arch
from archdsl.frontend.format.arch import Documented, PrintedLine, statements, weave
from archdsl.frontend.format.doc import NO_NOTES
from archdsl.frontend.format.expressions import filled, signature
from archdsl.frontend.format.trivia import Notes, Place, at, of
from archdsl.frontend.format.values import (
    STEP,
    MappingLine,
    Rows,
    Value,
    block,
    can_be_block,
    chain_value,
    expression_entry,
    list_value,
    nested,
    one_or_list,
    scalar,
    short_mapping,
    text_value,
)
from archdsl.syntax.ast import (
    Binary,
    Block,
    Chain,
    Comprehension,
    Conditional,
    Function,
    Named,
    Parameter,
    Return,
    Unary,
)
from archdsl.syntax.document import Backbone, File
from archdsl.syntax.elements import Expectation, Output, SectionLine
from archdsl.syntax.located_text import tidy

MANY = 100
FEW = 2
"""So many settings stand in one line at most; more are easier to find in a column."""
REASONED = (Binary, Chain, Comprehension, Conditional, Named, Unary)
"""What is worked out, or made of parts, has a line of its own."""
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
        """All keys, in groups with empty lines between."""
        found: list[PrintedLine] = []
        for first, *rest in self.groups():
            found += [first._replace(apart=bool(found)), *rest]
        return found

    def groups(self) -> Iterator[list[PrintedLine]]:
        """The groups: the head, the definitions, the backbones."""
        inside = self.defines_inside()
        groups = [[*self.head()], *([] if inside else [[*rows] for rows in self.definitions()])]
        yield from (group for group in groups if group)
        match self.document.backbones:
            case ():
                pass
            case (only,):
                name = PrintedLine(0, f"name: {scalar(only.name, prose=True)}", (of("backbones"), at(only.span)))
                network = NetworkWriter(only, self.notes, 0)
                yield [name, *network.rows([*chain(*self.definitions())] if inside else [])]
            case several:
                entries = [
                    MappingLine(each.name, (at(each.span),), partial(named_backbone, each, self.notes))
                    for each in several
                ]
                yield [*nested("backbones", (of("backbones"),), entries, 0)]

    def defines_inside(self) -> bool:
        """Whether the author put the definitions behind the name of the only backbone."""
        places = [of("blocks"), of("functions")]
        starts = [start for place in places if (start := self.notes.start_of(place)) >= 0]
        match self.document.backbones:
            case (only,):
                return bool(starts) and only.span is not None and min(starts) > only.span.start
            case _:
                return False

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
    yield PrintedLine(indent, f"{scalar(key, prose=True)}:", places)
    if node.parameters:
        yield from signature_value(node.parameters, notes).write("args", (of("args", node.span),), indent + STEP)
    yield from doc_rows(node, indent + STEP)
    yield from body(node, notes, "body", (of("body", node.span),), indent + STEP)


def body(node: Block | Function, notes: Notes, key: str, places: Places, indent: int) -> Rows:
    """An expression, or statements as a block of text."""
    match node.body:
        case (Return(value=value) as only,):
            yield from chain_value(key, value, notes, indent).write(key, (*places, at(only.span)), indent)
        case several:
            yield from block(key, places, statements(several, indent + STEP), indent)


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
    yield PrintedLine(indent, f"{scalar(key, prose=True)}:", places)
    yield from NetworkWriter(node, notes, indent + STEP).rows([])


class NetworkWriter:
    """Writes the keys of a backbone."""

    def __init__(self, node: Backbone, notes: Notes, indent: int) -> None:
        self.node = node
        self.notes = notes
        self.indent = indent

    def place(self, key: str) -> Places:
        """The place of a key."""
        return (of(key, self.node.span),)

    def rows(self, definitions: Sequence[PrintedLine]) -> Rows:
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

    def entry(self, key: str, part: SectionLine | Output) -> MappingLine:
        """A line of a section or output."""
        return expression_entry(key, part.value, at(part.span), self.notes)

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
    """What a figure is held to; `==` goes without saying."""
    amount = arch.amount(check.amount) + arch.load(check)
    text = amount if check.sign == "==" else f"{check.sign} {amount}"
    return Value(scalar(text, flow=True), scalar(text), text)
