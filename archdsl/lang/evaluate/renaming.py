"""Blocks under the name of the place where they are applied, rather than that of the place where they were written."""

from __future__ import annotations

from archdsl.errors import Span
from archdsl.lang.evaluate.frame import Frame
from archdsl.lang.text import syntax as ast
from archdsl.lang.text.naming import source_of
from archdsl.lang.values.value import BlockValue, Policy, Role, Row, Shared, Use, Value


def renamed(frame: Frame, block: BlockValue, name: str, span: Span) -> BlockValue:
    """A block under another name; what is several blocks becomes one module for it."""
    key = frame.session.key
    match block:
        case Use():
            return frame.session.use(block.target, block.given, name, span)
        case Policy():
            marked = key("policy", block.policy, frame.session.given_key(block.given), name)
            return block.replace(key=marked, name=name)
        case Role():
            return block.replace(key=key(block.role, name, block.body.key), name=name)
        case Row():
            return frame.session.row(name, block.runs, block.gathers, span)
        case Shared():
            return block.replace(name=name)
        case _:
            return Role(key=key("own", name, block.key), span=span, name=name, body=block, role="own")


def placed(frame: Frame, node: ast.Expression, value: Value) -> Value:
    """A value that an expression takes out of a list or gets from a function: a block is called as the text calls it.

    It was written elsewhere, so its own name says nothing about its neighbours here. What `...` gives is several.
    """
    name = frame.place(source_of(node), "") if isinstance(value, BlockValue) else ""
    if not name or isinstance(value, Shared) or frame.session.is_identity(value):
        return value
    if isinstance(node, ast.Spread) and not name.endswith("."):
        name += "."
    return renamed(frame, value, name, value.span)
