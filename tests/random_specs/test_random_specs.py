"""Random specs: most elaborate, and what elaborates is what was predicted; what prints reads back as itself."""

from __future__ import annotations

import statistics

import pytest
from drawing import BLOCKS, COMBINATIONS, OPS, Drawer

from archdsl import ArchError, driver
from archdsl.errors import Source
from archdsl.frontend import read
from archdsl.frontend.printing import to_arch, to_yaml

SPECS = 400
LEAST = 20
"""How often each op, block and combinator is drawn."""

QUICK = [(seed, 12) for seed in range(4)]
FULL = [pytest.param(seed, 25, marks=pytest.mark.slow) for seed in range(4, 16)]


def test_most_specs_elaborate_and_all_of_the_language_occurs(capsys: pytest.CaptureFixture[str]) -> None:
    drawer = Drawer(seed=0)
    nodes: list[int] = []
    elaborated = 0
    for number in range(SPECS):
        text = drawer.spec(number)
        nodes.append(drawer.nodes)
        try:
            driver.compile(driver.loads(text, "drawn.arch"))
            elaborated += 1
        except ArchError as error:
            assert all(finding.span is not None for finding in error.diagnostics), text
    rare = min((*OPS, *BLOCKS, *COMBINATIONS), key=lambda name: drawer.seen[name])
    with capsys.disabled():
        print(f"\n{elaborated} of {SPECS} random specs elaborate; median of {statistics.median(nodes)} nodes;")
        print(f"rarest is {rare} with {drawer.seen[rare]}; {len(drawer.seen)} kinds of nodes")
    assert elaborated >= 0.8 * SPECS
    assert statistics.median(nodes) >= 15
    assert drawer.seen[rare] >= LEAST


@pytest.mark.parametrize(("seed", "count"), [*QUICK, *FULL])
def test_what_elaborates_is_what_was_predicted(seed: int, count: int) -> None:
    pytest.importorskip("torch")
    from checking import check

    drawer = Drawer(seed)
    checked = 0
    for number in range(count):
        text = drawer.spec(number)
        try:
            graph = driver.compile(driver.loads(text, "drawn.arch"))
        except ArchError:
            continue
        check(graph)
        checked += 1
    assert checked >= 0.7 * count


@pytest.mark.parametrize("seed", [100, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(101, 105))])
def test_what_prints_reads_back_as_itself(seed: int) -> None:
    drawer = Drawer(seed)
    for number in range(40):
        document = read(Source("drawn.arch", drawer.spec(number)))
        as_arch, as_yaml = to_arch(document), to_yaml(document)
        assert read(Source("again.arch", as_arch)) == document
        assert read(Source("again.yaml", as_yaml)) == document
        assert to_arch(read(Source("again.yaml", as_yaml))) == as_arch
        assert to_yaml(read(Source("again.arch", as_arch))) == as_yaml
