"""Calls: of functions on values, and of blocks, which takes settings and gives the block with them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, NamedTuple

from archdsl.diagnostics import Span, catalog, did_you_mean, plural
from archdsl.elaborate.blame import ElaborationError, ambiguous, together
from archdsl.elaborate.budget import TURNS_OF_A_CALL
from archdsl.elaborate.context import NOWHERE, Environment, placed
from archdsl.elaborate.evaluate import bound, check_words, checked, escape, evaluate, need_block, run
from archdsl.elaborate.signature import (
    Signature,
    Slot,
    assign,
    fitted,
    of_declared,
    of_parameters,
    signature_of,
)
from archdsl.elaborate.values import (
    BlockValue,
    Bound,
    Policy,
    Rest,
    Role,
    SettingEntry,
    SettingKey,
    Shared,
    Symbol,
    Use,
    Value,
    With,
    captures,
    describe,
    follows_policies,
    given_key,
    is_tensors,
    need_list,
    same_key,
)
from archdsl.graph import Origin
from archdsl.initializer import INITIALIZERS
from archdsl.op import Type
from archdsl.syntax import ast
from archdsl.syntax.naming import NO_NAME, ModuleName
from archdsl.syntax.scopes import DEFAULT_POLICIES, FUNCTION_NAMES, POLICIES, Clash, Definition, Target, UserFunction
from archdsl.syntax.static_names import Statics
from archdsl.syntax.synonyms import suggestion


def call(environment: Environment, node: ast.Call) -> Value:
    """Evaluate a call of a form, a function or a block."""
    if isinstance(node.callee, ast.Name) and node.callee.id not in environment.names:
        word = node.callee.id
        form = environment.context.dispatch.forms.get(word)
        if form is not None and (word != "concat" or node.arguments):
            return form(environment, node)
        if isinstance(found := environment.file.find(word), UserFunction):
            return placed(environment, node, call_routine(environment, node, found))
        if word in INITIALIZERS and found is None:
            return initializer(environment, node)
        if found is not None and not isinstance(found, Clash) and word not in POLICIES and not environment.dropped:
            given = settings_for(environment, found, {}, node)
            return environment.context.use(found, given, environment.place(node, word), node.span)
    value = evaluate(environment, node.callee)
    if not isinstance(value, BlockValue):
        help = f"a tensor is passed by an arrow: `{node.callee.span.text} -> ...`" if is_tensors(value) else ""
        raise ElaborationError(
            catalog.NOT_A_BLOCK, node.callee.span, lambda: f"{describe(value)} cannot be called", help
        )
    if is_dropped(environment, node):
        return environment.context.identity_use(node.span)
    return give(environment, value, node, environment.place(node, ""))


def is_dropped(environment: Environment, node: ast.Call) -> bool:
    """Tell if a call sizes the classifier of a network that has none (`classes = 0`)."""
    return bool(environment.dropped) and any(
        isinstance(argument.value, ast.Name) and argument.value.id == environment.dropped for argument in node.arguments
    )


# ---- settings given to blocks --------------------------------------------------------------------------------------


def give(environment: Environment, value: BlockValue, node: ast.Call, name: ModuleName) -> BlockValue:
    """A block with further settings."""
    context = environment.context
    match value:
        case Use():
            given = {**value.given, **settings_for(environment, value.target, value.given, node)}
            return context.use(value.target, given, name or value.name, node.span)
        case Policy():
            given = {**value.given, **policy_settings(environment, value, node)}
            place = name or value.name
            key = context.key("policy", value.policy, given_key(given), place)
            return Policy(key=key, span=node.span, policy=value.policy, given=given, name=place)
        case Role():
            body = give(environment, value.body, node, NO_NAME)
            return context.rebuilt(value.replace(span=node.span), body, name)
        case With():
            return context.rebuilt(value, give(environment, value.body, node, name))
        case Shared():
            raise ElaborationError(
                catalog.SHARED, node.span, "a shared block has its settings already; they cannot be changed"
            )
        case _:
            raise ElaborationError(
                catalog.UNKNOWN_PARAMETER,
                node.span,
                lambda: f"{describe(value)} made of several takes no settings",
                "set them on its parts, or define a block with parameters",
            )


class Assigned(NamedTuple):
    """An argument of a call: its parameter, its expression, and its value if that is a literal."""

    name: str
    slot: Slot
    value: ast.Expression
    literal: Bound | None


def settings_for(
    environment: Environment, target: Target, before: dict[str, Bound], node: ast.Call
) -> dict[str, Bound]:
    """The arguments of a call, each for its parameter, of its type; `before` are the settings that it has already."""
    signature = signature_of(target)
    exact = isinstance(target, Definition)
    # Most calls set everything at once, by themselves; then the parameter of each argument depends on the text alone.
    plain = None if signature.rest or before else assigned(environment, target, signature, node, exact)
    if plain is None:
        return settings_with_rest(environment, signature, before, node, exact)
    given: dict[str, Bound] = {}
    errors: list[ElaborationError] = []
    for name, slot, value, known in plain:
        try:
            given[name] = known or fitted(slot, typed_argument(environment, value, slot.type), exact, signature)
        except ElaborationError as error:
            errors.append(error)
    if errors:
        raise together(errors)
    return given


def assigned(
    environment: Environment, target: Target, signature: Signature, node: ast.Call, exact: bool
) -> list[Assigned] | None:
    """The parameter of each argument of a call, resolved once; None where `...args` passes settings on."""
    # By the target as well, as a parameter of type block may be another block at each use.
    key = (id(node), target)
    found = environment.statics.assigned.get(key)
    if found is None:
        if any(isinstance(argument.value, ast.Unpack) for argument in node.arguments):
            return None
        found = list[Assigned]()
        for name, each in [] if signature.lenient else assign(signature, node.arguments, {}, node):
            slot = signature.slots[name]
            found.append(Assigned(name, slot, each.value, literal(environment, slot, each.value, signature, exact)))
        environment.statics.assigned[key] = found
    return found


def literal(
    environment: Environment, slot: Slot, node: ast.Expression, signature: Signature, exact: bool
) -> Bound | None:
    """The value of a literal argument, a number or a bool; None for other arguments, and for wrong ones."""
    if not isinstance(node, ast.Number | ast.Boolean):
        return None
    with suppress(ElaborationError):
        return fitted(slot, bound(environment, node, node.value), exact, signature)
    return None


def settings_with_rest(
    environment: Environment, signature: Signature, before: dict[str, Bound], node: ast.Call, exact: bool
) -> dict[str, Bound]:
    """As `settings_for`, for blocks that have settings already, and where `...args` passes some on."""
    arguments, passed = split_rest(environment, node)
    if signature.lenient:
        return {}
    given: dict[str, Bound] = {}
    rest = rest_of(before, signature)
    for name, argument in assign(signature, arguments, {**before, **passed}, node):
        slot = signature.slots.get(name)
        if slot is None or slot.rest:
            rest[name] = free_argument(environment, argument.value)
        else:
            given[name] = fitted(slot, typed_argument(environment, argument.value, slot.type), exact, signature)
    for name, handed in passed.items():
        slot = signature.slots.get(name)
        if slot is None or slot.rest:
            if signature.rest is None:
                label = f"`{signature.owner}` has no parameter `{name}`"
                raise ElaborationError(
                    catalog.UNKNOWN_PARAMETER, handed.span, label, partial(did_you_mean, name, signature.slots)
                )
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


def split_rest(environment: Environment, node: ast.Call) -> tuple[tuple[ast.CallArgument, ...], dict[str, Bound]]:
    """The arguments as written, and those that a `...args` among them stands for."""
    written: list[ast.CallArgument] = []
    passed: dict[str, Bound] = {}
    for argument in node.arguments:
        if isinstance(argument.value, ast.Unpack):
            value = evaluate(environment, argument.value.value)
            if not isinstance(value, Rest):
                raise ElaborationError(
                    catalog.WRONG_TYPE, argument.span, "only settings that a `...name` took can be passed on"
                )
            passed |= value.given
        else:
            written.append(argument)
    return tuple(written), passed


def retyped(slot: Slot, handed: Bound) -> Bound:
    """Check a word that `...args` passed on, now that its type is known."""
    if isinstance(handed.value, Symbol) and handed.value not in slot.type.symbols:
        raise ElaborationError(
            catalog.UNKNOWN_NAME,
            handed.span,
            f"`{handed.value}` is not a choice for `{slot.name}`",
            lambda: did_you_mean(handed.value, slot.type.symbols),
        )
    return handed


def free_argument(environment: Environment, node: ast.Expression) -> Bound:
    """An argument whose parameter is not known yet: an unknown word may belong to an enumeration."""
    environment = environment.inner(node, {}).replace(free=True)
    value = evaluate(environment, node)
    if captures(value):
        raise escape(node, value)
    return bound(environment, node, value)


def typed_argument(environment: Environment, node: ast.Expression, kind: Type) -> Bound:
    """An argument: a bare word where an enumeration is wanted, an initializer, or any value."""
    if kind.symbols:
        check_words(environment, node, kind)
    if kind.symbols != environment.words:
        environment = environment.expecting(kind.symbols)
    if kind.name == "init" and not isinstance(node, ast.Nothing):
        return bound(environment, node, initializer(environment, node))
    try:
        return bound(environment, node, evaluate(environment, node))
    except ElaborationError as error:
        if kind.name != "block" and isinstance(node, ast.Name) and error.unknown == node.id:
            error.advise(lambda: suggestion(node.id, value_names(environment, kind)) or f"{kind.phrase} is needed here")
        raise


def value_names(environment: Environment, kind: Type) -> list[str]:
    """The names and words that stand for values of a type, for suggestions."""
    names = [
        name for name, value in environment.around.items() if not (isinstance(value, BlockValue) or is_tensors(value))
    ]
    words = [*(["true", "false"] if kind.name == "bool" else []), *(["none"] if kind.optional else [])]
    return [*names, *FUNCTION_NAMES, *words]


def initializer(environment: Environment, node: ast.Expression) -> Value:
    """An initializer by its name, with its settings; or a value that holds one."""
    word = node.callee if isinstance(node, ast.Call) else node
    if not isinstance(word, ast.Name) or word.id in environment.names:
        return evaluate(environment, node)
    kind = INITIALIZERS.get(word.id)
    if kind is None:
        help = partial(did_you_mean, word.id, INITIALIZERS)
        raise ElaborationError(catalog.UNKNOWN_NAME, word.span, f"no initializer is called `{word.id}`", help)
    signature = of_declared(kind)
    values: dict[str, Value] = {}
    for name, argument in assign(signature, node.arguments if isinstance(node, ast.Call) else (), {}, node):
        slot = signature.slots[name]
        values[name] = fitted(slot, typed_argument(environment, argument.value, slot.type), False).value
    made = kind(**values)
    if trouble := made.trouble():
        raise ElaborationError(catalog.OUT_OF_RANGE, node.span, trouble, "it draws numbers between `a` and `b`")
    return made


def policy_settings(environment: Environment, policy: Policy, node: ast.Call) -> dict[str, Bound]:
    """The settings given to a policy: `gamma` for a norm, none for an activation."""
    given: dict[str, Bound] = {}
    for argument in node.arguments:
        name = argument.target[-1] if argument.target else ""
        if policy.policy != "norm" or name != "gamma" or name in policy.given:
            label = f"`{policy.policy}` takes {'`gamma`, by name' if policy.policy == 'norm' else 'no settings here'}"
            help = f"leave it out; `{policy.policy} = ...` sets the policy itself"
            raise ElaborationError(catalog.UNKNOWN_PARAMETER, argument.span, label, help)
        given[name] = bound(environment, argument.value, evaluate(environment, argument.value))
    return given


# The origin of a value without a place of its own.
UNSAID = Origin("literal", "")
ANY = Type("value")


def plain_arguments(
    environment: Environment, node: ast.Call, shown: str = "", types: Sequence[Type] = ()
) -> list[Value]:
    """The arguments of a function on values, by position; `shown` says what the function is."""
    environment = environment.expecting(())
    found: list[Value] = []
    for argument in node.arguments:
        if argument.target:
            raise ElaborationError(
                catalog.UNKNOWN_PARAMETER, argument.span, "functions take their arguments by position", shown
            )
        if isinstance(argument.value, ast.Unpack):
            found += checked(argument, need_list, evaluate(environment, argument.value.value))
        else:
            kind = types[len(found)] if len(found) < len(types) else ANY
            if kind.symbols:
                check_words(environment, argument.value, kind)
            found.append(evaluate(environment.expecting(kind.symbols), argument.value))
    return found


def call_routine(environment: Environment, node: ast.Call, routine: UserFunction) -> Value:
    """A call of a function that the text defines."""
    context = environment.context
    # Functions may recurse, and a call costs about as much as so many iterations.
    context.budget.turn(node.span, TURNS_OF_A_CALL)
    slots = of_parameters(routine.node.parameters, routine.file)
    shown = f"the signature is {Signature(routine.name, slots).text()}"
    values = plain_arguments(environment, node, shown, [slot.type for slot in slots.values()])
    if len(values) > len(slots):
        extra = node.arguments[min(len(slots), len(node.arguments) - 1)]
        label = f"`{routine.name}` takes {plural(len(slots), 'argument') if slots else 'no arguments'}"
        raise ElaborationError(catalog.BY_NAME_ONLY, extra.span, label, shown)
    if captures(tuple(values)):
        hint = "pass what it needs to know: `x.channels`"
        raise ElaborationError(catalog.WRONG_TYPE, node.span, "functions take values, not tensors", hint)
    names = dict(zip(slots, typed_values(environment, node, routine, slots, values), strict=False))
    inner = Environment(
        context=context,
        file=routine.file,
        statics=Statics.blank(),
        names=names,
        settings=environment.settings,
        read=set[str](),
        choices={slot.name: slot.type.symbols for slot in slots.values() if slot.type.symbols},
        around=names,
    )
    context.enter(node.span, routine.name)
    try:
        for parameter in routine.node.parameters[len(values) :]:
            if parameter.default is None:
                label = f"`{routine.name}` needs `{parameter.name}`"
                raise ElaborationError(catalog.MISSING_ARGUMENT, node.span, label, shown)
            words = slots[parameter.name].type.symbols
            names[parameter.name] = evaluate(inner.expecting(words), parameter.default)
        found, value = run(inner.expecting(environment.words), routine.node.body)
    finally:
        context.inside.pop()
    if not found:
        raise ElaborationError(
            catalog.NO_RESULT, routine.node.span, f"`{routine.name}` returns no value", "end it with `return`"
        )
    return value


def typed_values(
    environment: Environment, node: ast.Call, routine: UserFunction, slots: dict[str, Slot], values: list[Value]
) -> list[Value]:
    """The arguments of a function as its parameters take them, where these declare a type."""
    arguments = [argument.value for argument in node.arguments]
    spread = any(isinstance(argument, ast.Unpack) for argument in arguments)
    found = list(values)
    for at, (parameter, value) in enumerate(zip(routine.node.parameters, values, strict=False)):
        if parameter.type:
            given = Bound(value, node.span, UNSAID) if spread else bound(environment, arguments[at], value)
            found[at] = fitted(slots[parameter.name], given, exact=True).value
    return found


# ---- settings in force


def setting(environment: Environment, argument: ast.CallArgument) -> tuple[SettingKey, SettingEntry]:
    """A setting of a `with`."""
    if not argument.target:
        raise ElaborationError(
            catalog.MISSING_ARGUMENT, argument.span, "a setting is needed here: `name.param = value`"
        )
    slot = slot_of(environment, argument.target, argument.span)
    return slot, entry_of(environment, slot, argument.target, argument.value)


def slot_of(environment: Environment, target: tuple[str, ...], span: Span) -> SettingKey:
    """Resolve the left side of a setting: a policy, or a parameter of one op or block."""
    span = left_side(target, span)
    if len(target) == 1:
        if target[0] in POLICIES:
            return None, target[0]
        label = f"`{target[0]}` is not a policy; a parameter is set as `name.{target[0]} = ...`"
        raise ElaborationError(catalog.UNKNOWN_NAME, span, label, lambda: did_you_mean(target[0], POLICIES))
    owner, name = ".".join(target[:-1]), target[-1]
    found = environment.file.find(owner)
    if isinstance(found, Clash):
        raise ambiguous(found, span)
    if found is None or isinstance(found, UserFunction):
        raise ElaborationError(
            catalog.UNKNOWN_NAME,
            span,
            f"no block or op is called `{owner}`",
            lambda: suggestion(owner, environment.file.block_names()),
        )
    signature = signature_of(found)
    if name not in signature.slots or signature.slots[name].rest:
        raise ElaborationError(
            catalog.UNKNOWN_PARAMETER,
            span,
            f"`{owner}` has no parameter `{name}`",
            lambda: did_you_mean(name, signature.slots) or signature.hint(),
        )
    return found, name


def left_side(target: tuple[str, ...], span: Span) -> Span:
    """The place of what is set, within that of the setting."""
    text = ".".join(target)
    return Span(span.source, span.start, span.start + len(text)) if span.text.startswith(text) else span


def entry_of(environment: Environment, slot: SettingKey, target: tuple[str, ...], node: ast.Expression) -> SettingEntry:
    """A setting's value, of the type that its parameter has."""
    owner, name = slot
    if owner is None:
        block = need_block(node, evaluate(environment, node))
        if follows_policies(block):
            help = f"name an op or a block: `{name} = {DEFAULT_POLICIES[name]}`"
            raise ElaborationError(catalog.CYCLE, node.span, f"`{name}` would refer to another policy", help)
        value = bound(environment, node, block)
    else:
        parameter = signature_of(owner).slots[name]
        value = fitted(parameter, typed_argument(environment, node, parameter.type), isinstance(owner, Definition))
        if captures(value.value):
            raise escape(node, value.value)
    return SettingEntry(value, environment.context.key("value", same_key(value.value)), ".".join(target))


CALLS: dict[type[ast.Expression], Callable[[Environment, Any], Value]] = {ast.Call: call}
