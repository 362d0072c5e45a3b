"""An emitted `forward` as it runs: each statement takes and frees memory, as CPython and PyTorch do."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from archdsl.backends.torch.locals import LONG, Outline, TensorExpression
from archdsl.backends.torch.lowering import Acts, InPlace, is_identity, numeral, pipeline
from archdsl.graph import Child, Graph, Ref, Scope, Step, dealt, distinct, each_shape, op_of
from archdsl.graph.storage import Blocks, Called, Heap, Unit, called, fresh, made
from archdsl.op import Shape

NESTED = re.compile(r"\w\([\w.]+\(\{x\}\)")
"""A call of a call of the operand: `torch.softmax(torch.stack({x}), dim=0)`."""


class ForwardRun(Acts):
    """Runs the statements of one forward."""

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
        """Puts into a variable what is held for it; what was in it is let go."""
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
        """Works an expression out as CPython does: operands wait on the stack; the result is held once more."""
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
        """Does what a step does; its operands, which are held for it, are let go."""
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
    op, x = op_of(step.scope)
    return op.spelling(x).function in ("{sum}", "{product}") and not op.spelling(x).module and len(x) > 1


def in_two_calls(step: Step) -> bool:
    """True if a function reads its operands in an inner call, so that they may go before the outer one."""
    if step.kind != "op" and not (step.scope and step.scope.op and step.scope.op.takes == "list"):
        return False
    assert step.scope is not None
    op, x = op_of(step.scope)
    return bool(NESTED.search(op.spelling(x).function))


class NetworkRun(ForwardRun):
    """Runs the network's own forward, in evaluation, and notes the peak while each section runs."""

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
        self.sections: dict[int, int] = {}
        """The peak while the step runs that makes a section's value, without the network's input."""
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
        """Calls a module on values that the caller holds; the output is held once more."""
        if scope.op is not None:
            return heap.hold(self.op(scope, heap, inputs))
        found = self.known[scope]
        heap.reach(found.peak)
        return heap.hold(found.output(inputs, heap.take(found.made)))

    def op(self, scope: Scope, heap: Heap, inputs: Blocks) -> Blocks:
        """Runs an op that is not in place."""
        op, x = op_of(scope)
        if not fresh(scope):
            return inputs[:1] * len(each_shape(scope.output))
        sizes, places = made(scope, self.unit)
        heap.reach(sum(sizes) + self.unit.inner(op.scratch(x, scope.output)))
        new = heap.take(sizes)
        return tuple(new[at] for at in places)
