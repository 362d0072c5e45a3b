"""What a place of a map depends on, by gradients, along one axis at a time.

A second, naive account of receptive fields, which shares nothing with `archdsl.analyses.receptive_field` but the order
of ops: a tensor is a row of places, each op is the torch function along one axis with positive weights, pools are
averages, activations and norms do nothing, and a gate is held constant.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from archdsl.analyses.flatten import Placed, ops_of
from archdsl.graph import Graph
from archdsl.op import pair


class Row(NamedTuple):
    """A tensor along one axis, and whether it is made of a whole map."""

    values: Tensor
    whole: bool = False


class Unknown(Exception):
    """An op that this account does not know."""


def window(name: str) -> Callable[[Placed, int, Row], Row]:
    """A sliding window: each place inside it counts alike."""

    def run(placed: Placed, axis: int, row: Row) -> Row:
        facts = placed.op.facts(placed.input)
        kernel, stride = pair(facts["kernel"])[axis], pair(facts.get("stride") or facts["kernel"])[axis]
        padding, dilation = pair(facts.get("padding", 0))[axis], pair(facts.get("dilation", 1))[axis]
        x = row.values
        if facts.get("ceil_mode"):
            x = functional.pad(x, (0, stride))
        weight = torch.full((1, 1, kernel), 0.5, dtype=x.dtype)
        y = functional.conv1d(x, weight, stride=stride, padding=padding, dilation=dilation)
        return Row(y[..., : size(placed, axis)], row.whole)

    return run


def conv_transpose(placed: Placed, axis: int, row: Row) -> Row:
    facts = placed.op.facts(placed.input)
    weight = torch.ones((1, 1, pair(facts["kernel"])[axis]), dtype=torch.float64)
    names = ("stride", "padding", "output_padding", "dilation")
    stride, padding, extra, dilation = (pair(facts[name])[axis] for name in names)
    return Row(functional.conv_transpose1d(row.values, weight, None, stride, padding, extra, 1, dilation), row.whole)


def blurpool(placed: Placed, axis: int, row: Row) -> Row:
    kernel, stride = placed.op.facts(placed.input)["kernel"], placed.op.facts(placed.input)["stride"]
    x = functional.pad(row.values, ((kernel - 1) // 2, kernel // 2))
    return Row(functional.conv1d(x, torch.ones((1, 1, kernel), dtype=x.dtype), stride=stride), row.whole)


def adaptive(placed: Placed, axis: int, row: Row) -> Row:
    y = functional.adaptive_avg_pool1d(row.values, size(placed, axis))
    return Row(y, row.whole or placed.output[1:] == (1, 1))


def everything(placed: Placed, axis: int, row: Row) -> Row:
    return Row(row.values.mean(-1, keepdim=True), True)


def reduced(placed: Placed, axis: int, row: Row) -> Row:
    return everything(placed, axis, row) if placed.op.facts(placed.input)["over"] == "spatial" else row


def flattened(placed: Placed, axis: int, row: Row) -> Row:
    return row if row.values.shape[-1] == 1 else everything(placed, axis, row)


def reshaped(placed: Placed, axis: int, row: Row) -> Row:
    if placed.input[-2:] != placed.output[-2:]:
        raise Unknown
    return row


def permuted(placed: Placed, axis: int, row: Row) -> Row:
    raise Unknown


def upsample(placed: Placed, axis: int, row: Row) -> Row:
    facts = placed.op.facts(placed.input)
    mode = {"nearest": "nearest", "bilinear": "linear"}[facts["mode"]]
    corners = None if mode == "nearest" else facts["align_corners"]
    if facts["size"] is not None:
        return Row(
            functional.interpolate(row.values, size=size(placed, axis), mode=mode, align_corners=corners), row.whole
        )
    return Row(
        functional.interpolate(row.values, scale_factor=facts["scale"], mode=mode, align_corners=corners), row.whole
    )


def pad2d(placed: Placed, axis: int, row: Row) -> Row:
    left, right, top, bottom = placed.op.sides()  # type: ignore[attr-defined]
    return Row(functional.pad(row.values, (left, right) if axis else (top, bottom)), row.whole)


def pixel_shuffle(placed: Placed, axis: int, row: Row) -> Row:
    return Row(row.values.repeat_interleave(placed.op.facts(placed.input)["factor"], -1), row.whole)


def pixel_unshuffle(placed: Placed, axis: int, row: Row) -> Row:
    factor = placed.op.facts(placed.input)["factor"]
    return Row(row.values.unflatten(-1, (-1, factor)).sum(-1), row.whole)


def pad_channels(placed: Placed, axis: int, row: Row) -> Row:
    return Row(row.values[..., :: placed.op.facts(placed.input)["stride"]], row.whole)


def same(placed: Placed, axis: int, row: Row) -> Row:
    return row


def spread(placed: Placed, axis: int, row: Row) -> Row:
    """What is made of a whole map stays so, whatever is done to it."""
    shapes = placed.output if isinstance(placed.output[0], tuple) else (placed.output,)
    count = shapes[0][1 + axis] if len(shapes[0]) == 3 else 1  # type: ignore[index]
    return Row(row.values.mean(-1, keepdim=True).expand(1, 1, count), True)  # pyright: ignore


ALONG: dict[str, Callable[[Placed, int, Row], Row]] = {
    "conv": window("conv"),
    "maxpool": window("maxpool"),
    "avgpool": window("avgpool"),
    "lppool": window("lppool"),
    "conv_transpose": conv_transpose,
    "blurpool": blurpool,
    "adaptive_avgpool": adaptive,
    "adaptive_maxpool": adaptive,
    "global_avgpool": everything,
    "global_maxpool": everything,
    "reduce_mean": reduced,
    "reduce_sum": reduced,
    "reduce_max": reduced,
    "flatten": flattened,
    "reshape": reshaped,
    "permute": permuted,
    "upsample": upsample,
    "pad2d": pad2d,
    "pixel_shuffle": pixel_shuffle,
    "pixel_unshuffle": pixel_unshuffle,
    "pad_channels": pad_channels,
}
"""What is not here keeps each place to itself."""


def size(placed: Placed, axis: int) -> int:
    """Height or width of an op's output."""
    return placed.output[1 + axis]  # type: ignore[return-value]


def joined(placed: Placed, rows: list[Row]) -> Row:
    """Several tensors as one; of a product with a gate, what is gated."""
    length = max(row.values.shape[-1] for row in rows)
    if placed.op.name == "multiply":
        gated = [row for row in rows if not row.whole and row.values.shape[-1] == length]
        rows = gated or rows
    total: Any = sum(row.values for row in rows)
    return Row(total, all(row.whole for row in rows))


def rows_of(graph: Graph, axis: int) -> tuple[Tensor, Iterator[tuple[Placed, Row]]]:
    """The network's input along an axis, and each op's output, one after the other."""
    x = torch.ones((1, 1, graph.input[1 + axis]), dtype=torch.float64, requires_grad=True)
    return x, run(graph, axis, x)


def run(graph: Graph, axis: int, x: Tensor) -> Iterator[tuple[Placed, Row]]:
    """Each op with the first tensor that it gives."""
    rows: dict[int, Row] = {0: Row(x)}
    for placed in ops_of(graph):
        given = [rows[each] for each in placed.reads]
        if placed.op.takes == "list":
            row = joined(placed, given)
        elif given[0].whole:
            row = spread(placed, axis, given[0])
        else:
            row = ALONG.get(placed.op.name, same)(placed, axis, given[0])
        rows |= dict.fromkeys(placed.gives, row)
        yield placed, row


def support(x: Tensor, row: Row, at: int) -> tuple[int, int]:
    """The first and the last place of the input that a place of a row depends on, by its gradient."""
    (gradient,) = torch.autograd.grad(row.values[0, 0, at], x, retain_graph=True)
    assert bool(gradient.isfinite().all())
    places = gradient[0, 0].nonzero()
    return int(places.min()), int(places.max())
