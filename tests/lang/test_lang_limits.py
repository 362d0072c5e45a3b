"""Texts that nobody writes by hand: each is refused, or built, in no time, whatever it asks for."""

from __future__ import annotations

import re

import pytest

from archdsl import driver
from archdsl.diagnostics import ArchError, Source
from archdsl.elaborate import budget
from tests.working import bounded

PATIENCE = 20_000_000
"""Calls of functions."""
HEAD = "backbone net:\n    input 3 x 32 x 32\n"


def net(line: str) -> str:
    """A network of one line."""
    return f"{HEAD}    net: {line}\n"


def nested(before: str, inside: str, after: str, levels: int) -> str:
    """An expression inside an expression, and so on."""
    return net(before * levels + inside + after * levels)


DOUBLING = "block d0() = relu\n" + "".join(f"block d{n + 1}() = d{n} -> d{n}\n" for n in range(39))

BUILT: dict[str, tuple[str, int]] = {
    "a chain of many links": (net(" -> ".join(["relu"] * 2000)), 2000),
    "a sum of many": (net(f"({' + '.join(['relu'] * 150)})"), 151),
    "brackets": (nested("(", "relu", ")", 45), 1),
    "repeats": (nested("1 * (", "relu", ")", 40), 1),
    "forks": (nested("fork(relu, ", "relu", ")", 45) .replace("\n", " -> concat\n").replace(": -> concat", ":")
              .replace("32 -> concat", "32"), 47),
    "sums": (nested("(identity + ", "relu", ")", 45), 46),
    "settings": (nested("with(act = mish, ", "act", ")", 45), 1),
    "arguments": ("block f(b: block) = b -> relu\n" + nested("f(", "relu", ")", 40), 41),
    "sections": (HEAD + "".join(f"    s{n}: conv(3)\n" for n in range(500)), 500),
    "parameters": (f"block f({', '.join(f'a{n} = {n}' for n in range(500))}) = conv(3)\n" + net("f"), 1),
    "definitions": ("".join(f"block b{n}() = relu\n" for n in range(500)) + net("b5 -> b77"), 2),
    "a wide tree": ("block t(n) = conv(3) if n == 0 else "
                    f"concat({', '.join(['t(n - 1)'] * 9)}) -> conv(3)\n" + net("t(5)"), 73_811),
    "a list of many tensors": (net("collect(50000, conv(3)) -> concat"), 50_001),
    "many parts": ("block f():\n    ys = x -> split(2048)\n    return concat(...[y -> conv(1) for y in ys])\n"
                   + net("conv(2048) -> f"), 2051),
    "each of many its own": (net("5000 * conv(index % 7 + 1)"), 5000),
    "branches, each its own": (net("concat(...[conv(i % 7 + 1) for i in range(20000)])"), 20_001),
}  # fmt: skip

REFUSED: dict[str, tuple[str, str]] = {
    "open brackets": (net("(" * 100_000), "E402"),
    "brackets": (nested("(", "relu", ")", 100_000), "E402"),
    "lists": (net(f"conv(len({'[' * 100_000}))"), "E402"),
    "signs": (net(f"conv({'-' * 3000}1)"), "E402"),
    "negations": (net(f"conv(1 if {'not ' * 3000}true else 2)"), "E402"),
    "powers": (net(f"conv({'2 ** ' * 3000}2)"), "E402"),
    "items of items": (net(f"conv([1]{'[0]' * 3000})"), "E402"),
    "calls of calls": (net(f"conv{'()' * 3000}"), "E402"),
    "conditions": ("block f():\n" + "".join(f"{'    ' * n}if true:\n" for n in range(1, 150)) + net("f"), "E"),
    "doubling": (DOUBLING + net("d39"), "E401"),
    "doubling of nothing": (DOUBLING.replace("relu", "identity") + net("d39"), "E401"),
    "repeats of repeats": (nested("9 * (", "relu", ")", 15), "E401"),
    "a block that grows": ("block f(b: block) = f(b -> b)\n" + net("f(relu)"), "E402"),
    "a block in a block": ("block f(b: block) = f(f(b))\n" + net("f(relu)"), "E402"),
    "a list that grows": ("block f(a: list) = f([...a, ...a])\n" + net("f([1])"), "E403"),
    "a function of two": ("fn a(m, n) = n + 1 if m == 0 else (a(m - 1, 1) if n == 0 else a(m - 1, a(m, n - 1)))\n"
                          + net("conv(a(3, 10))"), "E402"),
    "a sum of fractions": (net("conv(floor(sum([1 / (i + 1) for i in range(50000)])))"), "E107"),
    "turns among many names": ("block f():\n" + "".join(f"    a{n} = {n}\n" for n in range(9000))
                               + "    return 90000 * conv(index % 5 + 1)\n" + net("f"), "E403"),
    "a long number": (net(f"conv({'9' * 100_000})"), "E106"),
    "a long fraction": (net(f"conv(0.{'9' * 100_000})"), "E106"),
    "a large exponent": (net("conv(1e999999999)"), "E106"),
    "a long text": (net("relu") + "#" * 1_000_001, "E404"),
    "a long name": (net("a" * 100_000), "E"),
    "a circle of parents": ("".join(f"backbone n{n} extends n{(n + 1) % 50}\n" for n in range(50)), "E305"),
    "a null": (net("relu\x00"), "E001"),
    "a sign that turns the line": (net("relu \u202e"), "E001"),
}  # fmt: skip


def outcome(text: str) -> object:
    """What a text comes to, by a bounded amount of work: the number of ops, or the findings."""
    with bounded(PATIENCE):
        try:
            file = driver.opened(Source("net.arch", text))
            return driver.compile(driver.Network.of(file, next(iter(file.backbones.values())))).root.totals.ops
        except ArchError as error:
            return error


@pytest.mark.parametrize("name", BUILT)
def test_built(name: str) -> None:
    text, ops = BUILT[name]
    assert outcome(text) == ops


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str) -> None:
    text, code = REFUSED[name]
    found = outcome(text)
    assert isinstance(found, ArchError)
    assert found.diagnostics[0].code.startswith(code)
    assert len(str(found)) < 3000 + 2 * len(text.splitlines()[-1]) * (len(found.diagnostics) > 1)
    assert "\x00" not in str(found)
    assert "\u202e" not in str(found)


def test_blocks_that_all_differ_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budget, "MOST_APPLICATIONS", 1000)
    text = "block t(n, k) = conv(k % 7 + 1) if n == 0 else concat(t(n - 1, 2 * k), t(n - 1, 2 * k + 1))\n"
    found = outcome(text + net("t(30, 1)"))
    assert isinstance(found, ArchError)
    assert found.diagnostics[0].code == "E401"
    assert found.diagnostics[0].label == "more than 1,000 blocks are applied"


SAYING_MUCH = {
    "turns": net("conv(sum([«i * 2 + 1» for i in range(90000)]))"),
    "turns of a `for`": "block f():\n    for i in range(9000):\n        a = «max(i, 1)»\n    return relu\n" + net("f"),
    "calls": "fn f(i) = «max(i * 2, i, 3)»\n" + net("conv(sum([f(i) for i in range(9000)]))"),
    "repeats": net("90000 * «conv(index + 1)»"),
    "applications": ("block t(n, k) = «conv(k % 7 + 1) if n == 0 else concat(t(n - 1, 2 * k), t(n - 1, 2 * k + 1))»\n"
                     + net("t(15, 1)")),
}  # fmt: skip


@pytest.mark.parametrize("name", SAYING_MUCH)
def test_expressions_are_counted_as_often_as_they_are_worked_out(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budget, "MOST_STEPS", 5000)
    before, much, after = re.split("[«»]", SAYING_MUCH[name])
    found = outcome(before + much + after)
    assert isinstance(found, ArchError)
    (finding,) = found.diagnostics
    assert finding.code == "E403"
    assert finding.label == "loops, calls and repeats evaluate more than 5,000 expressions"
    assert finding.span is not None
    assert len(before) <= finding.span.start < finding.span.end <= len(before + much)


def test_what_is_deep_is_told_at_its_place() -> None:
    text = "block f(n) = relu if n == 0 else (identity + (conv(3) -> (relu + (relu -> f(n - 1)))))\n" + net("f(100)")
    found = outcome(text)
    assert isinstance(found, ArchError)
    (finding,) = found.diagnostics
    assert finding.code == "E402"
    assert finding.span is not None
    assert finding.span.text in {"f(n - 1)", "f(100)", "relu", "conv(3)"}
