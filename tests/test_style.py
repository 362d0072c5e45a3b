"""The habits of style that a program can see: sizes, docstrings, annotations."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ARCHDSL = Path(__file__).parents[1] / "archdsl"
MODULE_LINES = 700
FUNCTION_LINES = 60
RULE_BY_RULE = ("Transformer", "Interpreter")
"""Bases of classes whose methods are named after the rules of a grammar, which documents them."""

Function = ast.FunctionDef | ast.AsyncFunctionDef


class Found(NamedTuple):
    """A function or class, its dotted name in its module, and the class that it stands in."""

    node: Function | ast.ClassDef
    name: str
    inside: ast.ClassDef | None = None


def definitions(tree: ast.AST, prefix: str = "", inside: ast.ClassDef | None = None) -> Iterator[Found]:
    """Every function and class below a node, nested ones too."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, Function | ast.ClassDef):
            yield Found(node, prefix + node.name, inside)
            owner = node if isinstance(node, ast.ClassDef) else None
            yield from definitions(node, f"{prefix}{node.name}.", owner)
        else:
            yield from definitions(node, prefix, inside)


def too_long(text: str) -> Iterator[str]:
    """The module, where it is too long, and its functions that are."""
    if (lines := len(text.splitlines())) > MODULE_LINES:
        yield f"has {lines} lines, more than {MODULE_LINES}"
    for node, name, _ in definitions(ast.parse(text)):
        lines = (node.end_lineno or 0) - node.lineno + 1
        if isinstance(node, Function) and lines > FUNCTION_LINES:
            yield f"{name} has {lines} lines, more than {FUNCTION_LINES}"


def unannotated(text: str) -> Iterator[str]:
    """The parameters and returns without an annotation."""
    for node, name, inside in definitions(ast.parse(text)):
        if isinstance(node, ast.ClassDef):
            continue
        if node.returns is None:
            yield f"{name} does not say what it returns"
        given = node.args
        named = [*given.posonlyargs, *given.args]
        static = any(isinstance(each, ast.Name) and each.id == "staticmethod" for each in node.decorator_list)
        rest = [each for each in (given.vararg, given.kwarg) if each]
        for each in [*named[1 if inside and not static else 0 :], *given.kwonlyargs, *rest]:
            if each.annotation is None:
                yield f"{name} does not annotate {each.arg}"


def undocumented(text: str, inherited: set[str]) -> Iterator[str]:
    """What is public and has no docstring; a method of a derived class may leave it to the one that it overrides."""
    tree = ast.parse(text)
    if not ast.get_docstring(tree):
        yield "has no docstring"
    for node, name, inside in definitions(tree):
        hidden = any(part.startswith("_") for part in name.split("."))
        local = "." in name and inside is None
        if not (hidden or local or (inside and derives(inside, node.name, inherited)) or ast.get_docstring(node)):
            yield f"{name} has no docstring"


def derives(owner: ast.ClassDef, method: str, inherited: set[str]) -> bool:
    """Whether a method is told of elsewhere: in a base, or by the rule of a grammar that it is named after."""
    bases = [ast.unparse(base).rpartition(".")[2] for base in owner.bases]
    return any(method in inherited or base.startswith(RULE_BY_RULE) for base in bases)


def documented_methods(texts: list[str]) -> set[str]:
    """The names of methods that have a docstring in some class."""
    found = (each for text in texts for each in definitions(ast.parse(text)))
    return {each.node.name for each in found if each.inside and ast.get_docstring(each.node)}


FILES = {path.relative_to(ARCHDSL.parent).as_posix(): path.read_text("utf-8") for path in ARCHDSL.rglob("*.py")}
DOCUMENTED = documented_methods(list(FILES.values()))


@pytest.mark.parametrize("path", sorted(FILES))
def test_module_keeps_the_style(path: str) -> None:
    text = FILES[path]
    found = [*too_long(text), *unannotated(text), *undocumented(text, DOCUMENTED)]
    assert found == []


# The test of the test: what each of the three finds in a text that breaks every habit, and in one that keeps them.

BAD = """
def scale(x, *rest, by: int = 2): return x
class Op:
    def output(self, shape) -> int:
        def inner(y): ...
    @staticmethod
    def make(first) -> int: ...
"""
GOOD = '''"""A module."""
class Op(Base):
    """An op."""
    def output(self, x: int) -> int: ...
    def _hidden(self) -> None: ...
class Builder(lark.Transformer[int]):
    """One method a rule."""
    def chain(self, parts: list[int]) -> int: ...
def outer(*rest: int) -> int:
    """A function."""
    def inner(y: int) -> None: ...
'''


def test_missing_annotations_are_found() -> None:
    assert list(unannotated(BAD)) == [
        "scale does not say what it returns",
        "scale does not annotate x",
        "scale does not annotate rest",
        "Op.output does not annotate shape",
        "Op.output.inner does not say what it returns",
        "Op.output.inner does not annotate y",
        "Op.make does not annotate first",
    ]
    assert list(unannotated(GOOD)) == []


def test_missing_docstrings_are_found() -> None:
    missing = ["", "scale ", "Op ", "Op.output ", "Op.make "]
    assert list(undocumented(BAD, {"output"})) == [f"{name}has no docstring" for name in missing]
    assert list(undocumented(GOOD, {"output"})) == []
    assert list(undocumented(GOOD, set())) == ["Op.output has no docstring"]


def test_great_lengths_are_found() -> None:
    assert list(too_long("def f():\n" + "    pass\n" * 60)) == ["f has 61 lines, more than 60"]
    assert list(too_long("def f():\n" + "    pass\n" * 59 + "x = 1\n" * 640)) == []
    assert list(too_long("x = 1\n" * 701)) == ["has 701 lines, more than 700"]
