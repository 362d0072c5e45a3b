"""Changes between two networks, module by module, with the cost of each.

Sections are matched by name, modules of a chain or block by name, those of a repeat by index. If a block stands on both
sides, its arguments are compared; if they are equal, its content. The costs of all changes sum up to the difference of
the networks.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal, NamedTuple

from archdsl.graph import Child, Graph, Run, Scope, Totals, distinct
from archdsl.initializer import Initializer
from archdsl.op import Shapes
from archdsl.record import MISSING

Kind = Literal["added", "removed", "altered"]
NOTHING = Totals()


class Change(NamedTuple):
    """Change of a module: its path, name, details, and effect on parameters and multiply-adds.

    `replaced` if another kind of module stands there, which the first of the details then says.
    """

    kind: Kind
    path: str
    name: str
    details: tuple[str, ...]
    params: int
    macs: int
    replaced: bool = False

    def as_json(self) -> dict[str, Any]:
        """Change as plain data."""
        found = self._asdict() | {"details": list(self.details)}
        del found["replaced"]
        return found


class Difference(NamedTuple):
    """Two networks and all changes from the first to the second."""

    before: Graph
    after: Graph
    changes: tuple[Change, ...]

    def as_json(self) -> dict[str, Any]:
        """Difference as plain data."""
        sides = {"before": self.before, "after": self.after}
        totals = {side: {"name": graph.name, **cost_of(graph)} for side, graph in sides.items()}
        return totals | {"changes": [change.as_json() for change in self.changes]}


def cost_of(graph: Graph) -> dict[str, int]:
    """Cost of a network in the units of a change."""
    return {"params": graph.root.totals.params, "macs": graph.root.totals.macs}


def difference(before: Graph, after: Graph) -> Difference:
    """Changes from one network to the other."""
    found = list(inputs(before, after))
    found += Comparer(before, after).below("", before.root, after.root)
    return Difference(before, after, tuple(found))


def inputs(before: Graph, after: Graph) -> Iterator[Change]:
    """Change of the input's size."""
    if before.input != after.input:
        details = (f"{shape(before.input)} -> {shape(after.input)}",)
        yield Change("altered", "input", "", details, 0, 0)


class Comparer:
    """Comparison of the scopes of two graphs. Equal scopes have equal numbers, so they are skipped at once."""

    def __init__(self, before: Graph, after: Graph) -> None:
        self.numbers: dict[Any, int] = {}
        self.forms: dict[Scope, int] = {}
        """Number of each scope; equal for modules that are equal but for their input shapes."""
        self.keys: dict[Scope, int] = {}
        """Number of each scope; equal for equal modules."""
        steps = [(graph, step) for graph in (before, after) for step in graph.root.steps]
        self.idle = {step.target for graph, step in steps if step.output in graph.training_only}
        for graph in (before, after):
            for scope in distinct(graph.root):
                self.forms[scope] = self.number((self.written(scope), self.made_of(scope, self.forms)))
                shaped = scope.inputs, scope.output, self.made_of(scope, self.keys)
                self.keys[scope] = self.number((self.forms[scope], shaped))

    def number(self, content: Any) -> int:
        """Number of a content, equal for equal ones."""
        return self.numbers.setdefault(content, len(self.numbers))

    def written(self, scope: Scope) -> Any:
        """Own content of a scope."""
        steps = tuple(
            (each.kind, each.target, repr(each.inputs), each.output, repr(each.index)) for each in scope.steps
        )
        arguments = tuple((each.name, repr(each.value)) for each in scope.arguments)
        name = "" if scope.kind == "network" else scope.name
        return scope.kind, name, scope.op, arguments, steps, repr(scope.result)

    def made_of(self, scope: Scope, numbers: dict[Scope, int]) -> Any:
        """Modules that a scope holds and calls."""
        held = tuple(
            (each.name, each.form, *((run.count, numbers[run.scope]) for run in each.runs)) for each in scope.children
        )
        return held, tuple(numbers[each.scope] for each in scope.steps if each.scope is not None)

    # ---- modules

    def below(self, path: str, before: Scope, after: Scope) -> Iterator[Change]:
        """Changes among the children of two scopes, and a change of the wiring for any remaining difference."""
        old = {child.name: child for child in before.children}
        new = {child.name: child for child in after.children}
        found: list[Change] = []
        for name in [*old, *(name for name in new if name not in old)]:
            place = f"{path}.{name}".strip(".")
            found += self.rows(place, old.get(name), new.get(name), before, after)
        yield from found
        params = after.totals.params - before.totals.params - sum(change.params for change in found)
        macs = after.totals.macs - before.totals.macs - sum(change.macs for change in found)
        if params or macs or (not found and self.forms[before] != self.forms[after]):
            told = tuple(details(before, after)) or ("its wiring",)
            yield Change("altered", path, after.name, told, params, macs, replaced=not same_kind(before, after))

    def rows(self, path: str, old: Child | None, new: Child | None, before: Scope, after: Scope) -> Iterator[Change]:
        """Changes between two children of one name, either of which may be missing."""
        single = (old is None or old.form == "one") and (new is None or new.form == "one")
        place = 0
        for count, one, other in aligned_runs(old.runs if old else (), new.runs if new else ()):
            where = path if single else repeat_path(path, place, count)
            place += count
            if one is None or other is None:
                kind: Kind = "added" if one is None else "removed"
                scope = one or other
                assert scope is not None
                owner = after if one is None else before
                idle = not called(owner, old if other is None else new) or (
                    owner.kind == "network" and path in self.idle
                )
                yield one_sided(kind, where, scope, count, idle)
            elif self.keys[one] != self.keys[other]:
                for change in self.pair(where, one, other):
                    yield change._replace(params=count * change.params, macs=count * change.macs)

    def pair(self, path: str, before: Scope, after: Scope) -> Iterator[Change]:
        """Changes between two modules in one place."""
        same = same_kind(before, after)
        reshaped = self.forms[before] == self.forms[after]
        if same and before.op is None and not arguments(before, after) and not reshaped:
            yield from self.below(path, before, after)
            return
        params = after.totals.params - before.totals.params
        macs = after.totals.macs - before.totals.macs
        if params or macs or not reshaped:
            yield Change("altered", path, after.name, tuple(details(before, after)), params, macs, replaced=not same)


def same_kind(before: Scope, after: Scope) -> bool:
    """Tell modules of one op or block."""
    return (before.kind, before.name) == (after.kind, after.name)


def called(scope: Scope, child: Child | None) -> bool:
    """Tell whether a scope's inference calls a child."""
    return child is not None and any(step.target == child.name for step in scope.steps)


def one_sided(kind: Kind, path: str, scope: Scope, count: int, idle: bool) -> Change:
    """Change of a module that is on one side only."""
    sign = 1 if kind == "added" else -1
    macs = 0 if idle else scope.totals.macs
    given = (each for each in scope.arguments if differs(each.value, each.default) and value(each.value) != "identity")
    told = tuple(f"{each.name} = {value(each.value)}" for each in given)
    name = scope.name if count == 1 else f"{count} {scope.name}"
    return Change(kind, path, name, told, sign * count * scope.totals.params, sign * count * macs)


def aligned_runs(old: tuple[Run, ...], new: tuple[Run, ...]) -> Iterator[tuple[int, Scope | None, Scope | None]]:
    """Two repeats side by side, in stretches in which neither changes; None behind the end of one."""
    sides = [list(reversed(row)) for row in (old, new)]
    while any(sides):
        heads = [side.pop() if side else None for side in sides]
        count = min(head.count for head in heads if head is not None)
        for side, head in zip(sides, heads, strict=True):
            if head is not None and head.count > count:
                side.append(head._replace(count=head.count - count))
        one, other = (None if head is None else head.scope for head in heads)
        yield count, one, other


def repeat_path(path: str, first: int, count: int) -> str:
    """Path of modules of a repeat."""
    return f"{path}.{first}" if count == 1 else f"{path}.{first}-{first + count - 1}"


# ---- details


def details(before: Scope, after: Scope) -> Iterator[str]:
    """Differences between two modules: kind, arguments, settings, shapes."""
    if not same_kind(before, after):
        yield f"{before.name or before.kind} -> {after.name or after.kind}"
        return
    yield from arguments(before, after)
    if before.op is not None and after.op is not None:
        for name in after.op.fields:
            old, new = before.op.__dict__[name], after.op.__dict__[name]
            if old != new:
                yield f"{name} = {value(old)} -> {value(new)}"
    if before.inputs != after.inputs:
        yield f"input {shapes(before.inputs)} -> {shapes(after.inputs)}"


def arguments(before: Scope, after: Scope) -> list[str]:
    """Arguments that differ."""
    old = {each.name: each.value for each in before.arguments}
    new = {each.name: each.value for each in after.arguments}
    pairs = ((name, old.get(name, MISSING), new.get(name, MISSING)) for name in {**old, **new})
    return [f"{name} = {value(one)} -> {value(other)}" for name, one, other in pairs if differs(one, other)]


def differs(one: Any, other: Any) -> bool:
    """Compare two values as they are shown; blocks are known by their text."""
    return value(one) != value(other)


def value(each: Any) -> str:
    """Value in the notation of a spec."""
    if each is MISSING:
        return "none"
    if each is None or isinstance(each, bool):
        return str(each).lower()
    if isinstance(each, Initializer):
        settings = ((name, each.__dict__[name]) for name in each.fields)
        written = (f"{name} = {value(of)}" for name, of in settings if each.defaults.get(name, MISSING) != of)
        return f"{each.name}({', '.join(written)})"
    if isinstance(each, tuple | list):
        return f"[{', '.join(map(value, each))}]"  # type: ignore[arg-type]
    return f"{each:g}" if isinstance(each, float) else str(each)


def shapes(inputs: tuple[Shapes, ...]) -> str:
    """Shapes of inputs."""
    return ", ".join(map(shape, inputs))


def shape(each: Any) -> str:
    """Shape, or the shapes of a list."""
    return f"[{shapes(each)}]" if each and isinstance(each[0], tuple) else "x".join(map(str, each))
