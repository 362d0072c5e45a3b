"""torchvision: a backbone with a feature pyramid for its detectors.

    from torchvision.models.detection import FasterRCNN
    from archdsl.integrations.torchvision import backbone_with_fpn

    model = FasterRCNN(backbone_with_fpn("vovnetv2_39"), num_classes=91)

`archdsl.build(spec, features="c5")` is a backbone of a single map; both have `out_channels`.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any

from archdsl.diagnostics import catalog
from archdsl.driver.network import NetworkLike
from archdsl.integrations.networks import backbone

try:
    from torch import Tensor, nn
    from torchvision.ops.feature_pyramid_network import (  # pyright: ignore[reportMissingTypeStubs]
        ExtraFPNBlock,
        FeaturePyramidNetwork,
        LastLevelMaxPool,
    )
except ImportError:
    help = "pip install 'archdsl[torch]' torchvision"
    raise catalog.MISSING_PACKAGE.error(None, "torchvision is not installed", help=help) from None


class BackboneWithFPN(nn.Module):
    """Feature maps, and a pyramid of equal channels over them: `"0"`, `"1"`, ..., and what `extra_blocks` add."""

    def __init__(self, body: Any, out_channels: int, extra_blocks: ExtraFPNBlock | None) -> None:
        super().__init__()
        self.body = body
        self.fpn = FeaturePyramidNetwork(body.out_channels, out_channels, extra_blocks)
        self.out_channels = out_channels

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        maps: dict[str, Tensor] = OrderedDict()
        for index, each in enumerate(self.body(x)):
            maps[str(index)] = each
        return self.fpn(maps)


def backbone_with_fpn(
    spec: NetworkLike,
    *,
    features: Sequence[str] | None = None,
    out_indices: Sequence[int] = (1, 2, 3, 4),
    out_channels: int = 256,
    extra_blocks: ExtraFPNBlock | None = None,
    params: Mapping[str, Any] | None = None,
    input: Sequence[int] | None = None,
    weights: Any = None,
) -> BackboneWithFPN:
    """A spec's network under a feature pyramid, for torchvision's detectors; `weights` as for `load_weights`."""
    chosen = None if features is not None else out_indices
    body = backbone(spec, params=params, input=input, features=features, out_indices=chosen, weights=weights)
    return BackboneWithFPN(body, out_channels, LastLevelMaxPool() if extra_blocks is None else extra_blocks)
