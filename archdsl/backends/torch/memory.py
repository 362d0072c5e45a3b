"""Activation memory of the emitted module: eager inference, and the tensors that autograd saves.

In inference an emitted `forward` is run: each statement takes and frees memory, as CPython and PyTorch do. For the
backward pass, each storage counts once, weights and buffers aside: in-place activations and views share a storage with
what they write over or look at. Ops on what needs no gradient (the input image) keep nothing. Each different scope is
worked out once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from archdsl.backends.torch.locals import LONG, Outline, TensorExpression
from archdsl.backends.torch.lowering import SUMS, Acts, InPlace, is_identity, numeral, pipeline, spelling
from archdsl.graph import ROWS, Child, Graph, Ref, Scope, Step, dealt, distinct, each_shape, gathered, op_of
from archdsl.graph.storage import Blocks, Called, Execution, Heap, Saved, Unit, called, fresh, fresh_in_training, made
from archdsl.op import Inner, Shape, elements


class ForwardRun(Acts):
    """Run of the statements of one forward."""

    def __init__(self, eager: Eager, scope: Scope, results: Sequence[Ref], outline: Outline | None = None) -> None:
        super().__init__(scope, results, outline)
        self.eager = eager
        self.heap = Heap(sum(len(each_shape(shapes)) for shapes in scope.inputs))
        given = dealt(scope.inputs, self.heap.hold(tuple(range(self.heap.inputs))))
        self.variables = dict(zip(self.inputs, given.values(), strict=True))

    def finish(self, result: Ref) -> Blocks:
        """The value of the return, which alone is left."""
        return self.evaluate(self.read(result))

    # ---- statements

    def put(self, name: str, blocks: Blocks) -> None:
        """Put what is held for a variable into it, and release what was in it."""
        self.heap.drop(self.variables.get(name, ()))
        self.variables[name] = blocks

    def assign(self, name: str, value: TensorExpression) -> None:
        self.put(name, self.evaluate(value))

    def take_apart(self, names: Sequence[str], value: TensorExpression) -> None:
        blocks = self.evaluate(value)
        for name, block in zip(names, blocks, strict=True):
            self.put(name, self.heap.hold((block,)))
        self.heap.drop(blocks)

    def run_row(self, child: Child, running: str, outputs: str) -> None:
        if not outputs:
            self.variables[running] = self.eager.row(child, self.heap, self.variables[running])
            return
        self.put(outputs, ())
        for scope in (run.scope for run in child.runs for _ in range(run.count)):
            result = self.eager.call(scope, self.heap, self.variables[running])
            self.put(running, result)
            self.variables[outputs] += self.heap.hold(result)

    def add_up(self, name: str, value: TensorExpression) -> None:
        """Nothing: the last statement adds all up, and each partial result dies with the next all the same."""

    def does_nothing(self, child: Child) -> bool:
        return child.form == "one" and is_identity(child.scope)

    def place(self, child: Child) -> int:
        return 0

    def facts(self, step: Step) -> Callable[[str], str]:
        assert step.scope is not None
        op, x = op_of(step.scope)
        facts = op.facts(x)

        def text(name: str) -> str:
            found = str(facts[name])
            return found if len(found) <= LONG else f"self.{name}"

        return text

    # ---- expressions

    def evaluate(self, value: TensorExpression) -> Blocks:
        """Work an expression out as CPython does: operands wait on the stack; the result is held once more."""
        if value.step:
            return self.joined(value) if pairwise(value.step) else self.act(value.step, self.stacked(value))
        if not value.operands:
            return self.heap.hold(self.variables[value.text]) if value.plain else ()
        if value.at is None:
            return self.stacked(value)
        whole = self.stacked(value)
        kept = self.heap.hold(whole[value.at : value.at + 1])
        self.heap.drop(whole)
        return kept

    def stacked(self, value: TensorExpression) -> Blocks:
        """The operands of an expression, worked out one after the other."""
        return tuple(block for each in value.operands for block in self.evaluate(each))

    def act(self, step: Step, inputs: Blocks) -> Blocks:
        """Do what a step does, and release its operands, which are held for it."""
        if step.kind == "repeat" and numeral(child := self.children[step.target]):
            return self.eager.row(child, self.heap, inputs)
        if step.kind == "repeat":
            result = self.eager.row(self.children[step.target], self.heap, self.heap.hold(inputs))
        elif in_two_calls(step):
            return self.twice(step, inputs)
        else:
            result = self.eager.module(self.scope, step, self.heap, inputs)
        self.heap.drop(inputs)
        return result

    def twice(self, step: Step, inputs: Blocks) -> Blocks:
        """Two calls inside each other: the inner one's result is what the op needs inside itself."""
        assert step.scope is not None
        op, x = op_of(step.scope)
        inner = self.heap.hold(tuple(self.heap.take([self.eager.unit.inner(op.scratch(x, step.shape))])))
        self.heap.drop(inputs)
        sizes, places = made(step.scope, self.eager.unit)
        new = self.heap.take(sizes)
        self.heap.drop(inner)
        return self.heap.hold(tuple(new[at] for at in places))

    def joined(self, value: TensorExpression) -> Blocks:
        """A sum or product: each operand is worked out when its turn comes, each partial result dies with the next."""
        assert value.step is not None
        assert value.step.scope is not None
        shapes = iter(each_shape(value.step.scope.inputs[0]))
        total: Blocks = ()
        shape: Shape = ()
        (*_, last) = operands = value.operands
        for item in last.items or () if len(operands) == 1 and last.items else operands:
            for block in self.evaluate(item):
                operand = next(shapes)
                if not total:
                    total, shape = (block,), operand
                    continue
                shape = tuple(map(max, shape, operand))
                result = self.heap.hold(tuple(self.heap.take([self.eager.unit.size(shape)])))
                self.heap.drop((*total, block))
                total = result
        return total


def pairwise(step: Step) -> bool:
    """True if a step is a sum or product, which takes its operands two by two."""
    if step.scope is None or step.scope.op is None or step.kind == "repeat":
        return False
    return spelling(step.scope).function in SUMS and len(step.scope.inputs[0]) > 1


def in_two_calls(step: Step) -> bool:
    """True if a function reads its operands in an inner call, so that they may go before the outer one."""
    return step.scope is not None and step.scope.op is not None and spelling(step.scope).stacked


class NetworkRun(ForwardRun):
    """Run of the network's own forward, in evaluation, which notes the peak while each section runs."""

    def __init__(self, eager: Eager, graph: Graph) -> None:
        self.outline: Outline = Outline(graph)
        self.peaks: dict[int, int] = {}
        super().__init__(eager, graph.root, self.outline.results, self.outline)

    def act(self, step: Step, inputs: Blocks) -> Blocks:
        before, self.heap.peak = self.heap.peak, self.heap.live
        result = super().act(step, inputs)
        self.peaks[step.output] = self.heap.peak
        self.heap.peak = max(before, self.heap.peak)
        return result

    def run_network(self) -> Blocks:
        """The value of the return."""
        in_training = self.outline.only_in_training()
        self.run(step for step in self.scope.steps if step.output not in in_training)
        always = tuple(section.value for section in self.outline.always)
        return self.finish(always or self.outline.result)


class Eager:
    """The calls of a graph's scopes, and the peaks of its sections."""

    def __init__(self, graph: Graph, unit: Unit) -> None:
        self.graph = graph
        self.unit = unit
        self.in_place = InPlace(graph.root)
        self.known: dict[Scope, Called] = {}
        # The peak while the step runs that makes a section's value, without the network's input.
        self.sections: dict[int, int] = {}
        for scope in distinct(graph.root):
            if scope.op is None:
                self.known[scope] = self.pipeline(scope) if pipeline(scope) else self.walk(scope)

    @property
    def peak(self) -> int:
        """Bytes at the peak, with the network's input."""
        return self.known[self.graph.root].peak + self.unit.size(self.graph.input)

    def walk(self, scope: Scope) -> Called:
        """A scope with a `forward` of its own."""
        if scope is self.graph.root:
            network = NetworkRun(self, self.graph)
            self.sections = network.peaks
            return called(network.heap, network.run_network())
        forward = ForwardRun(self, scope, [scope.result])
        forward.run(scope.steps)
        return called(forward.heap, forward.finish(scope.result))

    def pipeline(self, scope: Scope) -> Called:
        """nn.Sequential: each value dies once the next one is there."""
        heap = Heap(1)
        value: Blocks = heap.hold((0,))
        for step in scope.steps:
            child = scope.child(step.target)
            if numeral(child):
                value = self.row(child, heap, value)
                continue
            named = child.form == "repeat"
            result = self.row(child, heap, heap.hold(value)) if named else self.module(scope, step, heap, value)
            heap.drop(value)
            value = result
        return called(heap, value)

    def row(self, child: Child, heap: Heap, value: Blocks) -> Blocks:
        """Modules one after the other, on a value that is held for them; a run of equal ones comes to rest soon."""
        for run in child.runs:
            before: tuple[int, int] | None = None
            for _ in range(run.count):
                result = self.call(run.scope, heap, value)
                same = result == value
                heap.drop(value)
                value = result
                state = heap.live, heap.peak
                if state == before or same:
                    break
                before = state
        return value

    def module(self, scope: Scope, step: Step, heap: Heap, inputs: Blocks) -> Blocks:
        """Call the module of a step, in place where it is so emitted."""
        assert step.scope is not None
        if step.scope.op is not None and step.target in self.in_place.of(scope):
            return heap.hold(inputs)
        return self.call(step.scope, heap, inputs)

    def call(self, scope: Scope, heap: Heap, inputs: Blocks) -> Blocks:
        """Call a module on values that the caller holds; the output is held once more."""
        if scope.op is not None:
            return heap.hold(self.op(scope, heap, inputs))
        found = self.known[scope]
        heap.reach(found.peak)
        return heap.hold(found.output(inputs, heap.take(found.made)))

    def op(self, scope: Scope, heap: Heap, inputs: Blocks) -> Blocks:
        """Run an op that is not in place."""
        op, x = op_of(scope)
        if not fresh(scope):
            return inputs[:1] * len(each_shape(scope.output))
        sizes, places = made(scope, self.unit)
        heap.reach(sum(sizes) + self.unit.inner(op.scratch(x, scope.output)))
        new = heap.take(sizes)
        return tuple(new[at] for at in places)


# So many turns of a row tell what the others keep: the first meets another input, and notes it.
ENOUGH = 3


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
            inputs = gathered(values, step.inputs)
            if step.kind == "pick":
                values[step.output] = (inputs[step.index],)
                continue
            assert step.scope is not None
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
        """Do a step."""
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
        """Call a module; the storages that it makes are this scope's from now on."""
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


def execution(graph: Graph, unit: Unit, checkpoint: Iterable[str] = ()) -> Execution:
    """Activation memory of a graph in eager PyTorch, with the named sections checkpointed in training."""
    eager = Eager(graph, unit)
    return Execution(eager.peak, eager.sections, Backward(graph, unit).network(checkpoint))
