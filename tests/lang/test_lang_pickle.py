"""A spec goes to other processes and into copies, also once it has been worked out."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import pytest

import archdsl
from archdsl import driver

TEXT = """
block two(w):
    a = x -> cna(w) -> cna(w, 3)
    b = x -> cna(w) -> 2 * cna(w, 3)
    return a + b
backbone net(w = 8):
    input 3 x 32 x 32
    stem: two(w) -> two(2 * w) -> two(2 * w)
    head: global_avgpool -> flatten -> linear(10)
"""


@pytest.mark.parametrize("copied", [lambda spec: pickle.loads(pickle.dumps(spec)), copy.deepcopy])
def test_a_copy_is_the_same_network(copied: Callable[[Any], Any]) -> None:
    spec = driver.loads(TEXT)
    graph = driver.compile(spec)
    found = copied(spec)
    del spec  # the memory of its nodes may be used again
    assert archdsl.emit(driver.compile(found), "json") == archdsl.emit(graph, "json")
    assert driver.compile(found, params={"w": 4}).root.totals.params < graph.root.totals.params
