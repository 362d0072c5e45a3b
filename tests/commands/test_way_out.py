"""Nothing that anybody names or writes steers a terminal or a CI, whatever the command and its format."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unicodedata import category

import pytest

from archdsl.commands import _streams
from archdsl.commands._run import main, names
from archdsl.commands._streams import SafeStream
from tests.commands import way_out
from tests.commands.way_out import OURS, UNSEEN, command_lines, troubles

TOP = Path(__file__).parents[2]
HOSTILE = 'name: net\ndoc: "\\e[31mRED \\a\\n::error::INJECTED"\ninput: 3x8x8\nstem: cna(8)\n'


@pytest.fixture(autouse=True)
def plain_logs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("ARCHDSL_CACHE_DIR", str(tmp_path / "cache"))


def test_every_command_is_tried() -> None:
    assert {words[0] for words in command_lines("w", "g", "b", "m")} >= set(names())


def test_names_and_docs_steer_nothing() -> None:
    assert troubles(range(5)) == []


@pytest.mark.slow
def test_many_names_and_docs_steer_nothing() -> None:
    assert troubles(range(100, 140)) == []


@pytest.mark.parametrize(
    ("name", "broken"),
    [
        ("plain", lambda text: text),
        ("without_commands", lambda text: text),
        ("SafeStream.write", lambda self, text: self.stream.write(text)),
    ],
)
def test_what_is_let_through_is_found(name: str, broken: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(f"{_streams.__name__}.{name}", broken)
    assert troubles(range(6, 9))


# ---- the texts -------------------------------------------------------------------------------------------------------

SHOWN = [
    ("a\tb", "a    b"),
    ("\x1b[31mred\a", "\\x1b[31mred\\x07"),
    ("a\u202eb\u200d\u2028\U000e0041", "a\\u202eb\\u200d\\u2028\\U000e0041"),
    ("bytes \udcff", "bytes \\udcff"),
    ("a\r::error::b", "a\\x0d::error::b"),
    ("::error::b\nc\n \u00a0::debug::", "\\x3a:error::b\nc\n \u00a0\\x3a:debug::"),
    ("a ::b, x[::2]", "a ::b, x[::2]"),
    ("a ##[error]b ##VSO[c]", "a #\\x23[error]b #\\x23VSO[c]"),
    ("## [a](b)", "## [a](b)"),
]


@pytest.mark.parametrize(("text", "shown"), SHOWN)
def test_a_text_is_made_harmless(text: str, shown: str) -> None:
    stream = io.StringIO()
    SafeStream(stream).write(text)
    assert stream.getvalue() == shown


def test_a_line_may_come_in_parts() -> None:
    stream = io.StringIO()
    out = SafeStream(stream)
    for part in ("a", "::b", "\n", " ", "::c", "\n::d"):
        out.write(part)
    assert stream.getvalue() == "a::b\n \\x3a:c\n\\x3a:d"


@pytest.mark.parametrize(
    ("write", "text", "shown"),
    [
        (
            SafeStream.write_colored,
            "\x1b[1;31mred\x1b[0m\x1b[32mgreen\n::x",
            "\x1b[1;31mred\x1b[0m\\x1b[32mgreen\n\\x3a:x",
        ),
        (SafeStream.write_progress, "a\x1b[2J\nb", "\r\x1b[Ka\\x1b[2J\\nb"),
        (SafeStream.write_commands, "::error title=a::b\x1b", "::error title=a::b\\x1b\n"),
        (SafeStream.write_file, "    ::a\n# ##[b]\n", "    ::a\n# ##[b]\n"),
    ],
)
def test_what_we_add_ourselves_is_kept(write: Callable[[SafeStream, str], None], text: str, shown: str) -> None:
    stream = io.StringIO()
    write(SafeStream(stream), text)
    assert stream.getvalue() == shown


# ---- the cases -------------------------------------------------------------------------------------------------------


def test_a_doc_colors_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "net.yaml").write_text(HOSTILE)
    assert main(["show", str(tmp_path / "net.yaml")]) == 0
    assert capsys.readouterr().out.startswith("net  \\x1b[31mRED \\x07\n")
    assert main(["emit", str(tmp_path / "net.yaml")]) == 0
    out = capsys.readouterr().out
    assert "\n\\x1b[31mRED \\x07\n\\x3a:error::INJECTED\n" in out
    scope: dict[str, Any] = {}
    exec(out, scope)
    assert scope["__doc__"].endswith("\n\x1b[31mRED \a\n::error::INJECTED\n")


@pytest.mark.parametrize("words", ["fmt --check", "fmt --diff", "fmt", "validate", "show"])
def test_a_file_name_is_no_workflow_command(
    words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    name = "a\n::error file=x::pwned.arch"
    os.makedirs(Path(name).parent, exist_ok=True)
    for text in ("backbone net:\n  input 3 x 8 x 8\n  stem: cna(8)\n", "backbone net:\n  stem: can(8)\n"):
        Path(name).write_text(text)
        main([*words.split(), name])
        out, err = capsys.readouterr()
        assert not re.search(r"^\s*::", out + "\n" + err, re.MULTILINE)
        assert not re.search(r"^pwned", out + "\n" + err, re.MULTILINE)


def test_github_is_told_the_name_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a\n::b,%.arch").write_text("backbone net:\n    input 3 x 8 x 8\n    stem: can(8)\n")
    main(["validate", "--no-cache", "--format", "github", "a\n::b,%.arch"])
    assert capsys.readouterr().out.startswith("::error file=a%0A%3A%3Ab%2C%25.arch,line=3,col=11,")


# ---- real streams ----------------------------------------------------------------------------------------------------


def process(words: list[str], folder: Path, **streams: object) -> subprocess.Popen[bytes]:
    """A command under way."""
    environment = os.environ | {"PYTHONPATH": str(TOP), "PYTHONIOENCODING": "utf-8", "TERM": "xterm"}
    environment.pop("NO_COLOR")
    return subprocess.Popen([sys.executable, "-m", "archdsl", *words], cwd=folder, env=environment, **streams)  # type: ignore[call-overload]


def on_a_terminal(words: list[str], folder: Path) -> str:
    """All that a command writes to a terminal."""
    ours, theirs = os.openpty()
    with process(words, folder, stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs) as running:
        os.close(theirs)
        found = b""
        while True:
            try:
                part = os.read(ours, 65_536)
            except OSError:  # so Linux says that the other end is closed
                break
            if not part:
                break
            found += part
        running.wait()
    os.close(ours)
    return found.decode().replace("\r\n", "\n")


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="no terminals here")
@pytest.mark.parametrize(
    ("words", "colored"),
    [
        (["show", "net.yaml"], False),
        (["validate", "--no-cache", "x\x1b[32m.arch"], True),
        (["fmt", "--check", "x\x1b[32m.arch", "a\n::b\u202e.yaml"], True),
        (["emit", "net.yaml"], False),
        (["show", "--depth", "\x1b[31m"], False),
        (["show", "--\x1b[31m\u2028"], False),
        (["\x1b]0;a\a"], False),
    ],
)
def test_a_terminal_sees_our_colors_only(words: list[str], colored: bool, tmp_path: Path) -> None:
    (tmp_path / "net.yaml").write_text(HOSTILE)
    (tmp_path / "a\n::b\u202e.yaml").write_text(HOSTILE)
    (tmp_path / "x\x1b[32m.arch").write_text("backbone net:\n    stem: can(8) \x1b[31m\n")
    said = on_a_terminal(words, tmp_path)
    assert bool(OURS.search(said)) == colored
    assert said.strip()
    assert not [char for char in OURS.sub("", said) if char != "\n" and category(char) in UNSEEN]


def test_a_traceback_steers_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARCHDSL_DEBUG", "1")
    code = (
        "import sys, archdsl.commands.list as l; from archdsl.commands._run import main\n"
        "sys.argv = ['archdsl', 'list']\n"
        "def broken(options): raise ValueError('\\x1b[31m\\u202e')\n"
        "l.run = broken; main()\n"
    )
    environment = os.environ | {"PYTHONPATH": str(TOP)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "ValueError: \\x1b[31m\\u202e\n" in done.stderr
    assert not any(category(char) in way_out.UNSEEN and char != "\n" for char in done.stderr)
