"""A block as one module: the scope that it is on an input of some shape.

Equal blocks on equal shapes under equal settings are worked out once.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import prod
from typing import Any

from archdsl.diagnostics import Note, catalog
from archdsl.elaborate.blame import ElaborationError
from archdsl.elaborate.budget import LARGEST_MAP
from archdsl.elaborate.calls import typed_argument
from archdsl.elaborate.context import Body, Context, Environment
from archdsl.elaborate.evaluate import run
from archdsl.elaborate.scope_builder import ScopeBuilder, check_size, reference, shapes_of
from archdsl.elaborate.scope_cache import UNMARKED, Built, Marks
from archdsl.elaborate.signature import Signature, Slot, fitted, signature_of
from archdsl.elaborate.values import (
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
from archdsl.graph import Argument, Scope, Totals
from archdsl.op import Misfit, Op, Shapes
from archdsl.ops import vocabulary
from archdsl.record import MISSING
from archdsl.syntax import ast
from archdsl.syntax.naming import ModuleName
from archdsl.syntax.scopes import DEFAULT_POLICIES, Definition
from archdsl.syntax.static_names import statics_of

NONE: frozenset[SettingKey] = frozenset()


# ---- any block


def module_of(context: Context, block: BlockValue, shape: Shapes, settings: Settings) -> Built:
    """The one scope that a block is, on an input of this shape: an op, a defined block, or a chain."""
    match block:
        case Use():
            more = tuple(map(shapes_of, tensor_inputs(block))) if block.target.tensor_names else ()
            return instantiate(context, block, (shape, *more), settings)
        case Policy():
            chosen, used = policy_block(context, block, settings)
            built = module_of(context, chosen, shape, settings)
            return built._replace(used=built.used | used) if used else built
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


def chain_scope(context: Context, block: BlockValue, shape: Shapes, settings: Settings) -> Built:
    """Several blocks as one module, worked out once in an elaboration."""
    key = (block.key, shape, settings.key)
    found = context.scopes.get(key)
    spared = found is not None
    if found is None:
        found = context.scopes[key] = context.building(new_chain, block, shape, settings)
    if found.marks is not UNMARKED:
        context.note(found.marks, spared=spared)
    return found


def new_chain(context: Context, block: BlockValue, shape: Shapes, settings: Settings) -> Built:
    """A chain worked out."""
    builder = ScopeBuilder((shape,))
    context.enter(block.span)
    try:
        result = context.apply(builder, block, builder.input(0), settings)
    finally:
        context.inside.pop()
    return Built(builder.close(result, block.span, kind="chain", name="chain"), frozenset(builder.used))


def instantiate(context: Context, use: Use, shapes: tuple[Shapes, ...], settings: Settings) -> Built:
    """The scope of an op, or a defined block, on inputs of these shapes; worked out once in an elaboration."""
    key = (use.content, shapes, settings.key)
    found = context.scopes.get(key)
    spared = found is not None
    if found is None:
        # Before the path begins: what is wrong with a signature is so whoever uses the block.
        signature_of(use.target)
        try:
            work = known_scope if isinstance(use.target, Definition) else op_scope
            found = context.scopes[key] = work(context, use, shapes, settings)
        except ElaborationError as error:
            error.starts_path()
            leave(error, use, settings)
            raise
        except RecursionError:
            label, help = "blocks and expressions are nested too deeply here", "does a block use itself without an end?"
            raise ElaborationError(catalog.TOO_DEEP, use.span, label, help) from None
    if found.marks is not UNMARKED:
        context.note(found.marks, spared=spared)
    return found


def leave(error: ElaborationError, use: Use, settings: Settings) -> None:
    """An error leaves a block or an op: it goes to the argument or to the setting that the failing value came from."""
    said = {name: entry.bound for name, entry in settings.by_target[use.target].items()}
    error.said += [bound for name, bound in said.items() if name not in use.given]
    if isinstance(use.target, Definition):
        error.passes(use.given, said, use.span)
    elif error.param in said and error.param not in use.given:
        error.blame_setting(said[error.param])


# ---- policies, settings, names that a block goes by


def policy_block(context: Context, policy: Policy, settings: Settings) -> tuple[BlockValue, frozenset[SettingKey]]:
    """The block of a policy with the settings given to it, and the setting that chose it."""
    context.trace.asked.add(None)
    policies = settings.by_target[None]
    if policy.policy not in policies:
        chosen: BlockValue = context.use(vocabulary()[DEFAULT_POLICIES[policy.policy]], {}, policy.name, policy.span)
        used = NONE
    else:
        chosen, used = policies[policy.policy].bound.value, frozenset(((None, policy.policy),))
    return (with_settings(context, chosen, policy) if policy.given else chosen), used


def with_settings(context: Context, chosen: BlockValue, policy: Policy) -> BlockValue:
    """The block of a policy with what was said to the policy (`gamma`)."""
    if isinstance(chosen, With):
        return context.rebuilt(chosen, with_settings(context, chosen.body, policy))
    if not isinstance(chosen, Use):
        label = f"this `{policy.policy}` is a chain, which takes no settings"
        raise ElaborationError(catalog.UNKNOWN_PARAMETER, policy.span, label)
    signature = signature_of(chosen.target)
    if signature.lenient:
        return chosen
    given: dict[str, Bound] = {}
    for name, bound in policy.given.items():
        if name not in signature.slots:
            label = f"here `{policy.policy}` is `{signature.owner}`, which has no `{name}`"
            raise ElaborationError(catalog.UNKNOWN_PARAMETER, policy.span, label, signature.hint)
        given[name] = fitted(signature.slots[name], bound, exact=False)
    return context.use(chosen.target, {**chosen.given, **given}, chosen.name, policy.span)


def beyond(context: Context, inner: Settings, used: Iterable[SettingKey]) -> frozenset[SettingKey]:
    """The used settings that these do not set; those that they set take effect."""
    context.trace.effective |= {(slot, inner.entries[slot].key) for slot in used if slot in inner.entries}
    return frozenset(slot for slot in used if slot not in inner.entries)


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
    label = "a shared block is applied in the body of its `share`, as a link of its own"
    return ElaborationError(
        catalog.SHARED, shared.span, label, "apply it there to each tensor, and pass the results on"
    )


# ---- ops


def in_place(context: Context, builder: ScopeBuilder, use: Use, value: Value, settings: Settings) -> Value:
    """Apply an op that holds nothing, as a step of the scope under construction without a module of its own."""
    built = instantiate(context, use, (shapes_of(value),), settings)
    builder.used |= built.used
    return builder.step("op", (reference(value),), built.scope.output, "", built.scope)


def op_scope(context: Context, use: Use, shapes: tuple[Shapes, ...], settings: Settings) -> Built:
    """An op on an input of this shape. Equal ops, and their work on equal shapes, are computed once."""
    kind: Any = use.target
    entries = settings.by_target[kind]
    key = (use.content, settings.key if entries else 0)
    if (found := context.ops.get(key)) is None:
        found = context.ops[key] = op_of(kind, use, entries)
    op, used = found
    if (work := context.works.get((op, shapes))) is None:
        work = context.works[op, shapes] = work_of(op, shapes[0], use)
    output, totals = work
    leaf = Scope("op", op.name, shapes, output, totals, op, span=use.span)
    return Built(leaf, used, UNMARKED if context.known is None else Marks(frozenset((kind,))))


def op_of(kind: type[Op], use: Use, entries: dict[str, SettingEntry]) -> tuple[Op, frozenset[SettingKey]]:
    """An op with all its parameters, and what it asked of the settings."""
    signature = signature_of(kind)
    given = {name: bound.value for name, bound in use.given.items()}
    said = {name: entry.bound.value for name, entry in entries.items() if name in signature.slots and name not in given}
    for name in signature.required:
        if name not in given and name not in said:
            label = f"`{signature.owner}` needs `{name}`"
            raise ElaborationError(catalog.MISSING_ARGUMENT, use.span, label, signature.hint)
    return kind(**given, **said), frozenset([(kind, name) for name in said])


def work_of(op: Op, shape: Any, use: Use) -> tuple[Shapes, Totals]:
    """The output and the totals of an op; raises for an input that it cannot take."""
    is_list = not shape or type(shape[0]) is tuple
    if is_list != (op.takes == "list"):
        raise mismatch(use, op, is_list)
    try:
        output = op.output(shape)
    except Misfit as misfit:
        raise error_of(use, misfit) from None
    check_output(use, output)
    params = buffers = 0
    for weight in op.weights(shape):
        if weight.kind == "parameter":
            params += prod(weight.shape)
        elif weight.kind == "buffer":
            buffers += prod(weight.shape)
    activations: Any = prod(output) if op.counts_as == "conv" else 0  # type: ignore[arg-type]
    totals = Totals(1, params, buffers, op.macs(shape, output), activations, *COUNTS[op.counts_as])
    check_size(totals, use.span)
    return output, totals


# Numbers of convolutions, norms and linear layers, by what an op counts as.
COUNTS = {"": (0, 0, 0), "conv": (1, 0, 0), "norm": (0, 1, 0), "linear": (0, 0, 1)}


def mismatch(use: Use, op: Op, is_list: bool) -> ElaborationError:
    """One tensor where a list is needed, or the other way round."""
    if is_list:
        label = f"a list of tensors reaches `{op.name}`, which takes one tensor"
        help = "join them first: `-> concat`, `-> add`, or take one: `x[0]`"
        return ElaborationError(catalog.NOT_A_TENSOR, use.span, label, help)
    label = f"one tensor reaches `{op.name}`, which takes a list of tensors"
    return ElaborationError(catalog.LIST_NEEDED, use.span, label, f"make a list first: `fork(a, b) -> {op.name}`")


def error_of(use: Use, misfit: Misfit) -> ElaborationError:
    """The error for an input that an op cannot take, at the argument to blame."""
    error = ElaborationError(misfit.rule, use.span, *misfit.texts)
    error.param, error.index = misfit.param, misfit.index
    if misfit.param in use.given:
        error.blame(use.given[misfit.param])
    return error


def check_output(use: Use, output: Any) -> None:
    """Raise for a map that is empty, or larger than any memory."""
    for shape in output if type(output[0]) is tuple else (output,):
        # Side by side: `min` would compare channels with sizes.
        for side in shape:
            if side < 1:
                label = f"nothing is left of the map: {'x'.join(map(str, shape))}"
                raise ElaborationError(catalog.KERNEL_TOO_LARGE, use.span, label)
        if prod(shape) > LARGEST_MAP:
            label = f"a map of {'x'.join(map(str, shape))} is larger than any memory"
            raise ElaborationError(catalog.TOO_MANY_OPS, use.span, label)


# ---- defined blocks


def known_scope(context: Context, use: Use, shapes: tuple[Shapes, ...], settings: Settings) -> Built:
    """The scope of a defined block, taken from an earlier elaboration where that has it."""
    known = context.known
    if known is None:
        return block_scope(context, use, shapes, settings)
    found = known.find(use, shapes, settings, depth=len(context.inside), budget=context.budget)
    if found is None:
        found = context.building(block_scope, use, shapes, settings)
        known.add(use, shapes, settings, found)
    return found


def block_scope(context: Context, use: Use, shapes: tuple[Shapes, ...], settings: Settings) -> Built:
    """A defined block: its body, worked out for this input. A body that is one block *is* that block."""
    definition: Any = use.target
    builder = ScopeBuilder(shapes)
    context.trace.asked.add(definition)
    context.enter(use.span, definition.name)
    try:
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
            label = f"`{definition.name}` returns {describe(result)}"
            raise ElaborationError(catalog.NOT_A_TENSOR, definition.node.span, label)
    finally:
        context.inside.pop()
    facts = {"kind": "block", "name": definition.name, "doc": definition.doc, "arguments": body.arguments}
    return Built(builder.close(result, use.span, **facts), frozenset(builder.used))


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
    signature = signature_of(definition)

    def work() -> tuple[tuple[Argument, ...], bool, Value]:
        bind(environment, use, definition, signature)
        arguments = tuple([Argument(name, plain(names[name]), default) for name, default in signature.defaults])
        return arguments, *run(environment, definition.body)

    (arguments, returned, result), marks = context.noted(work)
    if not returned:
        label = f"`{definition.name}` returns nothing"
        raise ElaborationError(catalog.NO_RESULT, definition.node.span, label, "end it with `return`")
    body = Body(arguments, result, frozenset(builder.used), marks, (use, settings), builder.token)
    # A body that never reads its input has one result for all inputs; shared weights belong to one body.
    asks = "x" in environment.read or len(builder.inputs) > 1
    if isinstance(result, BlockValue) and not asks and not (context.shares and shares(result)):
        context.bodies[key] = body
    return body


def bind(environment: Environment, use: Use, definition: Definition, signature: Signature) -> None:
    """Put the parameters into the environment, in order, as each default may use those before it."""
    names, given, builder = environment.names, use.given, environment.builder
    assert builder is not None
    entries = environment.settings.by_target[definition]
    at = 1
    for parameter in definition.parameters:
        name = parameter.name
        slot = signature.slots[name]
        if slot.type.symbols:
            environment.choices[name] = slot.type.symbols
        if name in given and slot.type.name == "tensor":
            names[name] = builder.input(at)
            builder.names[at] = name
            at += 1
        elif name in given:
            names[name] = given[name].value
        elif slot.rest:
            names[name] = Rest({})
        elif name in entries:
            builder.used.add((use.target, name))
            names[name] = entries[name].bound.value
        elif slot.default is not MISSING:
            names[name] = slot.default
        else:
            names[name] = default_of(environment, use, slot, parameter.default)


def default_of(environment: Environment, use: Use, slot: Slot, default: ast.Expression | None) -> Value:
    """The value of a default that is worked out at each use; raises where there is none."""
    if default is None:
        label = f"`{use.target.name}` needs `{slot.name}`"
        raise ElaborationError(catalog.MISSING_ARGUMENT, use.span, label, signature_of(use.target).hint)
    return fitted(slot, typed_argument(environment, default, slot.type), exact=True).value


def tensor_inputs(use: Use) -> tuple[Value, ...]:
    """The tensors among the arguments of a block: further inputs, in the order of the signature."""
    return tuple([use.given[name].value for name in use.target.tensor_names if name in use.given])
