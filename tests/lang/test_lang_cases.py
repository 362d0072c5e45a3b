"""The language, by cases: `cases/*.txt` read like its documentation (`case.py` says how)."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.lang.case import Case, cases, describe, outcome, places

FOLDER = Path(__file__).parent / "cases"
CASES = [each for path in sorted(FOLDER.glob("*.txt")) for each in cases(path)]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_case(case: Case, tmp_path: Path) -> None:
    found, others = outcome(case, tmp_path)
    marked, right = places(case, found)
    assert marked == right
    shown = describe(case, found, others, tmp_path)
    if os.environ.get("UPDATE_CASES") and shown != case.expected:
        update(case, shown)
    else:
        assert case.expected == shown


def test_titles_tell_cases_apart() -> None:
    titles = [(case.file, case.title) for case in CASES]
    assert len(set(titles)) == len(titles)


def update(case: Case, shown: str) -> None:
    """Writes what there is in place of what the case expects."""
    path = FOLDER / f"{case.file}.txt"
    head, found, rest = path.read_text("utf-8").partition(f"=== {case.title}\n")
    text, separator, after = rest.partition("\n---\n")
    follows = after.find("\n=== ")
    tail = after[follows:] if follows >= 0 else "\n"
    path.write_text(f"{head}{found}{text}{separator}{shown}\n{tail}", "utf-8")
