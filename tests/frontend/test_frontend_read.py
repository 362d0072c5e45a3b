"""Which notation a text is read in, and what is imported for it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from archdsl.diagnostics import ArchError, Source
from archdsl.frontend import read
from archdsl.syntax.text import is_yaml

ROOT = Path(__file__).parents[2]
ARCH = [
    "",
    "# only this\n",
    "\ufeffbackbone a",
    "archdsl 1\n",
    'import "a.arch"',
    "block a = b",
    "fn f(a) = a",
    "net",
    "(a",
]
YAML = [
    "name: a",
    "# so\n\nblocks:\n  a: b",
    "archdsl: 1",
    '"name": a',
    "{name: a}",
    "---\nname: a",
    "%YAML 1.1\n---\n",
    "name:",
]


@pytest.mark.parametrize("text", ARCH)
def test_text_form_is_guessed(text: str) -> None:
    assert not is_yaml("<text>", text)


@pytest.mark.parametrize("text", YAML)
def test_yaml_is_guessed(text: str) -> None:
    assert is_yaml("<text>", text)


@pytest.mark.parametrize(
    ("name", "yaml"), [("a.arch", False), ("a.yaml", True), ("a.yml", True), ("a.arch.yaml", True)]
)
def test_the_ending_decides(name: str, yaml: bool) -> None:
    assert is_yaml(name, "backbone a") == is_yaml(name, "name: a") == yaml


@pytest.mark.parametrize("text", ["name: net\nstem: a", "backbone net:\n    stem: a"])
def test_both_are_read_without_an_ending(text: str) -> None:
    assert read(Source("<text>", text)).backbones[0].sections[0].name == "stem"


def test_errors_of_either_are_shown() -> None:
    for text in ("name: net\nstem: )", "backbone net:\n    stem: )"):
        with pytest.raises(ArchError, match="closes no bracket"):
            read(Source("<text>", text))


def imported(code: str) -> set[str]:
    """Which of the heavy packages some code imports."""
    shown = f"import sys\n{code}\nprint(*[name for name in ('lark', 'yaml') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", shown], capture_output=True, text=True, check=True, cwd=ROOT)
    return set(done.stdout.split())


def test_packages_are_imported_as_needed() -> None:
    start = "from archdsl.frontend import read\nfrom archdsl.diagnostics import Source\n"
    assert imported(start) == set()
    assert imported(start + "read(Source('a.arch', 'backbone a'))") == {"lark"}
    assert "yaml" not in imported("from archdsl.frontend.format.yaml import yaml_text")
