"""Reductions over the places or over the channels, which leave a size of 1 there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from archdsl.op import SAME_PLACE, Op, Reaches, Shape, Spelling, elements, param
from archdsl.ops.common import feature_map

Over = Literal["spatial", "channels"]


class ReduceMean(Op):
    """The mean over height and width, or over the channels (a map of 1 x H x W).

    Example: reduce_mean(channels)
    """

    name = "reduce_mean"
    keeps_size = (("over", ("channels",)),)
    saves = frozenset()
    torch = Spelling(function="{x}.mean({dims}, keepdim=True)")
    over: Literal["spatial", "channels"] = param("spatial")

    def output(self, x: Shape) -> Shape:
        return reduced(x, self.over)

    def operations(self, x: Shape, y: Shape) -> int:
        return elements(x)

    def reach(self, x: Shape, y: Shape) -> Reaches | None:
        return None if self.over == "spatial" else SAME_PLACE

    def facts(self, x: Shape) -> dict[str, Any]:
        return super().facts(x) | {"dims": dims(self.over)}

    def run(self, torch: Any, x: Any, weights: Mapping[str, Any], training: bool) -> Any:
        return x.mean((2, 3) if self.over == "spatial" else 1, keepdim=True)


class ReduceSum(Op):
    """The sum over height and width, or over the channels (a map of 1 x H x W).

    Example: reduce_sum(channels)
    """

    name = "reduce_sum"
    keeps_size = (("over", ("channels",)),)
    saves = frozenset()
    torch = Spelling(function="{x}.sum({dims}, keepdim=True)")
    over: Literal["spatial", "channels"] = param("spatial")

    def output(self, x: Shape) -> Shape:
        return reduced(x, self.over)

    def operations(self, x: Shape, y: Shape) -> int:
        return elements(x)

    def reach(self, x: Shape, y: Shape) -> Reaches | None:
        return None if self.over == "spatial" else SAME_PLACE

    def facts(self, x: Shape) -> dict[str, Any]:
        return super().facts(x) | {"dims": dims(self.over)}

    def run(self, torch: Any, x: Any, weights: Mapping[str, Any], training: bool) -> Any:
        return x.sum((2, 3) if self.over == "spatial" else 1, keepdim=True)


class ReduceMax(Op):
    """The largest value over height and width, or over the channels (a map of 1 x H x W). Equals share the gradient.

    Example: reduce_max(channels)
    """

    name = "reduce_max"
    keeps_size = (("over", ("channels",)),)
    saves = frozenset({"input", "output"})
    torch = Spelling(function="{x}.amax({dims}, keepdim=True)")
    over: Literal["spatial", "channels"] = param("spatial")

    def output(self, x: Shape) -> Shape:
        return reduced(x, self.over)

    def operations(self, x: Shape, y: Shape) -> int:
        return elements(x)

    def reach(self, x: Shape, y: Shape) -> Reaches | None:
        return None if self.over == "spatial" else SAME_PLACE

    def facts(self, x: Shape) -> dict[str, Any]:
        return super().facts(x) | {"dims": dims(self.over)}

    def run(self, torch: Any, x: Any, weights: Mapping[str, Any], training: bool) -> Any:
        return x.amax((2, 3) if self.over == "spatial" else 1, keepdim=True)


def reduced(x: Shape, over: Over) -> Shape:
    """The shape with 1 where it was reduced."""
    return (feature_map(x)[0], 1, 1) if over == "spatial" else (1, *x[1:])


def dims(over: Over) -> tuple[int, ...]:
    """PyTorch's numbers for the dimensions."""
    return (2, 3) if over == "spatial" else (1,)
