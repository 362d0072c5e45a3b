"""Ops of installed packages: under their prefix, by entry points of the group `archdsl.ops`, and nothing else."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Iterator

import pytest

from archdsl import driver, ops
from archdsl.diagnostics import ArchError
from archdsl.elaborate.operators import FUNCTIONS
from archdsl.graph import Graph
from archdsl.op import Op, Shape, Spelling, param
from archdsl.syntax.scopes import FUNCTION_NAMES
from tests.lang.shown import flow, modules

HEAD = "backbone net:\n    input 3 x 32 x 32\n"


class AcmeSwish(Op):
    """A gate of its own. Example: acme.swish(2)."""

    name = ""
    torch = Spelling(function="{x} * torch.sigmoid({beta} * {x})")
    beta: float = param(1.0)

    def output(self, x: Shape) -> Shape:
        return x


class Entry:
    """An entry point that gives the ops of a package."""

    def load(self) -> list[type[Op]]:
        return [AcmeSwish]


@pytest.fixture(autouse=True)
def acme(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A package that provides ops as `acme`; it is asked for when a text names it."""

    def entry_points(group: str, name: str) -> list[Entry]:
        assert group == "archdsl.ops"
        return [Entry()] if name == "acme" else []

    monkeypatch.setattr(AcmeSwish, "name", "swish")
    monkeypatch.setattr(importlib.metadata, "entry_points", entry_points)
    ops.installed.cache_clear()
    yield
    ops.installed.cache_clear()


def compiled(text: str) -> Graph:
    return driver.compile(driver.loads(HEAD + text))


def test_an_op_of_a_package() -> None:
    graph = compiled("    stem: conv(8) -> acme.swish(2) -> acme.swish -> 2 * acme.swish()\n")
    assert flow(graph) == [
        "1 = conv(out=8) 0",
        "2 = swish(beta=2) 1",
        "3 = swish 2",
        "4 = swish 3",
        "5 = swish 4",
    ]
    assert modules(graph) == ["stem.conv", "stem.swish", "stem.swish2", "stem.0", "stem.1"]


def test_as_a_policy_and_with_settings() -> None:
    graph = compiled("    act = acme.swish\n    acme.swish.beta = 3\n    stem: cna(8)\n")
    assert flow(graph)[-1] == "3 = swish(beta=3) 2"


def test_as_an_argument() -> None:
    assert flow(compiled("    stem: osa(1, conv(8), 8, acme.swish(2))\n"))[-1] == "7 = swish(beta=2) 6"


@pytest.mark.parametrize(
    ("text", "code", "label"),
    [
        ("acme.swoosh", "E101", "nothing here is called `acme.swoosh`"),
        ("acme.swish(gamma = 3)", "E102", "`swish` has no parameter `gamma`"),
        ("swish", "E101", "nothing here is called `swish`"),
        ("acme", "E101", "nothing here is called `acme`"),
        ("acme.swish.beta", "E110", "the block `swish` has no shape of its own"),
        ("acme.swish.swish", "E110", "the block `swish` has no shape of its own"),
        ("os.system", "E101", "nothing here is called `os.system`"),
        ("__import__.os", "E101", "nothing here is called `__import__.os`"),
    ],
)
def test_what_there_is_not(text: str, code: str, label: str) -> None:
    with pytest.raises(ArchError) as caught:
        compiled(f"    stem: {text}\n")
    (finding,) = caught.value.diagnostics
    assert (finding.code, finding.label) == (code, label)


def test_a_name_of_ones_own_hides_a_prefix() -> None:
    with pytest.raises(ArchError) as caught:
        compiled("    acme = 3\n    stem: acme.swish\n")
    assert caught.value.diagnostics[0].label == "3 has no shape of its own"


def test_names_know_every_function() -> None:
    assert tuple(FUNCTIONS) == FUNCTION_NAMES
