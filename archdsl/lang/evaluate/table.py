"""The heart of evaluation: the table from kinds of nodes to the functions that work them out.

Each function lives with its like (`atoms`, `operators`, `chains`, `calls`, `forms`) and enters itself here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from archdsl.errors import catalog, did_you_mean
from archdsl.graph import Origin
from archdsl.lang.evaluate.frame import Frame
from archdsl.lang.evaluate.session import NOWHERE
from archdsl.lang.text import syntax as ast
from archdsl.lang.values import limits
from archdsl.lang.values.faults import Fault, every
from archdsl.lang.values.functions import Trouble, truth
from archdsl.lang.values.types import Type, is_tensors
from archdsl.lang.values.value import (
    BLOCKS,
    NO_BLOCK,
    BlockValue,
    Bound,
    Role,
    Symbol,
    Value,
    captures,
    describe,
    is_list,
    shares,
)

Work = TypeVar("Work", bound=Callable[[Frame, Any], Value])

TABLE: dict[type[ast.Expression], Callable[[Frame, Any], Value]] = {}


def evaluates(*kinds: type[ast.Expression]) -> Callable[[Work], Work]:
    """Enters a function into the table."""

    def enter(work: Work) -> Work:
        TABLE.update(dict.fromkeys(kinds, work))
        return work

    return enter


def evaluate(frame: Frame, node: ast.Expression) -> Value:
    """What an expression comes to; raises a fault at the innermost place where it comes to nothing."""
    budget = frame.session.budget
    budget.steps += 1  # here, not by a call: of all that is done, this is done most often
    if budget.steps > limits.MOST_STEPS:
        budget.too_many_steps(node.span)
    try:
        return TABLE[type(node)](frame, node)
    except Trouble as trouble:
        raise Fault(catalog.ARITHMETIC, node.span, str(trouble), trouble.help) from None


def is_true(frame: Frame, node: ast.Expression) -> bool:
    """Whether a condition holds; raises a fault at its place for what is neither true nor false."""
    return checked(node, truth, evaluate(frame, node))


def checked(node: ast.Node, work: Callable[[Value], Any], value: Value) -> Any:
    """What a computation makes of a value; its trouble becomes a fault at the place of a node."""
    try:
        return work(value)
    except Trouble as trouble:
        raise Fault(catalog.ARITHMETIC, node.span, str(trouble), trouble.help) from None


def check_words(frame: Frame, node: ast.Expression, kind: Type) -> None:
    """Raises for a bare word that is none of an enumeration's, in either arm of a condition, chosen or not."""
    match node:
        case ast.Conditional():
            every((node.then, node.other), lambda arm: check_words(frame, arm, kind))
        case ast.Name(id=word) if word not in frame.names and word not in kind.symbols:
            if kind.name == "symbol" or frame.file.find(word) is None:
                help = did_you_mean(word, kind.symbols)
                raise Fault(catalog.UNKNOWN_NAME, node.span, f"`{word}` is not a choice here", help)
        case _:
            pass


def origin_of(frame: Frame, node: ast.Expression) -> Origin:
    """Where the value of an argument comes from, by its text."""
    match node:
        case ast.Number() | ast.Boolean():
            return Origin("literal", node.span.text)
        case ast.Name(id=name):
            return Origin("parameter" if name in frame.parameters else "computed", name)
        case ast.Attribute(base=ast.Name(id="x")):
            return Origin("input", node.span.text)
        case _:
            return Origin("computed", node.span.text)


def bound(frame: Frame, node: ast.Expression, value: Value) -> Bound:
    """A value as an argument: with its place, and without the local name that it went by."""
    if isinstance(value, BlockValue):
        while isinstance(value, Role):
            value = value.body
        if captures(value):
            raise escape(node, value)
        if frame.session.shares and shares(value):
            raise shared_on_its_way(node)
    elif is_list(value):
        frame.session.budget.item(node.span, len(value))
        if captures(value) and not is_tensors(value):
            raise escape(node, value)
    elif isinstance(value, Symbol) and isinstance(node, ast.Name) and node.id not in frame.names:
        return Bound(value, node.span, NOWHERE)
    origins = frame.statics.origins
    origin = origins.get(id(node))
    if origin is None:
        origin = origins[id(node)] = origin_of(frame, node)
    return Bound(value, node.span, origin)


def escape(node: ast.Node, value: Value) -> Fault:
    """A tensor, or a block that holds one, on its way out of the body in which the tensor lives."""
    if is_tensors(value):
        label, else_ = "a tensor cannot leave its body like this", ""
    else:
        label = "this block uses a named tensor, so it cannot leave the body of that tensor"
        else_ = ", or apply the block here"
    return Fault(catalog.ESCAPES, node.span, label, f"pass the tensor as a parameter of type `tensor`{else_}")


def shared_on_its_way(node: ast.Node) -> Fault:
    """A block with shared weights, on its way out of the body in which they are shared."""
    return Fault(
        catalog.SHARED,
        node.span,
        "shared weights stay in the body of their `share`",
        "apply the block here to each tensor, or write `share` in the block that applies it",
    )


def need_block(node: ast.Node, value: Value) -> BlockValue:
    """The value, if it is a block."""
    if isinstance(value, BlockValue):
        return value
    help = NO_BLOCK if value is None else BLOCKS if is_list(value) else ""
    raise Fault(catalog.NOT_A_BLOCK, node.span, f"a block is needed here, not {describe(value)}", help)
