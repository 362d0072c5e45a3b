"""What `-o` does with what stands at its place."""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path

import pytest

from archdsl.commands import main

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
def test_a_pipe_is_written_to(tmp_path: Path) -> None:
    pipe, read = tmp_path / "net.py", []
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: read.append(pipe.read_text()))
    reader.start()
    assert emit(pipe) == 0
    reader.join(10)
    assert "nn.Module" in read[0]
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_what_cannot_be_written_leaves_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert emit(tmp_path / "nowhere" / "net.py") == 2
    assert emit(tmp_path) == 2
    assert "No such file" in (said := capsys.readouterr().err)
    assert "directory" in said
    assert list(tmp_path.iterdir()) == []
