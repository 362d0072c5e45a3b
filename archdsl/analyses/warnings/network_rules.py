"""Windows that slide by more than one place, and stop before the end of the map."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from math import ceil, prod
from typing import TYPE_CHECKING

from archdsl.analyses.warnings.rule import CheckedNetwork, NetworkWarning, place_of
from archdsl.diagnostics import catalog
from archdsl.graph import Scope, Section
from archdsl.op import Op, Reach, Shapes
from archdsl.ops.resize import Pad2d
from archdsl.syntax import ast
from archdsl.syntax.elements import Setting
from archdsl.syntax.inheritance import ResolvedNetwork

if TYPE_CHECKING:
    from archdsl.analyses.flatten import Placed

CENTERING = frozenset({"bn", "instance_norm"})
"""Norms that subtract each channel's mean, and with it whatever was added to the whole channel."""


def idle_biases(case: CheckedNetwork) -> Iterator[NetworkWarning]:
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
        yield NetworkWarning(catalog.IDLE_BIAS, maker.section, place_of(maker), label, help, maker.path)


def may_have_some(ops: list[Scope]) -> bool:
    """Whether some such norm reads a shape that some layer with a bias gives; most networks are through with this."""
    biased = {scope.output for scope in ops if has_bias(scope)}
    return bool(biased) and any(scope.name in CENTERING and scope.inputs[0] in biased for scope in ops)


def has_bias(scope: Scope) -> bool:
    """Whether an op is a convolution or linear layer with a bias."""
    return scope.op is not None and scope.op.counts_as in {"conv", "linear"} and bool(getattr(scope.op, "bias", False))


MOST_REDUCED = 32
"""The largest reduction that publications use."""
LAYERS = frozenset({"conv", "linear"})


def narrow_gates(case: CheckedNetwork) -> Iterator[NetworkWarning]:
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


def squeezes(case: CheckedNetwork, tensor: int) -> Placed | None:
    """The first of two layers that make a gate of a pooled map."""
    expands = layer_before(case, tensor)
    return None if expands is None else layer_before(case, expands.reads[0])


def layer_before(case: CheckedNetwork, tensor: int) -> Placed | None:
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


def finding(layer: Placed) -> NetworkWarning:
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
    return NetworkWarning(catalog.NARROW_GATE, layer.section, place_of(layer), label, help, layer.path)


def idle_sections(case: CheckedNetwork) -> Iterator[NetworkWarning]:
    """Sections that give what they get.

    Not those whose text reads a parameter or a constant, which may be another in another network, and those that
    others read by name: they name a tensor.
    """
    idle = list(without_ops(case))
    if not idle:
        return
    names = names_by_line(case.family)
    readers = Counter(name for read in names.values() for name in read)
    variable = variables(case.family)
    for section in idle:
        mine = names[section.name]
        if mine & variable or readers[section.name] > (section.name in mine):
            continue
        leave = f"leave it out: `{section.name}: none`" if case.backbone.extends else "leave it out"
        yield NetworkWarning(
            catalog.NO_CHANGE, section, section.span, f"`{section.name}` gives back its input unchanged", leave
        )


def without_ops(case: CheckedNetwork) -> Iterator[Section]:
    """The sections that do nothing with the output of the one before."""
    steps = {step.output: step for step in case.graph.root.steps}
    before = 0
    for section in case.graph.sections:
        if section.kind == "output":
            continue
        step = steps[section.value]
        if step.inputs == (before,) and step.scope is not None and not step.scope.totals.ops:
            yield section
        before = section.value


def names_by_line(family: ResolvedNetwork) -> dict[str, set[str]]:
    """The names that each section and output reads."""
    lines = (line.content for line in (*family.sections, *family.outputs))
    return {line.name: set(ast.names_in([line.value])) for line in lines if not isinstance(line, Setting)}


def variables(family: ResolvedNetwork) -> set[str]:
    """The parameters and constants of a backbone."""
    settings = (line.content for line in family.settings)
    constants = {line.target[0] for line in settings if isinstance(line, Setting)}
    return constants | {declared.parameter.name for declared in family.parameters}


SIDES = ("row", "column")
UNMOVED = (1, (1, 1))


def rows_left_out(case: CheckedNetwork) -> Iterator[NetworkWarning]:
    """Strided ops whose last window ends before the map does, and leaves out what was not padding."""
    strided = [scope for scope in case.ops if getattr(scope.op, "stride", 1) not in UNMOVED]
    lossy = {scope for scope in strided if any(lost(scope))}
    if not lossy:
        return
    for each in case.placed:
        if each.scope not in lossy:
            continue
        real = [max(0, rows - border) for rows, border in zip(lost(each.scope), borders(case, each), strict=True)]
        if any(real):
            yield told(each, real)


def lost(scope: Scope) -> tuple[int, ...]:
    """How many rows and columns at the end of the map no window of an op reads.

    Where windows are apart (1x1 with stride 2), rows are left out on purpose, all over the map.
    """
    return () if scope.op is None else left(scope.op, scope.inputs[0], scope.output)


@lru_cache(maxsize=1_000)
def left(op: Op, before: Shapes, after: Shapes) -> tuple[int, ...]:
    """As `lost`, of an op between such maps: networks have many in common."""
    if len(before) != 3 or len(after) != 3:
        return ()
    axes = zip(before[1:], after[1:], op.reach(before, after) or (), strict=False)
    return tuple(behind(size, count, reach) for size, count, reach in axes)  # type: ignore[arg-type]


def behind(size: int, count: int, reach: Reach) -> int:
    """How many of `size` places lie behind the last of `count` windows."""
    if reach.step <= 1 or reach.high - reach.low + 1 < reach.step:
        return 0
    last = (count - 1) * reach.step + reach.high
    return max(0, ceil(size - 1 - last))


def borders(case: CheckedNetwork, placed: Placed) -> tuple[int, int]:
    """How many rows and columns at the end of what an op reads are a border that `pad2d` has laid around it."""
    maker = case.makers.get(placed.reads[0])
    if maker is None or not isinstance(maker.op, Pad2d):
        return 0, 0
    _, right, _, bottom = maker.op.sides()
    return bottom, right


def told(each: Placed, real: list[int]) -> NetworkWarning:
    """The finding at an op."""
    sizes = zip(real, each.inputs[0][1:], SIDES, strict=True)
    parts = [f"the last {f'{rows} ' if rows > 1 else ''}of {size} {side}s" for rows, size, side in sizes if rows]
    stride = each.op.facts(each.input)["stride"]
    label = f"no window of `{each.op.name}` with stride {stride} reads {' and '.join(parts)}"
    size = "use another padding, or an input size that the strides divide"
    help = f"`ceil_mode = true` keeps them; so does {size}" if "ceil_mode" in each.op.fields else f"{size}, keeps them"
    return NetworkWarning(catalog.ROWS_LEFT_OUT, each.section, place_of(each), label, help, each.path)
