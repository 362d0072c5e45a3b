"""What classes are called, and what they stand for."""

from __future__ import annotations

from collections.abc import Iterator

from archdsl.backends.torch.grouping import Grouping
from archdsl.backends.torch.registry import helper_names
from archdsl.backends.torch.text import camel
from archdsl.graph import Child, Graph, Scope, distinct
from archdsl.graph.forward.names import unique


def class_names(graph: Graph, grouping: Grouping, homes: dict[Scope, str]) -> dict[int, str]:
    """A name for each group: its definition's, in camel case, numbered where that is taken."""
    root = grouping.groups[-1]
    taken = words(graph)
    names = {root.index: unique(camel(graph.name), taken)}
    taken.add(names[root.index])
    for group in grouping.groups[:-1]:
        names[group.index] = unique(camel(called(group.first, homes).replace(".", "_")), taken)
        taken.add(names[group.index])
    return names


def words(graph: Graph) -> set[str]:
    """What classes may not be called: the names in helpers' sources, and those of arguments."""
    found = helper_names(graph)
    for scope in distinct(graph.root):
        found.update(argument.name for argument in scope.arguments)
    return found


def called(scope: Scope, homes: dict[Scope, str]) -> str:
    """What a class stands for: an op, a definition, or what has a home only: `dense.unit`, `bottleneck.body`."""
    if scope.op is not None:
        return scope.op.name
    return homes[scope] if scope.kind == "chain" else scope.name


def homes_of(graph: Graph) -> dict[Scope, str]:
    """For each chain, the definition or section in whose text it stands, and its name there."""
    homes: dict[Scope, str] = {child.scope: child.name for child in graph.root.children}
    for scope in reversed(list(distinct(graph.root))):
        home = homes.get(scope, scope.name) if scope is not graph.root else ""
        for child, below in modules_of(scope):
            if below.kind == "chain":
                top = below.owner or home.partition(".")[0]
                named = child.name if child.form == "one" and child.role != "parameter" else "unit"
                homes.setdefault(below, f"{top}.{named}")
    return homes


def modules_of(scope: Scope) -> Iterator[tuple[Child, Scope]]:
    """The modules that a scope holds, and those as which it calls them: shared weights meet several shapes."""
    for child in scope.children:
        yield from ((child, run.scope) for run in child.runs)
    for step in scope.steps:
        if step.kind == "call" and step.scope is not None:
            yield scope.child(step.target), step.scope
