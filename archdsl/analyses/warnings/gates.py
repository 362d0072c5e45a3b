"""Gates that weigh many channels by next to no features."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import TYPE_CHECKING

from archdsl.analyses.warnings.case import Case, Told, place_of
from archdsl.errors import catalog

if TYPE_CHECKING:
    from archdsl.analyses.walk import Placed

MOST_REDUCED = 32
"""The largest reduction that publications use."""
LAYERS = frozenset({"conv", "linear"})


def narrow_gates(case: Case) -> Iterator[Told]:
    """Gates made of a pooled map by two layers, the first of which leaves one feature, or hardly any."""
    if not any(scope.op is not None and scope.op.gates for scope in case.ops):
        return
    told: set[str] = set()
    for gate in case.placed:
        for tensor in gate.reads if gate.op.gates else ():
            first = squeezes(case, tensor)
            if first is not None and first.path not in told and is_narrow(first):
                told.add(first.path)
                yield finding(first)


def squeezes(case: Case, tensor: int) -> Placed | None:
    """The first of two layers that make a gate of a pooled map."""
    expands = layer_before(case, tensor)
    return None if expands is None else layer_before(case, expands.reads[0])


def layer_before(case: Case, tensor: int) -> Placed | None:
    """The layer that makes a tensor of single places, with nothing behind it but activations and the like."""
    while (maker := case.makers.get(tensor)) is not None and len(maker.reads) == 1:
        if prod(maker.inputs[0][1:]) != 1:
            return None
        if maker.op.counts_as in LAYERS:
            return maker
        tensor = maker.reads[0]
    return None


def is_narrow(layer: Placed) -> bool:
    """Whether a layer leaves one feature of several, or fewer than any publication."""
    channels, features = channels_of(layer)
    return channels > features and (features == 1 or channels > MOST_REDUCED * features)


def channels_of(layer: Placed) -> tuple[int, int]:
    """How many channels a layer reads, and how many it gives."""
    return layer.inputs[0][0], prod(layer.output)  # type: ignore[arg-type]


def finding(layer: Placed) -> Told:
    """What is said of a gate, at the block that it is, where that is shipped."""
    channels, features = channels_of(layer)
    several = f"{features} feature{'s' * (features != 1)}"
    block = layer.trail[-1]
    reduction = next((each.value for each in block.arguments if each.name == "reduction"), 0)
    help = "publications leave a 4th to a 16th of the channels"
    if block.name == "se" and isinstance(reduction, int) and reduction > 1:
        help = f"`se` takes what divides the channels; {help}"
        if reduction < channels and channels % reduction == 0:
            help = f"`se` takes what divides the channels: {reduction} features are `se({channels // reduction})`"
    label = f"{several} weigh{'s' * (features == 1)} all of {channels} channels here"
    return Told(catalog.NARROW_GATE, layer.section, place_of(layer), label, help, layer.path)
