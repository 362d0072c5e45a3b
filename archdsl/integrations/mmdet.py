"""The protocol of mmdetection's backbones: a tuple of maps, `init_weights()`, `frozen_stages`, `norm_eval`.

from mmdet.registry import MODELS
from archdsl.integrations.mmdet import ArchBackbone

MODELS.register_module(module=ArchBackbone)  # then dict(type="ArchBackbone", spec="vovnetv2_39")
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

from archdsl.diagnostics import catalog
from archdsl.driver.network import NetworkLike
from archdsl.integrations.networks import backbone

try:
    from torch import Tensor, nn
    from torch.nn.modules.batchnorm import _BatchNorm  # pyright: ignore[reportPrivateUsage]
except ImportError:
    help = "pip install 'archdsl[torch]'"
    raise catalog.MISSING_PACKAGE.error(None, "PyTorch is not installed", help=help) from None


class ArchBackbone(nn.Module):
    """A network as mmdetection asks for it.

    `frozen_stages` sections from the first on keep their weights and statistics in training (the stem is 0, -1 is
    none); with `norm_eval` all batch norms keep their statistics. `init_cfg` may be `{"checkpoint": path}`.
    """

    def __init__(
        self,
        spec: NetworkLike,
        out_indices: Sequence[int] = (1, 2, 3, 4),
        *,
        frozen_stages: int = -1,
        norm_eval: bool = False,
        init_cfg: Mapping[str, Any] | None = None,
        params: Mapping[str, Any] | None = None,
        input: Sequence[int] | None = None,
    ) -> None:
        super().__init__()
        self.network: Any = backbone(spec, params=params, input=input, out_indices=out_indices)
        self.frozen_stages = frozen_stages
        self.norm_eval = norm_eval
        self.init_cfg = init_cfg
        self.train()

    def init_weights(self) -> None:
        """Load the checkpoint of `init_cfg`, if it has one; the weights are initialized as the spec says otherwise."""
        if self.init_cfg and "checkpoint" in self.init_cfg:
            from archdsl.weights.loading import load_weights

            load_weights(self.network, self.init_cfg["checkpoint"])

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        return tuple(self.network(x))

    def train(self, mode: bool = True) -> Self:
        """Set the mode; frozen sections stay in evaluation, and get no gradients."""
        super().train(mode)
        for section in list(self.network.children())[: self.frozen_stages + 1]:
            section.eval().requires_grad_(False)
        if mode and self.norm_eval:
            for module in self.modules():
                if isinstance(module, _BatchNorm):
                    module.eval()
        return self
