"""The method that initializes weights, where a spec says how: the majority by type of op, then the exceptions.

An exception that all instances of a class share is said once, of the class; any other by its path.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from archdsl.backends.torch.class_clustering import ClassGroup, Path, below
from archdsl.backends.torch.class_table import Registry
from archdsl.backends.torch.lowering import spelling
from archdsl.backends.torch.pysource import literal, quoted
from archdsl.graph import Child, Graph, Scope, distinct, op_of
from archdsl.initializer import Constant, Initializer
from archdsl.op import Op

# The tensor that a field of an op initializes, where the op's constructor does not take the field.
FIELDS = {"init": "weight", "bias_init": "bias", "gamma": "weight", "beta": "bias"}
KAIMING = {"mode": "fan_in", "nonlinearity": "leaky_relu", "a": 0.0}
# PyTorch's defaults, where they are not ours.
DEFAULTS = {"kaiming_normal": KAIMING, "kaiming_uniform": KAIMING}
CONSTANTS = {0.0: "nn.init.zeros_", 1.0: "nn.init.ones_"}


class Start(NamedTuple):
    """The initialization of a tensor: a function and its settings, or nothing where PyTorch's constructor decides.

    `usual` says that it is what PyTorch does anyway.
    """

    function: str = ""
    settings: str = ""
    usual: bool = True

    def statement(self, tensor: str) -> str:
        """The call on a tensor."""
        return f"{self.function}({tensor}{self.settings})"


def starts(scope: Scope) -> dict[str, Start]:
    """The initialization of each tensor of an op that a spec can set."""
    op, shapes = op_of(scope)
    held = {weight.name for weight in op.weights(shapes)}
    return {tensor: start(op, field) for field, tensor in settable(op, scope).items() if tensor in held}


def settable(op: Op, scope: Scope) -> dict[str, str]:
    """The fields of an op that say how a tensor starts."""
    spelt = spelling(scope)
    taken = {*spelt.positional, *spelt.keywords}
    return {field: tensor for field, tensor in FIELDS.items() if field in op.fields and field not in taken}


def start(op: Op, field: str) -> Start:
    """The initialization that a field asks for."""
    value: Any = getattr(op, field)
    if isinstance(value, Initializer):
        return written(value)
    if value is None:
        return Start()
    return constant(float(value), usual=value == op.defaults[field])


def written(initializer: Initializer) -> Start:
    """An initializer, with the settings that are not PyTorch's defaults."""
    if isinstance(initializer, Constant):
        return constant(initializer.val)
    usual = DEFAULTS.get(initializer.name, initializer.defaults)
    given = {name: getattr(initializer, name) for name in initializer.fields}
    unusual = (f", {name}={literal(value)}" for name, value in given.items() if value != usual[name])
    return Start(initializer.torch, "".join(unusual), usual=False)


def constant(value: float, usual: bool = False) -> Start:
    """One number everywhere."""
    function = CONSTANTS.get(value)
    return Start(function, "", usual) if function else Start("nn.init.constant_", f", {literal(value)}", usual)


def module_type(scope: Scope) -> str:
    """The class of PyTorch's that an op is: for one of our helpers, what it derives from."""
    return spelling(scope).base or spelling(scope).module


METHOD = "initialize"
DOC = '"""Set the initial weights that differ from the defaults of PyTorch."""'
BODY = "        "
STEP = "    "
# Variables of loops over rows.
TURNS = "ijklmn"

# The way to an op: names, and stretches of rows.
Place = tuple[str | range, ...]
# Calls for one op: tensors with their initialization; `reset_parameters` where the tensor is empty.
Acts = tuple[tuple[str, Start], ...]
Rules = dict[Place, Acts]
# A class's name, and the statements for its instances.
Case = tuple[str, list[str]]


class Usual(NamedTuple):
    """The majority's initialization of one type of op, by tensor; and the tensors that some of them lack."""

    starts: dict[str, Start]
    lacking: frozenset[str]


class Initialization:
    """Statements of the method that initializes weights."""

    def __init__(self, graph: Graph, registry: Registry) -> None:
        self.registry = registry
        self.grouping = registry.grouping
        self.usual = majorities(graph)
        self.common: dict[int, Rules] = {}
        self.known: dict[Scope, Rules] = {}
        for group in self.grouping.groups:
            if group.first.op is None:
                self.common[group.index] = self.shared(group)

    def lines(self) -> list[str]:
        """The method, or nothing where PyTorch's own initialization is what the spec wants."""
        *groups, root = self.grouping.groups
        by_type = [case for kind, usual in self.usual.items() if (case := typed(kind, usual))[1]]
        by_class = [self.classed(group) for group in groups if self.common.get(group.index)]
        statements = [*loop(by_type), *loop(by_class), *placed("self", self.common[root.index])]
        head = [f"{STEP}def {METHOD}(self) -> None:", BODY + DOC]
        return [*head, *(BODY + line for line in statements)] if statements else []

    def classed(self, group: ClassGroup) -> Case:
        """The case of one of our own classes."""
        return self.registry.of(group).name, placed("module", self.common[group.index])

    # ---- exceptions

    def shared(self, group: ClassGroup) -> Rules:
        """The exceptions that all instances of a class have."""
        first, *rest = (dict(self.own(scope, frozenset(group.slots))) for scope in group.scopes)
        return {place: acts for place, acts in first.items() if all(each.get(place) == acts for each in rest)}

    def of(self, scope: Scope) -> Rules:
        """The exceptions below a scope that nothing has said yet."""
        if scope not in self.known:
            self.known[scope] = dict(self.find(scope))
        return self.known[scope]

    def find(self, scope: Scope) -> Iterator[tuple[Place, Acts]]:
        """Find the exceptions that `of` remembers."""
        if scope.op is not None:
            acts = self.exception(scope)
            yield from [((), acts)] if acts else []
            return
        group = self.grouping.group.get(scope)
        slots = frozenset[Path]() if group is None else frozenset(group.slots)
        said = {} if group is None else self.common[group.index]
        yield from ((place, acts) for place, acts in self.own(scope, slots) if said.get(place) != acts)
        for path in sorted(slots):
            yield from self.children(below(scope, path), path[:-1])

    def own(self, scope: Scope, slots: frozenset[Path], path: Path = ()) -> Iterator[tuple[Place, Acts]]:
        """The exceptions below a scope, but for what its constructor is given."""
        for child in scope.children:
            here = (*path, child.name)
            if here in slots:
                continue
            if slots and child.form == "one" and child.scope.op is None and child.scope not in self.grouping.group:
                yield from self.own(child.scope, slots, here)
            else:
                yield from self.children(child, path)

    def children(self, child: Child, path: Path) -> Iterator[tuple[Place, Acts]]:
        """The exceptions in a child."""
        start = 0
        name = (child.name,) if child.name else ()
        for run in child.runs:
            turn = () if child.form == "one" else (range(start, start + run.count),)
            start += run.count
            for place, acts in self.of(run.scope).items():
                yield (*path, *name, *turn, *place), acts

    def exception(self, scope: Scope) -> Acts:
        """Calls for an op beyond those for all of its type."""
        mine = starts(scope)
        usual = self.usual[module_type(scope)].starts if mine else {}
        others = {tensor: start for tensor, start in mine.items() if start != usual[tensor]}
        if all(start.function for start in others.values()):
            return tuple(others.items())
        again = ((tensor, start) for tensor, start in mine.items() if start.function and not start.usual)
        return ("", Start()), *again


def majorities(graph: Graph) -> dict[str, Usual]:
    """The majority's initialization of each type of op."""
    votes: dict[str, dict[str, Counter[Start]]] = defaultdict(lambda: defaultdict(Counter))
    ops: Counter[str] = Counter()
    for scope, times in occurrences(graph).items():
        mine = starts(scope) if scope.op is not None else {}
        for tensor, start in mine.items():
            votes[module_type(scope)][tensor][start] += times
        if mine:
            ops[module_type(scope)] += times
    return {kind: verdict(votes[kind], ops[kind]) for kind in sorted(votes)}


def occurrences(graph: Graph) -> Counter[Scope]:
    """Count the modules of the network that each scope stands for."""
    times: Counter[Scope] = Counter({graph.root: 1})
    for scope in reversed(list(distinct(graph.root))):
        for child in scope.children:
            for run in child.runs:
                times[run.scope] += times[scope] * run.count
    return times


def verdict(votes: dict[str, Counter[Start]], ops: int) -> Usual:
    """The majority of each tensor's starts; among equals the first by its text."""
    lacking = frozenset(tensor for tensor, found in votes.items() if found.total() < ops)
    order = sorted(votes, reverse=True)
    return Usual(
        {tensor: min(votes[tensor], key=lambda start: (-votes[tensor][start], start)) for tensor in order}, lacking
    )


# ---- statements


def loop(cases: Sequence[Case]) -> list[str]:
    """A loop over all modules, with a case for each class."""
    alike: dict[tuple[str, ...], list[str]] = {}
    for kind, statements in cases:
        alike.setdefault(tuple(statements), []).append(kind)
    lines = ["for module in self.modules():"] if cases else []
    for at, (statements, kinds) in enumerate(alike.items()):
        names = kinds[0] if len(kinds) == 1 else f"({', '.join(kinds)})"
        lines.append(f"{STEP}{'elif' if at else 'if'} isinstance(module, {names}):")
        lines += [2 * STEP + statement for statement in statements]
    return lines


def typed(kind: str, usual: Usual) -> Case:
    """The case of one of PyTorch's classes."""
    lines: list[str] = []
    for tensor, start in usual.starts.items():
        statement = start.statement(f"module.{tensor}")
        if not start.usual:
            guard = tensor in usual.lacking
            lines += [f"if module.{tensor} is not None:", STEP + statement] if guard else [statement]
    return kind, lines


def placed(top: str, rules: Rules) -> list[str]:
    """Statements for ops by their places."""
    lines: list[str] = []
    for place, acts in rules.items():
        indent = ""
        rows = [part for part in place if isinstance(part, range) and len(part) > 1]
        for variable, row in zip(TURNS, rows, strict=False):
            lines.append(f"{indent}for {variable} in range({f'{row.start}, ' if row.start else ''}{row.stop}):")
            indent += STEP
        module = reach(top, place)
        lines += [indent + statement(module, tensor, start) for tensor, start in acts]
    return lines


def statement(module: str, tensor: str, start: Start) -> str:
    """One act on an op."""
    return start.statement(f"{module}.{tensor}") if tensor else f"{module}.reset_parameters()"


def reach(top: str, place: Place) -> str:
    """A module by its place: as an attribute where that is one, else by its path."""
    if all(isinstance(part, str) for part in place):
        return ".".join([top, *map(str, place)])
    turns = iter(TURNS)
    parts: list[str] = []
    for part in place:
        if isinstance(part, str):
            parts.append(part)
        else:
            parts.append(f"{{{next(turns)}}}" if len(part) > 1 else str(part.start))
    path = quoted(".".join(parts))
    return f"{top}.get_submodule({'f' if '{' in path else ''}{path})"
