"""`archdsl help`, `list`, `--help` and `completion`: every word has a page, every command its examples."""

from __future__ import annotations

import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from archdsl.analyses.figures import COLUMNS
from archdsl.commands._run import GROUPS, main, module_of, names, parser_of
from archdsl.commands._topics import TOPICS, words
from archdsl.diagnostics.catalog import rules
from archdsl.elaborate.operators import FUNCTIONS
from archdsl.elaborate.signature import DECLARABLE
from archdsl.syntax.scopes import POLICIES, RESERVED, TURN_WORDS
from archdsl.syntax.text import LINE_WORDS
from archdsl.syntax.text import RESERVED as EXPRESSION_WORDS

OF_THE_LANGUAGE = {
    *(*LINE_WORDS, *EXPRESSION_WORDS, *RESERVED, *TURN_WORDS, *POLICIES, *FUNCTIONS, *DECLARABLE),
    *("backbone", "block", "fn", "import", "extends", "archdsl"),
} - {"True", "False", "None"}


def run(capsys: pytest.CaptureFixture[str], *line: str) -> tuple[int, str, str]:
    """Exit code, output, errors."""
    code = main(list(line))
    out, err = capsys.readouterr()
    return code, out, err


def test_every_word_of_the_language_has_a_page() -> None:
    assert OF_THE_LANGUAGE - set(words()) == set()


@pytest.mark.parametrize(
    ("word", "text"),
    [
        ("collect", "one-shot aggregation".capitalize()),
        ("stage", "stage c3 / 2: 4 * bottleneck(512)"),
        ("x", "`x.channels`"),
        ("index", "from 0"),
        ("e203", "# E203: groups must divide the channels"),
        ("A101", "It fires on"),
        ("memory_access", "archdsl.cost(SPEC).memory_access"),
        ("bound", "--device"),
        ("v100", "data sheet"),
        ("kaiming_normal", "initializer kaiming_normal("),
        ("stages", "key stages"),
        ("show", "usage: archdsl show"),
        ("resnet50", "spec resnet50"),
    ],
)
def test_a_word_has_its_page(word: str, text: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "help", word)
    assert (code, text in out) == (0, True), out


def test_a_word_with_two_meanings_has_both_pages(capsys: pytest.CaptureFixture[str]) -> None:
    out = run(capsys, "help", "expect")[1]
    assert "key expect" in out
    assert "expect: params ==" in out


def test_topics_hold_all_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "help")
    assert code == 0
    assert all(f"\n  {topic} " in out for topic in TOPICS)
    assert set(TOPICS["codes"].entries()) == set(rules())
    assert set(TOPICS["figures"].entries()) == set(COLUMNS)
    assert set(TOPICS["commands"].entries()) == set(names())


@pytest.mark.parametrize("topic", TOPICS)
def test_every_topic_is_listed_and_each_of_its_names_has_a_page(topic: str, capsys: pytest.CaptureFixture[str]) -> None:
    entries = TOPICS[topic].entries()
    assert run(capsys, "help", topic)[0] == 0
    assert run(capsys, "list", topic)[1].startswith(f"{topic} ({len(entries)})\n")
    for name in list(entries)[:200]:
        assert name in TOPICS[topic].page(name)


def test_an_unknown_word_leads_on(capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = run(capsys, "help", "colect")
    assert (code, "did you mean `collect`?" in err) == (2, True)


# ---- --help ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("columns", [80, 120])
def test_helps_fit_the_terminal(
    columns: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    for line in ([], *([name] for name in names())):
        out = run(capsys, *line, "--help")[1]
        assert max(map(len, out.splitlines())) <= columns, line


@pytest.mark.parametrize("name", names())
def test_every_command_has_examples_that_its_parser_takes(name: str) -> None:
    command = module_of(name)
    assert getattr(command, "GROUP", "") in GROUPS
    assert command.EXAMPLES
    for example in command.EXAMPLES:
        if example.startswith("archdsl "):
            first, *line = shlex.split(example.partition("|")[0])[1:]
            assert first == name
            parser_of(name, command).parse_args(line)


def test_commands_stand_in_groups(capsys: pytest.CaptureFixture[str]) -> None:
    out = run(capsys, "--help")[1]
    assert [title for title in GROUPS.values() if f"\n{title}:\n" in out] == list(GROUPS.values())
    assert out.index("Write specs:") < out.index("  validate ") < out.index("Inspect networks:") < out.index("  show ")


# ---- tables ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("columns", [80, 120])
@pytest.mark.parametrize(
    "line",
    [
        "show resnet50",
        "show inception_v3_aux",
        "show densenet121 --depth block --device v100",
        "compare resnet50 vovnet39 densenet121 --device v100",
        "compare resnet50 vovnet39",
        "diff resnet50 resnext50",
        "memory resnet50",
        "list",
        "help figures",
    ],
)
def test_tables_fit_the_terminal(
    line: str, columns: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    code, out, _ = run(capsys, *line.split())
    assert code == 0
    assert max(map(len, out.splitlines())) <= columns


# ---- completion ------------------------------------------------------------------------------------------------------

COMPLETIONS = {
    "archdsl va": {"validate"},
    "archdsl show --de": {"--depth", "--device"},
    "archdsl show --depth ": {"stage", "block", "op"},
    "archdsl show resnet5": {"resnet50"},
    "archdsl show --device v1": {"v100"},
    "archdsl help colle": {"collect"},
}
ASK = {
    "bash": "source {script}; COMP_WORDS=({line}{last}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); COMP_LINE='{line}'; "
    "_shtab_archdsl; printf '%s\\n' \"${{COMPREPLY[@]}}\"",
    "fish": "source {script}; complete -C '{line}'",
}


@pytest.mark.parametrize("shell", ASK)
@pytest.mark.parametrize("line", COMPLETIONS)
def test_completion_in_a_real_shell(shell: str, line: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("shtab")
    if shutil.which(shell) is None:
        pytest.skip(f"needs {shell}")
    script = tmp_path / "script"
    assert main(["completion", shell]) == 0
    script.write_text(capsys.readouterr().out, "utf-8")
    text = ASK[shell].format(script=script, line=line, last=" ''" if line.endswith(" ") else "")
    done = subprocess.run([shell, "-c", text], cwd=tmp_path, capture_output=True, text=True, check=False)
    offered = {row.split("\t")[0].split("=")[0].strip() for row in done.stdout.splitlines()}
    assert COMPLETIONS[line] <= offered, done.stderr


def test_completion_for_zsh_is_a_script_that_zsh_reads(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("shtab")
    assert main(["completion", "zsh"]) == 0
    script = tmp_path / "_archdsl"
    script.write_text(capsys.readouterr().out, "utf-8")
    assert script.read_text("utf-8").startswith("#compdef archdsl")
    if shutil.which("zsh"):
        assert subprocess.run(["zsh", "-n", script], check=False).returncode == 0
