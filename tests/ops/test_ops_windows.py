"""Sliding windows over random settings: the same size and cost as torch, and refused just where torch refuses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from archdsl.op import Misfit
from archdsl.ops import vocabulary

torch = pytest.importorskip("torch")
hypothesis = pytest.importorskip("hypothesis")
from hypothesis import strategies as st  # noqa: E402
from torch.utils.flop_counter import FlopCounterMode  # noqa: E402

nn = torch.nn
OPS: dict[str, Any] = dict(vocabulary())
SIZES = st.tuples(st.integers(1, 20), st.integers(1, 20))
SMALL = st.integers(1, 5) | st.tuples(st.integers(1, 5), st.integers(1, 5))
PADS = st.integers(0, 4) | st.tuples(st.integers(0, 4), st.integers(0, 4))
GROUPS = st.integers(1, 4)

quick = hypothesis.settings(max_examples=150, derandomize=True)


def agree(op: Any, shape: Any, layer: Callable[[], Any]) -> None:
    """Both give the same shape and multiply-adds, or both refuse."""
    x = torch.zeros(1, *shape)
    try:
        with FlopCounterMode(display=False) as counter:
            expected = tuple(layer()(x).shape[1:])
    except (RuntimeError, ValueError):
        expected = None
    if expected is None or 0 in expected:
        with pytest.raises(Misfit):
            op.output(shape)
        return
    assert op.output(shape) == expected
    assert op.macs(shape, expected) == counter.get_total_flops() / 2


@quick
@hypothesis.given(SIZES, st.integers(1, 8), st.integers(1, 8), SMALL, SMALL, PADS, SMALL, GROUPS)
def test_conv(size: Any, channels: int, out: int, kernel: Any, stride: Any, padding: Any, dilation: Any, groups: int):
    op = OPS["conv"](out, kernel, stride, padding=padding, dilation=dilation, groups=groups)
    agree(op, (channels, *size), lambda: nn.Conv2d(channels, out, kernel, stride, padding, dilation, groups))


@quick
@hypothesis.given(SIZES, st.integers(1, 8), st.integers(1, 8), SMALL, SMALL, PADS, PADS, SMALL, GROUPS)
def test_conv_transpose(
    size: Any, channels: int, out: int, kernel: Any, stride: Any, padding: Any, extra: Any, dilation: Any, groups: int
):
    settings = {"padding": padding, "output_padding": extra, "dilation": dilation, "groups": groups}
    op = OPS["conv_transpose"](out, kernel, stride, **settings)
    agree(op, (channels, *size), lambda: nn.ConvTranspose2d(channels, out, kernel, stride, **settings))


@quick
@hypothesis.given(SIZES, SMALL, SMALL, PADS, SMALL, st.booleans())
def test_maxpool(size: Any, kernel: Any, stride: Any, padding: Any, dilation: Any, ceil: bool):
    op = OPS["maxpool"](kernel, stride, padding=padding, dilation=dilation, ceil_mode=ceil)
    agree(op, (2, *size), lambda: nn.MaxPool2d(kernel, stride, padding, dilation, ceil_mode=ceil))


@quick
@hypothesis.given(SIZES, SMALL, SMALL, PADS, st.booleans())
def test_avgpool(size: Any, kernel: Any, stride: Any, padding: Any, ceil: bool):
    op = OPS["avgpool"](kernel, stride, padding=padding, ceil_mode=ceil)
    agree(op, (2, *size), lambda: nn.AvgPool2d(kernel, stride, padding, ceil_mode=ceil))


@quick
@hypothesis.given(SIZES, SMALL, SMALL, st.booleans())
def test_lppool(size: Any, kernel: Any, stride: Any, ceil: bool):
    op = OPS["lppool"](kernel, stride, ceil_mode=ceil)
    agree(op, (2, *size), lambda: nn.LPPool2d(2, kernel, stride, ceil_mode=ceil))


@quick
@hypothesis.given(SIZES, st.tuples(*[st.integers(0, 6)] * 4), st.sampled_from(["zero", "reflect", "replicate"]))
def test_pad2d(size: Any, sides: Any, mode: str):
    left, right, top, bottom = sides
    layers = {"zero": nn.ZeroPad2d, "reflect": nn.ReflectionPad2d, "replicate": nn.ReplicationPad2d}
    op = OPS["pad2d"](top=top, bottom=bottom, left=left, right=right, mode=mode)
    agree(op, (2, *size), lambda: layers[mode](sides))


@quick
@hypothesis.given(SIZES, st.decimals("0.02", "4", places=2).map(float), st.sampled_from(["nearest", "bilinear"]))
def test_upsample(size: Any, scale: float, mode: str):
    agree(OPS["upsample"](scale, mode=mode), (2, *size), lambda: nn.Upsample(scale_factor=scale, mode=mode))


@quick
@hypothesis.given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 5), st.booleans())
def test_linear(features: int, out: int, rows: int, bias: bool):
    shape = (rows, features) if rows else (features,)
    agree(OPS["linear"](out, bias=bias), shape, lambda: nn.Linear(features, out, bias))


@quick
@hypothesis.given(st.integers(1, 40), SIZES, st.integers(1, 6))
def test_pixel_shuffles(channels: int, size: Any, factor: int):
    agree(OPS["pixel_shuffle"](factor), (channels, *size), lambda: nn.PixelShuffle(factor))
    agree(OPS["pixel_unshuffle"](factor), (channels, *size), lambda: nn.PixelUnshuffle(factor))
