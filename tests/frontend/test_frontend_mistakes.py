"""What is wrong with malformed `.arch` texts, and where: `cases/mistakes.txt`."""

from __future__ import annotations

import re

import pytest

from archdsl.diagnostics import ArchError, Source
from archdsl.frontend import read
from tests.frontend.case import Case, cases, described, settle, spans

CASES = cases("mistakes")


def failure(text: str) -> ArchError:
    """What reading a text raises."""
    with pytest.raises(ArchError) as caught:
        read(Source("net.arch", text))
    return caught.value


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.title)
def test_mistake(case: Case) -> None:
    error = failure(case.text)
    assert tuple(map(sorted, spans(error))) == tuple(map(sorted, case.places))
    settle(case, described(error.diagnostics))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.title)
def test_no_message_speaks_of_terminals(case: Case) -> None:
    said = described(failure(case.text).diagnostics)
    assert not re.search(r"\b_?[A-Z]{3,}\b|\$END", said.replace(case.text, ""))


def test_the_table_is_long() -> None:
    assert len(CASES) >= 90
