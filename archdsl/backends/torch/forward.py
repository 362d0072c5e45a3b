"""The `forward` of a class as text: the statements that a scope's steps come to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from archdsl.backends.torch.grouping import Path
from archdsl.backends.torch.layout import atom, group, lines, signature
from archdsl.backends.torch.numbers import Frame, Hint
from archdsl.backends.torch.registry import Registry
from archdsl.backends.torch.text import quoted
from archdsl.backends.torch.writing import Writing
from archdsl.graph import Child, Graph, Ref, Scope, Section, Step
from archdsl.graph.forward.network import Outline


class Target(NamedTuple):
    """What a forward is written for: the scopes of a class, side by side, its numbers, its modules' places."""

    scopes: Sequence[Scope]
    frame: Frame
    registry: Registry
    dropped: frozenset[Path]
    places: dict[str, int]
    """Where the rows without names start."""


class Forward(Writing):
    """Writes the statements of the forward that the scopes of a class share."""

    def __init__(self, target: Target, results: Sequence[Ref], outline: Outline | None = None) -> None:
        super().__init__(target.scopes[0], results, outline, target.registry.words)
        self.target = target

    def does_nothing(self, child: Child) -> bool:
        return (child.name,) in self.target.dropped or super().does_nothing(child)

    def place(self, child: Child) -> int:
        return self.target.places[child.name]

    def facts(self, step: Step) -> Callable[[str], str]:
        child = self.children.get(step.target)
        origins = dict(child.origins) if child else {}
        at = self.order[step.output]
        scopes = [scope for scope in (each.steps[at].scope for each in self.target.scopes) if scope is not None]

        def text(fact: str) -> str:
            found = [self.target.registry.facts(scope)[fact] for scope in scopes]
            return self.target.frame.attribute(found, Hint(step.target, fact, origins.get(fact)))

        self.target.registry.facts(scopes[0])
        return text


class NetworkForward(Forward):
    """Writes the network's own forward: a statement for each section, and the return of the outputs."""

    def __init__(self, target: Target, graph: Graph) -> None:
        self.outline: Outline = Outline(graph)
        super().__init__(target, self.outline.results, self.outline)

    def text(self) -> list[str]:
        """The whole method."""
        outline, in_training = self.outline, self.outline.only_in_training()
        self.run(step for step in self.scope.steps if step.output not in in_training)
        if outline.training:
            self.write("if self.training:")
            self.indent += "    "
            self.run(step for step in self.scope.steps if step.output in in_training)
            chain = [outline.main] if outline.main and not outline.always else []
            self.give([*outline.training, *outline.always, *chain])
            self.indent = self.indent[4:]
        if outline.always:
            self.give(outline.always)
        else:
            self.finish(outline.result)
        (name,) = self.inputs
        return [*signature("forward", ["self", f"{name}: Tensor"], self.returns()), *self.lines]

    def returns(self) -> str:
        """What the network returns."""
        if self.outline.always:
            return "dict[str, Tensor]"
        return "Tensor | dict[str, Tensor]" if self.outline.training else "Tensor"

    def give(self, sections: list[Section]) -> None:
        """The return of a dict."""
        items = [atom(f"{quoted(section.name)}: {self.values[section.value].text}") for section in sections]
        self.lines += lines(group("{", items, "}"), self.indent, "return ")
