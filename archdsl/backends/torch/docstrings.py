"""Docstrings of classes: the definition's own first line, and the difference between classes of one definition."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

from archdsl.backends.torch.class_clustering import ClassGroup, Grouping
from archdsl.backends.torch.class_table import called
from archdsl.backends.torch.pysource import first_line
from archdsl.graph import Graph, Scope

SHORT = 40
"""The longest text of an argument that is worth telling."""
LONGEST = 90
"""The longest docstring on one line."""
MOST = 2
"""So many differences are told."""
POLICIES = ("norm", "act")
IDENTITY = frozenset({"identity"})
"""The value of a policy that made no module."""

Settings = dict[str, frozenset[str]]
"""The values of each argument and policy among the instances of a class."""


def docs(graph: Graph, grouping: Grouping, homes: dict[Scope, str]) -> dict[int, str]:
    """The docstring of each group's class."""
    families: dict[str, list[ClassGroup]] = defaultdict(list)
    for group in grouping.groups[:-1]:
        families[called(group.first, homes)].append(group)
    told = {group: text for family in families.values() for group, text in differences(family).items()}
    found = {group.index: described(group.first, homes, told.get(group, "")) for group in grouping.groups[:-1]}
    return found | {grouping.groups[-1].index: f"`{graph.name}` for inputs of {'x'.join(map(str, graph.input))}."}


def described(scope: Scope, homes: dict[Scope, str], difference: str) -> str:
    """The definition's docstring, or else its name; and the difference."""
    if scope.op is not None:
        clause = first_line(scope.op.__doc__ or "").partition(": ")[0].partition(". ")[0].rstrip(".")
        return f"{clause}." if 0 < len(clause) < LONGEST else f"`{scope.op.name}`."
    home, _, part = called(scope, homes).partition(".")
    name = f"A unit of `{home}`." if part == "unit" else f"`{part}` of `{home}`." if part else f"`{home}`."
    doc = first_line(scope.doc) or name
    line = f"{doc.rstrip('.')} ({difference})." if difference else doc
    return line if len(line) <= LONGEST or not difference else f"{doc}\n\nHere {difference}."


def differences(family: list[ClassGroup]) -> dict[ClassGroup, str]:
    """In what each class differs from all its namesakes, in the language's words: arguments first, then policies."""
    if len(family) == 1:
        return {}
    made_with = [complete(settings(group)) for group in family]
    classes = Counter((name, value) for each in made_with for name, values in each.items() for value in values)
    holders = Counter(child.name for group in family for child in group.first.children)
    told: dict[ClassGroup, str] = {}
    for group, mine in zip(family, made_with, strict=True):
        single = ((name, min(values)) for name, values in mine.items() if len(values) == 1)
        own = [f"{name} = {value}" for name, value in single if classes[name, value] == 1 and len(value) <= SHORT]
        told[group] = ", ".join((own or parts(group, holders, len(family) - 1))[:MOST])
    return told


def parts(group: ClassGroup, holders: Counter[str], others: int) -> list[str]:
    """The modules that a class has and no namesake, or the other way round."""
    mine = {child.name for child in group.first.children}
    extra = [f"with `{name}`" for name, count in holders.items() if count == 1 and name in mine]
    return extra or [f"without `{name}`" for name, count in holders.items() if count == others and name not in mine]


def settings(group: ClassGroup) -> Settings:
    """The settings of a class's instances: bools, symbols and blocks, numbers, policies."""
    found: dict[str, set[str]] = defaultdict(set)
    for scope in group.scopes:
        for argument in sorted(scope.arguments, key=lambda argument: rank(argument.value)):
            found[argument.name].add(shown(argument.value))
        for child in scope.children:
            if child.role == "policy" and child.form == "one" and child.scope.op is not None:
                found[child.name].add(child.scope.op.name)
    return {name: frozenset(values) for name, values in found.items()}


def complete(mine: Settings) -> Settings:
    """The settings with the policies that made no module, last."""
    return mine | {name: mine.get(name, IDENTITY) for name in POLICIES}


def rank(value: Any) -> int:
    """Rank an argument by how much it tells: a choice more than a number."""
    return 0 if isinstance(value, bool) else 1 if isinstance(value, str) else 2


def shown(value: Any) -> str:
    """A value in the language's words."""
    return str(value).lower() if value is None or isinstance(value, bool) else str(value)
