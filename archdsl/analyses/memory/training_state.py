"""Training state of a network, activations aside: weights, gradients, the optimizer's state."""

from __future__ import annotations

from typing import NamedTuple

from archdsl.analyses.cost import added
from archdsl.graph import Graph, Scope, distinct

COUNTER = 8
"""Bytes of a batch norm's counter of batches."""
STEP = 4
"""Bytes of the counter that Adam keeps for each parameter tensor."""


class TrainingState(NamedTuple):
    """Numbers of elements, and of tensors where each of them costs."""

    parameters: int = 0
    buffers: int = 0
    counters: int = 0
    tensors: int = 0

    def weights(self, width: int) -> int:
        """Bytes of parameters and buffers."""
        return (self.parameters + self.buffers) * width + self.counters * COUNTER

    def gradients(self, width: int) -> int:
        """Bytes of the gradients."""
        return self.parameters * width

    def optimizers(self, width: int) -> dict[str, int]:
        """Bytes of the state of the usual optimizers, as `torch.optim` keeps it: in the parameters' precision."""
        values = self.parameters * width
        return {"sgd": 0, "momentum": values, "adam": 2 * values + STEP * self.tensors}


def held(graph: Graph) -> TrainingState:
    """The state that the modules of a network hold, shared ones counted once."""
    found: dict[Scope, TrainingState] = {}
    for scope in distinct(graph.root):
        below = [(run.count, found[run.scope]) for child in scope.children for run in child.runs]
        found[scope] = added(own(scope), below)
    return found[graph.root]


def own(scope: Scope) -> TrainingState:
    """The state that an op holds."""
    if scope.op is None:
        return TrainingState()
    weights = scope.op.weights(scope.inputs[0])
    parameters = [each.size for each in weights if each.kind == "parameter"]
    return TrainingState(
        parameters=sum(parameters),
        buffers=sum(each.size for each in weights if each.kind == "buffer"),
        counters=sum(each.size for each in weights if each.kind == "counter"),
        tensors=len(parameters),
    )
