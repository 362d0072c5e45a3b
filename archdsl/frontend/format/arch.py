"""A document as a `.arch` file."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any

from archdsl.diagnostics import Span, catalog
from archdsl.diagnostics.characters import is_unseen, name_of_character
from archdsl.frontend.format.doc import (
    ENDLESS,
    NO_NOTES,
    WIDTH,
    Layout,
    Notes,
    Place,
    PrintedLine,
    at,
    of,
    render,
    spots,
    weave,
)
from archdsl.frontend.format.expressions import STEP, arguments, expression, listed, names_of, signature
from archdsl.syntax import ast
from archdsl.syntax.ast import Block, Expectation, Extends, Function, Import, Output, Return, SectionLine
from archdsl.syntax.document import Backbone, File
from archdsl.syntax.text import LINE_WORDS, tidy

NUMBER = re.compile(r"\d[\d_.]*")
COMMA = ", "


def in_columns(values: Sequence[ast.Expression], room: int, notes: Notes) -> list[Layout]:
    """The values of stages, in columns if each of them fits into its line."""
    layouts = [expression(value) for value in values]
    # A comment breaks its line, and what is broken has no columns.
    if any(notes.comments_at(spots(layout)) for layout in layouts):
        return layouts
    lines = table([render(layout, width=ENDLESS) for layout in layouts])
    return [*lines] if all(len(line) <= room for line in lines) else layouts


def table(texts: Sequence[str]) -> list[str]:
    """Texts, with blanks behind the commas of neighbours that differ in numbers only."""
    found: list[str] = []
    # Only neighbors that differ in nothing but numbers read as a table.
    for _, alike in groupby(texts, key=lambda text: NUMBER.sub("0", text)):
        rows = [text.split(COMMA) for text in alike]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        for *cells, last in rows:
            padded = [f"{cell},".ljust(width + 1) for cell, width in zip(cells, widths, strict=False)]
            found.append(" ".join([*padded, last]))
    return found


QUOTES = '"""'

Documented = ast.Block | ast.Function | Backbone
Places = tuple[Place, ...]


def docstring(node: Documented, indent: int) -> Iterator[PrintedLine]:
    """A docstring, if there is something to say; raises ArchError for what no docstring can say."""
    text = tidy(f"\n{node.doc}")
    if not text:
        return
    # A docstring has no escapes, so what it cannot hold is refused; to leave it out would change the document.
    if QUOTES in text:
        label = "the doc has three quotes in a row, which end a docstring in the text form"
        raise catalog.UNSUPPORTED.error(node.span, label, help="write one quote, or two, in the doc")
    if (found := next(filter(is_unseen, text), None)) is not None:
        label = f"the doc has a character that nobody sees, {name_of_character(found)}, which a docstring cannot escape"
        raise catalog.UNSUPPORTED.error(node.span, label, help="remove it from the doc")
    yield PrintedLine(indent, "\n".join(quoted(text, " " * indent)), (of("doc", node.span),))


def quoted(text: str, pad: str) -> Iterator[str]:
    """The lines of a docstring; all but the first are indented."""
    first, *rest = text.split("\n")
    if not rest and not text.endswith('"'):
        yield f"{QUOTES}{text}{QUOTES}"
        return
    # Behind the quotes a line has no indentation, and the others are measured without it.
    beside = not first.startswith(" ") and any(re.match("[^ ]", line) for line in rest)
    yield QUOTES + (first if beside else "")
    yield from (pad + line if line else "" for line in (rest if beside else [first, *rest]))
    yield pad + QUOTES


def statements(body: tuple[ast.Statement, ...], indent: int, first: tuple[Place, ...] = ()) -> Iterator[PrintedLine]:
    """The lines of a body; `first` are further places of its first line."""
    for each in body:
        yield from FORMS[type(each)](each, indent, (*first, at(each.span)))
        first = ()


def assign(node: ast.Assign, indent: int, places: Places) -> Iterator[PrintedLine]:
    """`a, b = value`."""
    targets = ", ".join(each.id for each in node.targets)
    yield PrintedLine(indent, (f"{targets} = ", expression(node.value)), places)


def leave(node: ast.Return, indent: int, places: Places) -> Iterator[PrintedLine]:
    """`return value`."""
    yield PrintedLine(indent, ("return ", expression(node.value)), places)


def loop(node: ast.For, indent: int, places: Places) -> Iterator[PrintedLine]:
    """`for i in list:` and its body."""
    yield PrintedLine(indent, (f"for {names_of(node.variables)} in ", expression(node.source), ":"), places)
    yield from statements(node.body, indent + STEP)


def choice(node: ast.If, indent: int, places: Places, word: str = "if") -> Iterator[PrintedLine]:
    """`if`, `elif` and `else`."""
    yield PrintedLine(indent, (f"{word} ", expression(node.test), ":"), places)
    yield from statements(node.body, indent + STEP)
    otherwise = of("else", node.span)
    match node.other:
        case ():
            pass
        case (ast.If() as other,):
            yield from choice(other, indent, (otherwise, at(other.span)), "elif")
        case other:
            yield PrintedLine(indent, "else:", (otherwise,))
            yield from statements(other, indent + STEP)


FORMS: dict[type[ast.Statement], Callable[[Any, int, Places], Iterator[PrintedLine]]] = {
    ast.Assign: assign,
    ast.Return: leave,
    ast.For: loop,
    ast.If: choice,
}


EXPECT_LINE = re.compile(r"\n\s*expect\s*:")
ROOM = WIDTH - len("    expect: ")


def amount(text: str) -> str:
    """An amount, with its digits in groups of three."""
    # Only of whole numbers as Python writes them: `4.3G` and `28x28` stay as they are.
    return f"{int(text):_}" if text.isdecimal() and str(int(text)) == text else text


def parent(extends: Extends) -> Layout:
    """A parent, with arguments or without."""
    return (extends.parent, *arguments(extends.arguments)) if extends.arguments else extends.parent


def stage_key(section: SectionLine) -> str:
    """The name of a stage, with the number by which it reduces."""
    return section.name if section.reduction is None else f"{section.name} / {section.reduction}"


def output_key(output: Output) -> str:
    """The name of an output, and whether it is there in training only."""
    return f"{output.name} if training" if output.training else output.name


def drop_places(owner: Span | None) -> tuple[Place, ...]:
    """The places of comments on dropped sections and outputs."""
    return tuple(of(key, owner) for key in ("drop", "stages", "sections", "outputs"))


def check(node: Expectation) -> str:
    """A figure, and what it is held to."""
    return f"{'.'.join(node.figure)} {node.sign} {amount(node.amount)}{load(node)}"


def load(node: Expectation) -> str:
    """The batch and precision that a check is for."""
    batch = "" if node.batch is None else f" at batch {node.batch}"
    return f"{batch} {node.precision}" if node.precision else batch


def expect_lines(checks: Sequence[Expectation], notes: Notes) -> Iterator[list[Expectation]]:
    """As many lines of checks as their author began, as they need, and as their comments need."""
    row: list[Expectation] = []
    room = ROOM
    for each in checks:
        needed = len(check(each)) + 2
        if row and (needed > room + 2 or stands_apart(row[-1], each, notes)):
            yield row
            row, room = [], ROOM
        row.append(each)
        room -= needed
    if row:
        yield row


def stands_apart(before: Expectation, after: Expectation, notes: Notes) -> bool:
    """Check that two expectations go on separate lines: both have comments, or the author wrote two in `.arch`."""
    if notes.above and notes.comments_at([at(before.span), at(after.span)]):
        return True
    if not notes.keep or before.span is None or after.span is None:
        return False
    return EXPECT_LINE.search(before.span.source.text, before.span.end, after.span.start) is not None


WIDEST_STAGE = 24
UNWRITABLE = '"\\\n'


def arch_text(document: File, notes: Notes = NO_NOTES, *, ordered: bool = False) -> str:
    """The whole file. With `ordered`, everything keeps the order that it has in its source, a `.arch` text."""
    # Neighbors of one kind on a line each stand together, as in a list; all else is apart.
    rows = [*head(document)]
    before = ""
    for word, found in definitions(document, notes, ordered):
        first, *rest = found
        single = word if not rest and "\n" not in render(first.layout, notes=NO_NOTES) else ""
        rows += [first._replace(apart=bool(rows) and (not single or single != before)), *rest]
        before = single
    return weave(rows, notes)


def head(document: File) -> Iterator[PrintedLine]:
    """The edition and the imports."""
    if document.edition is not None:
        yield PrintedLine(0, f"archdsl {document.edition}", (of("archdsl"),))
    for each in document.imports:
        yield PrintedLine(0, import_line(each), (of("import"), at(each.span)))


def import_line(node: Import) -> str:
    """`import "path"`; raises ArchError for a path that cannot stand in quotes."""
    if any(sign in UNWRITABLE or is_unseen(sign) for sign in node.path):
        label = "the text form has no import of a path with a quote, a backslash, or a character that nobody sees"
        raise catalog.UNSUPPORTED.error(node.span, label)
    return f'import "{node.path}"'


def definitions(document: File, notes: Notes, ordered: bool) -> Iterator[tuple[str, list[PrintedLine]]]:
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
    """The offset at which a place starts, or -1 without one."""
    return span.start if span else -1


def definition(word: str, node: Block | Function, notes: Notes) -> Iterator[PrintedLine]:
    """A block or function: `=` and an expression, or `:` and statements."""
    head = (f"{STARTS.get(word, word)} {node.name}", listed("(", signature(node.parameters), ")"))
    places = (at(node.span), of("args", node.span))
    doc = [*docstring(node, STEP)]
    match node.body:
        case (Return(value=value) as only,):
            inner = (of("body", node.span), at(only.span))
            one = (*head, " = ", expression(value))
            # A docstring and a comment need lines of their own, and so does the expression below them.
            if not doc and fits(one, notes) and not notes.comments_at(inner):
                yield PrintedLine(0, one, (*places, *inner))
                return
            yield PrintedLine(0, (*head, " ="), places)
            yield from doc
            yield PrintedLine(STEP, expression(value), inner)
        case body:
            yield PrintedLine(0, (*head, ":"), places)
            yield from doc
            yield from statements(body, STEP, (of("body", node.span),))


def fits(layout: Layout, notes: Notes) -> bool:
    """Check that a layout fits on one line, and has no comments."""
    return not notes.comments_at(spots(layout)) and len(render(layout, width=ENDLESS)) <= WIDTH


def backbone(node: Backbone, notes: Notes, ordered: bool) -> Iterator[PrintedLine]:
    """A backbone: its head, and its lines, if it has some."""
    parameters = listed("(", signature(node.parameters), ")") if node.parameters else ""
    extends = (" extends ", parent(node.extends)) if node.extends else ()
    places = (at(node.span), of("name", node.span), of("params", node.span), of("extends", node.span))
    doc, lines = [*docstring(node, STEP)], [*backbone_lines(node, notes)]
    if ordered:
        # A row without a place in the source comes first.
        lines.sort(key=lambda row: min(filter(lambda start: start >= 0, map(notes.start_of, row.places)), default=0))
    yield PrintedLine(0, (f"backbone {node.name}", parameters, *extends, ":" if doc or lines else ""), places)
    yield from doc
    yield from lines


def backbone_lines(node: Backbone, notes: Notes) -> Iterator[PrintedLine]:
    """The lines of a backbone: input, settings, sections, outputs, what is left out, what to expect."""
    span = node.span
    if node.input:
        yield PrintedLine(STEP, f"input {' x '.join(map(str, node.input))}", (of("input", span),))
    for each in node.settings:
        layout = (f"{'.'.join(each.target)} = ", expression(each.value))
        yield PrintedLine(STEP, layout, (of("set", span), at(each.span)))
    yield from sections(node, notes)
    for each in node.outputs:
        layout = (f"output {output_key(each)}: ", expression(each.value))
        yield PrintedLine(STEP, layout, (of("outputs", span), at(each.span)))
    for each in node.drops:
        text = f"{'stage ' if each.name in LINE_WORDS else ''}{each.name}: none"
        yield PrintedLine(STEP, text, (*drop_places(span), at(each.span)))
    for checks in expect_lines(node.expect, notes):
        yield PrintedLine(STEP, f"expect: {', '.join(map(check, checks))}", check_places(span, checks))


def check_places(span: Span | None, checks: Iterable[Expectation]) -> tuple[Place, ...]:
    """The places of a line of checks."""
    return (of("expect", span), *(at(each.span) for each in checks))


def sections(node: Backbone, notes: Notes) -> Iterator[PrintedLine]:
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
        yield PrintedLine(STEP, layout, (of("sections", node.span), of(container, node.span), at(each.span)))


def stage_head(stage: SectionLine) -> str:
    """The beginning of a stage's line."""
    return f"stage {stage_key(stage)}:"
