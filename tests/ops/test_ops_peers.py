"""The few layers that torch lacks, against torchvision's and timm's: same state dicts, same values."""

from __future__ import annotations

from typing import Any

import pytest

torch = pytest.importorskip("torch")
from tests.ops.spelled import inputs, make, spellings  # noqa: E402

SHAPE = (8, 11, 14)


def check(call: str, peer: Any) -> None:
    """Both by the same weights and the same noise."""
    (ours,) = spellings(make(call), SHAPE)
    peer = peer.double()
    ours.load_state_dict(peer.state_dict())
    for training in (True, False):
        torch.manual_seed(1)
        found = ours.train(training)(inputs(SHAPE))
        torch.manual_seed(1)
        torch.testing.assert_close(found, peer.train(training)(inputs(SHAPE)), rtol=0, atol=1e-12)


def test_torchvision() -> None:
    ops = pytest.importorskip("torchvision").ops
    convnext = pytest.importorskip("torchvision.models.convnext")
    check("layer_norm(eps=1e-6)", convnext.LayerNorm2d(8, eps=1e-6))
    check("drop_path(0.4)", ops.StochasticDepth(0.4, "row"))


@pytest.mark.parametrize(("kernel", "stride"), [(3, 2), (5, 2), (3, 1)])
def test_timm_blurpool(kernel: int, stride: int) -> None:
    layers = pytest.importorskip("timm.layers")
    peer = layers.BlurPool2d(8, filt_size=kernel, stride=stride).double()
    (ours,) = spellings(make(f"blurpool({kernel}, {stride})"), SHAPE)
    torch.testing.assert_close(ours(inputs(SHAPE)), peer(inputs(SHAPE)), rtol=0, atol=1e-12)


def test_timm_layers() -> None:
    layers = pytest.importorskip("timm.layers")
    check("drop_path(0.4)", layers.DropPath(0.4))
    check("layer_norm()", layers.LayerNorm2d(8, eps=1e-5))
