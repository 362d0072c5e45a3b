"""A block as one module: the scope that it is on an input of some shape.

Equal blocks on equal shapes under equal settings are worked out once.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from archdsl.diagnostics import Note, catalog
from archdsl.elaborate.blame import ElaborationError
from archdsl.elaborate.calls import typed_argument
from archdsl.elaborate.context import Body, Context
from archdsl.elaborate.environment import Environment
from archdsl.elaborate.evaluate import run
from archdsl.elaborate.op_scopes import NONE, instantiate_once, op_scope
from archdsl.elaborate.scope_builder import ScopeBuilder, check_length, reference, shapes_of
from archdsl.elaborate.scope_cache import Built
from archdsl.elaborate.signature import Slot, fitted, signature_of
from archdsl.elaborate.values import (
    TENSORS,
    BlockValue,
    Bound,
    Policy,
    Rest,
    Role,
    SettingEntry,
    SettingKey,
    Settings,
    Shared,
    Use,
    Value,
    With,
    captures,
    describe,
    has_place,
    is_tensors,
    kind_of,
    plain,
    shares,
)
from archdsl.graph import Argument, Scope
from archdsl.op import Shapes
from archdsl.ops import vocabulary
from archdsl.record import MISSING
from archdsl.syntax import ast
from archdsl.syntax.naming import ModuleName
from archdsl.syntax.scopes import DEFAULT_POLICIES, Definition
from archdsl.syntax.static_names import statics_of


def policy_block(context: Context, policy: Policy, settings: Settings) -> tuple[BlockValue, frozenset[SettingKey]]:
    """The block of a policy with the settings given to it, and the setting that chose it."""
    context.trace.asked.add(None)
    entry = settings.of(None).get(policy.policy)
    if entry is None:
        chosen: BlockValue = context.use(vocabulary()[DEFAULT_POLICIES[policy.policy]], {}, policy.name, policy.span)
        used = NONE
    else:
        chosen, used = entry.bound.value, frozenset(((None, policy.policy),))
    return (with_settings(context, chosen, policy) if policy.given else chosen), used


def with_settings(context: Context, chosen: BlockValue, policy: Policy) -> BlockValue:
    """The block of a policy with what was said to the policy (`gamma`)."""
    if isinstance(chosen, With):
        body = with_settings(context, chosen.body, policy)
        return chosen.replace(key=context.key("with", chosen.settings.key, body.key), body=body)
    if not isinstance(chosen, Use):
        raise ElaborationError(
            catalog.UNKNOWN_PARAMETER, policy.span, f"this `{policy.policy}` is a chain, which takes no settings"
        )
    signature = signature_of(chosen.target)
    if signature.lenient:
        return chosen
    given: dict[str, Bound] = {}
    for name, bound in policy.given.items():
        if name not in signature.slots:
            raise ElaborationError(
                catalog.UNKNOWN_PARAMETER,
                policy.span,
                f"here `{policy.policy}` is `{signature.owner}`, which has no `{name}`",
                signature.hint,
            )
        given[name] = fitted(signature.slots[name], bound, exact=False)
    return context.use(chosen.target, {**chosen.given, **given}, chosen.name, policy.span)


def bind(environment: Environment, use: Use, definition: Definition) -> None:
    """Put the parameters into the environment, in order, as each default may use those before it."""
    slots = signature_of(definition).slots
    entries = environment.settings.of(definition)
    at = 1
    for parameter in definition.parameters:
        slot = slots[parameter.name]
        if slot.type.symbols:
            environment.choices[slot.name] = slot.type.symbols
        if slot.rest:
            environment.names[slot.name] = use.given[slot.name].value if slot.name in use.given else Rest({})
        elif slot.type.name == "tensor" and slot.name in use.given:
            assert environment.builder is not None
            environment.names[slot.name] = environment.builder.input(at)
            environment.builder.names[at] = slot.name
            at += 1
        else:
            environment.names[slot.name] = value_of(environment, use, slot, entries, parameter.default)


def value_of(
    environment: Environment, use: Use, slot: Slot, entries: dict[str, SettingEntry], default: ast.Expression | None
) -> Value:
    """A parameter's value: given, set (one of the `entries` of the settings), or the default."""
    if slot.name in use.given:
        return use.given[slot.name].value
    if slot.name in entries:
        assert environment.builder is not None
        environment.builder.used.add((use.target, slot.name))
        return entries[slot.name].bound.value
    if slot.default is not MISSING:
        return slot.default
    if default is None:
        label = f"`{use.target.name}` needs `{slot.name}`"
        raise ElaborationError(catalog.MISSING_ARGUMENT, use.span, label, lambda: signature_of(use.target).hint())
    return fitted(slot, typed_argument(environment, default, slot.type), exact=True).value


def tensor_inputs(use: Use) -> tuple[Value, ...]:
    """The tensors among the arguments of a block: further inputs, in the order of the signature."""
    if not isinstance(use.target, Definition):
        return ()
    names = signature_of(use.target).tensors
    return tuple([use.given[name].value for name in names if name in use.given]) if names else ()


def arguments_of(environment: Environment, definition: Definition) -> tuple[Argument, ...]:
    """The arguments as the graph keeps them: numbers as Python's, blocks by their text."""
    names = environment.names
    return tuple([Argument(name, plain(names[name]), default) for name, default in signature_of(definition).defaults])


def beyond(context: Context, inner: Settings, used: Iterable[SettingKey]) -> frozenset[SettingKey]:
    """The used settings that these do not set; those that they set take effect."""
    context.trace.effective |= {(slot, inner.entries[slot].key) for slot in used if slot in inner.entries}
    return frozenset(slot for slot in used if slot not in inner.entries)


def module_of(context: Context, block: BlockValue, shape: Shapes, settings: Settings) -> Built:
    """The one scope that a block is, on an input of this shape: an op, a defined block, or a chain."""
    match block:
        case Use():
            return instantiate(context, block, (shape, *map(shapes_of, tensor_inputs(block))), settings)
        case Policy():
            chosen, used = policy_block(context, block, settings)
            built = module_of(context, chosen, shape, settings)
            return built._replace(used=built.used | used)
        case With():
            built = module_of(context, block.body, shape, context.extended(settings, block.settings))
            return built._replace(used=beyond(context, block.settings, built.used))
        case Role():
            check_single(context, block)
            return module_of(context, block.body, shape, settings)
        case Shared():
            raise shared_elsewhere(block)
        case _:
            return chain_scope(context, block, shape, settings)


def child_of(
    context: Context, name: ModuleName, block: BlockValue, shape: Shapes, settings: Settings, at: int | None = None
) -> Built:
    """As `module_of`, for a module of this name, or the one `at` a place of a row; an error takes that along."""
    try:
        return module_of(context, block, shape, settings)
    except ElaborationError as error:
        error.leaves(name, kind_of(block), at)
        raise


def check_single(context: Context, role: Role) -> None:
    """Raise where a local name of a block is applied at a second place."""
    binding: Any = role.binding
    if binding is None:
        return
    context.trace.bodies.add(binding[0])
    before = context.applied.setdefault(binding, role.span)
    if before != role.span:
        raise ElaborationError(
            catalog.APPLIED_TWICE,
            role.span,
            f"`{binding[1]}` is already applied elsewhere",
            f"for one result used twice, name the tensor: `y = x -> ...`; "
            f"for two sets of weights, write it twice; for one set, `{binding[1]} = share(...)`",
            (Note(before, "applied here first"),),
        )


def shared_elsewhere(shared: Shared) -> ElaborationError:
    """Shared weights outside of the body in which they are shared."""
    return ElaborationError(
        catalog.SHARED,
        shared.span,
        "a shared block is applied in the body of its `share`, as a link of its own",
        "apply it there to each tensor, and pass the results on",
    )


def chain_scope(context: Context, block: BlockValue, shape: Shapes, settings: Settings) -> Built:
    """Several blocks as one module."""
    key = ("chain", block.key, shape, settings.key)
    found = context.scopes.get(key)
    spared = found is not None
    if found is None:
        found = context.scopes[key] = context.building(lambda: new_chain(context, block, shape, settings))
    context.note(found.marks, spared=spared)
    return found


def new_chain(context: Context, block: BlockValue, shape: Shapes, settings: Settings) -> Built:
    """A chain worked out."""
    builder = ScopeBuilder((shape,))
    with context.level(block.span):
        result = context.apply(builder, block, builder.input(0), settings)
    return Built(close(builder, result, block, kind="chain", name="chain"), frozenset(builder.used))


def instantiate(context: Context, use: Use, shapes: tuple[Shapes, ...], settings: Settings) -> Built:
    """The scope of an op, or a defined block, on inputs of these shapes."""
    work = known_scope if isinstance(use.target, Definition) else op_scope
    return instantiate_once(context, use, shapes, settings, work)


def known_scope(context: Context, use: Use, shapes: tuple[Shapes, ...], settings: Settings) -> Built:
    """The scope of a defined block, taken from an earlier elaboration where that has it."""
    definition = use.target
    assert isinstance(definition, Definition)
    known = context.known
    if known is not None and (
        found := known.find(use, shapes, settings, depth=len(context.inside), budget=context.budget)
    ):
        return found
    found = context.building(lambda: block_scope(context, use, definition, shapes, settings))
    if known is not None:
        known.add(use, shapes, settings, found)
    return found


def block_scope(
    context: Context, use: Use, definition: Definition, shapes: tuple[Shapes, ...], settings: Settings
) -> Built:
    """A defined block: its body, worked out for this input. A body that is one block *is* that block."""
    builder = ScopeBuilder(shapes)
    context.trace.asked.add(definition)
    with context.level(use.span, definition.name):
        body = body_of(context, use, definition, builder, settings)
        builder.used |= body.used
        result = body.result
        if isinstance(result, BlockValue):
            one = is_one(result) and (definition.returns_single or context.is_identity(result))
            if one and not builder.steps and len(shapes) == 1 and not captures(result):
                built = module_of(context, result, shapes[0], settings)
                return built._replace(used=built.used | builder.used)
            result = context.apply(builder, result, builder.input(0), settings)
        elif not is_tensors(result):
            raise ElaborationError(
                catalog.NOT_A_TENSOR, definition.node.span, lambda: f"`{definition.name}` returns {describe(result)}"
            )
    facts = {"kind": "block", "name": definition.name, "doc": definition.doc, "arguments": body.arguments}
    return Built(close(builder, result, use, **facts), frozenset(builder.used))


def body_of(context: Context, use: Use, definition: Definition, builder: ScopeBuilder, settings: Settings) -> Body:
    """Run the body of a block; only once for all inputs, if it does not depend on its input.

    What has a place in the text (blocks, settings) is known by identity: an error in it is told at its own place.
    """
    placed = [id(bound.value) for bound in use.given.values() if has_place(bound.value)]
    key = (use.content, id(settings), *placed)
    if (found := context.bodies.get(key)) is not None:
        context.note(found.marks, spared=True)
        context.trace.parts.add(found.token)
        return found
    names: dict[str, Value] = {"x": builder.input(0)}
    environment = Environment(
        context=context,
        file=definition.file,
        statics=statics_of(definition),
        names=names,
        settings=settings,
        read=set[str](),
        choices={},
        around=names,
        builder=builder,
        parameters=definition.parameter_names,
    )

    def work() -> tuple[tuple[Argument, ...], bool, Value]:
        bind(environment, use, definition)
        return arguments_of(environment, definition), *run(environment, definition.body)

    (arguments, returned, result), marks = context.noting(work)
    context.note(marks)
    if not returned:
        label = f"`{definition.name}` returns nothing"
        raise ElaborationError(catalog.NO_RESULT, definition.node.span, label, "end it with `return`")
    body = Body(arguments, result, frozenset(builder.used), marks, (use, settings), builder.token)
    # A body that never reads its input has one result for all inputs; shared weights belong to one body.
    asks = "x" in environment.read or len(builder.inputs) > 1
    if isinstance(result, BlockValue) and not asks and not (context.shares and shares(result)):
        context.bodies[key] = body
    return body


def is_one(block: BlockValue) -> bool:
    """Tell if the result of a body is one block, which needs no scope of its own."""
    match block:
        case Use() | Policy():
            return True
        case With():
            return is_one(block.body)
        case Role():
            return block.role == "parameter" and is_one(block.body)
        case _:
            return False


def close(builder: ScopeBuilder, result: Value, block: BlockValue, **facts: Any) -> Scope:
    """The finished scope."""
    if not isinstance(result, TENSORS) and not result:
        raise ElaborationError(catalog.NOT_A_TENSOR, block.span, "this is an empty list")
    output = shapes_of(result)
    check_length(len(output), block.span)
    reached = reference(result)
    builder.check_use(reached)
    return builder.finish(block.span, result=reached, output=output, **facts)
