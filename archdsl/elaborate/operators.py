"""Arithmetic and logic on values; sums, gates and repeats of blocks and tensors.

And what looks like a call of a block, and is none: the functions on values, and `fork`, `collect`, `with`, `share`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from math import ceil, floor
from typing import Any, Literal

from archdsl.diagnostics import Note, Span, catalog
from archdsl.elaborate.blame import ElaborationError, every
from archdsl.elaborate.budget import LONGEST_LIST, MOST_OPS, size_of
from archdsl.elaborate.calls import plain_arguments, setting
from archdsl.elaborate.context import Context, Environment, placed
from archdsl.elaborate.evaluate import check_words, evaluate, is_true, need_block
from archdsl.elaborate.numbers import (
    ARITHMETIC,
    ORDER,
    ComputationError,
    Number,
    as_index,
    binary_logarithm,
    bounded,
    half_up,
    is_int,
    is_number,
    whole,
)
from archdsl.elaborate.scope_builder import TOKENS, ScopeBuilder, shapes_of
from archdsl.elaborate.values import (
    BlockValue,
    Join,
    Operand,
    Role,
    SettingEntry,
    SettingKey,
    Settings,
    Shared,
    Symbol,
    Tensor,
    TensorList,
    Value,
    With,
    captures,
    describe,
    distinct,
    equal,
    is_list,
    is_tensors,
    need_list,
    truth,
)
from archdsl.graph import each_shape
from archdsl.graph.ir import attribute_name
from archdsl.op import Shape, symbol
from archdsl.syntax import ast
from archdsl.syntax.naming import ModuleName

Joint = Literal["add", "multiply", "concat", "fork"]
JOINTS: dict[str, Joint] = {"+": "add", "*": "multiply"}
# What is joined, tensors and lists, each with the operand that it comes from.
Parts = Sequence[tuple[Operand, Value]]
MOST_SHOWN = 10**15
NOT_FOR_TENSORS = "numbers do not scale blocks or tensors; `scale(0.5)` does, as a link of a chain"


def join_tensors(
    context: Context, builder: ScopeBuilder, kind: Joint, parts: Parts, settings: Settings, span: Span
) -> Value:
    """Join tensors and lists by an op in place. An error notes the first tensor and the one that does not fit it."""
    try:
        return context.in_place(builder, kind, tuple([value for _, value in parts]), settings, span)
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
            label = f"`{node.sign}` takes numbers, not {describe(value)}"
            help = "blocks and tensors are joined by `->`, `+`, `*`, `concat` and `fork`"
            raise ElaborationError(catalog.WRONG_TYPE, side.span, label, help)
    if is_list(left):
        environment.context.budget.item(node.span, size_of(left, LONGEST_LIST))
    return compute(node.sign, left, right)


def compared(environment: Environment, node: ast.Binary) -> tuple[Value, Value]:
    """The two sides of `==`; beside a parameter that is an enumeration, words are words of it."""
    left, right = choices_of(environment, node.left), choices_of(environment, node.right)
    sides = ((node.left, right), (node.right, left))
    if not (left or right or is_free(environment, node.left) or is_free(environment, node.right)):
        environment = environment.expecting(())
        return evaluate(environment, node.left), evaluate(environment, node.right)
    values = [
        None if is_free(environment, side) and not words else word(environment, side, words) for side, words in sides
    ]
    for at, (side, words) in enumerate(sides):
        if is_free(environment, side) and not words:
            values[at] = Symbol(side.span.text) if isinstance(values[1 - at], Symbol) else evaluate(environment, side)
    return values[0], values[1]


def choices_of(environment: Environment, node: ast.Expression) -> tuple[str, ...]:
    """The words that an expression may be: those of a parameter that is an enumeration."""
    return environment.choices.get(node.id, ()) if type(node) is ast.Name else ()


def is_free(environment: Environment, node: ast.Expression) -> bool:
    """Tell if an expression is a bare word without a local meaning."""
    return type(node) is ast.Name and node.id not in environment.names


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
            label = f"`{node.sign}` cannot combine {describe(value)} with {describe(other)}"
            raise ElaborationError(catalog.WRONG_TYPE, side.span, label, partial(misuse, node, value, other))
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
    if kind == "fork":
        return tuple(operand.value for operand in operands)
    assert environment.builder is not None
    parts = [(operand, operand.value) for operand in operands]
    return join_tensors(environment.context, environment.builder, kind, parts, environment.settings, node.span)


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
            label = "a block that uses a named tensor cannot be repeated"
            help = "write a `for` loop, or pass the tensor as a parameter of type `tensor`"
            raise ElaborationError(catalog.ESCAPES, body.span, label, help)
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


# ---- values


def need_numbers(*values: Value) -> None:
    """Raise ComputationError unless all values are numbers."""
    for value in values:
        if not is_number(value):
            raise ComputationError(f"a number is needed here, not {describe(value)}")


def compute(sign: str, left: Value, right: Value) -> Value:
    """Compute an arithmetic operation or a comparison; raise ComputationError where it has no value."""
    if sign in {"==", "!="}:
        return equal(left, right) == (sign == "==")
    need_numbers(left, right)
    return ORDER[sign](left, right) if sign in ORDER else bounded(ARITHMETIC[sign](left, right))


def to_int(value: Value) -> Value:
    """Convert a number to an int; raise ComputationError if it is not whole."""
    need_numbers(value)
    if (found := whole(value)) is None:
        raise ComputationError(lambda: f"{describe(value)} is not an integer", "use `floor`, `ceil` or `round`")
    return found


def on_number(function: Callable[[Any], Any]) -> Callable[[Value], Value]:
    """A function that takes one number."""

    def checked(value: Value) -> Value:
        need_numbers(value)
        return function(value)

    return checked


def length(values: Value) -> int:
    """The number of items of a list."""
    return len(need_list(values))


def extreme(function: Callable[..., Any]) -> Callable[..., Value]:
    """`min` or `max` of several numbers, or of a list."""

    def checked(*values: Value) -> Value:
        numbers = need_list(values[0]) if len(values) == 1 else values
        if not numbers:
            raise ComputationError("an empty list has neither least nor greatest")
        need_numbers(*numbers)
        return function(numbers)

    return checked


def total(values: Value) -> Value:
    """The sum of a list of numbers."""
    result: Number = 0
    for number in need_list(values):
        need_numbers(number)
        result = bounded(result + number)
    return result


def number_range(*bounds: Value) -> Value:
    """`range(n)`, `range(start, stop)`, `range(start, stop, step)` as a list."""
    for bound in bounds:
        if not is_int(bound):
            raise ComputationError(f"range takes ints, not {describe(bound)}")
    if len(bounds) == 3 and bounds[2] == 0:
        raise ComputationError("a range's step cannot be 0")
    numbers = range(*map(as_index, bounds))
    if len(numbers) > LONGEST_LIST:
        raise ComputationError(f"a list has at most {LONGEST_LIST:,} items")
    return tuple(numbers)


def unique(values: Value) -> Value:
    """The items of a list without repeats, in order."""
    return distinct(need_list(values))


def together(*lists: Value) -> Value:
    """`zip`: the first items, the second items, ... of lists of equal length."""
    items = [need_list(each) for each in lists]
    if len({len(each) for each in items}) > 1:
        raise ComputationError(
            lambda: f"zip takes lists of equal length, not of {', '.join(str(len(each)) for each in items)}"
        )
    return tuple(zip(*items, strict=True))


def count(values: Value, item: Value) -> int:
    """The number of times that an item is in a list."""
    return sum(equal(each, item) for each in need_list(values))


# Each function by name, with the least and the greatest number of arguments.
FUNCTIONS: dict[str, tuple[Callable[..., Value], int, int]] = {
    "min": (extreme(min), 1, 64),
    "max": (extreme(max), 1, 64),
    "abs": (on_number(abs), 1, 1),
    "round": (on_number(half_up), 1, 1),
    "floor": (on_number(floor), 1, 1),
    "ceil": (on_number(ceil), 1, 1),
    "int": (to_int, 1, 1),
    "log2": (on_number(binary_logarithm), 1, 1),
    "len": (length, 1, 1),
    "range": (number_range, 1, 3),
    "zip": (together, 1, 64),
    "sum": (total, 1, 1),
    "unique": (unique, 1, 1),
    "count": (count, 2, 2),
}


def apply_function(name: str, arguments: Sequence[Value]) -> Value:
    """Call a function; raise ComputationError where it has no value."""
    function, least, most = FUNCTIONS[name]
    if not least <= len(arguments) <= most:
        wanted = str(least) if least == most else f"{least} to {most}"
        raise ComputationError(lambda: f"{name} takes {wanted} arguments, not {len(arguments)}")
    return function(*arguments)


def call_function(environment: Environment, node: ast.Call, name: str) -> Value:
    """A call of a function of the language."""
    values = plain_arguments(environment, node)
    budget = environment.context.budget
    if environment.builder is not None:
        split = environment.builder.items
        values = [split(value) if is_tensors(value) and not isinstance(value, Tensor) else value for value in values]
    budget.item(node.span, sum(len(value) for value in values if is_list(value)))
    result = apply_function(name, values)
    if is_list(result):
        budget.list(node.span, result)
    return result


# ---- forms


def gather(environment: Environment, node: ast.Call, kind: Joint) -> Value:
    """The operands of a fork or a concat."""
    if not node.arguments:
        raise ElaborationError(catalog.MISSING_ARGUMENT, node.span, f"`{kind}` needs at least one branch")
    operands = [operand for argument in node.arguments for operand in operands_of(environment, argument)]
    return join(environment, node, kind, tuple(operands))


def operands_of(environment: Environment, argument: ast.CallArgument) -> list[Operand]:
    """The operands of one argument: a branch, or the items of a spread list."""
    if isinstance(argument.value, ast.Unpack):
        value = evaluate(environment, argument.value.value)
        if isinstance(value, TensorList):
            return [Operand(value, argument.span)]
        if not is_list(value):
            raise ElaborationError(
                catalog.WRONG_TYPE, argument.span, lambda: f"`...` takes a list, not {describe(value)}"
            )
        return [branch(argument, placed(environment, argument.value, item)) for item in value]
    value = branch(argument, evaluate(environment, argument.value))
    if not argument.target:
        return [value]
    block = need_block(argument.value, value.value)
    name = ModuleName(attribute_name(argument.target[-1]), environment.listed)
    key = environment.context.key("own", name, block.key)
    return [Operand(Role(key=key, span=argument.span, name=name, body=block, role="own"), argument.span)]


def branch(argument: ast.CallArgument, value: Value) -> Operand:
    """An operand, if it is a block or a tensor."""
    if isinstance(value, BlockValue) or (is_tensors(value) and hasattr(value, "shape")):
        return Operand(value, argument.span)
    named = argument.value.id if isinstance(argument.value, ast.Name) else "[a, b]"
    hint = f"spread the list: `...{named}`" if is_list(value) or is_tensors(value) else ""
    raise ElaborationError(
        catalog.NOT_A_BLOCK, argument.span, lambda: f"a block or a tensor is needed here, not {describe(value)}", hint
    )


def collect(environment: Environment, node: ast.Call) -> Value:
    """`collect(n, a)`: the outputs of `n * a`, in order, as a list."""
    if len(node.arguments) != 2 or any(argument.target for argument in node.arguments):
        raise ElaborationError(
            catalog.MISSING_ARGUMENT, node.span, "`collect` takes a number and a block: `collect(5, layer)`"
        )
    count, body = (argument.value for argument in node.arguments)
    asked = environment.statics.repeats.get(id(node), frozenset[str]())
    return row(
        environment,
        node,
        evaluate(environment, count),
        count,
        body,
        asked,
        environment.place(node, "collect"),
        gathers=True,
    )


def with_(environment: Environment, node: ast.Call) -> Value:
    """`with(settings, a)`: a block built under other settings."""
    *settings, last = node.arguments or (None,)
    if last is None or last.target or not settings:
        raise ElaborationError(
            catalog.MISSING_ARGUMENT, node.span, "`with` takes settings, and last a block: `with(act = mish, a)`"
        )
    context = environment.context
    entries: dict[SettingKey, SettingEntry] = {}

    def part(argument: ast.CallArgument) -> BlockValue | None:
        if argument is last:
            return need_block(argument.value, evaluate(environment, argument.value))
        slot, entry = setting(environment, argument)
        entries[slot] = entry
        context.trace.declared.setdefault((slot, entry.key), entry)
        return None

    body = every(node.arguments, part)[-1]
    assert body is not None
    table = context.settings(entries)
    return With(key=context.key("with", table.key, body.key), span=node.span, settings=table, body=body)


def share(environment: Environment, node: ast.Call) -> Value:
    """`share(a)`: one set of weights, wherever it is applied."""
    if len(node.arguments) != 1 or node.arguments[0].target:
        raise ElaborationError(catalog.MISSING_ARGUMENT, node.span, "`share` takes one block: `share(a)`")
    argument = node.arguments[0].value
    body = need_block(argument, evaluate(environment, argument))
    context = environment.context
    context.shares = True
    key = context.key("share", next(TOKENS))
    return Shared(key=key, span=node.span, name=environment.place(node, "shared"), body=body, home=environment.builder)


FORM_CALLS: dict[str, Callable[[Environment, ast.Call], Value]] = {
    "fork": partial(gather, kind="fork"),
    "concat": partial(gather, kind="concat"),
    "collect": collect,
    "with": with_,
    "share": share,
    **{name: partial(call_function, name=name) for name in FUNCTIONS},
}

OPERATIONS: dict[type[ast.Expression], Callable[[Environment, Any], Value]] = {ast.Unary: unary, ast.Binary: binary}
