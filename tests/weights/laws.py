"""Laws that weights start from, and whether tensors keep them: by moments, as far as chance allows.

A moment may be off by `ALLOWED` times its own standard deviation, which happens to a good law once in 10^8 cases.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import reduce
from math import sqrt
from typing import Any, NamedTuple

from torch import Tensor
from torch.overrides import TorchFunctionMode

ALLOWED = 6.0
ENOUGH = 200
"""So many numbers are needed before the variance of a single tensor is looked at."""


class Law(NamedTuple):
    """Numbers of a mean 0 and a deviation; `kurtosis` tells the normal law (3) from the uniform one (1.8)."""

    std: float
    kurtosis: float
    value: float = 0.0
    """What the numbers are, where the deviation is 0."""


def normal(std: float) -> Law:
    """The normal law."""
    return Law(std, 3.0)


def uniform(bound: float) -> Law:
    """The uniform law between -bound and bound."""
    return Law(bound / sqrt(3), 1.8)


def constant(value: float) -> Law:
    """One number."""
    return Law(0.0, 1.0, value)


class Moments(NamedTuple):
    """What is looked at of many numbers, in units of their deviation."""

    count: int
    total: float
    squares: float
    highest: float

    def plus(self, other: Moments) -> Moments:
        """Those of both."""
        highest = max(self.highest, other.highest)
        return Moments(self.count + other.count, self.total + other.total, self.squares + other.squares, highest)


PART = 1 << 16
"""So many numbers are in a processor's cache as float64."""


DRAWN = 100_000
"""So many numbers of each tensor are enough to tell its law."""


class Sparing(TorchFunctionMode):
    """Random numbers are drawn for the first `DRAWN` numbers of a tensor alone; all of a large network take seconds."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func in {Tensor.normal_, Tensor.uniform_} and args[0].numel() > DRAWN:
            func(args[0].detach().view(-1)[:DRAWN], *args[1:], **(kwargs or {}))
            return args[0]
        return func(*args, **(kwargs or {}))


def moments(tensor: Tensor, law: Law, most: int | None = None) -> Moments:
    """The moments of a tensor, or of its first numbers, without a copy of it."""
    numbers = tensor.detach().flatten()[:most]
    total = squares = 0.0
    for part in numbers.split(PART):
        double = part.double()
        total += float(double.sum())
        squares += float(double.dot(double))
    low, high = numbers.aminmax()
    return Moments(numbers.numel(), total / law.std, squares / law.std**2, max(float(high), -float(low)) / law.std)


def strays(name: str, tensor: Tensor, law: Law) -> Iterator[str]:
    """In what a tensor strays from a law."""
    if law.std:
        yield from astray(name, moments(tensor, law), law.kurtosis)
    elif not bool((tensor == law.value).all()):
        yield f"{name} is not {law.value:g} throughout"


def astray(name: str, found: Moments, kurtosis: float) -> Iterator[str]:
    """In what the numbers of a name stray."""
    yield from (f"{name} {fault}" for fault in faults(found, kurtosis))


def pooled(name: str, found: list[Moments], kurtosis: float) -> Iterator[str]:
    """In what many tensors, each in units of its own law, stray together: far finer than each alone."""
    yield from astray(f"{name} (all together)", reduce(Moments.plus, found), kurtosis)


def faults(found: Moments, kurtosis: float) -> Iterator[str]:
    """In what numbers stray from the law of mean 0 and deviation 1 with that kurtosis."""
    count, highest, bound = found.count, found.highest, sqrt(3)
    if abs(found.total) / sqrt(count) > ALLOWED:
        yield f"has a mean of {found.total / count:.3g} deviations"
    if count >= ENOUGH and abs(found.squares - count) / sqrt(count * (kurtosis - 1)) > ALLOWED:
        yield f"has a variance {found.squares / count:.3f} times what it should be"
    if kurtosis < 2 and highest > bound * (1 + 1e-6):
        yield f"leaves its bounds by a factor of {highest / bound:.3f}"
    if kurtosis < 2 and count >= ENOUGH and highest < bound * (1 - 20 / count):
        yield f"does not reach its bounds: a factor of {highest / bound:.3f}"
    if kurtosis == 3 and count >= 10 * ENOUGH and highest < 2.2:
        yield "has no tails"


# ---- laws by the sizes of a layer ----------------------------------------------------------------------------------

Sized = Callable[[int, int], Law]
"""A law by what a layer's outputs see, and by what its inputs are seen by: fan in and fan out."""


def kaiming_normal_in(fan_in: int, fan_out: int) -> Law:
    """PyTorch's kaiming_normal_ for ReLU, as it is by default."""
    return normal(sqrt(2 / fan_in))


def kaiming_normal_out(fan_in: int, fan_out: int) -> Law:
    """The same by fan out."""
    return normal(sqrt(2 / fan_out))


def kaiming_uniform_in(fan_in: int, fan_out: int) -> Law:
    """PyTorch's kaiming_uniform_ for ReLU."""
    return uniform(sqrt(6 / fan_in))


def usual(fan_in: int, fan_out: int) -> Law:
    """What PyTorch's layers do by themselves, weights and biases."""
    return uniform(1 / sqrt(fan_in))


def darknet_uniform(fan_in: int, fan_out: int) -> Law:
    """AlexeyAB's darknet: uniform between -1 and 1, times the root of 2 / fan in."""
    return uniform(sqrt(2 / fan_in))


def always(law: Law) -> Sized:
    """A law for all sizes."""
    return lambda fan_in, fan_out: law


def fans(weight: Tensor) -> tuple[int, int]:
    """Fan in and fan out of a layer's weight."""
    window = weight[0, 0].numel()
    return weight.shape[1] * window, weight.shape[0] * window


def parts(model: Any) -> Iterator[tuple[str, Any]]:
    """The modules that hold weights of their own, by name."""
    for name, module in model.named_modules():
        if next(module.parameters(recurse=False), None) is not None:
            yield name, module
