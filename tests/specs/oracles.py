"""The figures that the shipped specs are held to, and the live networks that they were measured on."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROWS: list[dict[str, Any]] = json.loads((Path(__file__).parent / "reference.json").read_text(encoding="utf-8"))
"""One row a network and input. `oracle` is what it was measured on; `paper_*` is what the publication says."""

LIBRARIES = ("torchvision", "timm", "pytorchcv")
LIVE = [row for row in ROWS if row["oracle"].split(":")[0] in LIBRARIES]
"""The rows whose oracle is on PyPI."""

CALL = re.compile(r"(\w+)\((\w+)=(\w+)\)")
UNNAMED: dict[str, Callable[[], Any]] = {
    "torchvision:DenseNet(32,(6,12,64,48),64)": lambda: densenet(32, (6, 12, 64, 48), 64),
    'timm:VovNet(model_cfgs["ese_vovnet19b"])': lambda: vovnet("ese_vovnet19b"),
}
"""The oracles that their libraries have no name for."""


def name_of(row: dict[str, Any]) -> str:
    """What a test calls a row."""
    return f"{row['spec']}-{row['input'][-1]}"


# ---- the live networks ---------------------------------------------------------------------------------------------


def live(oracle: str) -> Any:
    """The network that an oracle names, as its library makes it."""
    if oracle in UNNAMED:
        return UNNAMED[oracle]()
    library, name = oracle.split(":")
    if library == "timm":
        import timm

        return timm.create_model(name)
    if library == "pytorchcv":
        from pytorchcv.model_provider import get_model

        return get_model(name)
    import torchvision

    if found := CALL.fullmatch(name):
        name, key, value = found.groups()
        return getattr(torchvision.models, name)(**{key: value == "True"}, init_weights=True)
    return getattr(torchvision.models, name)()


def densenet(*settings: Any) -> Any:
    """From torchvision's class of DenseNets."""
    from torchvision.models import DenseNet

    return DenseNet(*settings)


def vovnet(name: str) -> Any:
    """From timm's class of VoVNets."""
    from timm.models.vovnet import VovNet, model_cfgs

    return VovNet(model_cfgs[name])


# ---- figures -------------------------------------------------------------------------------------------------------


def figures(model: Any, size: list[int]) -> tuple[dict[str, Any], list[list[int]]]:
    """A network's figures by the names of a row, and its feature maps, module by module, in order of execution."""
    import torch
    from torch import nn

    found = {"macs": 0, "activations": 0}
    maps: list[list[int]] = []

    def note(module: Any, inputs: Any, output: Any) -> None:
        if isinstance(module, nn.Conv2d | nn.Linear):
            per_output = module.weight[0].numel()
            found["macs"] += output.numel() * per_output
        if isinstance(module, nn.Conv2d):
            found["activations"] += output.numel()
        if isinstance(output, torch.Tensor) and output.dim() == 4:
            maps.append(list(output.shape[1:]))

    for module in model.modules():
        module.register_forward_hook(note)
    model.eval()(torch.zeros(1, *size))
    modules = list(model.modules())
    return {
        "params": sum(each.numel() for each in model.parameters()),
        "buffers": sum(each.numel() for name, each in model.named_buffers() if "num_batches" not in name),
        **found,
        "n_conv": sum(isinstance(each, nn.Conv2d) for each in modules),
        "n_bn": sum(isinstance(each, nn.BatchNorm2d) for each in modules),
        "n_linear": sum(isinstance(each, nn.Linear) for each in modules),
        "bn_eps": sorted({each.eps for each in modules if isinstance(each, nn.BatchNorm2d)}),
        "leaky_slopes": sorted({each.negative_slope for each in modules if isinstance(each, nn.LeakyReLU)}),
    }, maps


def in_order(wanted: list[Any], among: list[Any]) -> bool:
    """Whether the items of a list stand in another, in order."""
    rest = iter(among)
    return all(item in rest for item in wanted)
