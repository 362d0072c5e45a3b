"""What Python code asks for: parameters and input sizes, as on the command line, or refused in words."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

import archdsl
from archdsl import ArchError, driver

SPEC = driver.loads(
    """
backbone net(depths = [1, 2], width = 1.0, mode: slow | fast = fast, layer: block = relu, k = 3, pool = true):
    input 3 x 32 x 32
    stem: cna(int(8 * width), k) -> (relu if mode == fast else silu) -> (maxpool(2) if pool else identity)
    body: depths[0] * cna(8) -> depths[1] * cna(8) -> layer
"""
)


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("depths", [1, 3], "[1, 3]"),
        ("depths", (1, 3), "[1, 3]"),
        ("width", 0.5, "0.5"),
        ("width", Decimal("0.75"), "0.75"),
        ("width", Fraction(1, 4), "0.25"),
        ("width", 2, "2"),
        ("mode", "slow", "slow"),
        ("layer", "cna(16) -> silu", "cna(16) -> silu"),
        ("k", 5, "5"),
        ("k", "5", "5"),
        ("pool", False, "false"),
    ],
)
def test_values_of_python_are_those_of_the_language(name: str, value: Any, text: str) -> None:
    found, written = (archdsl.compile(SPEC, params={name: each}) for each in (value, text))
    assert found.root.totals == written.root.totals != archdsl.compile(SPEC).root.totals or name == "mode"
    assert found.maps == written.maps


def test_values_of_numpy() -> None:
    np = pytest.importorskip("numpy")
    params = {"depths": np.array([1, 3]), "width": np.float32(0.5), "k": np.int64(5)}
    same = {"depths": [1, 3], "width": 0.5, "k": 5}
    assert archdsl.compile(SPEC, params=params).root.totals == archdsl.compile(SPEC, params=same).root.totals


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (object(), "the language has no value like object"),
        (float("nan"), "the language has no value like float"),
        (float("inf"), "the language has no value like float"),
        ({"a": 1}, "the language has no value like dict"),
        (["a"], "the language has no value like list"),
        (b"3", "the language has no value like bytes"),
        ("3 +", "nothing follows `+`"),
        (None, "an int is needed here, not none"),
        (0.5, "an int is needed here, not 0.5"),
    ],
)
def test_what_is_no_value_is_refused(value: Any, said: str) -> None:
    with pytest.raises(ArchError) as caught:
        archdsl.compile(SPEC, params={"k": value})
    assert said in str(caught.value).replace("`0.5`", "0.5")


def test_all_that_is_wrong_is_said_at_once() -> None:
    with pytest.raises(ArchError) as caught:
        archdsl.compile(SPEC, params={"k": object(), "width": "1 +", "depths": {}})
    assert len(caught.value.diagnostics) == 3


@pytest.mark.parametrize("size", [(3, 32.0, 32), (3, True, 32), (3, 32), (3, 32, 32, 1), 5, "3x32x32", None.__class__])
def test_what_is_no_input_size_is_refused(size: Any) -> None:
    for work in (
        lambda: archdsl.compile(SPEC, input=size),
        lambda: archdsl.cost_many([{}], of=SPEC, input=size),
        lambda: archdsl.validate("net.arch", text="block b() = relu", input=size),
    ):
        with pytest.raises(ArchError, match="is not an input size"):
            work()


def test_a_graph_takes_neither() -> None:
    graph = archdsl.compile(SPEC)
    for settings in ({"params": {"k": 5}}, {"input": (3, 64, 64)}):
        with pytest.raises(ArchError, match="a graph has its parameters and its input size already"):
            archdsl.build(graph, **settings)  # type: ignore[arg-type]
