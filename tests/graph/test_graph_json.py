"""A graph as JSON and back: the same text, the same totals and steps; and nothing that is wrong gets in."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archdsl import driver
from archdsl.backends.json import from_json, to_json
from archdsl.diagnostics import ArchError
from archdsl.graph import Graph, distinct, verify
from archdsl.ops import vocabulary
from tests.graph.nets import net
from tests.working import bounded

TEXT = to_json(net())


def read(text: str) -> Graph:
    return from_json(text, vocabulary())


def test_there_and_back_is_the_same_text() -> None:
    assert to_json(read(TEXT)) == TEXT
    assert to_json(net()) == TEXT


def test_there_and_back_is_the_same_graph() -> None:
    graph, again = net(), read(TEXT)
    verify(again)
    assert again.root.totals == graph.root.totals
    assert [part._replace(span=None) for part in graph.sections] == list(again.sections)
    assert graph.maps == again.maps
    pairs = list(zip(distinct(graph.root), distinct(again.root), strict=True))
    number = {id(scope): at for pair in enumerate(pairs) for at, scope in [(pair[0], each) for each in pair[1]]}
    for one, other in pairs:
        facts = ("kind", "name", "inputs", "output", "totals", "op", "doc", "arguments", "result", "names", "owner")
        assert [getattr(one, fact) for fact in facts] == [getattr(other, fact) for fact in facts]
        assert [plain(step, number) for step in one.steps] == [plain(step, number) for step in other.steps]
        children = [[child._replace(runs=()) for child in each.children] for each in (one, other)]
        assert children[0] == children[1]


def plain(step: Any, number: dict[int, int]) -> Any:
    """A step with its scope by number."""
    return step._replace(scope=step.scope and number[id(step.scope)])


@pytest.mark.parametrize("name", driver.SHIPPED.specs())
def test_shipped_networks_there_and_back(name: str) -> None:
    text = to_json(driver.compile(name))
    assert to_json(read(text)) == text


def test_size_and_time_grow_with_what_is_different() -> None:
    sizes = []
    for count in (10, 100_000):
        text = f"backbone net:\n    input 8 x 32 x 32\n    net: {count} * (conv(8, 3) -> norm -> act)\n"
        with bounded(100_000):
            form = to_json(driver.compile(driver.loads(text)))
            read(form)
        sizes.append(len(form))
    assert sizes[1] < sizes[0] + 100


def test_a_line_for_each_scope() -> None:
    lines = TEXT.splitlines()
    assert sum(line.startswith('{"kind"') for line in lines) == len(list(distinct(net().root)))
    assert json.loads(TEXT)["version"] == 1


# ---- what does not get in


def change(*path: Any, to: Any = None, drop: bool = False) -> Callable[[Any], None]:
    """Changes a place of the JSON, or takes it out."""

    def work(form: Any) -> None:
        for key in path[:-1]:
            form = form[key]
        if drop:
            del form[path[-1]]
        else:
            form[path[-1]] = to

    return work


def at_op(name: str) -> int:
    """The number of the first op of a name."""
    return next(at for at, scope in enumerate(json.loads(TEXT)["scopes"]) if scope.get("op") == name)


CONV, SPLIT, AFFINE = at_op("conv"), at_op("split"), at_op("affine")
LAST = len(json.loads(TEXT)["scopes"]) - 1
STEM = next(at for at, scope in enumerate(json.loads(TEXT)["scopes"]) if scope["name"] == "stem")

WRONG: list[tuple[Callable[[Any], None], str]] = [
    (change("version", to=2), "version: version 2; this archdsl reads version 1"),
    (change("version", to="1"), "version: an int is needed here"),
    (change("format", to="something"), "format: this is not the JSON of a graph"),
    (change("format", drop=True), "format: this is not the JSON of a graph"),
    (change("name", drop=True), "name: this is missing"),
    (change("name", to="import os"), "name: a name is needed here"),
    (change("doc", to=3), "doc: a text is needed here"),
    (change("input", to=[3, 0, 32]), "input: a shape is needed here"),
    (change("input", to=[3, True, 32]), "input[1]: an int from 0 is needed here"),
    (change("input", to=[3, 64, 64]), "the graph does not hold together: the inputs of the root"),
    (change("scopes", to=[]), "scopes: there are none"),
    (change("scopes", to={}), "scopes: a list is needed here"),
    (change("scopes", CONV, to=7), f"scopes[{CONV}]: an object is needed here"),
    (change("scopes", CONV, "op", to="convolution"), f"scopes[{CONV}].op: no op is called 'convolution'"),
    (change("scopes", CONV, "op", to=["conv"]), f"scopes[{CONV}].op: a text is needed here"),
    (change("scopes", CONV, "kind", to="opp"), f"scopes[{CONV}].kind: one of op, chain, block, network is needed here"),
    (change("scopes", CONV, "params", drop=True), f"scopes[{CONV}].params: this is missing"),
    (change("scopes", CONV, "params", "out", drop=True), f"scopes[{CONV}].params.out: this is missing"),
    (change("scopes", CONV, "params", "outs", to=3), f"scopes[{CONV}].params: there is no field 'outs'"),
    (change("scopes", CONV, "params", "out", to=8.0), f"scopes[{CONV}].params.out: 8.0 is not an int"),
    (change("scopes", CONV, "params", "out", to=True), f"scopes[{CONV}].params.out: True is not an int"),
    (change("scopes", CONV, "params", "out", to=0), f"scopes[{CONV}].params.out: 0 is out of range"),
    (change("scopes", CONV, "params", "out", to=10**30), f"scopes[{CONV}].params.out: this number is too large"),
    (change("scopes", CONV, "params", "out", to=None), f"scopes[{CONV}].params.out: None is not an int"),
    (change("scopes", CONV, "params", "out", to=9), "does not hold together: net.stem.conv: the output of `conv`"),
    (change("scopes", CONV, "params", "groups", to=2), "does not hold together: net.stem.conv: `conv` cannot take"),
    (change("scopes", CONV, "params", "kernel", to=[3]), f"scopes[{CONV}].params.kernel: (3,) is not a size"),
    (change("scopes", CONV, "params", "padding", to="full"), "params.padding: 'full' is not a padding"),
    (change("scopes", CONV, "params", "bias", to=1), "params.bias: 1 is not true or false"),
    (change("scopes", CONV, "params", "init", to="normal"), "params.init: 'normal' is not an initializer or none"),
    (
        change("scopes", CONV, "params", "init", to={"initializer": "os.system", "params": {}}),
        "params.init: no initializer is called 'os.system'",
    ),
    (change("scopes", CONV, "params", "init", "params", "mode", to="fan"), "params.mode: 'fan' is not `fan_in`"),
    (change("scopes", CONV, "params", "init", to={}), "params.init.initializer: this is missing"),
    (change("scopes", SPLIT, "params", "parts", "fraction", to=[1, 0]), "params.parts: a fraction by 0"),
    (change("scopes", SPLIT, "params", "parts", "fraction", to=[1]), "params.parts.fraction: a list of 2 is needed"),
    (change("scopes", SPLIT, "params", "parts", to=[4, 5]), "`split` cannot take (8, 15, 15)"),
    (change("scopes", AFFINE, "params", "weight", to=[1, "2"]), "params.weight: (1, '2') is not a list of numbers"),
    (change("scopes", STEM, "children", to=[]), "net.stem: there is no child `conv` to call"),
    (
        change("scopes", STEM, "children", 0, "name", to="a.b"),
        "children[0].name: a name that Python and PyTorch leave free",
    ),
    (change("scopes", STEM, "children", 0, "form", to="many"), "children[0].form: one of one, repeat, list"),
    (change("scopes", STEM, "children", 0, "runs", to=[[1]]), "children[0].runs[0]: a list of 2 is needed here"),
    (change("scopes", STEM, "children", 0, "runs", to=[[1, STEM]]), f"runs[0][1]: there is no scope {STEM} before"),
    (change("scopes", STEM, "children", 0, "runs", to=[[1, -1]]), "runs[0][1]: an int from 0 is needed here"),
    (change("scopes", STEM, "steps", 0, "kind", to="exec"), "steps[0].kind: one of call, repeat, collect, op, pick"),
    (change("scopes", STEM, "steps", 0, "inputs", to=[{"spread": "x"}]), "steps[0].inputs[0]: an int from 0"),
    (change("scopes", STEM, "steps", 0, "inputs", to=[[{"spread": "x"}]]), "inputs[0][0].spread: an int from 0"),
    (change("scopes", STEM, "steps", 0, "inputs", to=[[0, {"spread": 0}]]), "net.stem: "),
    (change("scopes", STEM, "steps", 0, "name", to="a b"), "steps[0].name: a name, or an empty text,"),
    (change("scopes", STEM, "steps", 0, "lambda", to=1), "steps[0]: there is no field 'lambda'"),
    (change("scopes", STEM, "result", to={}), f"scopes[{STEM}].result: an int from 0 is needed here"),
    (change("scopes", STEM, "totals", "macs", to=-1), "totals.macs: an int from 0 is needed here"),
    (change("scopes", STEM, "totals", "macs", to=1), "the graph does not hold together: net.stem: the totals"),
    (change("scopes", STEM, "arguments", to=[[]]), f"scopes[{STEM}].arguments[0]: "),
    (change("sections", 0, "kind", to="part"), "sections[0].kind: one of section, stage, output is needed here"),
    (change("sections", 0, "name", to="a.b"), "sections[0].name: a name is needed here"),
    (change("maps", 0, "shape", to=[1]), "the graph does not hold together"),
    (change("inits", to=[["a"]]), "inits[0]: a list of 2 is needed here"),
]


@pytest.mark.parametrize(("work", "said"), WRONG, ids=lambda each: each if isinstance(each, str) else "")
def test_what_is_wrong_does_not_get_in(work: Callable[[Any], None], said: str) -> None:
    form = json.loads(TEXT)
    work(form)
    with pytest.raises(ArchError) as caught:
        read(json.dumps(form))
    assert said in caught.value.diagnostics[0].label


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "3", "null", '{"format": 1}', "[" * 100_000, '{"format": ' + "[" * 900 + "]" * 900 + "}", "NaN",
     "9" * 10_000, '{"format": "archdsl graph", "version": 1e999}', "\x00", '"\\ud800"'],
)  # fmt: skip
def test_what_is_no_graph_at_all_is_refused(text: str) -> None:
    with pytest.raises(ArchError):
        read(text)


def test_numbers_that_are_none_are_refused() -> None:
    for number in ("NaN", "Infinity", "1e999"):
        with pytest.raises(ArchError):
            read(TEXT.replace('"slope": 0.1', f'"slope": {number}'))


def test_a_row_of_very_many_takes_no_time() -> None:
    form = json.loads(TEXT)
    for scope in form["scopes"]:
        for child in scope.get("children", ()):
            child["runs"] = [[10**15, number] for _, number in child["runs"]]
    with bounded(100_000), pytest.raises(ArchError):
        read(json.dumps(form))


def test_an_argument_has_a_value() -> None:
    form = json.loads(TEXT)
    scope = next(scope for scope in form["scopes"] if scope.get("arguments"))
    for wrong in (["n"], [], ["n", 1, 2, 3], 5, "n", {"n": 1, "m": 2}, None):
        scope["arguments"][0] = wrong
        with pytest.raises(ArchError, match="a name, a value, and perhaps a default"):
            read(json.dumps(form))


@pytest.mark.parametrize("name", ["class", "forward", "__class__", "__dict__", "children", "import", "training"])
def test_a_child_has_a_name_that_a_module_can_have(name: str) -> None:
    form = json.loads(TEXT)
    scope = form["scopes"][STEM]
    old = scope["children"][0]["name"]
    scope["children"][0]["name"] = name
    for step in scope["steps"]:
        if step["target"] == old:
            step["target"] = name
    with pytest.raises(ArchError, match="a name that Python and PyTorch leave free is needed here"):
        read(json.dumps(form))


FORM = json.loads(TEXT)
ODD = st.sampled_from([None, True, -1, 0, 1, 3, 10**6, 10**15, 0.5, "", "x", "conv", [], [1], [[1]], {}, {"spread": 0}])


@settings(max_examples=60)
@given(data=st.data())
def test_whatever_is_changed_is_read_or_refused(data: st.DataObject) -> None:
    form = copy.deepcopy(FORM)
    for _ in range(data.draw(st.integers(1, 3))):
        place = form
        while True:
            keys = list(place) if isinstance(place, dict) else list(range(len(place)))
            if not keys:
                break
            key = data.draw(st.sampled_from(keys))
            if data.draw(st.integers(0, 9)) == 0:
                del place[key]
                break
            if not isinstance(place[key], dict | list) or data.draw(st.booleans()):
                place[key] = copy.deepcopy(data.draw(ODD))
                break
            place = place[key]
    try:
        verify(read(json.dumps(form)))
    except ArchError as error:
        str(error)
