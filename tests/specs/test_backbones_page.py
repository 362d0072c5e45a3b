"""The backbones' page: up to date, complete, and with a reason for each published figure that is not ours."""

from __future__ import annotations

from itertools import chain

import pytest

from archdsl import driver
from tests.equality.nets import CASES
from tests.specs.backbones_page import (
    DATA,
    FAMILIES,
    PAGE,
    PAPERS,
    Difference,
    Family,
    Published,
    explained,
    held_against,
    page,
    published,
)
from tests.specs.oracles import ROWS

NETWORKS = [network for family in FAMILIES for network in family.networks]
REASONS = [
    (reason, figure)
    for family in FAMILIES
    for reason in family.reasons
    for network in reason.networks
    for figure in published(network)
    if figure.figure in reason.figures
]


def test_page() -> None:
    """`python -m tests.update` writes it."""
    assert PAGE.read_text(encoding="utf-8") == page()


def test_every_network_is_on_it() -> None:
    assert set(NETWORKS) <= set(driver.SHIPPED.specs())
    text = PAGE.read_text(encoding="utf-8")
    assert [name for name in driver.SHIPPED.specs() if f"| `{name}` |" not in text] == []


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.title)
def test_chapter(family: Family) -> None:
    """A chapter speaks of its own networks, and each of them has a publication; what is published is told of."""
    named = [*family.docs, *chain(*family.papers.values()), *chain(*(each.networks for each in family.reasons))]
    assert set(named) <= set(family.networks)
    everyone = any(not networks for networks in family.papers.values())
    assert everyone or set(chain(*family.papers.values())) == set(family.networks)
    assert bool(family.published) == any(map(published, family.networks))


def test_publications() -> None:
    """Each is complete, and is some network's."""
    assert set(PAPERS) == set(chain(*(family.papers for family in FAMILIES)))
    for paper in PAPERS.values():
        assert all((paper.short, paper.title, paper.authors, paper.year))
        assert paper.venue or paper.arxiv


# ---- differences ---------------------------------------------------------------------------------------------------


def test_every_difference_has_a_reason() -> None:
    """And no reason is for a figure that does not differ, or is not there."""
    every = chain(*map(published, NETWORKS))
    differ = sorted((each.network, each.figure) for each in every if not each.fits(each.ours))
    given = [(each, figure) for family in FAMILIES for reason in family.reasons for each, figure in asked(reason)]
    assert sorted(given) == differ


def asked(reason: Difference) -> list[tuple[str, str]]:
    """The figures that a reason is for."""
    return [(network, figure) for network in reason.networks for figure in reason.figures]


@pytest.mark.parametrize(
    ("reason", "figure"), [pytest.param(*each, id=f"{each[1].network}-{each[1].figure}") for each in REASONS]
)
def test_reason(reason: Difference, figure: Published) -> None:
    """The form that a reason names has the published figure; a reason without one says why in words."""
    assert reason.says
    if reason.form or reason.cut:
        assert figure.fits(explained(reason, figure), cut=reason.cut)


@pytest.mark.parametrize(
    ("text", "amount", "rounded", "cut"),
    [
        ("3.8", 3_850_000, True, True),
        ("3.8", 3_850_001, False, True),
        ("3.8", 3_750_000, True, False),
        ("3.8", 3_749_999, False, False),
        ("3.80", 3_806_000, False, True),
        ("~3.8", 3_799_999, True, False),
        ("133", 133_499_999, True, True),
        ("<25", 24_999_999, True, True),
        ("<25", 25_000_000, False, False),
    ],
)
def test_rounding(text: str, amount: int, rounded: bool, cut: bool) -> None:
    figure = Published("net", "params", text, "M", "parameters", remembered=False)
    assert figure.fits(amount) == rounded
    assert figure.fits(amount, cut=True) == cut


# ---- what is taken from elsewhere ----------------------------------------------------------------------------------


def test_printed() -> None:
    """A figure is printed as it is in `reference.json`, but for zeros and signs."""
    rows = {row["spec"]: row for row in reversed(ROWS)}
    for network, figures in DATA["printed"].items():
        row = {"params": rows[network].get("paper_params_M"), "gflops": rows[network].get("paper_gflops")}
        for figure, text in figures.items():
            assert float(text.lstrip("~<")) == row[figure]
            assert text != str(row[figure])


def test_held_against() -> None:
    """The special names are those of oracles, and a network without an oracle has none."""
    oracles = {case.oracle for case in CASES} | {row["oracle"] for row in ROWS}
    assert set(DATA["oracles"]) <= oracles
    alone = {network for network in NETWORKS if held_against(network).startswith("none")}
    assert alone == set(NETWORKS) - {case.spec for case in CASES}
