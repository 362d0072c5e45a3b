"""Receptive fields against gradients of the emitted modules themselves, with all their channels."""

from __future__ import annotations

from math import ceil

import pytest

pytest.importorskip("torch")

import torch
from torch import Tensor, nn

from archdsl import driver
from archdsl.analyses.receptive_field import Field, fields
from tests.unfilled import unfilled

WIDE = {"inception_v3": 107}
"""The width of images, where the network does not take those of 32; what is compared is their height."""
FAMILIES = [
    "vgg16",
    "resnet18",
    "resnet50",
    "preresnet50",
    "resnext50",
    "densenet121",
    "vovnet39",
    "vovnetv2_39",
    "csp_vovnet39",
    "cspresnet50",
    "cspdensenet121",
    "darknet53",
    "inception_v3",
    "googlenet",
    "peleenet",
]
QUICK = ["resnet18"]
NOTHING = (nn.BatchNorm2d, nn.ReLU, nn.LeakyReLU, nn.Mish, nn.SiLU, nn.Dropout)


class Held(nn.Module):
    """What a gate weighs by, held constant."""

    def forward(self, x: Tensor) -> Tensor:
        return x.mean((2, 3), keepdim=True).detach()


def linearized(model: nn.Module) -> nn.Module:
    """A module with positive weights and no biases, averages for pools, and nothing for norms and activations."""
    for name, child in list(model.named_children()):
        setattr(model, name, linear(child))
    for parameter in model.parameters(recurse=False):
        parameter.data = torch.full_like(parameter, 1 / parameter[0].numel() if parameter.dim() > 1 else 0)
    return model


def linear(module: nn.Module) -> nn.Module:
    """What stands for a module."""
    if isinstance(module, NOTHING):
        return nn.Identity()
    if isinstance(module, nn.MaxPool2d):
        return nn.AvgPool2d(module.kernel_size, module.stride, module.padding, module.ceil_mode)
    if isinstance(module, nn.AdaptiveAvgPool2d) and module.output_size == 1:
        return Held()
    return linearized(module)


def ends(size: tuple[int, int], model: nn.Module, name: str) -> tuple[int, int, int]:
    """The middle place of a section's map, and the first and last rows of the input that it depends on."""
    maps: list[Tensor] = []
    handle = getattr(model, name).register_forward_hook(lambda _module, _x, y: maps.append(y))
    x = torch.ones(1, 3, *size, dtype=torch.float64, requires_grad=True)
    with torch.enable_grad():
        model(x)
    handle.remove()
    at = maps[0].shape[2] // 2
    (gradient,) = torch.autograd.grad(maps[0][:, :, at].sum(), x)
    rows = gradient.abs().sum((0, 1, 3)).nonzero()
    return at, int(rows.min()), int(rows.max())


@pytest.mark.parametrize(
    "name", [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in FAMILIES]
)
def test_field_is_what_the_module_reaches(name: str) -> None:
    graph = driver.compile(name)
    part, field = [
        (part, field) for part, field in fields(graph) if field and not field.whole and not part.section.training_only
    ][-1]
    wide = WIDE.get(name, 32)
    high = ceil(float(1.3 * field.size[0] + 8 * field.stride[0]) / 32) * 32
    graph = driver.compile(name, input=(3, high, wide))
    declared: Field | None = {each.path: found for each, found in fields(graph)}[part.path]
    assert declared is not None
    model = linearized(unfilled(graph)).eval()
    at, first, last = ends((high, wide), model, part.path)
    start = at * declared.stride[0] + declared.offset[0]
    assert (first, last) == (start, start + declared.size[0] - 1)
