"""What the network's own forward gives: sections in order, a statement each, and the outputs."""

from __future__ import annotations

from archdsl.graph.scope import Graph, Ref
from archdsl.graph.values import needed, values_read


class Outline:
    """The sections of a network by what becomes of them."""

    def __init__(self, graph: Graph) -> None:
        self.root = graph.root
        self.names = {section.value: section.name for section in graph.sections}
        self.outputs = [section for section in graph.sections if section.kind == "output"]
        self.training = [section for section in self.outputs if section.training_only]
        chain = [section for section in graph.sections if section.kind != "output"]
        self.main = chain[-1] if chain else None
        self.result: Ref = self.main.value if self.main else graph.root.result
        always = [section for section in self.outputs if not section.training_only]
        self.always = [*always, *([self.main] if self.main else [])] if always else []
        """What is given back by name, if anything is."""
        self.ends = {section.value for section in (*self.training, *([self.main] if self.main else []))}
        """The sections that may be written where they are returned."""

    @property
    def results(self) -> list[Ref]:
        """What is given back, once for each time that it is."""
        again = [self.result] if self.training else []
        return [self.result, *again, *(section.value for section in self.outputs)]

    def only_in_training(self) -> set[int]:
        """The values that inference does not need."""
        results = [*[section.value for section in self.always], *values_read([self.result])]
        return {step.output for step in self.root.steps} - needed(results, self.root.steps)
