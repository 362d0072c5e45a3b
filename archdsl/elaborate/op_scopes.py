"""The scopes of ops: parameters from the call and the settings, shape rules, totals."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

from archdsl.diagnostics import catalog
from archdsl.elaborate.blame import ElaborationError
from archdsl.elaborate.budget import LARGEST_MAP
from archdsl.elaborate.context import Context
from archdsl.elaborate.scope_builder import ScopeBuilder, check_size, reference, shapes_of
from archdsl.elaborate.scope_cache import UNMARKED, Built, Marks
from archdsl.elaborate.signature import signature_of
from archdsl.elaborate.values import SettingKey, Settings, Use, Value
from archdsl.graph import Scope, Totals
from archdsl.op import Misfit, Op, Shapes
from archdsl.syntax.scopes import Definition

NONE: frozenset[SettingKey] = frozenset()


def in_place(context: Context, builder: ScopeBuilder, use: Use, value: Value, settings: Settings) -> Value:
    """Apply an op that holds nothing, as a step of the scope under construction without a module of its own."""
    built = instantiate_once(context, use, (shapes_of(value),), settings, op_scope)
    builder.used |= built.used
    return builder.step("op", (reference(value),), built.scope.output, "", built.scope)


def instantiate_once(
    context: Context,
    use: Use,
    shapes: tuple[Shapes, ...],
    settings: Settings,
    work: Callable[[Context, Use, tuple[Shapes, ...], Settings], Built],
) -> Built:
    """The scope of an op or a block, worked out once in an elaboration."""
    key = ("use", use.content, shapes, settings.key)
    found = context.scopes.get(key)
    spared = found is not None
    if found is None:
        try:
            found = context.scopes[key] = work(context, use, shapes, settings)
        except ElaborationError as error:
            error.starts_path()
            leave(error, use, settings)
            raise
        except RecursionError:
            help = "does a block use itself without an end?"
            raise ElaborationError(
                catalog.TOO_DEEP, use.span, "blocks and expressions are nested too deeply here", help
            ) from None
    if found.marks is not UNMARKED:
        context.note(found.marks, spared=spared)
    return found


def op_scope(context: Context, use: Use, shapes: tuple[Shapes, ...], settings: Settings) -> Built:
    """An op on an input of this shape."""
    (shape,) = shapes
    op, used = op_of(context, use, settings)
    is_list = not shape or isinstance(shape[0], tuple)
    if is_list != (op.takes == "list"):
        raise mismatch(use, op, is_list)
    output, totals = work_of(context, op, shape, use)
    check_size(totals, use.span)
    leaf = Scope("op", op.name, (shape,), output, totals, op, span=use.span)
    return Built(leaf, used, UNMARKED if context.known is None else Marks(frozenset((use.target,))))


def op_of(context: Context, use: Use, settings: Settings) -> tuple[Op, frozenset[SettingKey]]:
    """An op with all its parameters, and what it asked of the settings; worked out once."""
    kind: Any = use.target
    entries = settings.of(kind)
    key = (use.content, settings.key if entries else 0)
    if (found := context.ops.get(key)) is None:
        signature = signature_of(kind)
        given = {name: bound.value for name, bound in use.given.items()}
        fitting = ((name, entry) for name, entry in entries.items() if name in signature.slots and name not in given)
        said = {name: entry.bound.value for name, entry in fitting}
        for name in signature.required:
            if name not in given and name not in said:
                label = f"`{signature.owner}` needs `{name}`"
                raise ElaborationError(catalog.MISSING_ARGUMENT, use.span, label, signature.hint)
        used = frozenset((kind, name) for name in said) if said else NONE
        found = context.ops[key] = (kind(**given, **said), used)
    return found


def work_of(context: Context, op: Op, shape: Shapes, use: Use) -> tuple[Shapes, Totals]:
    """The output and the totals of an op; computed once for equal ops."""
    key = (op, shape)
    if (found := context.works.get(key)) is None:
        try:
            output = op.output(shape)
        except Misfit as misfit:
            raise error_of(use, misfit) from None
        check_output(use, output)
        found = context.works[key] = (output, totals_of(op, shape, output))
    return found


def mismatch(use: Use, op: Op, is_list: bool) -> ElaborationError:
    """One tensor where a list is needed, or the other way round."""
    if is_list:
        return ElaborationError(
            catalog.NOT_A_TENSOR,
            use.span,
            f"a list of tensors reaches `{op.name}`, which takes one tensor",
            "join them first: `-> concat`, `-> add`, or take one: `x[0]`",
        )
    return ElaborationError(
        catalog.LIST_NEEDED,
        use.span,
        f"one tensor reaches `{op.name}`, which takes a list of tensors",
        f"make a list first: `fork(a, b) -> {op.name}`",
    )


def error_of(use: Use, misfit: Misfit) -> ElaborationError:
    """The error for an input that an op cannot take, at the argument to blame."""
    error = ElaborationError(misfit.rule, use.span, *misfit.texts)
    error.param, error.index = misfit.param, misfit.index
    bound = use.given.get(misfit.param)
    if bound is not None:
        error.blame(bound)
    return error


def check_output(use: Use, output: Shapes) -> None:
    """Raise for a map that is empty, or larger than any memory."""
    shapes: Any = output if isinstance(output[0], tuple) else (output,)
    for shape in shapes:
        # Side by side, as channels are never compared with sizes.
        if any(side < 1 for side in shape):
            raise ElaborationError(
                catalog.KERNEL_TOO_LARGE, use.span, f"nothing is left of the map: {'x'.join(map(str, shape))}"
            )
        if prod(shape) > LARGEST_MAP:
            raise ElaborationError(
                catalog.TOO_MANY_OPS,
                use.span,
                f"a map of {'x'.join(map(str, shape))} is larger than any memory",
            )


def totals_of(op: Op, shape: Any, output: Any) -> Totals:
    """The totals of an op."""
    sizes = {"parameter": 0, "buffer": 0, "counter": 0}
    for weight in op.weights(shape):
        sizes[weight.kind] += weight.size
    kind = op.counts_as
    activations = prod(output) if kind == "conv" else 0
    counts = (int(kind == "conv"), int(kind == "norm"), int(kind == "linear"))
    return Totals(1, sizes["parameter"], sizes["buffer"], op.macs(shape, output), activations, *counts)


def leave(error: ElaborationError, use: Use, settings: Settings) -> None:
    """An error leaves a block or an op: it goes to the argument or to the setting that the failing value came from."""
    said = {name: entry.bound for name, entry in settings.of(use.target).items()}
    error.said += [bound for name, bound in said.items() if name not in use.given]
    if isinstance(use.target, Definition):
        error.passes(use.given, said, use.span)
    elif error.param in said and error.param not in use.given:
        error.blame_setting(said[error.param])
