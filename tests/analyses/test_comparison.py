"""`compare`: figures side by side, in every format, and the picture."""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path

import pytest

import archdsl
from archdsl.analyses.comparison import compare, front
from archdsl.analyses.cost import Load, counts, estimate
from archdsl.analyses.device import device
from archdsl.commands._run import main
from archdsl.driver import memory

NAMES = ["resnet18", "vovnetv2_19_slim", "peleenet", "densenet40_k12_cifar10"]
SIZE = ["--input", "3x64x64"]


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    """Exit code, output, errors."""
    code = main(["compare", *words])
    out, err = capsys.readouterr()
    return code, out, err


def test_figures_are_those_of_the_analyses() -> None:
    graphs = [archdsl.compile(name, input=(3, 64, 64)) for name in NAMES]
    load = Load(8, "fp16", device("v100"))
    found = compare(graphs, [], load, memory)
    for graph, network in zip(graphs, found.networks, strict=True):
        assert network.figures == {
            "params": graph.root.totals.params,
            "macs": graph.root.totals.macs,
            "memory_access": counts(graph)[graph.root].memory_access,
            "peak_memory": memory(graph, 8, "fp16").peak,
            "time": estimate(graph, load)[graph.root].seconds,
        }
    second = found.networks[1]
    assert found.difference(second, "macs") == second.figures["macs"] - found.networks[0].figures["macs"]
    assert found.ratio(second, "params") == second.figures["params"] / found.networks[0].figures["params"]


def test_json(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, *NAMES[:2], *SIZE, "--format", "json", "--batch", "2")
    data = json.loads(out)
    assert code == 0
    assert (data["batch"], data["precision"], len(data["networks"])) == (2, "fp32", 2)
    first, second = data["networks"]
    assert first["figures"]["params"] == 11_689_512
    assert set(first["ratio"].values()) == {1.0}
    assert second["difference"]["macs"] == second["figures"]["macs"] - first["figures"]["macs"]


def test_csv(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run(capsys, *NAMES, *SIZE, "--format", "csv", "--figures", "params,planned_memory")
    rows = list(csv.DictReader(out.splitlines()))
    assert [row["name"] for row in rows] == NAMES
    assert rows[0]["params"] == "11689512"
    assert {"params_ratio", "planned_memory_difference"} <= rows[0].keys()


@pytest.mark.parametrize("form", ["text", "markdown"])
@pytest.mark.parametrize("count", [1, 2, 3])
def test_tables(form: str, count: int, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, *NAMES[:count], *SIZE, "--format", form)
    assert code == 0
    assert all(name in out for name in NAMES[:count])
    assert "11,689,512" in out
    assert ("difference" in out) == (count == 2)


def test_front() -> None:
    points = [(1.0, 9.0), (2.0, 5.0), (3.0, 6.0), (4.0, 5.0), (5.0, 1.0), (1.0, 8.0)]
    assert front(points) == [5, 1, 4]


@pytest.mark.parametrize("count", [1, 2, 4])
@pytest.mark.parametrize("kind", ["svg", "png"])
def test_pictures(kind: str, count: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("matplotlib")
    first, again = tmp_path / f"a.{kind}", tmp_path / f"b.{kind}"
    for path in (first, again):
        assert run(capsys, *NAMES[:count], *SIZE, "--plot", str(path))[0] == 0
    assert first.read_bytes() == again.read_bytes()
    if kind == "svg":
        text = first.read_text("utf-8")
        assert all(f">{name}<" in text or f"{name}</text>" in text for name in NAMES[:count])
        assert ("no other has less of both" in text) == (count >= 4)


def test_without_matplotlib(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    code, _, err = run(capsys, "resnet18", "--plot", str(tmp_path / "a.svg"))
    assert code == 2
    assert "[plot]'" in err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "required: SPEC"),
        (["resnet18", "--device", "v10"], "did you mean `v100`?"),
        (["resnet18", "--batch", "0"], "a batch of 0"),
        (["resnet18", "--precision", "fp15"], "no precision"),
        (["resnet18", "--figures", "mac"], "did you mean `macs`?"),
        (["resnet18", "--plot", "a.gif"], "ends in .svg or .png"),
        (["resnet1"], "did you mean"),
    ],
)
def test_refusals(words: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = run(capsys, *words)
    assert code in (1, 2)
    assert message in err


WHOLE = "backbone whole:\n    input 3 x 8 x 8\n    head: global_avgpool -> flatten -> linear(10)\n"


@pytest.fixture
def whole(tmp_path: Path) -> str:
    """A network whose only receptive field is the whole map."""
    path = tmp_path / "whole.arch"
    path.write_text(WHOLE)
    return str(path)


def no_number(text: str) -> None:
    """Refuses what json reads, and JSON does not have."""
    raise AssertionError(text)


@pytest.mark.parametrize("order", [1, -1])
def test_a_field_without_end_is_no_number(order: int, whole: str, capsys: pytest.CaptureFixture[str]) -> None:
    pair = [whole, "resnet18"][::order]
    _, out, _ = run(capsys, *pair, "--figures", "field,params", "--format", "json")
    networks = json.loads(out, parse_constant=no_number)["networks"]
    assert [each["figures"]["field"] for each in networks] == [None, 435][::order]
    assert networks[1]["difference"]["field"] is None is networks[1]["ratio"]["field"]
    for form in ("text", "csv", "markdown"):
        code, out, _ = run(capsys, *pair, "--figures", "field", "--format", form)
        assert code == 0
        assert ("whole " in out) or form == "csv"
        assert "inf" not in out.replace("whole", "")
        assert "nan" not in out


@pytest.mark.parametrize("figures", ["field", "field,params"])
def test_a_picture_of_a_field_without_end(
    figures: str, whole: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("matplotlib")
    path = tmp_path / "a.svg"
    names = ["resnet18", whole, "vgg16", "resnet34"]
    assert run(capsys, *names, "--figures", figures, "--plot", str(path))[0] == 0
    assert " whole" in path.read_text("utf-8")
