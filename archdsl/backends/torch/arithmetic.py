"""The text of a number, as the language has it, read as arithmetic over names: enough to tell whether it fits.

Nothing is ever run: a parsed expression is looked at node by node, and only what stands in the tables here counts.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from typing import Any

LONGEST = 120
LARGEST = 1 << 64
BINARY: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.FloorDiv: lambda left, right: left // right,
    ast.Mod: operator.mod,
}
COMPARISONS: dict[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
# The channels of a block's input, which is no name, so that no parameter can be mistaken for it.
INPUT = "x.channels"
SYMBOLS = {"true": True, "false": False, "none": None}


class Unknown(Exception):
    """An expression that is not arithmetic over known names."""


def parse(text: str) -> ast.expr | None:
    """The expression that a text is, or None. `x.channels` is one name in it."""
    if len(text) > LONGEST:
        return None
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    return ChannelNames().visit(tree)


class ChannelNames(ast.NodeTransformer):
    """Transformer that makes one name of `x.channels`, and Python's constants of the language's."""

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        """`x.channels`; any other attribute stays, and is known to nobody."""
        if node.attr == "channels" and isinstance(node.value, ast.Name) and node.value.id == "x":
            return ast.Name(INPUT)
        return node

    def visit_Name(self, node: ast.Name) -> ast.AST:
        """`true`, `false`, `none`."""
        return ast.Constant(SYMBOLS[node.id]) if node.id in SYMBOLS else node


def names(tree: ast.expr) -> list[str]:
    """The names in an expression, in order."""
    return [node.id for node in ast.walk(tree) if isinstance(node, ast.Name)]


def asked(tree: ast.expr) -> set[str]:
    """The names that choices in an expression depend on."""
    return {name for node in ast.walk(tree) if isinstance(node, ast.IfExp) for name in names(node.test)}


def evaluate(tree: ast.expr, known: Mapping[str, Any]) -> Any:
    """The value of an expression where names have these values; raises Unknown for all but integer arithmetic."""
    match tree:
        case ast.Constant(value):
            return value
        case ast.Name(name) if name in known:
            return known[name]
        case ast.Call(ast.Name("len"), [ast.Name(name)]) if f"len({name})" in known:
            return known[f"len({name})"]
        case ast.BinOp(left, op, right) if type(op) in BINARY:
            return compute(BINARY[type(op)], evaluate(left, known), evaluate(right, known))
        case ast.UnaryOp(ast.USub(), operand):
            return compute(operator.sub, 0, evaluate(operand, known))
        case ast.Compare(left, [op], [right]) if type(op) in COMPARISONS:
            return COMPARISONS[type(op)](*both_integers(evaluate(left, known), evaluate(right, known)))
        case ast.IfExp(test, body, other):
            return evaluate(body if evaluate(test, known) else other, known)
        case _:
            raise Unknown


def compute(act: Callable[[Any, Any], Any], left: Any, right: Any) -> int:
    """A result of integer arithmetic; raises Unknown where there is none."""
    try:
        result = act(*both_integers(left, right))
    except ZeroDivisionError:
        raise Unknown from None
    if abs(result) > LARGEST:
        raise Unknown
    return result


def both_integers(left: Any, right: Any) -> tuple[int, int]:
    """Two integers; raises Unknown for anything else."""
    if not isinstance(left, int) or not isinstance(right, int):
        raise Unknown
    return left, right


class Folded(ast.NodeTransformer):
    """An expression with some names replaced by expressions, and what is constant worked out."""

    def __init__(self, replacements: Mapping[str, ast.expr]) -> None:
        self.replacements = replacements

    def visit_Name(self, node: ast.Name) -> ast.AST:
        """A name that is replaced."""
        return self.replacements.get(node.id, node)

    def visit_IfExp(self, node: ast.IfExp) -> ast.AST:
        """A choice; where the question has one answer, that arm."""
        self.generic_visit(node)
        if isinstance(node.test, ast.Constant):
            return node.body if node.test.value else node.orelse
        return node

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        """A sum, a product, a quotient."""
        return self.worked_out(node)

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        """A question."""
        return self.worked_out(node)

    def worked_out(self, node: ast.expr) -> ast.expr:
        """A constant, where the parts are; what adds nothing goes."""
        self.generic_visit(node)
        try:
            return ast.Constant(evaluate(node, {}))
        except Unknown:
            return shortened(node)


def shortened(node: ast.expr) -> ast.expr:
    """1 * a, a * 1, a // 1, 0 + a, a + 0 and a - 0 are a."""
    match node:
        case ast.BinOp(ast.Constant(1), ast.Mult(), rest) | ast.BinOp(ast.Constant(0), ast.Add(), rest):
            return rest
        case ast.BinOp(rest, ast.Mult() | ast.FloorDiv(), ast.Constant(1)):
            return rest
        case ast.BinOp(rest, ast.Add() | ast.Sub(), ast.Constant(0)):
            return rest
        case _:
            return node


def folded(tree: ast.expr, replacements: Mapping[str, ast.expr]) -> ast.expr:
    """The expression with names replaced and constants worked out; the original stays as it is."""
    return Folded(replacements).visit(parse(ast.unparse(tree)) or tree)
