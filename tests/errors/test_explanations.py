"""Every code has a page, its example gives it, and the mended example is fine; docs/errors/ holds the same pages."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from archdsl.analyses import advice
from archdsl.commands._run import main
from archdsl.diagnostics import Source
from archdsl.diagnostics.catalog import explanations, rules
from archdsl.driver.validation import validate
from tests.docs import codes_pages

DOCS = Path(__file__).parents[2] / "docs" / "errors"
SHOWN = [page for page in explanations().values() if page.wrong and page.notation != "sh" and page.rule.code[0] != "A"]
COMMANDS = [page for page in explanations().values() if page.notation == "sh"]


def test_every_code_has_a_page() -> None:
    assert list(explanations()) == list(rules())


@pytest.mark.parametrize("page", SHOWN, ids=lambda page: page.rule.code)
def test_example_gives_its_code_alone(page) -> None:
    findings = validate(Source(f"example.{page.notation}", page.wrong), Path("example"))
    assert {finding.code for finding in findings} == {page.rule.code}


@pytest.mark.parametrize("page", SHOWN, ids=lambda page: page.rule.code)
def test_mended_example_is_fine(page) -> None:
    assert validate(Source(f"example.{page.notation}", page.right), Path("example")) == []


@pytest.mark.parametrize("page", COMMANDS, ids=lambda page: page.rule.code)
def test_command_gives_its_code_alone_and_its_mended_form_works(
    page, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(shlex.split(page.wrong)[1:]) == 2
    assert re.findall(r"^error\[(\w+)\]", capsys.readouterr().err, re.MULTILINE) == [page.rule.code]
    assert main(shlex.split(page.right)[1:]) == 0


def test_docs_hold_the_pages() -> None:
    """`python -m tests.update` writes them."""
    written = {path.stem: path.read_text(encoding="utf-8") for path in DOCS.glob("*.md")}
    assert written == codes_pages.pages()
    assert (DOCS.parent / "advice.md").read_text("utf-8") == codes_pages.advice()


@pytest.mark.parametrize("code", ["E203", "w302", "A101"])
def test_each_kind_is_explained(code: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["help", code]) == 0
    page = capsys.readouterr().out
    assert page.startswith(f"# {code.upper()}: ")
    assert page.count("```arch") == 2


LIMITS = {
    "A101": f"{advice.EXCESS:.2f} times the bound",
    "A102": f"{advice.LARGE:.0%} of its".replace("%", " %"),
    "A103": f"{advice.MANY} kernels or more",
    "A104": f"a chain of {advice.LONG} concatenations",
    "A105": f"2 to {advice.FINE - 1} input channels",
    "A106": f"that {advice.TILE} does not divide",
    "A107": f"at least {advice.EARLY} times as large",
    "A108": "smaller than the input",
}


@pytest.mark.parametrize("code", advice.ADVICE)
def test_pages_of_advice_give_the_limits_of_the_rules(code: str) -> None:
    page = explanations()[code]
    assert LIMITS[code] in " ".join(page.why.split())
    assert page.paper
    assert page.page().index("It fires on") < page.page().index("and not on")


def test_an_unknown_code_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["help", "A110"]) == 2
    assert "nothing is called `A110`" in capsys.readouterr().err
