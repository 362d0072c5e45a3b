"""Peak activation memory of inference as eager PyTorch has it for the module that is emitted.

The emitted code is walked as CPython runs it: the caller's arguments live until a module returns, a variable until it
takes another value or its `forward` returns, what stands inside an expression until the call that reads it is done.
Activations run in place where the emitted source says so, views share memory, a list holds its tensors.

A call of a scope depends on its input's shapes alone, since the caller holds the inputs: so each different scope is
walked once, and its calls are added up by what it came to.
"""

from __future__ import annotations

from archdsl.analyses.memory.forward import Forward, NetworkForward
from archdsl.analyses.memory.heap import Blocks, Called, Heap, called
from archdsl.analyses.memory.tensors import Unit, fresh, made
from archdsl.graph import Child, Graph, Scope, Step, distinct, each_shape
from archdsl.graph.forward.rules import InPlace, content, numeral, pipeline


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
            network = NetworkForward(self, self.graph)
            self.sections = network.peaks
            return called(network.heap, network.run_network())
        forward = Forward(self, scope, [scope.result])
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
        """What a step calls, in place where it is so emitted."""
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
        op, x = content(scope)
        if not fresh(scope):
            return inputs[:1] * len(each_shape(scope.output))
        sizes, places = made(scope, self.unit)
        heap.reach(sum(sizes) + self.unit.inner(op.scratch(x, scope.output)))
        new = heap.take(sizes)
        return tuple(new[at] for at in places)
