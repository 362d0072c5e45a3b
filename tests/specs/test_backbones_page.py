"""The page of the backbones is what its generator writes, has every network, and explains every difference."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest

from archdsl import driver
from tests.specs.backbones_page import CHAPTERS, DIFFERENCES, PAGE, Published, compiled, published, rows_of
from tests.specs.backbones_page import page as generated
from tests.specs.oracles import ROWS

FIGURES = [each for row in ROWS for each in published(row)]


def unexplained(each: Published) -> bool:
    """Whether a published figure is not ours, and nobody says why."""
    return not each.rounds_to(each.ours) and each.why is None


def test_page() -> None:
    """`python -m tests.specs.backbones_page` writes it anew."""
    assert PAGE.read_text(encoding="utf-8") == generated()


def test_every_network() -> None:
    """Each is in one chapter, once for each input, and described once."""
    text = PAGE.read_text(encoding="utf-8")
    named = re.findall(r"^\| `(\w+)` \| \d+x", text, re.MULTILINE)
    assert set(named) == set(driver.SHIPPED.specs())
    assert len(named) == sum(len(rows_of(chapter)) for chapter in CHAPTERS)
    assert sorted(re.findall(r"^- \*\*(\w+)\*\*:", text, re.MULTILINE)) == sorted(driver.SHIPPED.specs())
    families = [family for chapter in CHAPTERS for family in chapter.families]
    assert sorted(families) == sorted({row["family"] for row in ROWS})


def test_every_difference() -> None:
    """A figure that does not round to the published one has a reason, and only such a one."""
    assert [(each.name, each.figure) for each in FIGURES if unexplained(each)] == []
    needed = {(each.name, each.figure) for each in FIGURES if not each.rounds_to(each.ours)}
    assert set(DIFFERENCES) == needed


@pytest.mark.parametrize("each", [each for each in FIGURES if each.why], ids=lambda each: f"{each.name}-{each.figure}")
def test_reasons(each: Published) -> None:
    """Counted as the reason says, ours is the published figure; what has no such count says why there is none."""
    if each.counted is None:
        assert (each.name, each.figure) in {("inception_v3", "params"), ("inception_v3", "flops")}
    else:
        assert each.confirms(each.counted), f"{each.counted} is not {each.value}"


def test_a_difference_is_noticed() -> None:
    """The test of the test: another figure, or a network without reasons, and a count that does not confirm."""
    graph = compiled("resnet18")
    assert not unexplained(Published("resnet18", "flops", Decimal("1.8"), "", graph))
    assert unexplained(Published("resnet18", "flops", Decimal("1.9"), "", graph))
    assert unexplained(Published("resnet18", "params", Decimal("11.6"), "", graph))
    darknet = Published("darknet53", "flops", Decimal("18.8"), "", compiled("darknet53"))
    assert darknet.counted is not None
    assert not darknet.confirms(darknet.counted)


def test_lines() -> None:
    """What Markdown lets be broken has 120 characters at most; a table's lines stand as they are."""
    long = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if len(line) > 120 and line[0] != "|"]
    assert long == []
