"""Draws networks of one stage that keeps the size of a map, or changes it, in ways that a look at the text may miss."""

from __future__ import annotations

import random

SETTINGS = (
    "act = mish",
    "act = maxpool(2)",
    "act = conv(4, 3)",
    "act = first0",
    "norm = identity",
    "conv.bias = true",
    "conv.padding = valid",
    "conv.padding = 1",
    "conv.stride = 2",
    "cna.stride = 2",
    "maxpool.stride = 1",
    "project.by = pooled",
    "basic.attention = se",
    "basic.attention = avgpool(3, 2)",
    "first0.stride = 2",
    "first0.inner = maxpool(2)",
    "first1.flag = true",
)
OPS = (
    "conv(4, 3)",
    "conv(4, 3, {s})",
    "conv(4, stride = {s})",
    "conv(4, [1, 3])",
    "conv(4, 2, padding = 0)",
    "conv(4, 2)",
    "conv(4, 3, padding = {p})",
    "conv(4, 3, dilation = 2)",
    "conv_transpose(4, 3, {s})",
    "maxpool(2)",
    "maxpool(3, {s})",
    "maxpool(2, {s}, padding = {p})",
    "avgpool(3, {s}, padding = {p})",
    "blurpool(3, {s})",
    "pad_channels(4, {s})",
    "adaptive_avgpool(4)",
    "adaptive_avgpool(8)",
    "global_avgpool",
    "reduce_mean(channels) -> conv(4)",
    "upsample(2)",
    "pad2d(1)",
    "split(2) -> concat",
    "relu",
    "identity",
    "norm",
    "act",
    "norm(gamma = 0.5)",
    "norm -> act",
)
BLOCKS = (
    "cna(4, 3)",
    "cna(4, 3, {s})",
    "cna(padding = {p})",
    "nac(4, 3, {s})",
    "basic(4)",
    "basic(4, {s})",
    "preact(4, 4)",
    "pooled(4, {s})",
    "se(2)",
    "eca",
    "csp({e}, cna(4), split(2), tail = cna(2))",
    "dense(1, {e}) -> conv(4)",
)
OWN = (
    "first{n}",
    "first{n}({s})",
    "first{n}(stride = {s}, flag = {f})",
    "first{n}(inner = ({e}))",
    "first{n}({s}, ({e}), flag = {f})",
    "handing(first{n}, stride = {s})",
)
LEADS = (
    "cna(4, 3)",
    "2 * basic(4)",
    "first{n}",
    "first{n}(inner = ({e}))",
    "2 * preact(4, 4)",
    "handing(first{n})",
    "{e}",
)
"""First links of lines; most have an open stride."""
COMBINATIONS = (
    "({e} -> {e})",
    "({e} + {e})",
    "(identity * ({e}))",
    "({e} * ({e}))",
    "(concat({e}, {e}) -> conv(4))",
    "(fork({e}, {e}) -> add)",
    "(concat(...[{e}, {e}]) -> conv(4))",
    "{k} * ({e})",
    "2 * ({e} if first else {e})",
    "(collect(2, {e}) -> concat -> conv(4))",
    "(concat(identity, collect({k}, {e}) -> concat) -> conv(4))",
    "with(act = relu6, {e})",
    "with(act = maxpool(2), {e})",
    "with(conv.stride = 2, {e})",
    "with(conv.bias = true, {e})",
    "share({e})",
    "({e} as part)",
    "({e} if {c} else {e})",
    "[{e}, {e}][{i}]",
)
CONDITIONS = ("stride == 1", "stride > 1", "flag", "not flag", "x.height > 4", "stride == 1 and x.channels == 4")
BODIES = (
    " = {e}",
    " =\n    inner -> {e}",
    ":\n    y = x -> {e}\n    return y -> {e}",
    ":\n    y = {e}\n    return x -> y",
    ":\n    if {c}:\n        return {e}\n    return {e}",
    ":\n    if {c}:\n        y = x -> {e}\n    else:\n        y = x -> inner\n    return y -> {e}",
    ":\n    y = x\n    for i in range({k}):\n        y = y -> {e}\n    return y",
    ":\n    y = x\n    z = x -> {e}\n    for i in range({k}):\n        y = y + z\n        z = z -> {e}\n    return y",
    ":\n    y = x\n    z = x\n    for i in range({k}):\n        y = z -> {e}\n        z = x -> {e}\n    return y",
    ":\n    y = x\n    if {c}:\n        y = x -> {e}\n    return y -> {e}",
    ":\n    a, b = x -> split(2)\n    return concat(a -> {e}, b) -> conv(4)",
    ":\n    return x * (x -> {e})",
    ":\n    return (x -> {e}) + (x -> inner)",
    ":\n    ys = [x -> {e}, x -> inner]\n    return concat(...ys) -> conv(4)",
)


class Stages:
    """One text after another."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.own = 0
        self.inside = False

    def text(self) -> str:
        """Blocks, and a backbone with a stage that should reduce by 2."""
        one, blocks = self.random.choice, list[str]()
        for self.own in range(3):
            self.inside = True
            body = self.filled(one(BODIES), 2)
            blocks.append(f"block first{self.own}(stride = 1, inner: block = {self.leaf()}, *, flag = false){body}\n")
        blocks.append("block handing(body: block, ...args) = body(...args)\n")
        self.own, self.inside = 3, False
        settings = self.random.sample(SETTINGS, self.random.choice([0, 0, 1, 2]))
        links = [self.filled(one(LEADS), 1), *(self.expression(2) for _ in range(self.random.randint(0, 2)))]
        size = one(["8 x 8", "8 x 8", "7 x 9", "2 x 2"])
        lines = [f"backbone net(s = {one([1, 1, 2])}, f = {one(['true', 'false'])}):", f"input 4 x {size}"]
        lines += [*settings, f"stage c1 / 2: {' -> '.join(links)}"]
        return "".join(blocks) + "\n    ".join(lines) + "\n"

    def leaf(self) -> str:
        """An op."""
        return self.filled(self.random.choice(OPS), 0)

    def expression(self, depth: int) -> str:
        """An op or a block, or several of them put together."""
        kinds = [OPS, OPS, BLOCKS, *([OWN] if self.own else []), *([COMBINATIONS] * 3 if depth else [])]
        return self.filled(self.random.choice(self.random.choice(kinds)), depth - 1)

    def filled(self, form: str, depth: int) -> str:
        """A form, with something drawn for each of its gaps."""
        while "{" in form:
            before, _, rest = form.partition("{")
            gap, _, after = rest.partition("}")
            form = before + self.gap(gap, depth) + after
        return form

    def gap(self, gap: str, depth: int) -> str:
        """An expression, a stride, a padding, a condition, a bool, a count, an index, or the number of a block."""
        one, inside = self.random.choice, self.inside
        match gap:
            case "e":
                return self.expression(max(depth, 0)) if depth > -2 else self.leaf()
            case "s":
                return one(["1", "1", "2", *(["stride", "stride if flag else 1"] if inside else ["s"])])
            case "p":
                return one(["same", "valid", "0", "1"])
            case "c":
                return one(CONDITIONS) if inside else one(["s == 1", "f", "true"])
            case "f":
                return one(["true", "false", "flag" if inside else "f"])
            case "k":
                return one(["1", "2", "0"])
            case "i":
                return one(["0", "1"])
            case _:
                return str(self.random.randrange(self.own))
