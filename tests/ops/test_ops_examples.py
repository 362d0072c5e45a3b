"""The examples in the docstrings of ops: each elaborates, and its module computes what the op's `run` does."""

from __future__ import annotations

import re

import pytest

import archdsl
from archdsl.graph import Graph, distinct
from archdsl.ops import vocabulary

EXAMPLES = [
    pytest.param(name, text, id=f"{name}-{number}")
    for name, op in vocabulary().items()
    for number, text in enumerate(re.findall(r"^\s*Example: (.+)$", op.__doc__ or "", re.MULTILINE))
]


def test_every_op_has_an_example() -> None:
    assert {param.values[0] for param in EXAMPLES} == set(vocabulary())


def network(text: str) -> Graph:
    """A network that is an example."""
    return archdsl.compile(archdsl.loads(f"backbone net:\n    input 8 x 16 x 16\n    body: {text}\n"))


@pytest.mark.parametrize(("name", "text"), EXAMPLES)
def test_example(name: str, text: str) -> None:
    pytest.importorskip("torch")
    graph = network(text)
    left = {scope.op.name for scope in distinct(graph.root) if scope.op is not None}
    assert name in left or name == "identity"  # a literal `identity` leaves nothing in the graph
    result = archdsl.check(graph)
    assert result.agrees, result
