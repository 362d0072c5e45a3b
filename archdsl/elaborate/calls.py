"""Calls: of functions on values, and of blocks, which takes settings and gives the block with them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, NamedTuple

from archdsl.diagnostics import catalog, did_you_mean, plural
from archdsl.elaborate import builtins
from archdsl.elaborate.blame import ElaborationError, every
from archdsl.elaborate.budget import TURNS_OF_A_CALL
from archdsl.elaborate.builtins import FUNCTIONS
from archdsl.elaborate.context import NOWHERE
from archdsl.elaborate.environment import Environment, placed
from archdsl.elaborate.evaluate import bound, check_words, checked, escape, evaluate, run
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
    Shared,
    Symbol,
    Tensor,
    Use,
    Value,
    With,
    captures,
    describe,
    given_key,
    is_list,
    is_tensors,
)
from archdsl.graph import Origin
from archdsl.initializer import INITIALIZERS
from archdsl.op import Type
from archdsl.syntax import ast
from archdsl.syntax.naming import NO_NAME, ModuleName
from archdsl.syntax.scopes import POLICIES, Clash, Definition, Target, UserFunction
from archdsl.syntax.static_names import Statics
from archdsl.syntax.synonyms import suggestion


def call(environment: Environment, node: ast.Call) -> Value:
    """Evaluate a call of a form, a function or a block."""
    if isinstance(node.callee, ast.Name) and node.callee.id not in environment.names:
        word = node.callee.id
        form = environment.context.dispatch.forms.get(word)
        if form is not None and (word != "concat" or node.arguments):
            return form(environment, node)
        if word in FUNCTIONS:
            return call_function(environment, node, word)
        if isinstance(found := environment.file.find(word), UserFunction):
            return placed(environment, node, call_routine(environment, node, found))
        if word in INITIALIZERS and found is None:
            return initializer(environment, node)
        if found is not None and not isinstance(found, Clash) and word not in POLICIES and not environment.dropped:
            return called(environment, found, node, word)
    value = evaluate(environment, node.callee)
    if not isinstance(value, BlockValue):
        help = f"a tensor is passed by an arrow: `{node.callee.span.text} -> ...`" if is_tensors(value) else ""
        raise ElaborationError(
            catalog.NOT_A_BLOCK, node.callee.span, lambda: f"{describe(value)} cannot be called", help
        )
    if is_dropped(environment, node):
        return environment.context.identity_use(node.span)
    return give(environment, value, node, environment.place(node, ""))


def called(environment: Environment, target: Target, node: ast.Call, word: str) -> Use:
    """A named block or op with settings. Fast path."""
    return environment.context.use(
        target, settings_for(environment, target, {}, node), environment.place(node, word), node.span
    )


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
            place = name or value.name
            key = context.key(value.role, place, body.key)
            return value.replace(key=key, span=node.span, name=place, body=body)
        case With():
            body = give(environment, value.body, node, name)
            return value.replace(key=context.key("with", value.settings.key, body.key), body=body)
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
    # Fast path: most calls set everything at once, by themselves.
    if signature.rest is None and not before and (plain := assigned(environment, target, node)) is not None:

        def argument(each: Assigned) -> tuple[str, Bound]:
            known = each.literal
            return each.name, known or fitted(
                each.slot, typed_argument(environment, each.value, each.slot.type), exact, signature
            )

        return dict(every(plain, argument))
    return settings_with_rest(environment, signature, before, node, exact)


def assigned(environment: Environment, target: Target, node: ast.Call) -> list[Assigned] | None:
    """The parameter of each argument of a call, resolved once; None where `...args` passes settings on."""
    found = environment.statics.assigned.get((id(node), target))
    if found is None:
        if any(isinstance(argument.value, ast.Unpack) for argument in node.arguments):
            return None
        signature = signature_of(target)
        pairs = [] if signature.lenient else assign(signature, node.arguments, {}, node)
        exact = isinstance(target, Definition)
        found = [
            Assigned(
                name,
                slot := signature.slots[name],
                each.value,
                literal(environment, slot, each.value, signature, exact),
            )
            for name, each in pairs
        ]
        # By the target as well, as a parameter of type block may be another block at each use.
        environment.statics.assigned[id(node), target] = found
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
    return [*names, *FUNCTIONS, *words]


def initializer(environment: Environment, node: ast.Expression) -> Value:
    """An initializer by its name, with its settings; or a value that holds one."""
    word = node.callee if isinstance(node, ast.Call) else node
    if not isinstance(word, ast.Name) or word.id in environment.names:
        return evaluate(environment, node)
    kind = INITIALIZERS.get(word.id)
    if kind is None:
        raise ElaborationError(
            catalog.UNKNOWN_NAME,
            word.span,
            f"no initializer is called `{word.id}`",
            lambda: did_you_mean(word.id, INITIALIZERS),
        )
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
            raise ElaborationError(
                catalog.UNKNOWN_PARAMETER,
                argument.span,
                f"`{policy.policy}` takes {'`gamma`, by name' if policy.policy == 'norm' else 'no settings here'}",
                f"leave it out: what comes in is known; `{policy.policy} = ...` sets the policy itself",
            )
        given[name] = bound(environment, argument.value, evaluate(environment, argument.value))
    return given


UNSAID = Origin("literal", "")
"""The origin of a value without a place of its own."""
ANY = Type("value")


def call_function(environment: Environment, node: ast.Call, name: str) -> Value:
    """A call of a function of the language."""
    values = plain_arguments(environment, node)
    budget = environment.context.budget
    if environment.builder is not None:
        split = environment.builder.items
        values = [split(value) if is_tensors(value) and not isinstance(value, Tensor) else value for value in values]
    budget.item(node.span, sum(len(value) for value in values if is_list(value)))
    result = builtins.call(name, values)
    if is_list(result):
        budget.list(node.span, result)
    return result


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
            found += checked(argument, builtins.need_list, evaluate(environment, argument.value.value))
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
    with context.level(node.span, routine.name):
        for parameter in routine.node.parameters[len(values) :]:
            if parameter.default is None:
                label = f"`{routine.name}` needs `{parameter.name}`"
                raise ElaborationError(catalog.MISSING_ARGUMENT, node.span, label, shown)
            words = slots[parameter.name].type.symbols
            names[parameter.name] = evaluate(inner.expecting(words), parameter.default)
        found, value = run(inner.expecting(environment.words), routine.node.body)
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


CALLS: dict[type[ast.Expression], Callable[[Environment, Any], Value]] = {ast.Call: call}
