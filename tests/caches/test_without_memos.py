"""A memo's key holds all that decides its result: without memos all answers are the same.

Memos are found in the source (`memos.py`), so a new one is tested without being entered anywhere. A memo whose key
leaves something out gives wrong answers to those who ask second; so the same is asked, in one random order, of the
package with its memos and without them, each in a process of its own (`answers.py`). The tests beside this one ask in
different orders and companies.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.caches.memos import memos

pytestmark = pytest.mark.slow

TOP = Path(__file__).parents[2]
MOST_UNCALLED = 0.4
"""Of the memos, so many may be where `answers.py` does not come: other errors, files of weights, families of networks,
whose tests hold all candidates at once against each alone."""


@cache
def answers(*options: str) -> dict[str, Any]:
    """The answers of a process, and what it called."""
    command = [sys.executable, "-m", "tests.caches.answers", *options]
    environment = os.environ | {"PYTHONPATH": str(TOP), "COLUMNS": "100"}
    done = subprocess.run(command, cwd=TOP, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_answers_are_the_same_without_memos() -> None:
    found, wanted = answers()["answers"], answers("--forget")["answers"]
    assert len(wanted) >= 30
    assert not [words for words, text in wanted.items() if "internal error" in text]
    assert {words: text for words, text in wanted.items() if text != found[words]} == {}


def test_most_memos_are_asked_for_them() -> None:
    called = set(answers("--forget")["called"])
    uncalled = [str(memo) for memo in memos() if memo.site not in called]
    assert len(uncalled) < MOST_UNCALLED * len(memos()), uncalled
