"""Texts that nobody meant: refused with findings, or networks that build, run and come to what was predicted.

The short version of `fuzz_specs.py`, and what hypothesis makes of the grammar and of YAML.
"""

from __future__ import annotations

import random
from typing import Any

import pytest
import yaml
from deriving import deriver
from examining import SMALL, STAGES, Examiner, affordable
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mutation import mutated, names

from archdsl import driver
from archdsl.diagnostics import ArchError, Source

LONG = pytest.mark.slow
QUIET = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much, HealthCheck.large_base_example]


@pytest.mark.parametrize(("seed", "count"), [(0, 150), pytest.param(1, 250, marks=LONG)])
def test_changed_specs(seed: int, count: int, capsys: pytest.CaptureFixture[str]) -> None:
    examiner, chance = Examiner(), random.Random(seed)
    for _ in range(count):
        sample = mutated(chance)
        examiner.examine(f"fuzz.{sample.ending}", sample.text)
    with capsys.disabled():
        print(f"\n{dict(examiner.reached)}; at most {examiner.most:,} calls")
    assert all(examiner.reached[stage] for stage in STAGES[:3])


@pytest.mark.parametrize(("seed", "count"), [(0, 4), pytest.param(1, 40, marks=LONG)])
def test_what_is_accepted_builds_and_runs(seed: int, count: int) -> None:
    """With the predicted figures; on small inputs, so that many can be tried."""
    pytest.importorskip("torch")
    from tests.random_specs.checking import check

    chance = random.Random(1000 + seed)
    checked = 0
    while checked < count:
        sample = mutated(chance)
        try:
            file = driver.opened(Source(f"fuzz.{sample.ending}", sample.text))
            graphs = [driver.compile(driver.Network.of(file, each), input=SMALL) for each in file.backbones.values()]
        except ArchError:
            continue
        for graph in filter(affordable, graphs):
            check(graph)
            checked += 1


# ---- texts that the grammar derives ----------------------------------------------------------------------------------

PLACES = {
    "expression": "name: net\ninput: 3x32x32\nstem: |\n  {}\n",
    "parameters": "blocks:\n  b:\n    args: |\n      {}\n    body: relu\n",
    "bound": "name: net\ninput: 3x32x32\nstem: conv(3)\nexpect:\n  params: |\n    {}\n",
    "stage_key": "name: net\ninput: 3x32x32\nstages:\n  ? |\n    {}\n  : relu\n",
    "target": "name: net\ninput: 3x32x32\nstem: relu\nset:\n  ? |\n    {}\n  : 3\n",
    "extends_value": "name: net\nextends: |\n  {}\n",
}


@pytest.mark.parametrize("start", PLACES)
@pytest.mark.parametrize("count", [60, pytest.param(400, marks=LONG)])
def test_a_part_that_the_grammar_derives(start: str, count: int) -> None:
    chance = random.Random(start)
    for _ in range(count):
        text = deriver().text(chance, start, chance.randint(1, 60))
        Examiner().examine("derived.yaml", PLACES[start].format(text.replace("\n", " ")))


@pytest.mark.parametrize("count", [60, pytest.param(400, marks=LONG)])
def test_a_file_that_the_grammar_derives(count: int) -> None:
    examiner, chance = Examiner(), random.Random(0)
    for _ in range(count):
        examiner.examine("derived.arch", deriver().file(chance, chance.randint(10, 100)))
    assert examiner.codes["E001"] < count // 2  # for `not` behind a sign that binds tighter


# ---- YAML ------------------------------------------------------------------------------------------------------------

KEYS = """
name input doc params set stem stages head sections outputs drop expect extends archdsl import blocks functions
backbones repeat block args with as body c2 act conv.bias bottleneck.groups macs
"""
keys = st.sampled_from([*KEYS.split(), "c3 / 2", "stage c2", "aux if training"]) | st.sampled_from(names())
scalars = st.one_of(
    st.none(), st.booleans(), st.integers(-3, 10**12), st.floats(), st.text(max_size=8), st.sampled_from(names()),
    st.sampled_from(["3x32x32", "cna(3)", "conv(8, 3) -> relu", "<= 4.3G", "3 * basic(16)", "x + 1"]),
)  # fmt: skip
data = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys | st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)
networks = st.fixed_dictionaries(
    {"name": st.just("net"), "input": st.just("3x32x32")},
    optional=dict.fromkeys(KEYS.split()[2:11], data),
)
plain = st.fixed_dictionaries(
    {"block": st.sampled_from(names())},
    optional={"args": data, "repeat": scalars, "with": data, "as": scalars},
)


@settings(max_examples=250, suppress_health_check=QUIET, derandomize=True)
@given(data | networks | plain.map(lambda stem: {"name": "net", "input": "3x32x32", "stem": stem}))
def test_random_yaml(value: Any) -> None:
    Examiner().examine("random.yaml", yaml.safe_dump(value, allow_unicode=True))
