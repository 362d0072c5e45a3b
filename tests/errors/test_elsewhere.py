"""A text that cannot be read as a whole: what is wrong in the rest is told, and nothing that follows from it."""

from __future__ import annotations

import random
from functools import cache

import pytest

from archdsl.diagnostics import Source, catalog
from archdsl.diagnostics.diagnostic import render
from archdsl.driver.partial_check import BY_TEXT
from archdsl.driver.validation import validate
from archdsl.frontend import read
from archdsl.frontend.format import to_arch, to_yaml
from archdsl.resources import folder

SIGNS = "()[]{},=:+*->"
INSERTED = (*SIGNS, '"', "'", "%", "!", "&", "|", "?", "@", "/", "\n", "  ")
UNREADABLE = {each.code for each in (catalog.SYNTAX, catalog.MIXED, catalog.YAML, catalog.DOCUMENT)}
MISSPELT = "net.arch", "backbone net:\n    input 3 x 8 x 8\n    stem: cna(8 +)\n    neck: {}\n"


@cache
def shipped() -> list[tuple[str, str]]:
    """All shipped texts without imports, in both notations, by name."""
    found: list[tuple[str, str]] = []
    for path in sorted([*folder("specs").iterdir(), *(folder("grammar") / "blocks").iterdir()]):
        document = read(Source(path.name, path.read_text(encoding="utf-8")))
        if not document.imports:
            found += [(f"{path.stem}.arch", to_arch(document)), (f"{path.stem}.yaml", to_yaml(document))]
    return found


def spoilt(chance: random.Random, text: str) -> str:
    """A text with one sign more, or less."""
    if chance.random() < 0.5:
        at = chance.randrange(len(text))
        return text[:at] + chance.choice(INSERTED) + text[at:]
    at = chance.choice([at for at, sign in enumerate(text) if sign in SIGNS])
    return text[:at] + text[at + 1 :]


@pytest.mark.parametrize("seed", range(3))
def test_nothing_follows_from_what_cannot_be_read(seed: int) -> None:
    chance = random.Random(seed)
    unreadable = 0
    for _ in range(200):
        name, text = chance.choice(shipped())
        findings = validate(Source(name, spoilt(chance, text)), None)
        codes = {each.code for each in findings}
        unreadable += bool(codes & UNREADABLE)
        assert not (codes & UNREADABLE and codes & BY_TEXT), render(findings)
    assert unreadable > 80


@pytest.mark.parametrize(
    ("line", "label"),
    [
        ("cnna(8)", "nothing here is called `cnna`"),
        ("cna(8, strid = 2)", "`cna` has no parameter `strid`"),
        ("cna(8, 3, kernel = 3)", "`kernel` is already given"),
    ],
)
def test_what_the_text_alone_says_is_told(line: str, label: str) -> None:
    name, text = MISSPELT
    syntax, other = validate(Source(name, text.format(line)), None)
    assert (syntax.code, other.label) == ("E001", label)


@pytest.mark.parametrize("line", ["stem -> conv(8, groups = 3)", "lost(8)", "linear(8)"])
def test_what_the_lost_line_may_change_is_not(line: str) -> None:
    name, text = MISSPELT
    assert [each.code for each in validate(Source(name, text.replace("8 +", "8, lost +").format(line)), None)] == [
        "E001"
    ]


@pytest.mark.parametrize("middle", ["a" * 900_000, " " * 900_000, "a " * 30_000, "1 " + "a b" * 200_000])
def test_long_texts_come_to_an_end(middle: str) -> None:
    text = f"name: net\ninput: 3x8x8\nstem: cna(8 +)\nhead: {middle}\n"
    assert "E001" in {each.code for each in validate(Source("net.yaml", text), None)}
