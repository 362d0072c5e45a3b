"""Stages of a million modules: every command answers, or says that it looks at no more than so many one by one."""

from __future__ import annotations

from pathlib import Path

import pytest

from archdsl.analyses import flatten
from archdsl.commands._run import main

LONG = "    stage c2: 999_000 * conv(8)\n    stage c3: 20 * ((identity + conv(8)) -> relu)\n"
LISTED = "    stage c2: collect(3_000, cna(8)) -> concat -> conv(8)\n"
VARIED = "    stage c2: 3_000 * (conv(8 + index % 16) -> conv(8))\n"
SUMMED = ["validate --no-cache", "show", "show --format json", "memory", "memory --format json", "compare", "emit"]
SUMMED += ["emit --target json", "diff resnet18", "draw"]
ONE_BY_ONE = ["show --depth op", "lint", "build", "bench", "convert none.pt -o out.pt --spec"]


@pytest.fixture
def spec(tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """A spec with some stages."""
    path = tmp_path / "net.arch"
    path.write_text(f"backbone net:\n    input 8 x 4 x 4\n    stem: conv(8)\n{request.param}")
    monkeypatch.chdir(tmp_path)
    return str(path)


@pytest.mark.parametrize("spec", [LONG], indirect=True)
@pytest.mark.parametrize("words", SUMMED)
def test_what_is_summed_up_has_no_bound(words: str, spec: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*words.split(), spec]) == 0, capsys.readouterr().err
    assert len(capsys.readouterr().out) < 30_000


@pytest.mark.parametrize("spec", [LONG], indirect=True)
@pytest.mark.parametrize("words", ONE_BY_ONE)
def test_what_is_looked_at_one_by_one_is_bounded(words: str, spec: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*words.split(), spec]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("error[E401]: the network is too large\n")
    assert "`net` has more than 100,000 ops, which are not looked at or built one by one" in err
    assert "help: `show` without `--depth`" in err


@pytest.mark.parametrize("spec", [LISTED, VARIED], indirect=True, ids=["listed", "varied"])
@pytest.mark.parametrize("words", [*SUMMED, "show --depth op", "show --depth block"])
def test_thousands_that_differ_or_are_all_kept(words: str, spec: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*words.split(), spec]) == 0, capsys.readouterr().err


@pytest.mark.parametrize("spec", [VARIED], indirect=True)
def test_blocks_are_counted_like_ops(
    spec: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(flatten, "MOST_PARTS", 2_000)
    assert main(["show", "--depth", "block", spec]) == 1
    assert "`net` has more than 100,000 blocks" in capsys.readouterr().err
