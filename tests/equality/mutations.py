"""Our specs and blocks with one thing wrong: that the comparison finds each is what makes it worth something.

A mutation is a replacement in a file of `grammar/blocks` or `specs`; module names and shapes stay, so that the same
weights go in.
"""

from __future__ import annotations

from typing import NamedTuple


class Mutation(NamedTuple):
    """What is done to which network's text: in a file, each text of `old` becomes the one of `new`."""

    spec: str
    what: str
    file: str
    changes: tuple[tuple[str, str], ...]


def block(spec: str, what: str, name: str, *changes: tuple[str, str]) -> Mutation:
    """A mutation of a block of the library."""
    return Mutation(spec, what, f"grammar/blocks/{name}.arch", changes)


def text(spec: str, what: str, *changes: tuple[str, str], file: str = "") -> Mutation:
    """A mutation of the spec, or of the one that it extends."""
    return Mutation(spec, what, f"specs/{file or spec}.yaml", changes)


def setting(spec: str, what: str, line: str, file: str = "") -> Mutation:
    """A mutation by a setting of the whole network, before all others."""
    return text(spec, what, ("set:\n", f"set:\n  {line}\n"), file=file)


def bottlenecks(spec: str, file: str) -> list[Mutation]:
    """What can go wrong in ResNets and ResNeXts."""
    after = "(body + shortcut) -> act"
    left_out = "(body + (scale(0.0) if stride == 1 and x.channels == out else shortcut)) -> act"
    pool = "maxpool(3, 2)"
    return [
        block(spec, "stride on the first convolution", "bottleneck", ("stride_at = 2", "stride_at = 1")),
        block(spec, "residual left out", "bottleneck", (after, left_out)),
        block(spec, "no activation after the sum", "bottleneck", (after, "body + shortcut")),
        block(spec, "activation before the sum", "bottleneck", (after, "(body -> act) + shortcut")),
        text(spec, "epsilon", ("set: {", "set: {bn.eps: 0.0001, "), file=file),
        text(spec, "momentum", ("set: {", "set: {bn.momentum: 0.01, "), file=file),
        text(spec, "slope", ("set: {", "set: {act: leaky_relu(0.01), "), file=file),
        text(spec, "pool's padding", (pool, "maxpool(3, 2, padding = valid, ceil_mode = true)"), file=file),
        text(spec, "another pool", (pool, "avgpool(3, 2)"), file=file),
    ]


def preactivations(spec: str) -> list[Mutation]:
    """What can go wrong in pre-activation ResNets."""
    return [
        block(spec, "stride on the first convolution", "preact", ("stride_at = 2", "stride_at = 1")),
        block(spec, "projection of the raw input", "preact", ("pre -> conv(out", "x -> conv(out")),
        block(spec, "activated identity", "preact", ("x if keeps", "pre if keeps")),
        block(spec, "residual left out", "preact", ("(x if keeps", "((x -> scale(0.0)) if keeps")),
        block(spec, "activation before the norm", "nac", ("norm -> act", "act -> norm")),
        text(spec, "epsilon", ("set: {", "set: {bn.eps: 0.0001, ")),
        text(spec, "slope", ("set: {", "set: {act: leaky_relu(0.01), ")),
        text(spec, "pool's padding", ("maxpool(3, 2)", "maxpool(3, 2, padding = valid, ceil_mode = true)")),
        text(spec, "no last activation", ("norm -> act -> global", "norm -> global")),
    ]


HALVES_OF_A = (
    ("block inception_a(pool) =", "block inception_a(pool):"),
    ("    concat(\n", "    ys = x -> fork(\n"),
    ("as branch_pool)", "as branch_pool)\n    return concat(ys[1], ys[0], ys[2], ys[3])"),
)
BORDER = ("avgpool(3, 1)", "avgpool(3, 1, count_include_pad = false)")
BOTH = (
    "concat(cna(out, [1, 3]) as branch1x3, cna(out, [3, 1]) as branch3x1)",
    "fork(cna(out, [1, 3]) as branch1x3, cna(out, [3, 1]) as branch3x1) -> swap -> concat",
)
AFTER_SUM = (
    ("cna(out) -> attention", "cna(out)"),
    ("return x + y if residual else y", "return (x + y if residual else y) -> attention"),
)
POOL_BEFORE = (
    "nac(floor(x.channels * compression)) -> avgpool(2)",
    "avgpool(2) -> nac(floor(x.channels * compression))",
)

MUTATIONS = [
    # VGG
    text("vgg11_bn", "epsilon", ("norm: bn", "norm: bn(eps = 0.001)")),
    setting("vgg11_bn", "slope", "act: leaky_relu(0.01)", file="vgg16"),
    text("vgg11_bn", "another pool", ("c3 / 2: maxpool(2)", "c3 / 2: avgpool(2)"), file="vgg11"),
    text("vgg11_bn", "pool behind", ("maxpool(2) -> plain(128)", "plain(128) -> maxpool(2)"), file="vgg11"),
    text("vgg11_bn", "activation left out", ("linear(4096) -> relu", "linear(4096)"), file="vgg16"),
    block("vgg11_bn", "activation before the norm", "cna", ("-> norm -> act", "-> act -> norm")),
    # ResNet, ResNeXt: the same block, so that five will do for the second
    *bottlenecks("resnet50", "resnet50"),
    *bottlenecks("resnext50", "resnext50")[::2],
    # Pre-activation
    *preactivations("resnetv2_50"),
    *preactivations("preresnet50b")[::2],
    # Inception v3
    block("inception_v3", "order of a concat", "inception_a", *HALVES_OF_A),
    block("inception_v3", "order of the inner concat", "inception_e", BOTH),
    block("inception_v3", "border in the average", "inception_c", BORDER),
    block("inception_v3", "another pool", "inception_e", ("avgpool(3, 1)", "maxpool(3, 1, padding = same)")),
    block("inception_v3", "another pool to reduce", "inception_d", ("maxpool(", "avgpool(")),
    text("inception_v3", "epsilon", ("bn(eps = 0.001)", "bn")),
    text("inception_v3", "pool's padding", ("c2 / 2: maxpool(3, 2, padding = valid)", "c2 / 2: maxpool(3, 2)")),
    text("inception_v3", "transformed input", ("transform_input: false", "transform_input: true")),
    # GoogLeNet
    text("googlenet", "ceil_mode", ("maxpool.ceil_mode: true", "maxpool.ceil_mode: false")),
    text("googlenet", "epsilon", ("bn(eps = 0.001)", "bn")),
    text("googlenet", "pool's window", ("maxpool(2, 2)", "maxpool(3, 2)")),
    text("googlenet", "slope", ("norm: bn", "act: leaky_relu(0.01)\n  norm: bn")),
    block("googlenet", "another pool", "inception", ("maxpool(3, 1, padding = same)", "avgpool(3, 1)")),
    # Darknet
    text("darknet53", "slope", ("leaky_relu(0.1)", "leaky_relu(0.01)")),
    setting("darknet53", "epsilon", "bn.eps: 0.0001"),
    setting("darknet53", "momentum", "bn.momentum: 0.01"),
    block("darknet53", "residual left out", "dark", ("identity + body", "body")),
    block("darknet53", "activation after the sum", "dark", ("identity + body", "(identity + body) -> act")),
    block("darknet53", "activation left out", "dark", ("norm(gamma = gamma) -> act", "norm(gamma = gamma)")),
    text("darknet53", "another pool", ("global_avgpool", "global_maxpool")),
    # DenseNet
    block("densenet121", "order of a concat", "dense", ("concat(identity, layer)", "concat(layer, identity)")),
    block("densenet121", "another pool", "transition", ("avgpool(2)", "maxpool(2)")),
    block("densenet121", "pool before", "transition", POOL_BEFORE),
    block("densenet121", "activation before the norm", "nac", ("norm -> act", "act -> norm")),
    setting("densenet121", "epsilon", "bn.eps: 0.0001"),
    setting("densenet121", "momentum", "bn.momentum: 0.01"),
    text("densenet121", "no last activation", ("head: act ->", "head:")),
    # CSPNet, timm's
    *(
        mutation
        for spec in ("cspresnet50", "cspdarknet53")
        for mutation in (
            block(spec, "order of a concat", "csp", ("cross_first = true", "cross_first = false")),
            block(spec, "halves swapped", "csp", ("cross, main = x", "main, cross = x")),
            block(spec, "linear tail", "csp", ("tail: block = cna", "tail: block = cn")),
            text(spec, "slope", ("leaky_relu(0.01)", "leaky_relu(0.1)")),
            setting(spec, "epsilon", "bn.eps: 0.0001"),
        )
    ),
    text("cspresnet50", "activation in the entry", ("halves.layer: cn", "halves.layer: cna")),
    text("cspresnet50", "pool's window", ("maxpool(3, 2)", "maxpool(2)")),
    block("cspdarknet53", "residual left out", "dark", ("identity + body", "body")),
    # CSPNet, the authors'
    block("csresnet50", "order of a concat", "csp", ("concat(y, cross)", "concat(cross, y)")),
    text("csresnet50", "partial shortcut left out", ("= pad_channels(128)", "= pad_channels(128) -> scale(0.0)")),
    text("csresnet50", "activation in the entry", ("paths(256, layer = cn)", "paths(256)")),
    text("csresnet50", "linear entry", ("paths(128, 64)", "paths(128, 64, layer = cn)")),
    text("csresnet50", "pool's window", ("maxpool(2)", "maxpool(3, 2)")),
    text("csresnet50", "slope", ("leaky_relu(0.1)", "leaky_relu(0.01)")),
    # VoVNet
    text("vovnet39", "residual left out", ("768, residual = not first", "768")),
    text("vovnet39", "ceil_mode", ("maxpool.ceil_mode: true", "maxpool.ceil_mode: false")),
    setting("vovnet39", "epsilon", "bn.eps: 0.0001"),
    setting("vovnet39", "slope", "act: leaky_relu(0.01)"),
    block("vovnet39", "order of a concat", "osa", ("concat(x, ...ys)", "concat(...ys, x)")),
    # VoVNetV2
    block("ese_vovnet39b", "attention after the sum", "osa", *AFTER_SUM),
    block("ese_vovnet39b", "soft sigmoid", "ese", ("-> hardsigmoid", "-> sigmoid")),
    setting("ese_vovnet39b", "epsilon", "bn.eps: 0.0001", file="vovnet39"),
    text("ese_vovnet39b", "residual left out", ("residual = not first", "residual = false")),
    text("ese_vovnet39b", "ceil_mode", ("maxpool.ceil_mode: true", "maxpool.ceil_mode: false"), file="vovnet39"),
    block("ese_vovnet39b", "order of a concat", "osa", ("concat(x, ...ys)", "concat(...ys, x)")),
]

MISPLACED = [
    text("ese_vovnet39b", "attention in the wrong blocks", ("ese if last", "ese if first")),
    text("vovnetv2_39", "attention left out", ("{osa.attention: ese}", "{}")),
]
"""Mutations that the weights do not even fit."""
