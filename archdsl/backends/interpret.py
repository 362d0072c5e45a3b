"""Run a graph op by op in PyTorch: an executor that shares nothing with the emitter.

Scopes and steps are walked as they stand, weights are found by path, as a state dict names them, and each op computes
its own `run`. So whatever the emitter does wrong (two blocks in one class, an order, a shared weight) shows as a
difference, which `crosscheck` looks for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import count
from typing import Any

from archdsl.diagnostics import ArchError, catalog
from archdsl.graph import Child, Graph, Ref, Scope, Spread, Step, distinct
from archdsl.op import Op, Weight

# Tensors by path: parameters and buffers.
State = Mapping[str, Any]


class Interpreter:
    """Interpreter of scopes on the tensors of a state, whose buffers it updates in training."""

    def __init__(self, torch: Any, state: State, training: bool) -> None:
        self.torch = torch
        self.state = state
        self.training = training
        self.kinds = {
            "call": self.call,
            "repeat": self.repeat,
            "collect": self.collect,
            "op": self.op,
            "pick": self.pick,
        }

    def network(self, graph: Graph, x: Any) -> Any:
        """The result of a network: a tensor, or, where it has further outputs, a dict of them and the last section."""
        skipped = frozenset[int]() if self.training else graph.training_only
        values: dict[int, Any] = {0: x}
        for step in graph.root.steps:
            if step.output not in skipped:
                values[step.output] = self.step(graph.root, step, values, "")
        if graph.features:
            named = {each.name: values[each.value] for each in graph.features if each.name}
            return named or values_of(graph.root.result, values)
        outputs = [each for each in graph.sections if each.kind == "output" and each.value not in skipped]
        if not outputs:
            return values_of(graph.root.result, values)
        last = [each for each in graph.sections if each.kind != "output"][-1:]
        return {each.name: values[each.value] for each in (*outputs, *last)}

    def module(self, scope: Scope, inputs: list[Any], path: str) -> Any:
        """The output of the module at a path."""
        if scope.op is not None:
            held = {each.name: self.state[join(path, each.name)] for each in scope.op.weights(scope.inputs[0])}
            return scope.op.run(self.torch, inputs[0], held, self.training)
        values = dict(enumerate(inputs))
        for step in scope.steps:
            values[step.output] = self.step(scope, step, values, path)
        return values_of(scope.result, values)

    # ---- steps

    def step(self, scope: Scope, step: Step, values: Mapping[int, Any], path: str) -> Any:
        """The output of a step of the module at a path."""
        inputs = [values_of(ref, values) for ref in step.inputs]
        return self.kinds[step.kind](scope, step, inputs, path)

    def call(self, scope: Scope, step: Step, inputs: list[Any], path: str) -> Any:
        """Call a child, on the shapes of this call, which for shared weights may not be the child's own."""
        assert step.scope is not None
        name = join(path, step.target)
        return self.module(step.scope, inputs, name if step.index is None else join(name, str(step.index)))

    def repeat(self, scope: Scope, step: Step, inputs: list[Any], path: str) -> Any:
        """Run a row of modules; the output of the last."""
        return self.collect(scope, step, inputs, path)[-1]

    def collect(self, scope: Scope, step: Step, inputs: list[Any], path: str) -> list[Any]:
        """Run a row of modules, each on the output of the one before; all outputs."""
        x, outputs = inputs[0], list[Any]()
        for inner, module in members(scope.child(step.target), path):
            x = self.module(module, [x], inner)
            outputs.append(x)
        return outputs

    def op(self, scope: Scope, step: Step, inputs: list[Any], path: str) -> Any:
        """Run an op without weights, in place."""
        assert step.scope is not None
        assert step.scope.op is not None
        return step.scope.op.run(self.torch, inputs[0], {}, self.training)

    def pick(self, scope: Scope, step: Step, inputs: list[Any], path: str) -> Any:
        """Take one tensor of a list."""
        return inputs[0][step.index]


def values_of(ref: Ref, values: Mapping[int, Any]) -> Any:
    """The value of a reference: a tensor, or a list of tensors."""
    if isinstance(ref, int):
        return values[ref]
    parts = (values[part.value] if isinstance(part, Spread) else [values[part]] for part in ref)
    return [tensor for part in parts for tensor in part]


# ---- paths ---------------------------------------------------------------------------------------------------------


def join(path: str, name: str) -> str:
    """The path of what is called `name` in the module at a path; a row without a name adds nothing."""
    return f"{path}.{name}" if path and name else path or name


def members(child: Child, path: str) -> Iterator[tuple[str, Scope]]:
    """The modules of a child of the module at a path, with their paths."""
    name = join(path, child.name)
    places = count()
    for run in child.runs:
        for _ in range(run.count):
            yield name if child.form == "one" else join(name, str(next(places))), run.scope


def held(scope: Scope, path: str = "") -> Iterator[tuple[str, Weight]]:
    """The tensors of a state dict: what each module holds, under its path."""
    if scope.op is not None:
        yield from ((join(path, weight.name), weight) for weight in scope.op.weights(scope.inputs[0]))
    for child in scope.children:
        for inner, module in members(child, path):
            yield from held(module, inner)


def check_runnable(graph: Graph) -> None:
    """Raise for the ops that have no `run`, all of them at once."""
    missing: dict[str, ArchError] = {}
    for scope in distinct(graph.root):
        if scope.op is not None and type(scope.op).run is Op.run:
            label = f"`{scope.name}` has no `run`, so there is nothing to check the module against"
            help = f"give the class of `{scope.name}` a method `run` (docs/extending.md shows one)"
            missing.setdefault(scope.name, catalog.UNSUPPORTED.error(scope.span, label, help=help))
    if missing:
        raise ArchError([each for error in missing.values() for each in error.diagnostics])
