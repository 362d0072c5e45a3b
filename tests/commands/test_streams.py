"""What a process prints where its streams have another encoding, or no room."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

TOP = Path(__file__).parents[2]
FINE = 'backbone net:  # é ✓\n    """É ✓"""\n    input 3 x 8 x 8\n    stem: cna(8)\n'
WRONG = "backbone net:  # é ✓\n    input 3 x 8 x 8\n    stem: cna(8) -> né\n"
ENCODINGS = ["utf-8", "cp1252", "ascii"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A right spec, and a wrong one."""
    (tmp_path / "fine.arch").write_text(FINE, encoding="utf-8")
    (tmp_path / "wrong.arch").write_text(WRONG, encoding="utf-8")
    return tmp_path


def run(folder: Path, encoding: str, *words: str, text: str = "") -> tuple[int, bytes, bytes]:
    """Exit code, output and errors of a process whose streams have an encoding."""
    environment = os.environ | {"PYTHONPATH": str(TOP), "PYTHONIOENCODING": encoding}
    command = [sys.executable, "-m", "archdsl", *words]
    done = subprocess.run(
        command, cwd=folder, env=environment, input=text.encode(), capture_output=True, check=False, timeout=600
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize(("encoding", "shown"), [("utf-8", "né"), ("cp1252", "né"), ("ascii", "n\\xe9")])
def test_findings_are_shown_in_any_encoding(folder: Path, encoding: str, shown: str) -> None:
    code, out, err = run(folder, encoding, "validate", "--no-cache", "wrong.arch")
    assert (code, err) == (1, b"")
    assert f"    stem: cna(8) -> {shown}" in out.decode(encoding)


@pytest.mark.parametrize(("encoding", "line"), [("utf-8", "─"), ("cp1252", "-"), ("ascii", "-")])
def test_tables_are_shown_in_any_encoding(folder: Path, encoding: str, line: str) -> None:
    code, out, err = run(folder, encoding, "show", "fine.arch")
    assert (code, err) == (0, b"")
    assert line * 20 in out.decode(encoding)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_what_is_to_be_a_file_is_utf_8(folder: Path, encoding: str) -> None:
    assert run(folder, encoding, "fmt", "-", text=FINE)[:2] == (0, FINE.encode())
    ugly = FINE.replace("    ", "  ")
    (folder / "ugly.arch").write_text(ugly, encoding="utf-8")
    assert '\n-  """É ✓"""\n' in run(folder, encoding, "fmt", "--diff", "ugly.arch")[1].decode()
    assert "É ✓" in run(folder, encoding, "emit", "fine.arch")[1].decode()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full here")
@pytest.mark.parametrize("words", ["validate wrong.arch", "fmt --diff wrong.arch", "emit fine.arch", "schema"])
def test_a_full_disk_is_no_mistake_of_ours(folder: Path, words: str) -> None:
    (folder / "wrong.arch").write_text(FINE.replace("    ", "  ") if "fmt" in words else WRONG, encoding="utf-8")
    environment = os.environ | {"PYTHONPATH": str(TOP)}
    with open("/dev/full", "w") as full:
        command = [sys.executable, "-m", "archdsl", *words.split()]
        done = subprocess.run(
            command, cwd=folder, env=environment, stdout=full, stderr=subprocess.PIPE, check=False, timeout=600
        )
    assert done.returncode == 2
    assert done.stderr.decode().endswith("archdsl: the output cannot be written: No space left on device\n")
