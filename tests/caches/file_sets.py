"""Draws sets of files that have to do with each other, many of them wrong in some way.

They import and extend each other, define the same names, with the same content and with another, hide the names of
shipped blocks and specs, and use all that has an effect beyond the place where it stands: settings, `with`, shared
weights, local names of blocks, recursion, parameters by index. Half of them are then spoilt.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from typing import NamedTuple

from tests.fuzz.mutation import CHANGES, GENTLE, TOKEN, mutated
from tests.random_specs.drawing import Drawer

BLOCKS = """
block own(n, inner: block = relu, *, stride = 1) = cna(n, 3, stride) -> inner
block own(n = 8, *, stride = 1) = conv(n, 3, stride) -> with(act = gelu, act -> cna(n))
block own(n, *, stride = 1) = conv(n, 3, stride, bias = true) -> norm -> act
block hull(body: block) = body -> body
block hull(body: block) = (identity + body) -> relu
block hull(body: block) = with(act = silu, body) -> act
block k(n) = cna(8) -> (k(n - 1) if n > 0 else identity)
block k(n) = (k(n - 1) -> k(n - 1)) if n > 0 else relu
block pair(n = 8) = share(cna(n)) -> relu
block pair(n = 8) = 2 * share(conv(n, 3))
block cna(n, kernel = 1, stride = 1) = conv(n, kernel, stride)
block cna(n, kernel = 1, stride = 1) = conv(n, kernel, stride) -> bn -> silu
block joined(n = 8):
    a = conv(n, 3)
    return (x -> a) + conv(n)
block joined(n = 8):
    a = cna(n, 3)
    if n > {width}:
        return x -> hull(a + identity) -> a
    return x -> a
block joined(n = 8):
    return concat(x, x -> with(conv.bias = true, cna(n)))
block joined(n = 8):
    s = share(conv(n))
    return fork(x -> s, x -> s) -> add
"""
LINES = """
cna({width}, 3)
{count} * cna({width}, 3)
{count} * share(cna({width}))
share(cna({width})) -> relu
own({width})
own({width}, hardswish)
{count} * own({width})
hull(cna({width}))
hull(with(act = gelu, conv({width}, 3)))
hull(relu) -> hull(relu)
k({count})
k(20) -> k(30)
pair({width})
{count} * pair({width})
joined({width})
{count} * joined
conv({width}, 3, bias = true) -> norm -> act
conv({width}, 3, 2) -> relu
with(act = mish, cna({width}))
with(act = mish, conv({width}))
with(conv.bias = true, {count} * cna({width}, 3))
{count} * conv({width} + index)
identity
concat(cna({width}), identity)
concat(...[cna({width} + i) for i in range({count})])
basic({width}) -> se
dense({count}, nac({width}, 3))
csp(dark(8), cna(8))
maxpool(3, 2, padding = valid)
(identity + cna({width}))
"""
WRONG = """
botleneck({width})
conv({width}, groups = 3)
conv(1 / 0)
cna({width}, 99, padding = 0)
k(60) -> k(70)
joined(3) -> maxpool(64)
"""
SETTINGS = """
act = silu
act = identity
norm = identity
norm = group_norm(2)
conv.bias = true
conv.kernel = 3
cna.kernel = 3
own.n = 8
own.inner = gelu
bottleneck.gamma = 0
pair.n = 16
w = 8
layer = cna(8)
"""
VARIED = (
    "",
    "{line}",
    "hull({line})",
    "hull(hull(hull({line})))",
    "{count} * ({line})",
    "{count} * hull(cna({width}))",
    "with(act = mish, {line})",
    "with(conv.bias = true, {line})",
    "{line} -> cna({width})",
    "joined({width}) -> {line}",
    "(identity + ({line} -> conv(16)))",
)
NAMES = ("net", "kid", "other", "third", "resnet18", "vgg11")
SHIPPED = ("resnet20_cifar10", "resnet18", "vgg11")
FILES = ("one.arch", "two.arch", "three.arch", "four.yaml", "resnet18.arch")


class File(NamedTuple):
    """A file of a set: its name, and its text."""

    name: str
    text: str


def drawn(seed: int) -> list[File]:
    """A set of two to four files."""
    return Maker(random.Random(seed)).files()


class Maker:
    """One set of files."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.drawer = Drawer(chance.randrange(10**9))
        self.backbones: list[str] = []
        self.lines: list[str] = []
        """Those of the last backbone of this file."""

    def files(self) -> list[File]:
        """The files, those that are imported mostly before those that import them."""
        names = self.chance.sample(FILES, self.chance.choice([2, 2, 2, 3, 4]))
        return [File(name, self.text(name, names)) for name in names]

    def text(self, name: str, names: Sequence[str]) -> str:
        """The text of a file, maybe spoilt."""
        if name.endswith(".yaml"):
            text = self.yaml(names)
        else:
            text = self.small() if self.chance.random() < 0.2 else self.arch(name, names)
        if self.chance.random() < 0.85:
            return text
        parts = TOKEN.findall(text)
        for _ in range(self.chance.choice([1, 1, 2, 3])):
            parts = self.chance.choice(GENTLE if self.chance.random() < 0.8 else CHANGES)(self.chance, parts)
        return "".join(parts)

    def small(self) -> str:
        """A random spec, or a shipped one that is spoilt."""
        if self.chance.random() < 0.6:
            return self.drawer.spec(self.chance.randint(1, 2))
        while len((sample := mutated(self.chance)).text) > 2_000 or sample.ending != "arch":
            pass
        return sample.text

    def arch(self, name: str, names: Sequence[str]) -> str:
        """Imports, blocks and backbones."""
        self.lines = []
        circular = self.chance.random() < 0.03
        others = [each for each in (names if circular else names[: names.index(name)]) if each.endswith(".arch")]
        imports = [f'import "{other}"\n' for other in others if self.chance.random() < 0.6]
        chosen = self.chance.sample(NAMES, self.chance.choice([1, 1, 2, 3, 4]))
        backbones = [self.backbone(each) for each in chosen]
        blocks = self.blocks("".join(backbones))
        return "".join([*imports, *blocks, *backbones])

    def blocks(self, text: str) -> list[str]:
        """Definitions of what a text uses, one of a name, and now and then of more than that."""
        every = [f"block {text}" for text in BLOCKS.strip().removeprefix("block ").split("\nblock ")]
        named: dict[str, str] = {}
        for each in self.chance.sample(every, len(every)):
            name = each.removeprefix("block ").split("(")[0]
            rate = 0.1 if name == "cna" else 0.95 if re.search(rf"\b{name}\b", text) else 0.02
            if name not in named and self.chance.random() < rate:
                named[name] = self.filled(each)
        return [f"{text}\n" for text in named.values()]

    def backbone(self, name: str) -> str:
        """A backbone: one of a few lines, one much like the last, or what another is with some lines changed."""
        settings = self.some(SETTINGS, 1) if self.chance.random() < 0.5 else []
        parents = [*self.backbones, self.chance.choice(SHIPPED)]
        self.backbones.append(name)
        if self.lines and self.chance.random() < 0.6:
            self.lines = self.varied(self.lines)
        elif len(parents) > 1 and self.chance.random() < 0.4:
            given = self.chance.choice(["", "", "", "(classes = 5)", "(w = 4)"])
            stages = [f"stage c{self.chance.choice([1, 3])}: {text}" for text in self.some(LINES, 1)]
            body = [*settings, *stages] or ["act = relu"]
            return block(f"backbone {name} extends {self.chance.choice(parents)}{given}:", body)
        else:
            self.lines = self.some(LINES, 3, least=1)
        size = self.chance.choice(["8", "8", "16", "15"])
        sections = [f"c{at}: {text}" for at, text in enumerate(self.lines)]
        ends = [f"expect: params <= {self.chance.choice([2_000, 10**9])}"] if self.chance.random() < 0.15 else []
        body = [f"input 3 x {size} x {size}", *settings, "stem: cna(16, 3)", *sections]
        head = "head: global_avgpool -> flatten -> linear(classes)"
        return block(f"backbone {name}(classes = 10):", [*body, head, *ends])

    def varied(self, lines: list[str]) -> list[str]:
        """Lines with one of them in another block, under another setting, elsewhere, or left out."""
        at = self.chance.randrange(len(lines))
        changed = self.chance.choice(VARIED).replace("{line}", lines[at])
        new = [*lines[:at], *([self.filled(changed)] if changed else []), *lines[at + 1 :]]
        return new or ["cna(8)"]

    def yaml(self, names: Sequence[str]) -> str:
        """A backbone in YAML, which may extend one of those so far."""
        before = names[: names.index("four.yaml")]
        head = f"import: {before[-1]}\n" if before else ""
        if before and self.backbones and self.chance.random() < 0.7:
            return f"{head}name: kid\nextends: {self.chance.choice(self.backbones)}\nset: {{act: silu}}\n"
        (line,) = self.some(LINES, 1, least=1)
        return f"{head}name: yam\ninput: 3x8x8\nstem: cna(16, 3)\nstages:\n  c1: {line}\n"

    def some(self, table: str, most: int, least: int = 0) -> list[str]:
        """Some lines of a table, or, now and then, one that is wrong."""
        if table == LINES and self.chance.random() < 0.1:
            return self.some(WRONG, 1, least=1)
        return [
            self.filled(text)
            for text in self.chance.sample(table.strip().split("\n"), self.chance.randint(least, most))
        ]

    def filled(self, text: str) -> str:
        """A line with numbers in it."""
        width, count = str(self.chance.choice([8, 8, 8, 16, 4])), str(self.chance.choice([1, 2, 3]))
        return text.replace("{width}", width).replace("{count}", count)


def block(head: str, lines: Sequence[str]) -> str:
    """A head with lines below it."""
    return "".join([f"{head}\n", *(f"    {line}\n" for line in lines)])
