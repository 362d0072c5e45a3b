"""The mistakes of `cases/*.txt`: each at its place, with its whole message, and fine when mended."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from archdsl.diagnostics import Diagnostic
from archdsl.diagnostics.diagnostic import render
from archdsl.resources import folder
from tests.mistakes.case import Case, remarked, topics, validated, write
from tests.mistakes.page import PAGE, page

MISTAKES = [mistake for found in topics().values() for mistake in found]
CASES = [case for mistake in MISTAKES for case in mistake.cases]

PROPOSES = re.compile(r"(?:did you mean|write|close it with|add|round it:|expect|first:|other one,|before it:) `")
QUOTED = re.compile(r"`([^`]+)`")

every_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)


@pytest.fixture(autouse=True)
def _in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Messages name files relative to where one is."""
    monkeypatch.chdir(tmp_path)


@every_case
def test_is_said_at_its_place(case: Case, tmp_path: Path) -> None:
    findings = case.findings(tmp_path)
    assert remarked(case.texts, findings) == case.texts
    assert any("«" in text for text in case.texts.values())
    if os.environ.get("UPDATE_CASES") and shown(findings) != case.says:
        write(case, shown(findings))
    else:
        assert shown(findings) == case.says


def shown(findings: list[Diagnostic]) -> str:
    """The whole message, in which the shipped blocks stand in `grammar/`, wherever that is."""
    return render(findings).replace(f"{folder('grammar')}/", "grammar/")


@every_case
def test_is_fine_when_mended(case: Case, tmp_path: Path) -> None:
    assert case.mended, "say how it is mended"
    assert render(validated(case.name, case.mended, case.others, tmp_path)) == ""


@every_case
def test_what_is_proposed_mends_it(case: Case, tmp_path: Path) -> None:
    for finding in case.findings(tmp_path):
        if PROPOSES.search(finding.help):
            assert any(stands_in(text, case.mended) for text in QUOTED.findall(finding.help)), finding.help


def stands_in(quoted: str, text: str) -> bool:
    """Whether a text in backquotes stands in another; `...` is any."""
    return re.search(".*".join(map(re.escape, quoted.split("..."))), text) is not None


def test_there_are_enough() -> None:
    titles = [mistake.title for mistake in MISTAKES]
    assert len(titles) == len(set(titles)) >= 60


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text("utf-8") == page(), "python -m tests.update writes it"
