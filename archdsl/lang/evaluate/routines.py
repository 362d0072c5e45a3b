"""Calls of functions on values: of the language's own, and of those that a text defines."""

from __future__ import annotations

from collections.abc import Sequence

from archdsl.errors import catalog
from archdsl.graph import Origin
from archdsl.lang.evaluate.bodies import run
from archdsl.lang.evaluate.frame import Frame
from archdsl.lang.evaluate.table import bound, check_words, checked, evaluate
from archdsl.lang.text import syntax as ast
from archdsl.lang.text.files import Routine
from archdsl.lang.text.signature import Signature, Slot, fitted, of_parameters, plural
from archdsl.lang.text.statics import Statics
from archdsl.lang.values import functions
from archdsl.lang.values.faults import Fault
from archdsl.lang.values.limits import TURNS_OF_A_CALL
from archdsl.lang.values.types import Type, is_tensors
from archdsl.lang.values.value import Bound, Tensor, Value, captures, is_list

UNSAID = Origin("literal", "")
"""The origin of a value that stands nowhere on its own."""
ANY = Type("value")


def call_function(frame: Frame, node: ast.Call, name: str) -> Value:
    """A call of a function of the language."""
    values = plain_arguments(frame, node)
    budget = frame.session.budget
    if frame.builder is not None:
        split = frame.builder.items
        values = [split(value) if is_tensors(value) and not isinstance(value, Tensor) else value for value in values]
    budget.item(node.span, sum(len(value) for value in values if is_list(value)))
    result = functions.call(name, values)
    if is_list(result):
        budget.list(node.span, result)
    return result


def plain_arguments(frame: Frame, node: ast.Call, shown: str = "", types: Sequence[Type] = ()) -> list[Value]:
    """The arguments of a function on values, by position; `shown` says what the function is."""
    frame = frame.expecting(())
    found: list[Value] = []
    for argument in node.arguments:
        if argument.target:
            raise Fault(catalog.UNKNOWN_PARAMETER, argument.span, "functions take their arguments by position", shown)
        if isinstance(argument.value, ast.Spread):
            found += checked(argument, functions.need_list, evaluate(frame, argument.value.value))
        else:
            kind = types[len(found)] if len(found) < len(types) else ANY
            if kind.symbols:
                check_words(frame, argument.value, kind)
            found.append(evaluate(frame.expecting(kind.symbols), argument.value))
    return found


def call_routine(frame: Frame, node: ast.Call, routine: Routine) -> Value:
    """A call of a function that the text defines."""
    session = frame.session
    session.budget.turn(node.span, TURNS_OF_A_CALL)
    slots = of_parameters(routine.node.parameters, routine.file)
    shown = f"the signature is {Signature(routine.name, slots).text()}"
    values = plain_arguments(frame, node, shown, [slot.type for slot in slots.values()])
    if len(values) > len(slots):
        extra = node.arguments[min(len(slots), len(node.arguments) - 1)]
        label = f"`{routine.name}` takes {plural(len(slots)) if slots else 'no arguments'}"
        raise Fault(catalog.BY_NAME_ONLY, extra.span, label, shown)
    if captures(tuple(values)):
        hint = "pass what it needs to know: `x.channels`"
        raise Fault(catalog.WRONG_TYPE, node.span, "functions take values, not tensors", hint)
    names = dict(zip(slots, typed_values(frame, node, routine, slots, values), strict=False))
    inner = Frame(session, routine.file, Statics.blank(), names, frame.settings)
    inner.choices = {slot.name: slot.type.symbols for slot in slots.values() if slot.type.symbols}
    with session.level(node.span, routine.name):
        for parameter in routine.node.parameters[len(values) :]:
            if parameter.default is None:
                label = f"`{routine.name}` needs `{parameter.name}`"
                raise Fault(catalog.MISSING_ARGUMENT, node.span, label, shown)
            words = slots[parameter.name].type.symbols
            names[parameter.name] = evaluate(inner.expecting(words), parameter.default)
        inner.words = frame.words
        found, value = run(inner, routine.node.body)
    if not found:
        raise Fault(catalog.NO_RESULT, routine.node.span, f"`{routine.name}` returns no value", "end it with `return`")
    return value


def typed_values(
    frame: Frame, node: ast.Call, routine: Routine, slots: dict[str, Slot], values: list[Value]
) -> list[Value]:
    """The arguments of a function as its parameters take them, where these declare a type."""
    arguments = [argument.value for argument in node.arguments]
    spread = any(isinstance(argument, ast.Spread) for argument in arguments)
    found = list(values)
    for at, (parameter, value) in enumerate(zip(routine.node.parameters, values, strict=False)):
        if parameter.type:
            given = Bound(value, node.span, UNSAID) if spread else bound(frame, arguments[at], value)
            found[at] = fitted(slots[parameter.name], given, exact=True).value
    return found
