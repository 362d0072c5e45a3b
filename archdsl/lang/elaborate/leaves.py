"""The leaves of the graph: ops with all their parameters, and policies with what they stand for."""

from __future__ import annotations

from math import prod
from typing import Any

from archdsl.errors import catalog
from archdsl.graph import Scope, Totals
from archdsl.lang.evaluate.building import check_size
from archdsl.lang.evaluate.session import NOWHERE, UNMARKED, Built, Marks, Session
from archdsl.lang.evaluate.settings import Settings, Slot
from archdsl.lang.text.files import DEFAULT_POLICIES
from archdsl.lang.text.signature import fitted, signature_of
from archdsl.lang.values.faults import Fault
from archdsl.lang.values.limits import LARGEST_MAP
from archdsl.lang.values.value import BlockValue, Bound, Policy, Use, With
from archdsl.op import Misfit, Op, Shapes
from archdsl.ops import vocabulary

NONE: frozenset[Slot] = frozenset()


def op_scope(session: Session, use: Use, shape: Shapes, settings: Settings) -> Built:
    """An op on an input of this shape."""
    op, used = op_of(session, use, settings)
    is_list = not shape or isinstance(shape[0], tuple)
    if is_list != (op.takes == "list"):
        raise mismatch(use, op, is_list)
    output, totals = work_of(session, op, shape, use)
    check_size(totals, use.span)
    leaf = Scope("op", op.name, (shape,), output, totals, op, span=use.span)
    return Built(leaf, used, UNMARKED if session.known is None else Marks(frozenset((use.target,))))


def op_of(session: Session, use: Use, settings: Settings) -> tuple[Op, frozenset[Slot]]:
    """An op with all its parameters, and what it asked of the settings; worked out once."""
    kind: Any = use.target
    entries = settings.of(kind)
    key = (use.content, settings.key if entries else 0)
    if (found := session.ops.get(key)) is None:
        signature = signature_of(kind)
        given = {name: bound.value for name, bound in use.given.items()}
        fitting = ((name, entry) for name, entry in entries.items() if name in signature.slots and name not in given)
        said = {name: entry.bound.value for name, entry in fitting}
        for name in signature.required:
            if name not in given and name not in said:
                label = f"`{signature.owner}` needs `{name}`"
                raise Fault(catalog.MISSING_ARGUMENT, use.span, label, signature.hint())
        used = frozenset((kind, name) for name in said) if said else NONE
        found = session.ops[key] = (kind(**given, **said), used)
    return found


def work_of(session: Session, op: Op, shape: Shapes, use: Use) -> tuple[Shapes, Totals]:
    """What an op makes of such an input, and what it counts for; worked out once for equal ops."""
    key = (op, shape)
    if (found := session.works.get(key)) is None:
        try:
            output = op.output(shape)
        except Misfit as misfit:
            raise fault_of(use, misfit) from None
        check_output(use, output)
        found = session.works[key] = (output, totals_of(op, shape, output))
    return found


def mismatch(use: Use, op: Op, is_list: bool) -> Fault:
    """One tensor where a list is needed, or the other way round."""
    if is_list:
        return Fault(
            catalog.NOT_A_TENSOR,
            use.span,
            f"a list of tensors reaches `{op.name}`, which takes one tensor",
            "join them first: `-> concat`, `-> add`, or take one: `x[0]`",
        )
    return Fault(
        catalog.LIST_NEEDED,
        use.span,
        f"one tensor reaches `{op.name}`, which takes a list of tensors",
        f"make a list first: `fork(a, b) -> {op.name}`",
    )


def fault_of(use: Use, misfit: Misfit) -> Fault:
    """What an op cannot take, at the argument that is to blame."""
    fault = Fault(misfit.rule, use.span, misfit.label, misfit.help)
    fault.param = misfit.param
    bound = use.given.get(misfit.param)
    if bound is not None:
        fault.blame(bound)
    return fault


def check_output(use: Use, output: Shapes) -> None:
    """Raises for a map that is empty, or larger than any memory."""
    shapes: Any = output if isinstance(output[0], tuple) else (output,)
    for shape in shapes:
        if min(shape) < 1:
            raise Fault(catalog.KERNEL_TOO_LARGE, use.span, f"nothing is left of the map: {'x'.join(map(str, shape))}")
        if prod(shape) > LARGEST_MAP:
            raise Fault(
                catalog.TOO_MANY_OPS, use.span, f"a map of {'x'.join(map(str, shape))} is larger than any memory"
            )


def totals_of(op: Op, shape: Any, output: Any) -> Totals:
    """What an op counts for."""
    sizes = {"parameter": 0, "buffer": 0, "counter": 0}
    for weight in op.weights(shape):
        sizes[weight.kind] += weight.size
    kind = op.counts_as
    activations = prod(output) if kind == "conv" else 0
    counts = (int(kind == "conv"), int(kind == "norm"), int(kind == "linear"))
    return Totals(1, sizes["parameter"], sizes["buffer"], op.macs(shape, output), activations, *counts)


def policy_block(session: Session, policy: Policy, settings: Settings) -> tuple[BlockValue, frozenset[Slot]]:
    """What a policy stands for, with the settings given to it; and the setting that said so."""
    session.trace.asked.add(None)
    entry = settings.of(None).get(policy.policy)
    if entry is None:
        chosen: BlockValue = session.use(vocabulary()[DEFAULT_POLICIES[policy.policy]], {}, policy.name, policy.span)
        used = NONE
    else:
        chosen, used = entry.bound.value, frozenset(((None, policy.policy),))
    return (with_settings(session, chosen, policy) if policy.given else chosen), used


def with_settings(session: Session, chosen: BlockValue, policy: Policy) -> BlockValue:
    """The block of a policy with what was said to the policy (`gamma`)."""
    if isinstance(chosen, With):
        body = with_settings(session, chosen.body, policy)
        return chosen.replace(key=session.key("with", chosen.settings.key, body.key), body=body)
    if not isinstance(chosen, Use):
        raise Fault(
            catalog.UNKNOWN_PARAMETER, policy.span, f"this `{policy.policy}` is a chain, which takes no settings"
        )
    signature = signature_of(chosen.target)
    if signature.lenient:
        return chosen
    given: dict[str, Bound] = {}
    for name, bound in policy.given.items():
        if name not in signature.slots:
            raise Fault(
                catalog.UNKNOWN_PARAMETER,
                policy.span,
                f"here `{policy.policy}` is `{signature.owner}`, which has no `{name}`",
                signature.hint(),
            )
        given[name] = fitted(signature.slots[name], bound, exact=False)
    return session.use(chosen.target, {**chosen.given, **given}, chosen.name, policy.span)


__all__ = ["NOWHERE", "op_scope", "policy_block"]
