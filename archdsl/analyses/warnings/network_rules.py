"""Warnings from a network's graph: idle layers, narrow gates, lost rows, and numbers with another meaning elsewhere."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from functools import lru_cache
from math import ceil, prod
from typing import TYPE_CHECKING, NamedTuple

from archdsl.analyses.warnings.rule import CheckedNetwork, NetworkWarning, place_of
from archdsl.diagnostics import DiagnosticKind, Span, catalog
from archdsl.graph import Scope, Section
from archdsl.op import Op, Reach, Shapes
from archdsl.ops.activation import Softmax
from archdsl.ops.join import SoftmaxList
from archdsl.ops.norm import BatchNorm, InstanceNorm
from archdsl.ops.pool import LpPool
from archdsl.ops.regularize import Dropout, DropPath
from archdsl.ops.resize import Pad2d
from archdsl.ops.scale import Affine, Scale
from archdsl.syntax import ast
from archdsl.syntax.ast import Setting
from archdsl.syntax.inheritance import ResolvedNetwork

if TYPE_CHECKING:
    from archdsl.analyses.flatten import Placed

# Norms that subtract the mean of each channel, and any bias with it.
CENTERING = frozenset({"bn", "instance_norm"})


def idle_biases(case: CheckedNetwork) -> Iterator[NetworkWarning]:
    """Layers with a bias whose output only such a norm reads. Outputs of sections may have other readers."""
    # The distinct ops are few; listing all ops one by one takes far longer.
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
    """Quick test: does such a norm read a shape that a layer with a bias makes? Most networks stop here."""
    biased = {scope.output for scope in ops if has_bias(scope)}
    return bool(biased) and any(scope.name in CENTERING and scope.inputs[0] in biased for scope in ops)


def has_bias(scope: Scope) -> bool:
    """Tell a convolution or linear layer with a bias."""
    return scope.op is not None and scope.op.counts_as in {"conv", "linear"} and bool(getattr(scope.op, "bias", False))


# Largest reduction in publications.
MOST_REDUCED = 32
LAYERS = frozenset({"conv", "linear"})


def narrow_gates(case: CheckedNetwork) -> Iterator[NetworkWarning]:
    """Gates of two layers on a pooled map, the first of which leaves one feature or hardly any."""
    if not any(scope.op is not None and scope.op.gates for scope in case.ops):
        return
    told: set[str] = set()
    for gate in case.placed:
        for tensor in gate.reads if gate.op.gates else ():
            first = squeeze_layer(case, tensor)
            if first is not None and first.path not in told and is_narrow(first):
                told.add(first.path)
                yield gate_warning(first)


def squeeze_layer(case: CheckedNetwork, tensor: int) -> Placed | None:
    """First of two layers that make a gate of a pooled map."""
    expands = layer_before(case, tensor)
    return None if expands is None else layer_before(case, expands.reads[0])


def layer_before(case: CheckedNetwork, tensor: int) -> Placed | None:
    """Layer that makes a tensor of single places, with only activations and the like behind it."""
    while (maker := case.makers.get(tensor)) is not None and len(maker.reads) == 1:
        if prod(maker.inputs[0][1:]) != 1:
            return None
        if maker.op.counts_as in LAYERS:
            return maker
        tensor = maker.reads[0]
    return None


def is_narrow(layer: Placed) -> bool:
    """Tell a layer that leaves one feature of several, or fewer than any publication."""
    channels, features = channels_of(layer)
    return channels > features and (features == 1 or channels > MOST_REDUCED * features)


def channels_of(layer: Placed) -> tuple[int, int]:
    """Numbers of channels that a layer reads and makes."""
    return layer.inputs[0][0], prod(layer.output)  # type: ignore[arg-type]


def gate_warning(layer: Placed) -> NetworkWarning:
    """Warning on a gate; for a shipped block with the argument to write."""
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
    """Sections that return their input.

    Sections whose text reads a parameter or a constant are not idle in another network, and those that others read
    by name only name a tensor.
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
    """Sections that do nothing with the output of the one before."""
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
    """Names that each section and output reads."""
    lines = (line.content for line in (*family.sections, *family.outputs))
    return {line.name: set(ast.names_in([line.value])) for line in lines if not isinstance(line, Setting)}


def variables(family: ResolvedNetwork) -> set[str]:
    """Parameters and constants of a network."""
    settings = (line.content for line in family.settings)
    constants = {line.target[0] for line in settings if isinstance(line, Setting)}
    return constants | {declared.parameter.name for declared in family.parameters}


SIDES = ("row", "column")
UNMOVED = (1, (1, 1))


def rows_left_out(case: CheckedNetwork) -> Iterator[NetworkWarning]:
    """Strided ops whose last window ends before the map does, and leaves out more than padding."""
    strided = [scope for scope in case.ops if getattr(scope.op, "stride", 1) not in UNMOVED]
    # Each distinct op is tested once; only lossy ones are then looked up one by one.
    lossy = {scope for scope in strided if any(lost_rows(scope))}
    if not lossy:
        return
    for each in case.placed:
        if each.scope not in lossy:
            continue
        real = [max(0, rows - border) for rows, border in zip(lost_rows(each.scope), borders(case, each), strict=True)]
        if any(real):
            yield rows_warning(each, real)


def lost_rows(scope: Scope) -> tuple[int, ...]:
    """Rows and columns at the end of the map that no window of an op reads."""
    # Windows with gaps between them (1x1 with stride 2) skip rows on purpose, all over the map.
    return () if scope.op is None else lost_rows_of(scope.op, scope.inputs[0], scope.output)


@lru_cache(maxsize=1_000)
def lost_rows_of(op: Op, before: Shapes, after: Shapes) -> tuple[int, ...]:
    """As `lost`, for an op between such maps, of which networks have many in common."""
    if len(before) != 3 or len(after) != 3:
        return ()
    axes = zip(before[1:], after[1:], op.reach(before, after) or (), strict=False)
    return tuple(places_behind(size, count, reach) for size, count, reach in axes)  # type: ignore[arg-type]


def places_behind(size: int, count: int, reach: Reach) -> int:
    """Number of `size` places behind the last of `count` windows."""
    if reach.step <= 1 or reach.high - reach.low + 1 < reach.step:
        return 0
    last = (count - 1) * reach.step + reach.high
    return max(0, ceil(size - 1 - last))


def borders(case: CheckedNetwork, placed: Placed) -> tuple[int, int]:
    """Rows and columns at the end of an op's input that `pad2d` added."""
    maker = case.makers.get(placed.reads[0])
    if maker is None or not isinstance(maker.op, Pad2d):
        return 0, 0
    _, right, _, bottom = maker.op.sides()
    return bottom, right


def rows_warning(each: Placed, real: list[int]) -> NetworkWarning:
    """Warning at an op."""
    sizes = zip(real, each.inputs[0][1:], SIDES, strict=True)
    parts = [f"the last {f'{rows} ' if rows > 1 else ''}of {size} {side}s" for rows, size, side in sizes if rows]
    stride = each.op.facts(each.input)["stride"]
    label = f"no window of `{each.op.name}` with stride {stride} reads {' and '.join(parts)}"
    size = "use another padding, or an input size that the strides divide"
    help = f"`ceil_mode = true` keeps them; so does {size}" if "ceil_mode" in each.op.fields else f"{size}, keeps them"
    return NetworkWarning(catalog.ROWS_LEFT_OUT, each.section, place_of(each), label, help, each.path)


# ---- numbers with another meaning elsewhere --------------------------------------------------------------------------

# Smallest usual momentum, and share of values to keep, in other libraries.
HIGH = 0.9
NEVER_NEGATIVE = frozenset({"relu", "relu6", "sigmoid", "hardsigmoid", "softmax", "softmax_list", "softplus"})
KEEP_SIGNS = frozenset({"maxpool", "avgpool", "lppool", "concat", "add", "split", "slice", "dropout", "drop_path"})


class Words(NamedTuple):
    """Label and help of a warning on a number."""

    label: str
    help: str


def momentum(op: BatchNorm | InstanceNorm) -> Words | None:
    """Share of a new batch in the running statistics; in Keras and TensorFlow it is that of the old ones."""
    if not op.track or op.momentum is None or 0 < op.momentum < HIGH:
        return None
    if op.momentum == 0:
        return Words(
            f"with `momentum = 0`, the running statistics of `{op.name}` stay what they start from",
            "`momentum` is the share of the new batch; PyTorch's is 0.1",
        )
    help = f"what Keras calls {op.momentum:g} is `momentum = {1 - op.momentum:g}`" if op.momentum < 1 else ""
    return Words(
        f"with `momentum = {op.momentum:g}`, the last batch makes up {100 * op.momentum:g} % of the running statistics "
        f"of `{op.name}`",
        help or "`momentum` is the share of the new batch; PyTorch's is 0.1",
    )


def dropout_share(op: Dropout | DropPath) -> Words | None:
    """Share that is dropped; in older libraries it is the share that is kept."""
    if op.p < HIGH:
        return None
    kept = f"`p` is the share that is dropped; to keep {100 * op.p:g} %, write `{op.name}({1 - op.p:g})`"
    return Words(
        f"in training, `{op.name}` zeroes {'everything' if op.p == 1 else f'{100 * op.p:g} % of what it reads'}",
        kept if op.p < 1 else "`p` is the share that is dropped; to keep everything, leave it out",
    )


def zero_factor(op: Scale | Affine) -> Words | None:
    """Factors of zero."""
    if any([op.factor] if isinstance(op, Scale) else op.weight):
        return None
    return Words(f"`{op.name}` multiplies all it reads by 0", "leave the branch out; a learned factor may start from 0")


RULES: tuple[tuple[DiagnosticKind, str, dict[type, Callable[..., Words | None]]], ...] = (
    (catalog.MOMENTUM, "momentum", {BatchNorm: momentum, InstanceNorm: momentum}),
    (catalog.DROPS_ALL, "p", {Dropout: dropout_share, DropPath: dropout_share}),
    (catalog.CONSTANT, "", {Scale: zero_factor, Affine: zero_factor}),
)


def odd_numbers(case: CheckedNetwork) -> Iterator[NetworkWarning]:
    """Ops with such numbers, reported at the setting with the number, if there is one."""
    for rule, param, kinds in RULES:
        said = {scope: words for scope in case.ops if (test := kinds.get(type(scope.op))) and (words := test(scope.op))}
        for each in case.placed if said else ():
            if each.scope in said:
                yield NetworkWarning(
                    rule, each.section, parameter_span(case, each, param), *said[each.scope], each.path
                )


def parameter_span(case: CheckedNetwork, placed: Placed, param: str) -> Span | None:
    """Location of a parameter of an op: in the section's own text, else in a setting of the network."""
    near, owner = place_of(placed), placed.op.name
    # A call of the op in the section's text is where its arguments are.
    if near is None or re.search(rf"\b{owner}\s*\(", near.text):
        return near
    value = getattr(placed.op, param, None)
    given = [node for line in case.family.settings for node in values_in_setting(line.content, owner, param)]
    fitting = [node.span for node in given if not isinstance(node, ast.Number) or float(node.value) == value]
    return fitting[-1] if fitting else near


def values_in_setting(setting: object, owner: str, param: str) -> Iterator[ast.Expression]:
    """Values of a parameter in a setting: `bn.momentum = 0.1`, or inside a block, `norm = bn(momentum = 0.1)`."""
    if not isinstance(setting, Setting):
        return
    if setting.target == (owner, param):
        yield setting.value
    stack: list[ast.Expression] = [setting.value]
    while stack:
        part = stack.pop()
        if isinstance(part, ast.Call) and isinstance(part.callee, ast.Name) and part.callee.id == owner:
            yield from (argument.value for argument in part.arguments if argument.target == (param,))
        stack += ast.parts(part)


def odd_powers(case: CheckedNetwork) -> Iterator[NetworkWarning]:
    """Pools by a power without a root for negative values, which may reach them."""
    if not any(isinstance(scope.op, LpPool) and power_of(scope.op) for scope in case.ops):
        return
    for each in case.placed:
        if isinstance(each.op, LpPool) and power_of(each.op) and may_be_negative(case, each.reads[0]):
            label = f"`lppool` with `norm_type = {each.op.norm_type:g}` gives NaN for negative values"
            help = "put an activation without them before it (`relu`), or take an even `norm_type`"
            yield NetworkWarning(catalog.POWERS, each.section, place_of(each), label, help, each.path)


def power_of(op: LpPool) -> bool:
    """Tell a pool whose power needs values that are not negative."""
    return op.norm_type != 1 and op.norm_type % 2 != 0


def may_be_negative(case: CheckedNetwork, tensor: int) -> bool:
    """Tell whether a tensor may hold negative values, as far as the ops before it show."""
    stack, seen = [tensor], set[int]()
    while stack:
        tensor = stack.pop()
        maker = case.makers.get(tensor)
        if maker is None or not (maker.op.view or maker.op.name in KEEP_SIGNS | NEVER_NEGATIVE):
            return True
        if maker.op.name not in NEVER_NEGATIVE:
            stack += [each for each in maker.reads if each not in seen]
        seen.add(tensor)
    return False


def constants(case: CheckedNetwork) -> Iterator[NetworkWarning]:
    """Softmax over one value, which is 1."""
    single = {scope for scope in case.ops if is_single(scope)}
    for each in case.placed if single else ():
        if each.scope in single:
            what = "channel" if isinstance(each.op, Softmax) else "tensor"
            label = f"`{each.op.name}` over one {what} gives 1, whatever it reads"
            help = "`sigmoid` weighs each value by itself"
            yield NetworkWarning(catalog.CONSTANT, each.section, place_of(each), label, help, each.path)


def is_single(scope: Scope) -> bool:
    """Tell a softmax over one value."""
    shapes = scope.inputs[0]
    return (isinstance(scope.op, Softmax) and shapes[0] == 1) or (
        isinstance(scope.op, SoftmaxList) and len(shapes) == 1
    )
