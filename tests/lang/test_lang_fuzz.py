"""Whatever is written: it is built, or refused with a finding that can be shown; never anything else."""

from __future__ import annotations

import random
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from archdsl import driver
from archdsl.diagnostics import ArchError, Source
from archdsl.graph import verify
from tests.lang.case import cases, unmarked

CASES = [case for path in sorted((Path(__file__).parent / "cases").glob("*.txt")) for case in cases(path)]
TEXTS = [
    unmarked(text).text
    for case in CASES
    if case.file != "limits"
    for text in case.texts.values()
    if "range(" not in text
]
TEXT = """
conv relu bn norm act cna bottleneck csp osa ese identity concat fork split collect with share add flatten linear
maxpool global_avgpool x index first last y f g stem c1 in for if else and or not true false none return as fn block
stage output input expect training extends archdsl import int list tensor size len range sum zip max kernel groups
bias out init channels height 0 1 2 3 8 16 0.5 1e3 10 -> -> -> + * ** - // / % == < ( ) ( ) [ ] , , : = . ... ; " $
"""
WORDS = [*TEXT.split(), '"""', "\n", "\n    ", "\n        ", " "]
HEAD = "backbone net:\n    input 3 x 32 x 32\n    net: "


def try_out(text: str) -> None:
    """Builds the backbones of a text, if there are any; whatever is built holds together."""
    try:
        file = driver.opened(Source("net.arch", text))
        for backbone in file.backbones.values():
            verify(driver.compile(driver.Network.of(file, backbone)))
    except ArchError as error:
        str(error)


@settings(max_examples=250)
@given(st.lists(st.sampled_from(WORDS), max_size=25), st.sampled_from(["", HEAD, "block f(b: block, n = 3):\n    "]))
def test_words_in_any_order(words: list[str], head: str) -> None:
    try_out(head + " ".join(words) + "\n")


@settings(max_examples=250)
@given(st.randoms(use_true_random=False), st.integers(1, 4))
def test_changed_cases(chance: random.Random, changes: int) -> None:
    text = chance.choice(TEXTS)
    for _ in range(changes):
        text = change(text, chance)
    try_out(text)


def change(text: str, chance: random.Random) -> str:
    """A text with one thing changed: a word put in, taken out, put elsewhere, or put in place of another."""
    tokens = tokens_of(text)
    if not tokens:
        return text
    at, other = chance.randrange(len(tokens)), chance.randrange(len(tokens))
    match chance.randrange(5):
        case 0:
            tokens.insert(at, f" {chance.choice(WORDS)} ")
        case 1:
            del tokens[at]
        case 2:
            tokens[at] = tokens[other]
        case 3:
            tokens[at], tokens[other] = tokens[other], tokens[at]
        case _:
            tokens[at] = chance.choice(WORDS)
    return "".join(tokens)


def tokens_of(text: str) -> list[str]:
    """A text in pieces: words, numbers, signs, line ends with the blanks behind them."""
    pieces: list[str] = []
    for char in text:
        last = pieces[-1] if pieces else ""
        if last and ((is_word(char) and is_word(last[-1])) or (char == " " and not last.strip())):
            pieces[-1] += char
        else:
            pieces.append(char)
    return pieces


def is_word(char: str) -> bool:
    """Whether a sign is part of a name or a number."""
    return char.isalnum() or char in "_."
