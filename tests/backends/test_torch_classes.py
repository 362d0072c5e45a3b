"""What shares a class computes what the graph says, whatever lists, names and ops meet in it.

The texts of `cases/classes.txt` are the kinds of things that one class may be asked to stand for. Each is held to the
interpreter in values, on tensors of random numbers, and to the graph in the names and shapes of its weights.
"""

from __future__ import annotations

import importlib.metadata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")

import archdsl  # noqa: E402
from archdsl import ArchError, ops  # noqa: E402
from archdsl.backends.torch import emit  # noqa: E402
from archdsl.graph import Graph  # noqa: E402
from archdsl.op import Op, Spelling, param  # noqa: E402
from tests.backends.naming import Drawer  # noqa: E402
from tests.backends.nets import graph  # noqa: E402
from tests.backends.test_torch_runs import build, prepared, same  # noqa: E402

CASES = (Path(__file__).parent / "cases" / "classes.txt").read_text("utf-8").split("=== ")[1:]
SPECS = {title: spec for title, _, spec in (case.partition("\n") for case in CASES)}
MOST_OPS = 400


def check(built: Graph, script: bool = True) -> None:
    """Holds a module to its graph, as it is and scripted."""
    result = archdsl.check(built)
    assert result.agrees, result
    assert max(each.size for each in result.deviations) < 1e-12
    if script:
        module, x = prepared(built), torch.randn(2, *built.input)
        same(torch.jit.script(module)(x), module(x))


@pytest.mark.parametrize("title", SPECS)
def test_one_class_computes_what_each_instance_says(title: str) -> None:
    check(graph(SPECS[title]))


@pytest.mark.parametrize("seeds", [range(60), pytest.param(range(60, 150), marks=pytest.mark.slow)], ids=str)
def test_any_names_do(seeds: range) -> None:
    compared = 0
    for seed in seeds:
        spec = Drawer(seed).spec()
        try:
            built = graph(spec)
        except ArchError:
            continue
        if built.root.totals.ops <= MOST_OPS:
            result = archdsl.check(built)
            assert result.agrees, f"{result}\n{spec}"
            compared += 1
    assert compared >= 0.75 * len(seeds)


def test_a_sum_of_three_is_one_of_three() -> None:
    built = graph(SPECS["sums of two and of three tensors"])
    assert (build(built).eval()(torch.ones(1, 8, 8, 8)) == 6).all()


def test_a_concat_of_one_tensor_is_that_tensor() -> None:
    built = graph("backbone net:\n    input 4 x 8 x 8\n    c1: concat(cna(8)) -> cna(4)\n")
    assert "torch.cat" not in emit(built)
    check(built)


def test_modules_that_all_instances_would_be_given_alike_are_made_inside() -> None:
    source = emit(graph(DENSE))
    assert "DenseUnit(in_channels + growth * i, growth=growth) for i in range(layers)" in source
    assert "self.layer = Nac(in_channels, growth)" in source
    check(graph(DENSE))


DENSE = """
backbone net(growth = 4):
    input 8 x 8 x 8
    c1: dense(4, nac(growth, 3)) -> conv(12) -> dense(6, nac(growth, 3))
"""


def test_what_differs_in_numbers_alone_still_shares_a_class() -> None:
    text = SPECS["collect and concat"].replace("osa(1)", "osa(2) -> conv(4)").replace("osa(5)", "conv(4) -> osa(5)")
    source = emit(graph(text))
    assert source.count("class Osa") == 1
    assert "Osa(2)" in source
    assert "Osa(5)" in source


def test_an_op_in_place_behind_a_slot_is_a_class_of_its_own() -> None:
    source = emit(graph(SPECS["an op that writes in place behind what may be its input itself"]))
    assert source.count("nn.ReLU(inplace=True)") == 1
    assert source.count("nn.ReLU()") == 1


# ---- templates that name an operand more than once


class Swish(Op):
    """x * sigmoid(beta * x). Example: acme.swish(2)."""

    name = ""
    torch = Spelling(function="{x} * torch.sigmoid({beta} * {x})")
    beta: float = param(1.0)

    def run(self, torch: Any, x: Any, weights: Any, training: bool) -> Any:
        return x * torch.sigmoid(self.beta * x)


class First(Swish):
    """The same by number."""

    torch = Spelling(function="{0} * torch.sigmoid({beta} * {0})")


class Listed(Op):
    """Of a list."""

    name = ""
    takes = "list"

    def output(self, x: Any) -> Any:
        return x[0]


class Mean(Listed):
    """A sum over the first."""

    torch = Spelling(function="({sum}) / (1 + torch.abs({0}))")

    def run(self, torch: Any, x: Any, weights: Any, training: bool) -> Any:
        return sum(x[1:], x[0]) / (1 + torch.abs(x[0]))


class Spread(Listed):
    """The list, and its first."""

    torch = Spelling(function="torch.stack({x}).sum(0) - {0}")

    def run(self, torch: Any, x: Any, weights: Any, training: bool) -> Any:
        return torch.stack(x).sum(0) - x[0]


class Squares(Listed):
    """Two tensors, each twice."""

    torch = Spelling(function="{0} * {0} + {1} * {1}")

    def run(self, torch: Any, x: Any, weights: Any, training: bool) -> Any:
        return x[0] * x[0] + x[1] * x[1]


OPS = {"swish": Swish, "first": First, "mean": Mean, "spread": Spread, "squares": Squares}
TWICE = {
    "behind a norm": "conv(4) -> bn -> acme.{op}(2)",
    "in a residual": "identity + (conv(4) -> bn -> acme.{op}(2))",
    "after a residual": "(identity + (conv(4) -> bn)) -> acme.{op}(2)",
    "on itself": "identity + (conv(4) -> bn -> acme.{op}(2) -> acme.{op}(3))",
    "behind a slice": "identity + (conv(8) -> bn -> slice(0, 4) -> acme.{op}(2))",
}
TWICE_OF_LISTS = {
    "in a chain": "fork(conv(4) -> bn, conv(4) -> bn) -> acme.{op}",
    "in a residual": "identity + (fork(conv(4) -> bn, bn) -> acme.{op})",
    "of collected ones": "identity + (collect(2, conv(4) -> bn) -> acme.{op})",
    "of parts": "identity + (conv(8) -> bn -> split(2) -> acme.{op})",
    "of sums": "identity + (fork((conv(4) -> bn) + identity, (bn) * identity) -> acme.{op})",
}


@pytest.fixture
def _acme(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A package with these ops."""

    class Entry:
        def load(self) -> list[type[Op]]:
            for name, op in OPS.items():
                monkeypatch.setattr(op, "name", name)
            return list(OPS.values())

    monkeypatch.setattr(importlib.metadata, "entry_points", lambda group, name: [Entry()] if name == "acme" else [])
    ops.installed.cache_clear()
    yield
    ops.installed.cache_clear()


@pytest.mark.usefixtures("_acme")
@pytest.mark.parametrize(
    ("op", "chain"),
    [(op, chain) for op in ("swish", "first") for chain in TWICE.values()]
    + [(op, chain) for op in ("mean", "spread", "squares") for chain in TWICE_OF_LISTS.values()],
)
def test_an_operand_that_a_template_names_twice_is_worked_out_once(op: str, chain: str) -> None:
    built = graph(f"backbone net:\n    input 4 x 8 x 8\n    c1: {chain.format(op=op)}\n")
    check(built, script=False)
    module = build(built).train()
    module(torch.randn(2, 4, 8, 8))
    counts = {int(value) for name, value in module.state_dict().items() if name.endswith("num_batches_tracked")}
    assert counts == {1}
