"""`archdsl export`: programs that give what the module gives, with the spec inside."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

import archdsl
from archdsl import ArchError
from archdsl.commands._run import main

NET = """
backbone net(classes = 10):
    input 3 x 32 x 32
    stem: cna(8, 3, 2)
    stage c2 / 2: basic(16)
    head: global_avgpool -> flatten -> linear(classes)
"""


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    """A small network."""
    (tmp_path / "net.arch").write_text(NET)
    return tmp_path / "net.arch"


def test_torch_programs(spec: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    weights, program, script = (tmp_path / name for name in ("w.safetensors", "n.pt2", "n.ts"))
    assert main(["build", str(spec), "-p", "classes=3", "-o", str(weights)]) == 0
    given = [str(spec), "-p", "classes=3", "--weights", str(weights)]
    assert main(["export", *given, "-o", str(program), "--dynamic", "batch"]) == 0
    assert "run with a batch of 2 and 3, it equals the module" in capsys.readouterr().out
    assert main(["export", *given, "-o", str(script), "--features", "c2,stem"]) == 0
    assert "TorchScript is legacy" in capsys.readouterr().out
    x = torch.randn(4, 3, 32, 32)
    model = archdsl.from_pretrained(weights)
    assert torch.equal(archdsl.from_pretrained(program)(x), model(x))
    outputs: Any = torch.jit.load(str(script))(x)
    for one, other in zip(archdsl.from_pretrained(script)(x), outputs, strict=True):
        assert torch.equal(one, other)
    assert main(["show", str(program)]) == 0
    assert main(["export", *given, "-o", str(program)]) == 2
    assert "exists" in capsys.readouterr().err
    assert {each.name for each in tmp_path.iterdir()} == {"net.arch", "w.safetensors", "n.pt2", "n.ts"}


def test_onnx(spec: Path, tmp_path: Path) -> None:
    runtime = pytest.importorskip("onnxruntime")
    path = tmp_path / "n.onnx"
    model = archdsl.build(spec, features={"stem": "low", "c2": "high"})
    done = archdsl.export(model, path, dynamic=["batch", "height", "width"])
    assert done.deviation < 1e-5
    session = runtime.InferenceSession(str(path))
    assert [each.name for each in session.get_outputs()] == ["low", "high"]
    x = torch.randn(5, 3, 40, 72)
    back = archdsl.from_pretrained(path)
    for one, other in zip(session.run(None, {"image": x.numpy()}), back(x).values(), strict=True):
        torch.testing.assert_close(torch.from_numpy(one), other)
    assert back.state_dict().keys() == model.state_dict().keys()
    assert main(["show", str(path)]) == 0


REFUSED = [
    (["-o", "n.tflite"], "nothing is exported as `.tflite`"),
    (["-o", "n.pt2", "--dynamic", "depth"], "the input has no axis `depth`"),
    (["-o", "none/n.pt2"], "there is no folder"),
]


@pytest.mark.parametrize(("options", "said"), REFUSED, ids=[said for _, said in REFUSED])
def test_refused(options: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", "resnet18", *options]) == 2
    assert said in capsys.readouterr().err


def test_a_program_that_differs_is_not_written(spec: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = importlib.import_module("archdsl.driver.export")
    true = module.ScriptWriter.write
    monkeypatch.setattr(module.ScriptWriter, "write", lambda *given: lambda x: [true(*given)(x)[0] + 1])
    with pytest.raises(ArchError, match="differ from the module's"):
        archdsl.export(archdsl.build(spec), tmp_path / "n.ts")
    assert [each.name for each in tmp_path.iterdir()] == ["net.arch"]


def test_a_missing_package_is_one_sentence(spec: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(ArchError, match=r"archdsl\[export\]"):
        archdsl.export(archdsl.build(spec), tmp_path / "n.onnx")
