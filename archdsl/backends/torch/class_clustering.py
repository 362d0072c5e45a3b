"""Cluster scopes into classes: scopes share a class where they are written alike, numbers aside.

Scopes have equal keys where their own texts (`open_forward`) and their children's keys are equal. In a class, a child
that the definition takes as a block-valued parameter is open: whatever it is, the constructor is given it (a slot).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from itertools import groupby, islice, pairwise
from typing import Any, NamedTuple

from archdsl.backends.torch.forward import expression, open_forward, type_of
from archdsl.backends.torch.locals import WIDTH
from archdsl.backends.torch.lowering import InPlace, in_line, in_list, is_identity, numeral, pipeline, spelling
from archdsl.graph import Child, Graph, Run, Scope, distinct, is_list, op_of

# A chain of more modules is a class where it is used twice; a parameter of more is no slot.
LARGEST = 60
# So is a chain, or a parameter, of more levels: Python nests brackets 200 deep, and readers tire sooner.
DEEPEST = 12

# Names of children, from a class's scope down through the chains that stand in its own text.
Path = tuple[str, ...]


# Forms of a class that differ in more modules are classes of their own.
MOST_GIVEN = 2
# Modules that depend on more numbers are not looked through for a loop.
MOST_NUMBERS = 500
# Number of classes of its definition that a new form is compared with.
MOST_FAMILIES = 8
STEP = 4


class Shape(NamedTuple):
    """The key of a scope's class: its definition, its forward, and its children."""

    named: tuple[Any, ...]
    forward: Any
    children: Any


class Stretch(NamedTuple):
    """Neighbours in a row of modules that are written alike."""

    key: int
    runs: tuple[Run, ...]


class ModuleSlot(NamedTuple):
    """A module that a class's constructor is given: the child at `path`."""

    path: Path
    form: str
    # True if it does nothing in every instance, so that nobody need give it.
    dropped: bool = False


class Choice(NamedTuple):
    """The difference between the two forms of one class.

    Either `argument` is a bool of its constructor, which `child` depends on if only one form has that module; or the
    forms differ in the modules `given`, which its constructor is then given.
    """

    argument: str = ""
    child: str = ""
    given: frozenset[str] = frozenset()
    # The form for which the argument is true, which is the one with the child.
    chosen: int = 1


class ClassGroup:
    """The scopes that one class stands for (for ops without a module of PyTorch's: the class around a function)."""

    def __init__(self, index: int, shape: Any) -> None:
        self.index = index
        self.scopes: list[Scope] = []
        self.slots: dict[Path, ModuleSlot] = {}
        self.shapes = [shape]
        self.forms: dict[Scope, int] = {}
        self.choice = Choice()

    @property
    def first(self) -> Scope:
        """The scope that the class is written after: one that has all the modules of the class."""
        return max(self.scopes, key=lambda scope: len(scope.children))

    @property
    def plain(self) -> bool:
        """True if the class is nn.Sequential, without a forward of its own."""
        return all(map(pipeline, {self.forms[scope]: scope for scope in self.scopes}.values()))


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
        self.families: dict[Any, list[ClassGroup]] = defaultdict(list)
        self.uses = Counter(below for scope in distinct(graph.root) for below in held(scope))
        for scope in distinct(graph.root):
            self.visit(scope)
        self.drop()

    def visit(self, scope: Scope) -> None:
        """Give a scope its key, after those of its children."""
        if scope.op is not None:
            self.sizes[scope] = 1, 1
            self.keys[scope] = self.opened[scope] = self.intern(("op", *op_key(scope)))
            return
        self.measure(scope)
        if self.inline(scope):
            self.keys[scope] = self.intern(("chain", self.in_place.of(scope), self.children(scope, self.row)))
            self.opened[scope] = self.intern(("chain", self.open_chain(scope)))
        else:
            given = self.join(scope, Shape(named(scope), forward_key(scope), self.open_chain(scope)))
            self.keys[scope] = self.opened[scope] = self.intern(("class", self.group[scope].index, given))
        self.wrap_functions(scope)

    def join(self, scope: Scope, shape: Any) -> tuple[Any, ...]:
        """Put a scope into the group of its shape; return the keys of what its constructor is given."""
        slots = {} if scope.kind == "network" else dict(self.slots(scope))
        group = self.of_shape(shape) if shape in self.by_shape else self.second_form(scope, shape)
        self.add(group, scope, shape)
        if group.forms[scope]:
            slots |= {(name,): scope.child(name) for name in sorted(group.choice.given)}
        group.slots = {path: ModuleSlot(path, child.form) for path, child in slots.items()} | group.slots
        return tuple(self.row(child) for child in slots.values())

    def add(self, group: ClassGroup, scope: Scope, shape: Any) -> None:
        """Put a scope into a group."""
        self.group[scope] = group
        group.scopes.append(scope)
        group.forms[scope] = group.shapes.index(shape)

    def of_shape(self, shape: Any) -> ClassGroup:
        """The group of a shape, a new one where there is none."""
        if shape not in self.by_shape:
            # Not a memo: a group collects the scopes of its shape.
            self.by_shape[shape] = ClassGroup(len(self.groups), shape)
            self.groups.append(self.by_shape[shape])
        return self.by_shape[shape]

    def second_form(self, scope: Scope, shape: Shape) -> ClassGroup:
        """The group of which a scope of a new shape is the second form, or a new group."""
        family = self.families[shape.named]
        for group in family[:MOST_FAMILIES]:
            if len(group.shapes) == 1 and (choice := self.choice(group, scope, shape)):
                group.shapes.append(shape)
                group.choice = choice
                self.by_shape[shape] = group
                return group
        family.append(group := self.of_shape(shape))
        return group

    def choice(self, group: ClassGroup, scope: Scope, shape: Shape) -> Choice | None:
        """The choice by which one class can be both a group's form and another one; None where it takes two."""
        one, other = group.first, scope
        if (
            one.kind != "block"
            or types(one) != types(other)
            or any(numeral(child) for child in (*one.children, *other.children))
        ):
            return None
        if pipeline(one) != pipeline(other) and any(map(in_line, (*one.children, *other.children))):
            return None
        shared = [child.name for child in one.children if child.name in other.by_name]
        alone = [child for each in (one, other) for child in each.children if child.name not in shared]
        if shared != [child.name for child in other.children if child.name in one.by_name] or len(alone) > 1:
            return None
        unlike = frozenset(name for name in shared if self.shown(one, name) != self.shown(other, name))
        if unlike:
            same_text = not alone and group.shapes[0].forward == shape.forward
            return self.given(one, other, unlike) if same_text else None
        return self.flag(one, other, alone[0] if alone else None)

    def shown(self, scope: Scope, name: str) -> Any:
        """The key of a child as a class of its scope shows it."""
        child = scope.child(name)
        return self.open_key(child), not self.is_slot(child) and name in self.in_place.of(scope)

    def given(self, one: Scope, other: Scope, names: frozenset[str]) -> Choice | None:
        """The choice of a few modules that are each in the same place."""
        for child in (scope.child(name) for name in names for scope in (one, other)):
            small = child.form == "one" and max(self.sizes[child.scope]) <= DEEPEST
            if not small or in_line(child) or is_identity(child.scope) or self.is_slot(child):
                return None
        in_place = [names & self.in_place.of(scope) for scope in (one, other)]
        return Choice(given=names) if len(names) <= MOST_GIVEN and in_place[0] == in_place[1] else None

    def flag(self, one: Scope, other: Scope, alone: Child | None) -> Choice | None:
        """The choice by a bool: a parameter of the definition, or the presence of a module."""
        slots = [[path for path, _ in self.slots(scope)] for scope in (one, other)]
        if slots[0] != slots[1] or (alone and alone.form != "one"):
            return None
        mine = {argument.name: argument.value for argument in one.arguments}
        bools = [
            each
            for each in other.arguments
            if isinstance(each.value, bool) and isinstance(mine.get(each.name), bool) and each.value != mine[each.name]
        ]
        plain = pipeline(one) and pipeline(other)
        if not (alone or bools) or not (plain or fits_deeper(open_forward(one), open_forward(other))):
            return None
        if alone:
            return Choice(bools[0].name if bools else alone.name, alone.name, chosen=int(alone in other.children))
        return Choice(bools[0].name, chosen=int(bools[0].value))

    def wrap_functions(self, scope: Scope) -> None:
        """Group the ops below that PyTorch has as functions only, where a module is needed."""
        plain = self.inline(scope) or pipeline(scope)
        for child in scope.children:
            for below in (run.scope for run in child.runs if run.scope.op is not None):
                missing = not spelling(below).module and spelling(below).function
                if missing and below not in self.group and not is_identity(below) and (plain or not in_line(child)):
                    shape = "function", self.keys[below]
                    self.add(self.of_shape(shape), below, shape)

    def intern(self, value: Any) -> int:
        """A number for a value: equal for equal values."""
        return self.known.setdefault(value, len(self.known))

    def children(self, scope: Scope, key: Any) -> tuple[Any, ...]:
        """The keys of a scope's children."""
        return tuple(key(child) for child in scope.children)

    def open_chain(self, scope: Scope) -> tuple[Any, ...]:
        """The keys of a scope's children in a class's own text, and which of them it writes in place."""
        if row_of_units(scope) and self.even(scope.children[0]):
            return frozenset[str](), (self.keys[scope.children[0].scope], "even")
        in_place = (name for name in self.in_place.of(scope) if not self.is_slot(scope.child(name)))
        return frozenset(in_place), self.children(scope, self.open_key)

    def even(self, child: Child) -> bool:
        """True if a row is a loop whatever its length: its modules are written alike, and their numbers grow evenly."""
        if len(child.runs) == 1:
            return True
        if len(self.stretches(child)) > 1 or any(run.count > 1 for run in child.runs):
            return False
        rows = [[*islice(numbers_in(run.scope), MOST_NUMBERS)] for run in child.runs]
        steps = {step_between(*pair) for pair in pairwise(rows)}
        return len(steps) == 1 and None not in steps and len(rows[0]) < MOST_NUMBERS

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
        """True if a child is given to the constructor of the class in whose text it stands."""
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

    def alike(self, group: ClassGroup, path: Path) -> bool:
        """True if all instances of a class, if there are several, are given modules that are written alike."""
        rows = [(scope, below(scope, path)) for scope in group.scopes if path[0] in scope.by_name]
        texts = {(path[-1] in self.in_place.of(scope), *map(self.extent, self.stretches(row))) for scope, row in rows}
        return 1 < len(rows) == len(group.scopes) and len(texts) == 1

    def extent(self, stretch: Stretch) -> tuple[int, int]:
        """The key of a stretch, and its number of modules."""
        return stretch.key, sum(run.count for run in stretch.runs)

    def stretches(self, child: Child) -> tuple[Stretch, ...]:
        """The runs of a child, those written alike together."""
        alike = groupby(child.runs, lambda run: self.keys[run.scope])
        return tuple(Stretch(key, tuple(runs)) for key, runs in alike)

    def measure(self, scope: Scope) -> None:
        """Measure a scope's expression: its modules, and their levels of nesting."""
        size, depth = 1, 0
        for child in scope.children:
            for scopes in (stretch.runs[0].scope for stretch in self.stretches(child)):
                closed = scopes in self.group and not self.group[scopes].slots
                below, levels = (1, 0) if closed else self.sizes[scopes]
                size, depth = size + below, max(depth, levels)
        self.sizes[scope] = size, depth + 1

    def inline(self, scope: Scope) -> bool:
        """True if a scope is written where it is used, as nn.Sequential."""
        if not pipeline(scope):
            return False
        size, depth = self.sizes[scope]
        if depth > DEEPEST or (size > LARGEST and self.uses[scope] > 1):
            return False
        return scope.kind == "chain" or (all(map(numeral, scope.children)) and not row_of_units(scope))

    def drop(self) -> None:
        """Mark the slots that are identity in every instance."""
        for group in self.groups:
            for path, slot in group.slots.items():
                given = (run.scope for scope in group.scopes for run in below(scope, path).runs)
                group.slots[path] = slot._replace(dropped=slot.form == "one" and all(map(is_identity, given)))


def types(scope: Scope) -> list[int | None]:
    """For each input and the output, the number of tensors of a list; None for a tensor."""
    return [len(shapes) if is_list(shapes) else None for shapes in (*scope.inputs, scope.output)]


def row_of_units(scope: Scope) -> bool:
    """True if a definition is a row of units of its own, as a dense block: such a row is a class."""
    if scope.kind != "block" or len(scope.children) != 1 or not numeral(scope.children[0]):
        return False
    return all(run.scope.kind == "chain" and not pipeline(run.scope) for run in scope.children[0].runs)


def numbers_in(scope: Scope) -> Iterator[Any]:
    """All numbers that the text of a module can depend on."""
    yield from (argument.value for argument in scope.arguments)
    if scope.op is not None:
        op, shapes = op_of(scope)
        spelt, facts = spelling(scope), op.facts(shapes)
        yield from (facts[name] for name in (*spelt.positional, *spelt.keywords))
    elif scope.inputs and not is_list(scope.inputs[0]):
        yield scope.inputs[0][0]
    for run in (run for child in scope.children for run in child.runs):
        yield run.count
        yield from numbers_in(run.scope)


def step_between(before: Sequence[Any], after: Sequence[Any]) -> tuple[int, ...] | None:
    """The growth of each number from one module of a row to the next; None where something else changes."""
    if len(before) != len(after):
        return None
    steps: list[int] = []
    for one, other in zip(before, after, strict=True):
        if type(one) is not type(other) or (type(one) is not int and one != other):
            return None
        steps.append(other - one if type(one) is int else 0)
    return tuple(steps)


def forward_key(scope: Scope) -> tuple[str, ...]:
    """The forward of a scope, as far as its class depends on it."""
    if scope.kind == "network":
        return ("network",)
    return ("pipeline",) if pipeline(scope) else open_forward(scope)


def op_key(scope: Scope) -> tuple[Any, ...]:
    """The spelling of an op, and the types of what it takes and gives."""
    spelt = spelling(scope)
    said = spelt._asdict() | {"defaults": tuple(sorted(spelt.defaults.items()))}
    text = expression(scope, lambda fact: fact).text if spelt.function else ""
    return op_of(scope)[0].name, *said.values(), text, *map(type_of, (*scope.inputs, scope.output))


def named(scope: Scope) -> tuple[Any, ...]:
    """The definition of a scope: scopes of several cannot share a class."""
    return scope.kind, scope.name, scope.owner, scope.names


def fits_deeper(one: Sequence[str], other: Sequence[str]) -> bool:
    """True if the lines in which two forwards differ fit between the margins one step further in."""
    same = next((at for at, pair in enumerate(zip(one, other, strict=False)) if pair[0] != pair[1]), 0)
    return all(len(line) + STEP <= WIDTH for line in (*one[same:], *other[same:]))


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
