"""Biases that a norm takes away again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from archdsl.analyses.warnings.case import Case, Told, place_of
from archdsl.errors import catalog
from archdsl.graph import Scope

CENTERING = frozenset({"bn", "instance_norm"})
"""Norms that subtract each channel's mean, and with it whatever was added to the whole channel."""


def idle_biases(case: Case) -> Iterator[Told]:
    """Layers with a bias whose output nothing but such a norm reads. What a section gives can be read by others."""
    if not may_have_some(case.ops):
        return
    readers = Counter(tensor for each in case.placed for tensor in each.reads)
    for norm in case.placed:
        if norm.op.name not in CENTERING:
            continue
        maker = case.makers.get(norm.reads[0])
        if maker is None or not has_bias(maker.scope) or readers[norm.reads[0]] > 1 or maker.section != norm.section:
            continue
        label = f"`{norm.op.name}` subtracts the mean, and with it the bias of `{maker.op.name}`"
        help = "set `bias = false`: the norm has a shift of its own"
        yield Told(catalog.IDLE_BIAS, maker.section, place_of(maker), label, help, maker.path)


def may_have_some(ops: list[Scope]) -> bool:
    """Whether some such norm reads a shape that some layer with a bias gives; most networks are through with this."""
    biased = {scope.output for scope in ops if has_bias(scope)}
    return bool(biased) and any(scope.name in CENTERING and scope.inputs[0] in biased for scope in ops)


def has_bias(scope: Scope) -> bool:
    """Whether an op is a convolution or linear layer with a bias."""
    return scope.op is not None and scope.op.counts_as in {"conv", "linear"} and bool(getattr(scope.op, "bias", False))
