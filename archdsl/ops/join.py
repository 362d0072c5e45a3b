"""Ops that take a list of tensors: most make one tensor of it."""

from __future__ import annotations

import operator
from collections.abc import Mapping
from functools import reduce
from math import prod
from typing import Any

from archdsl.diagnostics import catalog
from archdsl.op import ALWAYS, Inner, Kept, Misfit, Op, Shape, Shapes, Spelling, elements
from archdsl.ops.common import TO_ONE_SIZE, equal, shown, tensors


class Concat(Op):
    """Joins a list of tensors along the channels, in order; all else must be equal.

    Example: fork(conv(8), conv(16)) -> concat
    """

    name = "concat"
    keeps_size = ALWAYS
    takes = "list"
    work = 0
    saves = frozenset()
    torch = Spelling(function="torch.cat({x}, dim=1)")

    def output(self, x: tuple[Shape, ...]) -> Shape:
        for at, shape in enumerate(tensors(x)):
            if shape[1:] != x[0][1:]:
                raise Misfit(
                    catalog.UNEQUAL_MAPS,
                    "",
                    f"{shown(x[0])} and {shown(shape)} differ in more than their channels",
                    TO_ONE_SIZE,
                    index=at,
                )
        return (sum([shape[0] for shape in x]), *x[0][1:])

    # A single tensor is passed on as it is.

    def spelling(self, x: tuple[Shape, ...]) -> Spelling:
        return self.torch if len(x) > 1 else Spelling(function="{sum}")

    def moves(self, x: tuple[Shape, ...]) -> bool:
        return len(x) > 1

    def writable(self, x: tuple[Shape, ...]) -> bool:
        return len(x) > 1

    def run(self, torch: Any, x: Any, weights: Mapping[str, Any], training: bool) -> Any:
        return torch.cat(list(x), 1) if len(x) > 1 else x[0]


class Add(Op):
    """The sum of a list of tensors of equal shape; `a + b` is `fork(a, b) -> add`.

    Example: fork(conv(8), conv(8)) -> add
    """

    name = "add"
    keeps_size = ALWAYS
    takes = "list"
    saves = frozenset()
    torch = Spelling(function="{sum}")

    def output(self, x: tuple[Shape, ...]) -> Shape:
        return equal(x, "added")

    def moves(self, x: tuple[Shape, ...]) -> bool:
        return len(x) > 1

    def scratch(self, x: tuple[Shape, ...], y: Shape) -> tuple[Inner, ...]:
        return (Inner(prod(y)),) if len(x) > 2 else ()

    def operations(self, x: tuple[Shape, ...], y: Shape) -> int:
        return (len(x) - 1) * elements(y)

    def writable(self, x: tuple[Shape, ...]) -> bool:
        return len(x) > 1

    def run(self, torch: Any, x: Any, weights: Mapping[str, Any], training: bool) -> Any:
        return reduce(operator.add, x)


class Multiply(Op):
    """The product of a list of tensors, with broadcast: a gate. `a * b` is `fork(a, b) -> multiply`.

    Example: fork(identity, global_avgpool -> conv(8) -> sigmoid) -> multiply
    """

    name = "multiply"
    keeps_size = ALWAYS
    takes = "list"
    gates = True
    saves = frozenset({"input"})
    torch = Spelling(function="{product}")

    def output(self, x: tuple[Shape, ...]) -> Shape:
        return self.products(x)[-1]

    def products(self, x: tuple[Shape, ...]) -> list[Shape]:
        """The shapes of the first tensor, of the product of the first two, and so on."""
        found = [tensors(x)[0]]
        for at, shape in enumerate(x[1:], start=1):
            if not broadcast(found[-1], shape):
                raise Misfit(
                    catalog.UNEQUAL_MAPS,
                    "",
                    f"{shown(found[-1])} and {shown(shape)} cannot be multiplied",
                    "each size must be equal, or 1 on one side",
                    index=at,
                )
            found.append(tuple(max(sides) for sides in zip(shape, found[-1], strict=True)))
        return found

    def moves(self, x: tuple[Shape, ...]) -> bool:
        return len(x) > 1

    def kept(self, x: tuple[Shape, ...], y: Shape) -> tuple[Kept, ...]:
        return ("input", *(Inner(prod(shape)) for shape in self.products(x)[1:-1])) if len(x) > 1 else ()

    def scratch(self, x: tuple[Shape, ...], y: Shape) -> tuple[Inner, ...]:
        return (Inner(prod(self.products(x)[-2])),) if len(x) > 2 else ()

    def operations(self, x: tuple[Shape, ...], y: Shape) -> int:
        return (len(x) - 1) * elements(y)

    def writable(self, x: tuple[Shape, ...]) -> bool:
        return len(x) > 1

    def run(self, torch: Any, x: Any, weights: Mapping[str, Any], training: bool) -> Any:
        return reduce(operator.mul, x)


class Stack(Op):
    """Lays a list of n tensors of equal shape on one another: n x C x H x W, the new dimension before the channels.

    Example: fork(conv(8), conv(8)) -> stack
    """

    name = "stack"
    takes = "list"
    work = 0
    saves = frozenset()
    torch = Spelling(function="torch.stack({x}, dim=1)")

    def output(self, x: tuple[Shape, ...]) -> Shape:
        return (len(x), *equal(x, "stacked"))

    def run(self, torch: Any, x: Any, weights: Mapping[str, Any], training: bool) -> Any:
        return torch.stack(list(x), 1)


class SoftmaxList(Op):
    """Softmax among the tensors of a list, place by place: a list of weights that sum to one (selective kernels).

    `softmax` is the one over the channels of a tensor. Li et al. 2019.

    Example: fork(conv(8), conv(8)) -> softmax_list -> concat
    """

    name = "softmax_list"
    keeps_size = ALWAYS
    takes = "list"
    saves = frozenset({"output"})
    view = True
    torch = Spelling(function="torch.softmax(torch.stack({x}), dim=0).unbind(0)", stacked=True)

    def output(self, x: tuple[Shape, ...]) -> Shapes:
        equal(x, "weighed against each other")
        return x

    def scratch(self, x: tuple[Shape, ...], y: Any) -> tuple[Inner, ...]:
        return (Inner(sum(map(prod, x))),)

    def moves(self, x: tuple[Shape, ...]) -> bool:
        return True

    def run(self, torch: Any, x: Any, weights: Mapping[str, Any], training: bool) -> Any:
        return list(torch.softmax(torch.stack(list(x)), 0))


def broadcast(a: Shape, b: Shape) -> bool:
    """True if two shapes fit, size by size: equal, or 1 on one side."""
    return len(a) == len(b) and all(p == q or 1 in (p, q) for p, q in zip(a, b, strict=True))
