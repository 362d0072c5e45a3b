"""Which scopes become classes, and which scopes share one: those that are written alike, numbers aside.

Scopes have equal keys where their own texts (`sketch`) and their children's keys are equal. In a class, a child that
the definition takes as a block-valued parameter is open: whatever it is, the constructor is given it (a slot).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import groupby
from typing import Any, NamedTuple

from archdsl.backends.torch import class_key
from archdsl.backends.torch.lowering import InPlace, in_line, in_list, is_identity, numeral, pipeline, spelling
from archdsl.graph import Child, Graph, Run, Scope, distinct

LARGEST = 60
"""A chain of more modules is a class where it is used twice; a parameter of more is no slot."""
DEEPEST = 12
"""So is a chain, or a parameter, of more levels: Python nests brackets 200 deep, and readers tire sooner."""

Path = tuple[str, ...]
"""Names of children, from a class's scope down through the chains that stand in its own text."""


class Stretch(NamedTuple):
    """Neighbours in a row of modules that are written alike."""

    key: int
    runs: tuple[Run, ...]


class ModuleSlot(NamedTuple):
    """A module that a class's constructor is given: the child at `path`."""

    path: Path
    form: str
    dropped: bool = False
    """Whether it does nothing in every instance, so that nobody need give it."""


class ClassGroup:
    """The scopes that one class stands for (for ops without a module of PyTorch's: the class around a function)."""

    def __init__(self, index: int) -> None:
        self.index = index
        self.scopes: list[Scope] = []
        self.slots: dict[Path, ModuleSlot] = {}

    @property
    def first(self) -> Scope:
        """The scope that the class is written after."""
        return self.scopes[0]


class Grouping:
    """The groups of a graph, those of children before those of their parents, and the slots of each."""

    def __init__(self, graph: Graph) -> None:
        self.in_place = InPlace(graph.root)
        self.keys: dict[Scope, int] = {}
        self.opened: dict[Scope, int] = {}
        self.group: dict[Scope, ClassGroup] = {}
        self.groups: list[ClassGroup] = []
        self.sizes: dict[Scope, tuple[int, int]] = {}
        self.known: dict[Any, int] = {}
        self.by_shape: dict[Any, ClassGroup] = {}
        self.uses = Counter(below for scope in distinct(graph.root) for below in held(scope))
        for scope in distinct(graph.root):
            self.visit(scope)
        self.drop()

    def visit(self, scope: Scope) -> None:
        """Gives a scope its key, after those of its children."""
        if scope.op is not None:
            self.sizes[scope] = 1, 1
            self.keys[scope] = self.opened[scope] = self.intern(("op", *class_key.op(scope)))
            return
        self.measure(scope)
        if self.inline(scope):
            self.keys[scope] = self.intern(("chain", self.in_place.of(scope), self.children(scope, self.row)))
            self.opened[scope] = self.intern(("chain", self.open_chain(scope)))
        else:
            named = scope.kind, scope.name, scope.owner, scope.names
            given = self.join(scope, (*named, class_key.forward(scope), self.open_chain(scope)))
            self.keys[scope] = self.opened[scope] = self.intern(("class", self.group[scope].index, given))
        self.wrap_functions(scope)

    def join(self, scope: Scope, shape: Any) -> tuple[Any, ...]:
        """Puts a scope into the group of its shape; returns the keys of what its constructor is given."""
        slots = {} if scope.kind == "network" else dict(self.slots(scope))
        group = self.group[scope] = self.of_shape(shape)
        group.slots = group.slots or {path: ModuleSlot(path, child.form) for path, child in slots.items()}
        group.scopes.append(scope)
        return tuple(self.row(child) for child in slots.values())

    def of_shape(self, shape: Any) -> ClassGroup:
        """The group of a shape, a new one where there is none."""
        if shape not in self.by_shape:
            self.by_shape[shape] = ClassGroup(len(self.groups))
            self.groups.append(self.by_shape[shape])
        return self.by_shape[shape]

    def wrap_functions(self, scope: Scope) -> None:
        """Groups the ops below that PyTorch has as functions only, where a module is needed."""
        plain = self.inline(scope) or pipeline(scope)
        for child in scope.children:
            for below in (run.scope for run in child.runs if run.scope.op is not None):
                missing = not spelling(below).module and spelling(below).function
                if missing and below not in self.group and (plain or not in_line(child)):
                    self.group[below] = self.of_shape(("function", self.keys[below]))
                    self.group[below].scopes.append(below)

    def intern(self, value: Any) -> int:
        """A number for a value: equal for equal values."""
        return self.known.setdefault(value, len(self.known))

    def children(self, scope: Scope, key: Any) -> tuple[Any, ...]:
        """The keys of a scope's children."""
        return tuple(key(child) for child in scope.children)

    def open_chain(self, scope: Scope) -> tuple[Any, ...]:
        """The keys of a scope's children in a class's own text, and which of them it writes in place."""
        in_place = (name for name in self.in_place.of(scope) if not self.is_slot(scope.child(name)))
        return frozenset(in_place), self.children(scope, self.open_key)

    def row(self, child: Child) -> tuple[Any, ...]:
        """The key of a child with all that is in it. How often one module is repeated is a number, and left out."""
        stretches = self.stretches(child)
        counts = (tuple(run.count for run in runs) if len(runs) > 1 else None for _, runs in stretches)
        return child.name, child.form, *((stretch.key, count) for stretch, count in zip(stretches, counts, strict=True))

    def open_key(self, child: Child) -> tuple[Any, ...]:
        """The key of a child in a class's own text, where parameters are open."""
        if self.is_slot(child):
            return child.name, child.form, in_list(child), "parameter"
        return (child.name, child.role, self.opened[child.scope]) if child.form == "one" else self.row(child)

    def is_slot(self, child: Child) -> bool:
        """Whether a child is given to the constructor of the class in whose text it stands."""
        if child.role != "parameter" or not child.name:
            return False
        sizes = [self.sizes[run.scope] for run in child.runs]
        return max(size for size, _ in sizes) <= LARGEST and max(depth for _, depth in sizes) <= DEEPEST

    def slots(self, scope: Scope, path: Path = ()) -> Iterator[tuple[Path, Child]]:
        """The slots of a class, with their places."""
        for child in scope.children:
            if self.is_slot(child):
                yield (*path, child.name), child
            elif child.form == "one" and child.scope.op is None and child.scope not in self.group:
                yield from self.slots(child.scope, (*path, child.name))

    def stretches(self, child: Child) -> tuple[Stretch, ...]:
        """The runs of a child, those written alike together."""
        alike = groupby(child.runs, lambda run: self.keys[run.scope])
        return tuple(Stretch(key, tuple(runs)) for key, runs in alike)

    def measure(self, scope: Scope) -> None:
        """How many modules a scope's expression has, and levels of them."""
        size, depth = 1, 0
        for child in scope.children:
            for scopes in (stretch.runs[0].scope for stretch in self.stretches(child)):
                closed = scopes in self.group and not self.group[scopes].slots
                below, levels = (1, 0) if closed else self.sizes[scopes]
                size, depth = size + below, max(depth, levels)
        self.sizes[scope] = size, depth + 1

    def inline(self, scope: Scope) -> bool:
        """Whether a scope is written where it is used, as nn.Sequential."""
        if not pipeline(scope):
            return False
        size, depth = self.sizes[scope]
        if depth > DEEPEST or (size > LARGEST and self.uses[scope] > 1):
            return False
        return scope.kind == "chain" or all(numeral(child) for child in scope.children)

    def drop(self) -> None:
        """Marks the slots that are identity in every instance."""
        for group in self.groups:
            for path, slot in group.slots.items():
                given = (run.scope for scope in group.scopes for run in below(scope, path).runs)
                group.slots[path] = slot._replace(dropped=slot.form == "one" and all(map(is_identity, given)))


def below(scope: Scope, path: Path) -> Child:
    """The child at a path."""
    *chains, last = path
    for name in chains:
        scope = scope.child(name).scope
    return scope.child(last)


def held(scope: Scope) -> Iterator[Scope]:
    """The scopes that a scope holds, once for each place."""
    for child in scope.children:
        yield from (run.scope for run in child.runs)
