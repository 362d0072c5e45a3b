"""Numbers that are legal and mean something else elsewhere: momenta, shares, powers, factors of zero."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from archdsl.analyses.warnings.rule import CheckedNetwork, NetworkWarning, place_of
from archdsl.diagnostics import DiagnosticKind, Span, catalog
from archdsl.graph import Scope
from archdsl.ops.activation import Softmax
from archdsl.ops.join import SoftmaxList
from archdsl.ops.norm import BatchNorm, InstanceNorm
from archdsl.ops.pool import LpPool
from archdsl.ops.regularize import Dropout, DropPath
from archdsl.ops.scale import Affine, Scale
from archdsl.syntax import ast
from archdsl.syntax.elements import Setting

if TYPE_CHECKING:
    from archdsl.analyses.flatten import Placed

HIGH = 0.9
"""The least that other libraries' momenta, and shares of what is kept, usually are."""
NEVER_NEGATIVE = frozenset({"relu", "relu6", "sigmoid", "hardsigmoid", "softmax", "softmax_list", "softplus"})
KEEP_SIGNS = frozenset({"maxpool", "avgpool", "lppool", "concat", "add", "split", "slice", "dropout", "drop_path"})


class Words(NamedTuple):
    """What is said of a number: the finding, and the way out."""

    label: str
    help: str


def momentum(op: BatchNorm | InstanceNorm) -> Words | None:
    """The share of a new batch in the running statistics; in Keras and TensorFlow it is that of the old ones."""
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


def dropped(op: Dropout | DropPath) -> Words | None:
    """The share that is dropped; in older libraries it is that which is kept."""
    if op.p < HIGH:
        return None
    kept = f"`p` is the share that is dropped; to keep {100 * op.p:g} %, write `{op.name}({1 - op.p:g})`"
    return Words(
        f"in training, `{op.name}` zeroes {'everything' if op.p == 1 else f'{100 * op.p:g} % of what it reads'}",
        kept if op.p < 1 else "`p` is the share that is dropped; to keep everything, leave it out",
    )


def nothing(op: Scale | Affine) -> Words | None:
    """Factors of zero."""
    if any([op.factor] if isinstance(op, Scale) else op.weight):
        return None
    return Words(f"`{op.name}` multiplies all it reads by 0", "leave the branch out; a learned factor may start from 0")


RULES: tuple[tuple[DiagnosticKind, str, dict[type, Callable[..., Words | None]]], ...] = (
    (catalog.MOMENTUM, "momentum", {BatchNorm: momentum, InstanceNorm: momentum}),
    (catalog.DROPS_ALL, "p", {Dropout: dropped, DropPath: dropped}),
    (catalog.CONSTANT, "", {Scale: nothing, Affine: nothing}),
)


def odd_numbers(case: CheckedNetwork) -> Iterator[NetworkWarning]:
    """Ops with such numbers, told at the setting that gives them, where one does."""
    for rule, param, kinds in RULES:
        said = {scope: words for scope in case.ops if (test := kinds.get(type(scope.op))) and (words := test(scope.op))}
        for each in case.placed if said else ():
            if each.scope in said:
                yield NetworkWarning(rule, each.section, said_at(case, each, param), *said[each.scope], each.path)


def said_at(case: CheckedNetwork, placed: Placed, param: str) -> Span | None:
    """Where a parameter of an op is given: in the section's own text, else by a setting of the backbone."""
    near, owner = place_of(placed), placed.op.name
    if near is None or re.search(rf"\b{owner}\s*\(", near.text):
        return near
    value = getattr(placed.op, param, None)
    given = [node for line in case.family.settings for node in given_by(line.content, owner, param)]
    fitting = [node.span for node in given if not isinstance(node, ast.Number) or float(node.value) == value]
    return fitting[-1] if fitting else near


def given_by(setting: object, owner: str, param: str) -> Iterator[ast.Expression]:
    """What a setting says of a parameter: as `bn.momentum = 0.1`, or in a block, as `norm = bn(momentum = 0.1)`."""
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
    """Pools by a power whose root negative values do not have, where such values may reach them."""
    if not any(isinstance(scope.op, LpPool) and power_of(scope.op) for scope in case.ops):
        return
    for each in case.placed:
        if isinstance(each.op, LpPool) and power_of(each.op) and may_be_negative(case, each.reads[0]):
            label = f"`lppool` with `norm_type = {each.op.norm_type:g}` gives NaN for negative values"
            help = "put an activation without them before it (`relu`), or take an even `norm_type`"
            yield NetworkWarning(catalog.POWERS, each.section, place_of(each), label, help, each.path)


def power_of(op: LpPool) -> bool:
    """Whether a pool's power needs values that are not negative."""
    return op.norm_type != 1 and op.norm_type % 2 != 0


def may_be_negative(case: CheckedNetwork, tensor: int) -> bool:
    """Whether a tensor may hold negative values, as far as the ops before it tell."""
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
    """Whether an op is a softmax over one value."""
    shapes = scope.inputs[0]
    return (isinstance(scope.op, Softmax) and shapes[0] == 1) or (
        isinstance(scope.op, SoftmaxList) and len(shapes) == 1
    )
