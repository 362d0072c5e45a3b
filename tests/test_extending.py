"""One file is all that it takes: dropped into a copy of the project, it is found, helped with, and works.

The files are those of docs/extending.md.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

TOP = Path(__file__).parents[1]
EXAMPLES = re.findall(r"^```\w+\n(.*?)^```", (TOP / "docs" / "extending.md").read_text(), re.MULTILINE | re.DOTALL)
SPEC, BLOCK, OP, TARGET = EXAMPLES[:4]
USES_BOTH = """
backbone uses_both(classes = 10):
    input 3 x 16 x 16
    stem: conv(8, 3) -> squareplus(2.0)
    stage c1 / 2: wide(16)
    head: global_avgpool -> flatten -> linear(classes)
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project with one file more in each place, and nothing else changed."""
    top = tmp_path_factory.mktemp("copy")
    for folder in ("archdsl", "grammar", "specs"):
        shutil.copytree(TOP / folder, top / folder, ignore=shutil.ignore_patterns("__pycache__"))
    (top / "specs" / "my_net.yaml").write_text(SPEC)
    (top / "specs" / "uses_both.arch").write_text(USES_BOTH)
    (top / "grammar" / "blocks" / "wide.arch").write_text(BLOCK)
    (top / "archdsl" / "ops" / "squareplus.py").write_text(OP)
    (top / "archdsl" / "backends" / "outline.py").write_text(TARGET)
    (top / "archdsl" / "commands" / "greet.py").write_text(
        '"""Says hello."""\n\ndef arguments(parser):\n    pass\n\ndef run(options):\n    print("hello")\n    return 0\n'
    )
    return top


def archdsl(project: Path, *words: str) -> str:
    """What a command of the copy prints."""
    environment = os.environ | {"PYTHONPATH": str(project), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "archdsl", *words]
    done = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_all_are_listed(project: Path) -> None:
    listed = archdsl(project, "list")
    for name in ("my_net", "uses_both", "wide", "squareplus", "outline"):
        assert re.search(rf"^  {name}\b", listed, re.MULTILINE), name


def test_all_have_help(project: Path) -> None:
    assert "block wide(out, factor = 2, stride = 1)" in archdsl(project, "help", "wide")
    assert "Barron 2021" in archdsl(project, "help", "squareplus")
    assert "A small residual network." in archdsl(project, "help", "my_net")
    assert "outline" in archdsl(project, "emit", "--help")
    assert "greet" in archdsl(project, "--help")


def test_all_work(project: Path) -> None:
    assert "total" in archdsl(project, "show", "my_net")
    assert "block wide" in archdsl(project, "emit", "uses_both", "--target", "outline")
    assert archdsl(project, "greet") == "hello\n"


def test_the_new_op_and_block_are_built(project: Path) -> None:
    pytest.importorskip("torch")
    shown = archdsl(project, "build", "uses_both", "--check")
    assert "the module computes what the spec says" in shown
    assert "one forward pass: output 1x10" in shown
