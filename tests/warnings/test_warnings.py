"""Warnings: text cases, and what the command makes of them.

In the cases, `«so»` are the places of the warnings, marked by hand; `UPDATE_CASES=1 pytest tests/warnings` writes what
is expected anew, never the marks.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest

from archdsl.commands._run import main
from archdsl.diagnostics import Diagnostic, Source
from archdsl.driver.validation import validate
from archdsl.frontend.format import formatted
from tests.frontend.case import Case, read

FOLDER = Path(__file__).parent / "cases"
CASES = [case for path in sorted(FOLDER.glob("*.txt")) for case in read(path.stem, path.read_text("utf-8"))]
SPECS = Path(__file__).parents[2] / "specs"
LIBRARY = SPECS.parent / "grammar" / "blocks"
NET = "backbone net:\n    input 3 x 32 x 32\n    stem: cna(16, 3)\n"
IDLE = f"{NET}    stage c1: identity\n"


def found(text: str) -> list[Diagnostic]:
    """What is said of a text, in the notation that it begins in."""
    return validate(Source("net", text), None)


def described(findings: list[Diagnostic]) -> str:
    """Findings in short."""
    lines = [line for each in findings for line in short(each)]
    return "\n".join(lines) or "no warnings"


def short(finding: Diagnostic) -> list[str]:
    """A finding in a few lines."""
    where = [f"in: {finding.where}"] if finding.where else []
    return [f"{finding.code} {finding.label}", *([f"help: {finding.help}"] if finding.help else []), *where]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_case(case: Case) -> None:
    findings = found(case.text)
    said = described(findings)
    if os.environ.get("UPDATE_CASES"):
        path = FOLDER / f"{case.file}.txt"
        old, new = (f"{case.marked}---\n{each}" for each in (case.expected, said))
        path.write_text(path.read_text("utf-8").replace(old, new), "utf-8")
    else:
        assert said == case.expected
    assert sorted({(each.span.start, each.span.end) for each in findings if each.span}) == sorted(case.places[0])


def test_a_definition_that_hides_an_imported_one(tmp_path: Path) -> None:
    (tmp_path / "parts.arch").write_text("block layer(out) = conv(out)\n", "utf-8")
    text = 'import "parts.arch"\nblock {}(out) = conv(out, 3)\nbackbone net:\n    input 3 x 32 x 32\n    stem: {}(8)\n'
    hiding, other = (
        validate(Source("net.arch", text.format(name, name)), tmp_path / "net.arch") for name in ("layer", "layer3")
    )
    assert described(hiding) == (
        "W103 in this file, `layer` is no longer the imported one\n"
        "help: choose another name; the imported file does not see this one"
    )
    assert [note.span.source.name for note in hiding[0].notes if note.span] == [str(tmp_path / "parts.arch")]
    assert other == []


@pytest.mark.parametrize("case", [each for each in CASES if each.file == "allowed"], ids=lambda case: case.id)
def test_what_is_silenced_stays_so_when_it_is_laid_out(case: Case) -> None:
    text = formatted(Source("net", case.text))
    before, after = ([each.code for each in found(one)] for one in (case.text, text))
    assert after == before


@pytest.mark.parametrize("folder", [SPECS, LIBRARY], ids=["specs", "library"])
def test_what_is_shipped_is_free_of_warnings(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["validate", "--no-cache", "--strict", str(folder)]) == 0, capsys.readouterr().out


def test_what_extends_a_shipped_spec_is_not_told_of_its_ways() -> None:
    assert found("name: mine\nextends: vgg16_bn\nset: {act: mish}\n") == []
    (told,) = found("name: mine\nextends: vgg16\nset: {norm: bn}\n")
    assert told.span is not None
    assert (told.code, told.span.text, "13 times" in told.label) == ("W302", "mine", True)


def test_the_library_s_functions_can_be_in_another_file(tmp_path: Path) -> None:
    (tmp_path / "blocks.arch").write_text("block wide(out, unread = 1) = conv(2 * out, 3, bias = true) -> norm\n")
    text = f'import "blocks.arch"\n{NET}    stage c1: wide(16)\n'
    findings = validate(Source("net.arch", text), tmp_path / "net.arch")
    assert [(each.code, each.span and each.span.text) for each in findings] == [("W302", "wide(16)")]


def test_another_input_size_may_have_other_warnings() -> None:
    text = f"{NET}    stage c1 / 2: maxpool(2)  # archdsl: allow W201\n"
    assert [each.code for each in found(text)] == ["W001"]
    assert validate(Source("net", text), None, (3, 33, 33)) == []
    assert validate(Source("net", text), None, (3, 64, 64)) == []


def test_a_file_says_so_much_and_no_more() -> None:
    text = "".join(f"block b{number}(out) = conv(out)\n" for number in range(500)) + NET
    assert len(found(text)) == 100


# ---- the command -----------------------------------------------------------------------------------------------------


@pytest.fixture
def net(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A file with a warning."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ARCHDSL_CACHE_DIR", str(tmp_path / "cache"))
    Path("net.arch").write_text(IDLE)
    return "net.arch"


@pytest.mark.parametrize(("words", "code"), [((), 0), (("--strict",), 1)])
def test_warnings_fail_if_asked_to(
    words: tuple[str, ...], code: int, net: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for _ in ("worked out", "from the cache"):
        assert main(["validate", net, *words]) == code
        out = capsys.readouterr().out
        assert out.startswith("warning[W301]: a part of the network that changes nothing\n")
        assert out.endswith("1 file checked: 1 warning\n")
    Path("wrong.arch").write_text(NET.replace("16", "0"))
    assert main(["validate", net, "wrong.arch", *words]) == 1
    assert capsys.readouterr().out.endswith("2 files checked: 1 error, 1 warning\n")
    assert main(["validate", net, "--no-cache", "--format", "github"]) == 0


@pytest.mark.parametrize(
    ("form", "pattern"),
    [
        ("full", r"^warning\[W301\]: "),
        ("concise", r"^net\.arch:4:15: warning\[W301\]: a part of .*: `c1` gives back its input unchanged$"),
        ("github", r"^::warning file=net\.arch,line=4,.*title=archdsl W301::"),
        ("json", r'"severity": "warning"'),
        ("sarif", r'"level": "warning"'),
    ],
)
def test_every_format_says_that_it_is_a_warning(
    form: str, pattern: str, net: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for _ in ("worked out", "from the cache"):
        assert main(["validate", net, "--format", form]) == 0
        out = capsys.readouterr().out
        assert re.search(pattern, out, re.MULTILINE), out
        if form in {"json", "sarif"}:
            json.loads(out)


def test_show_and_emit_say_nothing_of_warnings(net: str, capsys: pytest.CaptureFixture[str]) -> None:
    for command in ("show", "emit"):
        assert main([command, net]) == 0
        assert "W301" not in "".join(capsys.readouterr())
