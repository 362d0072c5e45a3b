"""Arithmetic and logic on values; sums, gates and repeats of blocks and tensors."""

from __future__ import annotations

from typing import Literal

from archdsl.errors import catalog
from archdsl.lang.evaluate.frame import Frame
from archdsl.lang.evaluate.joints import origins_shown
from archdsl.lang.evaluate.table import check_words, evaluate, evaluates, is_true, need_block
from archdsl.lang.text import syntax as ast
from archdsl.lang.values.faults import Fault
from archdsl.lang.values.functions import Trouble, compute, is_number, truth
from archdsl.lang.values.limits import LONGEST_LIST, MOST_OPS, size_of
from archdsl.lang.values.types import Type, is_int, is_tensors
from archdsl.lang.values.value import (
    BlockValue,
    Join,
    Operand,
    Shared,
    Symbol,
    Tensor,
    Value,
    captures,
    describe,
    is_list,
)
from archdsl.ops import vocabulary

Joint = Literal["add", "multiply", "concat", "fork"]
JOINTS: dict[str, Joint] = {"+": "add", "*": "multiply"}
MOST_SHOWN = 10**15
NOT_FOR_TENSORS = "numbers do not scale blocks or tensors; `scale(0.5)` does, as a link of a chain"


@evaluates(ast.Unary)
def unary(frame: Frame, node: ast.Unary) -> Value:
    """`-a`, `not a`."""
    value = evaluate(frame, node.operand)
    return not truth(value) if node.sign == "not" else compute("-", 0, value)


@evaluates(ast.Binary)
def binary(frame: Frame, node: ast.Binary) -> Value:
    """An operation on two operands."""
    if node.sign == "and":
        return is_true(frame, node.left) and is_true(frame, node.right)
    if node.sign == "or":
        return is_true(frame, node.left) or is_true(frame, node.right)
    if node.sign in JOINTS:
        return add_or_multiply(frame, node)
    equality = node.sign in {"==", "!="}
    left, right = compared(frame, node) if equality else (evaluate(frame, node.left), evaluate(frame, node.right))
    for side, value in ((node.left, left), (node.right, right)):
        if isinstance(value, BlockValue) or is_tensors(value):
            raise Fault(
                catalog.WRONG_TYPE,
                side.span,
                f"`{node.sign}` takes numbers, not {describe(value)}",
                "blocks and tensors are joined by `->`, `+`, `*`, `concat` and `fork`",
            )
    if is_list(left):
        frame.session.budget.item(node.span, size_of(left, LONGEST_LIST))
    return compute(node.sign, left, right)


def compared(frame: Frame, node: ast.Binary) -> tuple[Value, Value]:
    """The two sides of `==`; beside a parameter that is an enumeration, words are words of it."""
    left, right = choices_of(frame, node.left), choices_of(frame, node.right)
    sides = ((node.left, right), (node.right, left))
    values = [None if is_free(frame, side) and not words else word(frame, side, words) for side, words in sides]
    for at, (side, words) in enumerate(sides):
        if is_free(frame, side) and not words:
            values[at] = Symbol(side.span.text) if isinstance(values[1 - at], Symbol) else evaluate(frame, side)
    return values[0], values[1]


def choices_of(frame: Frame, node: ast.Expression) -> tuple[str, ...]:
    """The words that an expression may be: those of a parameter that is an enumeration."""
    return frame.choices.get(node.id, ()) if isinstance(node, ast.Name) else ()


def is_free(frame: Frame, node: ast.Expression) -> bool:
    """Whether an expression is a bare word, which the text has given no meaning."""
    return isinstance(node, ast.Name) and node.id not in frame.names


def word(frame: Frame, node: ast.Expression, words: tuple[str, ...]) -> Value:
    """One side of `==`, where the other one may be any of some words."""
    if words:
        check_words(frame, node, Type("symbol", symbols=words))
    return evaluate(frame.expecting(words), node)


def add_or_multiply(frame: Frame, node: ast.Binary) -> Value:
    """`+` and `*`: of numbers, of blocks and tensors, or `n * a`."""
    left = evaluate(frame, node.left)
    if node.sign == "*" and is_number(left):
        if (asked := frame.statics.repeats.get(id(node))) is not None:
            return repeat(frame, node, left, asked)
        right = evaluate(frame, node.right)
        if isinstance(right, BlockValue):
            return repeat(frame, node, left, frozenset())
    else:
        right = evaluate(frame, node.right)
    if not any(isinstance(side, BlockValue) or is_tensors(side) for side in (left, right)):
        return compute(node.sign, left, right)
    return joined(frame, node, left, right)


def joined(frame: Frame, node: ast.Binary, left: Value, right: Value) -> Value:
    """A sum or a gate; `a + b + c` is one sum of three."""
    kind = JOINTS[node.sign]
    for side, value, other in ((node.left, left, right), (node.right, right, left)):
        if not isinstance(value, BlockValue | Tensor):
            help = misuse(node, value, other)
            raise Fault(
                catalog.WRONG_TYPE,
                side.span,
                f"`{node.sign}` cannot combine {describe(value)} with {describe(other)}",
                help,
            )
    operands = [Operand(right, node.right.span)]
    same = isinstance(node.left, ast.Binary) and node.left.sign == node.sign and not node.left.grouped
    if same and isinstance(left, Join) and left.kind == kind:
        operands = [*left.operands, *operands]
    else:
        operands = [Operand(left, node.left.span), *operands]
    return join(frame, node, kind, tuple(operands))


def misuse(node: ast.Binary, value: Value, other: Value) -> str:
    """What was probably meant where something else stands beside a block or a tensor."""
    if is_int(value) and value > 0 and node.sign == "*" and isinstance(other, BlockValue):
        return f"to repeat a block, put the number first: `{value} * {node.left.span.text}`"
    if is_number(value):
        return NOT_FOR_TENSORS
    return "name one tensor of a list: `x[0]`" if is_tensors(value) else ""


def join(frame: Frame, node: ast.Expression, kind: Joint, operands: tuple[Operand, ...]) -> Value:
    """Several blocks and tensors on one input. All tensors: what they come to. Else a block."""
    blocks = any(isinstance(operand.value, BlockValue) for operand in operands)
    if not blocks:
        assert frame.builder is not None
        return combine(frame, node, kind, operands)
    tensors = any(not isinstance(operand.value, BlockValue) for operand in operands)
    home = frame.builder if tensors or any(captures(operand.value) for operand in operands) else None
    parts = tuple(
        ("block", operand.value.key)
        if isinstance(operand.value, BlockValue)
        else ("tensor", home.token if home else 0, str(operand.value))
        for operand in operands
    )
    key = frame.session.key("join", kind, parts)
    return Join(key=key, span=node.span, kind=kind, operands=operands, home=home)


def combine(frame: Frame, node: ast.Expression, kind: Joint, operands: tuple[Operand, ...]) -> Value:
    """Tensors joined: by an op in place, or as a list."""
    values = tuple(operand.value for operand in operands)
    if kind == "fork":
        return values
    assert frame.builder is not None
    use = frame.session.use(vocabulary()[kind], {}, "", node.span)
    with origins_shown([(operand, operand.value) for operand in operands]):
        return frame.session.in_place(frame.builder, use, values, frame.settings)


def repeat(frame: Frame, node: ast.Binary, count: Value, asked: frozenset[str]) -> Value:
    """`n * a`."""
    name = frame.place(node, "")
    return row(frame, node, count, node.left, node.right, asked, name, gathers=False)


def row(
    frame: Frame,
    node: ast.Expression,
    count: Value,
    count_node: ast.Expression,
    body: ast.Expression,
    asked: frozenset[str],
    name: str,
    gathers: bool,
) -> Value:
    """Modules in a row: equal ones where the text does not ask for its index, few where it asks for the ends only."""
    check_count(count, count_node)
    if (word := frame.statics.clashes.get(id(node))) is not None:
        raise two_meanings(word)
    if count == 0 and not gathers:
        return frame.session.use(vocabulary()["identity"], {}, "identity", node.span)
    runs: list[tuple[int, BlockValue]] = []
    known = len(frame.session.keys)
    for times, index in turns(frame, node, count, asked):
        turn = {"index": index, "first": index == 0, "last": index == count - 1}
        block = need_block(body, evaluate(frame.inner(body, turn, listed=False), body))
        if isinstance(block, Shared) and block.key >= known:
            block = block.body  # a `share` that each turn works out for itself
        if captures(block):
            raise Fault(
                catalog.ESCAPES,
                body.span,
                "a block that uses a named tensor cannot be repeated",
                "write a `for` loop, or pass the tensor as a parameter of type `tensor`",
            )
        if runs and runs[-1][1].key == block.key:
            runs[-1] = (runs[-1][0] + times, runs[-1][1])
        else:
            runs.append((times, block))
    return frame.session.row(name, tuple(runs), gathers, node.span)


def two_meanings(word: ast.Expression) -> Fault:
    """A word of a repeat that is a name of the text around it, too."""
    name = word.span.text
    label = f"`{name}` is a name here, and what the repeat says of its turn"
    help = f"give one of them another name: `own_{name} = {name}`, before the repeat"
    return Fault(catalog.DUPLICATE, word.span, label, help)


def check_count(count: Value, node: ast.Expression) -> None:
    """Raises for what is no number of repeats, or one beyond all networks."""
    if not is_int(count):
        label = f"the number of repeats is an int, not {describe(count)}"
        raise Fault(catalog.WRONG_TYPE, node.span, label, uncounted(count, node))
    if count < 0:
        help = f"did you mean `{-count}`?" if isinstance(node, ast.Unary) else ""
        raise Fault(catalog.OUT_OF_RANGE, node.span, f"{count} repeats; at least 0 are needed", help)
    if count > MOST_OPS:
        label = f"{count:,} repeats" if count < MOST_SHOWN else "a huge number of repeats"
        help = "a digit too many? The longest stage of ResNet-152 has 36 blocks"
        raise Fault(catalog.TOO_MANY_OPS, node.span, f"{label}; at most {MOST_OPS:,} ops are built", help)


def uncounted(count: Value, node: ast.Expression) -> str:
    """What was probably meant by a number of repeats that is no int."""
    if isinstance(node, ast.Number):
        return NOT_FOR_TENSORS
    if is_number(count):
        return f"round it: `round({node.span.text}) * ...`"
    return "the number comes first: `3 * a`, `collect(3, a)`" if isinstance(count, BlockValue) else ""


def turns(frame: Frame, node: ast.Expression, count: int, asked: frozenset[str]) -> list[tuple[int, int]]:
    """(how many alike, index) for each different turn of a repeat."""
    if asked & {"index", "share"}:
        frame.session.budget.turn(node.span, count)
        return [(1, index) for index in range(count)]
    if not asked & {"first", "last"} or count < 2:
        return [(count, 0)] if count else []
    middle = [(count - 2, 1)] if count > 2 else []
    return [(1, 0), *middle, (1, count - 1)]


__all__ = ["Trouble", "combine", "join", "row"]
