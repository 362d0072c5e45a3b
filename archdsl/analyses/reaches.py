"""What a place of a tensor reads of the tensors that it is made of: how reaches compose, join, and repeat."""

from __future__ import annotations

from typing import NamedTuple

from archdsl.op import SAME_PLACE, Reach, Reaches, Shape

Paths = dict[int, Reaches | None]
"""For each tensor that a value depends on, by its number, what a place of the value reads of it; None for all."""


class Effect(NamedTuple):
    """How a tensor comes from others: the paths to them, and whether there is a gate on one."""

    paths: Paths
    gated: bool = False

    def is_whole(self, whole: tuple[bool, ...]) -> bool:
        """Whether it is made of whole maps only; `whole` says which of its sources are themselves."""
        return bool(self.paths) and all(reaches is None or whole[at] for at, reaches in self.paths.items())


Effects = tuple[Effect, ...]


def sources(count: int) -> Effects:
    """Tensors that come from nothing but themselves."""
    return tuple(Effect({at: SAME_PLACE}) for at in range(count))


def through(effect: Effect, given: Effects, shape: Shape) -> Effect:
    """A tensor of some shape that comes from others, which come from others in turn."""
    paths: Paths = {}
    for at, reaches in effect.paths.items():
        for source, before in given[at].paths.items():
            reached = composed(reaches, before)
            paths[source] = hull(paths[source], reached, shape) if source in paths else reached
    return Effect(paths, effect.gated or any(given[at].gated for at in effect.paths))


def composed(outer: Reaches | None, inner: Reaches | None) -> Reaches | None:
    """What a place reads through a map in between."""
    if outer is None or inner is None:
        return None
    if outer is SAME_PLACE or inner is SAME_PLACE:
        return inner if outer is SAME_PLACE else outer
    height, width = (
        Reach(a.step * b.step, a.low * b.step + b.low, a.high * b.step + b.high)
        for a, b in zip(outer, inner, strict=True)
    )
    return height, width


def hull(a: Reaches | None, b: Reaches | None, shape: Shape) -> Reaches | None:
    """The smallest interval that holds both, for a place of a map of some shape."""
    if a is None or b is None:
        return None
    height, width = (spanned(*axes) for axes in zip(a, b, (*shape[-2:], 1, 1)[:2], strict=True))
    return height, width


def spanned(a: Reach, b: Reach, size: int) -> Reach:
    """One axis. Paths of different strides (maps brought to one size) part; at most as far as at the last place."""
    drift = (b.step - a.step) * (size - 1)
    return Reach(a.step, min(a.low, b.low, b.low + drift), max(a.high, b.high, b.high + drift))


def repeated(effects: Effects, times: int, shapes: tuple[Shape, ...]) -> Effects:
    """Tensors from tensors, so many times over, by squaring."""
    result, power = sources(len(effects)), effects
    while times:
        if times % 2:
            result = after(power, result, shapes)
        times //= 2
        power = after(power, power, shapes) if times else power
    return result


def after(effects: Effects, given: Effects, shapes: tuple[Shape, ...]) -> Effects:
    """Tensors that come from others, which come from others in turn."""
    return tuple(through(effect, given, shape) for effect, shape in zip(effects, shapes, strict=True))
