"""Pools: sliding windows without weights, and their global and adaptive kin."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import Any

from archdsl.diagnostics import catalog
from archdsl.op import (
    Inner,
    Kept,
    Misfit,
    Op,
    Padding,
    Reaches,
    Shape,
    Size,
    Spelling,
    elements,
    named,
    pair,
    param,
    single,
)
from archdsl.ops.common import borders, evenly, feature_map, sliding, window


class MaxPool(Op):
    """The largest value of each window. `stride` is the kernel unless it is given.

    An odd kernel pads `same`; a pool whose stride is its kernel pads 0; an even kernel with another stride must say
    its padding. At most half of the kernel can be padded. `ceil_mode` keeps the window that hangs over the end.

    Example: maxpool(3, 2)
    """

    name = "maxpool"
    keeps_size = (("stride", (1,)), ("padding", (None, "same")))
    saves = frozenset({"input"})
    torch = Spelling(
        "nn.MaxPool2d",
        ("kernel", "stride"),
        ("padding", "dilation", "ceil_mode"),
        {"padding": 0, "dilation": 1, "ceil_mode": False},
    )
    kernel: Size = param(minimum=1)
    stride: Size | None = param(None, minimum=1)
    padding: Padding | None = named(None, minimum=0)
    dilation: Size = named(1, minimum=1)
    ceil_mode: bool = named(False)

    def output(self, x: Shape) -> Shape:
        channels, height, width = feature_map(x)
        stride = self.stride or self.kernel
        pads = pool_borders(self.padding, self.kernel, stride, self.dilation)
        size = window((height, width), self.kernel, stride, pads, self.dilation, self.ceil_mode)
        check_filled((height, width), self.kernel, stride, pads, self.dilation)
        return channels, *size

    def kept(self, x: Shape, y: Shape) -> tuple[Kept, ...]:
        return "input", indices(y)

    def scratch(self, x: Shape, y: Shape) -> tuple[Inner, ...]:
        return (indices(y),)

    def operations(self, x: Shape, y: Shape) -> int:
        return elements(y) * prod(pair(self.kernel))

    def reach(self, x: Shape, y: Shape) -> Reaches:
        stride = self.stride or self.kernel
        pads = pool_borders(self.padding, self.kernel, stride, self.dilation)
        return sliding(self.kernel, stride, pads, self.dilation)

    def facts(self, x: Shape) -> dict[str, Any]:
        stride = self.stride or self.kernel
        padding = single(pool_borders(self.padding, self.kernel, stride, self.dilation))
        return super().facts(x) | {"stride": stride, "padding": padding}

    def run(self, torch: Any, x: Any, weights: Mapping[str, Any], training: bool) -> Any:
        stride = self.stride or self.kernel
        pads = pool_borders(self.padding, self.kernel, stride, self.dilation)
        return torch.nn.functional.max_pool2d(x, self.kernel, stride, pads, self.dilation, self.ceil_mode)


class AvgPool(Op):
    """The mean of each window. `stride` is the kernel unless it is given; pads as `maxpool` does.

    `count_include_pad = false` leaves the border's zeros out of the mean, as TensorFlow does.

    Example: avgpool(2)
    """

    name = "avgpool"
    keeps_size = (("stride", (1,)), ("padding", (None, "same")))
    saves = frozenset({"input"})
    torch = Spelling(
        "nn.AvgPool2d",
        ("kernel", "stride"),
        ("padding", "ceil_mode", "count_include_pad"),
        {"padding": 0, "ceil_mode": False, "count_include_pad": True},
    )
    kernel: Size = param(minimum=1)
    stride: Size | None = param(None, minimum=1)
    padding: Padding | None = named(None, minimum=0)
    ceil_mode: bool = named(False)
    count_include_pad: bool = named(True)

    def output(self, x: Shape) -> Shape:
        channels, height, width = feature_map(x)
        stride = self.stride or self.kernel
        pads = pool_borders(self.padding, self.kernel, stride)
        return (channels, *window((height, width), self.kernel, stride, pads, 1, self.ceil_mode))

    def operations(self, x: Shape, y: Shape) -> int:
        return elements(y) * prod(pair(self.kernel))

    def reach(self, x: Shape, y: Shape) -> Reaches:
        stride = self.stride or self.kernel
        return sliding(self.kernel, stride, pool_borders(self.padding, self.kernel, stride))

    def facts(self, x: Shape) -> dict[str, Any]:
        stride = self.stride or self.kernel
        padding = single(pool_borders(self.padding, self.kernel, stride))
        return super().facts(x) | {"stride": stride, "padding": padding}

    def run(self, torch: Any, x: Any, weights: Mapping[str, Any], training: bool) -> Any:
        stride = self.stride or self.kernel
        pads = pool_borders(self.padding, self.kernel, stride)
        return torch.nn.functional.avg_pool2d(x, self.kernel, stride, pads, self.ceil_mode, self.count_include_pad)


class LpPool(Op):
    """The p-norm of each window: (sum of x ^ p) ^ (1 / p). `stride` is the kernel unless given; takes no padding.

    Example: lppool(2)
    """

    name = "lppool"
    saves = frozenset({"input"})
    torch = Spelling("nn.LPPool2d", ("norm_type", "kernel"), ("stride", "ceil_mode"), {"ceil_mode": False})
    kernel: Size = param(minimum=1)
    stride: Size | None = param(None, minimum=1)
    norm_type: float = named(2.0, minimum=1, maximum=16)
    ceil_mode: bool = named(False)

    def output(self, x: Shape) -> Shape:
        channels, height, width = feature_map(x)
        stride = self.stride or self.kernel
        return (channels, *window((height, width), self.kernel, stride, (0, 0), 1, self.ceil_mode))

    def kept(self, x: Shape, y: Shape) -> tuple[Kept, ...]:
        # The powers, and of each mean itself, its sign, its absolute value, and their product.
        return "input", Inner(prod(x)), *[Inner(prod(y))] * 4

    def scratch(self, x: Shape, y: Shape) -> tuple[Inner, ...]:
        return (Inner(max(prod(x), 3 * prod(y))),)

    def operations(self, x: Shape, y: Shape) -> int:
        return elements(y) * prod(pair(self.kernel))

    def reach(self, x: Shape, y: Shape) -> Reaches:
        return sliding(self.kernel, self.stride or self.kernel, (0, 0))

    def facts(self, x: Shape) -> dict[str, Any]:
        return super().facts(x) | {"stride": self.stride or self.kernel}

    def run(self, torch: Any, x: Any, weights: Mapping[str, Any], training: bool) -> Any:
        return torch.nn.functional.lp_pool2d(x, self.norm_type, self.kernel, self.stride, self.ceil_mode)


class AdaptiveAvgPool(Op):
    """The means of `size` windows that cover the map evenly: a map of a fixed size, whatever comes in.

    Example: adaptive_avgpool(7)
    """

    name = "adaptive_avgpool"
    saves = frozenset({"input"})
    torch = Spelling("nn.AdaptiveAvgPool2d", ("size",))
    size: Size = param(minimum=1)

    def output(self, x: Shape) -> Shape:
        return (feature_map(x)[0], *pair(self.size))

    def kept(self, x: Shape, y: Shape) -> tuple[Kept, ...]:
        return () if pair(self.size) == (1, 1) else ("input",)

    def operations(self, x: Shape, y: Shape) -> int:
        return elements(x)

    def reach(self, x: Shape, y: Shape) -> Reaches | None:
        return None if y[1:] == (1, 1) else (evenly(x[1], y[1]), evenly(x[2], y[2]))

    def run(self, torch: Any, x: Any, weights: Mapping[str, Any], training: bool) -> Any:
        return torch.nn.functional.adaptive_avg_pool2d(x, self.size)


class AdaptiveMaxPool(Op):
    """The largest values of `size` windows that cover the map evenly: a map of a fixed size, whatever comes in.

    Example: adaptive_maxpool(7)
    """

    name = "adaptive_maxpool"
    saves = frozenset({"input"})
    torch = Spelling("nn.AdaptiveMaxPool2d", ("size",))
    size: Size = param(minimum=1)

    def output(self, x: Shape) -> Shape:
        return (feature_map(x)[0], *pair(self.size))

    def kept(self, x: Shape, y: Shape) -> tuple[Kept, ...]:
        return "input", indices(y)

    def scratch(self, x: Shape, y: Shape) -> tuple[Inner, ...]:
        return (indices(y),)

    def operations(self, x: Shape, y: Shape) -> int:
        return elements(x)

    def reach(self, x: Shape, y: Shape) -> Reaches | None:
        return None if y[1:] == (1, 1) else (evenly(x[1], y[1]), evenly(x[2], y[2]))

    def run(self, torch: Any, x: Any, weights: Mapping[str, Any], training: bool) -> Any:
        return torch.nn.functional.adaptive_max_pool2d(x, self.size)


class GlobalAvgPool(Op):
    """The mean of each channel: C x H x W to C x 1 x 1.

    Example: global_avgpool
    """

    name = "global_avgpool"
    saves = frozenset()
    torch = Spelling("nn.AdaptiveAvgPool2d", ("size",))

    def output(self, x: Shape) -> Shape:
        return feature_map(x)[0], 1, 1

    def operations(self, x: Shape, y: Shape) -> int:
        return elements(x)

    def reach(self, x: Shape, y: Shape) -> None:
        return None

    def facts(self, x: Shape) -> dict[str, Any]:
        return super().facts(x) | {"size": 1}

    def run(self, torch: Any, x: Any, weights: Mapping[str, Any], training: bool) -> Any:
        return x.mean((2, 3), keepdim=True)


class GlobalMaxPool(Op):
    """The largest value of each channel: C x H x W to C x 1 x 1.

    Example: global_maxpool
    """

    name = "global_maxpool"
    saves = frozenset({"input"})
    torch = Spelling("nn.AdaptiveMaxPool2d", ("size",))

    def output(self, x: Shape) -> Shape:
        return feature_map(x)[0], 1, 1

    def kept(self, x: Shape, y: Shape) -> tuple[Kept, ...]:
        return "input", indices(y)

    def scratch(self, x: Shape, y: Shape) -> tuple[Inner, ...]:
        return (indices(y),)

    def operations(self, x: Shape, y: Shape) -> int:
        return elements(x)

    def reach(self, x: Shape, y: Shape) -> None:
        return None

    def facts(self, x: Shape) -> dict[str, Any]:
        return super().facts(x) | {"size": 1}

    def run(self, torch: Any, x: Any, weights: Mapping[str, Any], training: bool) -> Any:
        return torch.nn.functional.adaptive_max_pool2d(x, 1)


def indices(y: Shape) -> Inner:
    """The index of each largest value, as PyTorch stores it."""
    return Inner(prod(y), width=8)


def check_filled(size: tuple[int, int], kernel: Size, stride: Size, pads: tuple[int, int], dilation: Size) -> None:
    """Raises Misfit where a dilated window would step over the whole map, from border to border: it has no maximum."""
    for places, reads, step, pad, gap in zip(size, pair(kernel), pair(stride), pads, pair(dilation), strict=True):
        if gap <= places:
            continue
        for start in range(-pad, 0, step):
            if not any(0 <= start + at * gap < places for at in range(min(reads, pad // gap + 2))):
                label = f"a window with dilation {gap} reads nothing but padding of a map of {places}"
                raise Misfit(catalog.KERNEL_TOO_LARGE, "dilation", label, "make the dilation smaller")


def pool_borders(padding: Padding | None, kernel: Size, stride: Size, dilation: Size = 1) -> tuple[int, int]:
    """Padding of a pool; raises Misfit beyond PyTorch's limit, half of the kernel."""
    default = "valid" if pair(stride) == pair(kernel) else "same"
    pads = borders(default if padding is None else padding, kernel, dilation)
    for pad, size in zip(pads, pair(kernel), strict=True):
        if 2 * pad > size:
            raise Misfit(
                catalog.OUT_OF_RANGE,
                "padding",
                f"a pool of {size} cannot pad by {pad}",
                f"at most half of the kernel: {size // 2}; `pad2d` before it can do more",
            )
    return pads
