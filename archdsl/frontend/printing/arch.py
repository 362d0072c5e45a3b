"""A document as a `.arch` file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from archdsl.errors import Span, catalog
from archdsl.errors.characters import is_unseen
from archdsl.frontend.notation import LINE_WORDS
from archdsl.frontend.printing import figures
from archdsl.frontend.printing.bodies import docstring, statements
from archdsl.frontend.printing.columns import in_columns
from archdsl.frontend.printing.expressions import STEP, expression, listed, signature
from archdsl.frontend.printing.layout import ENDLESS, NO_NOTES, WIDTH, Layout, render, spots
from archdsl.frontend.printing.notes import Notes, Place, at, of
from archdsl.frontend.printing.rows import Row, weave
from archdsl.lang.text.document import Backbone, Check, Document, Import, Section
from archdsl.lang.text.syntax import Block, Function, Return

WIDEST_STAGE = 24
UNWRITABLE = '"\\\n'


def arch_text(document: Document, notes: Notes = NO_NOTES, *, ordered: bool = False) -> str:
    """The whole file. With `ordered`, everything keeps the order that it has in its source, a `.arch` text."""
    rows = [*head(document)]
    before = ""
    for word, found in definitions(document, notes, ordered):
        first, *rest = found
        single = word if not rest and "\n" not in render(first.layout, notes=NO_NOTES) else ""
        rows += [first._replace(apart=bool(rows) and (not single or single != before)), *rest]
        before = single
    return weave(rows, notes)


def head(document: Document) -> Iterator[Row]:
    """The edition and the imports."""
    if document.edition is not None:
        yield Row(0, f"archdsl {document.edition}", (of("archdsl"),))
    for each in document.imports:
        yield Row(0, import_line(each), (of("import"), at(each.span)))


def import_line(node: Import) -> str:
    """`import "path"`; raises ArchError for a path that cannot stand in quotes."""
    if any(sign in UNWRITABLE or is_unseen(sign) for sign in node.path):
        label = "the text form has no import of a path with a quote, a backslash, or a character that nobody sees"
        raise catalog.UNSUPPORTED.error(node.span, label)
    return f'import "{node.path}"'


def definitions(document: Document, notes: Notes, ordered: bool) -> Iterator[tuple[str, list[Row]]]:
    """Functions, blocks, backbones, each with the word that it begins with."""
    nodes = [*document.functions, *document.blocks, *document.backbones]
    if ordered:
        nodes.sort(key=lambda node: start_of(node.span))
    for node in nodes:
        word = WORDS[type(node)]
        rows = backbone(node, notes, ordered) if isinstance(node, Backbone) else definition(word, node, notes)
        first, *rest = rows
        yield word, [first._replace(places=(of(f"{word}s"), *first.places)), *rest]


WORDS: dict[type[Any], str] = {Function: "function", Block: "block", Backbone: "backbone"}
STARTS = {"function": "fn"}


def start_of(span: Span | None) -> int:
    """Where something stands."""
    return span.start if span else -1


def definition(word: str, node: Block | Function, notes: Notes) -> Iterator[Row]:
    """A block or function: `=` and an expression, or `:` and statements."""
    head = (f"{STARTS.get(word, word)} {node.name}", listed("(", signature(node.parameters), ")"))
    places = (at(node.span), of("args", node.span))
    doc = [*docstring(node, STEP)]
    match node.body:
        case (Return(value=value) as only,):
            inner = (of("body", node.span), at(only.span))
            one = (*head, " = ", expression(value))
            if not doc and fits(one, notes) and not notes.comments_at(inner):
                yield Row(0, one, (*places, *inner))
                return
            yield Row(0, (*head, " ="), places)
            yield from doc
            yield Row(STEP, expression(value), inner)
        case body:
            yield Row(0, (*head, ":"), places)
            yield from doc
            yield from statements(body, STEP, (of("body", node.span),))


def fits(layout: Layout, notes: Notes) -> bool:
    """Whether a layout stands on one line."""
    return not notes.comments_at(spots(layout)) and len(render(layout, width=ENDLESS)) <= WIDTH


def backbone(node: Backbone, notes: Notes, ordered: bool) -> Iterator[Row]:
    """A backbone: its head, and its lines, if it has some."""
    parameters = listed("(", signature(node.parameters), ")") if node.parameters else ""
    extends = (" extends ", figures.parent(node.extends)) if node.extends else ()
    places = (at(node.span), of("name", node.span), of("params", node.span), of("extends", node.span))
    doc, lines = [*docstring(node, STEP)], [*backbone_lines(node, notes)]
    if ordered:
        lines.sort(key=lambda row: min(filter(lambda start: start >= 0, map(notes.start_of, row.places)), default=0))
    yield Row(0, (f"backbone {node.name}", parameters, *extends, ":" if doc or lines else ""), places)
    yield from doc
    yield from lines


def backbone_lines(node: Backbone, notes: Notes) -> Iterator[Row]:
    """The lines of a backbone: input, settings, sections, outputs, what is left out, what to expect."""
    span = node.span
    if node.input:
        yield Row(STEP, f"input {' x '.join(map(str, node.input))}", (of("input", span),))
    for each in node.settings:
        layout = (f"{'.'.join(each.target)} = ", expression(each.value))
        yield Row(STEP, layout, (of("set", span), at(each.span)))
    yield from sections(node, notes)
    for each in node.outputs:
        layout = (f"output {figures.output_key(each)}: ", expression(each.value))
        yield Row(STEP, layout, (of("outputs", span), at(each.span)))
    for each in node.drops:
        text = f"{'stage ' if each.name in LINE_WORDS else ''}{each.name}: none"
        yield Row(STEP, text, (*figures.drop_places(span), at(each.span)))
    for checks in figures.expect_lines(node.expect, notes):
        yield Row(STEP, f"expect: {', '.join(map(figures.check, checks))}", check_places(span, checks))


def check_places(span: Span | None, checks: Iterable[Check]) -> tuple[Place, ...]:
    """The places of a line of checks."""
    return (of("expect", span), *(at(each.span) for each in checks))


def sections(node: Backbone, notes: Notes) -> Iterator[Row]:
    """The sections; what stages are stands in one column."""
    stages = [each for each in node.sections if each.stage]
    widest = max((len(text) for text in map(stage_head, stages) if len(text) <= WIDEST_STAGE), default=0)
    columns = iter(in_columns([each.value for each in stages], WIDTH - STEP - widest - 1, notes))
    for each in node.sections:
        if each.stage:
            layout = (stage_head(each).ljust(widest), " ", next(columns))
        else:
            layout = (f"{each.name}: ", expression(each.value))
        container = "stages" if each.stage else "sections"
        yield Row(STEP, layout, (of("sections", node.span), of(container, node.span), at(each.span)))


def stage_head(stage: Section) -> str:
    """The beginning of a stage's line."""
    return f"stage {figures.stage_key(stage)}:"
