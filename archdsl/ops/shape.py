"""Ops that lay the same values out in another shape."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import Any

from archdsl.diagnostics import catalog
from archdsl.op import SAME_PLACE, Misfit, Op, Reaches, Shape, Spelling, param
from archdsl.ops.common import shown, unless_one_place


class Flatten(Op):
    """All values of a sample in a row of features.

    Example: flatten
    """

    name = "flatten"
    saves = frozenset()
    view = True
    torch = Spelling("nn.Flatten", function="{x}.flatten(1)")

    def output(self, x: Shape) -> Shape:
        return (prod(x),)

    def reach(self, x: Shape, y: Shape) -> Reaches | None:
        return unless_one_place(x)

    def run(self, torch: Any, x: Any, weights: Mapping[str, Any], training: bool) -> Any:
        return x.reshape(len(x), -1)


class Reshape(Op):
    """The same values, row by row, in another shape (the batch is not counted); one size may be -1, what remains.

    Example: reshape([2, 4, -1])
    """

    name = "reshape"
    saves = frozenset()
    view = True
    torch = Spelling(function="{x}.reshape({sizes})")
    shape: tuple[int, ...] = param(minimum=-1)

    def output(self, x: Shape) -> Shape:
        total, known = prod(x), prod(size for size in self.shape if size != -1)
        if not self.shape or 0 in self.shape or self.shape.count(-1) > 1:
            help = "sizes are 1 or more; one of them may be -1, what remains"
            raise Misfit(catalog.BAD_SHAPE, "shape", f"{list(self.shape)} is not a shape", help)
        if total % known or (-1 not in self.shape and total != known):
            label = f"{shown(x)} has {total} values, which do not fit into {list(self.shape)}"
            raise Misfit(catalog.BAD_SHAPE, "shape", label)
        return tuple(total // known if size == -1 else size for size in self.shape)

    def reach(self, x: Shape, y: Shape) -> Reaches | None:
        return SAME_PLACE if len(x) > 2 and x[-2:] == y[-2:] else unless_one_place(x)

    def facts(self, x: Shape) -> dict[str, Any]:
        return super().facts(x) | {"sizes": (-1, *self.output(x))}

    def run(self, torch: Any, x: Any, weights: Mapping[str, Any], training: bool) -> Any:
        return x.reshape(len(x), *self.shape)


class Permute(Op):
    """The dimensions in another order: 0 for channels, 1 for height, 2 for width; the batch is not counted.

    Example: permute([1, 2, 0])
    """

    name = "permute"
    saves = frozenset()
    view = True
    torch = Spelling(function="{x}.permute({order})")
    dims: tuple[int, ...] = param(minimum=0)

    def output(self, x: Shape) -> Shape:
        if sorted(self.dims) != list(range(len(x))):
            label = f"{list(self.dims)} does not name each of the {len(x)} dimensions of {shown(x)} once"
            raise Misfit(catalog.BAD_SHAPE, "dims", label, "0 is the channels; the batch is not counted")
        return tuple(x[at] for at in self.dims)

    def reach(self, x: Shape, y: Shape) -> Reaches | None:
        kept = len(x) > 2 and self.dims[-2:] == (len(x) - 2, len(x) - 1)
        return SAME_PLACE if kept else unless_one_place(x)

    def facts(self, x: Shape) -> dict[str, Any]:
        return super().facts(x) | {"order": (0, *(at + 1 for at in self.dims))}

    def run(self, torch: Any, x: Any, weights: Mapping[str, Any], training: bool) -> Any:
        return x.permute(0, *(at + 1 for at in self.dims))
