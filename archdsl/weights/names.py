"""The names and shapes of all tensors of a network, from its graph alone: the keys of its state dict."""

from __future__ import annotations

from collections.abc import Iterator

from archdsl.graph import Graph, Scope
from archdsl.op import Shape


def tensors(graph: Graph) -> dict[str, Shape]:
    """Each tensor's name and shape, in the order of the modules."""
    return dict(below(graph.root, ""))


def below(root: Scope, path: str) -> Iterator[tuple[str, Shape]]:
    """The tensors of a scope that stands at a path."""
    stack = [(root, path)]
    while stack:
        scope, prefix = stack.pop()
        if scope.op is not None:
            for weight in scope.op.weights(scope.inputs[0]):
                yield f"{prefix}{weight.name}", weight.shape
        stack += [(child, f"{prefix}{name}.") for name, child in reversed(list(modules(scope)))]


def modules(scope: Scope) -> Iterator[tuple[str, Scope]]:
    """The modules that a scope holds, under their names."""
    for child in scope.children:
        if child.form == "one":
            yield child.name, child.scope
            continue
        rows = [run.scope for run in child.runs for _ in range(run.count)]
        for index, each in enumerate(rows):
            yield f"{child.name}.{index}" if child.name else str(index), each
