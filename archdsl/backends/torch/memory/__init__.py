"""Activation memory of the emitted module: eager inference, and the tensors that autograd saves."""

from __future__ import annotations

from collections.abc import Iterable

from archdsl.backends.torch.memory.backward import Backward
from archdsl.backends.torch.memory.eager import Eager
from archdsl.graph import Graph
from archdsl.graph.storage import Execution, Unit


def execution(graph: Graph, unit: Unit, checkpoint: Iterable[str] = ()) -> Execution:
    """Activation memory of a graph in eager PyTorch, with the named sections checkpointed in training."""
    eager = Eager(graph, unit)
    return Execution(eager.peak, eager.sections, Backward(graph, unit).network(checkpoint))
