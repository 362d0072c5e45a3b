"""`validate`: which files it takes, and what it says of those that cannot be read."""

from __future__ import annotations

import errno
import io
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from archdsl.commands._run import main
from archdsl.driver import imports
from archdsl.elaborate import budget
from tests.working import bounded

GOOD = "name: net\ninput: 3x32x32\nstages: {c2: cna(3)}\n"
TEXT = "backbone net:\n    input 3 x 32 x 32\n    stem: cna(3)\n"
FILES = {
    "a.yaml": GOOD,
    "b.arch": TEXT,
    "deep/er/c.yml": GOOD,
    "child.yaml": "name: child\nextends: resnet50\n",
    "eslint.yml": "extends: recommended\nrules: {}\n",
    "compose.yaml": "services: {}\n",
    ".venv/d.yaml": "stages: wrong\n",
    "node_modules/e.yaml": "stages: wrong\n",
    "notes.txt": "stages: wrong\n",
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Files of all kinds, and the user among them."""
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def validate(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    """What a run says."""
    return main(["validate", "--no-cache", *words]), capsys.readouterr().out


def test_a_folder_gives_its_specs(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "deep" / "loop").symlink_to(folder)
    said = "4 files checked, 2 YAML files skipped (not specs): no errors\n"
    assert validate(capsys, ".") == (0, said)
    assert validate(capsys, ".", "b.arch", "./") == (0, said)


def test_a_file_that_is_named_is_checked(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out = validate(capsys, "compose.yaml", ".venv/d.yaml")
    assert code == 1
    assert "`services` is not a key of a spec" in out
    assert "2 files checked" in out


@pytest.mark.parametrize(
    "words", [(".", "compose.yaml"), ("./compose.yaml", "."), (".", ".//compose.yaml", "compose.yaml")]
)
def test_a_file_that_is_named_beside_its_folder_is_checked_once(
    words: tuple[str, ...], folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out = validate(capsys, *words)
    assert (code, out.count("is not a key of a spec")) == (1, 1)
    assert "5 files checked, 1 YAML file skipped (not a spec): 1 error\n" in out


@pytest.mark.parametrize("text", ["", "\n", "# blocks, some day\n", "archdsl 1\n"])
def test_a_file_with_nothing_in_it_is_a_mistake(text: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("empty.arch").write_text(text)
    code, out = validate(capsys, "empty.arch")
    assert (code, "E308" in out, "there is nothing in this file" in out) == (1, True, True)


@pytest.mark.parametrize("command", ["validate", "fmt", "show"])
def test_a_file_that_is_not_there_may_be_another(
    command: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / ".chld.yaml").write_text(GOOD)
    assert main([command, "chld.yaml"]) == 1
    assert "  --> chld.yaml\n   = No such file or directory\n   = help: did you mean `child.yaml`?" in "".join(
        capsys.readouterr()
    )


def test_what_cannot_be_read_is_said(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("binary.arch").write_bytes(bytes(range(256)))
    Path("utf16.yaml").write_bytes(GOOD.encode("utf-16"))
    Path("large.arch").write_bytes(b"#" * 4_000_001)
    Path("loop1.arch").symlink_to("loop2.arch")
    Path("loop2.arch").symlink_to("loop1.arch")
    for name, said in {
        "nowhere.arch": "No such file or directory",
        "binary.arch": "this is not text in UTF-8 (byte 128)",
        "utf16.yaml": "this is not text in UTF-8 (byte 0)",
        "large.arch": "more than 4,000,000 bytes",
        "loop1.arch": "Too many levels of symbolic links",
        "/dev/zero": "more than 4,000,000 bytes",
        "a\x00b.arch": "this is not a path",
        "a\nb.arch": "No such file or directory",
        f"{'a' * 300}.arch": "File name too long",
    }.items():
        code, out = validate(capsys, name)
        shown = name.replace("\x00", "\\x00").replace("\n", "\\n")
        assert (code, f"\n  --> {shown}\n   = {said}\n" in out) == (1, True), out
        _, out = validate(capsys, name, "--format", "concise")
        assert f"{shown}:1:1: error[E" in out


def refusing(monkeypatch: pytest.MonkeyPatch, name: str, refused: Callable[[str], bool]) -> None:
    """Lets a function of `os` refuse some paths, as it does where the user may not go."""
    real = getattr(os, name)

    def function(path: object, *rest: object, **options: object) -> object:
        if refused(str(path)):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
        return real(path, *rest, **options)

    monkeypatch.setattr(os, name, function)


def test_a_folder_that_is_closed_is_said(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    refusing(monkeypatch, "scandir", lambda path: path.endswith("er"))
    code, out = validate(capsys, ".")
    assert (code, "error[E501]: the file cannot be read\n  --> deep/er\n" in out) == (1, True), out
    assert "4 files checked, 2 YAML files skipped" in out


def test_files_that_may_not_be_looked_at_are_said(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("stat", "open"):
        refusing(monkeypatch, name, lambda path: path.endswith(("c.yml", "a.yaml")))
    code, out = validate(capsys, "deep", "a.yaml")
    assert (code, out.count("= Permission denied")) == (1, 2), out


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names here")
def test_what_cannot_be_imported_is_said(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    os.mkfifo("pipe.arch")
    Path("loop.arch").symlink_to("loop.arch")
    Path("tree").mkdir()
    Path("outside.arch").write_text("block mine() = relu\n")
    Path("tree/link.arch").symlink_to("../outside.arch")
    for path, said in {
        "../pipe.arch": "is outside the spec's folder, `tree`",
        "../../../etc/passwd": "is outside the spec's folder, `tree`",
        "/etc/passwd": "is outside the spec's folder, `tree`",
        "link.arch": "is outside the spec's folder, `tree`",
        "nowhere.arch": "No such file or directory",
        f"{'a' * 300}.arch": "File name too long",
        ".": "Is a directory",
        "self.arch": "already imports this file, directly or through others",
    }.items():
        Path("tree/self.arch").write_text(f'import "{path}"\n{TEXT}')
        code, out = validate(capsys, "tree/self.arch")
        assert (code, said in out) == (1, True), out
    for path, said in {"pipe.arch": "this is not a regular file", "loop.arch": "does not lead to a file"}.items():
        Path("here.arch").write_text(f'import "{path}"\n{TEXT}')
        code, out = validate(capsys, "here.arch")
        assert (code, said in out) == (1, True), out


def test_imports_that_meet_again_are_read_once(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for level in range(25):
        below = f'import "n{level + 1}a.arch"\nimport "n{level + 1}b.arch"\n' if level < 24 else ""
        for side in "ab":
            Path(f"n{level}{side}.arch").write_text(f"{below}block m{level}{side}() = relu\n")
    Path("top.arch").write_text(f'import "n0a.arch"\n{TEXT}')
    assert validate(capsys, "top.arch") == (0, "1 file checked: no errors\n")


def test_imports_with_an_error_are_read_once(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for level in range(25):
        below = f'import "n{level + 1}a.arch"\nimport "n{level + 1}b.arch"\n' if level < 24 else "block oops(\n"
        for side in "ab":
            Path(f"n{level}{side}.arch").write_text(below)
    Path("top.arch").write_text(f'import "n0a.arch"\nimport "n0b.arch"\n{TEXT}')
    code, out = validate(capsys, "top.arch")
    assert (code, out.count("error[E001]"), out.count("imported here")) == (1, 2, 50)


def test_a_long_row_of_imports_is_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(1, 1200):
        Path(f"n{number}.arch").write_text(f'import "n{number + 1}.arch"\n')
    code, out = validate(capsys, "n1.arch")
    assert code == 1
    assert "more than 32 files import one another" in out


@pytest.mark.parametrize(("content", "said"), [(GOOD.encode(), "no errors"), (b"\xff", "is not text in UTF-8")])
def test_standard_input(
    content: bytes, said: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(content)))
    code, out = validate(capsys, "-")
    assert (code, said in out) == (int(said != "no errors"), True), out


def test_no_more_findings_of_a_file_are_shown_than_anybody_reads(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = "".join(f"    c{at}: stem -> relu\n" for at in range(150))
    (folder / "net.arch").write_text(f"backbone net:\n    input 3 x 8 x 8\n    stem: conv(4)\n{lines}")
    assert main(["validate", "net.arch"]) == 1
    assert capsys.readouterr().out.endswith("1 file checked: 100 errors\n")


def test_wrong_lines_without_an_end_are_not_all_looked_into(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = "".join(f"  s{at}: cov({at})\n" for at in range(2000))
    (folder / "many.yaml").write_text(f"name: net\ninput: 3x8x8\nstages:\n{lines}")
    (folder / "fork.arch").write_text(f"{TEXT}    s: fork({', '.join(f'cov({at})' for at in range(2000))})\n")
    with bounded(15_000_000):
        assert main(["validate", "--no-cache", "many.yaml", "fork.arch"]) == 1
    assert capsys.readouterr().out.endswith("2 files checked: 200 errors\n")


def test_the_networks_of_a_file_have_one_budget(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(budget, "MOST_APPLICATIONS", 100)
    networks = [f"backbone n{at}:\n    input 3 x 8 x 8\n    s: 20 * conv(index + {at})\n" for at in range(1, 50)]
    (folder / "net.arch").write_text("".join(networks))
    code, out = validate(capsys, "net.arch")
    assert (code, out.count("error[")) == (1, 1)
    assert "backbone n5:\n    |          ^^ up to here, the networks of this file take too much work together" in out
    (folder / "net.arch").write_text(f"{TEXT}{networks[0].replace('20', '200')}{networks[1]}")
    code, out = validate(capsys, "net.arch")
    assert (code, out.count("error[")) == (1, 1)
    assert "conv(index + 1)\n   |              ^^^^^^^^^^^^^^^ more than 100 blocks are applied" in out


@pytest.mark.parametrize(
    ("limit", "most", "said"),
    [
        ("MOST_IMPORTS", 20, 'import "m20.arch"\n    |        ^^^^^^^^^^ more than 20 files are imported'),
        ("LARGEST", 500, "^ this one brings the imports to more than 500 characters"),
    ],
)
def test_imports_are_counted_once_and_together(
    limit: str,
    most: int,
    said: str,
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(imports, limit, most)
    for at in range(60):
        Path(f"m{at}.arch").write_text(f"block m{at}() = relu\n")
    Path("top.arch").write_text("".join(f'import "m{at}.arch"\n' for at in range(60)) + TEXT)
    code, out = validate(capsys, "top.arch")
    assert (code, out.count("error[")) == (1, 1)
    assert said in out


def test_missing_imports_without_an_end_are_not_all_looked_for(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "top.arch").write_text("".join(f'import "m{at}.arch"\n' for at in range(5000)) + TEXT)
    with bounded(10_000_000):
        code, out = validate(capsys, "top.arch")
    assert (code, out.count("error[")) == (1, 100)
