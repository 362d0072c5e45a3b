"""Copies of the project, on which changes are tried."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

TOP = Path(__file__).parents[1]
FOLDERS = ("archdsl", "grammar", "specs", "docs", "tests")
FILES = ("pyproject.toml", "CONTRIBUTING.md", "README.md")
KEY = '    license: str = Field("", description="The license of the weights.")\n'
"""A key more, as a field of the model of a network."""
UNNEEDED = shutil.ignore_patterns("__pycache__")


def copied(folder: Path) -> Path:
    """A copy of the project in an empty folder."""
    for name in FOLDERS:
        shutil.copytree(TOP / name, folder / name, ignore=UNNEEDED)
    for name in FILES:
        shutil.copy(TOP / name, folder / name)
    return folder


def changed(folder: Path, name: str, before: str, new: str) -> None:
    """Write a text into a file of a copy, before one that stands there once."""
    text = (folder / name).read_text("utf-8")
    assert text.count(before) == 1
    (folder / name).write_text(text.replace(before, new + before), "utf-8")


def add_key(folder: Path) -> None:
    """Add `KEY` to the model of a network in a copy."""
    changed(folder, "archdsl/syntax/document.py", "    expect: Expectations = Field(", KEY)


def attempt(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run Python on a copy."""
    environment = os.environ | {"PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        [sys.executable, *words], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def run(folder: Path, *words: str) -> str:
    """What Python prints on a copy, where it has to succeed."""
    done = attempt(folder, *words)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr
    return done.stdout
