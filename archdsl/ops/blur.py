"""Anti-aliased sub-sampling."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from archdsl.diagnostics import catalog
from archdsl.op import Inner, Kept, Misfit, Op, Reaches, Shape, Spelling, Weight, named, param
from archdsl.ops.common import feature_map, slid

BLUR_POOL = '''
class BlurPool(nn.Module):
    """Blurs each channel with a fixed binomial filter, then sub-samples."""

    def __init__(self, channels: int, kernel: int, stride: int, mode: str = "reflect"):
        super().__init__()
        self.stride = stride
        self.mode = mode
        self.borders = [(kernel - 1) // 2, kernel // 2] * 2
        row = torch.ones(1)
        for _ in range(kernel - 1):
            row = nn.functional.pad(row, (0, 1)) + nn.functional.pad(row, (1, 0))
        row = row / row.sum()
        self.register_buffer("filt", torch.outer(row, row).repeat(channels, 1, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        x = nn.functional.pad(x, self.borders, mode=self.mode)
        return nn.functional.conv2d(x, self.filt, stride=self.stride, groups=self.filt.shape[0])
'''


class BlurPool(Op):
    """Sub-samples without aliasing: a fixed binomial filter, then every `stride`-th place. Zhang 2019.

    `maxpool(2, 1, padding = valid) -> blurpool` stands for a maxpool with stride 2. `mode` says what the borders hold.

    Example: blurpool(3, 2)
    """

    name = "blurpool"
    keeps_size = (("stride", (1,)),)
    saves = frozenset({"input"})
    torch = Spelling("BlurPool", ("in_channels", "kernel", "stride"), ("mode",), {"mode": "reflect"}, helper=BLUR_POOL)
    kernel: int = param(3, minimum=2, maximum=64)
    stride: int = param(2, minimum=1)
    mode: Literal["reflect", "replicate", "zero"] = named("reflect")

    def output(self, x: Shape) -> Shape:
        channels, *size = feature_map(x)
        border = self.kernel // 2
        if self.mode == "reflect" and border >= min(size):
            label = f"a border of {border} cannot be reflected from {min(size)}"
            raise Misfit(catalog.BAD_SHAPE, "kernel", label, "make the kernel smaller, or set `mode = replicate`")
        height, width = ((side - 1) // self.stride + 1 for side in size)
        return channels, height, width

    def weights(self, x: Shape) -> tuple[Weight, ...]:
        return (Weight("filt", (x[0], 1, self.kernel, self.kernel), "buffer"),)

    def macs(self, x: Shape, y: Shape) -> int:
        """It is run as a depthwise convolution, and counted as one."""
        return y[0] * y[1] * y[2] * self.kernel**2

    def reach(self, x: Shape, y: Shape) -> Reaches:
        reach = slid(self.kernel, self.stride, (self.kernel - 1) // 2)
        return reach, reach

    def bordered(self, x: Shape) -> Inner:
        """The map with its border."""
        return Inner(x[0] * (x[1] + self.kernel - 1) * (x[2] + self.kernel - 1))

    def kept(self, x: Shape, y: Shape) -> tuple[Kept, ...]:
        return (self.bordered(x),) if self.mode == "zero" else ("input", self.bordered(x))

    def scratch(self, x: Shape, y: Shape) -> tuple[Inner, ...]:
        return (self.bordered(x),)

    def facts(self, x: Shape) -> dict[str, Any]:
        return super().facts(x) | {"mode": "constant" if self.mode == "zero" else self.mode}

    def run(self, torch: Any, x: Any, weights: Mapping[str, Any], training: bool) -> Any:
        before, after = (self.kernel - 1) // 2, self.kernel // 2
        mode = "constant" if self.mode == "zero" else self.mode
        bordered = torch.nn.functional.pad(x, (before, after, before, after), mode)
        return torch.nn.functional.conv2d(bordered, weights["filt"], stride=self.stride, groups=x.shape[1])
