"""Ops that cut, pad and reorder channels."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from functools import partial
from typing import Any

from archdsl.diagnostics import catalog
from archdsl.op import ALWAYS, Misfit, Op, Parts, Reaches, Shape, Spelling, param
from archdsl.ops.common import feature_map, near, slid

MOST_PARTS = 4096


class Split(Op):
    """Cuts the channels into a list of tensors: `split(4)` into equal parts, `split(0.25)` by the share of the first
    of two parts, `split([64, 32])` by counts. What does not come out even is an error.

    Example: split(2) -> concat
    """

    name = "split"
    keeps_size = ALWAYS
    saves = frozenset()
    view = True
    torch = Spelling(function="torch.split({x}, {sizes}, dim=1)")
    parts: Parts = param()

    def output(self, x: Shape) -> tuple[Shape, ...]:
        return tuple((size, *x[1:]) for size in self.sizes(x[0]))

    def sizes(self, channels: int) -> list[int]:
        """The channels of each part."""
        if isinstance(self.parts, tuple):
            return counts(channels, self.parts)
        return shares(channels, self.parts) if isinstance(self.parts, Fraction) else equal_parts(channels, self.parts)

    def facts(self, x: Shape) -> dict[str, Any]:
        return super().facts(x) | {"sizes": self.sizes(x[0])}

    def run(self, torch: Any, x: Any, weights: Mapping[str, Any], training: bool) -> Any:
        return list(torch.split(x, self.sizes(x.shape[1]), 1))


class Slice(Op):
    """The channels from `start` up to but not including `stop`; negative numbers count from the end, as in Python.

    Example: slice(0, 4)
    """

    name = "slice"
    keeps_size = ALWAYS
    saves = frozenset()
    view = True
    torch = Spelling(function="{x}[:, {start}:{stop}]")
    start: int = param(0)
    stop: int | None = param(None)

    def output(self, x: Shape) -> Shape:
        start, stop = self.bounds(x[0])
        if not 0 <= start < stop <= x[0]:
            raise Misfit(
                catalog.SPLIT, "start" if start else "stop", f"{start} to {stop} is not a part of {x[0]} channels"
            )
        return (stop - start, *x[1:])

    def bounds(self, channels: int) -> tuple[int, int]:
        """Start and stop, counted from the first channel."""
        stop = channels if self.stop is None else self.stop
        start, stop = (at + channels if at < 0 else at for at in (self.start, stop))
        return start, stop

    def facts(self, x: Shape) -> dict[str, Any]:
        start, stop = self.bounds(x[0])
        return super().facts(x) | {"start": start, "stop": stop}

    def run(self, torch: Any, x: Any, weights: Mapping[str, Any], training: bool) -> Any:
        start, stop = self.bounds(x.shape[1])
        return x[:, start:stop]


class PadChannels(Op):
    """The shortcut without parameters: takes every `stride`-th place, and adds channels of zeros up to `out`.

    Where `out` is less than the input's channels, it keeps the first `out` (darknet's partial shortcut). He et al.
    2016, option A.

    Example: pad_channels(16, 2)
    """

    name = "pad_channels"
    keeps_size = (("stride", (1,)),)
    saves = frozenset()
    view = True
    work = 0
    torch = Spelling(function="nn.functional.pad({x}, (0, 0, 0, 0, 0, {extra}))")
    out: int = param(minimum=1)
    stride: int = param(1, minimum=1)

    def output(self, x: Shape) -> Shape:
        _, *size = feature_map(x)
        height, width = ((side - 1) // self.stride + 1 for side in size)
        return self.out, height, width

    def moves(self, x: Shape) -> bool:
        return self.out > x[0]

    def reach(self, x: Shape, y: Shape) -> Reaches:
        reach = slid(1, self.stride, 0)
        return reach, reach

    def spelling(self, x: Shape) -> Spelling:
        places = "::{stride}, ::{stride}" if self.stride > 1 else ""
        if self.out < x[0]:
            return Spelling(function="{x}[:, :{out}, " + places + "]" if places else "{x}[:, :{out}]")
        sampled = "{x}[:, :, " + places + "]" if places else "{x}"
        return Spelling(function=self.torch.function.replace("{x}", sampled) if self.out > x[0] else sampled)

    def facts(self, x: Shape) -> dict[str, Any]:
        return super().facts(x) | {"extra": max(self.out - x[0], 0)}

    def run(self, torch: Any, x: Any, weights: Mapping[str, Any], training: bool) -> Any:
        kept = x[:, : self.out, :: self.stride, :: self.stride]
        missing = self.out - kept.shape[1]
        return torch.nn.functional.pad(kept, (0, 0, 0, 0, 0, missing)) if missing else kept


class ChannelShuffle(Op):
    """Mixes the channels of `groups` groups: the first of each group, then the second of each, and so on.

    Zhang et al. 2018 (ShuffleNet).

    Example: channel_shuffle(2)
    """

    name = "channel_shuffle"
    keeps_size = ALWAYS
    saves = frozenset()
    view = True
    work = 0
    torch = Spelling(function="{x}.unflatten(1, ({groups}, -1)).transpose(1, 2).flatten(1, 2)")
    groups: int = param(minimum=1)

    def output(self, x: Shape) -> Shape:
        if x[0] % self.groups:
            raise Misfit(
                catalog.GROUPS,
                "groups",
                f"{self.groups} groups do not divide the {x[0]} channels",
                partial(near, x[0], self.groups),
            )
        return x

    def moves(self, x: Shape) -> bool:
        return len(x) == 1 or 1 < self.groups < x[0]

    def run(self, torch: Any, x: Any, weights: Mapping[str, Any], training: bool) -> Any:
        grouped = x.reshape(len(x), self.groups, -1, *x.shape[2:])
        return grouped.transpose(1, 2).reshape(x.shape)


def equal_parts(channels: int, parts: int) -> list[int]:
    """The sizes of `parts` equal parts; raises Misfit where there are none."""
    if parts < 1 or channels % parts:
        raise Misfit(
            catalog.SPLIT,
            "parts",
            f"{channels} channels cannot be split into {parts} equal parts",
            partial(near, channels, parts),
        )
    if parts > MOST_PARTS:
        raise Misfit(catalog.SPLIT, "parts", f"{parts} parts are too many", f"at most {MOST_PARTS}")
    return [channels // parts] * parts


def shares(channels: int, share: Fraction) -> list[int]:
    """The sizes of two parts, the first with a share of the channels; raises Misfit where they are not whole."""
    first = channels * share.numerator // share.denominator
    if channels * share.numerator % share.denominator or not 0 < first < channels:
        raise Misfit(
            catalog.SPLIT,
            "parts",
            lambda: f"{float(share):g} of {channels} channels is {float(channels * share):g}",
            "both sides of a share must be whole channels",
        )
    return [first, channels - first]


def counts(channels: int, parts: tuple[int, ...]) -> list[int]:
    """The sizes as given; raises Misfit where they are not the channels."""
    if not parts or any(part < 1 for part in parts):
        raise Misfit(catalog.SPLIT, "parts", "a part without channels", "each part needs at least one")
    if sum(parts) != channels:
        label = f"{' + '.join(map(str, parts))} is {sum(parts)}, but there are {channels} channels"
        raise Misfit(catalog.SPLIT, "parts", label)
    return list(parts)
