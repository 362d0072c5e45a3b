"""Factors, constant and learned."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import Any

from archdsl.diagnostics import catalog
from archdsl.op import ALWAYS, Inner, Misfit, Op, Shape, Spelling, Weight, param
from archdsl.ops.common import feature_map

LAYER_SCALE = '''
class LayerScale(nn.Module):
    """Scales each channel by a learned factor."""

    def __init__(self, channels: int, gamma: float):
        super().__init__()
        self.gamma = nn.Parameter(torch.full((channels, 1, 1), gamma))

    def forward(self, x: Tensor) -> Tensor:
        return x * self.gamma
'''

LEARNED_SCALE = '''
class LearnedScale(nn.Module):
    """Scales by one learned factor."""

    def __init__(self, scale: float):
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(scale))

    def forward(self, x: Tensor) -> Tensor:
        return x * self.scale
'''

AFFINE = '''
def scale_and_shift(x: Tensor, weight: list[float], bias: list[float]) -> Tensor:
    """Scales and shifts each channel by constants."""
    channels = [x[:, i] * weight[i] + bias[i] for i in range(len(weight))]
    return torch.stack(channels, dim=1)
'''


class Scale(Op):
    """Times a constant.

    Example: scale(0.5)
    """

    name = "scale"
    saves = frozenset()
    torch = Spelling(function="{x} * {factor}")
    factor: float = param()

    def run(self, torch: Any, x: Any, weights: Mapping[str, Any], training: bool) -> Any:
        return x * self.factor


class LayerScale(Op):
    """Times a learned factor for each channel, which starts from `gamma`. Touvron et al. 2021 (CaiT), ConvNeXt.

    Example: identity + (conv(8, 3) -> layer_scale(1e-6))
    """

    name = "layer_scale"
    keeps_size = ALWAYS
    saves = frozenset({"input"})
    torch = Spelling("LayerScale", ("in_channels", "gamma"), helper=LAYER_SCALE)
    gamma: float = param(1e-5)

    def output(self, x: Shape) -> Shape:
        return feature_map(x)

    def weights(self, x: Shape) -> tuple[Weight, ...]:
        return (Weight("gamma", (x[0], 1, 1)),)

    def run(self, torch: Any, x: Any, weights: Mapping[str, Any], training: bool) -> Any:
        return x * weights["gamma"]


class LearnedScale(Op):
    """Times one learned factor, which starts from `scale`. Bachlechner et al. 2020 (ReZero) start from 0.

    Example: identity + (conv(8, 3) -> learned_scale(0))
    """

    name = "learned_scale"
    saves = frozenset({"input"})
    torch = Spelling("LearnedScale", ("scale",), helper=LEARNED_SCALE)
    scale: float = param(1.0)

    def weights(self, x: Shape) -> tuple[Weight, ...]:
        return (Weight("scale", ()),)

    def run(self, torch: Any, x: Any, weights: Mapping[str, Any], training: bool) -> Any:
        return x * weights["scale"]


class Affine(Op):
    """x * weight + bias with constants, one of each for each channel: a change of the input's normalization.

    Inception's `transform_input`.

    Example: slice(0, 2) -> affine(weight = [0.5, 0.5], bias = [0, 0.1])
    """

    name = "affine"
    keeps_size = ALWAYS
    saves = frozenset()
    work = 2
    torch = Spelling(function="scale_and_shift({x}, {weight}, {bias})", helper=AFFINE)
    weight: tuple[float, ...] = param()
    bias: tuple[float, ...] = param()

    def output(self, x: Shape) -> Shape:
        for name, values in (("weight", self.weight), ("bias", self.bias)):
            if len(values) != x[0]:
                raise Misfit(catalog.WRONG_TYPE, name, f"{len(values)} numbers for {x[0]} channels", "one for each")
        return x

    def scratch(self, x: Shape, y: Shape) -> tuple[Inner, ...]:
        return (Inner(prod(x)),)

    def facts(self, x: Shape) -> dict[str, Any]:
        return super().facts(x) | {"weight": list(self.weight), "bias": list(self.bias)}

    def run(self, torch: Any, x: Any, weights: Mapping[str, Any], training: bool) -> Any:
        pairs = zip(self.weight, self.bias, strict=True)
        return torch.stack([x[:, at] * weight + bias for at, (weight, bias) in enumerate(pairs)], 1)
