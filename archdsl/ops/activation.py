"""Activations: functions of each value (`softmax`: of the channels at each place)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from archdsl.diagnostics import catalog
from archdsl.op import ALWAYS, Misfit, Op, Shape, Spelling, Weight, named, param


class Relu(Op):
    """max(x, 0).

    Example: relu
    """

    name = "relu"
    saves = frozenset({"output"})
    torch = Spelling("nn.ReLU", inplace=True)

    def run(self, torch: Any, x: Any, weights: Mapping[str, Any], training: bool) -> Any:
        return torch.nn.functional.relu(x)


class Relu6(Op):
    """min(max(x, 0), 6).

    Example: relu6
    """

    name = "relu6"
    saves = frozenset({"input"})
    copies = True
    torch = Spelling("nn.ReLU6", inplace=True)

    def run(self, torch: Any, x: Any, weights: Mapping[str, Any], training: bool) -> Any:
        return torch.nn.functional.relu6(x)


class LeakyRelu(Op):
    """x where it is positive, else slope * x. Darknet's slope is 0.1.

    Example: leaky_relu(0.1)
    """

    name = "leaky_relu"
    saves = frozenset({"input"})
    torch = Spelling("nn.LeakyReLU", ("slope",), inplace=True)
    slope: float = param(0.01)

    def spelling(self, x: Shape) -> Spelling:
        # With a negative slope the sign of the input cannot be told from the output.
        return self.torch._replace(inplace=self.slope >= 0)

    def run(self, torch: Any, x: Any, weights: Mapping[str, Any], training: bool) -> Any:
        return torch.nn.functional.leaky_relu(x, self.slope)


class Prelu(Op):
    """x where it is positive, else slope * x with a learned slope: one, or one for each channel. He et al. 2015.

    Example: prelu(per_channel = true)
    """

    name = "prelu"
    saves = frozenset({"input"})
    torch = Spelling("nn.PReLU", ("num_parameters", "slope"))
    slope: float = param(0.25)
    per_channel: bool = named(False)

    def weights(self, x: Shape) -> tuple[Weight, ...]:
        return (Weight("weight", x[:1] if self.per_channel else (1,)),)

    def facts(self, x: Shape) -> dict[str, Any]:
        return super().facts(x) | {"num_parameters": x[0] if self.per_channel else 1}

    def run(self, torch: Any, x: Any, weights: Mapping[str, Any], training: bool) -> Any:
        return torch.nn.functional.prelu(x, weights["weight"])


class Elu(Op):
    """x where it is positive, else alpha * (exp(x) - 1). Clevert et al. 2016.

    Example: elu(alpha = 0.5)
    """

    name = "elu"
    saves = frozenset({"input"})
    torch = Spelling("nn.ELU", (), ("alpha",), {"alpha": 1.0}, inplace=True)
    alpha: float = named(1.0, minimum=0)

    def run(self, torch: Any, x: Any, weights: Mapping[str, Any], training: bool) -> Any:
        return torch.nn.functional.elu(x, self.alpha)


class Selu(Op):
    """Scaled elu, which keeps mean 0 and variance 1. Klambauer et al. 2017.

    Example: selu
    """

    name = "selu"
    saves = frozenset({"input"})
    torch = Spelling("nn.SELU", inplace=True)

    def run(self, torch: Any, x: Any, weights: Mapping[str, Any], training: bool) -> Any:
        return torch.nn.functional.selu(x)


class Celu(Op):
    """x where it is positive, else alpha * (exp(x / alpha) - 1). Barron 2017.

    Example: celu(alpha = 0.5)
    """

    name = "celu"
    saves = frozenset({"input"})
    torch = Spelling("nn.CELU", (), ("alpha",), {"alpha": 1.0}, inplace=True)
    alpha: float = named(1.0, above=0)

    def run(self, torch: Any, x: Any, weights: Mapping[str, Any], training: bool) -> Any:
        return torch.nn.functional.celu(x, self.alpha)


class Gelu(Op):
    """x * P(X <= x) for a standard normal X; `approximate = tanh` is the older formula. Hendrycks & Gimpel 2016.

    Example: gelu
    """

    name = "gelu"
    saves = frozenset({"input"})
    torch = Spelling("nn.GELU", (), ("approximate",), {"approximate": "none"})
    approximate: Literal["tanh"] | None = named(None)

    def facts(self, x: Shape) -> dict[str, Any]:
        return super().facts(x) | {"approximate": self.approximate or "none"}

    def run(self, torch: Any, x: Any, weights: Mapping[str, Any], training: bool) -> Any:
        return torch.nn.functional.gelu(x, approximate="tanh" if self.approximate == "tanh" else "none")


class Silu(Op):
    """x * sigmoid(x), also called swish.

    Example: silu
    """

    name = "silu"
    saves = frozenset({"input"})
    torch = Spelling("nn.SiLU")

    def run(self, torch: Any, x: Any, weights: Mapping[str, Any], training: bool) -> Any:
        return torch.nn.functional.silu(x)


class Mish(Op):
    """x * tanh(softplus(x)). Misra 2020.

    Example: mish
    """

    name = "mish"
    saves = frozenset({"input"})
    torch = Spelling("nn.Mish")

    def run(self, torch: Any, x: Any, weights: Mapping[str, Any], training: bool) -> Any:
        return torch.nn.functional.mish(x)


class Sigmoid(Op):
    """1 / (1 + exp(-x)).

    Example: sigmoid
    """

    name = "sigmoid"
    saves = frozenset({"output"})
    torch = Spelling("nn.Sigmoid")

    def run(self, torch: Any, x: Any, weights: Mapping[str, Any], training: bool) -> Any:
        return torch.sigmoid(x)


class Hardsigmoid(Op):
    """relu6(x + 3) / 6, as in MobileNetV3 and eSE.

    Example: hardsigmoid
    """

    name = "hardsigmoid"
    saves = frozenset({"input"})
    torch = Spelling("nn.Hardsigmoid")

    def run(self, torch: Any, x: Any, weights: Mapping[str, Any], training: bool) -> Any:
        return torch.nn.functional.hardsigmoid(x)


class Hardswish(Op):
    """x * relu6(x + 3) / 6. Howard et al. 2019.

    Example: hardswish
    """

    name = "hardswish"
    saves = frozenset({"input"})
    torch = Spelling("nn.Hardswish")

    def run(self, torch: Any, x: Any, weights: Mapping[str, Any], training: bool) -> Any:
        return torch.nn.functional.hardswish(x)


class Hardtanh(Op):
    """x, cut off at `min_val` and `max_val`.

    Example: hardtanh(min_val = 0, max_val = 4)
    """

    name = "hardtanh"
    keeps_size = ALWAYS
    saves = frozenset({"input"})
    copies = True
    torch = Spelling("nn.Hardtanh", (), ("min_val", "max_val"), {"min_val": -1.0, "max_val": 1.0}, inplace=True)
    min_val: float = named(-1.0)
    max_val: float = named(1.0)

    def output(self, x: Shape) -> Shape:
        if self.max_val <= self.min_val:
            label = f"max_val {self.max_val} is not above min_val {self.min_val}"
            raise Misfit(catalog.OUT_OF_RANGE, "max_val", label, "the upper end is the larger one")
        return x

    def run(self, torch: Any, x: Any, weights: Mapping[str, Any], training: bool) -> Any:
        return torch.nn.functional.hardtanh(x, self.min_val, self.max_val)


class Tanh(Op):
    """Hyperbolic tangent.

    Example: tanh
    """

    name = "tanh"
    saves = frozenset({"output"})
    torch = Spelling("nn.Tanh")

    def run(self, torch: Any, x: Any, weights: Mapping[str, Any], training: bool) -> Any:
        return torch.tanh(x)


class Softplus(Op):
    """log(1 + exp(beta * x)) / beta; x itself where beta * x is above `threshold`.

    Example: softplus
    """

    name = "softplus"
    saves = frozenset({"input"})
    torch = Spelling("nn.Softplus", (), ("beta", "threshold"), {"beta": 1.0, "threshold": 20.0})
    beta: float = named(1.0, above=0)
    threshold: float = named(20.0, minimum=0, maximum=80)

    def run(self, torch: Any, x: Any, weights: Mapping[str, Any], training: bool) -> Any:
        return torch.nn.functional.softplus(x, self.beta, self.threshold)


class Softmax(Op):
    """exp(x), normalized to sum 1 over the channels. `softmax_list` is the one among the tensors of a list.

    Example: softmax
    """

    name = "softmax"
    saves = frozenset({"output"})
    torch = Spelling("nn.Softmax", (), ("dim",))

    def facts(self, x: Shape) -> dict[str, Any]:
        return super().facts(x) | {"dim": 1}

    def run(self, torch: Any, x: Any, weights: Mapping[str, Any], training: bool) -> Any:
        return torch.softmax(x, 1)
