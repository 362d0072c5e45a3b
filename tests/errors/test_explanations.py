"""Every code has a page, its example gives it, and the mended example is fine; docs/errors/ holds the same pages."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from archdsl.analyses.advice import ADVICE
from archdsl.commands._run import main
from archdsl.commands.explain import all_pages
from archdsl.diagnostics import Source
from archdsl.diagnostics.explain import explanations, index, rules
from archdsl.driver.validation import validate

DOCS = Path(__file__).parents[2] / "docs" / "errors"
SHOWN = [page for page in explanations().values() if page.wrong and page.notation != "sh"]
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
    pages = {code: page.page() for code, page in all_pages().items()}
    assert written == {**pages, "README": index(all_pages())}


@pytest.mark.parametrize("code", ["E203", "w302", "A101"])
def test_each_kind_is_explained(code: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", code]) == 0
    page = capsys.readouterr().out
    assert page.startswith(f"# {code.upper()}: ")
    assert page.count("```arch") == 2


def test_pages_say_what_each_rule_of_advice_says() -> None:
    for code, rule in ADVICE.items():
        page = all_pages()[code]
        assert (page.rule, page.wrong, page.right) == (rule.rule, rule.bad, rule.good)
        said = " ".join(page.page().split())
        assert all(" ".join(text.split()) in said for text in (rule.why, rule.limit, rule.paper))


def test_an_unknown_code_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "A110"]) == 2
    assert "no code is called `A110`" in capsys.readouterr().err
