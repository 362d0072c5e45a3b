"""Every example of the docs runs, and comes out as the docs say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from archdsl import driver
from archdsl.diagnostics import Source

DOCS = Path(__file__).parents[2] / "docs"
FENCE = re.compile(r"^```(arch|yaml|python)\n(.*?)^```", re.MULTILINE | re.DOTALL)
PAGES = ("language.md", "extending.md", "dicts.md", "families.md")


def examples() -> list[tuple[str, str, str]]:
    """(page and line, notation, text) of each example."""
    found: list[tuple[str, str, str]] = []
    for page in PAGES:
        text = (DOCS / page).read_text(encoding="utf-8")
        for match in FENCE.finditer(text):
            line = text.count("\n", 0, match.start()) + 1
            found.append((f"{page}:{line}", match[1], match[2]))
    return found


@pytest.mark.parametrize(("place", "notation", "text"), [pytest.param(*each, id=each[0]) for each in examples()])
def test_example_runs(place: str, notation: str, text: str) -> None:
    if notation == "python":
        compile(text, place, "exec")
        return
    file = driver.opened(Source(f"example.{notation}", text))
    for backbone in file.backbones.values():
        assert driver.compile(driver.Network.of(file, backbone)).root.totals.params > 0
    assert file.backbones or file.blocks
