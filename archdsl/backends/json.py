"""The graph itself, in its versioned JSON form: for programs that read networks."""

from __future__ import annotations

from archdsl.graph import Graph
from archdsl.graph.jsonform import to_json


def emit(graph: Graph) -> str:
    """The graph's JSON form; `archdsl.graph.jsonform.from_json` reads it back."""
    return f"{to_json(graph)}\n"
