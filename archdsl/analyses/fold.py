"""Sums over a network's ops, worked out once for each distinct scope: time does not grow with repeats."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from archdsl.graph import ROWS, Graph, Run, Scope, Step, distinct

Figure = TypeVar("Figure", bound=tuple[Any, ...])


def sums(graph: Graph, zero: Figure, of_op: Callable[[Scope], Figure]) -> dict[Scope, Figure]:
    """For each scope what its ops sum up to; a figure is a named tuple of numbers, `zero` the sum of no ops.

    Every call counts, also a second one of shared weights. The network's own sum is of inference: training-only
    parts are left out of it, and have sums of their own.
    """
    found: dict[Scope, Figure] = {}
    for scope in distinct(graph.root):
        if scope.op is not None:
            found[scope] = of_op(scope)
            continue
        runs = [run for step in steps_of(graph, scope) for run in runs_of(scope, step)]
        found[scope] = added(zero, [(run.count, found[run.scope]) for run in runs])
    return found


def steps_of(graph: Graph, scope: Scope) -> Iterator[Step]:
    """What a scope does in inference."""
    idle = graph.training_only if scope is graph.root else frozenset[int]()
    return (step for step in scope.steps if step.output not in idle)


def runs_of(scope: Scope, step: Step) -> tuple[Run, ...]:
    """The modules that a step calls."""
    if step.kind in ROWS:
        return scope.child(step.target).runs
    return () if step.scope is None else (Run(1, step.scope),)


def added(start: Figure, parts: list[tuple[int, Figure]]) -> Figure:
    """The sum of figures, each so many times, and of one to start with."""
    values = list(start)
    for count, figure in parts:
        for at, value in enumerate(figure):
            values[at] += count * value
    return type(start)(*values)
