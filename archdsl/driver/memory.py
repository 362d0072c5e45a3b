"""Memory of a network as PyTorch executes it: the analysis, with the torch backend's account of the execution."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from archdsl.graph import Graph

if TYPE_CHECKING:
    from archdsl.analyses.memory import Memory


def memory(graph: Graph, batch: int = 1, precision: str = "fp32", checkpoint: Iterable[str] = ()) -> Memory:
    """Memory of a network for a batch in a precision, with the sections named in `checkpoint` run again in training.

    Raises ArchError for an unknown precision or section, and an empty batch.
    """
    # Imported late: validating, comparing and costing rarely need the torch backend.
    from archdsl.analyses.memory import memory
    from archdsl.backends.torch.memory import execution

    return memory(graph, execution, batch, precision, checkpoint)
