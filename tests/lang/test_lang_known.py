"""Modules carried from one elaboration to the next: the same networks, figures, findings and places as without."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from archdsl import ArchError, driver
from archdsl.driver import checking
from archdsl.errors import Source
from archdsl.graph import Graph, distinct
from archdsl.lang.elaborate import backbone
from archdsl.lang.evaluate import known as module
from archdsl.lang.evaluate.known import Known
from tests.random_specs.drawing import Drawer

SETTINGS = (
    "",
    "act = silu",
    "act = leaky_relu(0.1)",
    "norm = identity",
    "norm = group_norm(4)",
    "conv.bias = true",
    "conv.init = kaiming_normal(mode = fan_out)",
    "linear.bias = false",
    "bottleneck.gamma = 0",
    "bottleneck.attention = se",
    "cna.padding = 0",
    "se.reduction = 4",
)
WITHIN = ("act = relu", "act = gelu", "norm = bn", "conv.bias = true")
NET = """
block own(n, inner: block = relu, *, stride = 1) = bottleneck(n, 8, stride = stride) -> inner -> with({within}, cna(n))
backbone net(n = 16):
    input 3 x 32 x 32
    {setting}
    stem: cna(16, 3)
    stage c1: 2 * bottleneck(n, 8)
    stage c2 / 2: own(n, stride = 2) -> own(n, hardswish) -> with({within}, bottleneck(n, 8, attention = se(2)))
    head: global_avgpool -> flatten -> linear(10)
"""
FACTS = ("kind", "name", "inputs", "output", "totals", "op", "doc", "arguments", "result", "names", "owner")


def nets() -> Iterator[str]:
    """Networks that differ in what their settings say, to whom, and where."""
    for setting, within in itertools.product(SETTINGS, WITHIN):
        yield NET.format(setting=setting, within=within)


def shown(
    spec: driver.Spec, known: Known | None = None, size: tuple[int, ...] | None = None, **params: object
) -> object:
    """All that there is to a network; or what is wrong with it, and where."""
    try:
        graph = driver.elaborated(spec, params, size, known)
    except ArchError as error:
        return error.diagnostics
    return graph.name, graph.doc, graph.input, graph.sections, graph.maps, content(graph)


def content(graph: Graph) -> object:
    """A network's modules, each different one once; equal ones need not be the same."""
    numbers: dict[object, int] = {}
    known: dict[int, int] = {}
    for scope in distinct(graph.root):
        steps = [step._replace(scope=known[id(step.scope)] if step.scope else None) for step in scope.steps]  # type: ignore
        runs = [
            (child._replace(runs=()), [(run.count, known[id(run.scope)]) for run in child.runs])
            for child in scope.children
        ]
        whole = str(([getattr(scope, fact) for fact in FACTS], steps, runs))
        known[id(scope)] = numbers.setdefault(whole, len(numbers))
    return numbers


@pytest.mark.parametrize("step", [1, -1], ids=["in order", "in reverse"])
def test_shipped_networks_are_the_same_as_alone(step: int) -> None:
    known = Known()
    for name in driver.SHIPPED.specs()[::step]:
        spec = driver.load(name)
        assert shown(spec, known) == shown(spec), name


def test_settings_are_told_apart() -> None:
    known = Known()
    seen: set[str] = set()
    for _, text in itertools.product(range(2), nets()):
        spec = driver.loads(text, "net.arch")
        alone = shown(spec)
        assert shown(spec, known) == alone, text
        assert shown(spec, known) == alone, text
        seen.add(str(alone))
    assert len(seen) > 40


def test_parameters_are_told_apart() -> None:
    known = Known()
    spec = driver.loads(NET.format(setting="", within="act = relu"))
    for n in (16, 32, 16, 24, 0, 32):
        assert shown(spec, known, n=n) == shown(spec, n=n)


@pytest.mark.parametrize("name", driver.SHIPPED.specs()[::9])
def test_sizes_are_told_apart(name: str) -> None:
    known, spec = Known(), driver.load(name)
    for size in ((3, 224, 224), (3, 96, 64), (1, 33, 33), (3, 224, 224)):
        assert shown(spec, known, size) == shown(spec, None, size)


def test_random_networks_are_the_same_as_alone() -> None:
    known, drawer = Known(), Drawer(seed=7)
    for number in range(60):
        spec = driver.loads(drawer.spec(number), "drawn.arch")
        assert shown(spec, known) == shown(spec)


def places(graph: Graph) -> set[Source]:
    """The texts in which the modules of a network stand."""
    return {
        scope.span.source for scope in distinct(graph.root) if scope.span is not None and not scope.span.source.shipped
    }


def test_modules_keep_to_the_text_that_they_stand_in() -> None:
    known = Known()
    for text in nets():
        spec = driver.loads(text, "net.arch")
        try:
            assert places(driver.elaborated(spec, known=known)) == {spec.file.source}
        except ArchError as error:
            assert {finding.span.source for finding in error.diagnostics if finding.span} == {spec.file.source}


def test_findings_are_the_same_as_alone(tmp_path: Path) -> None:
    known = Known()
    for number, text in enumerate(nets()):
        path = tmp_path / f"net{number}.arch"
        source = Source(str(path), text.replace("c2 / 2", "c2 / 3") if number % 5 == 0 else text)
        assert checking.validate(source, path, known=known) == checking.validate(source, path)


@pytest.mark.parametrize(("most", "alike"), [(0, 8), (5, 1), (10_000, 1)])
def test_forgetting_changes_nothing(most: int, alike: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backbone, "MOST_MODULES", most)
    monkeypatch.setattr(module, "MOST_ALIKE", alike)
    known = Known()
    for text in nets():
        spec = driver.loads(text)
        assert shown(spec, known) == shown(spec)
        assert known.count <= most + 50
        assert all(len(modules) <= alike for modules in known.modules.values())


def test_keeping_pays_where_things_come_again() -> None:
    again, never = Known(), Known()
    row = " -> ".join(f"cna(n + {at})" for at in range(8))
    spec = driver.loads(f"backbone net(n = 16):\n    input 3 x 8 x 8\n    stem: {row}\n")
    for number in range(40):
        driver.elaborated(spec, {"n": 16}, known=again)
        driver.elaborated(spec, {"n": 16 + 8 * number}, known=never)
    assert again.pays
    assert not never.pays


def test_what_is_known_is_not_worked_out_again(monkeypatch: pytest.MonkeyPatch) -> None:
    known, spec = Known(), driver.load("resnet50")
    driver.elaborated(spec, known=known)
    count = known.count
    driver.elaborated(spec, known=known)
    assert known.count == count > 10
    driver.elaborated(driver.load("resnet101"), known=known)
    assert known.count < 2 * count


LINES = ("with(act = a, cna(8))", "norm(gamma = 0) -> a", "a -> a", "2 * cna(8) -> a")
FAMILY = """
block hull(inner: block = relu) = inner -> conv(8)
block mine(body: block) = body -> conv(8)
block twice(body: block) = mine(body) -> mine(body -> conv(8))
backbone parent:
    input 3 x 8 x 8
    a = gelu
    act = hull
    stem: mine({line}) -> twice({line}) -> act
backbone child extends parent:
    a = gelu
backbone other extends parent:
    act = silu
"""


@pytest.mark.parametrize("line", LINES)
def test_what_names_stand_for_keeps_its_place(line: str, tmp_path: Path) -> None:
    """The line is the same in all of a family; what its names stand for is said elsewhere."""
    path = tmp_path / "family.arch"
    path.write_text(FAMILY.format(line=line))
    known = Known()
    for name in ("parent", "child", "other", "child", "parent"):
        spec = driver.load(f"{path}:{name}")
        graphs = [driver.elaborated(spec, known=each) for each in (known, None)]
        one, other = ({scope.span for scope in distinct(graph.root)} for graph in graphs)
        assert one == other
        assert content(graphs[0]) == content(graphs[1])


def test_a_block_is_known_at_another_place_of_another_text() -> None:
    known = Known()
    first, second = (
        driver.loads(f"backbone net:\n    input 3 x 8 x 8\n    stem: {line}\n", "net.arch")
        for line in ("bottleneck(8)", "cna(3) -> bottleneck(8)")
    )
    driver.elaborated(first, known=known)
    count = known.count
    again = driver.elaborated(second, known=known)
    assert known.count == count + 1  # `cna(3)`
    assert places(again) == {second.file.source}
    assert content(again) == content(driver.elaborated(second))


@pytest.mark.parametrize("reaches", ["cna(8)", "cn(8)"])
def test_whether_a_setting_reaches_anything_is_known_with_the_module(reaches: str, tmp_path: Path) -> None:
    line = f"wrap(with(act = mish, {reaches}))"
    text = f"block wrap(body: block) = x -> body\nbackbone net:\n    input 3 x 8 x 8\n    c1: {line}\n"
    child = "backbone child extends net:\n    c2: cna(8)\n"
    alone, both = (
        [(each.code, each.span and each.span.text) for each in checking.validate(Source("net.arch", each), None)]
        for each in (text, text + child)
    )
    assert set(alone) == set(both) == ({("E111", "mish")} if reaches == "cn(8)" else set())
