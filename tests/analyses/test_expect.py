"""`expect`: budgets over every figure, of the network and of its sections, and what cannot be held."""

from __future__ import annotations

import pytest

import archdsl
from archdsl.analyses.cost import counts
from archdsl.analyses.expect import KNOWN, Outcome, check_all, text_of
from archdsl.driver import memory
from archdsl.frontend import read
from archdsl.frontend.format import to_arch, to_yaml

TEXT = """backbone net(classes = 10):
    input 3 x 32 x 32
    stem: cna(16, 3)
    stage c2 / 2: 2 * basic(32)
    output aux if training: c2 -> global_avgpool -> flatten -> linear(5)
    head: global_avgpool -> flatten -> linear(classes)
    expect: {}
"""


def outcomes(checks: str) -> list[Outcome]:
    """What comes of checks, written in the text form."""
    spec = archdsl.loads(TEXT.replace("{}", checks), "net.arch")
    return check_all(archdsl.compile(spec), spec.expect, memory)


def finding(check: str) -> str:
    """What is wrong with a check, on one line, with the place that it marks; empty where it holds."""
    (only,) = outcomes(check)
    found = only.finding
    if found is None:
        return ""
    assert found.span is not None
    assert found.span.text == check
    return f"{found.code} {found.label} | {found.help}"


HOLDS = [
    "params <= 1M",
    "macs > 1K",
    "c2 == 32x16x16",
    "head == 10",
    "head != 11",
    "c2.params <= 0.04M",
    "c2.n_conv == 5",
    "memory_access <= 1M",
    "c2.memory_access < 0.2M",
    "operations >= 1M",
    "kernels == 21",
    "bytes <= 2MB",
    "bytes <= 1MB at batch 1 fp16",
    "c2.bytes >= 1KiB at batch 2",
    "intensity >= 1.5 at batch 4",
    "peak_memory <= 200MB at batch 8 fp16",
    "planned_memory <= 1e6",
    "saved_memory <= 1GiB at batch 32",
    "c2.saved_memory > 10KB",
    "c2.peak_memory >= 100000B",
    "weight_memory < 1TB",
    "training_params == 165",
]


@pytest.mark.parametrize("check", HOLDS)
def test_what_holds(check: str) -> None:
    assert finding(check) == ""


def test_receptive_field() -> None:
    (field,) = outcomes("c2.field < 1")
    size = int(field.actual)
    assert size > 1
    assert finding(f"c2.field == {size}") == ""
    assert finding(f"field == {size}") == ""
    assert finding("head.field >= 100000") == ""


FAILS = {
    "params <= 1K": "E210 `params` is 34,047 | if that is right, expect `<= 34_047`",
    "c2 == 32x8x8": "E210 `c2` is 32x16x16 | if that is right, expect `32x16x16`",
    "stem.macs == 3": "E210 `stem.macs` is 442,368 | if that is right, expect `442_368`",
    "peak_memory <= 20KB": "E210 `peak_memory` is 176,128 bytes (176.13 KB) | if that is right, expect `<= 176_128`",
    "parms <= 1K": "E101 no figure is called `parms` | did you mean `params`?",
    "c3.params <= 1K": "E101 no figure is called `c3.params` | did you mean `c2.params`?",
    "c2.weight_memory <= 1K": "E101 no figure is called `c2.weight_memory` | did you mean `weight_memory`?",
    "time <= 1": "E101 `time` is of a device, and a spec names none | "
    "`archdsl show --device` and `cost_many(device=...)` estimate it",
    "params <= 1Q": "E105 no unit is called `Q` | choose from `G`, `K`, `M` and `T`",
    "params <= 1MB": "E105 `params` is a number, so not in `MB` | did you mean `M`?",
    "peak_memory <= 1Mb": "E105 no unit is called `Mb` | did you mean `MB`?",
    "peak_memory <= 200M": "E105 `peak_memory` is in bytes, so not in `M` | did you mean `MB`?",
    "peak_memory <= 3x3": "E105 `3x3` is not an amount | `peak_memory` is in bytes, as `200MB`",
    "peak_memory <= 1MB at batch 0": "E106 a batch of 0 | a batch has 1 to 1,000,000 samples",
    "peak_memory <= 1MB at batch 9999999": "E106 a batch of 9999999 | a batch has 1 to 1,000,000 samples",
    "peak_memory <= 1MB at batch 1 fp17": "E101 no precision is called `fp17` | did you mean `fp16`?",
    "params <= 1M at batch 2": "E111 no batch or precision changes `params` | leave out what follows the amount",
    "c2 == 32x16x16 at batch 2": "E111 no batch or precision changes `c2` | leave out what follows the amount",
    "intensity == 3": "E105 `intensity` is not an exact figure | give it a bound, with `<=` or `>=`",
    "c2 <= 32x16x16": "E105 `32x16x16` cannot be compared with the shape of `c2` | it is 32x16x16",
    "c2 == 4G": "E105 `4G` cannot be compared with the shape of `c2` | it is 32x16x16",
    "params < 76%": "E105 no unit is called `%` | choose from `G`, `K`, `M` and `T`",
}


@pytest.mark.parametrize("check", FAILS)
def test_what_fails(check: str) -> None:
    assert finding(check) == FAILS[check]


def test_figures_are_those_of_the_analyses() -> None:
    """Each figure, with `==` where it is exact, is what its analysis gives."""
    graph = archdsl.compile(archdsl.loads(TEXT.replace("    expect: {}\n", ""), "net.arch"))
    counted, found = counts(graph)[graph.root], memory(graph, 8, "fp16")
    expected = {
        "memory_access": counted.memory_access,
        "kernels": counted.kernels,
        "bytes": counted.bytes("fp16", 8),
        "peak_memory": found.peak,
        "planned_memory": found.planned,
        "saved_memory": found.saved,
        "weight_memory": found.weights,
    }
    for name, value in expected.items():
        load = " at batch 8 fp16" if KNOWN[name].loaded else ""
        assert finding(f"{name} == {value}{load}") == ""
        assert finding(f"{name} < {value}{load}") != ""


def test_every_figure_can_be_asked_for() -> None:
    for name, figure in KNOWN.items():
        sign = ">=" if figure.exact else ">"
        assert finding(f"{name} {sign} 0") == ""
        if not figure.whole:
            assert finding(f"c2.{name} {sign} 0") == ""


@pytest.mark.parametrize("print_as", [to_arch, to_yaml])
def test_they_print_and_read_back(print_as: object) -> None:
    checks = ", ".join(HOLDS)
    document = read(archdsl.loads(TEXT.replace("{}", checks), "net.arch").scope.source)
    text = print_as(document)  # type: ignore[operator]
    name = "net.yaml" if print_as is to_yaml else "net.arch"
    assert archdsl.loads(text, name).expect == document.backbones[0].expect


def test_text_of_a_check() -> None:
    (only,) = outcomes("peak_memory <= 200MB at batch 8 fp16")
    assert text_of(only.check) == "peak_memory <= 200MB at batch 8 fp16"


def test_words_are_free_elsewhere() -> None:
    """`at` and `batch` name other things all the same."""
    text = TEXT.replace("c2", "batch").replace("net(", "at(").replace("{}", "batch.params <= 1M, batch == 32x16x16")
    spec = archdsl.loads(text, "net.arch")
    assert all(each.finding is None for each in check_all(archdsl.compile(spec), spec.expect, memory))
