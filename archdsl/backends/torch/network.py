"""The root class: the sections in order, one line each, and the outputs."""

from __future__ import annotations

from archdsl.backends.torch.forward import Forward, Target
from archdsl.backends.torch.layout import atom, group, lines, signature
from archdsl.backends.torch.text import identifier, quoted
from archdsl.graph import Graph, Section, Step, each_value, values_read


class NetworkForward(Forward):
    """Writes a forward whose values are the network's sections: each call is a statement."""

    def __init__(self, target: Target, graph: Graph) -> None:
        self.sections = {section.value: section.name for section in graph.sections}
        self.outputs = [section for section in graph.sections if section.kind == "output"]
        chain = [section for section in graph.sections if section.kind != "output"]
        results = [chain[-1].value] if chain else [graph.root.result]
        self.main = chain[-1] if chain else None
        extra = [section for section in self.outputs if not section.training_only]
        self.always = [*extra, *([self.main] if self.main else [])] if extra else []
        self.training = [section for section in self.outputs if section.training_only]
        again = results if self.training else []
        self.ends = {section.value for section in (*self.training, *([self.main] if self.main else []))}
        """The sections that may be written where they are returned."""
        super().__init__(target, [*results, *again, *(section.value for section in self.outputs)])

    def folds(self, step: Step, readers: int) -> bool:
        return readers == 1 and step.output in self.ends

    def name(self, step: Step) -> str:
        if self.left[step.output] == 1 and self.free("x") and step.output not in self.results:
            return "x"
        return self.new(identifier(self.sections.get(step.output, "x")))

    def text(self) -> list[str]:
        """The whole method."""
        in_training = self.only_in_training()
        self.run(step for step in self.scope.steps if step.output not in in_training)
        if self.training:
            self.write("if self.training:")
            self.indent += "    "
            self.run(step for step in self.scope.steps if step.output in in_training)
            chain = [self.main] if self.main and not self.always else []
            self.give([*self.training, *self.always, *chain])
            self.indent = self.indent[4:]
        if self.always:
            self.give(self.always)
        else:
            self.finish(self.main.value if self.main else self.scope.result)
        (name,) = self.inputs
        return [*signature("forward", ["self", f"{name}: Tensor"], self.returns()), *self.lines]

    def returns(self) -> str:
        """What the network returns."""
        if self.always:
            return "dict[str, Tensor]"
        return "Tensor | dict[str, Tensor]" if self.training else "Tensor"

    def give(self, sections: list[Section]) -> None:
        """The return of a dict."""
        items = [atom(f"{quoted(section.name)}: {self.values[section.value].text}") for section in sections]
        self.lines += lines(group("{", items, "}"), self.indent, "return ")

    def only_in_training(self) -> set[int]:
        """The values that inference does not need."""
        needed = {section.value for section in self.always} | {self.main.value if self.main else 0}
        needed |= set(each_value(self.scope.result)) if self.main is None else set()
        for step in reversed(self.scope.steps):
            if step.output in needed:
                needed |= set(values_read(step.inputs))
        return {step.output for step in self.scope.steps} - needed
