"""Ops that change height and width without weights, other than pools."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from math import floor
from typing import Any, Literal

from archdsl.diagnostics import catalog
from archdsl.op import Kept, Misfit, Op, Reach, Reaches, Shape, Size, Spelling, elements, named, pair, param
from archdsl.ops.common import feature_map, shown, slid, spread


class Upsample(Op):
    """Interpolates, `scale` times as large or to a `size`: one of the two.

    Modes other than nearest take `align_corners`.

    Example: upsample(2, mode = bilinear)
    """

    name = "upsample"
    saves = frozenset()
    torch = Spelling(
        "nn.Upsample",
        (),
        ("size", "scale_factor", "mode", "align_corners"),
        {"size": None, "scale_factor": None, "mode": "nearest", "align_corners": False},
    )
    scale: float | None = param(None, above=0, maximum=65536)
    size: Size | None = named(None, minimum=1)
    mode: Literal["nearest", "bilinear", "bicubic"] = named("nearest")
    align_corners: bool = named(False)

    def output(self, x: Shape) -> Shape:
        channels, height, width = feature_map(x)
        if self.mode == "nearest" and self.align_corners:
            help = "leave it out, or set `mode = bilinear`"
            raise Misfit(catalog.UNUSED, "align_corners", "the nearest value has no corners to align", help)
        if self.size is not None and self.scale is not None:
            raise Misfit(catalog.REPEATED_ARGUMENT, "size", "`scale` already sets the size of the map")
        if self.size is not None:
            return channels, *pair(self.size)
        if self.scale is None:
            raise Misfit(catalog.MISSING_ARGUMENT, "", "how large?", "give a scale, `upsample(2)`, or a `size`")
        return channels, self.scaled(height), self.scaled(width)

    def scaled(self, size: int) -> int:
        """A height or width, times the scale."""
        result = floor(size * (self.scale or 1))
        if result < 1:
            raise Misfit(catalog.BAD_SHAPE, "scale", f"{size} times {self.scale} leaves nothing of the map")
        return result

    def operations(self, x: Shape, y: Shape) -> int:
        return elements(y) * {"nearest": 1, "bilinear": 4, "bicubic": 16}[self.mode]

    def reach(self, x: Shape, y: Shape) -> Reaches:
        height, width = (self.reached(before, after) for before, after in zip(x[1:], y[1:], strict=True))
        return height, width

    def reached(self, before: int, after: int) -> Reach:
        """One axis of what a place reads."""
        factor = Fraction(before, after) if self.scale is None else 1 / Fraction(self.scale).limit_denominator(4096)
        if self.mode == "nearest":
            return spread(factor)
        if self.align_corners and after > 1:
            factor = Fraction(before - 1, after - 1)
        return between(factor, 0 if self.align_corners else (factor - 1) / 2, 2 if self.mode == "bicubic" else 1)

    def facts(self, x: Shape) -> dict[str, Any]:
        whole = self.scale is not None and self.scale == int(self.scale)
        return super().facts(x) | {"scale_factor": int(self.scale or 0) if whole else self.scale}

    def run(self, torch: Any, x: Any, weights: Mapping[str, Any], training: bool) -> Any:
        corners = None if self.mode == "nearest" else self.align_corners
        return torch.nn.functional.interpolate(x, self.size, self.scale, self.mode, corners)


class Pad2d(Op):
    """Widens a map by `border`, a number or [height, width], on both sides; `top`, `bottom`, `left`, `right` differ.

    With zeros, with the reflected map, or with its outermost values.

    Example: pad2d(top = 1, left = 1)
    """

    name = "pad2d"
    work = 0
    saves = frozenset({"input"})
    torch = Spelling("nn.ZeroPad2d", ("sides",))
    border: Size = param(0, minimum=0)
    top: int | None = named(None, minimum=0)
    bottom: int | None = named(None, minimum=0)
    left: int | None = named(None, minimum=0)
    right: int | None = named(None, minimum=0)
    mode: Literal["zero", "reflect", "replicate"] = named("zero")

    def output(self, x: Shape) -> Shape:
        channels, height, width = feature_map(x)
        left, right, top, bottom = self.sides()
        if self.mode == "reflect":
            self.check_reflection(height, top=top, bottom=bottom)
            self.check_reflection(width, left=left, right=right)
        return channels, top + height + bottom, left + width + right

    def reach(self, x: Shape, y: Shape) -> Reaches:
        left, _, top, _ = self.sides()
        return slid(1, 1, top), slid(1, 1, left)

    def check_reflection(self, size: int, **borders: int) -> None:
        """Raises Misfit where a border is wider than what there is to reflect."""
        for name, border in borders.items():
            if border >= size:
                blamed = "border" if self.__dict__[name] is None else name
                label = f"a border of {border} cannot be reflected from {size}"
                help = "at most one less than the map; `mode = replicate` has no limit"
                raise Misfit(catalog.BAD_SHAPE, blamed, label, help)

    def sides(self) -> tuple[int, int, int, int]:
        """(left, right, top, bottom), PyTorch's order."""
        height, width = pair(self.border)
        sides = ((self.left, width), (self.right, width), (self.top, height), (self.bottom, height))
        left, right, top, bottom = (border if side is None else side for side, border in sides)
        return left, right, top, bottom

    def spelling(self, x: Shape) -> Spelling:
        modules = {"zero": "nn.ZeroPad2d", "reflect": "nn.ReflectionPad2d", "replicate": "nn.ReplicationPad2d"}
        return self.torch._replace(module=modules[self.mode])

    def kept(self, x: Shape, y: Shape) -> tuple[Kept, ...]:
        return () if self.mode == "zero" else ("input",)

    def facts(self, x: Shape) -> dict[str, Any]:
        sides = self.sides()
        return super().facts(x) | {"sides": sides[0] if len(set(sides)) == 1 else sides}

    def run(self, torch: Any, x: Any, weights: Mapping[str, Any], training: bool) -> Any:
        mode = "constant" if self.mode == "zero" else self.mode
        return torch.nn.functional.pad(x, self.sides(), mode)


class PixelShuffle(Op):
    """Channels to places: C x H x W to C / factor^2 x H * factor x W * factor. Shi et al. 2016.

    Example: pixel_shuffle(2)
    """

    name = "pixel_shuffle"
    saves = frozenset()
    view = True
    work = 0
    torch = Spelling("nn.PixelShuffle", ("factor",))
    factor: int = param(minimum=1)

    def output(self, x: Shape) -> Shape:
        channels, height, width = feature_map(x)
        square = self.factor**2
        if channels % square:
            label = f"{channels} channels are not a multiple of {square}, the factor squared"
            raise Misfit(catalog.BAD_SHAPE, "factor", label)
        return channels // square, height * self.factor, width * self.factor

    def moves(self, x: Shape) -> bool:
        return True

    def reach(self, x: Shape, y: Shape) -> Reaches:
        reach = spread(Fraction(1, self.factor))
        return reach, reach

    def run(self, torch: Any, x: Any, weights: Mapping[str, Any], training: bool) -> Any:
        return torch.nn.functional.pixel_shuffle(x, self.factor)


class PixelUnshuffle(Op):
    """Places to channels: C x H x W to C * factor^2 x H / factor x W / factor; also called space-to-depth.

    Example: pixel_unshuffle(2)
    """

    name = "pixel_unshuffle"
    saves = frozenset()
    view = True
    work = 0
    torch = Spelling("nn.PixelUnshuffle", ("factor",))
    factor: int = param(minimum=1)

    def output(self, x: Shape) -> Shape:
        channels, height, width = feature_map(x)
        if height % self.factor or width % self.factor:
            label = f"{self.factor} does not divide the height and width of {shown(x)}"
            raise Misfit(catalog.BAD_SHAPE, "factor", label, "`pad2d` before it can make the map fit")
        return channels * self.factor**2, height // self.factor, width // self.factor

    def moves(self, x: Shape) -> bool:
        return True

    def reach(self, x: Shape, y: Shape) -> Reaches:
        reach = slid(self.factor, self.factor, 0)
        return reach, reach

    def run(self, torch: Any, x: Any, weights: Mapping[str, Any], training: bool) -> Any:
        return torch.nn.functional.pixel_unshuffle(x, self.factor)


def between(factor: Fraction, start: Fraction | int, taps: int) -> Reach:
    """Reach of interpolation along one axis: the place lies at `o * factor + start` between places of the input, and
    reads the `taps` nearest on each side; where it falls on a place, that one only.
    """
    grid = Fraction(1, 2 * factor.denominator)
    off = [at * grid for at in range(2 * factor.denominator) if (at * grid - start) % (2 * grid) == 0]
    most, least = max(off), min((each for each in off if each), default=None)
    if least is None:
        return Reach(factor, Fraction(start), Fraction(start))
    return Reach(factor, start - most - (taps - 1), start + (1 - least) + (taps - 1))
