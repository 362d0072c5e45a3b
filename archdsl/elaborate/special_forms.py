"""The forms that look like calls: `fork`, `concat`, `collect`, `with`, `share`."""

from __future__ import annotations

from collections.abc import Callable

from archdsl.diagnostics import catalog
from archdsl.elaborate.blame import ElaborationError, every
from archdsl.elaborate.environment import Environment, placed
from archdsl.elaborate.evaluate import evaluate, need_block
from archdsl.elaborate.operators import Joint, join, row
from archdsl.elaborate.scope_builder import TOKENS
from archdsl.elaborate.settings import entry_of, slot_of
from archdsl.elaborate.values import (
    BlockValue,
    Operand,
    Role,
    SettingEntry,
    SettingKey,
    Shared,
    TensorList,
    Value,
    With,
    describe,
    is_list,
    is_tensors,
)
from archdsl.graph.ir import attribute_name
from archdsl.syntax import ast
from archdsl.syntax.naming import ModuleName


def fork(environment: Environment, node: ast.Call) -> Value:
    """All on the same input, as a list."""
    return gather(environment, node, "fork")


def concat(environment: Environment, node: ast.Call) -> Value:
    """All on the same input, their channels joined."""
    return gather(environment, node, "concat")


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
        return [checked(argument, placed(environment, argument.value, item)) for item in value]
    value = checked(argument, evaluate(environment, argument.value))
    if not argument.target:
        return [value]
    block = need_block(argument.value, value.value)
    name = ModuleName(attribute_name(argument.target[-1]), environment.listed)
    key = environment.context.key("own", name, block.key)
    return [Operand(Role(key=key, span=argument.span, name=name, body=block, role="own"), argument.span)]


def checked(argument: ast.CallArgument, value: Value) -> Operand:
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


def setting(environment: Environment, argument: ast.CallArgument) -> tuple[SettingKey, SettingEntry]:
    """A setting of a `with`."""
    if not argument.target:
        raise ElaborationError(
            catalog.MISSING_ARGUMENT, argument.span, "a setting is needed here: `name.param = value`"
        )
    slot = slot_of(environment, argument.target, argument.span)
    return slot, entry_of(environment, slot, argument.target, argument.value)


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
    "fork": fork,
    "concat": concat,
    "collect": collect,
    "with": with_,
    "share": share,
}
