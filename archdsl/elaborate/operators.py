"""Arithmetic and logic on values; sums, gates and repeats of blocks and tensors."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, Literal

from archdsl.diagnostics import Note, catalog
from archdsl.elaborate.blame import ElaborationError
from archdsl.elaborate.budget import LONGEST_LIST, MOST_OPS, size_of
from archdsl.elaborate.builtins import compute, truth
from archdsl.elaborate.environment import Environment
from archdsl.elaborate.evaluate import check_words, evaluate, is_true, need_block
from archdsl.elaborate.numbers import as_index, is_int, is_number
from archdsl.elaborate.op_scopes import in_place
from archdsl.elaborate.scope_builder import shapes_of
from archdsl.elaborate.values import (
    BlockValue,
    Join,
    Operand,
    Role,
    Shared,
    Symbol,
    Tensor,
    Value,
    captures,
    describe,
    is_list,
    is_tensors,
)
from archdsl.graph import each_shape
from archdsl.op import Shape, symbol
from archdsl.ops import vocabulary
from archdsl.syntax import ast
from archdsl.syntax.naming import NO_NAME, ModuleName


@contextmanager
def origins_shown(parts: Sequence[tuple[Operand, Value]]) -> Generator[None]:
    """Note the mismatched operands: the first tensor and the one that does not fit it.

    `parts` are what is joined, tensors and lists, each with the operand that it comes from.
    """
    try:
        yield
    except ElaborationError as error:
        if error.index is not None:
            tensors = [(operand, shape) for operand, value in parts for shape in each_shape(shapes_of(value))]
            error.notes = tuple(origin(*tensors[at]) for at in (0, error.index))
        raise


def origin(operand: Operand, shape: Shape) -> Note:
    """A tensor at its operand; at the user's own block, where a shipped one only hands that on."""
    span, value = operand.span, operand.value
    if span.source.shipped and isinstance(value, Role) and value.role == "parameter":
        span = value.body.span
    return Note(span, f"this is {'x'.join(map(str, shape))}")


Joint = Literal["add", "multiply", "concat", "fork"]
JOINTS: dict[str, Joint] = {"+": "add", "*": "multiply"}
MOST_SHOWN = 10**15
NOT_FOR_TENSORS = "numbers do not scale blocks or tensors; `scale(0.5)` does, as a link of a chain"


def unary(environment: Environment, node: ast.Unary) -> Value:
    """`-a`, `not a`."""
    value = evaluate(environment, node.operand)
    return not truth(value) if node.sign == "not" else compute("-", 0, value)


def binary(environment: Environment, node: ast.Binary) -> Value:
    """An operation on two operands."""
    # The right side may rely on the left one: `n > 0 and widths[0] == 64`.
    if node.sign == "and":
        return is_true(environment, node.left) and is_true(environment, node.right)
    if node.sign == "or":
        return is_true(environment, node.left) or is_true(environment, node.right)
    if node.sign in JOINTS:
        return add_or_multiply(environment, node)
    equality = node.sign in {"==", "!="}
    left, right = (
        compared(environment, node)
        if equality
        else (evaluate(environment, node.left), evaluate(environment, node.right))
    )
    for side, value in ((node.left, left), (node.right, right)):
        if isinstance(value, BlockValue) or is_tensors(value):
            raise ElaborationError(
                catalog.WRONG_TYPE,
                side.span,
                f"`{node.sign}` takes numbers, not {describe(value)}",
                "blocks and tensors are joined by `->`, `+`, `*`, `concat` and `fork`",
            )
    if is_list(left):
        environment.context.budget.item(node.span, size_of(left, LONGEST_LIST))
    return compute(node.sign, left, right)


def compared(environment: Environment, node: ast.Binary) -> tuple[Value, Value]:
    """The two sides of `==`; beside a parameter that is an enumeration, words are words of it."""
    left, right = choices_of(environment, node.left), choices_of(environment, node.right)
    sides = ((node.left, right), (node.right, left))
    values = [
        None if is_free(environment, side) and not words else word(environment, side, words) for side, words in sides
    ]
    for at, (side, words) in enumerate(sides):
        if is_free(environment, side) and not words:
            values[at] = Symbol(side.span.text) if isinstance(values[1 - at], Symbol) else evaluate(environment, side)
    return values[0], values[1]


def choices_of(environment: Environment, node: ast.Expression) -> tuple[str, ...]:
    """The words that an expression may be: those of a parameter that is an enumeration."""
    return environment.choices.get(node.id, ()) if isinstance(node, ast.Name) else ()


def is_free(environment: Environment, node: ast.Expression) -> bool:
    """Tell if an expression is a bare word without a local meaning."""
    return isinstance(node, ast.Name) and node.id not in environment.names


def word(environment: Environment, node: ast.Expression, words: tuple[str, ...]) -> Value:
    """One side of `==`, where the other one may be any of some words."""
    if words:
        check_words(environment, node, symbol(*words))
    return evaluate(environment.expecting(words), node)


def add_or_multiply(environment: Environment, node: ast.Binary) -> Value:
    """`+` and `*`: of numbers, of blocks and tensors, or `n * a`."""
    left = evaluate(environment, node.left)
    if node.sign == "*" and is_number(left):
        if (asked := environment.statics.repeats.get(id(node))) is not None:
            # The body depends on the iteration, so it is not evaluated here.
            return repeat(environment, node, left, asked)
        right = evaluate(environment, node.right)
        if isinstance(right, BlockValue):
            return repeat(environment, node, left, frozenset())
    else:
        right = evaluate(environment, node.right)
    if not any(isinstance(side, BlockValue) or is_tensors(side) for side in (left, right)):
        return compute(node.sign, left, right)
    return joined(environment, node, left, right)


def joined(environment: Environment, node: ast.Binary, left: Value, right: Value) -> Value:
    """A sum or a gate; `a + b + c` is one sum of three."""
    kind = JOINTS[node.sign]
    for side, value, other in ((node.left, left, right), (node.right, right, left)):
        if not isinstance(value, BlockValue | Tensor):
            raise ElaborationError(
                catalog.WRONG_TYPE,
                side.span,
                f"`{node.sign}` cannot combine {describe(value)} with {describe(other)}",
                partial(misuse, node, value, other),
            )
    operands = [Operand(right, node.right.span)]
    # `a + b + c` is one sum of three, not a sum in a sum; brackets keep them apart.
    same = isinstance(node.left, ast.Binary) and node.left.sign == node.sign and not node.left.grouped
    if same and isinstance(left, Join) and left.kind == kind:
        operands = [*left.operands, *operands]
    else:
        operands = [Operand(left, node.left.span), *operands]
    return join(environment, node, kind, tuple(operands))


def misuse(node: ast.Binary, value: Value, other: Value) -> str:
    """Help for an operand that is neither a block nor a tensor."""
    if is_int(value) and value > 0 and node.sign == "*" and isinstance(other, BlockValue):
        return f"to repeat a block, put the number first: `{value} * {node.left.span.text}`"
    if is_number(value):
        return NOT_FOR_TENSORS
    return "name one tensor of a list: `x[0]`" if is_tensors(value) else ""


def join(environment: Environment, node: ast.Expression, kind: Joint, operands: tuple[Operand, ...]) -> Value:
    """Several blocks and tensors on one input. All tensors: what they come to. Else a block."""
    blocks = any(isinstance(operand.value, BlockValue) for operand in operands)
    if not blocks:
        assert environment.builder is not None
        return combine(environment, node, kind, operands)
    tensors = any(not isinstance(operand.value, BlockValue) for operand in operands)
    home = environment.builder if tensors or any(captures(operand.value) for operand in operands) else None
    parts = tuple(
        ("block", operand.value.key)
        if isinstance(operand.value, BlockValue)
        # Tensors are numbered anew in each scope, so the key holds the scope's token.
        else ("tensor", home.token if home else 0, str(operand.value))
        for operand in operands
    )
    key = environment.context.key("join", kind, parts)
    return Join(key=key, span=node.span, kind=kind, operands=operands, home=home)


def combine(environment: Environment, node: ast.Expression, kind: Joint, operands: tuple[Operand, ...]) -> Value:
    """Tensors joined: by an op in place, or as a list."""
    values = tuple(operand.value for operand in operands)
    if kind == "fork":
        return values
    assert environment.builder is not None
    use = environment.context.use(vocabulary()[kind], {}, NO_NAME, node.span)
    with origins_shown([(operand, operand.value) for operand in operands]):
        return in_place(environment.context, environment.builder, use, values, environment.settings)


def repeat(environment: Environment, node: ast.Binary, count: Value, asked: frozenset[str]) -> Value:
    """`n * a`."""
    name = environment.place(node, "")
    return row(environment, node, count, node.left, node.right, asked, name, gathers=False)


def row(
    environment: Environment,
    node: ast.Expression,
    count: Value,
    count_node: ast.Expression,
    body: ast.Expression,
    asked: frozenset[str],
    name: ModuleName,
    gathers: bool,
) -> Value:
    """Modules in a row: equal ones where the text does not ask for its index, few where it asks for the ends only."""
    check_count(count, count_node)
    if (word := environment.statics.clashes.get(id(node))) is not None:
        raise two_meanings(word)
    if count == 0 and not gathers:
        return environment.context.identity_use(node.span)
    runs: list[tuple[int, BlockValue]] = []
    # Keys are given in order: one from here on was made inside this repeat.
    known = len(environment.context.keys)
    for times, index in turns(environment, node, count, asked):
        turn = {"index": index, "first": index == 0, "last": index == count - 1}
        block = need_block(body, evaluate(environment.inner(body, turn, listed=False), body))
        if isinstance(block, Shared) and block.key >= known:
            block = block.body  # a `share` that each turn works out for itself
        if captures(block):
            raise ElaborationError(
                catalog.ESCAPES,
                body.span,
                "a block that uses a named tensor cannot be repeated",
                "write a `for` loop, or pass the tensor as a parameter of type `tensor`",
            )
        # Runs of equal blocks keep the cost by the number of different ones.
        if runs and runs[-1][1].key == block.key:
            runs[-1] = (runs[-1][0] + times, runs[-1][1])
        else:
            runs.append((times, block))
    return environment.context.row(name, tuple(runs), gathers, node.span)


def two_meanings(word: ast.Expression) -> ElaborationError:
    """A word of a repeat that is a name of the text around it, too."""
    name = word.span.text
    label = f"`{name}` is a name here, and what the repeat says of its turn"
    help = f"give one of them another name: `own_{name} = {name}`, before the repeat"
    return ElaborationError(catalog.DUPLICATE, word.span, label, help)


def check_count(count: Value, node: ast.Expression) -> None:
    """Raise for what is no number of repeats, or one beyond all networks."""
    if not is_int(count):
        label = f"the number of repeats is an int, not {describe(count)}"
        raise ElaborationError(catalog.WRONG_TYPE, node.span, label, lambda: uncounted(count, node))
    if count < 0:
        help = f"did you mean `{-count}`?" if isinstance(node, ast.Unary) else ""
        raise ElaborationError(catalog.OUT_OF_RANGE, node.span, f"{count} repeats; at least 0 are needed", help)
    if count > MOST_OPS:
        help = "a digit too many? The longest stage of ResNet-152 has 36 blocks"
        raise ElaborationError(catalog.TOO_MANY_OPS, node.span, lambda: too_many_repeats(count), help)


def too_many_repeats(count: int) -> str:
    """Label for more repeats than ops are built."""
    repeats = f"{count:,} repeats" if count < MOST_SHOWN else "a huge number of repeats"
    return f"{repeats}; at most {MOST_OPS:,} ops are built"


def uncounted(count: Value, node: ast.Expression) -> str:
    """Help for a number of repeats that is no int."""
    if isinstance(node, ast.Number):
        return NOT_FOR_TENSORS
    if is_number(count):
        return f"round it: `round({node.span.text}) * ...`"
    return "the number comes first: `3 * a`, `collect(3, a)`" if isinstance(count, BlockValue) else ""


def turns(environment: Environment, node: ast.Expression, count: int, asked: frozenset[str]) -> list[tuple[int, int]]:
    """(how many alike, index) for each different turn of a repeat."""
    if asked & {"index", "share"}:
        count = as_index(count)
        environment.context.budget.turn(node.span, count)
        return [(1, index) for index in range(count)]
    if not asked & {"first", "last"} or count < 2:
        return [(count, 0)] if count else []
    # Neither first nor last: any one of them stands for all.
    middle = [(count - 2, 1)] if count > 2 else []
    return [(1, 0), *middle, (1, count - 1)]


OPERATIONS: dict[type[ast.Expression], Callable[[Environment, Any], Value]] = {ast.Unary: unary, ast.Binary: binary}
