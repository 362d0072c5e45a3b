"""The names that texts read."""

from __future__ import annotations

from collections.abc import Iterable

from archdsl.lang import syntax as ast

Root = ast.Expression | ast.Statement


def names_in(roots: Iterable[Root]) -> set[str]:
    """The names that expressions and statements read."""
    found: set[str] = set()
    stack = list(roots)
    while stack:
        each = stack.pop()
        if isinstance(each, ast.Name):
            found.add(each.id)
        stack += inside(each)
    return found


def inside(node: Root) -> Iterable[Root]:
    """The expressions and statements directly inside one."""
    match node:
        case ast.Expression():
            return ast.parts(node)
        case ast.Assign(value=value) | ast.Return(value=value):
            return (value,)
        case ast.For(source=source, body=body):
            return (source, *body)
        case ast.If(test=test, body=body, other=other):
            return (test, *body, *other)
        case _:
            raise TypeError(node)
