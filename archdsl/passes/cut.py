"""Cut a scope to what is wanted of it: steps that nothing needs go, and with them the modules that nothing calls.

A module of which something inside is wanted is cut in turn. It returns what is wanted inside, then its own output, if
that is still needed: a tensor if that is all, else a list.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import count, groupby
from typing import NamedTuple

from archdsl.diagnostics import catalog, did_you_mean
from archdsl.graph import (
    ROWS,
    Child,
    Ref,
    Run,
    Scope,
    Spread,
    Step,
    Totals,
    each_shape,
    is_list,
    values_read,
)
from archdsl.graph.ir import MOST_PARTS, too_many
from archdsl.graph.verify import totals_of
from archdsl.op import Shapes
from archdsl.ops.identity import Identity

Path = tuple[str, ...]
"""Names of modules, from the outside in."""
OWN: Path = ()
"""The path of a scope below itself."""
LONGEST = 100
"""Longest path, in modules."""


# ---- paths ---------------------------------------------------------------------------------------------------------


class Site(NamedTuple):
    """Place in a scope: a child, the index of one of its modules, and the rest of the path; or an op in place."""

    child: Child | None = None
    index: int | None = None  # pyright: ignore[reportIncompatibleMethodOverride]  (nobody asks a site for tuple's)
    rest: Path = OWN
    op: Step | None = None

    @property
    def opens(self) -> str | None:
        """Name of the row that needs a call for each of its modules; the output of the last is the row's own."""
        if self.child is None or self.index is None:
            return None
        ends = self.child.form == "repeat" and self.index == self.child.count - 1 and not self.rest
        return None if ends else self.child.name


def site(scope: Scope, path: Path, where: str) -> Site:
    """The place where a path leads from a scope; raises ArchError where there is no such module."""
    name, *rest = path
    child = scope.by_name.get(name)
    if child is None and name.isdecimal() and "" in scope.by_name:
        child, rest = scope.by_name[""], [name, *rest]
    if child is None:
        return Site(op=op_in_place(scope, path, where))
    if child.form == "one":
        return Site(child, None, tuple(rest))
    last = str(child.count - 1)
    if not rest and child.form == "list":
        label = f"`{joined(where, name)}` is a list of {child.count:,} modules, not one"
        raise catalog.USAGE.error(None, label, help=f"choose one: `{joined(where, name)}.{last}`")
    index, *rest = rest or [last]
    if not index.isdecimal() or len(index) > len(last) or int(index) >= child.count:
        row = joined(where, child.name) if child.name or not where else where
        label = f"`{row}` is a row of {child.count:,} modules, and has no `{index[:40]}`"
        raise catalog.USAGE.error(None, label, help="its modules are numbered from 0")
    return Site(child, int(index), tuple(rest))


def op_in_place(scope: Scope, path: Path, where: str) -> Step:
    """An op without a module, such as a sum, by its name: the second of a name has a 2 at its end."""
    found: dict[str, Step] = {}
    counts: Counter[str] = Counter()
    for step in scope.steps:
        if step.kind == "op" and step.scope is not None:
            counts[step.scope.name] += 1
            found[numbered(step.scope.name, counts[step.scope.name])] = step
    if path[0] in found and len(path) == 1:
        return found[path[0]]
    asked = joined(where, path[0][:80])
    known = [joined(where, name) for name in (*(child.name for child in scope.children), *found)]
    raise catalog.USAGE.error(None, f"there is no module `{asked}`", help=did_you_mean(asked, known))


def numbered(name: str, count: int) -> str:
    """Name of the `count`-th of its name."""
    return name if count == 1 else f"{name}{count}"


def module_at(scope: Scope, path: Path) -> Scope:
    """The module at a path below a scope. Raises ArchError where there is none."""
    while path:
        place = site(scope, path, "")
        if place.op is not None and place.op.scope is not None:
            return place.op.scope
        assert place.child is not None
        scope = scope.module(place.child.name, place.index or 0)
        path = place.rest
    return scope


def shortened(scope: Scope, path: Path, where: str) -> Path:
    """The shortest path to the output of a path's module: a module that returns just that stands for it."""
    if not path:
        return OWN
    place = site(scope, path, where)
    if place.child is None:
        return path
    if place.rest:
        name = path[: -len(place.rest)]
        path = (*name, *shortened(module_at(scope, name), place.rest, joined(where, ".".join(name))))
        place = site(scope, path, where)
    if place.child is None or place.rest or place.opens is not None:
        return path
    calls = [step.output for step in scope.steps if step.target == place.child.name]
    return OWN if calls == [scope.result] else path


def joined(where: str, name: str) -> str:
    """Path of a module in the one at a path."""
    return f"{where}.{name or '0'}" if where else name or "0"


# ---- the cut -------------------------------------------------------------------------------------------------------


class CutScope(NamedTuple):
    """Rest of a scope, the inputs that it still reads, and its value for each path that was wanted.

    Its output is that value, or a list of them; the tensors of an own output that is a list stand in it one by one.
    """

    scope: Scope
    inputs: tuple[int, ...]
    results: tuple[Ref, ...]


class Kept(NamedTuple):
    """Step that is left; where its module is cut, the cut, and the paths that are wanted of it."""

    step: Step
    cut: CutScope | None = None
    wanted: tuple[Path, ...] = ()

    @property
    def inputs(self) -> tuple[Ref, ...]:
        """Inputs that the step still reads."""
        return self.step.inputs if self.cut is None else tuple(self.step.inputs[at] for at in self.cut.inputs)


def cut_scope(scope: Scope, wanted: Sequence[Path], where: str = "") -> CutScope:
    """Cut a scope to the outputs at some paths below it; `where` is its own path.

    Raises ArchError for a path that leads to no module, and for a module without a single tensor as its output.
    """
    if where.count(".") >= LONGEST:
        raise catalog.TOO_DEEP.error(None, f"`{where[:80]}...` leads more than {LONGEST} modules deep")
    sites = {path: site(scope, path, where) for path in wanted if path}
    body = opened(scope, {each.opens for each in sites.values()} - {None})
    targets = [Target(path, maker(body, each, path, where), each.rest) for path, each in sites.items()]
    kept = [*needed_steps(body, targets, OWN in wanted, where)][::-1]
    return rebuilt(scope, body, kept, targets, wanted)


class Target(NamedTuple):
    """Wanted path: the step that makes its output or runs the module that does, and the rest of the path there."""

    path: Path
    step: Step
    rest: Path


class Body(NamedTuple):
    """Steps and result of a scope in which some rows are opened: each of their modules has a call of its own."""

    steps: tuple[Step, ...]
    result: Ref


def opened(scope: Scope, rows: Collection[str | None]) -> Body:
    """The body of a scope with some rows opened."""
    steps: list[Step] = []
    same: dict[int, Ref] = {}
    fresh = count(len(scope.inputs) + len(scope.steps))
    for step in scope.steps:
        inputs = tuple(replaced(ref, same) for ref in step.inputs)
        if step.kind == "pick" and not isinstance(inputs[0], int):
            same[step.output] = inputs[0][step.index]  # type: ignore[assignment]  (of an opened row: no part is spread)
            continue
        if step.kind not in ROWS or step.target not in rows:
            steps.append(step._replace(inputs=inputs))
            continue
        calls = list(calls_of(scope, step, inputs[0], fresh))
        steps += calls
        outputs = tuple(call.output for call in calls)
        same[step.output] = outputs[-1] if step.kind == "repeat" else outputs
    return Body(tuple(steps), replaced(scope.result, same))


def calls_of(scope: Scope, row: Step, value: Ref, fresh: Iterator[int]) -> Iterator[Step]:
    """A call for each module of a row, on the output of the one before."""
    modules = [run.scope for run in scope.child(row.target).runs for _ in range(min(run.count, MOST_PARTS + 1))]
    if len(modules) > MOST_PARTS:
        raise too_many(scope.name, "modules")
    for index, module in enumerate(modules):
        output = next(fresh)
        yield Step("call", row.target, (value,), output, module.output, module, index)
        value = output


def replaced(ref: Ref, values: Mapping[int, Ref]) -> Ref:
    """A reference with other values in place of some."""
    if isinstance(ref, int):
        return values.get(ref, ref)
    found: list[int | Spread] = []
    for part in ref:
        value = values.get(at := part.value if isinstance(part, Spread) else part, at)
        found += value if not isinstance(value, int) else [Spread(value) if isinstance(part, Spread) else value]
    return tuple(found)


def maker(body: Body, place: Site, path: Path, where: str) -> Step:
    """The only step that runs the module of a place; raises ArchError if there are several, or none with a tensor."""
    if place.op is not None:
        return place.op
    assert place.child is not None
    name = joined(where, ".".join(path))
    calls = [
        step
        for step in body.steps
        if step.target == place.child.name and (step.index == place.index or step.kind == "repeat")
    ]
    if len(calls) > 1:
        label = f"`{name}` runs {len(calls)} times, and each time has another output"
        raise catalog.USAGE.error(None, label, help="choose the module or section that reads the output you want")
    (step,) = calls
    if not place.rest and is_list(step.shape):
        label = f"the output of `{name}` is a list of {len(step.shape)} tensors, and a feature is one"
        raise catalog.USAGE.error(None, label, help="choose a module before or after it")
    return step


def needed_steps(body: Body, targets: Sequence[Target], own: bool, where: str) -> Iterator[Kept]:
    """Steps that the wanted outputs need, from the last to the first; modules with targets inside are cut."""
    needed = {*(values_read([body.result]) if own else ()), *(each.step.output for each in targets if not each.rest)}
    for step in reversed(body.steps):
        inside = [each for each in targets if each.rest and each.step.output == step.output]
        if not inside and step.output not in needed:
            continue
        kept = Kept(step)
        if inside:
            assert step.scope is not None
            name = ".".join(inside[0].path[: -len(inside[0].rest)])
            wanted = tuple(each.rest for each in inside) + ((OWN,) if step.output in needed else ())
            kept = Kept(step, cut_scope(step.scope, wanted, joined(where, name)), wanted)
        needed |= set(values_read(kept.inputs))
        yield kept


# ---- what is left --------------------------------------------------------------------------------------------------


def rebuilt(
    scope: Scope, body: Body, kept: Sequence[Kept], targets: Sequence[Target], wanted: Sequence[Path]
) -> CutScope:
    """The scope of the steps that are left."""
    own = values_read([body.result] if OWN in wanted else [])
    read = {*own, *(value for each in kept for value in values_read(each.inputs))}
    inputs = tuple(at for at in range(len(scope.inputs)) if at in read or scope.kind == "network")
    steps = Renumbering(scope, inputs)
    for each in kept:
        steps.add(each)
    values: dict[Path, Ref] = {
        each.path: steps.inner[each.step.output, each.rest] if each.rest else steps.values[each.step.output]
        for each in targets
    }
    values[OWN] = replaced(body.result, steps.values)
    results = tuple(values[path] for path in wanted)
    result: Ref = results[0] if len(results) == 1 else tuple(part for each in results for part in steps.parts(each))
    left = scope.replace(
        inputs=tuple(scope.inputs[at] for at in inputs),
        names=tuple(scope.names[at] for at in inputs),
        children=tuple(children_of(scope, steps)),
        steps=tuple(steps.steps),
        result=result,
        output=steps.shape(result),
    )
    return CutScope(left.replace(totals=totals_of(left, frozenset())), inputs, results)


class Renumbering:
    """Steps that are left, under new numbers, with the selections from what the cut modules give."""

    def __init__(self, scope: Scope, inputs: Sequence[int]) -> None:
        self.named = scope.kind == "network"
        self.values: dict[int, Ref] = {at: number for number, at in enumerate(inputs)}
        """New values of the old ones."""
        self.inner: dict[tuple[int, Path], int] = {}
        """Values of what is wanted inside a module, by the step that runs it and the path there."""
        self.shapes: list[Shapes] = [scope.inputs[at] for at in inputs]
        self.steps: list[Step] = []
        self.cuts: dict[tuple[str, int | None], Scope] = {}
        """Modules that are cut, by name and index."""

    def add(self, kept: Kept) -> None:
        """Add a step; one that runs a cut module has a selection for each of several tensors."""
        step, made = kept.step, kept.cut
        inputs = tuple(replaced(ref, self.values) for ref in kept.inputs)
        if made is None:
            self.values[step.output] = self.append(step._replace(inputs=inputs))
            return
        self.cuts[step.target, step.index] = made.scope
        name = step.name if kept.wanted == (OWN,) else ""
        value = self.append(step._replace(inputs=inputs, shape=made.scope.output, scope=made.scope, name=name))
        values = [value] if len(kept.wanted) == 1 else self.selections(value, step, kept.wanted)
        for path, each in zip(kept.wanted, values, strict=False):
            if path:
                self.inner[step.output, path] = each
        if OWN in kept.wanted:
            own = values[len(kept.wanted) - 1 :]
            self.values[step.output] = tuple(own) if is_list(step.shape) else own[0]

    def selections(self, value: int, step: Step, wanted: Sequence[Path]) -> list[int]:
        """A selection for each tensor of a list, named after its path in the network's own steps."""
        picks: list[int] = []
        for at, shape in enumerate(each_shape(self.shapes[value])):
            path = wanted[min(at, len(wanted) - 1)]
            name = "_".join((step.target, *path)) if self.named else ""
            picks.append(self.append(Step("pick", "", (value,), 0, shape, index=at, name=name)))
        return picks

    def append(self, step: Step) -> int:
        """Add a step under the next number."""
        self.steps.append(step._replace(output=len(self.shapes)))
        self.shapes.append(step.shape)
        return len(self.shapes) - 1

    def parts(self, ref: Ref) -> tuple[int | Spread, ...]:
        """A value as parts of a list."""
        if not isinstance(ref, int):
            return ref
        return (Spread(ref) if is_list(self.shapes[ref]) else ref,)

    def shape(self, ref: Ref) -> Shapes:
        """Shape of a value, or shapes of a list."""
        if isinstance(ref, int):
            return self.shapes[ref]
        return tuple(shape for value in values_read([ref]) for shape in each_shape(self.shapes[value]))


def children_of(scope: Scope, steps: Renumbering) -> Iterator[Child]:
    """The children that steps still call, rows up to their last module that is called."""
    called: dict[str, set[int | None]] = {}
    for step in steps.steps:
        if step.kind == "call" or step.kind in ROWS:
            called.setdefault(step.target, set()).add(step.index)
    for child in scope.children:
        indices = called.get(child.name)
        if indices is None:
            continue
        if child.form == "one":
            cut = steps.cuts.get((child.name, None))
            yield child if cut is None else child._replace(runs=(Run(1, cut),))
        elif None in indices:
            yield child
        else:
            yield child._replace(runs=tuple(runs_of(scope, child, {at for at in indices if at is not None}, steps)))


def runs_of(scope: Scope, child: Child, called: set[int], steps: Renumbering) -> Iterator[Run]:
    """The modules of a row up to the last that is called. Before it, an identity keeps the place of one that is not."""
    modules = [
        steps.cuts.get((child.name, at)) or scope.module(child.name, at)
        if at in called
        else placeholder(scope.module(child.name, at))
        for at in range(max(called) + 1)
    ]
    for module, group in groupby(modules):
        yield Run(len(list(group)), module)


def placeholder(module: Scope) -> Scope:
    """An identity in place of a module that is cut, so that those behind it keep their numbers."""
    shape = each_shape(module.inputs[0])[0]
    return Scope("op", "identity", (shape,), shape, Totals(ops=1), Identity())
