"""Shipped specs and blocks, changed as people, programs and ill will change them: by the parts of the grammar."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from functools import cache
from typing import NamedTuple

from archdsl.driver import SHIPPED
from archdsl.ops import vocabulary
from archdsl.resources import folder

TOKEN = re.compile(r"[A-Za-z_]\w*|[0-9][0-9_.]*|->|//|\*\*|[<>=!]=|\.\.\.|\"\"\"|[ \t]+|\n[ \t]*|.", re.DOTALL)
ENDINGS = ("arch", "yaml")
WORDS = """
x index first last fork concat collect split with share norm act block fn backbone stage input output expect extends
import return for in if elif else and or not true false none as training params macs name stages head stem set blocks
functions backbones sections drop args body repeat doc classes groups stride kernel out width
"""
SIGNS = """-> + * - / // % ** ( ) [ ] { } , : = == <= . ... | > & ' " # @ ! ?"""
NUMBERS = ["0", "1", "2", "3", "-1", "0.5", "1e3", "10**9", "999999999999", "1_000", "9" * 30, "9" * 60, "1e-40", "012"]
SNIPPETS = [
    "1000000000 * ", "x -> ", "identity + ", "share(", "with(act = mish, ", "collect(3, ", "split([1, 2])", "x[:1]",
    "[i for i in range(9)]", " if first else ", "lambda", "__class__", "...x", "{block: cna, args: [3]}", "&a ", "*a",
    "!!python/name:os.system ", "<<: ", "\ufeff", "\x00", "\x1b[31m", "\u202e", "é", "\r\n", "\n    ", "\n  ",
    "import \"../x.arch\"\n", "archdsl 1\n", "archdsl: 1\n", "(" * 60, "[" * 60, "- " * 50, "none", "1:30", "~",
]  # fmt: skip
MOST = 20_000


class Sample(NamedTuple):
    """A text, and the ending of the file that it could be."""

    ending: str
    text: str


@cache
def samples() -> tuple[Sample, ...]:
    """The shipped specs, small ones first, and all blocks with a network around each."""
    specs = [(path, path.read_text(encoding="utf-8")) for path in folder("specs").iterdir() if path.is_file()]
    found = [Sample(path.suffix[1:], without_docs(text)) for path, text in specs]
    blocks = [path.read_text(encoding="utf-8") for path in SHIPPED.block_files.values()]
    found += [Sample("arch", text + NETWORK) for text in blocks]
    return tuple(sorted(found, key=lambda each: len(each.text)))


NETWORK = "\nbackbone net(classes = 10):\n    input 3 x 32 x 32\n    stem: cna(16, 3)\n    stage c2 / 2: basic(32)\n"


def without_docs(text: str) -> str:
    """A spec without its doc, in which a change changes nothing."""
    return re.sub(r"^doc: \|\n(  .*\n|\n)*", "", text, flags=re.MULTILINE)


@cache
def names() -> tuple[str, ...]:
    """The names that a spec may use."""
    return (*WORDS.split(), *vocabulary(), *SHIPPED.blocks())


def mutated(chance: random.Random) -> Sample:
    """A sample with up to a dozen changes: often only one, often only of words, so that much of it stays right."""
    sample = samples()[int(len(samples()) * chance.random() ** 1.5)]
    parts = TOKEN.findall(sample.text)
    changes = GENTLE if chance.random() < 0.6 else CHANGES
    for _ in range(1 if chance.random() < 0.5 else chance.randint(2, 12)):
        parts = chance.choice(changes)(chance, parts)
        if len(parts) > MOST:
            break
    ending = sample.ending if chance.random() < 0.97 else chance.choice(ENDINGS)
    return Sample(ending, "".join(parts)[: 10 * MOST])


Parts = list[str]


def place(chance: random.Random, parts: Parts, wanted: Callable[[str], bool] = lambda part: True) -> int:
    """Where a part of some kind stands; anywhere, if there is none."""
    fitting = [at for at, part in enumerate(parts) if wanted(part)]
    return chance.choice(fitting) if fitting else chance.randint(0, max(len(parts) - 1, 0))


def replace(chance: random.Random, parts: Parts, wanted: Callable[[str], bool], new: str) -> Parts:
    """Another part of the same kind."""
    at = place(chance, parts, wanted)
    return [*parts[:at], new, *parts[at + 1 :]]


def other_name(chance: random.Random, parts: Parts) -> Parts:
    """Another name."""
    return replace(chance, parts, str.isidentifier, chance.choice(names()))


def typo(chance: random.Random, parts: Parts) -> Parts:
    """A letter too few, or twice."""
    at = place(chance, parts, str.isidentifier)
    name = parts[at] if parts else "x"
    cut = chance.randint(0, len(name))
    new = name[:cut] + (name[cut + 1 :] if chance.random() < 0.5 else name[max(cut - 1, 0) :])
    return [*parts[:at], new, *parts[at + 1 :]]


def other_number(chance: random.Random, parts: Parts) -> Parts:
    """Another number: a small one, or one from the list."""
    new = chance.choice([str(chance.randint(0, 300)), chance.choice(NUMBERS)])
    return replace(chance, parts, lambda part: part[:1].isdigit(), new)


def other_sign(chance: random.Random, parts: Parts) -> Parts:
    """Another sign."""
    return replace(
        chance,
        parts,
        lambda part: not part[:1].isalnum() and not part.isspace(),
        chance.choice([*SIGNS.split(), "\n", " "]),
    )


def without(chance: random.Random, parts: Parts) -> Parts:
    """A few parts fewer."""
    at = place(chance, parts)
    return [*parts[:at], *parts[at + chance.randint(1, 4) :]]


def again(chance: random.Random, parts: Parts) -> Parts:
    """Some parts once more, here or elsewhere."""
    at, to = place(chance, parts), place(chance, parts)
    return [*parts[:to], *parts[at : at + chance.randint(1, 20)], *parts[to:]]


def swapped(chance: random.Random, parts: Parts) -> Parts:
    """Two parts in each other's place."""
    if not parts:
        return parts
    at, to = place(chance, parts), place(chance, parts)
    new = list(parts)
    new[at], new[to] = new[to], new[at]
    return new


def inserted(chance: random.Random, parts: Parts) -> Parts:
    """Something of another kind in between."""
    at = place(chance, parts)
    new = chance.choice(
        [
            chance.choice(names()),
            chance.choice([*SIGNS.split(), "\n", " "]),
            chance.choice(NUMBERS),
            chance.choice(SNIPPETS),
        ]
    )
    return [*parts[:at], new, *parts[at:]]


def spliced(chance: random.Random, parts: Parts) -> Parts:
    """A piece of another sample."""
    other = TOKEN.findall(chance.choice(samples()).text)
    start, at = place(chance, other), place(chance, parts)
    return [*parts[:at], *other[start : start + chance.randint(1, 40)], *parts[at + chance.randint(0, 20) :]]


def wrapped(chance: random.Random, parts: Parts) -> Parts:
    """Some parts in brackets of a call."""
    at = place(chance, parts)
    end = at + chance.randint(1, 15)
    head = chance.choice(["(", "[", "share(", "2 * (", "concat(", "fork(", "collect(2, ", "with(act = mish, ", "csp("])
    return [*parts[:at], head, *parts[at:end], "]" if head == "[" else ")", *parts[end:]]


def moved_line(chance: random.Random, parts: Parts) -> Parts:
    """A line elsewhere, or indented otherwise."""
    lines = "".join(parts).split("\n")
    line = lines.pop(chance.randint(0, len(lines) - 1))
    lines.insert(chance.randint(0, len(lines)), chance.choice(["", "", " ", "    ", "\t"]) + line)
    return TOKEN.findall("\n".join(lines))


def like_name(chance: random.Random, parts: Parts) -> Parts:
    """A name of the text in place of another."""
    at, to = place(chance, parts, str.isidentifier), place(chance, parts, str.isidentifier)
    return replace(chance, parts, lambda part: part == parts[at], parts[to]) if parts else parts


GENTLE = [other_name, other_number, other_number, like_name]
CHANGES = [*GENTLE, other_sign, typo, without, again, swapped, inserted, spliced, wrapped, moved_line]
