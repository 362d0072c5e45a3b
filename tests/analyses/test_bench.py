"""`bench` and `calibrate`: they run, in turn, print what they found, and refuse what cannot be asked for."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from archdsl.analyses.cost import Device
from archdsl.analyses.device import device
from archdsl.commands import _timing, calibrate
from archdsl.commands._run import main
from archdsl.diagnostics.characters import on_one_line

pytest.importorskip("torch")

QUICK = ["--input", "3x64x64", "--seconds", "0.01", "--threads", "1"]


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    """Exit code, output, errors."""
    code = main(list(words))
    out, err = capsys.readouterr()
    return code, out, err


def test_bench(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "bench", "resnet18", "peleenet", *QUICK, "--batch", "2", "--device", "laptop")
    assert code == 0
    assert err == ""
    assert all(word in out for word in ("resnet18", "peleenet", "median", "estimate", "batch 2", "threads 1"))


def test_bench_without_an_estimate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, _ = run(capsys, "bench", "resnet18", *QUICK, "--precision", "bf16")
    assert code == 0
    assert "archdsl calibrate" in out


def test_bench_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run(capsys, "bench", "resnet18", *QUICK, "--device", "laptop", "--format", "json")
    data = json.loads(out)
    (network,) = data["networks"]
    assert (data["batch"], data["threads"], data["precision"]) == (1, 1, "fp32")
    assert 0 < network["low"] <= network["median"] <= network["high"]
    assert network["runs"] >= 5
    assert network["estimate"]["seconds"] > 0
    assert network["efficiency"] == network["macs"] / network["median"]


def test_calibrate_writes_what_the_roofline_reads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("archdsl.commands.calibrate.SIDES", (64,))
    monkeypatch.setattr("archdsl.commands.calibrate.COPIED", 2**16)
    monkeypatch.chdir(tmp_path)
    code, out, _ = run(
        capsys, "calibrate", "--seconds", "0.01", "--threads", "1", "--name", "mine", "--precision", "fp32,bf16"
    )
    assert code == 0
    assert "wrote machine.toml" in out
    found = device("./machine.toml")
    assert found.name == "mine"
    assert set(found.peaks) == {"fp32", "bf16"}
    assert found.bandwidth > 1e6
    assert 0 < found.launch < 1
    assert "1 thread" in found.label
    code, out, _ = run(capsys, "bench", "resnet18", *QUICK)
    assert code == 0
    assert found.label in out


@pytest.mark.parametrize("name", ["machine", "größe", "_1", "\U0001d431", "peak"])
def test_what_calibrate_writes_is_read_back(name: str, tmp_path: Path) -> None:
    made = Device(name, {"fp32": 2.5e11, "bf16": 3e5}, 2.5e10, 1e-9, label='a "chip"\x7f \\ \U0001d431', source="ü")
    path = tmp_path / "made.toml"
    path.write_text(calibrate.device_text(made), encoding="utf-8")
    assert device(str(path)) == made._replace(label=on_one_line(made.label))


def test_runs_are_in_turn() -> None:
    """Each function is warmed up; then they take turns until each has run long enough."""
    order: list[str] = []

    def noting(name: str) -> Callable[[], None]:
        return lambda: order.append(name)

    times = _timing.measure(["a", "b"], [noting("a"), noting("b")], lambda: None, 1e-9)
    assert order == [*"aa", *"bb", *"ab" * 5]
    assert [each.runs for each in times] == [5, 5]
    assert all(each.low <= each.median <= each.high for each in times)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["bench", "resnet18", "--batch", "0"], "a batch of 0"),
        (["bench", "resnet18", "--batch", "many"], "`--batch many`"),
        (["bench", "resnet18", "--precision", "fp8"], "choose from `fp32`"),
        (["bench", "resnet18", "--run-on", "gpu"], "`--run-on gpu`"),
        (["bench", "resnet18", "--threads", "0"], "`--threads 0`"),
        (["bench", "resnet18", "--seconds", "0"], "`--seconds 0"),
        (["bench", "resnet18", "--device", "v10"], "did you mean `v100`?"),
        (["bench", "resnet1"], "neither a file nor a shipped spec"),
        (["calibrate", "-o", "machine.json"], "ends in .toml"),
        (["calibrate", "--precision", "fp32,fp31"], "fp31"),
        (["calibrate", "--name", "my machine"], "`--name my machine`"),
        (["calibrate", "--run-on", "gpu"], "`--run-on gpu`"),
        (["calibrate", "--seconds", "-1"], "`--seconds -1"),
        (["calibrate", "--threads", "-1"], "`--threads -1`"),
    ],
)
def test_refusals(words: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, *words)
    assert code in (1, 2)
    assert message in err
    assert out == ""
