"""pre-commit: what the hooks say of themselves, and what they do in a repository of a user."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from archdsl.commands._run import names

TOP = Path(__file__).parents[2]
HOOKS = {hook["id"]: hook for hook in yaml.safe_load((TOP / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))}
GOOD = "name: net\ninput: 3x32x32\nstem: cna(16, 3)\nstages:\n  c2 / 2: 3 * bottleneck(64)\n"
MESSAGE = """\
error[E101]: unknown name
  --> bad.arch.yaml:5:15
   |
 5 |   c2 / 2: 3 * botleneck(64)
   |               ^^^^^^^^^ nothing here is called `botleneck`
   = help: did you mean `bottleneck`?
"""


def test_each_hook_runs_a_command_on_specs() -> None:
    assert list(HOOKS) == ["archdsl-validate", "archdsl-fmt"]
    for hook in HOOKS.values():
        program, command, *_ = hook["entry"].split()
        assert (program, command in names()) == ("archdsl", True)
        found = [name for name in FILES if re.search(hook["files"], name)]
        assert found == ["net.arch", "nets/net.arch.yaml", "net.arch.yml"]


FILES = [
    "net.arch",
    "nets/net.arch.yaml",
    "net.arch.yml",
    "net.yaml",
    "march.yaml",
    "net.arch.txt",
    "arch",
    "x.archive",
]


def run(*command: object, cwd: Path, home: Path) -> subprocess.CompletedProcess[str]:
    """A command, with a home of its own."""
    environment = os.environ | {"PRE_COMMIT_HOME": str(home), "GIT_CONFIG_GLOBAL": os.devnull}
    who = ["-c", "user.name=somebody", "-c", "user.email=somebody@nowhere"] if command[0] == "git" else []
    words = [str(command[0]), *who, *map(str, command[1:])]
    return subprocess.run(words, cwd=cwd, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_a_bad_spec_blocks_the_commit(tmp_path: Path) -> None:
    for program in ("pre-commit", "git"):
        if not shutil.which(program):
            pytest.skip(f"{program} is not installed")
    clone, user, home = (tmp_path / name for name in ("clone", "user", "home"))
    skipped = shutil.ignore_patterns(".git", "__pycache__", ".venv*", "node_modules")
    shutil.copytree(TOP, clone, ignore=skipped)
    user.mkdir()
    for folder in (clone, user):
        run("git", "init", "-q", ".", cwd=folder, home=home)
    (user / "good.arch.yaml").write_text(GOOD)
    (user / "bad.arch.yaml").write_text(GOOD.replace("bottleneck", "botleneck"))
    for folder in (clone, user):
        run("git", "add", "-A", cwd=folder, home=home)
    assert run("git", "commit", "-qm", "all", cwd=clone, home=home).returncode == 0
    done = run("pre-commit", "try-repo", clone, "archdsl-validate", "--all-files", cwd=user, home=home)
    if "Failed to establish a new connection" in done.stdout + done.stderr:
        pytest.skip("no network to install from")
    assert done.returncode == 1, done.stdout + done.stderr
    assert MESSAGE in done.stdout
    assert "2 files checked: 1 error" in done.stdout
