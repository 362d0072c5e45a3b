"""What `-o` does with what stands at its place."""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path

import pytest

from archdsl.commands._run import main

POSIX = pytest.mark.skipif(os.name != "posix", reason="links, pipes and permissions are those of POSIX")


def emit(path: Path) -> int:
    """Writes a network's source to a path."""
    return main(["emit", "resnet18", "-o", str(path)])


@POSIX
def test_a_link_stays_and_leads_to_the_new_file(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    real, link = tmp_path / "real" / "net.py", tmp_path / "link.py"
    real.write_text("old")
    link.symlink_to(real)
    assert emit(link) == 0
    assert link.is_symlink()
    assert "class ResNet18" in real.read_text() or "nn.Module" in real.read_text()
    assert [path.name for path in real.parent.iterdir()] == ["net.py"]


@POSIX
def test_a_file_keeps_its_permissions(tmp_path: Path) -> None:
    path = tmp_path / "net.py"
    path.write_text("old")
    path.chmod(0o600)
    assert emit(path) == 0
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert "nn.Module" in path.read_text()


@POSIX
def test_a_file_that_may_not_be_written_is_left(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "net.arch"
    path.write_text("backbone net:\n  stem:conv(3)\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("os.access", lambda path, mode: mode != os.W_OK)
    assert main(["fmt", "net.arch"]) == 2
    assert "net.arch: Permission denied\n" in capsys.readouterr().err
    assert path.read_text() == "backbone net:\n  stem:conv(3)\n"


@POSIX
def test_a_pipe_is_written_to(tmp_path: Path) -> None:
    pipe, read = tmp_path / "net.py", []
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: read.append(pipe.read_text()))
    reader.start()
    assert emit(pipe) == 0
    reader.join(600)
    assert "nn.Module" in read[0]
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_what_cannot_be_written_leaves_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert emit(tmp_path / "nowhere" / "net.py") == 2
    assert emit(tmp_path) == 2
    assert "there is no folder" in (said := capsys.readouterr().err)
    assert "this is a folder" in said
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "words",
    [
        ("emit", "bad.arch", "-o", "none/net.py", "--target", "nothing"),
        ("build", "bad.arch", "-o", "none/net.pt"),
        ("convert", "no.pt", "--spec", "bad.arch", "-o", "none/net.pt"),
        ("compare", "bad.arch", "--plot", "none/net.svg"),
        ("calibrate", "-o", "none/net.toml"),
    ],
)
def test_a_missing_folder_is_told_before_any_work(
    words: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("bad.arch").write_text("backbone net:\n    input 3x8x8\n    stem: conv(4, 99, -1)\n")
    assert main(list(words)) == 2
    said = capsys.readouterr().err
    assert "there is no folder `none`" in said
    assert "make the folder first" in said


NET = 'import "parts/part.arch"\nbackbone net:\n    input 3 x 8 x 8\n    stem: part\n'


@POSIX
@pytest.mark.parametrize(
    ("command", "output"),
    [
        *(("emit", output) for output in ("net.arch", "./net.arch", "parts/part.arch", "link.py", "hard.py")),
        *(("build", output) for output in ("link.py", "hard.py")),
    ],
)
def test_a_spec_is_not_replaced_by_what_is_made_of_it(
    command: str, output: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    net, part = Path("net.arch"), Path("parts/part.arch")
    part.parent.mkdir()
    part.write_text("block part() = conv(4)\n")
    net.write_text(NET)
    Path("link.py").symlink_to(net)
    Path("hard.py").hardlink_to(net)
    assert main([command, "net.arch", "-o", output]) == 2
    assert f"`-o {Path(output)}` would replace a spec that is read" in capsys.readouterr().err
    assert (net.read_text(), part.read_text()) == (NET, "block part() = conv(4)\n")


def test_convert_leaves_the_old_spec_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("new.arch", "old.pt"):
        Path(name).write_text("backbone net:\n    input 3 x 8 x 8\n    stem: conv(4)\n")
    assert main(["convert", "x.pt", "--spec", "new.arch", "--from-spec", "old.pt", "-o", "old.pt"]) == 2
    assert "would replace a spec" in capsys.readouterr().err
