"""Warnings from the text of a file alone: unused definitions, unread parameters, hidden names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from archdsl.diagnostics import Diagnostic, Note, catalog
from archdsl.ops import vocabulary
from archdsl.syntax import ast
from archdsl.syntax.document import Backbone
from archdsl.syntax.inheritance import resolve
from archdsl.syntax.scopes import FileScope

Owner = ast.Block | ast.Function
# Channels of images, and the most that other inputs are likely to have.
FEW_CHANNELS = (1, 3)
MOST_CHANNELS = 16


def definitions(file: FileScope) -> dict[str, Owner]:
    """Blocks and functions of a file, by name."""
    return {node.name: node for node in (*file.document.blocks, *file.document.functions)}


def unused_definitions(file: FileScope) -> Iterator[Diagnostic]:
    """Blocks and functions that no network of the file uses. A file without a network is a library."""
    if not file.backbones:
        return
    known = definitions(file)
    reached: set[str] = set()
    # Definitions may use each other in circles, which is reported elsewhere, so this marks them.
    waiting = [name for each in file.backbones.values() for name in ast.names_in(roots_of_backbone(each))]
    while waiting:
        name = waiting.pop()
        if name in known and name not in reached:
            reached.add(name)
            waiting += ast.names_in((*known[name].body, *defaults(known[name].parameters)))
    for name, node in known.items():
        if name not in reached:
            label = f"no backbone of this file uses `{name}`"
            help = "remove it, or move blocks for other files to a file of their own"
            yield catalog.UNUSED_DEFINITION.at(node.span, label, help=help)


def unread_parameters(file: FileScope) -> Iterator[Diagnostic]:
    """Unread parameters of blocks, functions and networks."""
    for node in definitions(file).values():
        yield from unread(node.name, node.parameters, node.body, node.parameters)
    for each in file.backbones.values():
        if each.parameters:
            family = resolve(file, each)
            lines = (*family.settings, *family.sections, *family.outputs)
            declared = [one.parameter for one in family.parameters]
            yield from unread(each.name, each.parameters, [line.content.value for line in lines], declared)


def unread(
    owner: str,
    parameters: Iterable[ast.Parameter],
    body: Iterable[ast.Expression | ast.Statement],
    declared: Iterable[ast.Parameter],
) -> Iterator[Diagnostic]:
    """Parameters that neither a body nor the default of another parameter reads."""
    read = set(ast.names_in(body))
    defaults = {each.name: ast.names_in([each.default] if each.default else []) for each in declared}
    used = Counter(name for names in defaults.values() for name in names)
    for each in parameters:
        if each.name not in read and used[each.name] == (each.name in defaults[each.name]):
            label = f"nothing in `{owner}` reads `{each.name}`"
            yield catalog.UNREAD_PARAMETER.at(each.span, label, help="read it, or remove it")


def hiding_names(file: FileScope) -> Iterator[Diagnostic]:
    """Definitions with the name of an imported one, of a library block or of an op; not the library's own."""
    for name, node in definitions(file).items():
        imported = next((found for other in file.imports if (found := other.defined(name))), None)
        if imported:
            label = f"in this file, `{name}` is no longer the imported one"
            help = "choose another name; the imported file does not see this one"
            notes = (Note(imported.node.span, "the imported one"),)
            yield catalog.HIDING.at(node.span, label, help=help, notes=notes)
            continue
        block = file.library.block(name)
        kind = "the library's block" if block and block.node != node else "the op" if name in vocabulary() else ""
        if kind:
            label = f"in this file, `{name}` is no longer {kind}"
            help = "choose another name; blocks of the library do not see this one"
            yield catalog.HIDING.at(node.span, label, help=help)


def channels_last(file: FileScope) -> Iterator[Diagnostic]:
    """Inputs with the channels last, as other libraries write them."""
    for each in file.backbones.values():
        if each.input is None or len(each.input) != 3:
            continue
        height, width, channels = each.input
        if channels in FEW_CHANNELS and height > MOST_CHANNELS:
            label = f"this is {height} channels of {width}x{channels}; an input is channels x height x width"
            help = f"write `{channels}x{height}x{width}`"
            yield catalog.CHANNELS_LAST.at(each.input_span, label, help=help)


def roots_of_backbone(backbone: Backbone) -> list[ast.Expression]:
    """All expressions of a network."""
    lines = (*backbone.settings, *backbone.sections, *backbone.outputs)
    arguments = backbone.extends.arguments if backbone.extends else ()
    return [*(each.value for each in (*lines, *arguments)), *defaults(backbone.parameters)]


def defaults(parameters: Iterable[ast.Parameter]) -> list[ast.Expression]:
    """Defaults of parameters."""
    return [each.default for each in parameters if each.default is not None]
