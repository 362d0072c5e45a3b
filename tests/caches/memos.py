"""Finds the memos of the package: what is kept in order not to be worked out again."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

PACKAGE = Path(__file__).parents[2] / "archdsl"
DECORATORS = {"cache", "lru_cache", "cached_property"}
KEEPING = {"setdefault", "update", "append", "insert", "add"}


def memos() -> set[str]:
    """All memos, as `folder/file.py: name`."""
    found: set[str] = set()
    for path in sorted(PACKAGE.rglob("*.py")):
        name = path.relative_to(PACKAGE).as_posix()
        found |= {f"{name}: {memo}" for memo in in_text(path.read_text(encoding="utf-8"))}
    return found


def in_text(text: str) -> Iterator[str]:
    """The memos of a file: decorated functions, and tables that a function looks into before it enters something."""
    tree = ast.parse(text)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            if any(name_of(each) in DECORATORS for each in node.decorator_list):
                yield node.name
            yield from looked_into(node) & entered(node)


def name_of(decorator: ast.expr) -> str:
    """The name of a decorator, without its module and its arguments."""
    node = decorator.func if isinstance(decorator, ast.Call) else decorator
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def looked_into(function: ast.FunctionDef) -> set[str]:
    """The tables, other than its own, that a function asks for something: `a.b.get(key)`, `key in a.b`."""
    found: set[str] = set()
    for node in ast.walk(function):
        if isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.In | ast.NotIn):
            found |= table(node.comparators[0], function)
        elif (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in {"get", "setdefault"}
        ):
            found |= table(node.func.value, function)
    return found


def entered(function: ast.FunctionDef) -> set[str]:
    """The tables, other than its own, that a function enters something into: `a.b[key] = ...`."""
    found: set[str] = set()
    for node in ast.walk(function):
        if isinstance(node, ast.Assign | ast.AnnAssign):
            for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                if isinstance(target, ast.Subscript):
                    found |= table(target.value, function)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in {"setdefault"}:
            found |= table(node.func.value, function)
    return found


def table(node: ast.expr, function: ast.FunctionDef) -> set[str]:
    """The name of a table that lives longer than a call: an attribute, or a name that the call does not make itself."""
    if isinstance(node, ast.Attribute):
        return {node.attr}
    made = {
        each.id
        for inner in ast.walk(function)
        for each in ast.walk(inner)
        if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)
    }
    return {node.id} if isinstance(node, ast.Name) and node.id not in made else set()


if __name__ == "__main__":
    print(*sorted(memos()), sep="\n")
