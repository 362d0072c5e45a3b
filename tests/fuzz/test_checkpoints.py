"""Damaged checkpoints are read, or refused with a finding: at once, in bounded memory, and the model is as it was.

The short version of `fuzz_checkpoints.py`.
"""

from __future__ import annotations

import os
from collections import Counter

import pytest

pytest.importorskip("torch")
pytest.importorskip("safetensors")
if not hasattr(os, "fork"):
    pytest.skip("each case runs in a forked process", allow_module_level=True)

from tests.fuzz.damaging import FORMATS
from tests.fuzz.fuzz_checkpoints import Campaign

COUNT = 50
FIRST = 1_000_000
"""Apart from the numbers of campaigns, so that these cases are others."""


@pytest.fixture(scope="module")
def campaign(tmp_path_factory: pytest.TempPathFactory) -> Campaign:
    return Campaign(tmp_path_factory.mktemp("checkpoints"))


@pytest.mark.filterwarnings("ignore")  # what torch says while damaged files are made, and of a fork
@pytest.mark.parametrize("format", FORMATS)
def test_damaged_checkpoints(format: str, campaign: Campaign, capsys: pytest.CaptureFixture[str]) -> None:
    reached: Counter[str] = Counter()
    for number, how, outcome in campaign.cases(format, range(FIRST, FIRST + COUNT)):
        faults = [fault for fault in outcome.faults if not fault.startswith("it took")]
        assert not faults, f"{format} {number} ({how}): {faults}"
        reached[outcome.load] += 1
    with capsys.disabled():
        print(f"\n{format}: {dict(reached)}")
    assert reached
