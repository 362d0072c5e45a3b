"""Sections whose names mean something to PyTorch: their modules are called otherwise, their figures are not."""

from __future__ import annotations

from pathlib import Path

import archdsl
from archdsl import driver
from archdsl.analyses.diff import difference

TEXT = """
backbone net:
    input 3 x 8 x 8
    half: conv(4)
    head: global_avgpool -> flatten -> linear(2)
{output}    expect: half.params == 12, half.macs == 768
"""
OUTPUT = "    output {name} if training: half -> conv(8)\n"


def test_expect_knows_them(tmp_path: Path) -> None:
    assert archdsl.validate(tmp_path / "net.arch", text=TEXT.format(output="")) == []


def test_a_difference_in_training_only_costs_nothing_whatever_its_name() -> None:
    found: list[list[tuple[str, int, int]]] = []
    for name in ("aux", "float"):
        before, after = (
            driver.compile(driver.loads(TEXT.format(output=output))) for output in (OUTPUT.format(name=name), "")
        )
        found.append([(each.kind, each.params, each.macs) for each in difference(before, after).changes])
    assert found[0] == found[1]
