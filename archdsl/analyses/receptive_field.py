"""Receptive fields: the places of the network's input that a place of a map depends on, over all paths.

The input is unbounded in the model, so borders change nothing. An op that reads a whole map (a global pool, a
flattening) has the field `whole`. If a map is multiplied by one that reads a whole map, as squeeze-and-excitation does,
that is a gate: the field stays that of the gated map, and is marked `gated`. Statistics of norms are not counted.

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
"""For each source tensor of a value, by number, the places that a place of the value reads; None for all."""


class Effect(NamedTuple):
    """Dependence of a tensor on source tensors, and whether a gate is on a path."""

    paths: Paths
    gated: bool = False

    def is_whole(self, whole: tuple[bool, ...]) -> bool:
        """True if the tensor depends on whole maps only; `whole` marks the sources that are whole themselves."""
        return bool(self.paths) and all(reaches is None or whole[at] for at, reaches in self.paths.items())


Effects = tuple[Effect, ...]


def sources(count: int) -> Effects:
    """Tensors that depend on nothing but themselves."""
    return tuple(Effect({at: SAME_PLACE}) for at in range(count))


def composed_with(effect: Effect, given: Effects, shape: Shape) -> Effect:
    """Compose the dependence of a tensor on others with theirs."""
    paths: Paths = {}
    for at, reaches in effect.paths.items():
        for source, before in given[at].paths.items():
            reached = composed(reaches, before)
            paths[source] = hull(paths[source], reached, shape) if source in paths else reached
    return Effect(paths, effect.gated or any(given[at].gated for at in effect.paths))


def composed(outer: Reaches | None, inner: Reaches | None) -> Reaches | None:
    """Places read through a map in between."""
    if outer is None or inner is None:
        return None
    # Fast path: most ops are elementwise, and fractions are slow.
    if outer is SAME_PLACE or inner is SAME_PLACE:
        return inner if outer is SAME_PLACE else outer
    height, width = (
        Reach(a.step * b.step, a.low * b.step + b.low, a.high * b.step + b.high)
        for a, b in zip(outer, inner, strict=True)
    )
    return height, width


def hull(a: Reaches | None, b: Reaches | None, shape: Shape) -> Reaches | None:
    """Smallest interval that holds both, for a place of a map of a shape."""
    if a is None or b is None:
        return None
    height, width = (hull_axis(*axes) for axes in zip(a, b, (*shape[-2:], 1, 1)[:2], strict=True))
    return height, width


def hull_axis(a: Reach, b: Reach, size: int) -> Reach:
    """Hull along one axis."""
    # Paths of different strides (maps brought to one size) part, by at most the distance at the last place.
    drift = (b.step - a.step) * (size - 1)
    return Reach(a.step, min(a.low, b.low, b.low + drift), max(a.high, b.high, b.high + drift))


def power(effects: Effects, times: int, shapes: tuple[Shape, ...]) -> Effects:
    """Compose a dependence with itself a number of times, by squaring."""
    result, power = sources(len(effects)), effects
    while times:
        if times % 2:
            result = composed_all(power, result, shapes)
        times //= 2
        power = composed_all(power, power, shapes) if times else power
    return result


def composed_all(effects: Effects, given: Effects, shapes: tuple[Shape, ...]) -> Effects:
    """Compose the dependence of several tensors with that of their sources."""
    return tuple(composed_with(effect, given, shape) for effect, shape in zip(effects, shapes, strict=True))


Pair = tuple[Fraction, Fraction]


class Field(NamedTuple):
    """Receptive field of a map; sizes, strides and offsets are (height, width).

    `offset` is the start of the field of the map's first place: if negative, outside of the input.
    """

    size: Pair
    stride: Pair
    offset: Pair
    whole: bool = False
    gated: bool = False

    def covers(self, shape: Shape) -> bool:
        """True if the field is at least as large as an input of that shape."""
        return self.whole or all(size >= side for size, side in zip(self.size, shape[1:], strict=True))


NONE: Pair = (Fraction(0), Fraction(0))
WHOLE = Field(NONE, NONE, NONE, whole=True)


def fields(graph: Graph, depth: Depth = "stage") -> list[tuple[Placed, Field | None]]:
    """Parts of a network down to a depth, each with the field of its output.

    The field is None for lists, and for outputs that do not depend on the input.
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
    """Largest field that is not the whole map, by its shorter side: that of a network, given its sections'."""
    ending = [field for field in found if field is not None and not field.whole]
    return max(ending, key=lambda field: min(field.size), default=None)


def field_of(effect: Effect) -> Field | None:
    """Field of a tensor, from its dependence on the network's input."""
    if 0 not in effect.paths:
        return None
    reaches = effect.paths[0]
    if reaches is None:
        return WHOLE._replace(gated=effect.gated)
    high, wide = reaches
    size = (high.high - high.low + 1, wide.high - wide.low + 1)
    return Field(size, (high.step, wide.step), (high.low, wide.low), False, effect.gated)


class Memo:
    """Dependence of the outputs of scopes on their inputs, computed once for each.

    It differs by the inputs that are whole maps already: these may become gates.
    """

    def __init__(self) -> None:
        self.known: dict[tuple[Scope, tuple[bool, ...]], Effects] = {}

    def called(self, scope: Scope, given: Effects, whole: tuple[bool, ...]) -> Effects:
        """Outputs of a scope called on tensors; `whole` marks the sources that are whole."""
        mask = tuple(effect.is_whole(whole) for effect in given)
        return composed_all(self.effects(scope, mask), given, each_shape(scope.output))

    def effects(self, scope: Scope, whole: tuple[bool, ...]) -> Effects:
        """Dependence of each output of a scope on its inputs."""
        found = self.known.get((scope, whole))
        if found is None:
            found = of_op(scope.op, scope, whole) if scope.op is not None else self.of_body(scope, whole)
            self.known[scope, whole] = found
        return found

    def of_body(self, scope: Scope, whole: tuple[bool, ...]) -> Effects:
        """Dependence for a scope with steps."""
        values = dealt(scope.inputs, sources(len(whole)))
        for step in scope.steps:
            values[step.output] = self.step(scope, step, gathered(values, step.inputs), whole)
        return gathered(values, [scope.result])

    def step(self, scope: Scope, step: Step, given: Effects, whole: tuple[bool, ...]) -> Effects:
        """Dependence for a step."""
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
        """Dependence for a run of equal modules."""
        # Once a module leaves the marks unchanged, the rest of the run is a power of one dependence.
        left = run.count
        shapes = each_shape(run.scope.output)
        while left:
            before = tuple(effect.is_whole(whole) for effect in given)
            given = self.called(run.scope, given, whole)
            left -= 1
            if tuple(effect.is_whole(whole) for effect in given) == before:
                rest = power(self.effects(run.scope, before), left, shapes)
                return composed_all(rest, given, shapes) if left else given
        return given


def of_op(op: Op, scope: Scope, whole: tuple[bool, ...]) -> Effects:
    """Dependence for an op, from its declared reach."""
    given, results = each_shape(scope.inputs[0]), each_shape(scope.output)
    if op.takes == "tensor":
        effect = Effect({0: op.reach(scope.inputs[0], scope.output)})
        return tuple(effect for _ in results)
    gates = [whole[at] or is_spread(shape, results[0]) for at, shape in enumerate(given)] if op.gates else []
    # A product of gates only has no gated map, so all of its factors count.
    if any(gates) and not all(gates):
        kept = [at for at, gate in enumerate(gates) if not gate]
    else:
        kept = list(range(len(given)))
    joined = sources(len(given))
    paths = {at: path for at in kept for path in joined[at].paths.values()}
    return tuple(Effect(paths, gated=len(kept) < len(given)) for _ in results)


def is_spread(shape: Shape, result: Shape) -> bool:
    """Tell an operand of one place that is broadcast over the places of a product."""
    return shape[-2:] == (1, 1) != result[-2:]
