"""Graphs, figures and texts are the same whatever a process has worked out before, and in another process."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import pytest

import archdsl
from archdsl import driver
from archdsl.analyses.figures import FIGURES
from archdsl.commands._run import main
from archdsl.diagnostics import ArchError, Source
from archdsl.driver import loading
from archdsl.driver.library import Shipped
from archdsl.elaborate.network import elaborate
from archdsl.graph import Graph, Origin, distinct
from archdsl.syntax.inheritance import resolve
from tests.caches.agreeing import plain

TOP = Path(__file__).parents[2]
SPECS = ["resnet20_cifar10", "resnet18", "vovnet27_slim", "densenet121", "resnext50"]
FAMILY = """
block own(n, inner: block = relu, *, stride = 1) = cna(n, 3, stride) -> inner -> with(act = gelu, cna(n))
block two(b: block) = b -> b
block joined(n):
    a = cna(n)
    y = x -> two(a + conv(n))
    return (y -> a) if n > 24 else y
backbone net(w = 8, d = 2, wide = false):
    input 3 x 16 x 16
    layer = own(2 * w) if wide else cna(w)
    stem: cna(w, 3)
    stage c1 / 2: d * own(w, stride = 2 if first else 1)
    c2: d * layer -> joined(w)
    head: global_avgpool -> flatten -> linear(10)
"""
PARAMS = [{"w": w, "d": d, "wide": wide} for w in (8, 16, 32, -1) for d in (1, 2, 40_000) for wide in (True, False)]


def emitted(name: str) -> tuple[str, ...]:
    """A shipped network's source, and its graph."""
    return archdsl.emit(name), archdsl.emit(name, "json")


def as_shown(name: str, capsys: pytest.CaptureFixture[str]) -> list[str]:
    """What some commands say of a shipped network."""
    path = str(driver.SHIPPED.spec_files[name])
    shown: list[str] = []
    for words in (["show", path], ["show", path, "--depth", "op"], ["lint", path], ["validate", "--no-cache", path]):
        main(words)
        shown.append(capsys.readouterr().out)
    return shown


@pytest.mark.parametrize("seed", range(2))
def test_of_shipped_networks(seed: int, capsys: pytest.CaptureFixture[str]) -> None:
    asked = random.Random(seed).sample(2 * SPECS, 2 * len(SPECS))
    found = [(name, emitted(name), as_shown(name, capsys)) for name in asked]
    for name, *rest in found:
        assert all(other == rest for known, *other in found if known == name)


def test_in_another_process() -> None:
    program = "import sys, json, archdsl; print(json.dumps([archdsl.emit(n, t) for n in sys.argv[1:] for t in %r]))"
    for names in (SPECS[:1], SPECS[2::-1]):
        command = [sys.executable, "-c", program % (("torch", "json"),), *names]
        done = subprocess.run(command, env=os.environ | {"PYTHONPATH": str(TOP)}, capture_output=True, check=True)
        assert json.loads(done.stdout) == [text for name in names for text in emitted(name)]


def outcome(work: Callable[[], Any]) -> object:
    """What some work comes to, or what is wrong."""
    try:
        return work()
    except ArchError as error:
        return plain(error.diagnostics)


@pytest.mark.parametrize("seed", range(3))
def test_of_many_candidates(seed: int) -> None:
    spec = driver.loads(FAMILY, "net.arch")
    asked = random.Random(seed).sample(2 * PARAMS, 2 * len(PARAMS))
    exact = [name for name, figure in FIGURES.items() if figure.exact or name == "intensity"]
    together = archdsl.cost_many(asked, of=spec, processes=1, figures=exact)
    alone = [archdsl.cost_many([params], of=spec, processes=1, figures=exact)[0] for params in asked]
    for one, other, params in zip(together, alone, asked, strict=True):
        assert one.figures == other.figures
        errors = [each.error and plain(each.error.diagnostics) for each in (one, other)]
        assert errors[0] == errors[1]
        single = outcome(lambda params=params: archdsl.cost(spec, params=params).totals.params)
        assert single == (one.figures["params"] if one.error is None else errors[0])
    assert 0 < sum(each.error is None for each in together) < len(asked)


# ---- one text, several networks of it


ORIGINS = """
backbone p:
    input 3 x 8 x 8
    stem: cna(w) -> cna(w)
backbone a(w = 8) extends p
backbone b extends p:
    w = 8
"""


def test_a_line_means_what_it_means_to_each_backbone() -> None:
    def both(names: str) -> dict[str, set[Origin]]:
        file = driver.opened(Source("net.arch", ORIGINS))
        graphs = {name: driver.compile(driver.Network.of(file, file.backbones[name])) for name in names}
        return {name: origins(graph) for name, graph in graphs.items()}

    for found in (both("ab"), both("ba")):
        assert found["a"] - found["b"] == {Origin("parameter", "w")}
        assert found["b"] - found["a"] == {Origin("computed", "w")}


def origins(graph: Graph) -> set[Origin]:
    """What the numbers of a network came from."""
    children = [child for scope in distinct(graph.root) for child in scope.children]
    return {origin for child in children for _, origin in child.origins}


# ---- what is shipped


def test_another_text_in_place_of_a_shipped_one_is_not_taken_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    library = Shipped()
    monkeypatch.setattr(loading, "SHIPPED", library)
    path = library.spec_files["resnet18"]
    text = path.read_text(encoding="utf-8")
    other = driver.opened(Source("resnet18.yaml", text.replace("64", "32")), path)
    assert not other.source.shipped
    assert driver.compile(driver.load("resnet18")).root.totals.params == 11_689_512
    assert driver.opened(Source("resnet18.yaml", text), path) is library.file(path)
    assert driver.compile(driver.Network.of(other, other.backbones["resnet18"])).root.totals.params < 11_689_512


def test_a_shipped_file_is_shown_from_where_the_user_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = driver.SHIPPED.file(driver.SHIPPED.spec_files["resnet18"]).source
    for folder, name in ((source.called.parent, "resnet18.yaml"), (tmp_path, str(source.called))):  # type: ignore[union-attr]
        monkeypatch.chdir(folder)
        assert source.name == name


# ---- several threads


def in_threads(works: list[Callable[[], object]]) -> list[object]:
    """What each piece of work comes to, all begun at the same time."""
    barrier = threading.Barrier(len(works))

    def begin(work: Callable[[], object]) -> object:
        barrier.wait()
        return outcome(work)

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        with ThreadPoolExecutor(len(works)) as pool:
            return list(pool.map(begin, works))
    finally:
        sys.setswitchinterval(interval)


def test_a_shipped_file_is_one_for_all_threads() -> None:
    for _ in range(5):
        work = partial(Shipped().block, "cna")
        assert len({id(each) for each in in_threads([work] * 8)}) == 1


def test_threads_come_to_what_one_comes_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    library = Shipped()
    monkeypatch.setattr(loading, "SHIPPED", library)
    path = tmp_path / "net.arch"
    path.write_text(FAMILY + "    aux: conv(8, groups = 3)\n", encoding="utf-8")
    spec = driver.loads(FAMILY)
    # One setting has to reach the block wherever it stands: of two copies of the library's `cna` it would reach one.
    reaching = driver.loads("backbone net:\n    input 3 x 8 x 8\n    cna.kernel = 3\n    c: cna(8) -> basic(8)\n")
    works: list[Callable[[], object]] = [
        lambda: archdsl.emit("resnet18", "json"),
        lambda: archdsl.emit("resnet20_cifar10"),
        lambda: plain(archdsl.validate(path)),
        lambda: archdsl.cost(spec, params={"w": 16}).totals,
        lambda: elaborate(resolve(spec.scope, spec), {"w": 32}).root.totals,
        lambda: [each.figures for each in archdsl.cost_many(PARAMS, of=spec, processes=1)],
        lambda: archdsl.emit(reaching, "json"),
        lambda: archdsl.emit("vovnet27_slim", "json"),
    ]
    together = in_threads(works)
    assert together == [outcome(work) for work in works]
    assert together == in_threads(works[::-1])[::-1]
