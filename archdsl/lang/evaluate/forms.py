"""The forms that look like calls: `fork`, `concat`, `collect`, `with`, `share`."""

from __future__ import annotations

from collections.abc import Callable

from archdsl.errors import catalog
from archdsl.graph.attributes import attribute_name
from archdsl.lang.evaluate.building import TOKENS
from archdsl.lang.evaluate.calls import FORM_CALLS
from archdsl.lang.evaluate.frame import Frame
from archdsl.lang.evaluate.operators import Joint, join, row
from archdsl.lang.evaluate.renaming import placed
from archdsl.lang.evaluate.setting import entry_of, slot_of
from archdsl.lang.evaluate.settings import Entry, Slot
from archdsl.lang.evaluate.table import evaluate, need_block
from archdsl.lang.text import syntax as ast
from archdsl.lang.values.faults import Fault, every
from archdsl.lang.values.types import is_tensors
from archdsl.lang.values.value import BlockValue, Operand, Role, Shared, TensorList, Value, With, describe, is_list


def form(name: str) -> Callable[[Callable[[Frame, ast.Call], Value]], Callable[[Frame, ast.Call], Value]]:
    """Enters a form under its name."""

    def enter(work: Callable[[Frame, ast.Call], Value]) -> Callable[[Frame, ast.Call], Value]:
        FORM_CALLS[name] = work
        return work

    return enter


@form("fork")
def fork(frame: Frame, node: ast.Call) -> Value:
    """All on the same input, as a list."""
    return gather(frame, node, "fork")


@form("concat")
def concat(frame: Frame, node: ast.Call) -> Value:
    """All on the same input, their channels joined."""
    return gather(frame, node, "concat")


def gather(frame: Frame, node: ast.Call, kind: Joint) -> Value:
    """The operands of a fork or a concat."""
    if not node.arguments:
        raise Fault(catalog.MISSING_ARGUMENT, node.span, f"`{kind}` needs at least one branch")
    operands = [operand for argument in node.arguments for operand in operands_of(frame, argument)]
    return join(frame, node, kind, tuple(operands))


def operands_of(frame: Frame, argument: ast.Argument) -> list[Operand]:
    """What one argument adds: a branch, or the items of a spread list."""
    if isinstance(argument.value, ast.Spread):
        value = evaluate(frame, argument.value.value)
        if isinstance(value, TensorList):
            return [Operand(value, argument.span)]
        if not is_list(value):
            raise Fault(catalog.WRONG_TYPE, argument.span, f"`...` takes a list, not {describe(value)}")
        return [checked(argument, placed(frame, argument.value, item)) for item in value]
    value = checked(argument, evaluate(frame, argument.value))
    if not argument.target:
        return [value]
    block = need_block(argument.value, value.value)
    name = attribute_name(argument.target[-1]) + ("." if frame.listed else "")
    key = frame.session.key("own", name, block.key)
    return [Operand(Role(key=key, span=argument.span, name=name, body=block, role="own"), argument.span)]


def checked(argument: ast.Argument, value: Value) -> Operand:
    """An operand, if it is a block or a tensor."""
    if isinstance(value, BlockValue) or (is_tensors(value) and hasattr(value, "shape")):
        return Operand(value, argument.span)
    named = argument.value.id if isinstance(argument.value, ast.Name) else "[a, b]"
    hint = f"spread the list: `...{named}`" if is_list(value) or is_tensors(value) else ""
    raise Fault(catalog.NOT_A_BLOCK, argument.span, f"a block or a tensor is needed here, not {describe(value)}", hint)


@form("collect")
def collect(frame: Frame, node: ast.Call) -> Value:
    """`collect(n, a)`: the outputs of `n * a`, in order, as a list."""
    if len(node.arguments) != 2 or any(argument.target for argument in node.arguments):
        raise Fault(catalog.MISSING_ARGUMENT, node.span, "`collect` takes a number and a block: `collect(5, layer)`")
    count, body = (argument.value for argument in node.arguments)
    asked = frame.statics.repeats.get(id(node), frozenset[str]())
    return row(frame, node, evaluate(frame, count), count, body, asked, frame.place(node, "collect"), gathers=True)


@form("with")
def with_(frame: Frame, node: ast.Call) -> Value:
    """`with(settings, a)`: a block built under other settings."""
    *settings, last = node.arguments or (None,)
    if last is None or last.target or not settings:
        raise Fault(
            catalog.MISSING_ARGUMENT, node.span, "`with` takes settings, and last a block: `with(act = mish, a)`"
        )
    session = frame.session
    entries: dict[Slot, Entry] = {}

    def part(argument: ast.Argument) -> BlockValue | None:
        if argument is last:
            return need_block(argument.value, evaluate(frame, argument.value))
        slot, entry = setting(frame, argument)
        entries[slot] = entry
        session.trace.declared.setdefault((slot, entry.key), entry)
        return None

    body = every(node.arguments, part)[-1]
    assert body is not None
    table = session.settings(entries)
    return With(key=session.key("with", table.key, body.key), span=node.span, settings=table, body=body)


def setting(frame: Frame, argument: ast.Argument) -> tuple[Slot, Entry]:
    """A setting of a `with`."""
    if not argument.target:
        raise Fault(catalog.MISSING_ARGUMENT, argument.span, "a setting is needed here: `name.param = value`")
    slot = slot_of(frame, argument.target, argument.span)
    return slot, entry_of(frame, slot, argument.target, argument.value)


@form("share")
def share(frame: Frame, node: ast.Call) -> Value:
    """`share(a)`: one set of weights, wherever it is applied."""
    if len(node.arguments) != 1 or node.arguments[0].target:
        raise Fault(catalog.MISSING_ARGUMENT, node.span, "`share` takes one block: `share(a)`")
    argument = node.arguments[0].value
    body = need_block(argument, evaluate(frame, argument))
    session = frame.session
    session.shares = True
    key = session.key("share", next(TOKENS))
    return Shared(key=key, span=node.span, name=frame.place(node, "shared"), body=body, home=frame.builder)
