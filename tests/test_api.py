"""The public names: what `archdsl.validate` gives."""

from __future__ import annotations

from pathlib import Path

import pytest

import archdsl

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
