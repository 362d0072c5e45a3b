"""Networks from Python's dicts: every form that YAML has, findings at their key paths, and the way back."""

from __future__ import annotations

import copy
import pickle
import re
from pathlib import Path
from typing import Any

import pydantic
import pytest
import yaml

import archdsl
from archdsl.diagnostics import ArchError, Diagnostic, Source
from archdsl.driver import validation
from archdsl.frontend import read
from tests.mistakes.case import Case, topics, unmarked

TOP = Path(__file__).parents[2]
NET: dict[str, Any] = {
    "name": "net",
    "doc": "A net.",
    "params": {"classes": 10},
    "input": [3, 64, 64],
    "set": {"act": "silu", "conv.bias": False, "bn.momentum": 0.2},
    "stem": "cna(32, 3, 2)",
    "stages": {"c2": "2 * basic(64)", "c3 / 2": {"repeat": 2, "block": "basic", "args": {"out": 128}}},
    "head": ["global_avgpool", "flatten", {"block": "linear", "args": ["classes"]}],
    "expect": {"c3": "128x16x16"},
}
FORMS = {
    "sections": {"name": "net", "input": "3x32x32", "sections": {"stem": "cna(8)", "stage c2 / 2": "cna(8)"}},
    "lists of lines": {
        "name": "net",
        "input": "3x32x32",
        "set": [{"act": "silu"}, {"conv.bias": True}],
        "stem": "cna(8)",
    },
    "definitions": {
        "archdsl": 1,
        "name": "net",
        "input": "3x32x32",
        "blocks": {"mine": {"args": "out, *, bias = true", "doc": "Mine.", "body": "y = x -> conv(out)\nreturn y"}},
        "functions": {"twice": {"args": "n", "body": "2 * n"}},
        "stem": "mine(twice(4))",
    },
    "a parent": {"name": "mine", "extends": "resnet18(classes = 10)", "stages": {"c5 / 2": "basic(512)"}},
    "a section left out": {"name": "mine", "extends": "resnet18", "head": "none", "drop": ["c5"]},
    "outputs": {
        "name": "net",
        "input": "3x32x32",
        "stem": "cna(8)",
        "outputs": {"p": "stem -> conv(4, 1)", "aux if training": "stem -> conv(2, 1)"},
    },
    "a setting around a block": {
        "name": "net",
        "input": "3x32x32",
        "stem": {"block": "cna(8)", "with": {"act": "mish"}, "as": "first", "repeat": 2},
    },
}


@pytest.mark.parametrize("spec", [NET, *FORMS.values()], ids=["all keys", *FORMS])
def test_a_dict_comes_back_from_all_that_is_written_of_it(spec: dict[str, Any]) -> None:
    network = archdsl.load(spec)
    figures = archdsl.cost(network).totals
    assert archdsl.Network(**spec) == network
    assert archdsl.load(network.model_dump()) == network
    for text, notation in ((network.to_yaml(), "yaml"), (network.to_arch(), "arch")):
        (backbone,) = read(Source(f"net.{notation}", text)).backbones
        assert backbone.sections == network.sections
        assert archdsl.cost(archdsl.loads(text)).totals == figures
    assert archdsl.cost(spec).totals == figures


@pytest.mark.parametrize("path", sorted((TOP / "specs").glob("*.yaml"))[::9], ids=lambda path: path.stem)
def test_a_shipped_spec_as_a_dict_is_the_same_network(path: Path) -> None:
    for loader in (yaml.BaseLoader, yaml.SafeLoader):
        network = archdsl.load(yaml.load(path.read_text("utf-8"), Loader=loader))
        assert network == archdsl.load(path.stem)
        assert archdsl.load(network.model_dump()) == network


class Training(pydantic.BaseModel):
    """A model of a user's."""

    network: archdsl.Network
    rate: float = 0.1


@pytest.mark.parametrize("spec", [NET, *FORMS.values()], ids=["all keys", *FORMS])
def test_a_network_in_another_model_round_trips_through_json(spec: dict[str, Any]) -> None:
    training = Training.model_validate({"network": spec})
    again = Training.model_validate_json(training.model_dump_json())
    assert again == training
    assert again.network.sections == archdsl.load(spec).sections
    assert Training.model_validate(training.model_dump()) == training
    assert Training.model_json_schema()["properties"]["network"]


def test_what_is_wrong_in_another_model_is_said_as_archdsl_says_it() -> None:
    with pytest.raises(pydantic.ValidationError) as caught:
        Training.model_validate({"network": NET | {"stem": "cna(32, 3", "inputs": 3}})
    (error,) = caught.value.errors()
    assert error["loc"] == ("network",)
    assert error["type"] == "E004"
    assert "--> stem:1:10" in error["msg"]
    assert "--> inputs:1:1" in error["msg"]


def test_networks_are_values() -> None:
    network = archdsl.load(NET)
    assert pickle.loads(pickle.dumps(network)) == network
    assert copy.deepcopy(network) == network
    assert hash(network) == hash(archdsl.load(copy.deepcopy(NET)))
    assert network != archdsl.load(NET | {"stem": "cna(16, 3, 2)"})
    with pytest.raises(pydantic.ValidationError):
        network.name = "other"


def test_dicts_are_taken_wherever_a_spec_is() -> None:
    assert archdsl.validate(NET) == []
    assert archdsl.compile(NET, params={"classes": 3}).input == (3, 64, 64)
    assert archdsl.cost_many([NET, archdsl.load(NET)])[0] == archdsl.cost_many([NET])[0]
    assert archdsl.cost_many([{"classes": 3}], of=NET)[0].params < archdsl.cost(NET).totals.params
    assert "class Net(nn.Module)" in archdsl.emit(NET)


# ---- imports


FAMILY = """
block reduce(out) = cna(out, 3, 2)

backbone base(width = 64) extends resnet18(classes = 3):
    act = silu
    stem: cna(width)
    stage c6 / 2: reduce(width)

backbone mid extends base(width = 16):
    act = mish
    c5: none
    stage c7 / 2: reduce(width)
    output p2: c2

backbone small extends mid(classes = 5):
    c6: none
    p2: none
    stage c4 / 2: reduce(4)

backbone tiny extends small(width = 8):
    \"""A doc.\"""
    input 3 x 64 x 64
    stage c5 / 2: reduce(5)
    extra: act
"""


@pytest.mark.parametrize("name", ["base", "mid", "small", "tiny"])
def test_a_network_is_written_with_the_lines_of_its_parents_in_its_file(name: str, tmp_path: Path) -> None:
    path = tmp_path / "family.arch"
    path.write_text(FAMILY, "utf-8")
    network = archdsl.load(f"{path}:{name}")
    for again in (
        archdsl.load(network.model_dump()),
        archdsl.loads(network.to_arch()),
        archdsl.loads(network.to_yaml()),
    ):
        assert (again.name, again.doc, again.extends and again.extends.parent) == (name, network.doc, "resnet18")
        figures, expected = archdsl.cost(again), archdsl.cost(network)
        assert [(row.section.name, row.section.shape, row.totals) for row in figures.rows] == [
            (row.section.name, row.section.shape, row.totals) for row in expected.rows
        ]
        assert (figures.maps, figures.doc) == (expected.maps, expected.doc)


def test_imports_of_a_dict_are_relative_to_base(tmp_path: Path) -> None:
    (tmp_path / "mine.arch").write_text("block mine(out) = cna(out)\n", "utf-8")
    spec = {"name": "net", "input": "3x32x32", "import": "mine.arch", "stem": "mine(8)"}
    assert archdsl.load(spec, base=tmp_path).scope.imports
    assert archdsl.validate(spec, base=tmp_path) == []
    (finding,) = archdsl.validate(spec)
    assert (finding.code, str(finding.span)) == ("E502", "import:1:1")
    network = archdsl.load(spec, base=tmp_path)
    assert archdsl.load(archdsl.Network(**network.model_dump()), base=tmp_path) == network
    (finding,) = archdsl.validate(spec | {"import": "../mine.arch"}, base=tmp_path)
    assert finding.code == "E502"


# ---- mistakes


def as_dict(case: Case) -> Any:
    """A mistake as a dict, where YAML takes it for one."""
    try:
        return yaml.load(unmarked(case.text), Loader=yaml.BaseLoader)
    except (yaml.YAMLError, RecursionError):
        return None


MISTAKES = [mistake for topic in topics().values() for mistake in topic]
FIRST = [each for each in MISTAKES if each.title != "a typo in a keyword"][:9]
CASES = [case for mistake in FIRST for case in mistake.cases if case.notation == "yaml"]
ALIKE = [
    case
    for mistake in MISTAKES
    for case in mistake.cases
    if case.notation == "yaml" and case.topic[0] in "1234" and not case.others and isinstance(as_dict(case), dict)
]


def of_key_path(spec: Any, finding: Diagnostic) -> str:
    """The text at the key path that a finding names, and the part of it that is marked."""
    assert finding.span is not None
    found: Any = spec
    left = finding.span.source.name
    while left and isinstance(found, dict | list):
        if isinstance(found, list):
            number, left = re.match(r"\[(\d+)\]\.?(.*)", left).groups()  # type: ignore[union-attr]
            found = found[int(number)]
            continue
        key = next(key for key in sorted(found, key=len, reverse=True) if left.startswith(key))
        left = left[len(key) :].removeprefix(".")
        found = key if finding.span.source.text == key else found[key]
    assert finding.span.source.text in (found, "")
    return finding.span.text


def test_there_are_nine() -> None:
    assert len(CASES) == 9


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.title)
def test_the_first_mistakes_are_found_at_their_key_paths(case: Case) -> None:
    spec = as_dict(case)
    findings = archdsl.validate(spec)
    assert sorted(of_key_path(spec, each) for each in findings) == sorted(re.findall("«(.*?)»", case.text))
    assert all("^" in str(each) for each in findings)


@pytest.mark.parametrize("case", ALIKE, ids=lambda case: case.title)
def test_a_dict_has_the_findings_of_its_file(case: Case) -> None:
    in_file = validation.validate(Source("net.yaml", unmarked(case.text)), None)
    found = archdsl.validate(as_dict(case))
    assert {each.code for each in found} == {each.code for each in in_file}
    assert {each.label for each in found} >= {each.label for each in in_file}


# ---- data that means harm, or nothing

ENDLESS: list[Any] = []
ENDLESS.append(ENDLESS)
BOMB: list[Any] = ["a"]
for _ in range(30):
    BOMB = [BOMB, BOMB]

HOSTILE: dict[str, tuple[dict[Any, Any], str]] = {
    "itself": ({"name": "net", "stem": ENDLESS}, "E402"),
    "doubled": ({"name": "net", "stem": BOMB}, "E404"),
    "long": ({"name": "net", "stem": ["a"] * 60_000}, "E404"),
    "brackets": ({"name": "net", "stem": "(" * 200_000}, "E402"),
    "an object": ({"name": "net", "stem": object()}, "E105"),
    "bytes": ({"name": b"net"}, "E105"),
    "half a character": ({"name": "net", "doc": "\ud800"}, "E004"),
    "a huge number": ({"name": "net", "input": [10**5000, 3, 3]}, "E105"),
    "a key": ({"name": "net", 3: 4}, "E004"),
    "no name": ({"stem": "cna(3)"}, "E004"),
    "nothing": ({}, "E308"),
    "several": ({"backbones": {"a": None, "b": None}}, "E103"),
    "unknown keys": ({"name": "net", **{f"key{i}": 1 for i in range(20_000)}}, "E004"),
    "wrong stages": ({"name": "net", "stages": {f"c{i}": ")" for i in range(20_000)}}, "E001"),
}


@pytest.mark.parametrize(("spec", "code"), HOSTILE.values(), ids=HOSTILE)
def test_what_is_no_network_is_refused(spec: dict[Any, Any], code: str) -> None:
    findings = archdsl.validate(spec)
    assert 0 < len(findings) <= 100
    assert {each.code for each in findings} == {code}
    with pytest.raises(ArchError):
        archdsl.load(spec)
