"""A document as a `.arch` file."""

from __future__ import annotations

from collections.abc import Iterator

from archdsl.errors import catalog
from archdsl.frontend.notation import LINE_WORDS
from archdsl.frontend.printing import figures
from archdsl.frontend.printing.bodies import docstring, line, statements
from archdsl.frontend.printing.expressions import STEP, expression, listed, signature
from archdsl.frontend.printing.layout import WIDTH, render
from archdsl.lang.document import Backbone, Check, Document, Import
from archdsl.lang.syntax import Block, Function, Return

WIDEST_STAGE = 24
UNWRITABLE = '"\\\n'


def arch_text(document: Document) -> str:
    """The whole file: definitions with empty lines between, but for neighbours that are one line each."""
    head = [] if document.edition is None else [f"archdsl {document.edition}"]
    head += [import_line(each) for each in document.imports]
    parts = ["\n".join(head)] if head else []
    before = ""
    for found in definitions(document):
        word = found.partition(" ")[0] if "\n" not in found else ""
        if word and word == before:
            parts[-1] += f"\n{found}"
        else:
            parts.append(found)
        before = word
    return "\n\n".join(parts) + "\n" if parts else ""


def definitions(document: Document) -> Iterator[str]:
    """Functions, blocks, backbones."""
    yield from ("\n".join(definition("fn", each)) for each in document.functions)
    yield from ("\n".join(definition("block", each)) for each in document.blocks)
    yield from ("\n".join(backbone(each)) for each in document.backbones)


def import_line(node: Import) -> str:
    """`import "path"`; raises ArchError for a path that cannot stand in quotes."""
    if any(sign in node.path for sign in UNWRITABLE):
        raise catalog.UNSUPPORTED.error(node.span, "the text form has no import of a path with a quote or backslash")
    return f'import "{node.path}"'


def definition(word: str, node: Block | Function) -> Iterator[str]:
    """A block or function: `=` and an expression, or `:` and statements."""
    head = (f"{word} {node.name}", listed("(", signature(node.parameters), ")"))
    doc = list(docstring(node.doc, STEP, node.span))
    match node.body:
        case (Return(value=value),):
            one = render((*head, " = ", expression(value)), width=10 * WIDTH)
            if not doc and len(one) <= WIDTH and "\n" not in one:
                yield one
                return
            yield render((*head, " ="))
            yield from doc
            yield line(expression(value), STEP)
        case body:
            yield render((*head, ":"))
            yield from doc
            yield from statements(body, STEP)


def backbone(node: Backbone) -> Iterator[str]:
    """A backbone: its head, and its lines, if it has some."""
    parameters = listed("(", signature(node.parameters), ")") if node.parameters else ""
    extends = (" extends ", figures.parent(node.extends)) if node.extends else ()
    doc, lines = list(docstring(node.doc, STEP, node.span)), list(backbone_lines(node))
    if doc and not lines:
        help = "leave the doc out, or say something else, too: the input, or what to expect"
        raise catalog.UNSUPPORTED.error(node.span, "the text form has no backbone with nothing but a doc", help=help)
    yield render((f"backbone {node.name}", parameters, *extends, ":" if lines else ""))
    yield from doc
    yield from lines


def backbone_lines(node: Backbone) -> Iterator[str]:
    """The lines of a backbone: input, settings, sections, outputs, what is left out, what to expect."""
    if node.input:
        yield line(f"input {' x '.join(map(str, node.input))}", STEP)
    for each in node.settings:
        yield line((f"{'.'.join(each.target)} = ", expression(each.value)), STEP)
    yield from sections(node)
    for each in node.outputs:
        yield line((f"output {figures.output_key(each)}: ", expression(each.value)), STEP)
    for each in node.drops:
        yield line(f"{'stage ' if each.name in LINE_WORDS else ''}{each.name}: none", STEP)
    yield from expectations(node.expect)


def sections(node: Backbone) -> Iterator[str]:
    """The sections; what stages are stands in one column."""
    heads = [f"stage {figures.stage_key(each)}:" if each.stage else f"{each.name}:" for each in node.sections]
    stages = [head for head, each in zip(heads, node.sections, strict=True) if each.stage]
    widest = max((len(head) for head in stages if len(head) <= WIDEST_STAGE), default=0)
    for head, each in zip(heads, node.sections, strict=True):
        yield line((head.ljust(widest) if each.stage else head, " ", expression(each.value)), STEP)


def expectations(checks: tuple[Check, ...]) -> Iterator[str]:
    """As many lines of checks as are needed."""
    row = ""
    for each in checks:
        text = f"{'.'.join(each.figure)} {each.sign} {figures.amount(each.amount)}"
        if row and len(row) + len(text) + STEP + 2 > WIDTH:
            yield line(row, STEP)
            row = ""
        row = f"{row}, {text}" if row else f"expect: {text}"
    if row:
        yield line(row, STEP)
