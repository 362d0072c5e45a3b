"""Initializers of weights and biases, as `conv.init = kaiming_normal(mode = fan_out)` names them.

Each is declared once, like an operator: its settings, and its spelling in PyTorch.
"""

from __future__ import annotations

from typing import ClassVar, Literal

from archdsl.op import Declaration, named


class Initializer(Declaration):
    """Base of all initializers. `torch` is the function's name; its settings have the same names there."""

    torch: ClassVar[str] = ""

    def trouble(self) -> str:
        """Mistake in the combination of settings; empty if there is none."""
        return ""


class KaimingNormal(Initializer):
    """Normal, with variance gain^2 / fan. He et al. 2015."""

    name = "kaiming_normal"
    torch = "nn.init.kaiming_normal_"
    mode: Literal["fan_in", "fan_out"] = named("fan_in")
    nonlinearity: Literal["relu", "leaky_relu", "linear", "sigmoid", "tanh", "selu"] = named("relu")
    a: float = named(0.0)


class KaimingUniform(Initializer):
    """Uniform, with variance gain^2 / fan. He et al. 2015."""

    name = "kaiming_uniform"
    torch = "nn.init.kaiming_uniform_"
    mode: Literal["fan_in", "fan_out"] = named("fan_in")
    nonlinearity: Literal["relu", "leaky_relu", "linear", "sigmoid", "tanh", "selu"] = named("relu")
    a: float = named(0.0)


class XavierNormal(Initializer):
    """Normal, with variance 2 gain^2 / (fan_in + fan_out). Glorot & Bengio 2010."""

    name = "xavier_normal"
    torch = "nn.init.xavier_normal_"
    gain: float = named(1.0, minimum=0)


class XavierUniform(Initializer):
    """Uniform, with variance 2 gain^2 / (fan_in + fan_out). Glorot & Bengio 2010."""

    name = "xavier_uniform"
    torch = "nn.init.xavier_uniform_"
    gain: float = named(1.0, minimum=0)


class Normal(Initializer):
    """Normal with a given mean and standard deviation."""

    name = "normal"
    torch = "nn.init.normal_"
    mean: float = named(0.0)
    std: float = named(1.0, minimum=0)


class TruncNormal(Initializer):
    """Normal, redrawn outside of [a, b] (absolute bounds, as in PyTorch)."""

    name = "trunc_normal"
    torch = "nn.init.trunc_normal_"
    mean: float = named(0.0)
    std: float = named(1.0, above=0)
    a: float = named(-2.0)
    b: float = named(2.0)

    def trouble(self) -> str:
        if self.a >= self.b:
            return f"a = {self.a:g} is not below b = {self.b:g}"
        far = max(self.a - self.mean, self.mean - self.b) > 2 * self.std
        return f"mean = {self.mean:g} is more than two deviations from [{self.a:g}, {self.b:g}]" if far else ""


class Uniform(Initializer):
    """Uniform in [a, b]."""

    name = "uniform"
    torch = "nn.init.uniform_"
    a: float = named(0.0)
    b: float = named(1.0)

    def trouble(self) -> str:
        return "" if self.a <= self.b else f"a = {self.a:g} is above b = {self.b:g}"


class Constant(Initializer):
    """One number everywhere."""

    name = "constant"
    torch = "nn.init.constant_"
    val: float = named(0.0)


class Orthogonal(Initializer):
    """A (semi-)orthogonal matrix. Saxe et al. 2013."""

    name = "orthogonal"
    torch = "nn.init.orthogonal_"
    gain: float = named(1.0)


class Dirac(Initializer):
    """The identity as far as channels go round, for convolutions."""

    name = "dirac"
    torch = "nn.init.dirac_"


INITIALIZERS: dict[str, type[Initializer]] = {kind.name: kind for kind in Initializer.__subclasses__()}
