"""Calls: of functions on values, and of blocks, which takes settings and gives the block with them."""

from __future__ import annotations

from contextlib import suppress
from typing import NamedTuple

from archdsl.errors import catalog, did_you_mean
from archdsl.initializer import INITIALIZERS, Initializer
from archdsl.lang.evaluate.frame import Frame
from archdsl.lang.evaluate.renaming import placed
from archdsl.lang.evaluate.routines import call_function, call_routine
from archdsl.lang.evaluate.session import NOWHERE, Rest
from archdsl.lang.evaluate.table import bound, check_words, escape, evaluate, evaluates
from archdsl.lang.text import syntax as ast
from archdsl.lang.text.files import FORMS, POLICIES, Clash, Definition, Routine, Target
from archdsl.lang.text.signature import (
    Signature,
    Slot,
    assign,
    fitted,
    of_declared,
    signature_of,
)
from archdsl.lang.values.faults import Fault, every
from archdsl.lang.values.foreign import nothing_called, suggestion
from archdsl.lang.values.functions import FUNCTIONS
from archdsl.lang.values.types import Type, is_tensors
from archdsl.lang.values.value import (
    BlockValue,
    Bound,
    Policy,
    Role,
    Shared,
    Symbol,
    Use,
    Value,
    With,
    captures,
    describe,
)

FORM_CALLS: dict[str, object] = {}
"""The forms (`fork`, `with`, ...) by name; `forms` enters them."""


@evaluates(ast.Call)
def call(frame: Frame, node: ast.Call) -> Value:
    """A call of whatever the callee is."""
    if isinstance(node.callee, ast.Name) and node.callee.id not in frame.names:
        word = node.callee.id
        if word in FORM_CALLS and (word != "concat" or node.arguments):
            return FORM_CALLS[word](frame, node)  # type: ignore[operator]
        if word in FUNCTIONS:
            return call_function(frame, node, word)
        if isinstance(found := frame.file.find(word), Routine):
            return placed(frame, node, call_routine(frame, node, found))
        if word in INITIALIZERS and found is None:
            return initializer(frame, node)
        if found is not None and not isinstance(found, Clash) and word not in POLICIES and not frame.dropped:
            return called(frame, found, node, word)
    value = evaluate(frame, node.callee)
    if not isinstance(value, BlockValue):
        help = f"a tensor is passed by an arrow: `{node.callee.span.text} -> ...`" if is_tensors(value) else ""
        raise Fault(catalog.NOT_A_BLOCK, node.callee.span, f"{describe(value)} cannot be called", help)
    if is_dropped(frame, node):
        return frame.session.use(frame.session.identity, {}, "identity", node.span)
    return give(frame, value, node, frame.place(node, value.name if isinstance(value, Use) else ""))


def called(frame: Frame, target: Target, node: ast.Call, word: str) -> Use:
    """A known block or op with settings: the common case, straight away."""
    return frame.session.use(target, settings_for(frame, target, {}, node), frame.place(node, word), node.span)


def is_dropped(frame: Frame, node: ast.Call) -> bool:
    """Whether a call sizes the classifier, of a network without one (`classes = 0`)."""
    return bool(frame.dropped) and any(
        isinstance(argument.value, ast.Name) and argument.value.id == frame.dropped for argument in node.arguments
    )


# ---- settings given to blocks --------------------------------------------------------------------------------------


def give(frame: Frame, value: BlockValue, node: ast.Call, name: str) -> BlockValue:
    """A block with further settings."""
    session = frame.session
    match value:
        case Use():
            given = {**value.given, **settings_for(frame, value.target, value.given, node)}
            return session.use(value.target, given, name or value.name, node.span)
        case Policy():
            given = {**value.given, **policy_settings(frame, value, node)}
            place = name or value.name
            key = session.key("policy", value.policy, session.given_key(given), place)
            return Policy(key=key, span=node.span, policy=value.policy, given=given, name=place)
        case Role():
            body = give(frame, value.body, node, "")
            place = name or value.name
            key = session.key(value.role, place, body.key)
            return value.replace(key=key, span=node.span, name=place, body=body)
        case With():
            body = give(frame, value.body, node, name)
            return value.replace(key=session.key("with", value.settings.key, body.key), body=body)
        case Shared():
            raise Fault(catalog.SHARED, node.span, "a shared block has its settings already; they cannot be changed")
        case _:
            raise Fault(
                catalog.UNKNOWN_PARAMETER,
                node.span,
                f"{describe(value)} made of several takes no settings",
                "set them on its parts, or define a block with parameters",
            )


class Assigned(NamedTuple):
    """An argument of a call: its parameter, its text, and its value where that is written out."""

    name: str
    slot: Slot
    value: ast.Expression
    literal: Bound | None


def settings_for(frame: Frame, target: Target, before: dict[str, Bound], node: ast.Call) -> dict[str, Bound]:
    """The arguments of a call, each for its parameter, of its type; `before` are the settings that it has already."""
    signature = signature_of(target)
    exact = isinstance(target, Definition)
    if signature.rest is None and not before and (plain := assigned(frame, target, node)) is not None:

        def argument(each: Assigned) -> tuple[str, Bound]:
            known = each.literal
            return each.name, known or fitted(
                each.slot, typed_argument(frame, each.value, each.slot.type), exact, signature
            )

        return dict(every(plain, argument))
    return settings_with_rest(frame, signature, before, node, exact)


def assigned(frame: Frame, target: Target, node: ast.Call) -> list[Assigned] | None:
    """Which parameter each argument of a call is for, found out once; None where settings are handed on."""
    found = frame.statics.assigned.get((id(node), target))
    if found is None:
        if any(isinstance(argument.value, ast.Spread) for argument in node.arguments):
            return None
        signature = signature_of(target)
        pairs = [] if signature.lenient else assign(signature, node.arguments, {}, node)
        exact = isinstance(target, Definition)
        found = [
            Assigned(
                name, slot := signature.slots[name], each.value, literal(frame, slot, each.value, signature, exact)
            )
            for name, each in pairs
        ]
        frame.statics.assigned[id(node), target] = found
    return found


def literal(frame: Frame, slot: Slot, node: ast.Expression, signature: Signature, exact: bool) -> Bound | None:
    """An argument that is the same at every evaluation: a number or a bool, as written; None for one that is wrong."""
    if not isinstance(node, ast.Number | ast.Boolean):
        return None
    with suppress(Fault):
        return fitted(slot, bound(frame, node, node.value), exact, signature)
    return None


def settings_with_rest(
    frame: Frame, signature: Signature, before: dict[str, Bound], node: ast.Call, exact: bool
) -> dict[str, Bound]:
    """As `settings_for`, for blocks that have settings already, and where some are handed on by `...args`."""
    arguments, passed = split_rest(frame, node)
    if signature.lenient:
        return {}
    given: dict[str, Bound] = {}
    rest = rest_of(before, signature)
    for name, argument in assign(signature, arguments, {**before, **passed}, node):
        slot = signature.slots.get(name)
        if slot is None or slot.rest:
            rest[name] = free_argument(frame, argument.value)
        else:
            given[name] = fitted(slot, typed_argument(frame, argument.value, slot.type), exact, signature)
    for name, handed in passed.items():
        slot = signature.slots.get(name)
        if slot is None or slot.rest:
            if signature.rest is None:
                label = f"`{signature.owner}` has no parameter `{name}`"
                raise Fault(catalog.UNKNOWN_PARAMETER, handed.span, label, did_you_mean(name, signature.slots))
            rest[name] = handed
        else:
            given[name] = fitted(slot, retyped(slot, handed), exact)
    if rest and signature.rest is not None:
        given[signature.rest.name] = Bound(Rest(rest), node.span, NOWHERE)
    return given


def rest_of(before: dict[str, Bound], signature: Signature) -> dict[str, Bound]:
    """The settings that a block took already, to pass on."""
    taken = before.get(signature.rest.name) if signature.rest is not None else None
    return {} if taken is None else dict(taken.value.given)


def split_rest(frame: Frame, node: ast.Call) -> tuple[tuple[ast.Argument, ...], dict[str, Bound]]:
    """The arguments as written, and those that a `...args` among them stands for."""
    written: list[ast.Argument] = []
    passed: dict[str, Bound] = {}
    for argument in node.arguments:
        if isinstance(argument.value, ast.Spread):
            value = evaluate(frame, argument.value.value)
            if not isinstance(value, Rest):
                raise Fault(catalog.WRONG_TYPE, argument.span, "only settings that a `...name` took can be passed on")
            passed |= value.given
        else:
            written.append(argument)
    return tuple(written), passed


def retyped(slot: Slot, handed: Bound) -> Bound:
    """A handed-on word of an enumeration, now that its type is known."""
    if isinstance(handed.value, Symbol) and handed.value not in slot.type.symbols:
        raise Fault(
            catalog.UNKNOWN_NAME,
            handed.span,
            f"`{handed.value}` is not a choice for `{slot.name}`",
            did_you_mean(handed.value, slot.type.symbols),
        )
    return handed


def free_argument(frame: Frame, node: ast.Expression) -> Bound:
    """An argument whose parameter is not known yet: a word that stands for nothing may be an enumeration's."""
    frame = frame.inner(node, {})
    frame.free = True
    value = evaluate(frame, node)
    if captures(value):
        raise escape(node, value)
    return bound(frame, node, value)


def typed_argument(frame: Frame, node: ast.Expression, kind: Type) -> Bound:
    """An argument: a bare word where an enumeration is wanted, an initializer, or any value."""
    if kind.symbols:
        check_words(frame, node, kind)
    frame = frame.expecting(kind.symbols)
    if kind.name == "init" and not isinstance(node, ast.Nothing):
        return bound(frame, node, initializer(frame, node))
    try:
        return bound(frame, node, evaluate(frame, node))
    except Fault as fault:
        if kind.name != "block" and isinstance(node, ast.Name) and fault.label == nothing_called(node.id):
            fault.help = suggestion(node.id, value_names(frame, kind)) or f"{kind.phrase} is needed here"
        raise


def value_names(frame: Frame, kind: Type) -> list[str]:
    """The names and words that stand for values, such as a type may take."""
    names = [name for name, value in frame.around.items() if not (isinstance(value, BlockValue) or is_tensors(value))]
    words = [*(["true", "false"] if kind.name == "bool" else []), *(["none"] if kind.optional else [])]
    return [*names, *FUNCTIONS, *words]


def initializer(frame: Frame, node: ast.Expression) -> Value:
    """An initializer by its name, with its settings; or a value that holds one."""
    word = node.callee if isinstance(node, ast.Call) else node
    if not isinstance(word, ast.Name) or word.id in frame.names:
        return evaluate(frame, node)
    kind = INITIALIZERS.get(word.id)
    if kind is None:
        raise Fault(
            catalog.UNKNOWN_NAME,
            word.span,
            f"no initializer is called `{word.id}`",
            did_you_mean(word.id, INITIALIZERS),
        )
    signature = of_declared(kind)
    values: dict[str, Value] = {}
    for name, argument in assign(signature, node.arguments if isinstance(node, ast.Call) else (), {}, node):
        slot = signature.slots[name]
        values[name] = fitted(slot, typed_argument(frame, argument.value, slot.type), False).value
    made = kind(**values)
    if trouble := made.trouble():
        raise Fault(catalog.OUT_OF_RANGE, node.span, trouble, "it draws numbers between `a` and `b`")
    return made


def policy_settings(frame: Frame, policy: Policy, node: ast.Call) -> dict[str, Bound]:
    """What may be said to a policy, whatever it stands for: `gamma` to a norm, nothing to an activation."""
    given: dict[str, Bound] = {}
    for argument in node.arguments:
        name = argument.target[-1] if argument.target else ""
        if policy.policy != "norm" or name != "gamma" or name in policy.given:
            raise Fault(
                catalog.UNKNOWN_PARAMETER,
                argument.span,
                f"`{policy.policy}` takes {'`gamma`, by name' if policy.policy == 'norm' else 'no settings here'}",
                f"set the policy itself: `{policy.policy} = ...`",
            )
        given[name] = bound(frame, argument.value, evaluate(frame, argument.value))
    return given


__all__ = ["FORMS", "FORM_CALLS", "Initializer", "give", "initializer", "typed_argument"]
