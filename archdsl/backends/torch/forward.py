"""The `forward` of a class as text: the statements that a scope's steps come to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from archdsl.backends.torch.class_clustering import ClassGroup, Path
from archdsl.backends.torch.class_table import Class, Registry
from archdsl.backends.torch.constructor_args import ClassArguments, Columns, Hint
from archdsl.backends.torch.locals import Outline
from archdsl.backends.torch.pysource import atom, docstring, group, lines, number, quoted, signature
from archdsl.backends.torch.writing import RETURN, Writing, expression, printed, type_of
from archdsl.graph import Child, Feature, Graph, Ref, Scope, Section, Step

BODY = "        "


def function_class(registry: Registry, group: ClassGroup, name: str, doc: str) -> list[str]:
    """The lines of such a class, which the registry knows from then on."""
    frame = ClassArguments(group.scopes, registry.words)

    def fact(word: str) -> str:
        return frame.attribute(frame.columns, [registry.facts(scope)[word] for scope in group.scopes], Hint("", word))

    registry.facts(group.first)
    value = expression(group.first, fact)
    registry.classes[group.index] = Class(name, tuple(frame.parameters), ())
    head = [f"class {name}(nn.Module):", *docstring(doc), ""]
    if frame.stored:
        parameters = [f"{each.name}: {each.annotation}" for each in frame.parameters]
        head += signature("__init__", ["self", *parameters], "None")
        head += ["        super().__init__()"]
        head += [line for key, text in frame.stored.items() for line in lines(number(text), BODY, f"self.{key} = ")]
        head += [""]
    forward = signature("forward", ["self", f"x: {type_of(group.first.inputs[0])}"], type_of(group.first.output))
    return [*head, *forward, f"        return {value.text}"]


class Target(NamedTuple):
    """The context of a forward: the scopes of a class side by side, its numbers, the places of its modules."""

    scopes: Sequence[Scope]
    columns: Columns
    frame: ClassArguments
    registry: Registry
    dropped: frozenset[Path]
    places: dict[str, int]
    """The first index of each row without a name."""


class ForwardWriter(Writing):
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
            return self.target.frame.attribute(self.target.columns, found, Hint(step.target, fact, origins.get(fact)))

        self.target.registry.facts(scopes[0])
        return text


class NetworkForwardWriter(ForwardWriter):
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
        return [*signature("forward", ["self", f"{name}: Tensor"], self.returns()), *printed(self.statements)]

    def returns(self) -> str:
        """The return type of the network."""
        if self.outline.always:
            return "dict[str, Tensor]"
        return "Tensor | dict[str, Tensor]" if self.outline.training else type_of(self.scope.output)

    def give(self, sections: Sequence[Section | Feature]) -> None:
        """The return of a dict."""
        items = [atom(f"{quoted(section.name)}: {self.values[section.value].text}") for section in sections]
        self.write(RETURN, group("{", items, "}"))
