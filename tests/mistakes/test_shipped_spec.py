"""The eight mistakes that every tool was given, written into a shipped spec: found, to the column, with a way out."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest

from archdsl.diagnostics import Source
from archdsl.driver.validation import validate
from archdsl.resources import folder

SPEC = folder("specs") / "resnext50.yaml"


class Slip(NamedTuple):
    """A text of the spec, what stands there by mistake (the place marked), and what is said of it."""

    title: str
    right: str
    wrong: str
    code: str
    label: str
    help: str


SLIPS = [
    Slip(
        "a typo in a key", "stages:", "«stagse»:", "E004", "`stagse` is not a key of a spec", "did you mean `stages`?"
    ),
    Slip(
        "a typo in a block's name",
        "6 * grouped(",
        "6 * «gruoped»(",
        "E101",
        "nothing here is called `gruoped`",
        "did you mean `grouped`?",
    ),
    Slip(
        "a wrong type",
        "4 * grouped(512, width = 256)",
        "4 * grouped(512, width = «wide»)",
        "E101",
        "nothing here is called `wide`",
        "an int is needed here",
    ),
    Slip(
        "groups",
        "width = 256",
        "width = «250»",
        "E203",
        "32 groups do not divide the 250 output channels",
        "the nearest widths that 32 divides are 224 and 256",
    ),
    Slip(
        "a sum that does not fit",
        "3 * grouped(256, width = 128)",
        "«identity + grouped(256, width = 128)»",
        "E202",
        "64x56x56 and 256x56x56 cannot be added",
        "equal channels are needed: project the other one, `project(256)`",
    ),
    Slip(
        "a negative width",
        "width = 1024",
        "width = «-1024»",
        "E106",
        "`out` is -1024; at least 1 is needed",
        "did you mean `1024`?",
    ),
    Slip(
        "10^9 repeats",
        "6 * grouped(",
        "«1_000_000_000» * grouped(",
        "E401",
        "1,000,000,000 repeats; at most 1,000,000 ops are built",
        "a digit too many? The longest stage of ResNet-152 has 36 blocks",
    ),
    Slip(
        "an unclosed bracket",
        "grouped(512, width = 256)",
        "grouped(512, width = 256«»",
        "E001",
        "the text ends while `(` of line {line} is still open",
        "close it with `)`",
    ),
]


@pytest.mark.parametrize("slip", SLIPS, ids=lambda slip: slip.title)
def test_is_found_at_its_column(slip: Slip, tmp_path: Path) -> None:
    text = SPEC.read_text("utf-8")
    assert text.count(slip.right) == 1
    before, _, after = text.partition(slip.right)
    start, end = len(before) + slip.wrong.index("«"), len(before) + slip.wrong.index("»") - 1
    wrong = before + slip.wrong.replace("«", "").replace("»", "") + after
    [found] = validate(Source("resnext50.yaml", wrong), tmp_path / "resnext50.yaml")
    assert found.span is not None
    assert (found.span.start, found.span.end) == (start, end)
    label = slip.label.format(line=before.count("\n") + 1)
    assert (found.code, found.label, found.help) == (slip.code, label, slip.help)
