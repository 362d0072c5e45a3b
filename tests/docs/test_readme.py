"""What README shows is what comes out."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import archdsl
from archdsl.commands._run import main
from archdsl.diagnostics import Source
from archdsl.diagnostics.diagnostic import render
from archdsl.driver.validation import validate

TOP = Path(__file__).parents[2]
SPEC = TOP / "specs" / "resnext50.yaml"
BLOCKS = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
MARKED = re.compile(r"^ *(\d+) \| (.*)\n", re.MULTILINE)


def blocks(kind: str) -> list[str]:
    """The blocks of README in a language."""
    return [text for name, text in BLOCKS.findall((TOP / "README.md").read_text(encoding="utf-8")) if name == kind]


def test_the_table_is_what_show_prints(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    table, _ = blocks("text")
    assert main(["show", str(SPEC)]) == 0
    printed = "\n".join(line.rstrip() for line in capsys.readouterr().out.splitlines())
    assert table.strip() in printed


def test_the_hybrid_is_a_network() -> None:
    (hybrid,) = blocks("yaml")
    assert validate(Source("my_hybrid.yaml", hybrid), None) == []
    graph = archdsl.compile(archdsl.loads(hybrid, "my_hybrid.yaml"))
    assert [section.name for section in graph.sections] == ["stem", "c2", "c3", "c4", "c5", "head"]


def test_the_mistake_is_told_as_shown() -> None:
    _, shown = blocks("text")
    lines = SPEC.read_text(encoding="utf-8").splitlines()
    found = MARKED.search(shown)
    assert found
    lines[int(found[1]) - 1] = found[2]
    assert render(validate(Source("specs/resnext50.yaml", "\n".join(lines)), None)) == shown.rstrip()
