"""`verify` lets what holds together pass, and finds each thing that is planted."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from archdsl import driver
from archdsl.graph import Graph, Scope, Totals, verify
from archdsl.graph.verify import InvalidGraph
from tests.graph.nets import at, changed, net
from tests.working import bounded

Change = Callable[[Scope], Scope]


def test_what_the_language_makes_holds_together() -> None:
    verify(net())


@pytest.mark.parametrize("name", driver.SHIPPED.specs())
def test_shipped_networks_hold_together(name: str) -> None:
    verify(driver.compile(name))


# ---- planted in a scope: where, what, and what is said of it


def step(at: int, **fields: object) -> Change:
    """Changes a step."""
    return lambda scope: scope.replace(
        steps=(*scope.steps[:at], scope.steps[at]._replace(**fields), *scope.steps[at:][1:])
    )


def child(at: int, **fields: object) -> Change:
    """Changes a child."""
    return lambda scope: scope.replace(
        children=(*scope.children[:at], scope.children[at]._replace(**fields), *scope.children[at:][1:])
    )


def totals(**fields: int) -> Change:
    """Changes what a scope says that it counts for."""
    return lambda scope: scope.replace(totals=scope.totals._replace(**fields))


def without_child(at: int) -> Change:
    return lambda scope: scope.replace(children=scope.children[:at] + scope.children[at + 1 :])


def without_step(at: int) -> Change:
    return lambda scope: scope.replace(steps=scope.steps[:at] + scope.steps[at + 1 :])


def swapped(one: int, other: int) -> Change:
    """Two steps in each other's place."""

    def change(scope: Scope) -> Scope:
        steps = list(scope.steps)
        steps[one], steps[other] = steps[other], steps[one]
        return scope.replace(steps=tuple(steps))

    return change


def counted(at: int, *counts: int) -> Change:
    """Other numbers of modules in a row."""

    def change(scope: Scope) -> Scope:
        runs = tuple(run._replace(count=count) for run, count in zip(scope.children[at].runs, counts, strict=False))
        return child(at, runs=runs)(scope)

    return change


PLANTED: list[tuple[str, Change, str]] = [
    # ops
    ("stem.conv", lambda scope: scope.replace(output=(8, 32, 32)), "the output of `conv` is (8, 32, 32)"),
    ("stem.conv", lambda scope: scope.replace(inputs=((4, 32, 32),)), "the totals of `conv`"),
    ("stem.conv", lambda scope: scope.replace(inputs=((3, 2, 2),)), "`conv` cannot take (3, 2, 2)"),
    ("stem.conv", lambda scope: scope.replace(inputs=(((3, 32, 32),),)), "what reaches `conv` is list"),
    ("stem.conv", lambda scope: scope.replace(op=None), "an op is a scope with one input"),
    ("stem.conv", lambda scope: scope.replace(op=scope.op and scope.op.replace(out=9)), "the output of `conv`"),
    ("stem.conv", lambda scope: scope.replace(op=scope.op and scope.op.replace(bias=True)), "the totals of `conv`"),
    ("stem.conv", totals(macs=1), "the totals of `conv`"),
    ("stem.norm", totals(n_norm=0), "the totals of `bn`"),
    ("stem.norm", totals(buffers=17), "the totals of `bn`"),
    # totals
    ("stem", totals(params=1), "net.stem: the totals"),
    ("stem", totals(activations=0), "net.stem: the totals"),
    ("", totals(ops=0), "net: the totals"),
    ("", totals(params=0), "net: the totals"),
    ("c3.twice", totals(n_conv=2), "net.c3.twice: the totals"),
    # children
    ("stem", child(0, name="act"), "two children have one name among act, act, norm"),
    ("stem", child(0, name="a.b"), "'a.b' is no name of a child"),
    ("stem", child(0, name=""), "'' is no name of a child"),
    ("stem", child(0, form="repeat"), "the child `conv` is a `repeat`, and the call names none of its modules"),
    ("stem", without_child(0), "there is no child `conv` to call"),
    ("stem", child(1, runs=()), "the child `norm` has no modules"),
    ("stem", counted(1, 2), "the child `norm` is one module, not 2"),
    ("c1", counted(1, 0), "the child `` has no modules"),
    ("c1", counted(1, 2), "net.c1: the totals"),
    ("c2.mixed", counted(0, 1, 1), "the number of tensors that the row `layer` gives is 3, but should be 1"),
    ("c2.wave", counted(0, 1), "the list `conv` has 1 modules, no 1"),
    # steps
    ("stem", swapped(0, 1), "the number of a step's output is 2, but should be 1"),
    ("stem", without_step(2), "the value 3 is read before it is there"),
    ("stem", step(2, output=7), "the number of a step's output"),
    ("stem", step(2, inputs=(3,)), "the value 3 is read before it is there"),
    ("stem", step(1, inputs=(0,)), "what the module of `norm` takes"),
    ("stem", step(1, inputs=(1, 1)), "what the module of `norm` takes"),
    ("stem", step(1, shape=(8, 30, 31)), "what the step 2 gives"),
    ("stem", step(1, kind="jump"), "there are no steps of the kind 'jump'"),
    ("stem", step(1, target="conv"), "the call of `conv` is one of another module"),
    ("stem", step(1, scope=None), "needs a scope"),
    ("stem", step(1, index=0), "the index of the call of `norm` is 0"),
    ("c1", step(1, kind="collect"), "the child `` is a `repeat`, which is not there to collect"),
    ("c1", step(1, inputs=(0,)), "what reaches the row ``"),
    ("c1", step(1, shape=(8, 15, 16)), "what the row `` gives is (8, 15, 16)"),
    ("c2.mixed", step(0, inputs=(0, 0)), "a row takes one input, not 2"),
    ("c2.wave", step(1, index=2), "the list `conv` has 2 modules, no 2"),
    ("c2.wave", step(1, index=None), "the child `conv` is a `list`, and the call names none of its modules"),
    ("c2.wave", step(1, index=0), "the call of `conv` is one of another module"),
    ("c2.mixed", step(1, scope=None), "needs a scope"),
    # results
    ("stem", lambda scope: scope.replace(result=0), "net.stem: the output is (8, 30, 30), but should be (3, 32, 32)"),
    ("stem", lambda scope: scope.replace(result=(3,)), "net.stem: the output"),
    ("stem", lambda scope: scope.replace(output=(8, 1, 1)), "net.stem: the output"),
    ("stem", lambda scope: scope.replace(names=()), "the number of names of inputs"),
    ("", lambda scope: scope.replace(kind="chain"), "the kind of the root"),
]


@pytest.mark.parametrize(("path", "change", "said"), PLANTED, ids=lambda each: each if isinstance(each, str) else "")
def test_what_is_planted_in_a_scope_is_found(path: str, change: Change, said: str) -> None:
    with pytest.raises(InvalidGraph) as caught:
        verify(changed(net(), path, change))
    assert said in str(caught.value)


# ---- planted in the network's own facts


def section(at: int, **fields: object) -> Callable[[Graph], Graph]:
    """Changes a section."""
    return lambda graph: graph.replace(
        sections=(*graph.sections[:at], graph.sections[at]._replace(**fields), *graph.sections[at:][1:])
    )


def first_map(**fields: object) -> Callable[[Graph], Graph]:
    """Changes the first map."""
    return lambda graph: graph.replace(maps=(graph.maps[0]._replace(**fields), *graph.maps[1:]))


FACTS: list[tuple[Callable[[Graph], Graph], str]] = [
    (lambda graph: graph.replace(input=(3, 64, 64)), "the inputs of the root"),
    (lambda graph: graph.replace(name="other"), "the name of the root"),
    (lambda graph: graph.replace(sections=graph.sections[1:]), "one call for each section"),
    (section(0, name="c1"), "two sections have one name among"),
    (section(0, name="stem2"), "the child of the section `stem2` is stem"),
    (section(0, value=99), "which nothing makes"),
    (section(0, value=2), "the child of the section `stem`"),
    (section(0, shape=(8, 32, 32)), "the shape of the section `stem`"),
    (section(1, reduction=4), "the reduction of the section `c1` is 4"),
    (section(1, training_only=True), "net: the totals"),
    (section(5, training_only=True), "net: the totals"),
    (section(6, training_only=False), "net: the totals"),
    (section(4, kind="output"), "the result of the network"),
    (first_map(reduction=3), "the reduction of the map stem.conv"),
    (first_map(shape=(9, 30, 30)), "no step of `stem` gives a map of (9, 30, 30)"),
    (first_map(name="stemm.conv"), "there is no section `stemm`"),
]


@pytest.mark.parametrize(("change", "said"), FACTS)
def test_what_is_planted_in_the_network_is_found(change: Callable[[Graph], Graph], said: str) -> None:
    with pytest.raises(InvalidGraph) as caught:
        verify(change(net()))
    assert said in str(caught.value)


def test_one_child_called_on_two_sizes_has_the_same_weights_on_both() -> None:
    twice = at(net(), "c3.twice")
    first, second = (each.scope for each in twice.steps if each.target == "body")
    assert first is not None
    assert second is not None
    assert first is not second
    assert twice.totals.n_conv == 1
    biased = second.replace(op=second.op and second.op.replace(bias=True), totals=second.totals._replace(params=584))
    with pytest.raises(InvalidGraph, match="the call of `body` is one of another module"):
        verify(changed(net(), "c3.twice", step(3, scope=biased)))


def test_a_section_that_nothing_reads_is_found() -> None:
    graph = driver.compile(driver.loads("backbone net:\n    input 8 x 8 x 8\n    a: relu\n    b: relu\n    c: relu\n"))
    first, second, third = graph.root.steps
    passed = graph.replace(root=graph.root.replace(steps=(first, second, third._replace(inputs=(first.output,)))))
    with pytest.raises(InvalidGraph, match="inference has no need of the section `b`"):
        verify(passed)


def test_time_grows_with_what_is_different() -> None:
    text = "backbone net:\n    input 8 x 32 x 32\n    net: 1000 * (1000 * relu)\n"
    graph = driver.compile(driver.loads(text))
    with bounded(10_000):
        verify(graph)
    assert graph.root.totals == Totals(ops=1_000_000)


def test_time_is_linear_in_what_is_written() -> None:
    def calls(links: int) -> int:
        chain = " -> ".join(f"conv({8 + at % 9})" for at in range(links))
        graph = driver.compile(driver.loads(f"backbone net:\n    input 8 x 8 x 8\n    net: {chain}\n"))
        with bounded(10_000_000) as work:
            verify(graph)
        return work.calls

    assert calls(2000) < 6 * calls(400)
