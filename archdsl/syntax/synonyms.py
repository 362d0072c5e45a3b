"""Words of PyTorch, Keras, YOLO's YAML and of papers, and what says the same here."""

from __future__ import annotations

from collections.abc import Iterable

from archdsl.diagnostics import did_you_mean

EQUIVALENTS = {
    # YAML 1.1's bools.
    "yes": "true",
    "on": "true",
    "no": "false",
    "off": "false",
    "null": "none",
    # Layers and blocks.
    "batchnorm": "bn",
    "batch_norm": "bn",
    "batchnorm2d": "bn",
    "batchnormalization": "bn",
    "swish": "silu",
    "cat": "concat",
    "concatenate": "concat",
    "fc": "linear",
    "dense": "linear",
    "gap": "global_avgpool",
    "adaptiveavgpool2d": "global_avgpool",
    "globalaveragepooling2d": "global_avgpool",
    "view": "flatten",
    "averagepooling2d": "avgpool",
    "maxpooling2d": "maxpool",
    "resize": "upsample",
    "interpolate": "upsample",
    "upsampling2d": "upsample",
    "stochastic_depth": "drop_path",
    "droppath": "drop_path",
    "se_block": "se",
    "seblock": "se",
    "conv_bn_relu": "cna",
    "convbnrelu": "cna",
    "convbnact": "cna",
    "depthwise": "dwsep",
    "depthwiseconv2d": "dwsep",
    "separableconv2d": "dwsep",
    "shuffle": "channel_shuffle",
    "skip": "identity",
    "gn": "group_norm",
    "ln": "layer_norm",
    "dwconv": "dwsep",
    "depthwise_conv": "dwsep",
    # Types.
    "integer": "int",
    "boolean": "bool",
    "double": "float",
    "module": "block",
    "layer": "block",
    "tuple": "size",
    # Parameters.
    "kernel_size": "kernel",
    "pool_size": "kernel",
    "strides": "stride",
    "dilation_rate": "dilation",
    "out_channels": "out",
    "out_features": "out",
    "filters": "out",
    "units": "out",
    "use_bias": "bias",
    "negative_slope": "slope",
}
"""Names of other libraries, in lower case, and the names here."""

PARAMETER = "declare a parameter of the backbone, `net({name} = 1000)`, in YAML `params: {{{name}: 1000}}`"
ARRIVING = "inside a block, the channels that come in are `x.channels`; where a parameter asks for them, leave it out"

HABITS = {
    "sequential": "one block after another is `a -> b`: `conv(64, 3) -> norm -> act`",
    "modulelist": "several of a block are `3 * block(...)`",
    "conv_block": "the usual convolution, norm and activation are `cna(64, 3)`",
    **dict.fromkeys(("in_channels", "out_channels", "in_features"), ARRIVING),
    **dict.fromkeys(("num_classes", "nc", "n_classes"), PARAMETER),
}
"""Names of other libraries, in lower case, that are no name here but another way to say it."""


def suggestion(name: str, valid: Iterable[str]) -> str:
    """Suggest what says here what a word says elsewhere, or else the nearest valid name."""
    known = list(valid)
    word = name.lower()
    if (meant := EQUIVALENTS.get(word)) in known:
        return f"did you mean `{meant}`?"
    return HABITS[word].format(name=name) if word in HABITS else did_you_mean(name, known)
