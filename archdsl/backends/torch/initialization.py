"""The method that initializes weights, where a spec says how: the majority by type of op, then the exceptions.

An exception that all instances of a class share is said once, of the class; any other by its path.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from archdsl.backends.torch.grouping import Group, Path, below
from archdsl.backends.torch.registry import Registry
from archdsl.backends.torch.starts import Start, module_type, starts
from archdsl.backends.torch.text import quoted
from archdsl.graph import Child, Graph, Scope, distinct

BODY = "        "
METHOD = "initialize"
TURNS = "ijklmn"
"""Variables of loops over rows."""

Place = tuple[str | range, ...]
"""The way to an op: names, and stretches of rows."""
Acts = tuple[tuple[str, Start], ...]
"""What is done with an op: a tensor and its start; `reset_parameters` where the tensor is empty."""


class Usual(NamedTuple):
    """How the ops of one type start: most of them, and whether all have the tensor."""

    starts: dict[str, Start]
    partial: frozenset[str]


class Initialization:
    """Finds what the method has to say."""

    def __init__(self, graph: Graph, registry: Registry) -> None:
        self.registry = registry
        self.grouping = registry.grouping
        self.usual = majorities(graph)
        self.common: dict[int, dict[Place, Acts]] = {}
        self.known: dict[Scope, dict[Place, Acts]] = {}
        for group in self.grouping.groups:
            if group.first.op is None:
                own = [dict(self.own(scope, frozenset(group.slots))) for scope in group.scopes]
                self.common[group.index] = {at: acts for at, acts in own[0].items() if all(each.get(at) == acts for each in own)}

    def lines(self) -> list[str]:
        """The method, or nothing where PyTorch's own initialization is what the spec wants."""
        root = self.grouping.groups[-1]
        by_type = [(kind, usual) for kind, usual in self.usual.items() if any(not s.usual for s in usual.starts.values())]
        by_class = [(group, rules) for group in self.grouping.groups[:-1] if (rules := self.common.get(group.index))]
        by_path = self.common[root.index]
        if not (by_type or by_class or by_path):
            return []
        head = [f"    def {METHOD}(self) -> None:", f'{BODY}"""Initializes what does not start as PyTorch has it."""']
        return [*head, *self.loop(map(typed, by_type)), *self.loop(map(self.classed, by_class)), *placed("self", by_path)]

    def loop(self, cases: Iterator[tuple[str, list[str]]]) -> list[str]:
        """A loop over all modules, with a case for each type."""
        found = [
            [f"{BODY}    {'elif' if at else 'if'} isinstance(module, {kind}):", *(f"{BODY}        {line}" for line in lines)]
            for at, (kind, lines) in enumerate(cases)
        ]
        return [f"{BODY}for module in self.modules():", *(line for case in found for line in case)] if found else []

    def classed(self, case: tuple[Group, dict[Place, Acts]]) -> tuple[str, list[str]]:
        """The case of one of our own classes."""
        group, rules = case
        return self.registry.of(group).name, [line[len(BODY) :] for line in placed("module", rules)]

    # ---- exceptions

    def of(self, scope: Scope) -> dict[Place, Acts]:
        """The exceptions below a scope that nothing has said yet."""
        if scope not in self.known:
            self.known[scope] = dict(self.find(scope))
        return self.known[scope]

    def find(self, scope: Scope) -> Iterator[tuple[Place, Acts]]:
        """See `of`."""
        if scope.op is not None:
            if acts := self.exception(scope):
                yield (), acts
            return
        group = self.grouping.group.get(scope)
        slots = frozenset[Path]() if group is None else frozenset(group.slots)
        said = {} if group is None else self.common[group.index]
        yield from ((place, acts) for place, acts in self.own(scope, slots) if said.get(place) != acts)
        for path in slots:
            yield from self.children(below(scope, path), path[:-1])

    def own(self, scope: Scope, slots: frozenset[Path], path: Path = ()) -> Iterator[tuple[Place, Acts]]:
        """The exceptions below a scope, but for what its constructor is given."""
        for child in scope.children:
            here = (*path, child.name)
            if here in slots:
                continue
            chain = child.form == "one" and child.scope.op is None and child.scope not in self.grouping.group
            if chain and slots:
                yield from self.own(child.scope, slots, here)
            else:
                yield from self.children(child, path)

    def children(self, child: Child, path: Path) -> Iterator[tuple[Place, Acts]]:
        """The exceptions in a child."""
        start = 0
        for run in child.runs:
            turn = () if child.form == "one" else (range(start, start + run.count),)
            name = (child.name,) if child.name else ()
            start += run.count
            for place, acts in self.of(run.scope).items():
                yield (*path, *name, *turn, *place), acts

    def exception(self, scope: Scope) -> Acts:
        """What is to be done with an op beyond what is done with all of its type."""
        mine = starts(scope)
        usual = self.usual[module_type(scope)].starts if mine else {}
        others = {tensor: start for tensor, start in mine.items() if start != usual[tensor]}
        if any(not start.function for start in others.values()):
            again = ((tensor, start) for tensor, start in mine.items() if start.function and not start.usual)
            return ("", Start()), *again
        return tuple(others.items())


def majorities(graph: Graph) -> dict[str, Usual]:
    """How most ops of each type start, tensor by tensor."""
    scopes = list(distinct(graph.root))
    times: Counter[Scope] = Counter({graph.root: 1})
    for scope in reversed(scopes):
        for child in scope.children:
            for run in child.runs:
                times[run.scope] += times[scope] * run.count
    votes: dict[str, dict[str, Counter[Start]]] = defaultdict(lambda: defaultdict(Counter))
    ops: Counter[str] = Counter()
    for scope in scopes:
        if scope.op is not None and times[scope] and (mine := starts(scope)):
            ops[module_type(scope)] += times[scope]
            for tensor, start in mine.items():
                votes[module_type(scope)][tensor][start] += times[scope]
    return {kind: verdict(tensors, ops[kind]) for kind, tensors in sorted(votes.items())}


def verdict(tensors: dict[str, Counter[Start]], ops: int) -> Usual:
    """The majority of each tensor's starts; among equals the first by its text."""
    chosen = {name: min(votes, key=lambda start: (-votes[start], start)) for name, votes in sorted(tensors.items(), reverse=True)}
    return Usual(chosen, frozenset(name for name, votes in tensors.items() if votes.total() < ops))


def typed(case: tuple[str, Usual]) -> tuple[str, list[str]]:
    """The case of one of PyTorch's classes."""
    kind, usual = case
    lines: list[str] = []
    for tensor, start in usual.starts.items():
        if not start.usual:
            guarded = tensor in usual.partial
            lines += [f"if module.{tensor} is not None:"] if guarded else []
            lines.append("    " * guarded + start.statement(f"module.{tensor}"))
    return kind, lines


def placed(top: str, rules: dict[Place, Acts]) -> list[str]:
    """Statements for ops by their places."""
    lines: list[str] = []
    for place, acts in rules.items():
        indent, module = BODY, top
        loops = [part for part in place if isinstance(part, range) and len(part) > 1]
        for variable, row in zip(TURNS, loops, strict=False):
            bounds = f"{row.start}, {row.stop}" if row.start else str(row.stop)
            lines.append(f"{indent}for {variable} in range({bounds}):")
            indent += "    "
        module = reach(top, place)
        for tensor, start in acts:
            act = start.statement(f"{module}.{tensor}") if tensor else f"{module}.reset_parameters()"
            lines.append(indent + act)
    return lines


def reach(top: str, place: Sequence[str | range]) -> str:
    """A module by its place: as an attribute where that is one, else by its path."""
    if not any(isinstance(part, range) for part in place):
        return ".".join([top, *map(str, place)])
    turns = iter(TURNS)
    parts = [part if isinstance(part, str) else f"{{{next(turns)}}}" if len(part) > 1 else str(part.start) for part in place]
    path = quoted(".".join(parts))
    return f"{top}.get_submodule({'f' if '{' in path else ''}{path})"
