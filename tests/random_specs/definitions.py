"""Draws blocks of a spec's own, each called several times in ways that differ: in lengths, shapes, numbers and blocks.

What two calls of one block may differ in is what the emitter has to tell apart when it makes one class of them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from drawing import Drawer, Drawn, Map


class Own(NamedTuple):
    """A block of a spec's own: its text, and how a call of it is drawn for a map; None where the map does not fit."""

    text: str
    call: Callable[[Drawer, Map], Drawn | None]


def body(head: str, *lines: str) -> str:
    """A block of several statements."""
    return "\n    ".join([f"{head}:", *lines])


def parameter(drawer: Drawer) -> str:
    """A parameter's name: one of few, so that blocks that call each other have equal ones."""
    return drawer.one("out", "width", "mid")


def length(drawer: Drawer) -> int:
    """The length of a list."""
    return drawer.random.choice([1, 2, 2, 3, 3, 4])


def several(drawer: Drawer, at: Map, count: int) -> str:
    """A block that gives a list of maps of this shape."""
    if drawer.random.random() < 0.3:
        drawer.note("collect")
        return f"collect({count}, {drawer.one('cna', 'conv')}({at[0]}, {drawer.odd(at[1])}))"
    return f"fork({', '.join(drawer.keeping(at, 0) for _ in range(count))})"


# ---- lists -----------------------------------------------------------------------------------------------------------


def joined(drawer: Drawer, name: str) -> Own:
    """A block of a list, called with lists of differing lengths."""
    joint = drawer.one("add", "add", "multiply", "softmax_list -> add", "concat", "stack -> flatten")
    text = f"block {name}() = x -> {joint} -> {drawer.one('relu', 'tanh', 'scale(0.5)')}"

    def call(drawer: Drawer, at: Map) -> Drawn:
        count = length(drawer)
        lists = f"{several(drawer, at, count)} -> {name}"
        if joint == "concat":
            return lists, (count * at[0], at[1])
        if joint == "stack -> flatten":
            return f"{lists} -> reshape([{count * at[0]}, {at[1]}, {at[1]}])", (count * at[0], at[1])
        return lists, at

    return Own(text, call)


def picking(drawer: Drawer, name: str) -> Own:
    """A block of a list that takes tensors out of it by number, and goes over it."""
    lines = drawer.random.choice(
        [
            ("ys = [y -> conv(x[0].channels, 3) for y in x]", "return concat(x[0], ...ys)"),
            ("ys = [y -> norm for y in x]", "return concat(...ys, x[0])"),
            ("y = x[0] -> conv(x[0].channels) -> act", "return concat(...x, y)"),
            ("y = x -> add", "return concat(y, x[len(x) - 1] -> relu, ...[z -> conv(y.channels) for z in x[1:]])"),
        ]
    )

    def call(drawer: Drawer, at: Map) -> Drawn:
        count = length(drawer)
        return f"{several(drawer, at, count)} -> {name}", ((count + 1) * at[0], at[1])

    return Own(body(f"block {name}()", *lines), call)


def crossing(drawer: Drawer, name: str) -> Own:
    """A block from lists to lists, repeated."""
    text = drawer.one(
        f"block {name}(n = 3) = fork(x[0] + x[1], x[1] -> conv(x[1].channels, n))",
        f"block {name}(n = 3) = fork(x[1], x[0] -> conv(x[0].channels, n) -> norm)",
        f"block {name}(n = 1) = [y -> conv(y.channels, n) -> relu for y in x]",
    )

    def call(drawer: Drawer, at: Map) -> Drawn:
        times = drawer.one("", "2 * ", "3 * ")
        argument = drawer.one("", "(1)", "(3)")
        join = drawer.one("concat", "add")
        lists = f"{several(drawer, at, 2)} -> {times}{name}{argument} -> {join}"
        return lists, (2 * at[0] if join == "concat" else at[0], at[1])

    return Own(text, call)


def gathering(drawer: Drawer, name: str) -> Own:
    """A block that collects the outputs of another one."""
    result, width = drawer.random.choice(
        [
            ("concat(x, ...ys)", lambda c, n, w: c + n * w),
            ("concat(...ys, x) -> channel_shuffle(1)", lambda c, n, w: c + n * w),
            ("concat(ys[n - 1], ys[0])", lambda c, n, w: 2 * w),
            ("[y -> norm for y in ys] -> add", lambda c, n, w: w),
        ]
    )
    text = body(f"block {name}(n, layer: block)", "ys = x -> collect(n, layer)", f"return {result}")

    def call(drawer: Drawer, at: Map) -> Drawn:
        count, out = drawer.random.randint(1, 4), drawer.width()
        layer = drawer.one(f"cna({out}, 3)", f"conv({out}) -> tanh", f"nac({out})")
        return f"{name}({count}, {layer})", (width(at[0], count, out), at[1])

    return Own(text, call)


def reducing(drawer: Drawer, name: str) -> Own:
    """A block that is given the block which makes one tensor of a list, whatever its length."""
    text = body(
        f"block {name}(join: block, n, out)",
        f"ys = x -> collect(n, {drawer.one('conv(out)', 'cna(out, 3)')})",
        f"return {drawer.one('ys -> join -> act', '[y -> norm for y in ys] -> join', 'ys -> join')}",
    )

    def call(drawer: Drawer, at: Map) -> Drawn:
        count, out = length(drawer), drawer.width()
        join = drawer.one("add", "multiply", "concat", "softmax_list -> add")
        return f"{name}({join}, {count}, {out})", (count * out if join == "concat" else out, at[1])

    return Own(text, call)


def widths(drawer: Drawer, name: str) -> Own:
    """A block with a list of numbers, of differing lengths."""
    in_a_row = drawer.random.random() < 0.5
    if in_a_row:
        text = body(
            f"block {name}(widths: list)", "y = x", "for w in widths:", "    y = y -> conv(w, 3) -> act", "return y"
        )
    else:
        text = f"block {name}(widths: list) = concat(...[conv(w) -> norm for w in widths]) -> act"

    def call(drawer: Drawer, at: Map) -> Drawn:
        given = [drawer.width() for _ in range(length(drawer))]
        return f"{name}({given})", (given[-1] if in_a_row else sum(given), at[1])

    return Own(text, call)


# ---- tensors ---------------------------------------------------------------------------------------------------------


def merging(drawer: Drawer, name: str) -> Own:
    """A block with a tensor as a parameter, called by another one, once or twice."""
    width = parameter(drawer)
    inner = drawer.one(
        f"concat(other, x) -> conv({width})",
        f"(x -> conv({width})) + (other -> conv({width}, 3))",
        f"(x -> conv({width}) -> sigmoid) * (other -> conv({width}))",
    )
    text = f"block {name}_two(other: tensor, {width}) = {inner}\n\n"
    steps = drawer.random.choice(
        [
            (f"return y -> {name}_two(x, {width})",),
            (f"return x -> {name}_two(y, {width})",),
            (f"z = x -> {name}_two(y, x.channels)", f"return y -> {name}_two(z, {width})"),
        ]
    )
    text += body(f"block {name}({width})", f"y = x -> conv({width} // 2, 3) -> act", *steps)

    def call(drawer: Drawer, at: Map) -> Drawn:
        out = drawer.width()
        return f"{name}({out})", (out, at[1])

    return Own(text, call)


def sliced(drawer: Drawer, name: str) -> Own:
    """A block that takes channels by their numbers."""
    text = drawer.one(
        f"block {name}(n) = concat(x[:n] -> conv(n, 3), x[n:])",
        f"block {name}(n) = concat(x[n:], x[:n] -> norm)",
        f"block {name}(n) = concat(x[n:] -> conv(x.channels - n, 3, groups = 1) -> act, x[:n])",
        f"block {name}(n) = concat(x, x[:n] -> sigmoid) -> conv(x.channels)",
    )

    def call(drawer: Drawer, at: Map) -> Drawn | None:
        return (f"{name}({drawer.random.randint(1, at[0] - 1)})", at) if at[0] > 1 else None

    return Own(text, call)


def halving(drawer: Drawer, name: str) -> Own:
    """A block that cuts its input by a share and by counts, and uses a part twice."""
    cut = drawer.one("split(2)", "split(0.5)", "split([x.channels // 2, x.channels // 2])")
    result = drawer.one("concat(b, y)", "concat(y + b, a)", "concat(y, a) -> channel_shuffle(2)")
    text = body(f"block {name}()", f"a, b = x -> {cut}", "y = b -> conv(b.channels, 3) -> norm", f"return {result}")

    def call(drawer: Drawer, at: Map) -> Drawn | None:
        return (f"{drawer.one('', '2 * ')}{name}", at) if at[0] % 2 == 0 else None

    return Own(text, call)


# ---- weights that are used again -------------------------------------------------------------------------------------


def sharing(drawer: Drawer, name: str) -> Own:
    """A block that uses the same weights again, on the same shape, on others, or in a list."""
    inner = drawer.one("conv(x.channels, 3) -> norm", "cna(x.channels, 3)", "conv(x.channels, 3, bias = true)")
    if drawer.random.random() < 0.3:
        return sharing_otherwise(drawer, name)
    used = drawer.random.choice(
        [
            ("y = x -> s", "return (y -> s) + x"),
            ("y = x -> s", "z = x -> avgpool(3, 1) -> s", "return concat(y, z) -> conv(x.channels)"),
            ("y = x -> s", "for i in range(2):", "    y = y -> s", "return y"),
            ("ys = [y -> s for y in x -> fork(identity, tanh, scale(2))]", "return ys -> add"),
            ("g = concat(x -> s, x -> adaptive_avgpool(1) -> s -> upsample(size = [x.height, x.width]))", "return g"),
        ]
    )
    twice = used[-1] == "return g"
    text = body(f"block {name}()", f"s = share({inner})", *used)

    def call(drawer: Drawer, at: Map) -> Drawn:
        return f"{drawer.one('', '', '2 * ') if not twice else ''}{name}", ((2 if twice else 1) * at[0], at[1])

    return Own(text, call)


def sharing_otherwise(drawer: Drawer, name: str) -> Own:
    """A block that uses weights again where what surrounds them does another thing, or does just the same."""
    wide, narrow = "y = x -> conv(x.channels + 2)", "y = x -> conv(x.channels)"
    head, *lines = drawer.random.choice(
        [
            ("s = share(pad_channels(24) -> conv(x.channels))", wide, "return (x -> s) + (y -> s)"),
            ("s = share(pad_channels(24) -> conv(x.channels))", narrow, "return (x -> s) + (y -> s)"),
            ("s = share(add -> conv(x.channels))", narrow, "return (fork(x, y) -> s) + (fork(x, y, x) -> s)"),
            ("s = share(reduce_mean(over = channels) -> conv(x.channels))", wide, "return (x -> s) + (y -> s)"),
            ("s = share(slice(0, 1) -> conv(x.channels))", wide, "return (x -> s) + (y -> s)"),
        ]
    )
    return Own(body(f"block {name}()", head, *lines), lambda drawer, at: (name, at))


# ---- blocks ----------------------------------------------------------------------------------------------------------


def recursive(drawer: Drawer, name: str) -> Own:
    """A block that calls itself."""
    text = drawer.one(
        f"block {name}(n, out) = cna(out) if n == 0 else concat({name}(n - 1, out), {name}(n - 1, out)) -> cn(out)",
        f"block {name}(n, out) = conv(out) if n == 0 else conv(out // 2, 3) -> {name}(n - 1, out) -> act",
        f"block {name}(n, out) = cn(out) if n < 1 else ({name}(n - 1, out) -> relu) + {name}(0, out)",
    )

    def call(drawer: Drawer, at: Map) -> Drawn:
        out = drawer.width()
        return f"{name}({drawer.random.randint(0, 2)}, {out})", (out, at[1])

    return Own(text, call)


def layered(drawer: Drawer, name: str) -> Own:
    """A block with a block as a parameter, which it uses in several shapes."""
    lines = drawer.random.choice(
        [
            ("y = x -> layer", "z = y -> conv(out) -> layer", "return z"),
            ("y = x -> conv(out, 3)", "return (y -> layer) + (y -> conv(out) -> layer)"),
            ("y = x -> layer -> conv(out)", "return concat(y, y -> layer) -> layer -> conv(out)"),
        ]
    )
    text = body(f"block {name}(layer: block, out)", *lines)

    def call(drawer: Drawer, at: Map) -> Drawn:
        out = drawer.width()
        layer = drawer.one("norm", "relu", "ese", "eca(3)", "norm -> act", "identity", "group_norm(1)")
        return f"{name}({layer}, {out})", (out, at[1])

    return Own(text, call)


def nested(drawer: Drawer, name: str) -> Own:
    """Two blocks whose parameters have the same names, and other values."""
    inner, outer = parameter(drawer), parameter(drawer)
    given = drawer.one("max(x.channels // 4, 1)", f"{outer} // 2", "x.channels", f"2 * {outer}", f"{outer}")
    gate = f"(global_avgpool -> conv({inner}, bias = true) -> relu -> conv(x.channels) -> sigmoid) * identity"
    layers = drawer.one(gate, f"conv({inner}, 3) -> norm", f"cna({inner}) -> cn(x.channels)", f"match({inner})")
    rest = drawer.one(f"cn({outer})", f"conv({outer}, 3)", f"cna({outer}, 3)")
    first = drawer.one(f"cna({outer})", f"cna({outer} * 2) -> cna({outer}, 3)", "norm")
    text = f"block {name}_in({inner}) = {layers}\n\nblock {name}({outer}) = {first} -> {name}_in({given}) -> {rest}"

    def call(drawer: Drawer, at: Map) -> Drawn:
        out = drawer.width()
        return f"{name}({out})", (out, at[1])

    return Own(text, call)


def conditional(drawer: Drawer, name: str) -> Own:
    """A block that does one thing or another, as shapes and arguments are."""
    head, *lines = drawer.random.choice(
        [
            (f"block {name}(out)", "y = x -> conv(out, 3)", "return x + y if x.channels == out else y"),
            (f"block {name}(out)", "return (x -> conv(out, 3) -> norm) if x.height > 8 else (x -> conv(out))"),
            (f"block {name}(out)", "if x.channels < out:", "    return x -> cna(out)", "return x -> basic(out)"),
            (f"block {name}(out)", "y = (x -> relu) + x if x.channels > 8 else x", "return y -> cn(out)"),
            (f"block {name}(out)", "k = 3 if out > 8 else 1", "return x -> conv(out, k, groups = 1) -> norm"),
        ]
    )

    def call(drawer: Drawer, at: Map) -> Drawn:
        out = drawer.random.choice([at[0], drawer.width()])
        return f"{name}({out})", (out, at[1])

    return Own(body(head, *lines), call)


def spelt(drawer: Drawer, name: str) -> Own:
    """A block of an op that PyTorch writes in several ways, as arguments and shapes are."""
    modes = ("zero", "reflect", "replicate")
    text, arguments, width, grows = drawer.random.choice(
        [
            (f"(mode: {' | '.join(modes)}) = pad2d(1, mode = mode) -> act", modes, 0, 2),
            ("(out) = pad_channels(out) -> act", ("4", "8", "12", "16", "24"), 1, 0),
            ("(slope: float) = conv(x.channels) -> leaky_relu(slope)", ("0.1", "0.2", "0 - 0.5"), 0, 0),
            ("(size) = upsample(size = [x.height, x.width]) -> maxpool(size, 1)", ("1", "3"), 0, 0),
        ]
    )

    def call(drawer: Drawer, at: Map) -> Drawn | None:
        given = drawer.one(*arguments)
        return (f"{name}({given})", (int(given) if width else at[0], at[1] + grows)) if at[1] > 2 else None

    return Own(f"block {name}{text}", call)


def looping(drawer: Drawer, name: str) -> Own:
    """A block with a loop: one tensor after the other, or all that came before."""
    line, width = drawer.random.choice(
        [
            ("y = y -> conv(w + 2 * i, 3)", lambda c, n, w: w + 2 * (n - 1) if n else c),
            ("y = concat(y, y -> conv(w, 3))", lambda c, n, w: c + n * w),
            ("y = (y -> conv(y.channels, 3) -> norm) + y", lambda c, n, w: c),
            ("y = concat(y -> conv(w), x) -> act", lambda c, n, w: c + w if n else c),
        ]
    )
    text = body(f"block {name}(n, w)", "y = x", "for i in range(n):", f"    {line}", "return y -> norm")

    def call(drawer: Drawer, at: Map) -> Drawn:
        turns, out = drawer.random.randint(1, 4), drawer.random.choice([2, 4, 6])
        return f"{name}({turns}, {out})", (width(at[0], turns, out), at[1])

    return Own(text, call)


def chosen(drawer: Drawer, name: str) -> Own:
    """A block with an enumeration, a flag and settings."""
    gate = drawer.one("sigmoid", "tanh")
    text = body(
        f"block {name}(out, mode: fast | slow = fast, *, biased = false, gate: block = {gate})",
        "y = x -> (conv(out, bias = biased) if mode == fast else conv(out, 3, bias = biased) -> norm)",
        f"return {drawer.one('y * (y -> gate)', 'y -> gate', 'concat(y -> gate, y)[:out]')}",
    )

    def call(drawer: Drawer, at: Map) -> Drawn:
        out = drawer.width()
        extra = drawer.one("", ", slow", ", slow, biased = true", ", gate = hardsigmoid", ", biased = true")
        settings = ["norm = bn, bn.eps = 1e-3, act = silu", "conv.dilation = 1, act = tanh"]
        settings += [f"{name}.{each}" for each in ("biased = true", "gate = softplus") if each.split()[0] not in extra]
        text = f"{name}({out}{extra})"
        return drawer.one(text, f"with({drawer.one(*settings)}, {text} -> cna({out}, 3))"), (out, at[1])

    return Own(text, call)


DEFINITIONS: dict[str, Callable[[Drawer, str], Own]] = {
    each.__name__: each
    for each in (
        joined,
        picking,
        crossing,
        gathering,
        reducing,
        widths,
        merging,
        sliced,
        halving,
        sharing,
        recursive,
        layered,
        nested,
        conditional,
        spelt,
        looping,
        chosen,
    )
}
"""The kinds of blocks that are drawn."""
