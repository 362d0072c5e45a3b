"""Modules carried from one elaboration to the next: the same networks and figures as without, and the same findings."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from archdsl import ArchError, driver
from archdsl.diagnostics import Source
from archdsl.driver import validation
from archdsl.elaborate import budget
from archdsl.elaborate import scope_cache as module
from archdsl.elaborate.scope_cache import ScopeCache
from archdsl.graph import Graph, distinct
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
    spec: driver.Network, known: ScopeCache | None = None, size: tuple[int, ...] | None = None, **params: object
) -> object:
    """All that there is to a network, but for the places of its modules; or what is wrong with it, and where."""
    try:
        graph = driver.counted(spec, params, size, known)
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
            (child._replace(runs=(), origins=()), [(run.count, known[id(run.scope)]) for run in child.runs])
            for child in scope.children
        ]
        whole = str(([getattr(scope, fact) for fact in FACTS], steps, runs))
        known[id(scope)] = numbers.setdefault(whole, len(numbers))
    return numbers


@pytest.mark.parametrize("step", [1, -1], ids=["in order", "in reverse"])
def test_shipped_networks_are_the_same_as_alone(step: int) -> None:
    known = ScopeCache()
    for name in driver.SHIPPED.specs()[::step]:
        spec = driver.load(name)
        assert shown(spec, known) == shown(spec), name


def test_settings_are_told_apart() -> None:
    known = ScopeCache()
    seen: set[str] = set()
    for _, text in itertools.product(range(2), nets()):
        spec = driver.loads(text, "net.arch")
        alone = shown(spec)
        assert shown(spec, known) == alone, text
        assert shown(spec, known) == alone, text
        seen.add(str(alone))
    assert len(seen) > 40


def test_parameters_are_told_apart() -> None:
    known = ScopeCache()
    spec = driver.loads(NET.format(setting="", within="act = relu"))
    for n in (16, 32, 16, 24, 0, 32):
        assert shown(spec, known, n=n) == shown(spec, n=n)


@pytest.mark.parametrize("name", driver.SHIPPED.specs()[::9])
def test_sizes_are_told_apart(name: str) -> None:
    known, spec = ScopeCache(), driver.load(name)
    for size in ((3, 224, 224), (3, 96, 64), (1, 33, 33), (3, 224, 224)):
        assert shown(spec, known, size) == shown(spec, None, size)


def test_random_networks_are_the_same_as_alone() -> None:
    known, drawer = ScopeCache(), Drawer(seed=7)
    for number in range(60):
        spec = driver.loads(drawer.spec(number), "drawn.arch")
        assert shown(spec, known) == shown(spec)


def test_findings_are_the_same_as_alone(tmp_path: Path) -> None:
    known = ScopeCache()
    for number, text in enumerate(nets()):
        path = tmp_path / f"net{number}.arch"
        source = Source(str(path), text.replace("c2 / 2", "c2 / 3") if number % 5 == 0 else text)
        assert validation.validate(source, path, known=known) == validation.validate(source, path)


# ---- what is taken over could be worked out here: one network after another, with these blocks, within these limits

FORTY = "concat(...[conv({} + i) for i in range(40)])"
PAIRS = {
    "levels": ("block k(n) = relu if n == 0 else relu -> k(n - 1)\nblock up(b: block) = relu -> b\n",
               "k(60)", "up(up(up(up(up(up(k(60)))))))", 10**5),
    "a setting without effect": ("block own(n) = conv(n) -> with(conv.bias = true, relu)\n", "own(8)", "own(8)", 10**5),
    "shared weights": ("block pair(n) = 3 * share(cna(n))\n", "pair(8)", "3 * share(cna(8)) -> pair(8)", 10**5),
    "a local name applied twice": (
        "block two(b: block) = b -> b\n"
        "block own(n):\n    a = cna(8)\n    y = x -> two(a + identity)\n    return (y -> a) if n > 1 else y\n",
        "own(1)", "own(2)", 10**5),
    "a limit": (f"block many(n) = {FORTY.format('n')}\n", "many(1)", "many(1) -> many(2) -> many(3)", 100),
    "a limit, with what was spared": (
        f"block one() = {FORTY.format(1)}\nblock outer() = one -> conv(8)\n",
        "conv(8) -> one -> conv(8) -> outer", f"outer -> {FORTY.format(2)} -> {FORTY.format(3)}", 110),
}  # fmt: skip


@pytest.mark.parametrize("name", PAIRS)
def test_what_is_known_hides_no_finding(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    blocks, first, second, most = PAIRS[name]
    monkeypatch.setattr(budget, "MOST_APPLICATIONS", most)
    nets = (f"backbone net{at}:\n    input 8 x 8 x 8\n    c: {line}\n" for at, line in enumerate((first, second)))
    source = Source("net.arch", "".join([blocks, *nets]))
    file = driver.opened(source)
    specs = [driver.Network.of(file, backbone) for backbone in file.backbones.values()]
    for order in (specs, specs[::-1]):
        known = ScopeCache()
        for spec in (*order, *order):
            assert shown(spec, known) == shown(spec)
            assert not is_network(spec, known) or is_network(spec)
    assert validation.validate(source, None, known=ScopeCache()) == validation.validate(source, None)


def is_network(spec: driver.Network, known: ScopeCache | None = None) -> bool:
    """Whether there is nothing wrong with a spec, as it is worked out with what is known, and not once more without."""
    try:
        driver.elaborated(spec, known=known)
    except ArchError:
        return False
    return True


@pytest.mark.parametrize(("most", "alike"), [(0, 8), (5, 1), (10_000, 1)])
def test_forgetting_changes_nothing(most: int, alike: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_MODULES", most)
    monkeypatch.setattr(module, "MOST_ALIKE", alike)
    known = ScopeCache()
    for text in nets():
        spec = driver.loads(text)
        assert shown(spec, known) == shown(spec)
        assert known.count <= most + 50
        assert all(len(modules) <= alike for modules in known.modules.values())


def test_keeping_pays_where_things_come_again() -> None:
    again, never = ScopeCache(), ScopeCache()
    row = " -> ".join(f"cna(n + {at})" for at in range(8))
    spec = driver.loads(f"backbone net(n = 16):\n    input 3 x 8 x 8\n    stem: {row}\n")
    for number in range(40):
        driver.elaborated(spec, {"n": 16}, known=again)
        driver.elaborated(spec, {"n": 16 + 8 * number}, known=never)
    assert again.pays
    assert not never.pays


def test_what_is_known_is_not_worked_out_again() -> None:
    known, spec = ScopeCache(), driver.load("resnet50")
    driver.elaborated(spec, known=known)
    kept = modules(known)
    assert kept > 30
    driver.elaborated(spec, known=known)
    assert modules(known) == kept
    driver.elaborated(driver.load("resnet101"), known=known)
    assert modules(known) < 2 * kept


def modules(known: ScopeCache) -> int:
    """How many modules are kept."""
    return sum(map(len, known.modules.values()))


@pytest.mark.parametrize("reaches", ["cna(8)", "cn(8)"])
def test_whether_a_setting_reaches_anything_is_known_with_the_module(reaches: str, tmp_path: Path) -> None:
    line = f"wrap(with(act = mish, {reaches}))"
    text = f"block wrap(body: block) = x -> body\nbackbone net:\n    input 3 x 8 x 8\n    c1: {line}\n"
    child = "backbone child extends net:\n    c2: cna(8)\n"
    alone, both = (
        [(each.code, each.span and each.span.text) for each in validation.validate(Source("net.arch", each), None)]
        for each in (text, text + child)
    )
    assert set(alone) == set(both) == ({("E111", "mish")} if reaches == "cn(8)" else set())
