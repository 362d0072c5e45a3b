"""The root's `forward` as it runs: sections in order, a statement each, and the outputs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from archdsl.analyses.memory.forward import Forward
from archdsl.analyses.memory.heap import Blocks
from archdsl.graph import Graph, Ref, Step, each_value, values_read

if TYPE_CHECKING:
    from archdsl.analyses.memory.eager import Eager


class NetworkForward(Forward):
    """Runs the network's forward: each call is a statement, sections keep their names where they are read twice."""

    def __init__(self, eager: Eager, graph: Graph) -> None:
        self.names = {section.value: section.name for section in graph.sections}
        self.outputs = [section for section in graph.sections if section.kind == "output"]
        chain = [section for section in graph.sections if section.kind != "output"]
        self.main: Ref = chain[-1].value if chain else graph.root.result
        self.training = {section.value for section in self.outputs if section.training_only}
        self.always = [section.value for section in self.outputs if not section.training_only]
        self.ends = {*self.training, *([chain[-1].value] if chain else [])}
        self.peaks: dict[int, int] = {}
        again: list[Ref] = [self.main] * bool(self.training)
        super().__init__(eager, graph.root, [self.main, *again, *(section.value for section in self.outputs)])

    def folds(self, step: Step, readers: int) -> bool:
        return readers == 1 and step.output in self.ends

    def name(self, step: Step) -> str:
        if self.left[step.output] == 1 and self.free("x") and step.output not in self.results:
            return "x"
        return self.new(self.names.get(step.output, "x"))

    def act(self, step: Step, inputs: Blocks) -> Blocks:
        before, self.heap.peak = self.heap.peak, self.heap.live
        result = super().act(step, inputs)
        self.peaks[step.output] = self.heap.peak
        self.heap.peak = max(before, self.heap.peak)
        return result

    def run_network(self) -> Blocks:
        """The value of the return in evaluation."""
        needed = {*self.always, *each_value(self.main)}
        for step in reversed(self.scope.steps):
            if step.output in needed:
                needed |= set(values_read(step.inputs))
        self.run(step for step in self.scope.steps if step.output in needed)
        return self.finish((*self.always, *each_value(self.main)) if self.always else self.main)
