"""Blocks under the name of the place where they are applied, rather than that of the place where they were written."""

from __future__ import annotations

from archdsl.diagnostics import Span
from archdsl.elaborate.environment import Environment
from archdsl.elaborate.values import BlockValue, Policy, Repeat, Role, Shared, Use, Value
from archdsl.syntax import ast
from archdsl.syntax.naming import source_of


def renamed(environment: Environment, block: BlockValue, name: str, span: Span) -> BlockValue:
    """A block under another name; what is several blocks becomes one module for it."""
    key = environment.context.key
    match block:
        case Use():
            return environment.context.use(block.target, block.given, name, span)
        case Policy():
            marked = key("policy", block.policy, environment.context.given_key(block.given), name)
            return block.replace(key=marked, name=name)
        case Role():
            return block.replace(key=key(block.role, name, block.body.key), name=name)
        case Repeat():
            return environment.context.row(name, block.runs, block.gathers, span)
        case Shared():
            return block.replace(name=name)
        case _:
            return Role(key=key("own", name, block.key), span=span, name=name, body=block, role="own")


def placed(environment: Environment, node: ast.Expression, value: Value) -> Value:
    """A value that an expression takes out of a list or gets from a function: a block is called as the text calls it.

    It was written elsewhere, so its own name says nothing about its neighbours here. What `...` gives is several.
    """
    name = environment.place(source_of(node), "") if isinstance(value, BlockValue) else ""
    if not name or isinstance(value, Shared) or environment.context.is_identity(value):
        return value
    if isinstance(node, ast.Unpack) and not name.endswith("."):
        name += "."
    return renamed(environment, value, name, value.span)
