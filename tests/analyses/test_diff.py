"""`diff`: what changed, and that the costs of the changes sum up to the difference."""

from __future__ import annotations

import json

import pytest

import archdsl
from archdsl.analyses.diff import Change, difference
from archdsl.commands._run import main
from archdsl.driver import SHIPPED
from archdsl.graph import Graph

BASE = """backbone net(classes = 10):
    input 3 x 32 x 32
    stem: cna(16, 3)
    stage c2: 3 * basic(32)
    stage c3 / 2: cna(64, 3) -> osa(3, cna(16, 3), 64)
    head: global_avgpool -> flatten -> linear(classes)
"""


def compiled(text: str) -> Graph:
    """A network from its text."""
    return archdsl.compile(archdsl.loads(text, "net.arch"))


def changes(old: str, new: str) -> tuple[Change, ...]:
    """The changes when a part of the text is replaced."""
    assert old in BASE
    before, after = compiled(BASE), compiled(BASE.replace(old, new))
    found = difference(before, after).changes
    assert sum(change.params for change in found) == after.root.totals.params - before.root.totals.params
    assert sum(change.macs for change in found) == after.root.totals.macs - before.root.totals.macs
    return found


def brief(found: tuple[Change, ...]) -> list[str]:
    """Changes without their costs."""
    return [" ".join(filter(None, [each.kind, each.path, each.name, *each.details])) for each in found]


CASES = {
    ("3 * basic(32)", "5 * basic(32)"): ["added c2.3-4 2 basic out = 32 shortcut = project"],
    ("3 * basic(32)", "2 * basic(32)"): ["removed c2.2 basic out = 32 shortcut = project"],
    ("linear(classes)", "linear(7)"): ["altered head.linear linear out = 10 -> 7"],
    ("osa(3,", "osa(4,"): ["altered c3.osa osa layers = 3 -> 4"],
    (", 64)\n", ", 64, ese)\n"): ["altered c3.osa osa attention = identity -> ese"],
    ("flatten -> linear", "flatten -> dropout(0.1) -> linear"): ["added head.dropout dropout"],
    ("    stage c3 / 2: cna(64, 3) -> osa(3, cna(16, 3), 64)\n", ""): [
        "removed c3 c3",
        "altered head head input 64x16x16 -> 32x32x32",
    ],
    ("net(", "other("): [],
}


@pytest.mark.parametrize("pair", list(CASES))
def test_changes(pair: tuple[str, str]) -> None:
    assert brief(changes(*pair)) == CASES[pair]


def test_a_policy_changes_what_it_reaches() -> None:
    found = changes("    stem", "    act = silu\n    stem")
    assert {change.name for change in found} == {"silu"}
    assert all(change.details == ("relu -> silu",) and change.params == change.macs == 0 for change in found)
    assert [change.path for change in found] == [
        "stem.cna.act",
        "c2.0.body.cna.act",
        "c2.0.act",
        "c2.1-2.body.cna.act",
        "c2.1-2.act",
        "c3.cna.act",
        "c3.osa.layer.0.act",
        "c3.osa.layer.1-2.act",
        "c3.osa.cna.act",
    ]


def test_another_input_changes_sections_as_wholes() -> None:
    found = changes("3 x 32 x 32", "3 x 64 x 64")
    assert brief(found)[0] == "altered input 3x32x32 -> 3x64x64"
    assert [change.path for change in found[1:]] == ["stem", "c2", "c3"]


def test_training_only_parts_cost_parameters_alone() -> None:
    aux = "    output aux if training: c2 -> conv(8)\n    head"
    (change,) = changes("    head", aux)
    assert (change.kind, change.path, change.params, change.macs) == ("added", "aux", 32 * 8, 0)


@pytest.mark.parametrize(
    "other", ["resnet101", "resnext50", "resnet50_v1a", "cspresnet50", "densenet121", "googlenet_aux"]
)
def test_costs_sum_up(other: str) -> None:
    before, after = archdsl.compile("resnet50"), archdsl.compile(other)
    found = difference(before, after).changes
    assert sum(change.params for change in found) == after.root.totals.params - before.root.totals.params
    assert sum(change.macs for change in found) == after.root.totals.macs - before.root.totals.macs


def test_resnet101_is_seventeen_blocks_more() -> None:
    (change,) = difference(archdsl.compile("resnet50"), archdsl.compile("resnet101")).changes
    assert (change.kind, change.path, change.name) == ("added", "c4.6-22", "17 bottleneck")


def test_a_network_equals_itself() -> None:
    for name in SHIPPED.specs()[::9]:
        assert difference(archdsl.compile(name), archdsl.compile(name)).changes == ()


def test_long_rows_take_no_longer() -> None:
    found = changes("3 * basic(32)", "100000 * basic(32)")
    assert brief(found) == ["added c2.3-99999 99997 basic out = 32 shortcut = project"]


@pytest.mark.parametrize("form", ["text", "markdown", "json"])
def test_formats(form: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["diff", "resnet50", "resnet101", "--format", form]) == 0
    out = capsys.readouterr().out
    if form == "json":
        data = json.loads(out)
        assert data["after"]["params"] - data["before"]["params"] == data["changes"][0]["params"] == 18_992_128
    else:
        assert "+18,992,128" in out
        assert "17 bottleneck" in out


def test_none(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["diff", "resnet50", "resnet50"]) == 0
    assert "the same network" in capsys.readouterr().out


def test_parameters_are_of_the_second(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["diff", "resnet50", "resnet50", "-p", "classes=10"]) == 0
    assert "out = 1000 -> 10" in capsys.readouterr().out
