"""`archdsl fmt`, as a user has it: what it writes, what it prints, how it ends."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest

from archdsl.commands._run import main

UGLY = "backbone net:\n  stem:conv( 3 )  # a stem\n"
FINE = "backbone net:\n    stem: conv(3)  # a stem\n"
AS_YAML = "name: net\nstem: conv(3)  # a stem\n"
WRONG = "backbone net:\n    stem: )\n"


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, in which the command runs."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    """Exit code, output, errors."""
    code = main(["fmt", *words])
    out, err = capsys.readouterr()
    return code, out, err


def test_a_file_is_written_anew(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "net.arch").write_text(UGLY)
    assert run(capsys, "net.arch") == (0, "1 file formatted\n", "")
    assert (here / "net.arch").read_text() == FINE
    assert run(capsys, ".") == (0, "1 file unchanged\n", "")
    assert [path.name for path in here.iterdir()] == ["net.arch"]


def test_line_ends_and_byte_order_marks_are_gone(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "net.arch").write_bytes(b"\xef\xbb\xbf" + FINE.replace("\n", "\r\n").encode())
    (here / "mark.arch").write_bytes(b"\xef\xbb\xbf" + FINE.encode())
    assert run(capsys, ".", "--check")[0] == 1
    assert run(capsys, ".")[0] == 0
    assert (here / "net.arch").read_bytes() == (here / "mark.arch").read_bytes() == FINE.encode()


def test_a_link_stays_a_link(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "net.arch").write_text(UGLY)
    (here / "link.arch").symlink_to("net.arch")
    assert run(capsys, "link.arch")[0] == 0
    assert (here / "link.arch").is_symlink()
    assert (here / "net.arch").read_text() == FINE


def test_check_writes_nothing(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "net.arch").write_text(UGLY)
    (here / "fine.arch").write_text(FINE)
    code, out, err = run(capsys, ".", "--check")
    assert (code, err) == (1, "")
    assert out == "net.arch would change\n1 file would be formatted, 1 file unchanged\n"
    assert (here / "net.arch").read_text() == UGLY
    assert run(capsys, "fine.arch", "--check") == (0, "1 file unchanged\n", "")


def test_diff_writes_nothing(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "net.arch").write_text(UGLY)
    code, out, err = run(capsys, ".", "--diff")
    assert (code, err) == (0, "1 file would be formatted\n")
    assert "-  stem:conv( 3 )  # a stem\n+    stem: conv(3)  # a stem\n" in out
    assert (here / "net.arch").read_text() == UGLY
    assert run(capsys, ".", "--diff", "--check")[0] == 1


def test_a_file_with_errors_is_left_alone(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "net.arch").write_text(UGLY)
    (here / "wrong.arch").write_text(WRONG)
    code, out, err = run(capsys, ".")
    assert (code, out) == (1, "1 file formatted, 1 file with errors\n")
    assert "wrong.arch:2:11" in err
    assert (here / "wrong.arch").read_text() == WRONG
    assert (here / "net.arch").read_text() == FINE


def test_folders_may_hold_other_yaml(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "other.yaml").write_text("on:   push\n")
    assert run(capsys, ".") == (0, "1 file skipped (not a spec)\n", "")
    assert run(capsys, "other.yaml")[0] == 1
    assert (here / "other.yaml").read_text() == "on:   push\n"


def test_conversion_writes_beside(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "net.arch").write_text(UGLY)
    assert run(capsys, "net.arch", "--to", "yaml") == (0, "1 file converted\n", "")
    assert (here / "net.yaml").read_text() == AS_YAML
    assert (here / "net.arch").read_text() == UGLY
    code, _, err = run(capsys, "net.yaml", "--to", "arch")
    assert code == 2
    assert "net.arch is there already" in err
    assert run(capsys, "net.yaml", "--to", "arch", "--force")[0] == 0
    assert (here / "net.arch").read_text() == FINE
    assert run(capsys, "net.yaml", "--to", "yaml") == (0, "1 file unchanged\n", "")


def test_conversion_knows_double_endings(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "net.arch.yaml").write_text(AS_YAML)
    assert run(capsys, "net.arch.yaml", "--to", "arch")[0] == 0
    assert (here / "net.arch").read_text() == FINE


@pytest.mark.parametrize(
    ("words", "code", "printed"),
    [([], 0, FINE), (["--to", "yaml"], 0, AS_YAML), (["--check"], 1, "")],
)
def test_standard_input(
    words: list[str], code: int, printed: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(UGLY))
    assert run(capsys, "-", *words)[:2] == (code, printed)


def test_standard_input_with_errors_prints_nothing(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(WRONG))
    code, out, err = run(capsys, "-")
    assert (code, out) == (1, "")
    assert "<stdin>:2:11" in err


@pytest.mark.parametrize("words", [["--to", "yaml", "--check"], ["--to", "arch", "--diff"], ["--force"]])
def test_what_cannot_be_asked_for(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "net.arch", *words)[0] == 2


def test_a_file_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "nothing.arch")
    assert (code, out) == (1, "1 file with errors\n")
    assert "E501" in err


def test_a_change_of_meaning_is_refused(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("archdsl.frontend.format.arch.arch_text", lambda *_, **__: "backbone net\n")
    (here / "net.arch").write_text(UGLY)
    code, _, err = run(capsys, "net.arch")
    assert code == 2
    assert "it would say something else" in err
    assert (here / "net.arch").read_text() == UGLY
