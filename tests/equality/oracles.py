"""The networks that ours are held against: those of torchvision, timm and pytorchcv, and ones derived from them."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, cast

import torch
from torch import nn

from tests.equality import transcriptions


def torchvision(name: str, **options: Any) -> nn.Module:
    """A network of torchvision."""
    from torchvision import models

    if "inception" in name or "googlenet" in name:
        options |= {"init_weights": False}
    return getattr(models, name)(weights=None, **options)


def densenet264() -> nn.Module:
    """DenseNet-264, which torchvision can build, but has no name for."""
    from torchvision.models import DenseNet

    return DenseNet(32, (6, 12, 64, 48), 64)


def narrow_vgg(name: str) -> nn.Module:
    """A VGG of torchvision whose hidden layers are less than a gigabyte."""
    net = torchvision(name)
    layers = cast("Any", net).classifier
    layers[0], layers[3], layers[6] = nn.Linear(512 * 7 * 7, 64), nn.Linear(64, 64), nn.Linear(64, 1000)
    return net


def timm(name: str) -> nn.Module:
    """A network of timm."""
    from timm import create_model

    return create_model(name)


def ese_vovnet19b() -> nn.Module:
    """VoVNetV2-19, which timm can build, but has no entry point for."""
    from timm.models.vovnet import VovNet, model_cfgs

    return VovNet(model_cfgs["ese_vovnet19b"])


def attentive(net: nn.Module) -> nn.Module:
    """A VoVNetV2 of timm as its authors have it: the attention in every block, not in the last of a stage alone."""
    from timm.layers.create_attn import create_attn

    for stage in cast("Any", net).stages:
        for block in stage.blocks:
            if block.attn is None:
                block.attn = create_attn("ese", block.conv_concat.conv.out_channels)
    return net


def cspdarknet53() -> nn.Module:
    """CSPDarknet-53 of timm, under the slope of its authors, which makes it theirs."""
    net = timm("cspdarknet53")
    for each in net.modules():
        if isinstance(each, nn.LeakyReLU):
            each.negative_slope = 0.1
    return net


def pytorchcv(name: str) -> nn.Module:
    """A network of pytorchcv, with a head for images of any size."""
    from pytorchcv.model_provider import get_model

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        net = get_model(name)
    for holder in net.modules():
        if isinstance(getattr(holder, "final_pool", None), nn.AvgPool2d):
            holder.final_pool = nn.AdaptiveAvgPool2d(1)
    return net


def oracle(name: str) -> nn.Module:
    """An oracle by its name: `library:network`, with `+aux` for auxiliary classifiers, `+narrow` for a narrow head."""
    library, _, network = name.partition(":")
    if library == "derived":
        return attentive(SPECIAL[network]() if network in SPECIAL else timm(network))
    if network in SPECIAL:
        return SPECIAL[network]()
    if network.endswith("+narrow"):
        return narrow_vgg(network.removesuffix("+narrow"))
    if library == "torchvision" and network.startswith(("inception", "googlenet")):
        network, _, aux = network.partition("+")
        return torchvision(network, aux_logits=bool(aux))
    return {"torchvision": torchvision, "timm": timm, "pytorchcv": pytorchcv, "authors": transcriptions.build}[library](
        network
    )


SPECIAL: dict[str, Callable[[], nn.Module]] = {
    "densenet264": densenet264,
    "ese_vovnet19b": ese_vovnet19b,
    "cspdarknet53+slope": cspdarknet53,
}


def outputs(result: Any) -> list[torch.Tensor]:
    """What a network gives, as a list: the classifier's, then the auxiliary outputs by name."""
    if isinstance(result, torch.Tensor):
        return [result]
    named = result if isinstance(result, dict) else result._asdict()
    rest = {name: value for name, value in named.items() if name not in {"head", "logits"} and value is not None}
    head = named["head"] if "head" in named else named["logits"]
    return [head, *(rest[name] for name in sorted(rest, key=lambda name: name.lower().replace("_logits", "")))]
