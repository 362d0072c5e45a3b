"""The shipped specs come to the figures of their references, exactly; and each is what a shipped spec should be."""

from __future__ import annotations

from functools import cache
from math import prod
from pathlib import Path
from typing import Any, cast

import pytest

from archdsl import driver
from archdsl.frontend.format.doc import WIDTH
from archdsl.graph import Graph, Scope, distinct
from archdsl.ops.activation import LeakyRelu
from archdsl.ops.norm import BatchNorm
from archdsl.resources import folder
from archdsl.syntax.ast import Expectation
from tests.specs.oracles import ROWS, in_order, name_of

NAMES = driver.SHIPPED.specs()
OURS = {name for name in NAMES if "no reference" in driver.load(name).doc}
"""Designs without a reference, as their `doc` says."""


@cache
def compiled(name: str) -> Graph:
    """A shipped network, as declared."""
    return driver.compile(name)


def graph_of(row: dict[str, Any]) -> Graph:
    """The network of a row, on the row's input."""
    graph = compiled(row["spec"])
    return graph if list(graph.input) == row["input"] else driver.compile(row["spec"], input=row["input"])


def kinds(graph: Graph, kind: type[Any]) -> list[Any]:
    """The different ops of a class in a network."""
    return [scope.op for scope in distinct(graph.root) if isinstance(scope.op, kind)]


# ---- figures -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("row", ROWS, ids=name_of)
def test_figures(row: dict[str, Any]) -> None:
    totals = graph_of(row).root.totals
    found = {
        "params": totals.params,
        "buffers": totals.buffers,
        "macs": totals.macs,
        "activations": totals.activations,
        "n_conv": totals.n_conv,
        "n_bn": totals.n_norm,
        "n_linear": totals.n_linear,
    }
    assert found == {key: row[key] for key in found}


@pytest.mark.parametrize("row", ROWS, ids=name_of)
def test_feature_maps(row: dict[str, Any]) -> None:
    maps = [list(each.shape) for each in graph_of(row).maps]
    assert in_order(row["stages"], maps), f"{row['stages']} are not among {maps}"


@pytest.mark.parametrize("row", [row for row in ROWS if "bn_eps" in row], ids=name_of)
def test_constants(row: dict[str, Any]) -> None:
    """What no figure shows: the slope of the activation, and the norm's eps."""
    graph = compiled(row["spec"])
    assert sorted({float(op.slope) for op in kinds(graph, LeakyRelu)}) == row["leaky_slopes"]
    assert sorted({float(op.eps) for op in kinds(graph, BatchNorm)}) == row["bn_eps"]


@pytest.mark.parametrize("name", NAMES)
def test_expect(name: str) -> None:
    """Each spec states its parameters and multiply-adds, and keeps to them."""
    checks = driver.load(name).expect
    totals = compiled(name).root.totals
    stated = {check.figure: held(check) for check in checks}
    assert stated == {("params",): totals.params, ("macs",): totals.macs}


def held(check: Expectation) -> int:
    """The exact amount of a check."""
    assert check.sign == "=="
    return int(check.amount.replace("_", ""))


# ---- the collection ------------------------------------------------------------------------------------------------


def test_names() -> None:
    """Each reference is shipped, and what is shipped without one is ours."""
    assert set(NAMES) == {row["spec"] for row in ROWS} | OURS


@pytest.mark.parametrize("path", sorted(folder("specs").iterdir()), ids=lambda path: path.name)
def test_one_network_a_file(path: Path) -> None:
    assert list(driver.SHIPPED.file(path).backbones) == [path.stem]
    assert max(map(len, path.read_text(encoding="utf-8").splitlines())) <= WIDTH


@pytest.mark.parametrize("name", NAMES)
def test_docs(name: str) -> None:
    assert driver.load(name).doc


SMALL = {name for name in NAMES if compiled(name).input[1] <= 32 or name == "inception_v3_aux"}
"""Of 32 pixels, 32 less leave nothing; and the auxiliary classifier's window needs the whole map."""


@pytest.mark.parametrize(
    ("name", "change"), [(name, change) for name in NAMES for change in (32, -32) if change > 0 or name not in SMALL]
)
def test_other_sizes(name: str, change: int) -> None:
    """The networks take other images, too: same weights, another amount of work."""
    graph = compiled(name)
    channels, height, width = graph.input
    other = driver.compile(name, input=(channels, height + change, width + change))
    assert other.root.totals.params == graph.root.totals.params
    assert (other.root.totals.macs > graph.root.totals.macs) == (change > 0)


@pytest.mark.parametrize("name", NAMES)
def test_classes(name: str) -> None:
    """The op whose width is `classes` is the classifier, in the section `head`; with `classes = 0` there is none."""
    graph = compiled(name)
    classes = 10 if compiled(name).input[1] <= 32 else 1000
    assert graph.sections[-1].name == "head" or graph.sections[-1].kind == "output"
    head = next(section for section in graph.sections if section.name == "head")
    assert head.shape == (classes,)
    without = driver.compile(name, params={"classes": 0})
    dropped = {"inception_v3_aux": 2, "googlenet_aux": 3}.get(name, 1)
    assert layers(graph) - layers(without) == dropped


def layers(graph: Graph) -> int:
    """The number of convolutions and linear layers."""
    return graph.root.totals.n_conv + graph.root.totals.n_linear


@pytest.mark.parametrize("name", ["resnext50", "csp_vovnet39"])
def test_brevity(name: str) -> None:
    """The text itself, doc and comments aside, has a dozen lines at most."""
    text = (folder("specs") / f"{name}.yaml").read_text(encoding="utf-8")
    lines, in_doc = 0, False
    for line in text.splitlines():
        in_doc = line.startswith("doc:") or (in_doc and (not line or line.startswith("  ")))
        lines += not in_doc and bool(line.strip()) and not line.lstrip().startswith("#")
    assert lines <= 12


# ---- what the papers say -------------------------------------------------------------------------------------------


def access_cost(scope: Scope) -> int:
    """Elements that the convolutions below a scope read and write: maps in, maps out, and weights (Ma et al. 2018)."""
    if scope.op is not None:
        if scope.op.counts_as != "conv":
            return 0
        before: Any = scope.inputs[0]
        weight = scope.op.weights(before)[0]
        return prod(before) + prod(cast("tuple[int, ...]", scope.output)) + weight.size
    children = {child.name: child for child in scope.children}
    cost = 0
    for step in scope.steps:
        if step.kind in {"repeat", "collect"}:
            cost += sum(run.count * access_cost(run.scope) for run in children[step.target].runs)
        elif step.scope is not None:
            cost += access_cost(step.scope)
    return cost


def test_access_cost_of_aggregation() -> None:
    """Lee et al. 2019: 3.7 M and 2.5 M."""
    dense, once = (access_cost(compiled(name).root) for name in ("densenet40_k12_cifar10", "osa_densenet40"))
    assert (dense, once) == (3_679_504, 2_538_013)


def test_resnet34_against_vgg19() -> None:
    """He et al. 2016, section 3.3: 18 % of the multiply-adds."""
    assert round(100 * compiled("resnet34").root.totals.macs / compiled("vgg19").root.totals.macs, 1) == 18.7
