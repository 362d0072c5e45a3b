"""Draws specs whose parameters have names that mean something elsewhere, with values that often coincide.

What an argument of the emitted source is called is found by names, texts and values; so all three are drawn from few.
"""

from __future__ import annotations

import random

THEMES: str = """
out in_channels width mid channels
kernel stride groups bias padding count
int int_ list list_ self self_
torch nn math Tensor OrderedDict chain numbered enumerate
training training_ forward type half initialize eval
U1 U2 V1 V2 U V Net Sequential Conv2d
DropPath DropPath2 LayerScale LayerScale2 scale_and_shift
i i2 n j turn k
conv2 u1 u2 v1 slice_ start stop factor
"""
"""Names that belong together; a spec takes its own from two of these lines."""

Block = tuple[str, list[str], str]
"""A block's name, its parameters and its text."""


class Drawer:
    """One random spec after another."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.names = " ".join(self.random.sample(THEMES.strip().split("\n"), 2)).split()

    def spec(self) -> str:
        """Two small blocks, two that use them, and a network that uses these with other numbers."""
        small = [self.block(f"u{at}", []) for at in (1, 2)]
        large = [self.block(f"v{at}", small) for at in (1, 2)]
        links = [self.call(self.random.choice(large), []) for _ in range(self.random.randint(3, 5))]
        texts = "\n".join(text for _, _, text in [*small, *large])
        return f"{texts}\nbackbone net:\n    input 4 x 6 x 6\n    stem: {' -> '.join(links)}\n"

    def block(self, name: str, callees: list[Block]) -> Block:
        """A block: its name, its parameters, and its text."""
        names = self.random.sample(self.names, self.random.randint(2, 5))
        links = [self.link(names, callees) for _ in range(self.random.randint(1, 4))]
        body = " -> ".join(links)
        shape = self.random.choice(
            [
                "{body}",
                "(identity + ({body} -> conv(x.channels)))",
                "(conv({a}) -> {body} -> conv({a})) + conv({a})",
                "fork(...[conv({a} + turn) -> conv({b}) for turn in range(4)]) -> add -> {body}",
                "{count} * conv({a}, 3) -> {body}",
                "conv({b} + 3) -> (slice(0, {b}) + slice(1, {b} + 1)) -> {body}",
            ]
        )
        count = self.random.choice(["3", self.random.choice(names)])
        text = shape.format(body=body, a=self.number(names), b=self.random.choice(names), count=count)
        signature = [names[0]] + [self.declared(names, at) for at in range(1, len(names))]
        return name, names, f"block {name}({', '.join(signature)}) = {text}"

    def declared(self, names: list[str], at: int) -> str:
        """A parameter, sometimes with a default that depends on one before."""
        default = f"{names[at - 1]} + {self.random.randint(0, 2)}"
        return f"{names[at]} = {self.random.choice([str(self.random.randint(2, 6)), default])}"

    def link(self, names: list[str], callees: list[Block]) -> str:
        """A convolution, or a block."""
        kinds = [
            "conv({a})",
            "conv({a}, 3)",
            "conv({a}) -> bn -> relu",
            "conv(x.channels)",
            "conv({a}) -> layer_scale({f})",
        ]
        kinds += ["conv({a}) -> drop_path({f})", "conv({a}) -> scale({f})", "conv({a}) -> leaky_relu({f})"]
        if callees and self.random.random() < 0.6:
            return self.call(self.random.choice(callees), names)
        return self.random.choice(kinds).format(a=self.number(names), f=self.random.choice(["0.5", "0.25"]))

    def call(self, callee: Block, names: list[str]) -> str:
        """A call of a block; later parameters may be left out, or come by name."""
        name, parameters, _ = callee
        given = [self.number(names)]
        for parameter in parameters[1:]:
            if self.random.random() < 0.5:
                given.append(f"{parameter} = {self.number(names)}")
        return f"{name}({', '.join(given)})"

    def number(self, names: list[str]) -> str:
        """A number of channels: small, and at least 1."""
        few = [str(self.random.randint(2, 6)), str(self.random.choice([4, 8]))]
        own = (
            [form.format(self.random.choice(names)) for form in ("{}", "{}", "{} + 1", "2 * {}", "{} // 2 + 1")]
            if names
            else []
        )
        shape = ["x.channels", "x.channels // 2 + 1"] if names else []
        return self.random.choice(few + own + shape)
