"""Candidates of one spec, worked out together, come to exactly what each comes to alone: figures or findings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from math import ceil, floor
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from spaces import SPACES

import archdsl
from archdsl import ArchError
from archdsl.analyses.batch import Chunk, Costed, evaluate_one, load_of
from archdsl.analyses.families.candidates import of_rows
from archdsl.analyses.families.costs import Family, FamilyCosts
from archdsl.analyses.families.lane import ANSWERS, Algebra, Lane, Tape
from archdsl.analyses.families.rows import Domain, Form, Rows, Table
from archdsl.analyses.figures import FIGURES
from archdsl.driver import memory
from archdsl.elaborate.numbers import ARITHMETIC, half_up, whole
from archdsl.many import candidate, family_of

SUMMED = tuple(name for name, figure in FIGURES.items() if figure.summed)
ASKED = Chunk(candidate, memory, (), SUMMED, load_of(4, "fp16", "v100"))


def family(text: str) -> Family:
    """The engine of a spec, asked for all figures that it has."""
    found = family_of(archdsl.loads(text, "space.arch"), ASKED)
    assert found is not None
    return found


def said(result: Costed) -> tuple[Any, ...]:
    """A result, as it is compared: figures, or the findings in words."""
    return result.name, result.figures, str(result.error) if result.error else ""


def check(asked: Family, candidates: Sequence[Any]) -> FamilyCosts:
    """Compare all results, figures and findings, with those of each candidate alone."""
    together = asked.costs(of_rows(candidates))
    alone = [evaluate_one(ASKED, asked.spec, each, None) for each in candidates]
    # First, as findings of a result are worked out when it is asked for, and would hide a wrong verdict.
    assert together.valid.tolist() == [each.error is None for each in alone]
    assert [said(each) for each in together] == [said(each) for each in alone]
    return together


# ---- spaces


@pytest.mark.parametrize("name", SPACES)
def test_a_space_comes_to_what_its_candidates_come_to(name: str) -> None:
    space, random = SPACES[name], Random(name)
    asked = family(space.text)
    found = check(asked, [space.draw(random) for _ in range(24)])
    assert np.count_nonzero(found.valid) >= 3
    assert asked.alone == 0 or name == "huge"
    # Later candidates follow the leaders of earlier ones.
    before = asked.engine.traced
    check(asked, [space.draw(random) for _ in range(8)])
    assert asked.engine.traced - before < before


SHIPPED = {
    "csp_vovnet39": {"classes": [1, 10, 1000, 0]},
    "densenet_bc100_k12_cifar10": {"classes": [1, 7, 100]},
    "googlenet_aux": {"classes": [1, 7, 100]},
    "peleenet": {"classes": [1, 7, 0]},
}


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_spec_comes_to_what_it_comes_to_alone(name: str) -> None:
    values = SHIPPED[name]["classes"]
    together = archdsl.cost_many([{"classes": value} for value in values * 2], of=name)
    alone = [archdsl.cost(name, params={"classes": value}).totals.params for value in values]
    assert [each.params for each in together] == alone * 2


# ---- what is asked for


SMALL = """backbone small(w = 8, n = 1, deep = false):
    input 3 x 8 x 8
    stem: n * cna(w)
    c1: conv(2 * w) if deep else identity
"""


def test_columns_and_rows_come_to_the_same() -> None:
    columns = {"w": np.arange(1, 31), "n": [1 + at % 3 for at in range(30)], "deep": np.arange(30) % 2 == 0}
    rows = [{"w": at + 1, "n": 1 + at % 3, "deep": at % 2 == 0} for at in range(30)]
    found = archdsl.cost_many(columns, of=archdsl.loads(SMALL))
    assert found == archdsl.cost_many(rows, of=archdsl.loads(SMALL))
    params = found.columns()["params"]
    assert params.dtype == np.int64
    assert params.tolist() == [each.params for each in found]


def test_wrong_candidates_are_masked_in_columns_and_have_their_findings_in_rows() -> None:
    found = archdsl.cost_many({"w": np.arange(-5, 5)}, of=archdsl.loads(SMALL))
    assert found.valid.tolist() == [False] * 6 + [True] * 4
    assert found.columns()["params"].tolist() == [None] * 6 + [5, 10, 15, 20]
    assert "`out` is -5; at least 1 is needed" in str(found[0].error)


@pytest.mark.parametrize(
    "values",
    [
        [
            3,
            True,
            2**70,
            -(2**70),
            None,
            "4",
            "2 * 3",
            "[",
            2.0,
            2.5,
            [3],
            [],
            [[]],
            {},
            object(),
            np.int32(7),
            float("nan"),
        ],
        [[[1]], [1], [[1], 2], (1,), "[1]", [True], [1.5], ["1"]],
    ],
)
def test_values_of_all_kinds(values: list[Any]) -> None:
    check(family(SMALL), [{"w": value} for value in values] + [{"n": value} for value in values])


def test_candidates_that_are_none() -> None:
    check(family(SMALL), [{}, {"w": 3}, None, 5, {3: 4}, {"v": 1}, {"w": 3, "v": 1}, "resnet18", {"w": 4}])


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"w": [1, 2], "n": [1]}, "columns of different lengths: `w` 2, `n` 1"),
        ({"w": 3}, "`3` is no column"),
        ({"w": "abc"}, "`abc` is no column"),
    ],
)
def test_columns_that_are_none(columns: Any, message: str) -> None:
    with pytest.raises(ArchError, match=message):
        archdsl.cost_many(columns, of=archdsl.loads(SMALL))


def test_time_needs_a_device() -> None:
    with pytest.raises(ArchError, match="`time` is of a device, and none is named"):
        archdsl.cost_many([{"w": 3}], of=archdsl.loads(SMALL), figures=["time"])


def test_a_space_is_worked_out_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [{"w": at % 40 - 3, "n": at % 3} for at in range(100)]
    whole_space = archdsl.cost_many(rows, of=archdsl.loads(SMALL))
    monkeypatch.setattr("archdsl.analyses.families.costs.CHUNK", 17)
    parts = archdsl.cost_many(rows, of=archdsl.loads(SMALL))
    assert [said(each) for each in parts] == [said(each) for each in whole_space]


def test_without_numpy_candidates_are_worked_out_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [{"w": at % 9} for at in range(20)]
    together = archdsl.cost_many(rows, of=archdsl.loads(SMALL))
    monkeypatch.setattr("archdsl.many.find_spec", lambda name: None)
    alone = archdsl.cost_many(rows, of=archdsl.loads(SMALL), processes=1)
    assert [said(each) for each in alone] == [said(each) for each in together]


def test_columns_need_numpy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("archdsl.many.find_spec", lambda name: None)
    with pytest.raises(ArchError, match="columns need numpy"):
        archdsl.cost_many({"w": [1, 2]}, of=archdsl.loads(SMALL))


STREAMS: dict[str, Any] = {
    "dicts": lambda: ({"w": at % 9, "n": 1} for at in range(100)),
    "columns": lambda: {"w": [at % 9 for at in range(100)], "n": np.ones(100, int)},
    "tables": lambda: ({"w": np.arange(start, start + 50) % 9, "n": np.ones(50, int)} for start in (0, 50)),
}


@pytest.mark.parametrize("form", STREAMS)
def test_a_stream_comes_to_what_the_whole_comes_to(form: str, capsys: pytest.CaptureFixture[str]) -> None:
    spec = archdsl.loads(SMALL)
    parts = [*archdsl.cost_stream(STREAMS[form](), of=spec, part=40, progress=True)]
    assert max(map(len, parts)) <= 40
    whole_space = archdsl.cost_many([{"w": at % 9, "n": 1} for at in range(100)], of=spec)
    assert [said(each) for part in parts for each in part] == [said(each) for each in whole_space]
    assert capsys.readouterr().err.count(" a second\n") == len(parts)


def test_a_stream_reads_no_more_than_it_needs() -> None:
    read: list[int] = []

    def candidates() -> Iterator[dict[str, int]]:
        for at in range(10**9):
            read.append(at)
            yield {"w": 1 + at % 5}

    stream = archdsl.cost_stream(candidates(), of=archdsl.loads(SMALL), part=10)
    assert next(stream).columns()["n_conv"].tolist() == [1] * 10
    next(stream)
    assert len(read) == 20


@pytest.mark.parametrize(
    ("settings", "message"),
    [({"candidates": 5}, "`5` are no candidates"), ({"part": 0}, "parts of 0"), ({"of": 5}, "`of` is of the type")],
)
def test_what_is_no_stream(settings: dict[str, Any], message: str) -> None:
    asked: dict[str, Any] = {"candidates": [{"w": 3}], "of": archdsl.loads(SMALL)} | settings
    with pytest.raises(ArchError, match=message):
        archdsl.cost_stream(**asked)


def test_a_question_without_an_answer_for_lanes_is_worked_out_alone() -> None:
    text = """backbone net(n = 4):
    input 3 x 8 x 8
    c = count([conv(n)], conv(4))
    c1: conv(c + 1)
"""
    asked = family(text)
    check(asked, [{"n": value} for value in range(1, 7)])
    assert asked.alone == 6


def test_a_line_near_a_limit_is_worked_out_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("archdsl.elaborate.budget.MOST_STEPS", 60)
    text = """backbone net(n = 4):
    input 3 x 8 x 8
    c1: conv(sum([i for i in range(n)]) + 1)
    c2: conv(sum([i for i in range(n)]) + 1)
"""
    asked = family(text)
    found = check(asked, [{"n": value} for value in range(1, 30)])
    assert 0 < asked.alone < 29
    assert not found.valid[-1]


# ---- lanes


def lanes(values: list[int]) -> tuple[Algebra, list[Lane], Tape]:
    """An algebra with an input for each value."""
    algebra = Algebra()
    inputs = [algebra.atom("input", at) for at in range(len(values))]
    algebra.tape = Tape(algebra, dict(enumerate(values)))
    return algebra, inputs, algebra.tape


LEAVES = st.one_of(st.sampled_from(["a", "b", "c"]), st.integers(-12, 12), st.fractions(-3, 3, max_denominator=4))
SIGNS = st.sampled_from([*ARITHMETIC, "floor", "ceil", "abs", "half_up", "whole", "min", "max"])
TERMS = st.recursive(LEAVES, lambda parts: st.tuples(SIGNS, parts, parts), max_leaves=8)
ONE = {"floor": floor, "ceil": ceil, "abs": abs, "half_up": half_up, "whole": whole}


def evaluate(term: Any, names: dict[str, Any]) -> Any:
    """The value of a term, or the class of what is wrong with it."""
    if isinstance(term, str):
        return names[term]
    if not isinstance(term, tuple):
        return term
    sign, *parts = term
    left, right = (evaluate(part, names) for part in parts)
    if isinstance(left, type) or isinstance(right, type) or left is None or right is None:
        return ValueError
    try:
        if sign in ONE:
            return ONE[sign](left)
        return {"min": min, "max": max}[sign](left, right) if sign in ("min", "max") else ARITHMETIC[sign](left, right)
    except (ArithmeticError, archdsl.diagnostics.UnlocatedError) as error:
        return type(error)


@settings(max_examples=150, deadline=None)
@given(TERMS, st.lists(st.tuples(*[st.integers(-9, 9)] * 3), min_size=1, max_size=12))
def test_arithmetic_on_lanes_is_that_of_numbers(term: Any, several: list[tuple[int, int, int]]) -> None:
    """All candidates that answer a leader's guards as it does come to what the leader's lanes say."""
    algebra, inputs, tape = lanes(list(several[0]))
    found = evaluate(term, dict(zip("abc", inputs, strict=True)))
    table = Table(algebra, len(several))
    for at, lane in enumerate(inputs):
        table.fill(lane, slice(None), np.array([each[at] for each in several]))
    rows = Rows(table, np.arange(len(several)))
    domain = Domain(rows)
    for guard in tape.guards:
        decided = domain.decide(guard)
        answers = np.broadcast_to(rows.answers(guard), len(rows))
        assert decided is None or all(answer == decided for answer in answers)
        rows = rows.part(rows.index[answers == guard.answer])
        domain = Domain(rows)
    assert 0 in rows.index
    top = found if isinstance(found, Lane | int) else getattr(found, "numerator", 0)
    values = np.broadcast_to(np.array(Form([top]).values(rows, domain)[0]), len(rows))
    bottom = 1 if isinstance(found, Lane | int) else getattr(found, "denominator", 1)
    for at, value in zip(rows.index, values, strict=True):
        plain = evaluate(term, dict(zip("abc", several[at], strict=True)))
        if found is None or isinstance(found, type):
            assert plain is found
        else:
            assert Fraction(int(value), bottom) == plain
            assert isinstance(plain, int) == isinstance(found, int | Lane)


def test_values_beyond_64_bits_are_exact() -> None:
    algebra, (a,), _ = lanes([5])
    table = Table(algebra, 3)
    table.fill(a, slice(None), np.array([3, 10**6, -(2**62)]))
    rows = Rows(table, np.arange(3))
    forms: list[Any] = Form([a**4, a * 2**60 + 1, 3]).values(rows, Domain(rows))
    exact = [3, 10**6, -(2**62)]
    assert [list(forms[0]), list(forms[1]), forms[2]] == [[v**4 for v in exact], [v * 2**60 + 1 for v in exact], 3]
    assert list(rows.value((a**3 + 7) // 11)) == [(v**3 + 7) // 11 for v in exact]


def test_floats_are_used_up_to_where_they_are_exact() -> None:
    algebra, (a,), _ = lanes([5])
    table = Table(algebra, 2)
    table.fill(a, slice(None), np.array([2**26, 2**26 - 1]))
    rows = Rows(table, np.arange(2))
    assert Form([a * a - 1]).kind(rows, Domain(rows)) is np.int64
    (found,) = Form([a * a - 1]).values(rows, Domain(rows))
    assert np.array(found).tolist() == [2**52 - 1, (2**26 - 1) ** 2 - 1]
    assert Form([a * 3]).kind(rows, Domain(rows)) is np.float64


def test_equal_polynomials_are_one_object() -> None:
    _, (a, b), tape = lanes([5, 7])
    assert (a + b) * (a + b) is a * a + 2 * a * b + b * b
    assert (4 * a + 2) // 2 is 2 * a + 1
    assert a % 2 // 1 is a % 2
    assert (6 * a + 3) % 4 is 2 * ((3 * a + 1) % 2) + 1
    assert tape.guards == []
    assert a * b // b is a
    assert [guard.question for guard in tape.guards] == ["zero"]


# ---- planted faults


def unnoted(tape: Tape, question: Any, lane: Lane) -> int:
    """The leader's answer, with no guard for it."""
    return ANSWERS[question](tape.value(lane))


FAULTS: dict[str, tuple[str, str, Any]] = {
    "a guard is not noted": ("stages", "archdsl.analyses.families.lane.Tape.ask", unnoted),
    "a remainder is wrong": ("groups", "archdsl.analyses.families.lane.Lane.__mod__", lambda lane, other: 0),
    "training counts": ("recursion", "archdsl.analyses.families.engine.WORK", frozenset[str]()),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_found(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    name, place, wrong = FAULTS[fault]
    random = Random(1)
    candidates = [SPACES[name].draw(random) for _ in range(24)]
    monkeypatch.setattr(place, wrong)
    with pytest.raises(AssertionError):
        check(family(SPACES[name].text), candidates)
