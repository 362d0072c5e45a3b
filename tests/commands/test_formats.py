"""`validate --format`: what programs read."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from archdsl.commands._run import main

SPEC = """\
name: net
input: 3x32x32
stem: cna(8, 3) + cna(16, 3)
head: relu6 -> relo
"""
UNEQUAL = "8x32x32 and 16x32x32 cannot be added"
HELP = "equal channels are needed: project the other one, `project(16)`"


@pytest.fixture
def name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A spec with mistakes, in a file whose name needs care."""
    monkeypatch.chdir(tmp_path)
    Path("my net,1%.yaml").write_text(SPEC)
    return "my net,1%.yaml"


def said(capsys: pytest.CaptureFixture[str], form: str, *names: str) -> str:
    """What is printed in a format."""
    assert main(["validate", "--no-cache", "--format", form, *names]) == 1
    return capsys.readouterr().out


def found(capsys: pytest.CaptureFixture[str], form: str, *names: str) -> Any:
    """What is printed, read again."""
    return json.loads(said(capsys, form, *names))


def test_concise_is_a_line_each(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert said(capsys, "concise", name).splitlines() == [
        f"{name}:3:7: error[E202]: these tensors do not fit together: {UNEQUAL}",
        f"{name}:4:16: error[E101]: unknown name: nothing here is called `relo`",
        "1 file checked: 2 errors",
    ]


def test_github_sees_the_places(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    first, second = said(capsys, "github", name).splitlines()
    assert first == (
        "::error file=my net%2C1%25.yaml,line=3,col=7,endLine=3,endColumn=29,title=archdsl E202::"
        f"these tensors do not fit together: {UNEQUAL}%0Ahelp: {HELP}"
    )
    assert second.endswith("nothing here is called `relo`%0Ahelp: did you mean `relu`?")


def test_json_has_all_of_a_finding(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    first, _ = found(capsys, "json", name)
    assert first == {
        "code": "E202",
        "severity": "error",
        "message": "these tensors do not fit together",
        "label": UNEQUAL,
        "help": HELP,
        "scope": "stem",
        "location": place(name, 7, 29),
        "notes": [
            {"label": "this is 8x32x32", "location": place(name, 7, 16)},
            {"label": "this is 16x32x32", "location": place(name, 19, 29)},
        ],
    }


def place(name: str, start: int, end: int) -> dict[str, Any]:
    """A part of the third line."""
    return {"file": name, "line": 3, "column": start, "end_line": 3, "end_column": end}


def test_sarif_knows_rules_and_places(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("no-text.yaml").write_bytes(b"\xff")
    (run,) = found(capsys, "sarif", name, "no-text.yaml", "/nowhere.yaml")["runs"]
    rules = {rule["id"]: rule for rule in run["tool"]["driver"]["rules"]}
    assert list(rules) == ["E101", "E202", "E501"]
    assert "\nThe same example, mended:\n" in rules["E202"]["help"]["markdown"]
    first, _, no_text, nowhere = run["results"]
    uris = [each["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for each in (first, no_text, nowhere)]
    assert uris == ["my%20net%2C1%25.yaml", "no-text.yaml", "file:///nowhere.yaml"]
    region = first["locations"][0]["physicalLocation"]["region"]
    assert region == {"startLine": 3, "startColumn": 7, "endLine": 3, "endColumn": 29}
    assert [each["message"]["text"] for each in first["relatedLocations"]] == ["this is 8x32x32", "this is 16x32x32"]


@pytest.mark.skipif(os.name != "posix", reason="names of files are bytes in POSIX only")
def test_sarif_names_a_file_byte_by_byte(capsys: pytest.CaptureFixture[str]) -> None:
    (run,) = found(capsys, "sarif", os.fsdecode(b"caf\xe9.yaml"))["runs"]
    place = run["results"][0]["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "caf%E9.yaml"


def test_nothing_is_nothing_in_every_format(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    nothing = {"full": "", "concise": "", "json": "[]\n", "github": ""}
    for form, expected in nothing.items():
        assert main(["validate", str(tmp_path), "--format", form]) == 0
        assert capsys.readouterr().out.removesuffix("0 files checked: no errors\n") == expected
