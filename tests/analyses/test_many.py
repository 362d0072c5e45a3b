"""`cost_many`: families of networks on several cores, in order, with errors as values."""

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import archdsl
from archdsl import ArchError
from archdsl.analyses.batch import USUAL, Chunk, evaluate, in_chunks
from archdsl.driver import memory

TEXT = """backbone net(w = 16, n = 2):
    input 3 x 32 x 32
    stem: cna(w, 3)
    stage c2 / 2: n * basic(2 * w)
    head: global_avgpool -> flatten -> linear(10)
"""
CANDIDATES = [{"w": 8 + at % 50, "n": 1 + at % 7} for at in range(150)]


@pytest.fixture
def spec() -> archdsl.Network:
    """A spec with a width and a depth."""
    return archdsl.loads(TEXT, "net.arch")


def figures_of(spec: archdsl.Network, params: dict[str, int]) -> dict[str, int]:
    """What a single candidate comes to."""
    totals = archdsl.cost(archdsl.compile(spec, params=params)).totals
    return {name: getattr(totals, name) for name in USUAL}


@pytest.mark.parametrize("processes", [1, 2])
def test_results_are_those_of_cost_in_order(spec: archdsl.Network, processes: int) -> None:
    found = archdsl.cost_many(CANDIDATES, of=spec, processes=processes)
    assert [result.figures for result in found] == [figures_of(spec, each) for each in CANDIDATES]
    assert found[3].params == found[3].figures["params"]
    assert all(result.error is None and result.name == "net" for result in found)


def test_errors_are_values(spec: archdsl.Network) -> None:
    found = archdsl.cost_many([{"w": 8}, {"w": -1}, {"v": 3}, {"w": "x"}, {"w": 9}], of=spec, processes=2)
    assert [result.error is None for result in found] == [True, False, False, False, True]
    assert all(isinstance(result.error, ArchError) for result in found[1:4])
    assert "no parameter `v`" in str(found[2].error)
    with pytest.raises(AttributeError):
        _ = found[1].params


def test_specs_by_name_and_path(tmp_path: Path) -> None:
    path = tmp_path / "net.arch"
    path.write_text(TEXT, encoding="utf-8")
    found = archdsl.cost_many(["resnet18", path, "nothing", str(path)])
    assert found[0].params == 11_689_512
    assert found[1].figures == found[3].figures
    assert found[2].error is not None


def test_other_figures(spec: archdsl.Network) -> None:
    names = ["params", "peak_memory", "memory_access"]
    (found,) = archdsl.cost_many([{"w": 8}], of=spec, figures=names, batch=4, precision="fp16", input=(3, 64, 64))
    graph = archdsl.compile(spec, params={"w": 8}, input=(3, 64, 64))
    assert list(found.figures) == names
    assert found.peak_memory == memory(graph, 4, "fp16").peak


def test_nothing_comes_of_nothing(spec: archdsl.Network) -> None:
    assert archdsl.cost_many([], of=spec) == []


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"processes": 0}, "0 processes"),
        ({"processes": "2"}, "2 processes"),
        ({"processes": 1.5}, "1.5 processes"),
        ({"figures": ["mac"]}, "did you mean `macs`?"),
        ({"figures": [5]}, "no figure is called `5`"),
        ({"figures": "params"}, "`figures` is not a list"),
        ({"batch": -3}, "a batch of -3"),
        ({"batch": 2.5}, "a batch of `2.5`"),
        ({"batch": True}, "a batch of `True`"),
        ({"precision": "nope"}, "no precision is called `nope`"),
        ({"precision": None}, "no precision is called `None`"),
        ({"of": 5}, "give a spec, or its name"),
        ({"of": archdsl.compile("resnet18")}, "give a spec, or its name"),
    ],
)
def test_refusals(settings: dict[str, object], message: str, spec: archdsl.Network) -> None:
    with pytest.raises(ArchError, match=message):
        archdsl.cost_many([{}], **{"of": spec, **settings})  # type: ignore[arg-type]


@pytest.mark.parametrize("candidates", ["resnet18", Path("net.arch"), None, 5])
def test_what_is_no_list_of_candidates(candidates: Any, spec: archdsl.Network) -> None:
    for of in (spec, None):
        with pytest.raises(ArchError, match="`candidates` is not a list"):
            archdsl.cost_many(candidates, of=of)


@pytest.mark.parametrize("params", [3, {5: 3}, "w=3", [("w", 3)]])
def test_what_sets_no_parameters(params: Any, spec: archdsl.Network) -> None:
    (found,) = archdsl.cost_many([params], of=spec)
    assert "does not set parameters" in str(found.error)
    with pytest.raises(ArchError, match="does not set parameters"):
        archdsl.compile(spec, params=params)


def test_chunks_and_results_pickle(spec: archdsl.Network) -> None:
    whole = Chunk(archdsl.compile, memory, tuple((spec, each) for each in [*CANDIDATES[:9], {"w": -1}]))
    parts = list(in_chunks(whole, 2))
    assert [pair for part in parts for pair in part.candidates] == list(whole.candidates)
    again = [result for part in parts for result in evaluate(pickle.loads(pickle.dumps(part)))]
    back = pickle.loads(pickle.dumps(again))
    assert [each.figures for each in back] == [each.figures for each in evaluate(whole)]
    assert str(back[-1].error) == str(again[-1].error)


def test_a_fault_in_one_candidate_costs_the_others_nothing() -> None:
    def broken(spec: object, **settings: object) -> archdsl.Graph:
        if spec == "bad":
            raise ZeroDivisionError("oh")
        return archdsl.compile("resnet18")

    found = evaluate(Chunk(broken, memory, (("bad", None), ("good", None))))
    assert "ZeroDivisionError: oh" in str(found[0].error)
    assert found[1].error is None


def test_from_a_script_with_torch(tmp_path: Path) -> None:
    """Where torch is loaded, processes are not forked but started anew."""
    pytest.importorskip("torch")
    script = tmp_path / "script.py"
    script.write_text(
        "import archdsl, torch\n"
        "if __name__ == '__main__':\n"
        "    found = archdsl.cost_many([{'classes': n} for n in range(1, 5)], of='resnet18', processes=2)\n"
        "    print([each.params for each in found])\n",
        encoding="utf-8",
    )
    root = str(Path(archdsl.__file__).parents[1])
    done = subprocess.run(
        [sys.executable, script], capture_output=True, text=True, check=True, env={"PYTHONPATH": root}
    )
    assert done.stdout.strip() == str([11_176_512 + 513 * n for n in range(1, 5)])
