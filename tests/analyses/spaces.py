"""Hand-written spaces: what makes the text of a line take different ways, and how candidates are drawn."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any, NamedTuple


class Space(NamedTuple):
    """A spec, and a candidate at random."""

    text: str
    draw: Callable[[Random], dict[str, Any]]


STAGES = """
backbone stages(w = [256, 512], n = [128, 160], d = [1, 2], l = 3):
    input 3 x 64 x 64
    stem: cna(32, 3, 2) -> cna(64, 3)
    stage c2:     d[0] * csp(osa(l, cna(n[0], 3), w[0] // 2, ese), cna(w[0]))
    stage c3 / 2: maxpool(3, 2) -> d[1] * csp(osa(l, cna(n[1], 3), w[1] // 2, ese), cna(w[1]))
    head: global_avgpool -> flatten -> linear(1000)
"""

GROUPS = """
backbone groups(w = 64, g = 4, k = 3):
    input 3 x 32 x 32
    stem: cna(w, k)
    stage c1 / 2: cna(w * 2, k, groups = g) -> conv(w // 3 + 1, k, padding = k // 2)
    c2: conv(g * 3, groups = x_groups(g))
    head: global_avgpool -> flatten -> linear(10)
fn x_groups(g) = 1 if g % 2 == 1 else 2
"""

RECURSION = """
fn fib(n):
    if n < 2:
        return 1
    return fib(n - 1) + fib(n - 2)

block tower(n, w):
    if n == 0:
        return identity
    if n > 3:
        return cna(w) -> tower(n - 2, w + 8)
    return conv(w) -> tower(n - 1, w)

backbone recursion(n = 3, w = [8, 16], deep = true, r = 0.5):
    input 3 x 32 x 32
    wide = [round(v * r) for v in w if v > 4]
    stem: cna(fib(n) + w[0])
    stage c1 / 2: tower(n, w[1]) -> maxpool(2)
    stage c2: (cna(sum(w)) if deep else identity) -> conv(max(wide))
    stage c3: len(unique(w)) * basic(w[-1] * 4)
    head: global_avgpool -> flatten -> linear(len(wide))
    output aux if training: c2 -> conv(w[0])
    output side: c3 -> split(0.25) -> concat
"""

CHOICES = """
block pick(kind: block, w) = kind(w) if w % 2 == 0 else conv(w)

block loopy(n, w):
    ys = [x]
    for i in range(n):
        y = concat(...ys) -> cna(w + 4 * i)
        ys = [...ys, y]
    return concat(...ys)

backbone choices(n = 3, w = 16, kind: block = cna, act_: block = relu, s = 1, e = 1e-5):
    input 3 x 33 x 47
    act = act_
    bn.eps = e
    stem: cna(w, 3, s)
    stage c1 / 2: maxpool(2) -> loopy(n, w) -> pick(kind, w)
    stage c2: n * cna(w + index)
    c3: collect(n, cna(w)) -> concat -> channel_shuffle(n)
    head: global_avgpool -> flatten -> linear(w)
"""

GATES = """
block gate(r) = x * (x -> global_avgpool -> conv(max(x.channels // r, 4)) -> relu -> conv(x.channels) -> sigmoid)

backbone gates(w = [8, 16, 24], d = [1, 2, 1], r = 4, ratio: float = 1, classes = 10, h = 2):
    input 3 x 64 x 64
    conv.bias = d[0] > 1
    stem: cna(w[0], 3, 2) -> gate(r)
    stage c2 / 2: (d[0] + 1) * bottleneck(w[1] * 4)
    stage c3 / 2: (d[1] * (basic(w[2]) -> gate(r))) if d[1] > 1 else cna(w[2], 3, 2)
    stage c4: dwsep(w[2] * ceil(ratio)) -> d[2] * dwsep(w[2] * ceil(ratio))
    part: split([w[0], w[2] * ceil(ratio) - w[0]]) -> concat
    head: global_avgpool -> flatten -> linear(classes)
    output p3: c3 -> upsample(h) -> (identity + (c2 -> conv(w[2])))
"""

LISTS = """
backbone lists(m = 3, w = 10, d = 2, q = [1, 2]):
    input 3 x 40 x 40
    stem: cna(w)
    stage c1 / 2: maxpool(2) -> m * cna(w * 2 if first else w * 3)
    stage c2: with(cna.kernel = 3, cna(w ** 2 // w) -> cna(w % 7 + 1))
    stage c3 / 2: dense(d + 1, cna(w, 3)) -> transition
    c4: (identity + conv(w)) if w == 13 else conv(abs(w - 12) + 1)
    c5: [conv(w), cna(w), identity][d % 3] -> conv(min(w, 8, 2 ** d), 1)
    c6: avgpool(3, 2) -> pad_channels(w + d)
    c7: fork(...[conv(v) for v in q]) -> concat -> count(q, 1) * cna(w)
    c8: fork(conv(w), identity) -> concat -> adaptive_avgpool(d + 1) -> reshape([w, -1])
    head: flatten -> linear(10)
"""

SHARED = """
block twice(w, k: size = 1):
    f = share(cna(w, k))
    y = x -> f
    return y + (y -> f) if x.channels == w else concat(x, y)

backbone shared(w = 16, v = 16, k: size = 3, pad: padding = same):
    input 3 x 20 x 24
    stem: conv(w)
    c1: twice(v, k)
    c2: conv(w, [k, 1], padding = pad) -> layer_norm
    c3: group_norm(v // 4) -> (identity * (global_avgpool -> conv(w) -> sigmoid))
    head: global_avgpool -> flatten -> linear(v) -> softmax
"""

SIZES = """
backbone sizes(s = 2, k = 3, w = 8, t = 2, d = 1, p = 0):
    input 3 x 37 x 53
    stem: cna(w, k, s, padding = p)
    c1: maxpool(t) -> conv(w * t, 3, dilation = d)
    c2: conv_transpose(w, 3, 2, output_padding = 1) -> avgpool(k, 1, padding = k // 2)
    c3: pixel_shuffle(2) -> upsample(t)
    stage c4 / 2: cna(w + d, 3)
    head: flatten -> linear(w)
"""

SLICES = """
backbone slices(w = 24, a = 4, b = 12, f = 0.25):
    input 3 x 16 x 16
    stem: conv(w) -> slice(a, b)
    c1: two(w) -> split(f) -> concat
    c2: cna(round(w * f)) -> conv(int(w / 4)) -> cna(floor(w / 5) + 1)
    c3: conv(int(log2(w)) if w == 16 else w // 2)
    head: global_avgpool -> flatten -> linear(10)
block two(w):
    y = x -> conv(w)
    return concat(y[:4], y[4:], x)
"""

HUGE = """
backbone huge(w = 64, m = 1000, d = 1):
    input 3 x 1024 x 1024
    stem: conv(w * m)
    c1: d * conv(w * m) -> conv(8)
    head: global_avgpool -> flatten -> linear(10)
"""

SPACES = {
    "stages": Space(
        STAGES,
        lambda r: {
            "w": [16 * r.randrange(2, 9) for _ in range(2)],
            "n": [8 * r.randrange(1, 9) for _ in range(2)],
            "d": [r.randrange(0, 4) for _ in range(2)],
            "l": r.randrange(1, 5),
        },
    ),
    "groups": Space(
        GROUPS,
        lambda r: {
            "w": r.choice([4, 8, 9, 12, 30]),
            "g": r.choice([1, 1, 2, 2, 3, 0]),
            "k": r.choice([1, 3, 3, 3, 3, 3, 3, 4]),
        },
    ),
    "recursion": Space(
        RECURSION,
        lambda r: {
            "n": r.randrange(0, 7),
            "w": [r.choice([8, 12, 16, 30, 7]) for _ in range(r.choice([1, 2, 2, 3]))],
            "deep": r.choice([True, True, True, False, False, 1]),
            "r": r.choice([0.5, 0.75, 1, 2.5]),
        },
    ),
    "choices": Space(
        CHOICES,
        lambda r: {
            "n": r.choice([0, 1, 2, 2, 3, 3]),
            "w": r.randrange(1, 24),
            "kind": r.choice(["cna", "conv", "dwsep", "cna(kernel = 3)", "bogus"]),
            "act_": r.choice(["relu", "silu", "se(4)"]),
            "s": r.choice([1, 1, 2]),
            "e": r.choice([1e-5, 1e-3, 1e-3, 1e-3, 2]),
        },
    ),
    "gates": Space(
        GATES,
        lambda r: {
            "w": [r.choice([8, 16, 24]) for _ in range(3)],
            "d": [r.randrange(0, 4) for _ in range(3)],
            "r": r.choice([1, 2, 4, 3]),
            "ratio": r.choice([2, 1.5, "5/2", 0.5, 2, 2]),
            "classes": r.randrange(0, 3),
            "h": r.choice([2, 2, 2, 2, 3]),
        },
    ),
    "lists": Space(
        LISTS,
        lambda r: {
            "m": r.randrange(0, 5),
            "w": r.choice([4, 6, 8, 12]),
            "d": r.randrange(0, 3),
            "q": [r.randrange(1, 4) for _ in range(r.randrange(1, 4))],
        },
    ),
    "shared": Space(
        SHARED,
        lambda r: {
            "w": r.choice([4, 8, 12]),
            "v": r.choice([4, 8, 8, 12]),
            "k": r.choice([1, 3, [1, 3]]),
            "pad": r.choice([[1, 0], "same", 1]),
        },
    ),
    "sizes": Space(
        SIZES,
        lambda r: {
            "s": r.randrange(1, 4),
            "k": r.choice([1, 3, 3, 5]),
            "w": r.choice([4, 8, 6]),
            "t": r.randrange(1, 4),
            "d": r.randrange(1, 3),
            "p": r.choice([0, 1]),
        },
    ),
    "slices": Space(
        SLICES,
        lambda r: {
            "w": r.choice([8, 12, 16, 40]),
            "a": r.randrange(0, 5),
            "b": r.choice([8, 12, -1]),
            "f": r.choice([0.25, 0.5, 0.3]),
        },
    ),
    "huge": Space(HUGE, lambda r: {"w": r.randrange(1, 90), "m": r.choice([1, 100, 1000]), "d": r.choice([1, 2, 5])}),
}
