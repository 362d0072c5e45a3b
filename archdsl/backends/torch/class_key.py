"""The text of a scope with its numbers left open: scopes with one sketch can share a class.

A sketch is written by what writes the classes, so it holds all that the text depends on: how many tensors there are
in each list, which template spells each op, what is read how often. It cannot leave out what the writer looks at.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from archdsl.backends.torch.locals import TensorExpression, element, filled, variable
from archdsl.backends.torch.lowering import pipeline, spelling
from archdsl.backends.torch.writing import Writing, type_of
from archdsl.graph import Child, Scope, Step, op_of

Sketch = tuple[Any, ...]


class OpenForward(Writing):
    """A forward with its numbers left open: each is called by the step and the fact that it is."""

    def facts(self, step: Step) -> Callable[[str], str]:
        at = self.order[step.output]
        return lambda fact: f"{fact}_{at}"

    def place(self, child: Child) -> int:
        return 0


def forward(scope: Scope) -> Sketch:
    """The forward of a scope that has one; what else decides it are its children."""
    if scope.kind == "network":
        return ("network",)
    return ("pipeline",) if pipeline(scope) else written(scope)


def written(scope: Scope) -> tuple[str, ...]:
    """The lines of a scope's forward with its numbers left open, whether nn.Sequential has one like it or not."""
    return tuple(OpenForward(scope, [scope.result]).method())


def op(scope: Scope) -> Sketch:
    """The spelling of an op, and the types of what it takes and gives."""
    spelt = spelling(scope)
    said = spelt._asdict() | {"defaults": tuple(sorted(spelt.defaults.items()))}
    text = expression(scope, lambda fact: fact).text if spelt.function else ""
    types = map(type_of, (*scope.inputs, scope.output))
    return op_of(scope)[0].name, *said.values(), text, *types


def expression(scope: Scope, fact: Callable[[str], str]) -> TensorExpression:
    """An op that PyTorch has as a function, on a variable `x`."""
    made, shapes = op_of(scope)
    x = variable("x")
    if made.takes != "list":
        return filled(spelling(scope).function, [x], None, fact)
    return filled(spelling(scope).function, [element(x, at) for at in range(len(shapes))], x, fact)
