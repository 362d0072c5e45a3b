"""`a -> b -> c`: a block made of blocks, or, where it starts with a tensor, what comes out."""

from __future__ import annotations

from archdsl.errors import catalog
from archdsl.lang.evaluate.frame import Frame
from archdsl.lang.evaluate.renaming import renamed
from archdsl.lang.evaluate.table import evaluate, evaluates, need_block
from archdsl.lang.text import syntax as ast
from archdsl.lang.values.faults import Fault
from archdsl.lang.values.types import is_tensors
from archdsl.lang.values.value import BlockValue, Join, Links, Value, describe


@evaluates(ast.Chain)
def chain(frame: Frame, node: ast.Chain) -> Value:
    """Blocks in a row, or a tensor on its way through them."""
    first = evaluate(frame, node.links[0])
    if is_tensors(first):
        refuse_gate(node.links[0])
        return through(frame, first, node.links[1:])
    values = [first, *[evaluate(frame, link) for link in node.links[1:]]]
    links: list[BlockValue] = []
    for link, value in zip(node.links, values, strict=True):
        block = need_link(link, value)
        links += block.links if type(block) is Links else (block,)
    frame.session.budget.list(node.span, tuple(links))
    return frame.session.links(tuple(links), node.span)


def through(frame: Frame, value: Value, links: tuple[ast.Expression, ...]) -> Value:
    """A tensor, or a list of them, through the links of a chain."""
    assert frame.builder is not None
    for link in links:
        block = need_link(link, evaluate(frame, link))
        value = frame.session.apply(frame.builder, block, value, frame.settings)
    return value


def need_link(node: ast.Expression, value: Value) -> BlockValue:
    """A link's value, if it is a block; a gate without brackets beside `->` is refused."""
    if is_tensors(value):
        raise Fault(
            catalog.NOT_A_BLOCK,
            node.span,
            f"a block is needed here, not {describe(value)}",
            "a tensor comes first in a chain, or is joined: `(identity + y)`, `concat(identity, y)`",
        )
    block = need_block(node, value)
    if isinstance(block, Join):
        refuse_gate(node)
    return block


def refuse_gate(node: ast.Expression) -> None:
    """Raises for a gate without brackets around it."""
    inner = node.body if isinstance(node, ast.Named) else node
    if isinstance(inner, ast.Binary) and inner.sign == "*" and not inner.grouped:
        raise Fault(
            catalog.MIXED,
            inner.span,
            "a gate beside `->` can be read in two ways",
            f"write `({inner.span.text}) -> ...` or `{inner.left.span.text} * ({inner.right.span.text} -> ...)`",
        )


@evaluates(ast.Named)
def named(frame: Frame, node: ast.Named) -> Value:
    """`link as name`: the link under another name."""
    return renamed(frame, need_block(node, evaluate(frame, node.body)), frame.place(node, node.name), node.span)
