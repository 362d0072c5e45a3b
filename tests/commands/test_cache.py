"""The cache of `validate`: a hit says what a miss said, and nothing that happens to the folder does harm."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from archdsl.commands import _cache
from archdsl.commands._cache import Cache, digest
from archdsl.commands._formats import FORMATS
from archdsl.commands._run import main
from archdsl.ops import installed

TOP = Path(__file__).parents[2]
GOOD = "name: net\ninput: 3x32x32\nstem: cna(16, 3)\n"
BAD = "name: net\ninput: 3x32x32\nstem: cna(16, 3) -> bottleneck(30, groups = 4)\nstages: {c2: botleneck(3)}\n"
HEAVY = ("lark", "yaml", "torch", "archdsl.syntax.parser", "archdsl.elaborate", "archdsl.driver", "importlib.metadata")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache, and the user in a folder with it; no package was asked for ops, after which nothing is kept."""
    installed.cache_clear()
    monkeypatch.setenv("ARCHDSL_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "cache" / "validate"


def validate(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    """What a run says."""
    code = main(["validate", *words])
    return (code, *capsys.readouterr())  # pyright: ignore


def worked_out(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A list of the files that are worked out from here on."""
    from archdsl.driver import validation

    seen: list[str] = []
    work = validation.validate

    def noted(source, *rest):
        seen.append(source.name)
        return work(source, *rest)

    monkeypatch.setattr(validation, "validate", noted)
    return seen


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("text", [GOOD, BAD], ids=["good", "bad"])
def test_a_hit_says_what_a_miss_said(
    text: str, format: str, folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("net.yaml").write_text(text)
    without = validate(capsys, "net.yaml", "--no-cache", "--format", format)
    assert not folder.exists()
    seen = worked_out(monkeypatch)
    first = validate(capsys, "net.yaml", "--format", format)
    second = validate(capsys, "net.yaml", "--format", format)
    assert without == first == second
    assert seen == ["net.yaml"]
    assert len(list(folder.iterdir())) == 1


def test_findings_in_other_files_keep_their_places(capsys: pytest.CaptureFixture[str]) -> None:
    Path("blocks.arch").write_text("block wrong(out) = conv(out) -> conv(out, groups = 7)\n")
    Path("net.yaml").write_text("import: blocks.arch\nname: net\ninput: 3x32x32\nstem: wrong(16) -> bottleneck(0)\n")
    first, second = validate(capsys, "net.yaml"), validate(capsys, "net.yaml")
    assert first == second
    assert "blocks.arch:1:" in first[1]


def test_other_options_texts_and_imports_are_other_questions(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    net, block = Path("net.yaml"), Path("block.arch")
    block.write_text("block mine(out) = cna(out)\n")
    net.write_text("import: block.arch\nname: net\ninput: 3x32x32\nstem: mine(16)\n")
    seen = worked_out(monkeypatch)
    for _ in range(2):
        assert validate(capsys, "net.yaml")[0] == 0
    assert len(seen) == 1
    for _ in range(2):
        validate(capsys, "net.yaml", "--input", "3x64x64")
    assert len(seen) == 2
    block.write_text("block mine(out) = cnna(out)\n")
    for _ in range(2):
        assert "did you mean `cna`" in validate(capsys, "net.yaml")[1]
    assert len(seen) == 3
    net.write_text("name: net\ninput: 3x32x32\nstem: cna(16)\n")
    assert validate(capsys, "net.yaml")[0] == 0
    assert len(seen) == 4


def test_an_import_that_leads_elsewhere_is_another(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    outside = tmp_path / "outside.arch"
    inside = tmp_path / "tree" / "real.arch"
    inside.parent.mkdir()
    for path in (outside, inside):
        path.write_text("block mine(out) = cna(out)\n")
    link = inside.with_name("link.arch")
    link.symlink_to(inside)
    Path("tree/net.yaml").write_text("import: link.arch\nname: net\ninput: 3x32x32\nstem: mine(16)\n")
    assert validate(capsys, "tree/net.yaml")[0] == 0
    link.unlink()
    link.symlink_to(outside)
    assert "E502" in validate(capsys, "tree/net.yaml")[1]


def test_what_depends_on_missing_files_is_not_kept(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("net.yaml").write_text("import: block.arch\nname: net\ninput: 3x32x32\nstem: mine(16)\n")
    assert "E501" in validate(capsys, "net.yaml")[1]
    assert list(folder.iterdir()) == []
    Path("block.arch").write_text("block mine(out) = cna(out)\n")
    assert validate(capsys, "net.yaml")[0] == 0


def spoilt(entry: str) -> dict[str, str]:
    """An entry, spoilt in many ways; some with a sum that fits."""
    _, _, body = entry.partition("\n")
    key = next(iter(Path(os.environ["ARCHDSL_CACHE_DIR"], "validate").iterdir())).stem
    data = json.loads(body)
    finding = data["findings"][0]

    def signed(**changes: object) -> str:
        text = json.dumps(data | changes)
        return f"{digest(key + text)}\n{text}"

    return {
        "empty": "",
        "cut": entry[:-20],
        "one letter": entry.replace("botleneck", "botlenack"),
        "no sum": body,
        "another sum": f"{'0' * 64}\n{body}",
        "no JSON": f"{digest(key + '{')}\n{{",
        "deep": f"{digest(key + '[' * 50_000)}\n{'[' * 50_000}",
        "a list": f"{digest(key + '[]')}\n[]",
        "no findings": signed(findings=None),
        "an odd finding": signed(findings=[["E101"]]),
        "a number for a text": signed(findings=[[1, *finding[1:]]]),
        "a place outside": signed(findings=[[*finding[:2], [0, 0, 10**9], *finding[3:]]]),
        "a place in no text": signed(findings=[[*finding[:2], [9, 0, 1], *finding[3:]]]),
        "a place of texts": signed(findings=[[*finding[:2], ["0", "0", "1"], *finding[3:]]]),
        "an odd severity": signed(findings=[[*finding[:-3], "fatal", *finding[-2:]]]),
        "odd imports": signed(imports=[1]),
        "imports of a pipe": signed(imports=[["/dev/zero", "/dev/zero", ""]]),
        "odd sources": signed(sources={"a": 1}),
    }


def test_spoilt_entries_are_ignored_and_rewritten(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("net.yaml").write_text(BAD)
    said = validate(capsys, "net.yaml")
    (path,) = folder.iterdir()
    entry = path.read_text()
    for name, text in spoilt(entry).items():
        path.write_text(text)
        assert validate(capsys, "net.yaml") == said, name
        assert path.read_text() == entry, name
    path.write_bytes(b"\xff\x00" * 100)
    assert validate(capsys, "net.yaml") == said


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names here")
def test_links_and_pipes_in_the_folder_are_not_followed(
    tmp_path: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("net.yaml").write_text(BAD)
    said = validate(capsys, "net.yaml")
    (path,) = folder.iterdir()
    mine = tmp_path / "mine"
    path.rename(mine)
    kept = mine.read_text()
    path.symlink_to(mine)
    assert validate(capsys, "net.yaml") == said
    assert not path.is_symlink()
    assert mine.read_text() == kept
    path.unlink()
    os.mkfifo(path)
    assert validate(capsys, "net.yaml") == said
    assert path.is_file()


@pytest.mark.parametrize("kind", ["a file", "a link", "open to all"])
def test_a_folder_that_is_none_or_not_mine_is_not_used(
    kind: str, tmp_path: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder.parent.mkdir()
    if kind == "a file":
        folder.write_text("")
    elif kind == "a link":
        (tmp_path / "other").mkdir()
        folder.symlink_to(tmp_path / "other")
    else:
        folder.mkdir()
        folder.chmod(0o777)
    Path("net.yaml").write_text(GOOD)
    for _ in range(2):
        assert validate(capsys, "net.yaml")[:2] == (0, "1 file checked: no errors\n")
    assert [*tmp_path.glob("other/*")] == []
    assert kind == "a file" or [*folder.iterdir()] == []


def test_a_folder_that_goes_away_is_no_trouble(folder: Path) -> None:
    cache = Cache(folder)
    from archdsl.diagnostics import Source

    cache.put("key", Source("net.yaml", GOOD), [], [])
    assert cache.folder is None
    cache.tidy()
    assert cache.get("key", Source("net.yaml", GOOD)) is None


def test_the_folder_stays_small(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_cache, "MOST_ENTRIES", 10)
    for number in range(25):
        Path("net.yaml").write_text(f"{GOOD}# {number}\n")
        validate(capsys, "net.yaml")
        assert len(list(folder.iterdir())) <= 10
    monkeypatch.setattr(_cache, "MOST_BYTES", 1)
    validate(capsys, "net.yaml")
    assert len(list(folder.iterdir())) < 10
    monkeypatch.setattr(_cache, "LARGEST_ENTRY", 10)
    Path("net.yaml").write_text(f"{GOOD}# last\n")
    validate(capsys, "net.yaml")
    before = len(list(folder.iterdir()))
    validate(capsys, "net.yaml")
    assert len(list(folder.iterdir())) <= before


def command(*words: str) -> list[str]:
    """A run in a process of its own; it names the heavy modules that it imported."""
    code = (
        "import sys; from archdsl.commands._run import main; code = main(sys.argv[1:]);"
        f" print(*[name for name in {HEAVY!r} if name in sys.modules]); sys.exit(code)"
    )
    return [sys.executable, "-c", code, "validate", *words]


def environment() -> dict[str, str]:
    """Where the package is."""
    return os.environ | {"PYTHONPATH": str(TOP)}


@pytest.mark.parametrize("text", [GOOD, BAD], ids=["good", "bad"])
def test_a_hit_imports_nothing_heavy(text: str) -> None:
    Path("net.yaml").write_text(text)
    runs = [
        subprocess.run(command("net.yaml"), env=environment(), capture_output=True, text=True, check=False)
        for _ in range(2)
    ]
    assert all(run.returncode == int(text == BAD) and run.stderr == "" for run in runs)
    first, second = (run.stdout.splitlines() for run in runs)
    assert "lark" in first[-1]
    assert "torch" not in first[-1]
    assert second[-1] == ""
    assert second[:-1] == first[:-1]


def test_many_at_once(folder: Path) -> None:
    for number in range(6):
        Path(f"net{number}.yaml").write_text(BAD.replace("net", f"net{number}"))
    running = [
        subprocess.Popen(command("."), env=environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        for _ in range(4)
    ]
    said = {"\n".join(run.communicate()[0].splitlines()[:-1]) for run in running}
    assert len(said) == 1
    assert "6 files checked" in said.pop()
    assert len(list(folder.iterdir())) == 6
