"""What CONTRIBUTING.md and docs/extending.md promise, tried on a copy: one file a change, and everything green.

Each addition of docs/extending.md is made in one copy of the tree, `python -m tests.update` writes what is derived, and
the tests that check such things run there, in a child.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from tests import copies
from tests.copies import run

TOP = Path(__file__).parents[1]
EXAMPLES = re.findall(
    r"^```\w+\n(.*?)^```", (TOP / "docs" / "extending.md").read_text("utf-8"), re.MULTILINE | re.DOTALL
)
SPEC, BLOCK, OP, TARGET, ANALYSIS, COMMAND, FIGURE = EXAMPLES
ADDED = {
    "specs/my_net.yaml": SPEC,
    "grammar/blocks/wide.arch": BLOCK,
    "archdsl/ops/squareplus.py": OP,
    "archdsl/backends/outline.py": TARGET,
    "archdsl/analyses/depth.py": ANALYSIS,
    "archdsl/commands/depth.py": COMMAND,
}
"""The additions that are a file."""
FIGURES = "archdsl/analyses/figures.py"
LAST_FIGURE = '    "n_linear": '
UPDATED = "updated.txt"
QUIET = ("-m", "pytest", "-q", "-p", "no:cacheprovider", "-n", "0")
DERIVED = re.compile(r"docs/(blocks|backbones|yaml)\.md|grammar/archdsl\.schema\.json|tests/fingerprints/specs\.txt")
USES_BOTH = """
backbone uses_both(classes = 10):
    input 3 x 16 x 16
    stem: conv(8, 3) -> squareplus(2.0)
    stage c1 / 2: wide(16)
    head: global_avgpool -> flatten -> linear(classes)
"""
CHECKS = """
tests/test_layers.py::test_imports_point_down
tests/test_layers.py::test_imports_make_no_circle
tests/ops/test_ops_examples.py::test_every_op_has_an_example
tests/ops/test_ops_layers.py::test_every_op_has_a_run
tests/ops/test_ops_misfits.py::test_every_misfit_of_the_ops_has_a_line
tests/random_specs/test_random_specs.py::test_most_specs_elaborate_and_all_of_the_language_occurs
tests/specs/test_backbones_page.py::test_every_network_is_on_it
tests/specs/test_figures.py::test_names
tests/commands/test_schema.py::test_every_block_op_and_parameter_is_known_and_explained
"""
"""The tests that see an addition without having a case for it."""
CASES = "my_net or squareplus or wide or depth or outline or figures.py"
"""What the cases are called that other tests have for the additions."""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the tree with all additions, and what is derived written anew."""
    top = copies.copied(tmp_path_factory.mktemp("copy"))
    for name in ADDED:
        add(top, name)
    copies.changed(top, FIGURES, LAST_FIGURE, FIGURE)
    (top / UPDATED).write_text(run(top, "-m", "tests.update"), "utf-8")
    return top


def add(top: Path, name: str) -> None:
    """Add a file to a copy."""
    assert not (top / name).exists()
    (top / name).write_text(ADDED[name], "utf-8")


def archdsl(project: Path, *words: str) -> str:
    """The output of a command of the copy."""
    return run(project, "-m", "archdsl", *words)


@pytest.mark.parametrize("page", ["CONTRIBUTING.md", "docs/extending.md"])
def test_paths_exist(page: str) -> None:
    named = re.findall(r"`((?:archdsl|grammar|tests|docs)/[\w./]*)", (TOP / page).read_text("utf-8"))
    assert len(named) > 5
    assert [name for name in named if not (TOP / name).exists() and name not in ADDED] == []


def check_derived(updated: str) -> None:
    """Hold what `tests.update` wrote to what is derived."""
    written = re.findall(r"^wrote (.+)$", updated, re.MULTILINE)
    assert {DERIVED.fullmatch(name) is not None for name in written} == {True}, written


def test_only_derived_files_change_with_them(project: Path) -> None:
    check_derived((project / UPDATED).read_text("utf-8"))


def test_everything_is_green_afterwards(project: Path) -> None:
    assert run(project, "-m", "tests.update") == ""
    run(project, *QUIET, *CHECKS.split())
    run(project, *QUIET, "-k", CASES, "tests/specs/test_figures.py", "tests/graph", "tests/ops")


ALONE: dict[str, tuple[Callable[[Path], None], str]] = {
    "an op": (partial(add, name="archdsl/ops/squareplus.py"), "tests/ops/test_ops_examples.py"),
    "a block": (partial(add, name="grammar/blocks/wide.arch"), "tests/specs/test_blocks.py"),
    "a key": (copies.add_key, "tests/network/test_new_key.py::test_the_tables_of_keys_are_up_to_date"),
}
"""Additions, each alone in a copy, and the tests of what it is one of."""


@pytest.mark.slow
@pytest.mark.parametrize("addition", ALONE)
def test_each_alone_leaves_all_green(addition: str, tmp_path: Path) -> None:
    change, own = ALONE[addition]
    top = copies.copied(tmp_path)
    change(top)
    check_derived(run(top, "-m", "tests.update"))
    run(top, *QUIET, *CHECKS.split(), own)


def test_ruff_takes_them(project: Path) -> None:
    ruff = shutil.which("ruff")
    if ruff is None:
        pytest.skip("needs ruff")
    paths = [name for name in (*ADDED, FIGURES) if name.endswith(".py")]
    for words in (["check"], ["format", "--check"]):
        done = subprocess.run([ruff, *words, *paths], cwd=project, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout


def test_all_are_listed_and_have_help(project: Path) -> None:
    listed = archdsl(project, "list")
    for name in ("my_net", "wide", "squareplus", "outline"):
        assert re.search(rf"^  {name}\b", listed, re.MULTILINE), name
    assert "block wide(out, factor = 2, stride = 1)" in archdsl(project, "help", "wide")
    assert "Barron 2021" in archdsl(project, "help", "squareplus")
    assert "A small residual network" in archdsl(project, "help", "my_net")
    assert "outline" in archdsl(project, "emit", "--help")
    assert "depth" in archdsl(project, "--help")


def test_all_work(project: Path) -> None:
    (project / "uses_both.arch").write_text(USES_BOTH, "utf-8")
    assert "total" in archdsl(project, "show", "my_net")
    assert "block wide" in archdsl(project, "emit", "uses_both.arch", "--target", "outline")
    assert archdsl(project, "depth", "my_net") == "11\n"
    assert " 11 " in archdsl(project, "compare", "my_net", "--figures", "weighted")


def test_the_new_op_and_block_are_built(project: Path) -> None:
    pytest.importorskip("torch")
    (project / "uses_both.arch").write_text(USES_BOTH, "utf-8")
    shown = archdsl(project, "build", "uses_both.arch", "--check")
    assert "the module computes what the spec says" in shown
    assert "one forward pass: output 1x10" in shown
