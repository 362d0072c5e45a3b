"""Convolutions."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from functools import partial
from math import prod
from typing import Any

from archdsl.diagnostics import catalog
from archdsl.initializer import Initializer
from archdsl.op import (
    Inner,
    Misfit,
    Op,
    Padding,
    Reach,
    Reaches,
    Shape,
    Size,
    Spelling,
    Weight,
    named,
    pair,
    param,
    single,
)
from archdsl.ops.common import borders, feature_map, sliding, window

VECTOR = 16
"""Floats in the widest vector of a CPU.

Of maps with fewer channels, in channels_last, PyTorch 2.14 spoils memory that is not its own when it works out the
gradient of the weights of a 1x1 convolution with a stride (docs/known-problems.md). So these are spelled otherwise.
"""

SAMPLED_CONV = '''
class SampledConv2d(nn.Conv2d):
    """A strided 1x1 convolution that takes the places it reads first, and needs no stride then.

    With few channels in channels_last, the backward pass of nn.Conv2d's own way corrupts memory on CPUs.
    """

    def forward(self, x: Tensor) -> Tensor:
        x = x[:, :, :: self.stride[0], :: self.stride[1]]
        return nn.functional.conv2d(x, self.weight, self.bias)
'''

PADDED_CONV_TRANSPOSE = '''
class PaddedConvTranspose2d(nn.ConvTranspose2d):
    """A strided 1x1 transposed convolution that adds the output's padding last.

    With few channels in channels_last, the backward pass of nn.ConvTranspose2d's own way corrupts memory on CPUs.
    """

    def forward(self, x: Tensor) -> Tensor:
        x = nn.functional.conv_transpose2d(x, self.weight, None, self.stride)
        x = nn.functional.pad(x, (0, self.output_padding[1], 0, self.output_padding[0]))
        bias = self.bias
        return x if bias is None else x + bias[:, None, None]
'''


class Conv(Op):
    """2-D convolution, C x H x W to `out` x H' x W'. Depthwise where `groups` is the input's channels.

    Pads `same` by default: dilation * (kernel - 1) // 2 on each side; an even kernel must say its padding. `kernel`,
    `stride`, `padding` and `dilation` take a number or [height, width].

    Example: conv(16, 3, 2)
    """

    name = "conv"
    keeps_size = (("stride", (1,)), ("padding", ("same",)))
    counts_as = "conv"
    saves = frozenset({"input"})
    torch = Spelling(
        "nn.Conv2d",
        ("in_channels", "out", "kernel"),
        ("stride", "padding", "dilation", "groups", "bias"),
        {"stride": 1, "padding": 0, "dilation": 1, "groups": 1, "bias": True},
    )
    out: int = param(minimum=1)
    kernel: Size = param(1, minimum=1)
    stride: Size = param(1, minimum=1)
    padding: Padding = named("same", minimum=0)
    dilation: Size = named(1, minimum=1)
    groups: int = named(1, minimum=1)
    bias: bool = named(False)
    init: Initializer | None = named(None)
    bias_init: Initializer | None = named(None)

    def output(self, x: Shape) -> Shape:
        channels, height, width = feature_map(x)
        check_groups(self.groups, channels, self.out)
        pads = borders(self.padding, self.kernel, self.dilation)
        return (self.out, *window((height, width), self.kernel, self.stride, pads, self.dilation))

    def spelling(self, x: Shape) -> Spelling:
        pads = borders(self.padding, self.kernel, self.dilation)
        if x[0] < VECTOR and self.groups == 1 and strides_over(self.kernel, self.stride, pads):
            return self.torch._replace(module="SampledConv2d", base="nn.Conv2d", helper=SAMPLED_CONV)
        return self.torch

    def weights(self, x: Shape) -> tuple[Weight, ...]:
        weight = Weight("weight", (self.out, x[0] // self.groups, *pair(self.kernel)))
        return (weight, Weight("bias", (self.out,))) if self.bias else (weight,)

    def macs(self, x: Shape, y: Shape) -> int:
        height, width = pair(self.kernel)
        # Zeros of the padding are multiplied, too, as PyTorch's own counter has it.
        return y[0] * y[1] * y[2] * (x[0] // self.groups) * height * width

    def reach(self, x: Shape, y: Shape) -> Reaches:
        pads = borders(self.padding, self.kernel, self.dilation)
        return sliding(self.kernel, self.stride, pads, self.dilation)

    def facts(self, x: Shape) -> dict[str, Any]:
        return super().facts(x) | {"padding": single(borders(self.padding, self.kernel, self.dilation))}

    def run(self, torch: Any, x: Any, weights: Mapping[str, Any], training: bool) -> Any:
        pads = borders(self.padding, self.kernel, self.dilation)
        settings = (self.stride, pads, self.dilation, self.groups)
        return torch.nn.functional.conv2d(x, weights["weight"], weights.get("bias"), *settings)


class ConvTranspose(Op):
    """2-D transposed convolution, C x H x W to `out` x H' x W', where H' is about H * stride: learned upsampling.

    H' = (H - 1) * stride - 2 * padding + dilation * (kernel - 1) + 1 + output_padding. As in `conv`, padding is `same`
    for odd kernels, and an even kernel must say it: `conv_transpose(out, 2, 2, padding = 0)` doubles a map,
    so does `conv_transpose(out, 4, 2, padding = 1)`.

    Example: conv_transpose(8, 3, 2, output_padding = 1)
    """

    name = "conv_transpose"
    keeps_size = (("stride", (1,)), ("padding", ("same",)), ("output_padding", (0,)))
    counts_as = "conv"
    saves = frozenset({"input"})
    torch = Spelling(
        "nn.ConvTranspose2d",
        ("in_channels", "out", "kernel"),
        ("stride", "padding", "output_padding", "dilation", "groups", "bias"),
        {"stride": 1, "padding": 0, "output_padding": 0, "dilation": 1, "groups": 1, "bias": True},
    )
    out: int = param(minimum=1)
    kernel: Size = param(1, minimum=1)
    stride: Size = param(1, minimum=1)
    padding: Padding = named("same", minimum=0)
    output_padding: Size = named(0, minimum=0)
    dilation: Size = named(1, minimum=1)
    groups: int = named(1, minimum=1)
    bias: bool = named(False)
    init: Initializer | None = named(None)
    bias_init: Initializer | None = named(None)

    def output(self, x: Shape) -> Shape:
        channels, *size = feature_map(x)
        check_groups(self.groups, channels, self.out)
        settings = (self.kernel, self.stride, self.pads(), self.output_padding, self.dilation)
        return (self.out, *(unslide(*axis) for axis in zip(size, *map(pair, settings), strict=True)))

    def pads(self) -> tuple[int, int]:
        """Rows and columns cut from each border."""
        return borders(self.padding, self.kernel, self.dilation)

    def spelling(self, x: Shape) -> Spelling:
        return (
            self.torch._replace(module="PaddedConvTranspose2d", base="nn.ConvTranspose2d", helper=PADDED_CONV_TRANSPOSE)
            if self.pads_last()
            else self.torch
        )

    def pads_last(self) -> bool:
        """True if PyTorch's own way would not be safe."""
        strided = strides_over(self.kernel, self.stride, self.pads()) and pair(self.output_padding) != (0, 0)
        return self.out < VECTOR and self.groups == 1 and strided

    def scratch(self, x: Shape, y: Shape) -> tuple[Inner, ...]:
        if not self.pads_last():
            return ()
        height, width = pair(self.output_padding)
        return (Inner(prod(y) if self.bias else y[0] * (y[1] - height) * (y[2] - width)),)

    def weights(self, x: Shape) -> tuple[Weight, ...]:
        weight = Weight("weight", (x[0], self.out // self.groups, *pair(self.kernel)))
        return (weight, Weight("bias", (self.out,))) if self.bias else (weight,)

    def macs(self, x: Shape, y: Shape) -> int:
        height, width = pair(self.kernel)
        return x[0] * x[1] * x[2] * (y[0] // self.groups) * height * width

    def reach(self, x: Shape, y: Shape) -> Reaches:
        settings = (self.kernel, self.stride, self.pads(), self.dilation)
        height, width = zip(*map(pair, settings), strict=True)
        return unslid(*height), unslid(*width)

    def facts(self, x: Shape) -> dict[str, Any]:
        return super().facts(x) | {"padding": single(self.pads())}

    def run(self, torch: Any, x: Any, weights: Mapping[str, Any], training: bool) -> Any:
        settings = (self.stride, self.pads(), self.output_padding, self.groups, self.dilation)
        return torch.nn.functional.conv_transpose2d(x, weights["weight"], weights.get("bias"), *settings)


def strides_over(kernel: Size, stride: Size, pads: tuple[int, int]) -> bool:
    """True if a convolution reads single places, and not every one."""
    return pair(kernel) == (1, 1) and pair(stride) != (1, 1) and pads == (0, 0)


def unslide(size: int, kernel: int, stride: int, pad: int, extra: int, dilation: int) -> int:
    """One axis of a transposed convolution; raises Misfit for what PyTorch refuses, and where nothing is left."""
    if extra >= max(stride, dilation):
        raise Misfit(
            catalog.OUT_OF_RANGE,
            "output_padding",
            f"output_padding {extra} is not below the stride {stride} or the dilation {dilation}",
            "it selects one of `stride` possible output sizes, so it must be below the stride",
        )
    count = (size - 1) * stride - 2 * pad + dilation * (kernel - 1) + 1 + extra
    if count < 1:
        raise Misfit(catalog.BAD_SHAPE, "padding", f"padding {pad} removes the whole output", "pad less")
    return count


def unslid(kernel: int, stride: int, pad: int, dilation: int) -> Reach:
    """One axis of what a place reads through a transposed convolution."""
    return Reach(Fraction(1, stride), Fraction(pad - dilation * (kernel - 1), stride), Fraction(pad, stride))


def check_groups(groups: int, channels: int, out: int) -> None:
    """Raises Misfit where `groups` does not divide the channels of both sides."""
    for count, name, side in ((out, "out", "output"), (channels, "groups", "input")):
        if count % groups:
            label = f"{groups} groups do not divide the {count} {side} channels"
            raise Misfit(catalog.GROUPS, name, label, partial(nearest_widths, groups, count))


def nearest_widths(groups: int, count: int) -> str:
    """Help with the nearest numbers of channels that `groups` divides."""
    below, above = count // groups * groups, (count // groups + 1) * groups
    return (
        f"the nearest widths that {groups} divides are {below} and {above}"
        if below
        else f"the nearest width is {above}"
    )
