"""Every code has a page, its example gives it, and the mended example is fine; docs/errors/ holds the same pages."""

from __future__ import annotations

from pathlib import Path

import pytest

from archdsl.driver import validate
from archdsl.errors import Source
from archdsl.errors.explain import explanations, rules

DOCS = Path(__file__).parents[2] / "docs" / "errors"
SHOWN = [page for page in explanations().values() if page.wrong]


def test_every_code_has_a_page() -> None:
    assert list(explanations()) == list(rules())


@pytest.mark.parametrize("page", SHOWN, ids=lambda page: page.rule.code)
def test_example_gives_its_code_alone(page) -> None:
    findings = validate(Source(f"example.{page.notation}", page.wrong), Path("example"))
    assert {finding.code for finding in findings} == {page.rule.code}


@pytest.mark.parametrize("page", SHOWN, ids=lambda page: page.rule.code)
def test_mended_example_is_fine(page) -> None:
    assert validate(Source(f"example.{page.notation}", page.right), Path("example")) == []


def test_docs_hold_the_pages() -> None:
    """To write them anew: `python -m archdsl.errors.explain docs/errors`."""
    written = {path.stem: path.read_text(encoding="utf-8") for path in DOCS.glob("E*.md")}
    assert written == {code: page.page() for code, page in explanations().items()}
