"""What classes are called, and how one that has a namesake says in what they differ."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from archdsl.backends.torch.grouping import Group, Grouping
from archdsl.backends.torch.registry import helper_names
from archdsl.backends.torch.text import camel, first_line, unique
from archdsl.graph import Graph, Scope, distinct

SHORT = 40
"""The longest text of an argument that is worth telling."""
MOST = 2
"""So many differences are told."""
POLICIES = ("norm", "act")
IDENTITY = frozenset({"identity"})
"""What a policy is that made no module."""


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
        for child in scope.children:
            for below in (run.scope for run in child.runs if run.scope.kind == "chain"):
                top = below.owner or home.partition(".")[0]
                named = child.name if child.form == "one" and child.role != "parameter" else "unit"
                homes.setdefault(below, f"{top}.{named}")
    return homes


def describe(group: Group, grouping: Grouping, graph: Graph, homes: dict[Scope, str]) -> str:
    """The first line of a class's docstring."""
    scope = group.first
    if scope is graph.root:
        return f"`{graph.name}` for inputs of {'x'.join(map(str, graph.input))}."
    stands_for = called(scope, homes)
    home, _, part = stands_for.partition(".")
    name = f"A unit of `{home}`." if part == "unit" else f"`{part}` of `{home}`." if part else f"`{home}`."
    doc = first_line(scope.doc) or name
    alike = [each for each in grouping.groups if each is not group and called(each.first, homes) == stands_for]
    told = list(differences(group, alike))[:MOST]
    return f"{doc.rstrip('.')} ({', '.join(told)})." if told else doc


def differences(group: Group, others: list[Group]) -> Iterator[str]:
    """In what a class differs from its namesakes, in the language's words: arguments first, then policies."""
    mine, theirs = settings(group), [settings(other) for other in others]
    policies = {name: IDENTITY for each in theirs for name in each if name in POLICIES}
    for name, values in (policies | mine).items():
        elsewhere = {value for other in theirs for value in other.get(name, IDENTITY if name in POLICIES else ())}
        if len(values) == 1 and elsewhere and not values & elsewhere and len(min(values)) <= SHORT:
            yield f"{name} = {min(values)}"


def settings(group: Group) -> dict[str, frozenset[str]]:
    """What a class's instances were made with: bools, symbols and blocks, numbers; and their policies."""
    found: dict[str, set[str]] = defaultdict(set)
    for scope in group.scopes:
        for argument in sorted(scope.arguments, key=lambda argument: rank(argument.value)):
            found[argument.name].add(shown(argument.value))
        for child in scope.children:
            if child.role == "policy" and child.form == "one" and child.scope.op is not None:
                found[child.name].add(child.scope.op.name)
    return {name: frozenset(values) for name, values in found.items()}


def rank(value: Any) -> int:
    """How much an argument tells: a choice more than a number."""
    return 0 if isinstance(value, bool) else 1 if isinstance(value, str) else 2


def shown(value: Any) -> str:
    """A value in the language's words."""
    return str(value).lower() if value is None or isinstance(value, bool) else str(value)
