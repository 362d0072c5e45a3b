"""The grammar and the specs are found in the repository, and in what gets installed from it."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import venv
from pathlib import Path

import pytest

from archdsl import resources

TOP = Path(__file__).parents[1]
FOLDERS = ("grammar", "specs")


def files(folder: Path) -> set[str]:
    """The files below a folder, by path, without what Python leaves there."""
    found = {path.relative_to(folder) for path in folder.rglob("*") if path.is_file()}
    return {path.as_posix() for path in found if "__pycache__" not in path.parts and not path.name.startswith(".")}


@pytest.mark.parametrize("name", FOLDERS)
def test_found_in_the_repository(name: str) -> None:
    assert resources.folder(name) == TOP / name
    assert files(TOP / name)


def test_a_missing_folder_is_named() -> None:
    with pytest.raises(FileNotFoundError, match="its folder 'recipes'"):
        resources.folder("recipes")


def run(*command: object, cwd: Path) -> str:
    """What a command prints; its errors are shown where it fails."""
    done = subprocess.run([str(part) for part in command], cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.slow
def test_found_in_a_wheel_that_was_built_from_the_sdist(tmp_path: Path) -> None:
    run(sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-d", tmp_path, cwd=TOP)
    (sdist,) = tmp_path.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path, filter="data")
    unpacked = tmp_path / sdist.name.removesuffix(".tar.gz")
    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", tmp_path, cwd=unpacked)
    (wheel,) = tmp_path.glob("*.whl")

    venv.create(tmp_path / "fresh", with_pip=True)
    python = tmp_path / "fresh" / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    run(python, "-m", "pip", "install", "--no-deps", "--no-index", wheel, cwd=tmp_path)
    for name in FOLDERS:
        code = f"from archdsl.resources import folder; print(folder({name!r}))"
        found = Path(run(python, "-c", code, cwd=tmp_path).strip())
        assert (tmp_path / "fresh").resolve() in found.parents
        assert files(found) == files(TOP / name)
    made = list((tmp_path / "fresh").rglob("tables-*.bin"))
    assert len(made) == 1, "the wheel carries the parser's tables"
