"""What classes are called, and how one that has a namesake says in what they differ."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from archdsl.backends.torch.grouping import Group, Grouping
from archdsl.backends.torch.text import camel, first_line, numbered
from archdsl.graph import Graph, Scope

SHORT = 40
"""The longest text of an argument that is worth telling."""
MOST = 2
"""So many differences are told."""


def class_names(graph: Graph, grouping: Grouping) -> dict[int, str]:
    """A name for each group: its definition's, in camel case, numbered where that is taken."""
    root = grouping.group[graph.root]
    names = {root.index: camel(graph.name)}
    taken = set(names.values())
    for group in grouping.groups:
        if group is not root:
            name, count = base_name(group.first), 1
            while numbered(name, count) in taken:
                count += 1
            names[group.index] = numbered(name, count)
            taken.add(names[group.index])
    return names


def base_name(scope: Scope) -> str:
    """The name that a class would have if it were alone."""
    if scope.kind != "chain":
        return camel(scope.op.name if scope.op is not None else scope.name)
    if not scope.owner or scope.owner == scope.name:
        return camel(scope.name or "unit")
    return camel(f"{scope.owner}_{scope.name or 'unit'}")


def describe(group: Group, grouping: Grouping, graph: Graph) -> str:
    """The first line of a class's docstring."""
    scope = group.first
    if scope is graph.root:
        shape = "x".join(map(str, graph.input))
        return f"`{graph.name}` for inputs of {shape}."
    if scope.kind == "chain" and scope.owner and scope.owner != scope.name:
        doc = f"`{scope.name}` of `{scope.owner}`." if scope.name else f"A unit of `{scope.owner}`."
    else:
        doc = first_line(scope.doc) or f"`{scope.op.name if scope.op is not None else scope.name}`."
    others = [each for each in grouping.groups if each is not group and namesakes(each.first, scope)]
    told = list(differences(group, others))[:MOST] if others else []
    return f"{doc.rstrip('.')} ({', '.join(told)})." if told else doc


def namesakes(a: Scope, b: Scope) -> bool:
    """Whether two classes come from one definition."""
    return (a.kind, a.name, a.owner) == (b.kind, b.name, b.owner) and (a.op is None) == (b.op is None)


def differences(group: Group, others: list[Group]) -> Iterator[str]:
    """In what a class differs from its namesakes, in the language's words: arguments first, then policies."""
    mine, theirs = settings(group), [settings(other) for other in others]
    for name, values in mine.items():
        elsewhere = {value for other in theirs for value in other.get(name, ())}
        (value, *more) = values
        if not more and value not in elsewhere and elsewhere and len(value) <= SHORT:
            yield f"{name} = {value}"


def settings(group: Group) -> dict[str, set[str]]:
    """What a class's instances were made with: symbols and blocks, policies, numbers."""
    found: dict[str, set[str]] = defaultdict(set)
    for scope in group.scopes:
        given = sorted(scope.arguments, key=lambda argument: isinstance(argument.value, int | float))
        for argument in sorted(given, key=lambda argument: not isinstance(argument.value, bool)):
            found[argument.name].add(shown(argument.value))
        for child in scope.children:
            if child.role == "policy" and child.form == "one" and child.scope.op is not None:
                found[child.name].add(child.scope.op.name)
    return found


def shown(value: Any) -> str:
    """A value in the language's words."""
    return str(value).lower() if value is None or isinstance(value, bool) else str(value)
