"""A scope under construction: its values, children and steps, and what it will sum up to."""

from __future__ import annotations

import itertools
from typing import Any

from archdsl.diagnostics import Span, catalog
from archdsl.elaborate.blame import ElaborationError
from archdsl.elaborate.budget import LONGEST_LIST, MOST_OPS, MOST_PARAMS
from archdsl.elaborate.scope_cache import Built
from archdsl.elaborate.values import TENSORS, SettingKey, Tensor, TensorList, Value, is_list
from archdsl.graph import ROWS, Child, Origin, Ref, Run, Scope, Spread, Step, Totals
from archdsl.op import Shapes
from archdsl.syntax.naming import ModuleName

Origins = tuple[tuple[str, Origin], ...]

# Numbers of bodies and of `share`s, each given once in a process: what is said of one is said of no other.
TOKENS = itertools.count()


class ScopeBuilder:
    """Collect what a scope does. `used` is what was asked of the settings in force, in it or below."""

    def __init__(self, inputs: tuple[Shapes, ...]) -> None:
        self.token = next(TOKENS)
        self.inputs = inputs
        self.children: dict[str, Child] = {}
        # The modules so far of each child that is a list, and how many; its runs are put in at the end.
        self.lists: dict[str, list[Run]] = {}
        self.lengths: dict[str, int] = {}
        self.steps: list[Step] = []
        self.count = len(inputs)
        self.used: set[SettingKey] = set()
        self.names: dict[int, str] = {}
        self.shared: dict[int, Step] = {}
        # How often the text has bound each name.
        self.bindings: dict[str, int] = {}

    def input(self, at: int) -> Value:
        """An input as a value of this scope."""
        return value_of(at, self.inputs[at])

    # ---- children

    def adopt(self, child: Child, span: Span | None) -> None:
        """A module under a name of its own."""
        if child.name in self.children:
            label = f"`{child.name or '0'}` is already the name of another module here"
            raise ElaborationError(catalog.SAME_NAME, span, label, "give one of them a name with `as`: `... as name`")
        self.children[child.name] = child

    def append(self, name: str, run: Run, role: Any, origins: Origins, span: Span | None) -> int:
        """One more module to a list; its index there."""
        at = self.lengths.get(name, 0)
        if at == 0:
            self.adopt(Child(name, "list", (run,), role, origins), span)
            self.lists[name] = []
        self.lengths[name] = at + 1
        add_run(self.lists[name], run)
        return at

    # ---- steps

    def call(
        self, name: ModuleName, built: Built, inputs: tuple[Value, ...], role: Any, origins: Origins, span: Span
    ) -> Value:
        """A module under a name, or one more of a list, and a step that calls it."""
        self.used |= built.used
        scope, index = built.scope, None
        if name.listed:
            index = self.append(name.text, Run(1, scope), role, origins, span)
        else:
            self.adopt(Child(name.text, "one", (Run(1, scope),), role, origins), span)
        refs = tuple([each.id if type(each) is Tensor else reference(each) for each in inputs])
        return self.step("call", refs, scope.output, name.text, scope, index)

    def step(
        self,
        kind: Any,
        inputs: tuple[Ref, ...],
        shape: Shapes,
        target: str = "",
        scope: Scope | None = None,
        index: int | None = None,
    ) -> Value:
        """One more act, and the value that it gives."""
        at = self.count
        self.steps.append(Step(kind, target, inputs, at, shape, scope, index))
        self.count = at + 1
        return value_of(at, shape)

    def bind(self, name: str, value: Value) -> None:
        """Note a binding of a local name; a tensor keeps the first of its names."""
        self.bindings[name] = self.bindings.get(name, 0) + 1
        if isinstance(value, TENSORS):
            self.names.setdefault(value.id, name)

    def items(self, value: Value) -> tuple[Tensor, ...]:
        """The tensors of a list, one by one."""
        if isinstance(value, TensorList):
            return tuple([self.pick(value, at) for at in range(len(value.shapes))])
        return tuple(
            [each for part in value for each in (self.items(part) if isinstance(part, TensorList) else (part,))]
        )

    def pick(self, value: TensorList, at: int) -> Value:
        """One tensor of a list."""
        return self.step("pick", (value.id,), value.shapes[at], index=at)

    # ---- the end

    def close(self, result: Value, span: Span | None, **facts: Any) -> Scope:
        """The scope with a value as its result; raises for an empty list, and where the output of a module is lost."""
        if result == ():
            raise ElaborationError(catalog.NOT_A_TENSOR, span, "this is an empty list")
        output, ref = shapes_of(result), reference(result)
        if type(result) is not Tensor:
            check_length(len(output), span)
        # No calls in these loops, which see each value of the network.
        read: dict[Any, bool] = {}
        for refs in ((ref,), *[step.inputs for step in self.steps]):
            for each in refs:
                if type(each) is tuple:
                    for part in each:
                        read[part.value if type(part) is Spread else part] = True
                else:
                    read[each] = True
        for step in self.steps:
            if step.target and step.output not in read:
                raise unread(self.children[step.target])
        return self.finish(span, result=ref, output=output, **facts)

    def finish(self, span: Span | None, idle: frozenset[str] = frozenset(), **facts: Any) -> Scope:
        """The scope; raises where it is larger than any network may be. Steps of `idle` children do no work."""
        for name, runs in self.lists.items():
            self.children[name] = self.children[name]._replace(runs=tuple(runs))
        children, steps, called = tuple(self.children.values()), tuple(self.steps), self.names
        totals = self.totals(idle)
        check_size(totals, span)
        names = ("x",) * len(self.inputs)
        if called:
            names = tuple([called.get(at, "x") for at in range(len(self.inputs))])
            steps = tuple(
                [step._replace(name=called[step.output]) if step.output in called else step for step in steps]
            )
        return Scope(inputs=self.inputs, totals=totals, children=children, steps=steps, names=names, span=span, **facts)

    def totals(self, idle: frozenset[str]) -> Totals:
        """The totals: weights by children, work by steps."""
        params = buffers = n_conv = n_norm = n_linear = ops = macs = activations = 0
        for child in self.children.values():
            for count, scope in child.runs:
                _, own_params, own_buffers, _, _, convs, norms, linears = scope.totals
                params += count * own_params
                buffers += count * own_buffers
                n_conv += count * convs
                n_norm += count * norms
                n_linear += count * linears
        for step in self.steps:
            if step.target in idle:
                continue
            row = self.children[step.target].runs if step.kind in ROWS else ()
            for count, scope in row if step.scope is None else ((1, step.scope),):
                done = scope.totals
                ops += count * done.ops
                macs += count * done.macs
                activations += count * done.activations
        return Totals(ops, params, buffers, macs, activations, n_conv, n_norm, n_linear)


def unread(child: Child) -> ElaborationError:
    """The error for a module whose output nothing reads: it would hold weights and never run."""
    help = "use it, or leave it out (`identity`)" if child.role == "parameter" else "use it, or leave it out"
    return ElaborationError(catalog.UNUSED, child.scope.span, f"nothing uses the output of `{child.name}`", help)


def add_run(runs: list[Run], run: Run) -> None:
    """Append a run; equal neighbours are merged."""
    if runs and runs[-1].scope is run.scope:
        runs[-1] = Run(runs[-1].count + run.count, run.scope)
    else:
        runs.append(run)


def check_size(totals: Totals, span: Span | None) -> None:
    """Raise where a network is larger than any may be."""
    if totals.ops > MOST_OPS:
        raise ElaborationError(
            catalog.TOO_MANY_OPS, span, f"this comes to {totals.ops:,} ops; at most {MOST_OPS:,} are built"
        )
    if totals.params > MOST_PARAMS:
        raise ElaborationError(
            catalog.TOO_MANY_OPS, span, f"this comes to {totals.params:,} parameters; at most {MOST_PARAMS:,} are built"
        )


def check_length(count: int, span: Span | None) -> None:
    """Raise for more tensors in one list than the limit."""
    if count > LONGEST_LIST:
        raise ElaborationError(
            catalog.TOO_MANY_OPS, span, f"a list of {count:,} tensors; at most {LONGEST_LIST:,} are built"
        )


def value_of(at: int, shape: Shapes) -> Value:
    """A value of a scope: a tensor, or a list of them."""
    return TensorList(at, shape) if shape and type(shape[0]) is tuple else Tensor(at, shape)  # type: ignore[arg-type]


def reference(value: Value) -> Ref:
    """A value as the input of a step."""
    if not is_list(value):
        return value.id
    return tuple([part.id if type(part) is Tensor else Spread(part.id) for part in value])


def shapes_of(value: Value) -> Shapes:
    """The shape of a tensor, or the shapes of a list."""
    if type(value) is Tensor:
        return value.shape
    if type(value) is TensorList:
        return value.shapes
    parts = [(part.shape,) if type(part) is Tensor else part.shapes for part in value]
    return tuple([shape for shapes in parts for shape in shapes])
