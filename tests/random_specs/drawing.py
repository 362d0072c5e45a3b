"""Draws random specs: a typed strategy over stages, blocks, combinators and ops.

The drawer knows the shape of the tensor at hand, so that most of what it draws fits; now and then it does not look,
which is how the refusals are drawn, too.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import cache

from archdsl import ArchError, driver
from archdsl.driver import SHIPPED
from archdsl.ops import vocabulary
from tests.random_specs.definitions import DEFINITIONS, Own

Map = tuple[int, int]
"""Channels and size of a square feature map."""

Drawn = tuple[str, Map]
CAREFUL = 0.97
MOST_CHANNELS = 64


class Drawer:
    """One random spec after another; `seen` counts the ops, blocks and combinators, `nodes` those of each spec."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.seen: Counter[str] = Counter()
        self.nodes = 0
        self.own: list[Own] = []
        """The blocks of the spec at hand."""

    # ---- choices

    def one(self, *choices: object) -> str:
        """One of several texts."""
        return str(self.random.choice(choices))

    def width(self) -> int:
        """A number of channels."""
        return self.random.choice([4, 6, 8, 12, 16, 24])

    def odd(self, size: int) -> int:
        """An odd kernel that fits a map."""
        return self.random.choice([k for k in (1, 3, 5) if k <= size] or [1])

    def note(self, name: str) -> None:
        """Counts a node."""
        self.seen[name] += 1
        self.nodes += 1

    def rare_first(self, names: Iterable[str]) -> list[str]:
        """Names in random order, those that were seen seldom before the others."""
        return sorted(names, key=lambda name: self.seen[name] + 6 * self.random.random())

    # ---- the spec

    def spec(self, number: int) -> str:
        """A backbone of two or three stages, with settings, a block of its own, and a head."""
        self.nodes = 0
        self.own = []
        size = self.random.choice([8, 8, 12, 16])
        lines = [f"backbone drawn{number}(classes = {self.random.randint(2, 9)}):", f"    input 3 x {size} x {size}"]
        if self.random.random() < 0.5:
            lines.append(f"    act = {self.one('mish', 'silu', 'leaky_relu(0.2)', 'relu6', 'hardswish')}")
        if self.random.random() < 0.3:
            lines.append(f"    norm = {self.one('bn(eps = 1e-3)', 'group_norm(1)', 'layer_norm')}")
        text, at = self.link((8, size), 0)
        lines.append(f"    stem: conv(8, 3) -> norm -> act -> {text}")
        for stage in range(self.random.randint(2, 3)):
            text, after = self.chain(at, self.random.randint(2, 5), 2)
            lines.append(f"    part{stage}: {text}")
            at = after
        if self.random.random() < 0.3 and at[1] >= 4:
            lines.append(f"    stage final / 2: {self.one('cna', 'basic', 'bottleneck', 'preact')}({self.width() * 4})")
            self.note("stage")
        if self.random.random() < 0.3:
            lines.append("    output side if training: part0 -> global_avgpool -> flatten -> linear(classes)")
            self.note("output")
        lines.append(
            f"    head: {self.one('global_avgpool', 'global_maxpool', 'adaptive_avgpool(1)')} -> flatten"
            " -> linear(classes)"
        )
        return "\n".join([*(f"{own.text}\n" for own in self.own), *lines, ""])

    def chain(self, at: Map, links: int, depth: int) -> Drawn:
        """Several links."""
        self.note("chain")
        texts: list[str] = []
        for _ in range(links):
            text, at = self.link(at, depth)
            texts.append(text)
        return " -> ".join(texts), at

    def link(self, at: Map, depth: int) -> Drawn:
        """A link: an op, a block, or a combination of several."""
        kinds: list[Callable[[Map, int], Drawn]] = [self.op, self.op, self.block, self.own_block]
        if depth:
            kinds += [self.combination, self.combination]
        if at[0] > MOST_CHANNELS:
            self.note("conv")
            return "conv(8)", (8, at[1])
        return self.random.choice(kinds)(at, depth)

    # ---- ops

    def op(self, at: Map, depth: int) -> Drawn:
        """An op whose needs the tensor meets, or, seldom, any."""
        for name in self.rare_first(OPS):
            drawn = OPS[name](self, at)
            if drawn is None and self.random.random() > CAREFUL:
                drawn = f"{name}(3)", at
            if drawn is not None:
                self.note(name)
                return drawn
        return "relu", at

    # ---- blocks

    def block(self, at: Map, depth: int) -> Drawn:
        """A library block whose needs the tensor meets."""
        for name in self.rare_first(BLOCKS):
            drawn = BLOCKS[name](self, at)
            if drawn is not None:
                self.note(name)
                return drawn
        return "cna(8)", (8, at[1])

    def own_block(self, at: Map, depth: int) -> Drawn:
        """A block of the spec's own: one that it has already, or a new one."""
        if not self.own or self.random.random() < 0.4:
            kind = self.rare_first(DEFINITIONS)[0]
            self.note(kind)
            self.own.append(DEFINITIONS[kind](self, f"{kind}{len(self.own)}"))
        drawn = self.random.choice(self.own).call(self, at)
        return drawn or ("conv(8)", (8, at[1]))

    # ---- combinators

    def combination(self, at: Map, depth: int) -> Drawn:
        """Several blocks, put together in one of the ways that there are."""
        name = self.rare_first(COMBINATIONS)[0]
        self.note(name)
        return COMBINATIONS[name](self, at, depth - 1)

    def keeping(self, at: Map, depth: int) -> str:
        """A chain that comes back to the shape that it started from."""
        inside, after = self.chain(at, self.random.randint(1, 2), depth)
        if after == at:
            return f"({inside})"
        if after[1] != at[1]:
            inside = f"conv({self.width()}, {self.odd(at[1])})"
        self.note("conv")
        return f"({inside} -> conv({at[0]}))"

    def same_size(self, at: Map, depth: int) -> Drawn:
        """A branch that keeps the map's size, with any width."""
        text, after = self.link(at, depth)
        return (text, after) if after[1] == at[1] else (f"conv({at[0]}, 3)", at)


def repeat(self: Drawer, at: Map, depth: int) -> Drawn:
    """`n * a`, sometimes with its index."""
    if self.random.random() < 0.4:
        self.note("conv")
        step = self.random.choice([1, 2])
        count = self.random.randint(1, 3)
        return f"{count} * conv({at[0]} + {step} * index if last else {at[0]}, 3)", (at[0] + step * (count - 1), at[1])
    return f"{self.random.randint(0, 3)} * {self.keeping(at, depth)}", at


def total(self: Drawer, at: Map, depth: int) -> Drawn:
    """A residual."""
    return f"({self.one('identity', f'conv({at[0]})')} + {self.keeping(at, depth)})", at


def gate(self: Drawer, at: Map, depth: int) -> Drawn:
    """A gate over the whole map, or one number for each channel."""
    self.note("sigmoid")
    pooled = self.one("", "global_avgpool -> ")
    return f"(identity * ({pooled}conv({at[0]}) -> {self.one('sigmoid', 'hardsigmoid', 'tanh')}))", at


def concat(self: Drawer, at: Map, depth: int) -> Drawn:
    """Branches, side by side."""
    drawn = [self.same_size(at, depth) for _ in range(self.random.randint(1, 3))]
    texts, width = [text for text, _ in drawn], sum(channels for _, (channels, _) in drawn)
    if self.random.random() < 0.3:
        names = [f"branch{self.random.randint(0, 10**6)} = {text}" for text in texts]
        return f"concat({', '.join(names)})", (width, at[1])
    return f"concat({', '.join(texts)})", (width, at[1])


def fork(self: Drawer, at: Map, depth: int) -> Drawn:
    """Branches of equal shape, as a list, which an op joins."""
    parts = ", ".join(self.keeping(at, depth) for _ in range(2))
    how = self.random.choice(["add", "multiply", "concat", "softmax_list -> add", "stack -> reshape"])
    for name in ("add", "multiply", "softmax_list", "stack", "reshape"):
        self.seen[name] += how.startswith(name) or f"-> {name}" in how
    if how == "concat":
        return f"fork({parts}) -> concat", (2 * at[0], at[1])
    if how == "stack -> reshape":
        return f"fork({parts}) -> stack -> reshape([{2 * at[0]}, {at[1]}, {at[1]}])", (2 * at[0], at[1])
    return f"fork({parts}) -> {how}", at


def collect(self: Drawer, at: Map, depth: int) -> Drawn:
    """One-shot aggregation by hand."""
    count, width = self.random.randint(1, 3), self.width()
    return f"collect({count}, {self.one('cna', 'conv')}({width}, 3)) -> concat", (count * width, at[1])


def split(self: Drawer, at: Map, depth: int) -> Drawn:
    """The channels cut, and put together again."""
    if at[0] % 2:
        return "conv(8)", (8, at[1])
    half = at[0] // 2
    self.note("split")
    how = self.one("0.5", "2", f"[{half}, {half}]")
    return self.random.choice(
        [
            (f"split({how}) -> concat", at),
            (f"split({how}) -> add", (half, at[1])),
            (f"csp({self.keeping((half, at[1]), 0)}, cna({at[0]}), split({how}))", at),
        ]
    )


def with_(self: Drawer, at: Map, depth: int) -> Drawn:
    """A block under other settings."""
    width = self.width()
    setting = self.one("act = tanh", "conv.bias = true", "bn.momentum = 0.2, norm = bn", "act = identity")
    return f"with({setting}, {self.one('cna', 'plain')}({width}, {self.odd(at[1])}))", (width, at[1])


def share(self: Drawer, at: Map, depth: int) -> Drawn:
    """The same weights twice."""
    return f"concat(share(conv({at[0]}, {self.odd(at[1])})), avgpool(3, 1))", (2 * at[0], at[1])


def named(self: Drawer, at: Map, depth: int) -> Drawn:
    """A link under a name of its own."""
    self.seen["as"] += 1
    width = self.width()
    return f"conv({width}, 1) as named{self.random.randint(0, 10**6)}", (width, at[1])


COMBINATIONS: dict[str, Callable[[Drawer, Map, int], Drawn]] = {
    "repeat": repeat,
    "sum": total,
    "gate": gate,
    "concat": concat,
    "fork": fork,
    "collect": collect,
    "split": split,
    "with": with_,
    "share": share,
    "as": named,
}


# ---- ops by name -----------------------------------------------------------------------------------------------------


def keeps(*texts: str) -> Callable[[Drawer, Map], Drawn | None]:
    """An op that keeps the shape, in one of several spellings."""
    return lambda drawer, at: (drawer.one(*texts), at)


def where(test: Callable[[Map], bool], draw: Callable[[Drawer, Map], Drawn]) -> Callable[[Drawer, Map], Drawn | None]:
    """An op that not every map meets."""
    return lambda drawer, at: draw(drawer, at) if test(at) else None


def conv(drawer: Drawer, at: Map) -> Drawn:
    """A convolution of some kind."""
    width, kernel = drawer.width(), drawer.odd(at[1])
    if drawer.random.random() < 0.2 and at[1] >= 4:
        return f"conv({width}, {kernel}, 2)", (width, (at[1] + 1) // 2)
    extras = [
        "",
        ", bias = true",
        f", groups = {2 if at[0] % 2 == 0 and width % 2 == 0 else 1}",
        ", dilation = 2" if kernel == 3 else "",
        ", init = normal(std = 0.1)",
    ]
    kernels = [kernel, f"[1, {kernel}]", f"[{kernel}, 1]"]
    return f"conv({width}, {drawer.one(*kernels)}{drawer.one(*extras)})", (width, at[1])


def conv_transpose(drawer: Drawer, at: Map) -> Drawn:
    """A transposed convolution."""
    width = drawer.width()
    return f"conv_transpose({width}, 2, 2, padding = 0)", (width, at[1] * 2)


def half(name: str) -> Callable[[Drawer, Map], Drawn]:
    """A pool of 2 by 2."""
    return lambda drawer, at: (f"{name}(2)", (at[0], at[1] // 2))


OPS: dict[str, Callable[[Drawer, Map], Drawn | None]] = {
    "conv": conv,
    "conv_transpose": where(lambda at: at[1] <= 8, conv_transpose),
    "bn": keeps("bn", "bn(eps = 1e-3)", "bn(gamma = 0.5)"),
    "layer_norm": keeps("layer_norm", "layer_norm(over = all)"),
    "group_norm": lambda drawer, at: (f"group_norm({2 if at[0] % 2 == 0 else 1})", at),
    "instance_norm": where(lambda at: at[1] > 1, keeps("instance_norm", "instance_norm(affine = true)")),  # type: ignore[arg-type]
    "local_response_norm": keeps("local_response_norm(3)"),
    "maxpool": where(
        lambda at: at[1] >= 4,
        lambda drawer, at: drawer.random.choice(
            [("maxpool(2)", (at[0], at[1] // 2)), ("maxpool(3, 1)", at), ("maxpool(3, 2)", (at[0], (at[1] + 1) // 2))]
        ),
    ),
    "avgpool": where(
        lambda at: at[1] >= 4,
        lambda drawer, at: drawer.random.choice(
            [("avgpool(2)", (at[0], at[1] // 2)), ("avgpool(3, 1, count_include_pad = false)", at)]
        ),
    ),
    "lppool": where(lambda at: at[1] >= 4, half("lppool")),
    "adaptive_avgpool": where(lambda at: at[1] > 1, lambda drawer, at: ("adaptive_avgpool(2)", (at[0], 2))),
    "adaptive_maxpool": where(lambda at: at[1] > 4, lambda drawer, at: ("adaptive_maxpool(4)", (at[0], 4))),
    "blurpool": where(lambda at: at[1] >= 4, lambda drawer, at: ("blurpool", (at[0], (at[1] + 1) // 2))),
    "dropout": keeps("dropout", "dropout(0.1)"),
    "drop_path": keeps("drop_path(0.1)"),
    "upsample": where(
        lambda at: at[1] <= 8,
        lambda drawer, at: (drawer.one("upsample(2)", "upsample(2, mode = bilinear)"), (at[0], at[1] * 2)),
    ),
    "pad2d": where(
        lambda at: 2 < at[1] <= 16,
        lambda drawer, at: (
            drawer.one("pad2d(1)", "pad2d(1, mode = reflect)", "pad2d(1, mode = replicate)"),
            (at[0], at[1] + 2),
        ),
    ),
    "pixel_shuffle": where(
        lambda at: at[0] % 4 == 0 and at[1] <= 8, lambda drawer, at: ("pixel_shuffle(2)", (at[0] // 4, at[1] * 2))
    ),
    "pixel_unshuffle": where(
        lambda at: at[1] % 2 == 0 and at[0] <= 16, lambda drawer, at: ("pixel_unshuffle(2)", (at[0] * 4, at[1] // 2))
    ),
    "channel_shuffle": where(lambda at: at[0] % 2 == 0, keeps("channel_shuffle(2)")),  # type: ignore[arg-type]
    "slice": where(lambda at: at[0] > 4, lambda drawer, at: ("slice(1, 4)", (3, at[1]))),
    "pad_channels": lambda drawer, at: (f"pad_channels({at[0] + 2})", (at[0] + 2, at[1])),
    "permute": lambda drawer, at: ("permute([0, 2, 1])", at),
    "scale": keeps("scale(0.5)"),
    "learned_scale": keeps("learned_scale"),
    "layer_scale": keeps("layer_scale", "layer_scale(0.1)"),
    "affine": lambda drawer, at: (f"affine([{', '.join(['0.5'] * at[0])}], [{', '.join(['1'] * at[0])}])", at),
    "reduce_mean": lambda drawer, at: ("reduce_mean(over = channels)", (1, at[1])),
    "reduce_sum": lambda drawer, at: ("reduce_sum(over = channels)", (1, at[1])),
    "reduce_max": lambda drawer, at: ("reduce_max(over = channels)", (1, at[1])),
    **{
        name: keeps(name)
        for name in (
            "identity",
            "relu",
            "relu6",
            "elu",
            "selu",
            "celu",
            "gelu",
            "silu",
            "mish",
            "sigmoid",
            "hardsigmoid",
            "hardswish",
            "hardtanh",
            "tanh",
            "softplus",
            "softmax",
            "prelu",
            "leaky_relu",
        )
    },
}
"""How an op is drawn for a map; None where the map does not meet its needs."""

ELSEWHERE = {
    "concat",
    "add",
    "multiply",
    "stack",
    "softmax_list",
    "split",
    "reshape",
    "linear",
    "flatten",
    "global_avgpool",
    "global_maxpool",
}
"""Ops that combinators and heads draw."""


def tried(*texts: str) -> Callable[[Drawer, Map], Drawn | None]:
    """The first of some links that a map suits, and the map that it gives: for what has no way to be drawn above."""

    @cache
    def draw(at: Map) -> Drawn | None:
        for text in texts:
            with suppress(ArchError):
                spec = f"backbone net:\n    input {at[0]} x {at[1]} x {at[1]}\n    body: {text}\n"
                shape = driver.compile(driver.loads(spec)).sections[-1].shape
                if len(shape) == 3 and shape[1] == shape[2]:
                    return text, (shape[0], shape[1])
        return None

    return lambda drawer, at: draw(at)


def examples(name: str) -> list[str]:
    """The examples in an op's docstring."""
    return re.findall(r"^\s*Example: (.+)$", vocabulary()[name].__doc__ or "", re.MULTILINE)


KNOWN_OPS = frozenset(OPS)
OPS |= {name: tried(*examples(name)) for name in set(vocabulary()) - KNOWN_OPS - ELSEWHERE}


# ---- blocks by name --------------------------------------------------------------------------------------------------


def wide(text: str) -> Callable[[Drawer, Map], Drawn]:
    """A block that takes a width, and keeps the size."""

    def draw(drawer: Drawer, at: Map) -> Drawn:
        width = 4 * drawer.random.randint(1, 6)
        return text.format(width=width, half=width // 2), (width, at[1])

    return draw


def dense(drawer: Drawer, at: Map) -> Drawn:
    """A dense block."""
    count, growth = drawer.random.randint(1, 3), drawer.random.choice([4, 6])
    return f"dense({count}, {drawer.one('nac', 'cna')}({growth}, 3))", (at[0] + count * growth, at[1])


def osa(drawer: Drawer, at: Map) -> Drawn:
    """One-shot aggregation."""
    width = drawer.width()
    extras = ["", ", ese", ", residual = true" if width == at[0] else "", ", reduce = match(8)"]
    return f"osa({drawer.random.randint(1, 3)}, cna(8, 3), {width}{drawer.one(*extras)})", (width, at[1])


def csp(drawer: Drawer, at: Map) -> Drawn:
    """A cross stage partial block."""
    width = drawer.width()
    entry = drawer.one(f"paths({width})", f"halves({width})")
    extras = ["", ", cross_first = false", ", tail = identity"]
    return f"csp({drawer.random.randint(1, 2)} * dark({width}), cna({width}), {entry}{drawer.one(*extras)})", (
        width,
        at[1],
    )


def inception(drawer: Drawer, at: Map) -> Drawn:
    """GoogLeNet's module."""
    return "inception(4, 2, 4, 2, 6, 2)", (16, at[1])


def sized(text: str, width: int) -> Callable[[Drawer, Map], Drawn | None]:
    """A module of fixed width."""
    return where(lambda at: at[0] <= 32, lambda drawer, at: (text, (width, at[1])))


def shrinking(text: str, width: Callable[[int], int]) -> Callable[[Drawer, Map], Drawn | None]:
    """A module that reduces by valid windows of 3 and stride 2."""
    return where(lambda at: at[1] >= 7, lambda drawer, at: (text, (width(at[0]), (at[1] - 3) // 2 + 1)))


BLOCKS: dict[str, Callable[[Drawer, Map], Drawn | None]] = {
    "basic": wide("basic({width})"),
    "bottleneck": wide("bottleneck({width}, {half})"),
    "grouped": wide("grouped({width}, {half}, groups = 2)"),
    "preact": wide("preact({width})"),
    "preact_basic": wide("preact_basic({width})"),
    "plain": wide("plain({width})"),
    "cna": wide("cna({width}, 3)"),
    "cn": wide("cn({width})"),
    "nac": wide("nac({width}, 3)"),
    "dwsep": wide("dwsep({width})"),
    "match": wide("match({width})"),
    "project": wide("project({width})"),
    "pooled": wide("pooled({width})"),
    "dark": lambda drawer, at: (f"dark({at[0]})", at) if at[0] > 1 else None,
    "dense": dense,
    "two_way": lambda drawer, at: ("two_way(8, 4)", (8, at[1])),
    "transition": where(
        lambda at: at[0] % 2 == 0 and at[1] >= 4, lambda drawer, at: ("transition", (at[0] // 2, at[1] // 2))
    ),
    "osa": osa,
    "csp": csp,
    "paths": wide("paths({half}) -> concat"),
    "halves": wide("halves({half}) -> concat"),
    "swap": wide("halves({half}) -> swap -> concat"),
    "ese": keeps("ese"),
    "se": where(lambda at: at[0] >= 4, keeps("se(2)")),  # type: ignore[arg-type]
    "eca": keeps("eca(3)"),
    "inception": inception,
    "inception_a": sized("inception_a(8) -> conv(8)", 8),
    "inception_b": shrinking("inception_b -> conv(8)", lambda _: 8),
    "inception_c": sized("inception_c(4) -> conv(8)", 8),
    "inception_d": shrinking("inception_d -> conv(8)", lambda _: 8),
    "inception_e": sized("inception_e -> conv(8)", 8),
}
"""How a block is drawn for a map; None where the map does not meet its needs."""


KNOWN_BLOCKS = frozenset(BLOCKS)
BLOCKS |= {name: tried(name, f"{name}(8)", f"{name}(8, 3)") for name in SHIPPED.blocks() if name not in KNOWN_BLOCKS}
