"""Names that stand for nothing: what other languages and libraries call a thing, and what it is called here."""

from __future__ import annotations

from collections.abc import Iterable

from archdsl.errors import did_you_mean

MEANT = {
    "yes": "true",
    "on": "true",
    "no": "false",
    "off": "false",
    "null": "none",
    "batchnorm": "bn",
    "batch_norm": "bn",
    "batchnorm2d": "bn",
    "swish": "silu",
    "cat": "concat",
    "fc": "linear",
    "gap": "global_avgpool",
    "resize": "upsample",
    "interpolate": "upsample",
    "stochastic_depth": "drop_path",
    "se_block": "se",
    "seblock": "se",
    "conv_bn_relu": "cna",
    "convbnrelu": "cna",
    "depthwise": "dwsep",
    "shuffle": "channel_shuffle",
    "skip": "identity",
    "gn": "group_norm",
    "ln": "layer_norm",
    "dwconv": "dwsep",
    "depthwise_conv": "dwsep",
    "integer": "int",
    "boolean": "bool",
    "double": "float",
    "module": "block",
    "layer": "block",
    "tuple": "size",
    "kernel_size": "kernel",
    "strides": "stride",
    "out_channels": "out",
    "out_features": "out",
    "filters": "out",
    "use_bias": "bias",
    "negative_slope": "slope",
}


def suggestion(name: str, valid: Iterable[str]) -> str:
    """What stands here for a word of another language; else the nearest of the valid names."""
    known = list(valid)
    meant = MEANT.get(name.lower(), "")
    return f"did you mean `{meant}`?" if meant in known else did_you_mean(name, known)


def nothing_called(word: str) -> str:
    """What is said of a name that stands for nothing."""
    return f"nothing here is called `{word}`"
