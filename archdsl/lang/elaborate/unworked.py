"""What is wrong, by its text alone, with lines that cannot be worked out, as one before them is wrong.

A block's value does not depend on what it is applied to: names, parameters and the types of arguments can be checked.
"""

from __future__ import annotations

from collections.abc import Callable

from archdsl.errors import ArchError, Diagnostic
from archdsl.lang.elaborate.environment import Environment
from archdsl.lang.evaluate.table import evaluate
from archdsl.lang.text import syntax as ast
from archdsl.lang.text.document import Output, Section
from archdsl.lang.text.files import File
from archdsl.lang.values.faults import Fault

GATHERS = {"fork", "concat"}


def look_over(
    environment: Environment, line: Section | Output, file: File, told: Callable[[Fault], list[Diagnostic]], most: int
) -> list[Diagnostic]:
    """What is wrong with a line that names no tensor, those of each link apart; `told` makes findings of a fault.

    At `most` so many findings, or what is wrong with one link more.
    """
    frame = environment.frame(line.value, file)
    found: list[Diagnostic] = []
    for part in pieces(line.value):
        if len(found) >= most:
            break
        try:
            evaluate(frame, part)
        except Fault as fault:
            found += told(fault)
        except ArchError as error:
            found += error.diagnostics
    return found


def pieces(node: ast.Expression) -> list[ast.Expression]:
    """The parts of an expression that mean the same on their own."""
    match node:
        case ast.Chain():
            parts: tuple[ast.Expression, ...] = node.links
        case ast.Binary(sign="+"):
            parts = (node.left, node.right)
        case ast.Named():
            parts = (node.body,)
        case ast.Spread():
            parts = (node.value,)
        case ast.Call(callee=ast.Name(id=name)) if name in GATHERS and node.arguments:
            parts = tuple(argument.value for argument in node.arguments)
        case _:
            return [node]
    return [piece for part in parts for piece in pieces(part)]
