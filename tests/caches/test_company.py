"""A file's findings are its own: the same alone and in any company, in any order, with the cache and without."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

from archdsl.commands._run import main
from archdsl.elaborate import budget
from tests.caches.agreeing import check_names, check_set, told
from tests.caches.file_sets import drawn

TOP = Path(__file__).parents[2]
CHUNK = 50


@pytest.mark.parametrize("first", range(0, 4 * CHUNK, CHUNK))
def test_random_sets(
    first: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    counts: Counter[str] = Counter()
    for seed in range(first, first + CHUNK):
        folder = tmp_path / str(seed)
        folder.mkdir()
        monkeypatch.chdir(folder)
        counts += check_set(drawn(seed), random.Random(seed))
    with capsys.disabled():
        print(f"\n{CHUNK} sets of files: {dict(counts)}")
    assert min(counts.values()) > 4
    assert len(counts) == 3


HEAD = "    input 3 x 8 x 8\n    stem: cna(16)\n"
ONE = f"""backbone net(classes = 10):
{HEAD}    stage c2: 3 * share(cna(16))
    head: global_avgpool -> flatten -> linear(classes)
"""
CASES: dict[str, dict[str, str]] = {
    "shared weights": {"one.arch": ONE, "two.arch": 'import "one.arch"\nbackbone kid extends net(classes = 5)\n'},
    "settings without effect": {
        f"{name}.arch": f"block own() = cna(8) -> with(act = silu, {line})\nbackbone {name}:\n{HEAD}    c: own\n"
        for name, line in (("one", "cna(8)"), ("two", "conv(8)"))
    },
    "one name, other contents": {
        f"{name}.arch": f"block cna(n) = {body}\nbackbone net:\n{HEAD}    c: cna(8)\n"
        for name, body in (("one", "conv(n)"), ("two", "conv(n, groups = 3)"), ("three", "conv(m)"))
    },
    "hidden names of specs": {
        "resnet18.arch": f"backbone resnet18:\n{HEAD}",
        "two.yaml": "import: resnet18.arch\nname: two\nextends: resnet18\n",
        "three.yaml": "name: three\nextends: resnet18\nset: {conv.bias: true}\n",
    },
    "imports that are wrong": {
        "one.arch": "block own(n) = conv(n)) -> relu\n",
        "two.arch": f'import "one.arch"\nbackbone net:\n{HEAD}    c: own(8)\n',
        "three.arch": f'import "two.arch"\nimport "one.arch"\nbackbone net:\n{HEAD}    c: own(8)\n',
    },
    "a limit": {
        f"{name}.arch": f"backbone net:\n{HEAD}    c: concat(...[cna(8 + i % {most}) for i in range({most})])\n"
        for name, most in (("one", 90), ("two", 60), ("three", 10))
    },
}


@pytest.mark.parametrize("files", CASES.values(), ids=CASES)
def test_sets(files: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(budget, "MOST_APPLICATIONS", 100)
    for name, text in files.items():
        Path(name).write_text(text, encoding="utf-8")
    for seed in range(3):
        check_names(list(files), random.Random(seed))


def test_what_is_kept_was_found_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ARCHDSL_CACHE_DIR", str(tmp_path / "cache"))
    for name, text in CASES["shared weights"].items():
        Path(name).write_text(text, encoding="utf-8")
    for words in (["one.arch", "two.arch"], ["two.arch", "one.arch"], ["two.arch"], ["one.arch"]):
        assert main(["validate", *words]) == 0, capsys.readouterr().out


def in_a_process(names: Sequence[str], folder: Path) -> object:
    """What a run in a process of its own says, as JSON."""
    command = [sys.executable, "-m", "archdsl", "validate", "--no-cache", "--format", "json", *names]
    environment = os.environ | {"PYTHONPATH": str(TOP)}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.stderr.count("\n") == 1, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("seed", [3, 11, 29])
def test_in_processes_of_their_own(seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    files = drawn(seed)
    for file in files:
        Path(file.name).write_text(file.text, encoding="utf-8", newline="")
    names = [file.name for file in files]
    alone = [each for name in names for each in in_a_process([name], tmp_path)]  # type: ignore[attr-defined]
    assert in_a_process(names, tmp_path) == alone
    assert len(alone) == sum(map(len, told(names).values()))
