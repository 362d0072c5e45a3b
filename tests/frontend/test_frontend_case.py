"""The test of the test: how cases are read, and that a difference is found."""

from __future__ import annotations

import pytest

from archdsl.diagnostics import Source, Span, catalog
from tests.frontend.case import described, read, settle

TEXT = """# a comment

=== one
a: «b»
c: ⟨d⟩ «»
---
expected
more

=== two
---
a
---
"""


def test_cases_are_read() -> None:
    one, two = read("file", TEXT)
    assert (one.title, one.text, one.expected) == ("one", "a: b\nc: d \n", "expected\nmore")
    assert one.places == ([(3, 4), (10, 10)], [(8, 9)])
    assert (two.title, two.text, two.expected) == ("two", "---\na\n", "")


def test_a_difference_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("UPDATE_CASES", raising=False)
    one, _ = read("file", TEXT)
    settle(one, "expected\nmore")
    with pytest.raises(AssertionError):
        settle(one, "expected")


def test_a_case_without_an_end_is_found() -> None:
    with pytest.raises(AssertionError, match="three has no ---"):
        list(read("file", "=== three\na\n"))


def test_findings_are_described() -> None:
    finding = catalog.SYNTAX.at(Span(Source("a", "b"), 0, 1), "a label", help="what to do")
    assert described([finding]) == "E001 a label\nhelp: what to do"
