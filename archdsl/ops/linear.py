"""Fully connected layers."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import Any

from archdsl.diagnostics import catalog
from archdsl.initializer import Initializer
from archdsl.op import Misfit, Op, Shape, Spelling, Weight, named, param
from archdsl.ops.common import shown


class Linear(Op):
    """Fully connected: a row of features to `out` features. Of several rows (rows x features), each by itself.

    A map is flattened or pooled before; `conv(out)` is the same layer at each place of a map.

    Example: flatten -> linear(10)
    """

    name = "linear"
    counts_as = "linear"
    saves = frozenset({"input"})
    torch = Spelling("nn.Linear", ("in_features", "out"), ("bias",), {"bias": True})
    out: int = param(minimum=1)
    bias: bool = named(True)
    init: Initializer | None = named(None)
    bias_init: Initializer | None = named(None)

    def output(self, x: Shape) -> Shape:
        if len(x) > 2:
            raise Misfit(
                catalog.NOT_FLAT, "", f"{shown(x)} is not a vector of features", "put `flatten` before `linear`"
            )
        return (*x[:-1], self.out)

    def weights(self, x: Shape) -> tuple[Weight, ...]:
        weight = Weight("weight", (self.out, x[-1]))
        return (weight, Weight("bias", (self.out,))) if self.bias else (weight,)

    def macs(self, x: Shape, y: Shape) -> int:
        return prod(x) * self.out

    def facts(self, x: Shape) -> dict[str, Any]:
        return super().facts(x) | {"in_features": x[-1]}

    def run(self, torch: Any, x: Any, weights: Mapping[str, Any], training: bool) -> Any:
        return torch.nn.functional.linear(x, weights["weight"], weights.get("bias"))
