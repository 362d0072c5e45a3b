"""The parameters of a defined block, once it meets its input: given, set, or by default."""

from __future__ import annotations

from fractions import Fraction

from archdsl.errors import catalog
from archdsl.graph import Argument
from archdsl.lang.evaluate.calls import typed_argument
from archdsl.lang.evaluate.frame import Frame
from archdsl.lang.evaluate.session import Rest
from archdsl.lang.evaluate.settings import Entry
from archdsl.lang.evaluate.table import bound
from archdsl.lang.text import syntax as ast
from archdsl.lang.text.files import Definition
from archdsl.lang.text.signature import Slot, fitted, signature_of
from archdsl.lang.values.faults import Fault
from archdsl.lang.values.types import is_tensors
from archdsl.lang.values.value import BlockValue, Bound, Use, Value, is_list, label
from archdsl.record import MISSING


def bind(frame: Frame, use: Use, definition: Definition) -> None:
    """Puts the parameters into the frame, in order, as each default may use those before it."""
    slots = signature_of(definition).slots
    entries = frame.settings.of(definition)
    at = 1
    for parameter in definition.parameters:
        slot = slots[parameter.name]
        if slot.type.symbols:
            frame.choices[slot.name] = slot.type.symbols
        if slot.rest:
            frame.names[slot.name] = use.given[slot.name].value if slot.name in use.given else Rest({})
        elif slot.type.name == "tensor" and slot.name in use.given:
            assert frame.builder is not None
            frame.names[slot.name] = frame.builder.input(at)
            frame.builder.names[at] = slot.name
            at += 1
        else:
            frame.names[slot.name] = value_of(frame, use, slot, entries, parameter.default)


def value_of(frame: Frame, use: Use, slot: Slot, entries: dict[str, Entry], default: ast.Expression | None) -> Value:
    """A parameter's value: given, set (one of the `entries` of the settings), or the default."""
    if slot.name in use.given:
        return use.given[slot.name].value
    if slot.name in entries:
        assert frame.builder is not None
        frame.builder.used.add((use.target, slot.name))
        return entries[slot.name].bound.value
    if slot.default is not MISSING:
        return slot.default
    if default is None:
        label = f"`{use.target.name}` needs `{slot.name}`"
        raise Fault(catalog.MISSING_ARGUMENT, use.span, label, signature_of(use.target).hint())
    return fitted(slot, typed_argument(frame, default, slot.type), exact=True).value


def tensor_inputs(use: Use) -> tuple[Value, ...]:
    """The tensors among the arguments of a block: further inputs, in the order of the signature."""
    if not isinstance(use.target, Definition):
        return ()
    names = signature_of(use.target).tensors
    return tuple([use.given[name].value for name in names if name in use.given]) if names else ()


def arguments_of(frame: Frame, definition: Definition) -> tuple[Argument, ...]:
    """The arguments as the graph keeps them: numbers as Python's, blocks by their text."""
    names = frame.names
    return tuple([Argument(name, plain(names[name]), default) for name, default in defaults_of(definition)])


def defaults_of(definition: Definition) -> list[tuple[str, Value]]:
    """The parameters with their written defaults, found out once."""
    found = definition.__dict__.get("defaults")
    if found is None:
        found = [(slot.name, plain(slot.default)) for slot in signature_of(definition).slots.values()]
        definition.__dict__["defaults"] = found
    return found


def plain(value: Value) -> Value:
    """A value without what belongs to the elaboration."""
    if type(value) is int or type(value) is bool:
        return value
    if type(value) is Fraction:
        return float(value)
    if isinstance(value, BlockValue):
        return label(value)
    if isinstance(value, Rest):
        return tuple(value.given)
    if is_tensors(value):
        return "tensor"
    if is_list(value):
        return tuple(map(plain, value))
    return value


__all__ = ["Bound", "arguments_of", "bind", "bound", "tensor_inputs"]
