"""The items of an expression: links, arguments, the items of lists, parameters. Comments can stand at them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from archdsl.frontend.printing.notes import Place, at
from archdsl.lang.text import document as doc
from archdsl.lang.text import syntax as ast
from archdsl.lang.text.document import Element
from archdsl.lang.text.syntax import Node, parts

CLOSED = re.compile(r"(?:\s++|#[^\n]*+)*+\)")
TYPE = re.compile(r"[ \t]*:[ \t\w|]*")


class Item(NamedTuple):
    """An item: where it begins and ends; `leads` says that no line can begin with it, as with a chain's first link."""

    start: int
    end: int
    place: Place
    node: Node
    leads: bool = False


def items(nodes: Iterable[Node | Element], source: str) -> list[Item]:
    """The items of some nodes that are not inside other items, in order."""
    found = [item for node in nodes for item in within(node, source)]
    return sorted(found, key=lambda item: (item.start, -item.end))


def within(node: Node | Element, source: str) -> Iterator[Item]:
    """The nearest items inside a node."""
    match node:
        case ast.Chain(links=links):
            yield from (item_of(link, source, number == 0) for number, link in enumerate(links))
        case ast.Call(callee=callee, arguments=arguments):
            yield from within(callee, source)
            yield from (item_of(each, source) for each in arguments)
        case ast.Items(items=inner):
            yield from (item_of(each, source) for each in inner)
        case ast.Parameter(default=default):
            if default is not None:
                yield from within(default, source)
        case ast.Expression():
            yield from (item for part in parts(node) for item in within(part, source))
        case ast.Argument(value=value):
            yield from within(value, source)
        case _:
            yield from of_element(node, source)


def of_element(node: Node | Element, source: str) -> Iterator[Item]:
    """The items of a statement, a definition, or a line of a backbone."""
    match node:
        case ast.Assign(value=value) | ast.Return(value=value) | ast.For(source=value) | ast.If(test=value):
            yield from within(value, source)
        case doc.Setting(value=value) | doc.Section(value=value) | doc.Output(value=value):
            yield from within(value, source)
        case ast.Block(parameters=parameters) | ast.Function(parameters=parameters):
            yield from (of_parameter(each, source) for each in parameters)
        case doc.Backbone(parameters=parameters, extends=extends):
            yield from (of_parameter(each, source) for each in parameters)
            yield from (item_of(each, source) for each in (extends.arguments if extends else ()))
        case _:
            pass


def item_of(node: Node, source: str, leads: bool = False) -> Item:
    """A node as an item, with the parentheses around it."""
    closed = CLOSED.match(source, node.span.end) if node.grouped else None
    end = closed.end() if closed else node.span.end
    return Item(node.span.start, end, at(node.span), node, leads)


def of_parameter(node: ast.Parameter, source: str) -> Item:
    """A parameter as an item; its own place is that of its name only."""
    kind = TYPE.match(source, node.span.end)
    end = node.default.span.end if node.default else kind.end() if kind and node.type else node.span.end
    return Item(node.span.start, end, at(node.span), node)
