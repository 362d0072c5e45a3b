"""Every parameter of every op with values of every kind: a finding or a network, never a mistake of ours."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest

from archdsl.diagnostics import Source
from archdsl.driver.validation import validate
from archdsl.elaborate.signature import signature_of
from archdsl.ops import vocabulary

NUMBERS = [
    "0",
    "1",
    "-1",
    "7",
    "64",
    "0.5",
    "-0.5",
    "2.0",
    "1 / 3",
    "1e30",
    "1e-30",
    "2 ** 0.5",
    "10 ** 20",
    "-(10 ** 20)",
]
WORDS = ["true", "none", "same", "valid", "fan_in", "nothing", "identity", "relu", "conv(8)", "x", "x.channels"]
LISTS = [
    "[]",
    "[1]",
    "[0, 0]",
    "[-1, -1]",
    "[4, 4]",
    "[0.5, 0.5]",
    "[2.0, -1]",
    "[1 / 3, 2 / 3]",
    "[1, [2]]",
    "[[1, 2]]",
]
LISTS += [
    "[none]",
    "[true, 1]",
    "[same]",
    "[relu]",
    "[x]",
    "[1e30, 1]",
    "[10 ** 20]",
    "[1, 2, 3, 4]",
    "[0, 1, 2]",
    "range(3)",
]
OTHERS = ["normal(std = 0.01)", "normal", "x -> relu", "fork(identity, relu)", "[i / 2 for i in range(3)]", "x[:4]"]
VALUES = [*NUMBERS, *WORDS, *LISTS, *OTHERS]
INPUTS = ["identity", "global_avgpool -> flatten", "fork(identity, identity)"]
TOGETHER = 40
PARAMETERS = [(name, slot) for name, op in sorted(vocabulary().items()) for slot in signature_of(op).slots]


def spec(name: str, slot: str, value: str, before: str, number: int) -> str:
    """A network with an op and one of its parameters set; required ones before it are 8."""
    slots = list(signature_of(vocabulary()[name]).slots)
    first = [] if slots[0] == slot else ["8"]
    call = f"{name}({', '.join([*first, f'{slot} = {value}'])})"
    block, head = f"block b{number}() = x -> {call}\n", f"backbone n{number}:\n    input 8 x 16 x 16\n"
    return f"{block}{head}    stem: {before} -> b{number}\n"


def assert_answered(cases: Sequence[tuple[str, str, str, str]]) -> None:
    """That a file with all of these is answered; where it is not, one case by itself is shown."""
    for start in range(0, len(cases), TOGETHER):
        texts = [spec(*case, number) for number, case in enumerate(cases[start : start + TOGETHER])]
        try:
            validate(Source("net.arch", "".join(texts)), None)
        except Exception:
            for text in texts:
                validate(Source(text, text), None)
            raise


def test_lists_with_any_items_are_answered() -> None:
    listed = {"ints", "floats", "parts", "size", "padding"}
    kinds = {(name, slot): signature_of(vocabulary()[name]).slots[slot].type.name for name, slot in PARAMETERS}
    chosen = [each for each in PARAMETERS if kinds[each] in listed - {"size", "padding"}]
    assert {name for name, _ in chosen} >= {"reshape", "permute", "split"}
    assert_answered([(name, slot, value, "identity") for name, slot in chosen for value in LISTS])


@pytest.mark.parametrize("seed", range(4))
def test_any_value_is_answered(seed: int) -> None:
    chance = random.Random(seed)
    drawn = [(*chance.choice(PARAMETERS), chance.choice(VALUES), chance.choice(INPUTS)) for _ in range(120)]
    assert_answered(drawn)


@pytest.mark.slow
@pytest.mark.parametrize("before", INPUTS)
def test_all_values_are_answered(before: str) -> None:
    assert_answered([(name, slot, value, before) for name, slot in PARAMETERS for value in VALUES])


@pytest.mark.parametrize(
    ("call", "said", "help"),
    [
        ("reshape([0.5, 0.5])", "`shape`: an int is needed here, not 0.5", "the nearest ints are `0` and `1`"),
        ("permute([2.0, 1, 0])", "`dims`: an int is needed here, not 2.0", "write `2`"),
        ("reshape([[1], 2])", "`shape`: a list of ints is needed here, not a list of 2", ""),
    ],
)
def test_an_item_is_told(call: str, said: str, help: str) -> None:
    (found,) = validate(Source("net.arch", f"backbone net:\n    input 8 x 16 x 16\n    stem: {call}\n"), None)
    assert (found.code, found.label, found.help) == ("E105", said, help)
