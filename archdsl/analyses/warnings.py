"""Warnings on specs that are legal but surely not meant, from the text of a file, and from a network's graph.

They apply to files without errors only. `# archdsl: allow W201` silences one.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property, lru_cache
from math import ceil, prod
from typing import TYPE_CHECKING, NamedTuple

from archdsl.analyses.rule import ExaminedNetwork, Finding, at, place_of
from archdsl.diagnostics import Diagnostic, DiagnosticKind, Note, Span, catalog
from archdsl.elaborate.blame import encloses
from archdsl.graph import Graph, Scope, Section
from archdsl.op import Op, Reach, Shapes
from archdsl.ops import vocabulary
from archdsl.ops.activation import Softmax
from archdsl.ops.join import SoftmaxList
from archdsl.ops.norm import BatchNorm, InstanceNorm
from archdsl.ops.pool import LpPool
from archdsl.ops.regularize import Dropout, DropPath
from archdsl.ops.resize import Pad2d
from archdsl.ops.scale import Affine, Scale
from archdsl.syntax import ast
from archdsl.syntax.ast import Setting
from archdsl.syntax.document import Backbone
from archdsl.syntax.inheritance import ResolvedNetwork, resolve
from archdsl.syntax.scopes import FileScope

if TYPE_CHECKING:
    from archdsl.analyses.flatten import Placed


class CheckedNetwork(ExaminedNetwork):
    """Network under warnings, with its text."""

    def __init__(self, graph: Graph, file: FileScope, backbone: Backbone) -> None:
        super().__init__(graph)
        self.file = file
        self.backbone = backbone

    @cached_property
    def family(self) -> ResolvedNetwork:
        """Network with the lines of its parents."""
        return resolve(self.file, self.backbone)


# ---- from the graph --------------------------------------------------------------------------------------------------

# Norms that subtract the mean of each channel, and any bias with it.
CENTERING = frozenset({"bn", "instance_norm"})


def idle_biases(case: CheckedNetwork) -> Iterator[Finding]:
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
        yield at(catalog.IDLE_BIAS, maker, label, help)


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


def narrow_gates(case: CheckedNetwork) -> Iterator[Finding]:
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


def gate_warning(layer: Placed) -> Finding:
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
    return at(catalog.NARROW_GATE, layer, label, help)


def idle_sections(case: CheckedNetwork) -> Iterator[Finding]:
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
        label = f"`{section.name}` gives back its input unchanged"
        yield Finding(catalog.NO_CHANGE, section, label, leave, section.span)


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


def rows_left_out(case: CheckedNetwork) -> Iterator[Finding]:
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


def rows_warning(each: Placed, real: list[int]) -> Finding:
    """Warning at an op."""
    sizes = zip(real, each.inputs[0][1:], SIDES, strict=True)
    parts = [f"the last {f'{rows} ' if rows > 1 else ''}of {size} {side}s" for rows, size, side in sizes if rows]
    stride = each.op.facts(each.input)["stride"]
    label = f"no window of `{each.op.name}` with stride {stride} reads {' and '.join(parts)}"
    size = "use another padding, or an input size that the strides divide"
    help = f"`ceil_mode = true` keeps them; so does {size}" if "ceil_mode" in each.op.fields else f"{size}, keeps them"
    return at(catalog.ROWS_LEFT_OUT, each, label, help)


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


def odd_numbers(case: CheckedNetwork) -> Iterator[Finding]:
    """Ops with such numbers, reported at the setting with the number, if there is one."""
    for rule, param, kinds in RULES:
        said = {scope: words for scope in case.ops if (test := kinds.get(type(scope.op))) and (words := test(scope.op))}
        for each in case.placed if said else ():
            if each.scope in said:
                yield at(rule, each, *said[each.scope], parameter_span(case, each, param))


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


def odd_powers(case: CheckedNetwork) -> Iterator[Finding]:
    """Pools by a power without a root for negative values, which may reach them."""
    if not any(isinstance(scope.op, LpPool) and power_of(scope.op) for scope in case.ops):
        return
    for each in case.placed:
        if isinstance(each.op, LpPool) and power_of(each.op) and may_be_negative(case, each.reads[0]):
            label = f"`lppool` with `norm_type = {each.op.norm_type:g}` gives NaN for negative values"
            help = "put an activation without them before it (`relu`), or take an even `norm_type`"
            yield at(catalog.POWERS, each, label, help)


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


def constants(case: CheckedNetwork) -> Iterator[Finding]:
    """Softmax over one value, which is 1."""
    single = {scope for scope in case.ops if is_single(scope)}
    for each in case.placed if single else ():
        if each.scope in single:
            what = "channel" if isinstance(each.op, Softmax) else "tensor"
            label = f"`{each.op.name}` over one {what} gives 1, whatever it reads"
            help = "`sigmoid` weighs each value by itself"
            yield at(catalog.CONSTANT, each, label, help)


def is_single(scope: Scope) -> bool:
    """Tell a softmax over one value."""
    shapes = scope.inputs[0]
    return (isinstance(scope.op, Softmax) and shapes[0] == 1) or (
        isinstance(scope.op, SoftmaxList) and len(shapes) == 1
    )


# ---- from the text --------------------------------------------------------------------------------------------------

Owner = ast.Block | ast.Function
# Channels of images, and the most that other inputs are likely to have.
FEW_CHANNELS = (1, 3)
MOST_CHANNELS = 16


def definitions(file: FileScope) -> dict[str, Owner]:
    """Blocks and functions of a file, by name."""
    return {node.name: node for node in (*file.document.blocks, *file.document.functions)}


def unused_definitions(file: FileScope) -> Iterator[Diagnostic]:
    """Blocks and functions that no network of the file uses. A file without a network is a library."""
    if not file.backbones:
        return
    known = definitions(file)
    reached: set[str] = set()
    # Definitions may use each other in circles, which is reported elsewhere, so this marks them.
    waiting = [name for each in file.backbones.values() for name in ast.names_in(roots_of_backbone(each))]
    while waiting:
        name = waiting.pop()
        if name in known and name not in reached:
            reached.add(name)
            waiting += ast.names_in((*known[name].body, *defaults(known[name].parameters)))
    for name, node in known.items():
        if name not in reached:
            label = f"no backbone of this file uses `{name}`"
            help = "remove it, or move blocks for other files to a file of their own"
            yield catalog.UNUSED_DEFINITION.at(node.span, label, help=help)


def unread_parameters(file: FileScope) -> Iterator[Diagnostic]:
    """Unread parameters of blocks, functions and networks."""
    for node in definitions(file).values():
        yield from unread(node.name, node.parameters, node.body, node.parameters)
    for each in file.backbones.values():
        if each.parameters:
            family = resolve(file, each)
            lines = (*family.settings, *family.sections, *family.outputs)
            declared = [one.parameter for one in family.parameters]
            yield from unread(each.name, each.parameters, [line.content.value for line in lines], declared)


def unread(
    owner: str,
    parameters: Iterable[ast.Parameter],
    body: Iterable[ast.Expression | ast.Statement],
    declared: Iterable[ast.Parameter],
) -> Iterator[Diagnostic]:
    """Parameters that neither a body nor the default of another parameter reads."""
    read = set(ast.names_in(body))
    defaults = {each.name: ast.names_in([each.default] if each.default else []) for each in declared}
    used = Counter(name for names in defaults.values() for name in names)
    for each in parameters:
        if each.name not in read and used[each.name] == (each.name in defaults[each.name]):
            label = f"nothing in `{owner}` reads `{each.name}`"
            yield catalog.UNREAD_PARAMETER.at(each.span, label, help="read it, or remove it")


def hiding_names(file: FileScope) -> Iterator[Diagnostic]:
    """Definitions with the name of an imported one, of a library block or of an op; not the library's own."""
    for name, node in definitions(file).items():
        imported = next((found for other in file.imports if (found := other.defined(name))), None)
        if imported:
            label = f"in this file, `{name}` is no longer the imported one"
            help = "choose another name; the imported file does not see this one"
            notes = (Note(imported.node.span, "the imported one"),)
            yield catalog.HIDING.at(node.span, label, help=help, notes=notes)
            continue
        block = file.library.block(name)
        kind = "the library's block" if block and block.node != node else "the op" if name in vocabulary() else ""
        if kind:
            label = f"in this file, `{name}` is no longer {kind}"
            help = "choose another name; blocks of the library do not see this one"
            yield catalog.HIDING.at(node.span, label, help=help)


def channels_last(file: FileScope) -> Iterator[Diagnostic]:
    """Inputs with the channels last, as other libraries write them."""
    for each in file.backbones.values():
        if each.input is None or len(each.input) != 3:
            continue
        height, width, channels = each.input
        if channels in FEW_CHANNELS and height > MOST_CHANNELS:
            label = f"this is {height} channels of {width}x{channels}; an input is channels x height x width"
            help = f"write `{channels}x{height}x{width}`"
            yield catalog.CHANNELS_LAST.at(each.input_span, label, help=help)


def roots_of_backbone(backbone: Backbone) -> list[ast.Expression]:
    """All expressions of a network."""
    lines = (*backbone.settings, *backbone.sections, *backbone.outputs)
    arguments = backbone.extends.arguments if backbone.extends else ()
    return [*(each.value for each in (*lines, *arguments)), *defaults(backbone.parameters)]


def defaults(parameters: Iterable[ast.Parameter]) -> list[ast.Expression]:
    """Defaults of parameters."""
    return [each.default for each in parameters if each.default is not None]


# ---- the rules ------------------------------------------------------------------------------------------------------

TEXTS: tuple[Callable[[FileScope], Iterator[Diagnostic]], ...] = (
    unused_definitions,
    unread_parameters,
    hiding_names,
    channels_last,
)
NETWORKS: tuple[Callable[[CheckedNetwork], Iterator[Finding]], ...] = (
    rows_left_out,
    idle_sections,
    idle_biases,
    odd_numbers,
    odd_powers,
    constants,
    narrow_gates,
)


def of_file(file: FileScope) -> list[Diagnostic]:
    """Warnings from the text of a file; imported files are judged on their own."""
    return [finding for rule in TEXTS for finding in rule(file)]


def of_network(graph: Graph, file: FileScope, backbone: Backbone) -> list[Finding]:
    """Warnings from a network's graph, the lines of its parents included."""
    # Shared by all rules, so that no analysis runs twice.
    case = CheckedNetwork(graph, file, backbone)
    return [told for rule in NETWORKS for told in rule(case)]


def own(found: list[Finding], inherited: list[Finding], backbone: Backbone) -> list[Diagnostic]:
    """Warnings of a network itself, one for each location.

    A warning in its own lines or settings is reported there. One in a parent's line is reported at the network's
    name, unless the parent has it (`inherited`) without this network.
    """
    lines = {line.name for line in (*backbone.sections, *backbone.outputs)}
    known = {told.key for told in inherited}
    places: dict[tuple[str, Span | None], list[Finding]] = {}
    for told in found:
        mine = told.section.name in lines or any(encloses(each.span, told.span) for each in backbone.settings)
        if mine or told.key not in known:
            places.setdefault((told.kind.code, told.span if mine else backbone.span), []).append(told)
    return [several[0].diagnostic(span, len(several)) for (_, span), several in places.items()]


def inherits(found: list[Finding], backbone: Backbone) -> bool:
    """Tell whether some findings are in a parent's lines."""
    lines = {line.name for line in (*backbone.sections, *backbone.outputs)}
    return backbone.extends is not None and any(told.section.name not in lines for told in found)
