"""Memory that PyTorch keeps for the backward pass: bytes, each storage once, weights and buffers aside.

In-place activations and views share a storage with what they write over or look at, so it counts once, whoever keeps
it. Ops on what needs no gradient (the input image) keep nothing. Each different scope is worked out once.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from archdsl.backends.torch.lowering import InPlace
from archdsl.graph import ROWS, Child, Graph, Scope, Step, dealt, each_shape, gathered, op_of
from archdsl.graph.storage import Saved, Unit, fresh_in_training, made
from archdsl.op import Inner, elements

ENOUGH = 3
"""So many turns of a row tell what the others keep: the first meets another input, and notes it."""


class TensorMemory:
    """Memory of a tensor: its size, and whether the backward pass needs it."""

    def __init__(self, size: int, kept: bool = False) -> None:
        self.size = size
        self.kept = kept


class TrackedTensor(NamedTuple):
    """A tensor in a storage; `grad` says whether a gradient flows back through it."""

    storage: TensorMemory
    grad: bool


Value = tuple[TrackedTensor, ...]


class Passed(NamedTuple):
    """The result of a call: bytes kept of tensors that do not leave it, the inputs it keeps, and its outputs.

    `made` are the new storages that leave it, with whether they are kept; `gives` has for each output tensor one of
    them, or, below zero, ~n for the n-th input tensor, and whether a gradient flows through it.
    """

    kept: int
    inputs: frozenset[int]
    made: tuple[tuple[int, bool], ...]
    gives: tuple[tuple[int, bool], ...]


class Turn(NamedTuple):
    """A turn of a row: the bytes that it keeps, and the state of each tensor that it gives when it is through."""

    kept: int
    gives: tuple[tuple[int, bool, bool], ...]


class Backward:
    """The calls of a graph's scopes in training."""

    def __init__(self, graph: Graph, unit: Unit) -> None:
        self.graph = graph
        self.unit = unit
        self.in_place = InPlace(graph.root)
        self.known: dict[tuple[Scope, tuple[bool, ...]], Passed] = {}

    def network(self, checkpoints: Iterable[str] = ()) -> Saved:
        """Memory that the whole network keeps, with the sections of these names checkpointed."""
        wanted = set(checkpoints)
        root, again = self.graph.root, 0
        names = {section.value: section.name for section in self.graph.sections}
        values: dict[int, Value] = {0: (TrackedTensor(TensorMemory(self.unit.size(self.graph.input)), False),)}
        storages = [values[0][0].storage]
        sections: dict[int, int] = {}
        total = 0
        for step in root.steps:
            assert step.scope is not None
            inputs = gathered(values, step.inputs)
            before = total + sum(each.size for each in storages if each.kept)
            passed = self.call(step.scope, tuple(tensor.grad for tensor in inputs))
            checkpointed = names.get(step.output) in wanted
            values[step.output] = self.leave(passed, inputs, keeps=not checkpointed)
            storages += {each.storage for each in values[step.output]} - set(storages)
            if checkpointed:
                for tensor in inputs:
                    tensor.storage.kept = True
                so_far = total + sum(each.size for each in storages if each.kept)
                again = max(again, so_far + passed.kept + sum(size for size, kept in passed.made if kept))
            else:
                total += passed.kept
            sections[step.output] = total + sum(each.size for each in storages if each.kept) - before
        return Saved(total + sum(each.size for each in storages if each.kept), sections, again)

    def leave(self, passed: Passed, inputs: Value, *, keeps: bool = True) -> Value:
        """The output of a call in the caller's storages, whose kept ones are noted."""
        new = [TensorMemory(size, kept and keeps) for size, kept in passed.made]
        for at in passed.inputs if keeps else ():
            inputs[at].storage.kept = True
        return tuple(TrackedTensor(inputs[~at].storage if at < 0 else new[at], grad) for at, grad in passed.gives)

    def call(self, scope: Scope, grads: tuple[bool, ...], overwrites: bool = False) -> Passed:
        """The result of calling a scope, for inputs through which gradients flow or not."""
        if scope.op is not None:
            return self.op(scope, grads, overwrites)
        if (scope, grads) not in self.known:
            self.known[scope, grads] = self.walk(scope, grads)
        return self.known[scope, grads]

    def op(self, scope: Scope, grads: tuple[bool, ...], overwrites: bool) -> Passed:
        """An op by itself."""
        op, x = op_of(scope)
        learns = any(weight.kind == "parameter" for weight in op.weights(x))
        grad = learns or any(grads)
        keeps = op.kept(x, scope.output) if grad else ()
        own = not overwrites and fresh_in_training(scope)
        sizes, places = made(scope, self.unit) if own else ((), (~0,) * len(each_shape(scope.output)))
        if overwrites and grad and op.copies:
            keeps = (Inner(elements(x)),)
        output = "output" in keeps
        inputs = {at for at in range(len(grads)) if "input" in keeps and (learns or needed(at, grads, op.takes))}
        return Passed(
            kept=self.unit.inner(each for each in keeps if isinstance(each, Inner)),
            inputs=frozenset(inputs | ({0} if output and not own else set())),
            made=tuple((size, output) for size in sizes),
            gives=tuple((at, grad) for at in places),
        )

    def walk(self, scope: Scope, grads: tuple[bool, ...]) -> Passed:
        """A scope by its steps."""
        frame = BackwardCall(self, scope, grads)
        for step in scope.steps:
            frame.act(step)
        return frame.finish()


class BackwardCall:
    """A call of a scope under way."""

    def __init__(self, backward: Backward, scope: Scope, grads: tuple[bool, ...]) -> None:
        self.backward = backward
        self.scope = scope
        self.kept = 0
        self.inputs = [TensorMemory(0) for _ in grads]
        self.values = dealt(scope.inputs, map(TrackedTensor, self.inputs, grads))
        self.storages: list[TensorMemory] = []

    def act(self, step: Step) -> None:
        """Does a step."""
        inputs = gathered(self.values, step.inputs)
        if step.kind == "pick":
            self.values[step.output] = inputs[step.index : step.index + 1 or None]
        elif step.kind in ROWS:
            self.values[step.output] = self.row(self.scope.child(step.target), inputs, collect=step.kind == "collect")
        else:
            assert step.scope is not None
            overwrites = step.kind == "call" and step.target in self.backward.in_place.of(self.scope)
            self.values[step.output] = self.call(step.scope, inputs, overwrites)

    def call(self, scope: Scope, inputs: Value, overwrites: bool = False) -> Value:
        """Calls a module; the storages that it makes are this scope's from now on."""
        passed = self.backward.call(scope, tuple(tensor.grad for tensor in inputs), overwrites)
        self.kept += passed.kept
        output = self.backward.leave(passed, inputs)
        self.storages += {each.storage for each in output} - {each.storage for each in inputs}
        return output

    def row(self, child: Child, value: Value, *, collect: bool) -> Value:
        """Modules one after the other. Of a run of equal ones, those after the third keep what the third does."""
        outputs: list[TrackedTensor] = []
        for run in child.runs:
            turns: list[Turn] = []
            for at in range(run.count):
                before, inputs = self.total(value), value
                value = self.call(run.scope, value)
                outputs += value
                if collect or run.count <= ENOUGH:
                    continue
                turns.append(Turn(self.total(inputs + value) - before, tuple(state(tensor) for tensor in value)))
                if turns[-ENOUGH:] == [turns[-1]] * ENOUGH:
                    self.kept += (run.count - at - 1) * turns[-1].kept
                    break
        return tuple(outputs) if collect else value

    def total(self, value: Value) -> int:
        """Bytes kept so far, of storages that are still there those of some tensors only."""
        return self.kept + sum(each.size for each in {tensor.storage for tensor in value} if each.kept)

    def finish(self) -> Passed:
        """The result of the call."""
        output = gathered(self.values, [self.scope.result])
        leaving = list(dict.fromkeys(each.storage for each in output if each.storage not in self.inputs))
        place = {storage: at for at, storage in enumerate(leaving)}
        place |= {storage: ~at for at, storage in enumerate(self.inputs)}
        inside = {storage for storage in self.storages if storage not in place}
        return Passed(
            kept=self.kept + sum(storage.size for storage in inside if storage.kept),
            inputs=frozenset(at for at, storage in enumerate(self.inputs) if storage.kept),
            made=tuple((storage.size, storage.kept) for storage in leaving),
            gives=tuple((place[each.storage], each.grad) for each in output),
        )


def needed(at: int, grads: tuple[bool, ...], takes: str) -> bool:
    """True if an op without weights keeps an input: a product does so for the gradients of the other operands."""
    return any(grads[:at] + grads[at + 1 :]) if takes == "list" and len(grads) > 1 else grads[at]


def state(tensor: TrackedTensor) -> tuple[int, bool, bool]:
    """The present state of a tensor, as far as later ones depend on it."""
    return tensor.storage.size, tensor.storage.kept, tensor.grad
