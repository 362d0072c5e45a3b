"""Darknet's configurations of the authors of Darknet and of CSPNet, written out in PyTorch, one after the other.

Independent of archdsl and of timm: from the `.cfg` files as structure.md (sections 6 and 8) tells them. Modules
stand in the order of the file, and are called as they are there; `forward` is the file's text.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

ACTS: dict[str, Callable[[Tensor], Tensor]] = {
    "leaky": lambda x: torch.where(x > 0, x, 0.1 * x),
    "mish": lambda x: x * torch.tanh(F.softplus(x)),
    "linear": lambda x: x,
}


class Convolutional(nn.Module):
    """[convolutional] with batch_normalize=1 and pad=1."""

    def __init__(self, inputs: int, filters: int, size: int, stride: int = 1, groups: int = 1, act: str = "leaky"):
        super().__init__()
        self.conv = nn.Conv2d(inputs, filters, size, stride, size // 2, groups=groups, bias=False)
        self.bn = nn.BatchNorm2d(filters)
        self.act = act

    def forward(self, x: Tensor) -> Tensor:
        return ACTS[self.act](self.bn(self.conv(x)))


def shortcut(x: Tensor, source: Tensor) -> Tensor:
    """[shortcut]: the first channels that both have are added."""
    n = min(x.shape[1], source.shape[1])
    return torch.cat([x[:, :n] + source[:, :n], x[:, n:]], 1)


class Darknet19(nn.Module):
    """darknet19.cfg."""

    def __init__(self) -> None:
        super().__init__()
        groups = ([32], [64], [128, 64, 128], [256, 128, 256], [512, 256, 512, 256, 512], [1024, 512, 1024, 512, 1024])
        inputs = 3
        self.layers = nn.ModuleList()
        for widths in groups:
            if len(self.layers):
                self.layers.append(nn.MaxPool2d(2, 2))
            for place, width in enumerate(widths):
                self.layers.append(Convolutional(inputs, width, 1 if place % 2 else 3))
                inputs = width
        self.classifier = nn.Conv2d(1024, 1000, 1)

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers:
            x = layer(x)
        return self.classifier(x).mean((2, 3))


class Residual(nn.Module):
    """A block of darknet53.cfg and csdarknet53.cfg: 1x1, 3x3, [shortcut]."""

    def __init__(self, width: int, inner: int, act: str):
        super().__init__()
        self.one = Convolutional(width, inner, 1, act=act)
        self.three = Convolutional(inner, width, 3, act=act)

    def forward(self, x: Tensor) -> Tensor:
        return shortcut(self.three(self.one(x)), x)


class Darknet53(nn.Module):
    """darknet53.cfg."""

    def __init__(self) -> None:
        super().__init__()
        self.first = Convolutional(3, 32, 3)
        self.downs, self.blocks = nn.ModuleList(), nn.ModuleList()
        for width, count in ((64, 1), (128, 2), (256, 8), (512, 8), (1024, 4)):
            self.downs.append(Convolutional(width // 2, width, 3, 2))
            self.blocks.append(nn.Sequential(*[Residual(width, width // 2, "leaky") for _ in range(count)]))
        self.classifier = nn.Conv2d(1024, 1000, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(x)
        for down, blocks in zip(self.downs, self.blocks, strict=True):
            x = blocks(down(x))
        return self.classifier(x.mean((2, 3), keepdim=True)).flatten(1)


class CrossStage(nn.Module):
    """A stage of the CSP files: down, cross, [route] back, main, blocks, tail, [route] of both, transition."""

    def __init__(
        self,
        down: nn.Module,
        inputs: int,
        cross: int,
        main: int,
        blocks: list[nn.Module],
        ends: tuple[int, int, int],
        acts: tuple[str, str],
    ):
        super().__init__()
        body, tail, out = ends
        act, split = acts
        self.down = down
        self.cross = Convolutional(inputs, cross, 1, act=split)
        self.main = Convolutional(inputs, main, 1, act=split)
        self.blocks = nn.Sequential(*blocks)
        self.tail = Convolutional(body, tail, 1, act=act)
        self.transition = Convolutional(tail + cross, out, 1, act=act)

    def forward(self, x: Tensor) -> Tensor:
        x = self.down(x)
        cross = self.cross(x)
        tail = self.tail(self.blocks(self.main(x)))
        return self.transition(torch.cat([tail, cross], 1))


class Bottleneck(nn.Module):
    """A block of csresnet50.cfg and csresnext50.cfg: 1x1, 3x3, 1x1 linear, [shortcut], activation."""

    def __init__(self, inputs: int, inner: int, width: int, groups: int, act: str):
        super().__init__()
        self.one = Convolutional(inputs, inner, 1, act=act)
        self.three = Convolutional(inner, inner, 3, groups=groups, act=act)
        self.last = Convolutional(inner, width, 1, act="linear")
        self.act = act

    def forward(self, x: Tensor) -> Tensor:
        return ACTS[self.act](shortcut(self.last(self.three(self.one(x))), x))


class CrossStageNet(nn.Module):
    """What the three CSP networks have in common: a stem, stages, [avgpool], a 1x1 convolution with a bias."""

    def __init__(self, stem: nn.Module, stages: list[nn.Module], features: int):
        super().__init__()
        self.stem = stem
        self.stages = nn.ModuleList(stages)
        self.classifier = nn.Conv2d(features, 1000, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        for stage in self.stages:
            x = stage(x)
        return self.classifier(x.mean((2, 3), keepdim=True)).flatten(1)


def csdarknet53(act: str) -> nn.Module:
    """csdarknet53.cfg, and csdarknet53-omega.cfg with Mish."""
    first = [Residual(64, 32, act)]
    down = Convolutional(32, 64, 3, 2, act=act)
    stages: list[nn.Module] = [CrossStage(down, 64, 64, 64, [*first], (64, 64, 64), (act, act))]
    for width, count in ((128, 2), (256, 8), (512, 8), (1024, 4)):
        half = width // 2
        down = Convolutional(half, width, 3, 2, act=act)
        blocks: list[nn.Module] = [Residual(half, half, act) for _ in range(count)]
        stages.append(CrossStage(down, width, half, half, blocks, (half, half, width), (act, act)))
    return CrossStageNet(Convolutional(3, 32, 3, act=act), stages, 1024)


def csresnet(act: str, groups: int) -> nn.Module:
    """csresnet50.cfg and, in groups, csresnext50.cfg; the two `-omega.cfg` with Mish.

    The inner widths are c for csresnet50 and 2 c for csresnext50, the stages' outputs 2 c and 4 c.
    """
    wide = 2 if groups > 1 else 1
    stem = nn.Sequential(Convolutional(3, 64, 7, 2, act=act), nn.MaxPool2d(2, 2))
    blocks: list[nn.Module] = [Bottleneck(64 if i == 0 else 128, 64 * wide, 128, groups, act) for i in range(3)]
    stages: list[nn.Module] = [CrossStage(nn.Identity(), 64, 128, 64, blocks, (128, 128, 128 * wide), (act, act))]
    for width, count in ((128, 3), (256, 5), (512, 2)):
        double = 2 * width
        down = Convolutional(width * wide, width * wide, 3, 2, groups, act)
        blocks = [Bottleneck(double, width * wide, double, groups, act) for _ in range(count)]
        split = act if width == 512 else "linear"
        ends = (double, double, double * wide)
        stages.append(CrossStage(down, width * wide, double, double, blocks, ends, (act, split)))
    return CrossStageNet(stem, stages, 1024 * wide)


class PlainDenseNet(nn.Module):
    """DenseNet (k, L) for CIFAR without bottlenecks and compression: Huang et al. 2017, section 3, by hand."""

    def __init__(self, growth: int, depth: int):
        super().__init__()
        self.count, width = (depth - 4) // 3, 16
        self.first = nn.Conv2d(3, width, 3, padding=1, bias=False)
        self.norms, self.convs = nn.ModuleList(), nn.ModuleList()
        for block in range(3):
            for _ in range(self.count):
                self.norms.append(nn.BatchNorm2d(width))
                self.convs.append(nn.Conv2d(width, growth, 3, padding=1, bias=False))
                width += growth
            if block < 2:
                self.norms.append(nn.BatchNorm2d(width))
                self.convs.append(nn.Conv2d(width, width, 1, bias=False))
        self.last = nn.BatchNorm2d(width)
        self.classifier = nn.Linear(width, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(x)
        for norm, conv in zip(self.norms, self.convs, strict=True):
            y = conv(F.relu(norm(x)))
            x = F.avg_pool2d(y, 2) if conv.kernel_size == (1, 1) else torch.cat([x, y], 1)
        return self.classifier(F.relu(self.last(x)).mean((2, 3)))


NETWORKS: dict[str, Callable[[], nn.Module]] = {
    "darknet19.cfg": Darknet19,
    "darknet53.cfg": Darknet53,
    "csdarknet53.cfg": lambda: csdarknet53("leaky"),
    "csdarknet53-omega.cfg": lambda: csdarknet53("mish"),
    "csresnet50.cfg": lambda: csresnet("leaky", 1),
    "csresnet50-omega.cfg": lambda: csresnet("mish", 1),
    "csresnext50.cfg": lambda: csresnet("leaky", 32),
    "csresnext50-omega.cfg": lambda: csresnet("mish", 32),
    "densenet40_k12": lambda: PlainDenseNet(12, 40),
    "densenet100_k12": lambda: PlainDenseNet(12, 100),
    "densenet100_k24": lambda: PlainDenseNet(24, 100),
}


def build(name: str) -> nn.Module:
    """A transcription by the name of its file."""
    return NETWORKS[name]()
