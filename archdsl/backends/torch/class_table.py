"""Names and docstrings of classes, the classes that are written so far as their callers see them, and shared state."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from archdsl.backends.torch.class_clustering import ClassGroup, Grouping, Path, below, row_of_units
from archdsl.backends.torch.constructor_args import INPUT, ConstructorParameter
from archdsl.backends.torch.locals import unique
from archdsl.backends.torch.lowering import spelling
from archdsl.backends.torch.pysource import camel, first_line
from archdsl.graph import Child, Graph, Run, Scope, distinct, op_of, values_read
from archdsl.record import MISSING

WORD = re.compile(r"[A-Za-z_]\w*")
DEFINED = re.compile(r"^(?:class|def) (\w+)", re.MULTILINE)


class Class(NamedTuple):
    """A class as those who call it see it."""

    name: str
    parameters: tuple[ConstructorParameter, ...]
    # The modules that its constructor is given, with the names of the arguments.
    slots: tuple[tuple[Path, str], ...]

    @property
    def order(self) -> list[str]:
        """The arguments of its constructor, in order: numbers, modules, then those with a default."""
        needed = [each.name for each in self.parameters if each.default is MISSING]
        optional = [each.name for each in self.parameters if each.default is not MISSING]
        return [*needed, *(name for _, name in self.slots), *optional]


class Registry:
    """State that the classes of one graph share."""

    def __init__(self, graph: Graph, grouping: Grouping, names: Iterable[str]) -> None:
        self.grouping = grouping
        self.given = root_arguments(graph)
        self.outer = single_values(graph)
        self.in_place = grouping.in_place
        self.classes: dict[int, Class] = {}
        self.place = {scope: at for group in grouping.groups for at, scope in enumerate(group.scopes)}
        # Names that no variable and no argument may have: classes of the text, and helpers of ops.
        self.words = helper_names(graph) | {*names}
        self.needed: set[str] = set()
        self.helpers: dict[str, None] = {}
        self.known_facts: dict[Scope, dict[str, Any]] = {}
        self.known_numbers: dict[Scope, tuple[Any, ...]] = {}

    def of(self, group: ClassGroup) -> Class:
        """The class of a group."""
        return self.classes[group.index]

    def facts(self, scope: Scope) -> dict[str, Any]:
        """The facts of an op. It is about to be written, so what it needs is kept."""
        if scope not in self.known_facts:
            op, shapes = op_of(scope)
            self.known_facts[scope] = op.facts(shapes)
            if helper := spelling(scope).helper:
                self.helpers[helper] = None
        return self.known_facts[scope]

    def numbers(self, run: Run) -> tuple[Any, ...]:
        """All numbers in the expression of a run, in one order for all runs that are written alike."""
        if run.scope not in self.known_numbers:
            self.known_numbers[run.scope] = tuple(self.numbers_of(run.scope))
        return run.count, *self.known_numbers[run.scope]

    def numbers_of(self, scope: Scope) -> Iterator[Any]:
        """The numbers of a module."""
        group = self.grouping.group.get(scope)
        children = scope.children
        if group is not None:
            known = self.of(group)
            yield from (parameter.values[self.place[scope]] for parameter in known.parameters)
            children = tuple(below(scope, path) for path, _ in known.slots)
        elif scope.op is not None:
            spelt, facts = spelling(scope), self.facts(scope)
            yield from (facts[name] for name in (*spelt.positional, *spelt.keywords))
        for child in children:
            for run in child.runs:
                yield from self.numbers(run)


def root_arguments(graph: Graph) -> dict[str, Any]:
    """The parameters of a network that can be arguments of its class, as `classes`, with their values.

    Such a parameter decides nothing but how many channels come out of the last layer with weights before an output: no
    other number of the graph depends on it, as nothing reads that section, and what follows the layer has no numbers.
    """
    read = {value for step in graph.root.steps for value in values_read(step.inputs)}
    found: dict[str, Any] = {}
    spoilt: set[str] = set()
    for section in graph.sections:
        scope = graph.scope_of(section)
        last = last_layer(scope) if scope.kind == "chain" and section.value not in read else None
        for child in own_children(scope):
            for fact, origin in child.origins:
                if child is last and fact == "out" and origin.kind == "parameter":
                    found[origin.text] = spelled_fact(child.scope, "out")
                else:
                    spoilt |= set(WORD.findall(origin.text))
    return {name: value for name, value in found.items() if name not in spoilt and type(value) is int}


def single_values(graph: Graph) -> dict[str, int]:
    """The parameters, as `growth` of a DenseNet, that have one value wherever a number of the graph comes from them."""
    found: dict[str, set[Any]] = defaultdict(set)
    for scope in distinct(graph.root):
        for child in scope.children:
            made = child.runs[0].scope
            arguments = {each.name: each.value for each in made.arguments}
            for fact, origin in child.origins:
                if origin.kind == "parameter":
                    value = arguments.get(fact) if made.op is None else getattr(made.op, fact, None)
                    found[origin.text].add(value)
    single = {name: min(values) for name, values in found.items() if len(values) == 1 and type(min(values)) is int}
    return {name: value for name, value in single.items() if name not in ("x", INPUT)}


def last_layer(scope: Scope) -> Child | None:
    """The last link of a chain that is a layer with weights, if only ops without numbers follow it."""
    for child in reversed(scope.children):
        if child.form != "one" or child.scope.op is None:
            return None
        if "out" in spelling(child.scope).positional:
            return child
        if spelling(child.scope).positional or child.scope.totals.params:
            return None
    return None


def own_children(scope: Scope) -> Iterator[Child]:
    """The children that stand in a section's text, in its chains too."""
    for child in scope.children:
        yield child
        for run in child.runs:
            if run.scope.kind == "chain":
                yield from own_children(run.scope)


def spelled_fact(scope: Scope, name: str) -> Any:
    """A fact of an op."""
    op, shapes = op_of(scope)
    return op.facts(shapes)[name]


def helper_names(graph: Graph) -> set[str]:
    """The classes and functions that the sources define which ops bring along."""
    spelt = (spelling(scope) for scope in distinct(graph.root) if scope.op is not None)
    return {name for each in spelt if each.helper for name in DEFINED.findall(each.helper)}


def class_names(graph: Graph, grouping: Grouping, homes: dict[Scope, str]) -> dict[int, str]:
    """A name for each group: its definition's, in camel case, numbered where that is taken."""
    root = grouping.groups[-1]
    taken = words(graph)
    names = {root.index: unique(camel(graph.name), taken)}
    taken.add(names[root.index])
    for group in grouping.groups[:-1]:
        kind = "_block" if row_of_units(group.first) else ""
        names[group.index] = unique(camel(called(group.first, homes).replace(".", "_") + kind), taken)
        taken.add(names[group.index])
    return names


def words(graph: Graph) -> set[str]:
    """Names that no class may have: those in helpers' sources, and those of arguments."""
    found = helper_names(graph)
    for scope in distinct(graph.root):
        found.update(argument.name for argument in scope.arguments)
    return found


def called(scope: Scope, homes: dict[Scope, str]) -> str:
    """The origin of a class: an op, a definition, or a part of one: `dense.unit`, `bottleneck.body`."""
    if scope.op is not None:
        return scope.op.name
    return homes[scope] if scope.kind == "chain" else scope.name


def homes_of(graph: Graph) -> dict[Scope, str]:
    """For each chain, the definition or section in whose text it stands, and its name there."""
    homes: dict[Scope, str] = {child.scope: child.name for child in graph.root.children}
    for scope in reversed(list(distinct(graph.root))):
        home = homes.get(scope, scope.name) if scope is not graph.root else ""
        for child, inner in modules_of(scope):
            if inner.kind == "chain":
                top = inner.owner or home.partition(".")[0]
                named = child.name if child.form == "one" and child.role != "parameter" else "unit"
                homes.setdefault(inner, f"{top}.{named}")
    return homes


def modules_of(scope: Scope) -> Iterator[tuple[Child, Scope]]:
    """The modules that a scope holds, and those as which it calls them: shared weights meet several shapes."""
    for child in scope.children:
        yield from ((child, run.scope) for run in child.runs)
    for step in scope.steps:
        if step.kind == "call" and step.scope is not None:
            yield scope.child(step.target), step.scope


# The longest text of an argument that is worth telling.
SHORT = 40
# The longest docstring on one line.
LONGEST = 90
# Number of differences that a docstring names.
MOST = 2
POLICIES = ("norm", "act")
# The value of a policy that made no module.
IDENTITY = frozenset({"identity"})

# The values of each argument and policy among the instances of a class.
Settings = dict[str, frozenset[str]]


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
