"""The command line, as a user has it: what it prints, what it writes, how it ends."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from archdsl.commands._run import main, names


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    """Exit code, output, errors."""
    code = main(list(words))
    out, err = capsys.readouterr()
    return code, out, err


def test_overview_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "--help")
    assert code == 0
    assert all(f"\n  {name} " in out for name in names())


@pytest.mark.parametrize("name", names())
def test_every_command_has_help(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, name, "--help")
    assert code == 0
    assert f"archdsl {name}" in out


def test_unknown_command_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = run(capsys, "biuld")
    assert code == 2
    assert "did you mean `build`?" in err


def test_a_mistake_of_ours_is_one_line(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(options: object) -> int:
        raise ValueError(f"so\nmuch \x1b[31m for {options.__class__.__name__}")

    monkeypatch.setattr("archdsl.commands.list.run", broken)
    code, out, err = run(capsys, "list")
    assert (code, out) == (2, "")
    assert err.splitlines()[0] == "archdsl: internal error: ValueError: so much \\x1b[31m for Namespace"
    monkeypatch.setenv("ARCHDSL_DEBUG", "1")
    with pytest.raises(ValueError, match="so"):
        main(["list"])


def test_show_gives_exact_integers(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "show", "resnext50", "--format", "json")
    (figures,) = json.loads(out)
    assert code == 0
    assert (figures["params"], figures["macs"]) == (25_028_904, 4_230_479_872)
    assert figures["training_only"] == {"params": 0, "macs": 0}
    assert figures["stages"][1] == {"name": "c3", "shape": [512, 28, 28], "reduction": 8}
    assert figures["maps"][0] == {"name": "stem.cna", "shape": [64, 112, 112], "reduction": 2}


def test_show_takes_parameters_and_sizes(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run(capsys, "show", "resnext50", "-p", "classes=10", "--input", "3x256x256", "--format", "json")
    (figures,) = json.loads(out)
    assert figures["input"] == [3, 256, 256]
    assert figures["params"] == 25_028_904 - 990 * 2049


def test_without_classes_the_classifier_is_gone(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run(capsys, "show", "resnext50", "-p", "classes=0", "--format", "json")
    assert json.loads(out)[0]["params"] == 25_028_904 - 1000 * 2049


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("show", "resnxt50"), 1, "did you mean `resnext50`?"),
        (("show", "nowhere.yaml"), 1, "--> nowhere.yaml\n   = No such file or directory\n"),
        (("show", "resnext50", "-p", "clases=10"), 1, "did you mean `classes`?"),
        (("show", "resnext50", "-p", "clases=10", "-p", "w=1"), 1, "1 | w=1\n   | ^ `resnext50` has no parameter `w`"),
        (("show", "resnext50", "--input", "3x0x3"), 2, "write it as 3x256x256"),
        (("show", "resnext50", "-p", "classes=ten"), 1, "nothing here is called `ten`"),
        (("show", "resnext50", "-p", "classes"), 2, "write `-p name=value`"),
        (("show", "resnext50", "--input", "224"), 2, "write it as 3x256x256"),
        (("show", "resnext50", "--input", "3x8x8x8"), 2, "write it as 3x256x256"),
        (("emit", "resnext50", "--target", "tensorflow"), 2, "no target is called `tensorflow`"),
        (("help", "convv"), 2, "did you mean `conv`?"),
    ],
)
def test_what_cannot_be_asked_for(
    words: tuple[str, ...], code: int, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    got, _, err = run(capsys, *words)
    assert (got, message in err) == (code, True), err


def test_help_knows_ops_blocks_and_specs(capsys: pytest.CaptureFixture[str]) -> None:
    assert "op conv(out, kernel = 1" in run(capsys, "help", "conv")[1]
    assert "He et al. 2016" in run(capsys, "help", "bottleneck")[1]
    assert "ResNeXt-50" in run(capsys, "help", "resnext50")[1]


def test_emit_writes_whole_files(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "net.py"
    code, out, _ = run(capsys, "emit", "resnext50", "-o", str(path))
    assert code == 0
    assert f"wrote {path}" in out
    assert len(path.read_text().splitlines()) <= 110
    assert [each.name for each in tmp_path.iterdir()] == ["net.py"]


def test_output_that_cannot_be_written_leaves_nothing(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    code, _, err = run(capsys, "emit", "resnext50", "-o", str(tmp_path / "nowhere" / "net.py"))
    assert code == 2
    assert "E503" in err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", ">&- 2>&-"])
@pytest.mark.parametrize(("name", "code"), [("good", 0), ("bad", 1)])
def test_a_process_may_have_streams_closed(closed: str, name: str, code: int, tmp_path: Path) -> None:
    (tmp_path / "good.arch").write_text("backbone good:\n    input 3 x 8 x 8\n    stem: cna(8)\n")
    (tmp_path / "bad.arch").write_text("backbone bad:\n    input 3 x 8 x 8\n    stem: can(8)\n")
    line = f"{shlex.quote(sys.executable)} -m archdsl validate --no-cache {name}.arch {closed}"
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(line, shell=True, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == code
    assert done.stderr == ""
    told = [] if closed.startswith(">&-") else [f"1 file checked: {'1 error' if code else 'no errors'}"]
    assert done.stdout.splitlines()[-1:] == told
