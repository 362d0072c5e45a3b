"""A document as a YAML file."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import NamedTuple

from archdsl.frontend.docstring import tidy
from archdsl.frontend.printing import figures
from archdsl.frontend.printing.bodies import statements
from archdsl.frontend.printing.expressions import expression, signature
from archdsl.frontend.printing.layout import WIDTH, Layout, fill, render
from archdsl.frontend.printing.scalars import can_be_block, scalar
from archdsl.lang.document import Backbone, Check, Document, Section
from archdsl.lang.syntax import Block, Expression, Function, Items, Parameter, Return, Spread

STEP = 2
ENDLESS = 10**9
SHORT = re.compile("(stem )?(stages )*(head )?")
Lines = Iterator[str]


class Entry(NamedTuple):
    """A line of a mapping: its key, and what writes it, given the indentation."""

    key: str
    write: Callable[[int], Lines]


def yaml_text(document: Document) -> str:
    """The whole file. A single backbone has its keys at the top."""
    groups: list[Iterable[str]] = [head(document)]
    if document.blocks:
        groups.append(nested("blocks", [definition(each) for each in document.blocks], 0))
    if document.functions:
        groups.append(nested("functions", [definition(each) for each in document.functions], 0))
    match document.backbones:
        case ():
            pass
        case (only,):
            groups.append([f"name: {scalar(only.name, prose=True)}", *backbone(only, 0)])
        case several:
            entries = [Entry(each.name, partial(named_backbone, each)) for each in several]
            groups.append(nested("backbones", entries, 0))
    return "\n".join(filter(None, ("".join(f"{line}\n" for line in group) for group in groups))) or "{}\n"


def head(document: Document) -> Lines:
    """The edition and the imports."""
    if document.edition is not None:
        yield f"archdsl: {document.edition}"
    if document.imports:
        yield f"import: {one_or_list([each.path for each in document.imports])}"


def one_or_list(texts: Sequence[str]) -> str:
    """A text, or several in a list."""
    if len(texts) == 1:
        return scalar(texts[0], prose=True)
    return f"[{', '.join(scalar(text, flow=True, prose=True) for text in texts)}]"


# ---- mappings --------------------------------------------------------------------------------------------------------


def nested(key: str, entries: Sequence[Entry], indent: int) -> Lines:
    """A mapping, line by line; where a key repeats, a list of mappings."""
    yield f"{' ' * indent}{key}:"
    repeats = len({entry.key for entry in entries}) < len(entries)
    for entry in entries:
        if repeats:
            first, *rest = entry.write(indent + 2 * STEP)
            yield f"{' ' * indent}  - {first.lstrip()}"
            yield from rest
        else:
            yield from entry.write(indent + STEP)


def short_mapping(key: str, pairs: Sequence[tuple[str, Value]], indent: int) -> Lines:
    """A mapping on one line, if it fits there without more quotes; otherwise line by line."""
    inside = [(scalar(name, prose=True), value.flow) for name, value in pairs]
    text = f"{' ' * indent}{key}: {{{', '.join(f'{name}: {flow}' for name, flow in inside)}}}"
    plain = all(value.flow == value.flat for _, value in pairs)
    if plain and len(text) <= WIDTH and len({name for name, _ in pairs}) == len(pairs):
        yield text
    else:
        yield from nested(key, [Entry(name, partial(value.entry, name)) for name, value in pairs], indent)


class Value(NamedTuple):
    """A value in its three forms: inside brackets, on one line, and as a layout for several lines."""

    flow: str
    flat: str
    layout: Layout

    def entry(self, key: str, indent: int) -> Lines:
        """`key: value`, as a block of text where the line would be too long."""
        text = f"{' ' * indent}{scalar(key, prose=True)}: {self.flat}"
        if len(text) <= WIDTH or "\n" not in (lines := render(self.layout, indent + STEP)):
            yield text
        else:
            yield from block(key, lines.split("\n"), indent, " " * (indent + STEP))


def block(key: str, lines: Iterable[str], indent: int, pad: str = "") -> Lines:
    """`key: |` and lines of text; `pad` is put before the first."""
    yield f"{' ' * indent}{scalar(key, prose=True)}: |"
    for number, each in enumerate(lines):
        yield each if number else pad + each


def value_of(node: Expression, *, lists: bool = False) -> Value:
    """An expression as a value; `lists` where a YAML list is a list, and not a chain."""
    layout = expression(node)
    flat = render(layout, width=ENDLESS)
    if lists and isinstance(node, Items) and not any(isinstance(each, Spread) for each in node.items):
        items = [value_of(each, lists=True) for each in node.items]
        if all(item.flow == item.flat for item in items):
            text = f"[{', '.join(item.flow for item in items)}]"
            return Value(text, text, layout)
    return Value(scalar(flat, flow=True), scalar(flat), layout)


def expression_entry(key: str, node: Expression) -> Entry:
    """A line whose value is an expression."""
    return Entry(key, partial(value_of(node).entry, key))


def doc_lines(doc: str, indent: int) -> Lines:
    """`doc: ...`, if there is something to say."""
    text = tidy(f"\n{doc}")
    if "\n" in text and can_be_block(text):
        mark = "|2" if text.startswith(" ") else "|"
        yield f"{' ' * indent}doc: {mark}"
        yield from (" " * (indent + STEP) + line if line else "" for line in text.split("\n"))
    elif text:
        yield f"{' ' * indent}doc: {scalar(text, prose=True)}"


# ---- definitions -----------------------------------------------------------------------------------------------------


def definition(node: Block | Function) -> Entry:
    """A block or function; with neither parameters nor a doc, its body stands behind its name."""
    if not node.parameters and not node.doc:
        return Entry(node.name, partial(body, node.name, node))
    return Entry(node.name, partial(long_definition, node))


def long_definition(node: Block | Function, indent: int) -> Lines:
    """`name:` and `args`, `doc`, `body` below it."""
    yield f"{' ' * indent}{scalar(node.name, prose=True)}:"
    if node.parameters:
        yield from signature_value(node.parameters).entry("args", indent + STEP)
    yield from doc_lines(node.doc, indent + STEP)
    yield from body("body", node, indent + STEP)


def body(key: str, node: Block | Function, indent: int) -> Lines:
    """An expression, or statements as a block of text."""
    match node.body:
        case (Return(value=value),):
            yield from value_of(value).entry(key, indent)
        case several:
            lines = (line for each in statements(several, indent + STEP) for line in each.split("\n"))
            yield from block(key, lines, indent)


def signature_value(parameters: Sequence[Parameter]) -> Value:
    """A signature in a string."""
    layout = fill(signature(parameters), behind=",")
    flat = render(layout, width=ENDLESS)
    return Value(scalar(flat, flow=True), scalar(flat), layout)


# ---- backbones -------------------------------------------------------------------------------------------------------


def named_backbone(node: Backbone, indent: int) -> Lines:
    """One of several backbones."""
    yield f"{' ' * indent}{scalar(node.name, prose=True)}:"
    yield from backbone(node, indent + STEP)


def backbone(node: Backbone, indent: int) -> Lines:
    """The keys of a backbone."""
    yield from doc_lines(node.doc, indent)
    yield from parameters(node.parameters, indent)
    if node.extends:
        layout = figures.parent(node.extends)
        yield from Value("", scalar(render(layout, width=ENDLESS)), layout).entry("extends", indent)
    if node.input:
        yield f"{' ' * indent}input: {'x'.join(map(str, node.input))}"
    if node.settings:
        pairs = [(".".join(each.target), value_of(each.value, lists=True)) for each in node.settings]
        yield from short_mapping("set", pairs, indent)
    yield from sections(node.sections, indent)
    if node.outputs:
        entries = [expression_entry(figures.output_key(each), each.value) for each in node.outputs]
        yield from nested("outputs", entries, indent)
    if node.drops:
        yield f"{' ' * indent}drop: {one_or_list([each.name for each in node.drops])}"
    if node.expect:
        yield from short_mapping("expect", [(".".join(each.figure), bound(each)) for each in node.expect], indent)


def parameters(given: Sequence[Parameter], indent: int) -> Lines:
    """`params: {name: default}`, or a signature where there is more to say."""
    pairs = [(each.name, value_of(each.default, lists=True)) for each in given if each.default is not None]
    if len(pairs) < len(given) or any(each.type or each.named for each in given):
        yield from signature_value(given).entry("params", indent)
    elif given:
        yield from short_mapping("params", pairs, indent)


def sections(given: Sequence[Section], indent: int) -> Lines:
    """`stem`, `stages` and `head` where they come in this order, otherwise `sections`."""
    kinds = "".join("stages " if each.stage else f"{each.name} " for each in given)
    if not SHORT.fullmatch(kinds):
        keys = [("stage " if each.stage else "") + figures.stage_key(each) for each in given]
        entries = [expression_entry(key, each.value) for key, each in zip(keys, given, strict=True)]
        yield from nested("sections", entries, indent)
        return
    stages = [each for each in given if each.stage]
    for each in given:
        if not each.stage:
            yield from expression_entry(each.name, each.value).write(indent)
        elif each is stages[0]:
            entries = [expression_entry(figures.stage_key(stage), stage.value) for stage in stages]
            yield from nested("stages", entries, indent)


def bound(check: Check) -> Value:
    """What a figure is held to; `==` goes without saying."""
    amount = figures.amount(check.amount)
    text = amount if check.sign == "==" else f"{check.sign} {amount}"
    return Value(scalar(text, flow=True), scalar(text), text)
