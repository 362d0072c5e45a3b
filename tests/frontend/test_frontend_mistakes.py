"""Messages for malformed `.arch` texts, and their places: `cases/mistakes.txt`, and the table's own examples."""

from __future__ import annotations

import re

import pytest

from archdsl.diagnostics import ArchError, Source
from archdsl.frontend import read
from archdsl.syntax import syntax_errors
from archdsl.syntax.parser import parse
from archdsl.syntax.syntax_errors import ErrorContext, Message, SyntaxMistake
from archdsl.syntax.text import LocatedText
from tests.frontend.case import MARKS, Case, cases, described, settle, spans

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


ROWS = syntax_errors.mistakes()


@pytest.mark.parametrize("row", ROWS, ids=[f"{number} {row.label}" for number, row in enumerate(ROWS)])
def test_row_describes_its_own_example(row: SyntaxMistake, monkeypatch: pytest.MonkeyPatch) -> None:
    fitting: list[SyntaxMistake] = []
    message = SyntaxMistake.message

    def recorded(each: SyntaxMistake, error: ErrorContext) -> Message | None:
        said = message(each, error)
        fitting.extend([each] if said else [])
        return said

    monkeypatch.setattr(SyntaxMistake, "message", recorded)
    case = Case("mistakes", row.label, row.example, "")
    with pytest.raises(ArchError) as caught:
        parse(LocatedText.of(Source("net.arch", case.text)), row.keys.get("rule", "file"))
    assert fitting == [row]
    assert spans(caught.value)[0] == case.places[0]


def test_rows_name_what_there_is() -> None:
    for row in ROWS:
        assert row.keys.get("computed", "unreturned") in syntax_errors.COMPUTED
        assert row.keys.get("place", "the token") in syntax_errors.PLACES
        assert MARKS.search(row.example), row.label
