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

from archdsl.analyses.reaches import Effect, Effects, after, repeated, sources
from archdsl.analyses.walk import Depth, Placed, parts_of
from archdsl.graph import Graph, Run, Scope, Step, dealt, each_shape, gathered
from archdsl.op import Op, Shape

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
