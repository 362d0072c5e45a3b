"""Random specs: most elaborate, and what elaborates is what was predicted; what prints reads back as itself."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from pathlib import Path

import campaign
import pytest
from campaign import Result, drawn, examined, report
from definitions import DEFINITIONS
from drawing import COMBINATIONS, KNOWN_BLOCKS, KNOWN_OPS, Drawer

from archdsl import ArchError, driver
from archdsl.diagnostics import Source
from archdsl.frontend import read
from archdsl.frontend.format import to_arch, to_yaml

SPECS = 400
LEAST = 15
"""How often each op, block and combinator is drawn."""

SHARES = [range(start, start + 150) for start in range(0, 300, 150)]
"""The seeds of each gate; `campaign.py` takes any others."""

CHILD = """
import os, signal, sys
sys.path.insert(0, {folder!r})
import campaign

def examine(seed):
    if seed == 2:
        {fault}
    return campaign.Result(seed, "agrees")

campaign.PATIENCE, campaign.examine = 1, examine
campaign.work(map(int, sys.argv[2:]))
"""
"""A child with a fault for one seed."""


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
    rare = min((*KNOWN_OPS, *KNOWN_BLOCKS, *COMBINATIONS, *DEFINITIONS), key=lambda name: drawer.seen[name])
    counts = ", ".join(f"{name} {drawer.seen[name]}" for name in (*DEFINITIONS, *COMBINATIONS))
    with capsys.disabled():
        print(f"\n{elaborated} of {SPECS} random specs elaborate; median of {statistics.median(nodes)} nodes;")
        print(f"rarest is {rare} with {drawer.seen[rare]}; {len(drawer.seen)} kinds of nodes: {counts}")
    assert elaborated >= 0.8 * SPECS
    assert statistics.median(nodes) >= 15
    assert drawer.seen[rare] >= LEAST


@pytest.mark.parametrize("seeds", SHARES, ids=lambda seeds: f"{seeds.start}-{seeds.stop - 1}")
def test_what_elaborates_computes_what_the_graph_says(seeds: range, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("torch")
    results = list(examined(seeds))
    with capsys.disabled():
        print(f"\n{report(results)}")
    findings = [
        f"seed {each.seed}: {each.said}\n{drawn(each.seed).text}" for each in results if each.outcome == "finding"
    ]
    assert not findings, "\n\n".join(findings)
    assert sum(each.outcome == "agrees" for each in results) >= 0.8 * len(results)


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("os.kill(os.getpid(), signal.SIGSEGV)", "SIGSEGV"),
        ("[None for _ in iter(int, 1)]", "SIGPROF"),
        ("os._exit(3)", "code 3"),
    ],
)
def test_a_child_that_dies_or_hangs_is_a_finding(
    fault: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("torch")
    child = tmp_path / "child.py"
    child.write_text(CHILD.format(folder=str(Path(campaign.__file__).parent), fault=fault))
    monkeypatch.setattr(campaign, "__file__", str(child))
    results = list(examined(range(5)))
    assert [(each.seed, each.outcome) for each in results] == [
        (seed, "finding" if seed == 2 else "agrees") for seed in range(5)
    ]
    assert said in results[2].said


def test_a_campaign_goes_on_where_it_was_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def known(seeds: Sequence[int]) -> Iterator[Result]:
        asked.extend(seeds)
        yield from (Result(seed, "agrees", "", {"conv": 1}) for seed in seeds)

    monkeypatch.setattr(campaign, "examined", known)
    journal = tmp_path / "journal.jsonl"
    campaign.campaign(range(5), 2, journal)
    assert [each.seed for each in campaign.campaign(range(3, 8), 2, journal)] == [3, 4, 5, 6, 7]
    assert sorted(asked) == [0, 1, 2, 3, 4, 5, 6, 7]


def test_a_journal_of_another_version_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(campaign, "examined", lambda seeds: (Result(seed, "agrees") for seed in seeds))
    journal = tmp_path / "journal.jsonl"
    campaign.campaign(range(2), 1, journal)
    monkeypatch.setattr(campaign, "version", lambda *_: "another")
    with pytest.raises(campaign.Outdated, match="results of another version of the code: remove it"):
        campaign.campaign(range(2), 1, journal)
    journal.write_text('[0, "agrees", "", {}]\n')
    with pytest.raises(campaign.Outdated, match="another version"):
        campaign.campaign(range(2), 1, journal)


@pytest.mark.parametrize("seed", [100, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(101, 103))])
def test_what_prints_reads_back_as_itself(seed: int) -> None:
    drawer = Drawer(seed)
    for number in range(40):
        document = read(Source("drawn.arch", drawer.spec(number)))
        as_arch, as_yaml = to_arch(document), to_yaml(document)
        assert read(Source("again.arch", as_arch)) == document
        assert read(Source("again.yaml", as_yaml)) == document
        assert to_arch(read(Source("again.yaml", as_yaml))) == as_arch
        assert to_yaml(read(Source("again.arch", as_arch))) == as_yaml
