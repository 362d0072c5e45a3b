"""Application: a block meets a tensor, and becomes modules and steps of the scope under construction.

A block value is worked out in place, by a table of its kinds; `instantiate` works out what becomes a module.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from archdsl.diagnostics import catalog
from archdsl.elaborate.blame import ElaborationError
from archdsl.elaborate.context import Context
from archdsl.elaborate.instantiate import (
    beyond,
    check_single,
    child_of,
    instantiate,
    policy_block,
    shared_elsewhere,
    tensor_inputs,
)
from archdsl.elaborate.operators import join_tensors
from archdsl.elaborate.scope_builder import Origins, ScopeBuilder, add_run, check_length, reference, shapes_of, value_of
from archdsl.elaborate.values import (
    BlockValue,
    Join,
    Links,
    Operand,
    Policy,
    Repeat,
    Role,
    SettingKey,
    Settings,
    Shared,
    Tensor,
    TensorList,
    Use,
    Value,
    With,
    captures,
    core,
    describe,
)
from archdsl.graph import Child, Run, Scope
from archdsl.syntax.naming import NO_NAME

NO_ORIGINS: Origins = ()
OF_TENSORS = {"add": "added", "multiply": "multiplied"}


def apply_use(context: Context, builder: ScopeBuilder, use: Use, value: Value, settings: Settings) -> Value:
    """Add an op or a defined block as a child, and a call of it."""
    # `identity` leaves no module: neither names of modules nor keys of weights depend on it.
    if use.target is context.identity:
        return value
    inputs = (value, *tensor_inputs(use)) if use.target.tensor_names else (value,)
    try:
        built = instantiate(context, use, tuple([shapes_of(each) for each in inputs]), settings)
    except ElaborationError as error:
        error.leaves(use.name, use.target.name)
        raise
    return builder.call(use.name, built, inputs, "own", origins_of(use), use.span)


def apply_policy(context: Context, builder: ScopeBuilder, policy: Policy, value: Value, settings: Settings) -> Value:
    """Apply the block that the settings choose for `norm` or `act`, under the policy's own name."""
    block, used = policy_block(context, policy, settings)
    builder.used |= used
    # So that `act = identity` drops the activations, not only what they do.
    if context.is_identity(block):
        return value
    built = child_of(context, policy.name, block, shapes_of(value), settings)
    return builder.call(policy.name, built, (value,), "policy", origins_of(block), policy.span)


def apply_role(context: Context, builder: ScopeBuilder, role: Role, value: Value, settings: Settings) -> Value:
    """Apply a block that has a name of its own in the text."""
    check_single(context, role)
    inner = core(role)
    # A module of its own could not read the tensors of this scope, so the block is applied in place.
    if not isinstance(inner, Use) and captures(inner):
        return context.apply(builder, role.body, value, settings)
    built = child_of(context, role.name, role.body, shapes_of(value), settings)
    inputs = (value, *(tensor_inputs(inner) if isinstance(inner, Use) else ()))
    return builder.call(role.name, built, inputs, role.role, origins_of(inner), role.span)


def apply_links(context: Context, builder: ScopeBuilder, chain: Links, value: Value, settings: Settings) -> Value:
    """Apply the links in order."""
    for link in chain.links:
        value = context.apply(builder, link, value, settings)
    return value


def apply_with(context: Context, builder: ScopeBuilder, block: With, value: Value, settings: Settings) -> Value:
    """Apply the block under the inner settings."""
    outer, builder.used = builder.used, set()
    try:
        return context.apply(builder, block.body, value, context.extended(settings, block.settings))
    finally:
        builder.used = outer | beyond(context, block.settings, builder.used)


def apply_join(context: Context, builder: ScopeBuilder, join: Join, value: Value, settings: Settings) -> Value:
    """Apply all operands to the same input, and join the results."""
    if join.home is not None and join.home is not builder:
        raise ElaborationError(
            catalog.ESCAPES, join.span, "a tensor in this block belongs to another body", "pass it as a parameter"
        )
    parts: list[tuple[Operand, Value]] = []
    for operand in join.operands:
        result = operand.value
        if isinstance(result, BlockValue):
            result = context.apply(builder, result, value, settings)
        if type(result) is Tensor:
            parts.append((operand, result))
        else:
            parts += [(operand, part) for part in branch(join, operand.value, result)]
    check_length(len(parts), join.span)
    if join.kind == "fork":
        return tuple([part for _, part in parts])
    return join_tensors(context, builder, join.kind, parts, settings, join.span)


def branch(join: Join, block: Value, result: Value) -> tuple[Value, ...]:
    """The tensors of a list that an operand adds to a `fork` or `concat`."""
    if join.kind in OF_TENSORS:
        raise ElaborationError(
            catalog.NOT_A_TENSOR,
            block.span if isinstance(block, BlockValue) else join.span,
            f"a list of tensors cannot be {OF_TENSORS[join.kind]}",
            "make one tensor of it first: `... -> concat`, `... -> add`",
        )
    return (result,) if isinstance(result, TensorList) else tuple(result)


def apply_row(context: Context, builder: ScopeBuilder, row: Repeat, value: Value, settings: Settings) -> Value:
    """Add `n * a` or `collect(n, a)` as a child with several modules, and one step."""
    if row.gathers:
        # Before any module is built, as the count may be huge.
        check_length(sum(count for count, _ in row.runs), row.span)
    if row.name.listed and any(row.gathers or not context.is_identity(block) for _, block in row.runs):
        return apply_listed(context, builder, row, value, settings)
    runs, shapes, used = row_runs(context, row, value, settings)
    builder.used |= used
    if not runs:
        return value if not row.gathers else ()
    name = row.name.text
    form = "list" if row.gathers else "repeat"
    origins = origins_of(row.runs[0][1])
    builder.adopt(Child(name, form, tuple(runs), role_of(row), origins), row.span)
    if row.gathers:
        return builder.step("collect", (reference(value),), tuple(shapes), name)
    return builder.step("repeat", (reference(value),), shapes[-1], name)


def apply_listed(context: Context, builder: ScopeBuilder, row: Repeat, value: Value, settings: Settings) -> Value:
    """Add a row inside a loop: one module for each iteration."""
    inner = context.row(row.name._replace(listed=False) if row.gathers else NO_NAME, row.runs, row.gathers, row.span)
    built = child_of(context, row.name, inner, shapes_of(value), settings)
    return builder.call(row.name, built, (value,), "own", NO_ORIGINS, row.span)


def role_of(row: Repeat) -> Literal["own", "parameter"]:
    """The role of a row: `parameter` if all its modules are block-valued parameters of the enclosing block."""
    given = all(isinstance(block, Role) and block.role == "parameter" for _, block in row.runs)
    return "parameter" if given else "own"


def row_runs(
    context: Context, row: Repeat, value: Value, settings: Settings
) -> tuple[list[Run], list[Any], frozenset[SettingKey]]:
    """The modules of a row; once a block keeps the shape, all later equal blocks are the same module."""
    runs: list[Run] = []
    shapes: list[Any] = []
    used: set[SettingKey] = set()
    shape, at = shapes_of(value), 0
    for times, block in row.runs:
        left = times
        # `collect` has an output for each of its blocks, those that do nothing included.
        if context.is_identity(block) and not row.gathers:
            continue
        while left:
            context.budget.apply(block.span)
            built = child_of(context, row.name, block, shape, settings, at)
            used |= built.used
            output = built.scope.output
            # The next input equals this one, so all that are left are the same module.
            taken = left if output == shape else 1
            add_run(runs, Run(taken, built.scope))
            shapes += [output] * taken if row.gathers else [output]
            shape, left, at = output, left - taken, at + taken
            if row.gathers and isinstance(output[0], tuple):
                raise ElaborationError(catalog.NOT_A_TENSOR, block.span, "`collect` gathers tensors; this gives a list")
    return runs, shapes, frozenset(used)


def apply_shared(context: Context, builder: ScopeBuilder, shared: Shared, value: Value, settings: Settings) -> Value:
    """Call one child again, with the same weights."""
    if shared.home is not builder:
        raise shared_elsewhere(shared)
    built = child_of(context, shared.name, shared.body, shapes_of(value), settings)
    builder.used |= built.used
    first = builder.shared.get(shared.key)
    if first is None:
        result = builder.call(shared.name, built, (value,), "own", NO_ORIGINS, shared.span)
        # Not a memo: the calls after the first one are other steps, of the same child.
        builder.shared[shared.key] = builder.steps[-1]
        return result
    assert first.scope is not None
    # Other maps give another scope; only the weights have to be the same.
    if first.scope is not built.scope and weights_of(first.scope) != weights_of(built.scope):
        raise unlike(shared, first.scope, built.scope)
    return builder.step("call", (reference(value),), built.scope.output, first.target, built.scope, first.index)


def unlike(shared: Shared, first: Scope, here: Scope) -> ElaborationError:
    """The error for shared weights that do not fit a second place."""
    if first.inputs == here.inputs:
        label = "under other settings this is another block, which cannot have the same weights"
        return ElaborationError(catalog.SHARED, shared.span, label, "share it under one `with`, or write it twice")
    one, other = (describe(value_of(0, scope.inputs[0])) for scope in (first, here))
    label = f"the shared weights are for {one}; here they meet {other}"
    return ElaborationError(catalog.SHARED, shared.span, label, "tensors that share weights have equal channels")


def weights_of(scope: Scope) -> object:
    """The weights of a scope: what must be equal for two calls to share them."""
    if scope.op is not None:
        return scope.op, scope.op.weights(scope.inputs[0])
    return tuple(
        (child.name, tuple((run.count, weights_of(run.scope)) for run in child.runs)) for child in scope.children
    )


def origins_of(block: BlockValue) -> Origins:
    """The origins of the numbers among a block's arguments."""
    inner = block if type(block) is Use else core(block)
    if type(inner) is not Use or not inner.given:
        return NO_ORIGINS
    return tuple([(name, bound.origin) for name, bound in inner.given.items()])


APPLICATIONS: dict[type[BlockValue], Callable[..., Value]] = {
    Use: apply_use,
    Policy: apply_policy,
    Role: apply_role,
    Links: apply_links,
    With: apply_with,
    Join: apply_join,
    Repeat: apply_row,
    Shared: apply_shared,
}
