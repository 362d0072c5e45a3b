"""Normalizations. `gamma` and `beta` are what the learned scale (`weight`) and shift (`bias`) start from."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from math import prod
from typing import Any, Literal

from archdsl.diagnostics import catalog
from archdsl.op import ALWAYS, Inner, Kept, Misfit, Op, Shape, Spelling, Weight, elements, named, param
from archdsl.ops.common import feature_map, near, shown

CHANNEL_NORM = '''
class LayerNorm2d(nn.LayerNorm):
    """Layer normalization over the channels, at each place of a map."""

    def forward(self, x: Tensor) -> Tensor:
        x = x.permute(0, 2, 3, 1)
        x = nn.functional.layer_norm(x, self.normalized_shape, self.weight, self.bias, self.eps)
        return x.permute(0, 3, 1, 2)
'''


class BatchNorm(Op):
    """Batch normalization: each channel to mean 0 and variance 1 over the batch, then a learned scale and shift.

    On flattened features it is PyTorch's BatchNorm1d. `momentum = none` takes the plain average of all batches.
    Ioffe & Szegedy 2015.

    Example: bn(eps = 1e-3)
    """

    name = "bn"
    keeps_size = ALWAYS
    counts_as = "norm"
    saves = frozenset({"input"})
    torch = Spelling(
        "nn.BatchNorm2d",
        ("in_channels",),
        ("eps", "momentum", "affine", "track_running_stats"),
        {"eps": 1e-5, "momentum": 0.1, "affine": True, "track_running_stats": True},
    )
    eps: float = named(1e-5, above=0, maximum=1)
    momentum: float | None = named(0.1, minimum=0, maximum=1)
    affine: bool = named(True)
    track: bool = named(True)
    gamma: float = named(1.0)
    beta: float = named(0.0)

    def output(self, x: Shape) -> Shape:
        check_start(self.affine, self.gamma, self.beta)
        if len(x) != 1:
            feature_map(x)
        return x

    def spelling(self, x: Shape) -> Spelling:
        return self.torch if len(x) == 3 else self.torch._replace(module="nn.BatchNorm1d")

    def operations(self, x: Shape, y: Shape) -> int:
        return elements(y) * (2 if self.affine else 1)

    def weights(self, x: Shape) -> tuple[Weight, ...]:
        return (*learned(self.affine, x[:1]), *running(self.track, x[:1]))

    def kept(self, x: Shape, y: Shape) -> tuple[Kept, ...]:
        return "input", *statistics(x[0], shared=True)

    def scratch(self, x: Shape, y: Shape) -> tuple[Inner, ...]:
        return () if self.track else statistics(x[0], shared=True)

    def facts(self, x: Shape) -> dict[str, Any]:
        return super().facts(x) | {"track_running_stats": self.track}

    def run(self, torch: Any, x: Any, weights: Mapping[str, Any], training: bool) -> Any:
        mean, variance = weights.get("running_mean"), weights.get("running_var")
        learned = (weights.get("weight"), weights.get("bias"))
        if not (self.track and training):
            return torch.nn.functional.batch_norm(x, mean, variance, *learned, not self.track, 0.0, self.eps)
        batches = weights["num_batches_tracked"].add_(1)
        momentum = 1 / batches.item() if self.momentum is None else self.momentum
        return torch.nn.functional.batch_norm(x, mean, variance, *learned, True, momentum, self.eps)


class InstanceNorm(Op):
    """Instance normalization: each channel of each sample over its places. Ulyanov et al. 2016.

    Example: instance_norm(affine = true)
    """

    name = "instance_norm"
    keeps_size = ALWAYS
    counts_as = "norm"
    saves = frozenset({"input"})
    torch = Spelling(
        "nn.InstanceNorm2d",
        ("in_channels",),
        ("eps", "momentum", "affine", "track_running_stats"),
        {"eps": 1e-5, "momentum": 0.1, "affine": False, "track_running_stats": False},
    )
    eps: float = named(1e-5, above=0, maximum=1)
    momentum: float = named(0.1, minimum=0, maximum=1)
    affine: bool = named(False)
    track: bool = named(False)
    gamma: float = named(1.0)
    beta: float = named(0.0)

    def output(self, x: Shape) -> Shape:
        check_start(self.affine, self.gamma, self.beta)
        _, height, width = feature_map(x)
        if height * width == 1:
            raise Misfit(
                catalog.BAD_SHAPE,
                "",
                f"{shown(x)} has one position, so there is nothing to normalize over",
                "use another norm here, or reduce the map less before it",
            )
        return x

    def operations(self, x: Shape, y: Shape) -> int:
        return elements(y) * (5 if self.affine else 4)

    def weights(self, x: Shape) -> tuple[Weight, ...]:
        return (*learned(self.affine, x[:1]), *running(self.track, x[:1]))

    def kept(self, x: Shape, y: Shape) -> tuple[Kept, ...]:
        # It is run as a batch norm of batch x channels maps, with the weights and running statistics repeated.
        return "input", *statistics(x[0]), *[Inner(x[0])] * (self.affine + 2 * self.track)

    def scratch(self, x: Shape, y: Shape) -> tuple[Inner, ...]:
        return (*statistics(x[0]), *[Inner(x[0])] * (2 * self.affine))

    def facts(self, x: Shape) -> dict[str, Any]:
        return super().facts(x) | {"track_running_stats": self.track}

    def run(self, torch: Any, x: Any, weights: Mapping[str, Any], training: bool) -> Any:
        mean, variance = weights.get("running_mean"), weights.get("running_var")
        settings = (weights.get("weight"), weights.get("bias"), training or not self.track, self.momentum, self.eps)
        return torch.nn.functional.instance_norm(x, mean, variance, *settings)


class GroupNorm(Op):
    """Group normalization: the channels of a sample in `groups` equal groups, each over all its places.

    One group is layer normalization with a scale and shift for each channel. Wu & He 2018.

    Example: group_norm(4)
    """

    name = "group_norm"
    keeps_size = ALWAYS
    counts_as = "norm"
    saves = frozenset({"input"})
    torch = Spelling("nn.GroupNorm", ("groups", "in_channels"), ("eps", "affine"), {"eps": 1e-5, "affine": True})
    groups: int = param(minimum=1)
    eps: float = named(1e-5, above=0, maximum=1)
    affine: bool = named(True)
    gamma: float = named(1.0)
    beta: float = named(0.0)

    def output(self, x: Shape) -> Shape:
        check_start(self.affine, self.gamma, self.beta)
        if x[0] % self.groups:
            raise Misfit(
                catalog.GROUPS,
                "groups",
                f"{self.groups} groups do not divide the {x[0]} channels",
                partial(near, x[0], self.groups),
            )
        check_several(prod(x) // self.groups, f"a group of {shown(x)}", "take fewer groups, or another norm here")
        return x

    def operations(self, x: Shape, y: Shape) -> int:
        return elements(y) * (5 if self.affine else 4)

    def weights(self, x: Shape) -> tuple[Weight, ...]:
        return learned(self.affine, x[:1])

    def kept(self, x: Shape, y: Shape) -> tuple[Kept, ...]:
        return "input", *statistics(self.groups)

    def scratch(self, x: Shape, y: Shape) -> tuple[Inner, ...]:
        return statistics(self.groups)

    def run(self, torch: Any, x: Any, weights: Mapping[str, Any], training: bool) -> Any:
        return torch.nn.functional.group_norm(x, self.groups, weights.get("weight"), weights.get("bias"), self.eps)


class LayerNorm(Op):
    """Layer normalization: over the channels at each place of a map (ConvNeXt), or over all of a sample.

    `over = all` learns a scale and shift for every element, as PyTorch does, so the network takes one size of input.
    Rows of features (rows x features) are normalized one by one. Ba et al. 2016.

    Example: layer_norm(eps = 1e-6)
    """

    name = "layer_norm"
    keeps_size = ALWAYS
    counts_as = "norm"
    saves = frozenset({"input"})
    torch = Spelling(
        "nn.LayerNorm", ("normalized",), ("eps", "elementwise_affine"), {"eps": 1e-5, "elementwise_affine": True}
    )
    over: Literal["channels", "all"] = named("channels")
    eps: float = named(1e-5, above=0, maximum=1)
    affine: bool = named(True)
    gamma: float = named(1.0)
    beta: float = named(0.0)

    def output(self, x: Shape) -> Shape:
        check_start(self.affine, self.gamma, self.beta)
        if self.over == "channels" and len(x) > 2:
            feature_map(x)
        check_several(prod(self.normalized(x)), f"a place of {shown(x)}", "use another norm here")
        return x

    def spelling(self, x: Shape) -> Spelling:
        if self.over == "all" or len(x) < 3:
            return self.torch
        return self.torch._replace(module="LayerNorm2d", base="nn.LayerNorm", helper=CHANNEL_NORM)

    def normalized(self, x: Shape) -> Shape:
        """The sizes that are normalized over."""
        return x if self.over == "all" else x[:1] if len(x) == 3 else x[-1:]

    def operations(self, x: Shape, y: Shape) -> int:
        return elements(y) * (5 if self.affine else 4)

    def weights(self, x: Shape) -> tuple[Weight, ...]:
        return learned(self.affine, self.normalized(x))

    def kept(self, x: Shape, y: Shape) -> tuple[Kept, ...]:
        return "input", *self.scratch(x, y)

    def scratch(self, x: Shape, y: Shape) -> tuple[Inner, ...]:
        return statistics(prod(x) // prod(self.normalized(x)))

    def facts(self, x: Shape) -> dict[str, Any]:
        sizes = self.normalized(x)
        normalized = sizes[0] if len(sizes) == 1 else sizes
        return super().facts(x) | {"normalized": normalized, "elementwise_affine": self.affine}

    def run(self, torch: Any, x: Any, weights: Mapping[str, Any], training: bool) -> Any:
        settings = (weights.get("weight"), weights.get("bias"), self.eps)
        if self.over == "channels" and x.dim() == 4:
            rows = torch.nn.functional.layer_norm(x.permute(0, 2, 3, 1), x.shape[1:2], *settings)
            return rows.permute(0, 3, 1, 2)
        return torch.nn.functional.layer_norm(x, x.shape[1:] if self.over == "all" else x.shape[-1:], *settings)


class LocalResponseNorm(Op):
    """Local response normalization: each value over those of `size` neighbouring channels. Krizhevsky et al. 2012.

    x / (k + alpha * mean of the squares) ^ beta; nothing is learned.

    Example: local_response_norm(5)
    """

    name = "local_response_norm"
    keeps_size = ALWAYS
    saves = frozenset({"input"})
    torch = Spelling("nn.LocalResponseNorm", ("size",), ("alpha", "beta", "k"), {"alpha": 1e-4, "beta": 0.75, "k": 1.0})
    size: int = param(minimum=1)
    alpha: float = named(1e-4, minimum=0)
    beta: float = named(0.75, minimum=0, maximum=4)
    k: float = named(1.0, minimum=1e-6)

    def output(self, x: Shape) -> Shape:
        return feature_map(x)

    def kept(self, x: Shape, y: Shape) -> tuple[Kept, ...]:
        # The squares with a border of channels, what they are divided by, and that before its power.
        return "input", Inner(self.bordered(x)), *[Inner(prod(x))] * 2

    def scratch(self, x: Shape, y: Shape) -> tuple[Inner, ...]:
        return (Inner(max(2 * prod(x), self.bordered(x))),)

    def bordered(self, x: Shape) -> int:
        """Elements with `size - 1` channels more."""
        return (x[0] + self.size - 1) * x[1] * x[2]

    def run(self, torch: Any, x: Any, weights: Mapping[str, Any], training: bool) -> Any:
        return torch.nn.functional.local_response_norm(x, self.size, self.alpha, self.beta, self.k)


def statistics(count: int, *, shared: bool = False) -> tuple[Inner, ...]:
    """Means and reciprocal deviations."""
    return Inner(count, shared), Inner(count, shared)


def learned(affine: bool, shape: Shape) -> tuple[Weight, ...]:
    """The scale and the shift."""
    return (Weight("weight", shape), Weight("bias", shape)) if affine else ()


def running(track: bool, shape: Shape) -> tuple[Weight, ...]:
    """The statistics that are kept for evaluation."""
    if not track:
        return ()
    mean, variance = Weight("running_mean", shape, "buffer"), Weight("running_var", shape, "buffer")
    return mean, variance, Weight("num_batches_tracked", (), "counter")


def check_several(count: int, what: str, help: str) -> None:
    """Raises Misfit for a norm over one value, which is its own mean: nothing of it would be left."""
    if count == 1:
        raise Misfit(catalog.BAD_SHAPE, "", f"{what} has one value, so there is nothing to normalize over", help)


def check_start(affine: bool, gamma: float, beta: float) -> None:
    """Raises Misfit where `gamma` or `beta` is set, but no scale and shift is learned."""
    for name, value, default in (("gamma", gamma, 1.0), ("beta", beta, 0.0)):
        if not affine and value != default:
            label = f"{name} = {value} is the start of a learned value, and `affine = false` learns none"
            raise Misfit(catalog.UNUSED, name, label, "set `affine = true`")
