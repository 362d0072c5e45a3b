"""`archdsl build`: the real module, run once, and what is written of it."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

import archdsl
from archdsl.commands._run import main
from archdsl.ops.conv import Conv

torch = pytest.importorskip("torch")


def test_build_shows_the_network(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["build", "specs/resnext50.yaml"]) == 0
    out = capsys.readouterr().out
    assert "25,028,904" in out
    assert "4,230,479,872" in out
    assert "one forward pass: output 1x1000" in out
    assert "expect: params == 25028904: holds" in out


def test_failed_expectation_is_a_finding(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    spec = tmp_path / "net.yaml"
    spec.write_text("name: net\ninput: 3x8x8\nstem: conv(4, 3)\nexpect: {params: 100, stem: 4x8x8}\n")
    assert main(["build", str(spec)]) == 1
    out, err = capsys.readouterr()
    assert "expect: params == 100: FAILED" in out
    assert "expect: stem == 4x8x8: holds" in out
    assert "`params` is 108" in err


def test_the_module_is_checked(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["build", "resnet20_cifar10", "--check"]) == 0
    page = (Path(__file__).parents[2] / "docs" / "check.md").read_text()
    assert page.partition("```text\n")[2].partition("```")[0] in capsys.readouterr().out


WRONG = {
    "in evaluation, outputs differ in shape, or are missing (the output)": Conv.torch._replace(
        keywords=("padding", "bias")
    ),
    "the module has no `stem.conv.bias`": Conv.torch._replace(
        module="partial(nn.Conv2d, bias=False)", helper="from functools import partial", keywords=("stride", "padding")
    ),
}
"""Spellings with a fault, and what is said of them."""


@pytest.mark.parametrize("said", WRONG)
def test_a_module_that_is_wrong_is_told(
    said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = tmp_path / "net.yaml"
    spec.write_text("name: net\ninput: 3x8x8\nstem: conv(4, 3, 2, bias = true)\n")
    monkeypatch.setattr(Conv, "torch", WRONG[said])
    assert main(["build", str(spec), "--check"]) == 1
    out, err = capsys.readouterr()
    assert "does NOT compute what the spec says" in out
    assert "error[E603]: the module does not compute what the spec says" in err
    assert said in err


def test_a_module_of_another_size_is_told_without_a_check(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = tmp_path / "net.yaml"
    spec.write_text("name: net\ninput: 3x8x8\nstem: conv(4, 3)\n")
    monkeypatch.setattr(Conv, "torch", Conv.torch._replace(keywords=("padding",)))
    assert main(["build", str(spec)]) == 1
    assert "error[E603]" in capsys.readouterr().err


@pytest.mark.parametrize("ending", [".pt", ".pth", ".safetensors"])
def test_written_weights_load_again(ending: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / f"weights{ending}"
    assert main(["build", "resnet20_cifar10", "-o", str(path)]) == 0
    if ending != ".safetensors":
        state = torch.load(path, weights_only=True)
    else:
        state = pytest.importorskip("safetensors.torch").load_file(path)
    archdsl.build("resnet20_cifar10").load_state_dict(state)


def test_unknown_ending_is_refused_before_any_work(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["build", "resnext50", "-o", str(tmp_path / "net.onnx")]) == 2
    assert "`.py`" in capsys.readouterr().err


def test_ejected_source_is_the_network_that_was_built(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "net.py"
    assert main(["build", "resnet20_cifar10", "-o", str(path)]) == 0
    names = runpy.run_path(str(path))
    torch.manual_seed(0)
    ejected = names["Resnet20Cifar10"]()
    torch.manual_seed(0)
    built = archdsl.build("resnet20_cifar10")
    mine, theirs = built.state_dict(), ejected.state_dict()
    assert list(mine) == list(theirs)
    assert all(torch.equal(mine[name], theirs[name]) for name in mine)
    image = torch.randn(1, 3, 32, 32)
    assert torch.equal(built.eval()(image), ejected.eval()(image))
