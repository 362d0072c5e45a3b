"""The protocol of detectron2's backbones: a dict of maps, `output_shape()`, `size_divisibility`; without detectron2.

from archdsl.integrations.detectron2 import Backbone

backbone = Backbone("vovnetv2_39", {"c3": "res3", "c4": "res4", "c5": "res5"})
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from archdsl.diagnostics import catalog
from archdsl.driver.network import NetworkLike
from archdsl.integrations.networks import backbone

try:
    from torch import Tensor, nn
except ImportError:
    help = "pip install 'archdsl[torch]'"
    raise catalog.MISSING_PACKAGE.error(None, "PyTorch is not installed", help=help) from None


class ShapeSpec(NamedTuple):
    """Shape of a map, with the fields of detectron2's class of that name."""

    channels: int | None = None
    height: int | None = None
    width: int | None = None
    stride: int | None = None


class Backbone(nn.Module):
    """A network as detectron2 asks for it; features by path, with the names under which it knows them."""

    def __init__(
        self,
        spec: NetworkLike,
        features: Sequence[str] | Mapping[str, str] = ("c2", "c3", "c4", "c5"),
        *,
        params: Mapping[str, Any] | None = None,
        input: Sequence[int] | None = None,
        weights: Any = None,
    ) -> None:
        super().__init__()
        named = dict(features) if isinstance(features, Mapping) else {path: path for path in features}
        self.network: Any = backbone(spec, params=params, input=input, features=named, weights=weights)

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        return self.network(x)

    def output_shape(self) -> dict[str, ShapeSpec]:
        """Channels and stride of each map."""
        strides = self.network.out_strides
        return {name: ShapeSpec(channels, stride=strides[name]) for name, channels in self.network.out_channels.items()}

    @property
    def size_divisibility(self) -> int:
        """Number that the sides of images are padded to multiples of: the largest stride."""
        return max(self.network.out_strides.values())

    @property
    def padding_constraints(self) -> dict[str, int]:
        """Further constraints on the padding of images: none."""
        return {}
