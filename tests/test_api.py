"""The public names: what `archdsl.validate` gives."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import archdsl
from archdsl import ArchError

SPEC = "name: net\ninput: 3x32x32\nstem: cna(16, 3)\nstages:\n  c2: basic(64) -> identity + cna(60, 3)\n"
SAID = """\
error[E101]: unknown name
  --> net.yaml:3:7
   |
 3 | stem: can(16, 3)
   |       ^^^ nothing here is called `can`
   = help: did you mean `cna`?"""


@pytest.fixture
def net(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A spec with one mistake."""
    monkeypatch.chdir(tmp_path)
    Path("net.yaml").write_text(SPEC.replace("cna(16", "can(16").replace(" + cna(60, 3)", ""))
    return tmp_path / "net.yaml"


def test_validate_gives_what_is_wrong(net: Path) -> None:
    (finding,) = archdsl.validate("net.yaml")
    assert isinstance(finding, archdsl.Diagnostic)
    assert (finding.severity, finding.code, finding.help) == ("error", "E101", "did you mean `cna`?")
    assert str(finding) == SAID
    assert [*map(str, archdsl.validate(net))] == [SAID]


def test_validate_of_a_text(net: Path) -> None:
    assert archdsl.validate(net, text="name: net\ninput: 3x32x32\nstem: cna(16, 3)\n") == []
    (finding,) = archdsl.validate(net, text=SPEC)
    assert (finding.code, repr(finding.span)) == ("E002", "net.yaml:5:20")
    (warning,) = archdsl.validate(net, text="name: net\ninput: 3x33x32\nstem: maxpool(2, 2)\n")
    assert (warning.severity, warning.code) == ("warning", "W201")
    assert archdsl.validate(net, text="name: net\ninput: 3x33x32\nstem: maxpool(2, 2)\n", input=[3, 32, 32]) == []


def test_validate_says_that_there_is_no_file(net: Path) -> None:
    (finding,) = archdsl.validate("nowhere.yaml")
    assert str(finding).endswith("--> nowhere.yaml\n   = No such file or directory")


TEXT = "backbone net(w = 4):\n    input 3 x 8 x 8\n    stem: conv(w)\n"


def test_a_spec_a_graph_a_path_and_a_name_are_taken_everywhere(tmp_path: Path) -> None:
    path = tmp_path / "net.arch"
    path.write_text(TEXT)
    spec = archdsl.load(path)
    graph = archdsl.compile(spec)
    forms = (spec, graph, path, str(path))
    assert {archdsl.cost(form).totals.params for form in forms} == {12}
    assert {archdsl.emit(form) for form in forms} == {archdsl.emit(graph)}
    assert [each.params for each in archdsl.cost_many(forms, processes=1)] == [12] * 4
    assert [each.params for each in archdsl.cost_many(forms, processes=2)] == [12] * 4
    assert archdsl.cost("resnet18").totals.params == 11_689_512
    assert archdsl.cost(spec, params={"w": 8}, input=(3, 4, 4)).totals.macs == 8 * 3 * 16
    assert archdsl.emit(path, params={"w": 8}) == archdsl.emit(archdsl.compile(path, params={"w": 8}))


@pytest.mark.parametrize("value", [None, 5, object(), b"resnet18", ["resnet18"]])
def test_what_is_no_spec_is_told(value: Any) -> None:
    for work in (archdsl.cost, archdsl.emit):
        with pytest.raises(ArchError, match="this is of the type"):
            work(value)
    (found,) = archdsl.cost_many([value])
    assert str(found.error).startswith("error[E504]")
    assert "Error:" not in str(found.error)


def test_a_graph_takes_no_settings() -> None:
    graph = archdsl.compile("resnet18")
    for settings in ({"params": {"classes": 5}}, {"input": (3, 64, 64)}):
        for work in (archdsl.cost, archdsl.emit):
            with pytest.raises(ArchError, match="a graph has its parameters"):
                work(graph, **settings)  # type: ignore[operator]
    (found,) = archdsl.cost_many([graph], input=(3, 64, 64))
    assert found.name == "resnet18"
    assert "a graph has its parameters" in str(found.error)


def test_what_is_no_path_is_told() -> None:
    value: Any = 5
    with pytest.raises(ArchError, match="give a file's path"):
        archdsl.validate(value)


@pytest.mark.parametrize("target", [5, None, "torc"])
def test_what_is_no_target_is_told(target: Any) -> None:
    with pytest.raises(ArchError, match="no target is called"):
        archdsl.emit("resnet18", target)
