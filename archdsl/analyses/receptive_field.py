"""Receptive fields: which places of the network's input a place of a map depends on, over all paths.

The input is thought of as unbounded, so borders change nothing. What reads a whole map (a global pool, a flattening)
has the field `whole`. Where a map is multiplied by one that reads a whole map, as squeeze-and-excitation does, that
is a gate: the field stays that of the gated map, and is marked `gated`. Statistics of norms are not counted.

After an upsampling, neighbouring places read different sets of places; the field is the smallest interval, relative to
a place that moves by the effective stride, that holds them all. Without upsampling it is exact.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import NamedTuple

from archdsl.analyses.flatten import Depth, Placed, parts_of
from archdsl.graph import Graph, Run, Scope, Step, dealt, each_shape, gathered
from archdsl.op import SAME_PLACE, Op, Reach, Reaches, Shape

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


Pair = tuple[Fraction, Fraction]


class Field(NamedTuple):
    """The receptive field of a map; sizes, strides and offsets are (height, width).

    `offset` is where the field of the map's first place starts: if negative, so many places outside of the input.
    """

    size: Pair
    stride: Pair
    offset: Pair
    whole: bool = False
    gated: bool = False

    def covers(self, shape: Shape) -> bool:
        """Whether it is as large as an input of that shape."""
        return self.whole or all(size >= side for size, side in zip(self.size, shape[1:], strict=True))


NONE: Pair = (Fraction(0), Fraction(0))
WHOLE = Field(NONE, NONE, NONE, whole=True)


def fields(graph: Graph, depth: Depth = "stage") -> list[tuple[Placed, Field | None]]:
    """The parts of a network down to a depth, each with the field of what it gives.

    The field is None for lists, and for what does not depend on the input.
    """
    memo = Memo()
    tensors: dict[int, Effect] = {0: sources(1)[0]}
    found: list[tuple[Placed, Field | None]] = []
    for part in parts_of(graph, depth):
        results = memo.called(part.scope, tuple(tensors[each] for each in part.reads), (False,))
        tensors.update(zip(part.gives, results, strict=True))
        found.append((part, field_of(results[0]) if len(results) == 1 else None))
    return found


def largest(found: Iterable[Field | None]) -> Field | None:
    """The largest field that is not the whole map, by its shorter side: that of a network, given its sections'."""
    ending = [field for field in found if field is not None and not field.whole]
    return max(ending, key=lambda field: min(field.size), default=None)


def field_of(effect: Effect) -> Field | None:
    """The field of a tensor, by how it comes from the network's input."""
    if 0 not in effect.paths:
        return None
    reaches = effect.paths[0]
    if reaches is None:
        return WHOLE._replace(gated=effect.gated)
    high, wide = reaches
    size = (high.high - high.low + 1, wide.high - wide.low + 1)
    return Field(size, (high.step, wide.step), (high.low, wide.low), False, effect.gated)


class Memo:
    """How scopes make tensors of tensors, each worked out once.

    What a scope does depends on which of its inputs are made of whole maps already: these may become gates in it.
    """

    def __init__(self) -> None:
        self.known: dict[tuple[Scope, tuple[bool, ...]], Effects] = {}

    def called(self, scope: Scope, given: Effects, whole: tuple[bool, ...]) -> Effects:
        """What a scope gives, called on tensors that come from sources; `whole` says which of those are."""
        mask = tuple(effect.is_whole(whole) for effect in given)
        return after(self.effects(scope, mask), given, each_shape(scope.output))

    def effects(self, scope: Scope, whole: tuple[bool, ...]) -> Effects:
        """How each tensor that a scope gives comes from those that it takes."""
        found = self.known.get((scope, whole))
        if found is None:
            found = of_op(scope.op, scope, whole) if scope.op is not None else self.of_body(scope, whole)
            self.known[scope, whole] = found
        return found

    def of_body(self, scope: Scope, whole: tuple[bool, ...]) -> Effects:
        """Of a scope with steps: one after the other."""
        values = dealt(scope.inputs, sources(len(whole)))
        for step in scope.steps:
            values[step.output] = self.step(scope, step, gathered(values, step.inputs), whole)
        return gathered(values, [scope.result])

    def step(self, scope: Scope, step: Step, given: Effects, whole: tuple[bool, ...]) -> Effects:
        """What a step gives."""
        if step.kind == "pick":
            return (given[int(step.index)],)
        if step.kind == "repeat":
            for run in scope.child(step.target).runs:
                given = self.row(run, given, whole)
            return given
        if step.kind == "collect":
            gathered: list[Effect] = []
            for module in (run.scope for run in scope.child(step.target).runs for _ in range(run.count)):
                given = self.called(module, given, whole)
                gathered += given
            return tuple(gathered)
        assert step.scope is not None
        return self.called(step.scope, given, whole)

    def row(self, run: Run, given: Effects, whole: tuple[bool, ...]) -> Effects:
        """Equal modules, one after the other: all at once, as soon as one leaves alone which of them are whole."""
        left = run.count
        shapes = each_shape(run.scope.output)
        while left:
            before = tuple(effect.is_whole(whole) for effect in given)
            given = self.called(run.scope, given, whole)
            left -= 1
            if tuple(effect.is_whole(whole) for effect in given) == before:
                rest = repeated(self.effects(run.scope, before), left, shapes)
                return after(rest, given, shapes) if left else given
        return given


def of_op(op: Op, scope: Scope, whole: tuple[bool, ...]) -> Effects:
    """Of an op: what it declares to reach in each tensor that it takes."""
    given, results = each_shape(scope.inputs[0]), each_shape(scope.output)
    if op.takes == "tensor":
        effect = Effect({0: op.reach(scope.inputs[0], scope.output)})
        return tuple(effect for _ in results)
    gates = [whole[at] or is_spread(shape, results[0]) for at, shape in enumerate(given)] if op.gates else []
    if any(gates) and not all(gates):
        kept = [at for at, gate in enumerate(gates) if not gate]
    else:
        kept = list(range(len(given)))
    joined = sources(len(given))
    paths = {at: path for at in kept for path in joined[at].paths.values()}
    return tuple(Effect(paths, gated=len(kept) < len(given)) for _ in results)


def is_spread(shape: Shape, result: Shape) -> bool:
    """Whether an operand of one place is spread over the places of a product."""
    return shape[-2:] == (1, 1) != result[-2:]
