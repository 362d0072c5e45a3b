"""Layers that PyTorch does not have, written by hand for the comparison: plainly, and by other means than the ops."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")
nn = torch.nn


class ChannelNorm(nn.Module):
    def __init__(self, channels, eps=1e-5, affine=True):
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(channels)) if affine else None
        self.bias = nn.Parameter(torch.zeros(channels)) if affine else None

    def forward(self, x):
        centred = x - x.mean(dim=1, keepdim=True)
        y = centred / (centred.square().mean(dim=1, keepdim=True) + self.eps).sqrt()
        if self.weight is None or self.bias is None:
            return y
        return y * self.weight[:, None, None] + self.bias[:, None, None]


class Blur(nn.Module):
    """Zhang's BlurPool: borders of (k - 1) // 2 before and k // 2 after, a row of Pascal's triangle, sub-sampling."""

    ROWS = ((1, 1), (1, 2, 1), (1, 3, 3, 1), (1, 4, 6, 4, 1), (1, 5, 10, 10, 5, 1), (1, 6, 15, 20, 15, 6, 1))

    def __init__(self, channels, kernel, stride, mode="reflect"):
        super().__init__()
        row = torch.tensor(self.ROWS[kernel - 2], dtype=torch.float32)
        filt = row[:, None] * row[None, :]
        self.register_buffer("filt", (filt / filt.sum())[None, None].repeat(channels, 1, 1, 1))
        self.stride, self.mode, self.kernel = stride, mode, kernel

    def forward(self, x):
        before, after = (self.kernel - 1) // 2, self.kernel // 2
        x = nn.functional.pad(x, (before, after, before, after), mode=self.mode)
        planes = [nn.functional.conv2d(x[:, i : i + 1], self.filt[:1]) for i in range(x.shape[1])]
        return torch.cat(planes, dim=1)[:, :, :: self.stride, :: self.stride]


class Gamma(nn.Module):
    def __init__(self, channels, start):
        super().__init__()
        self.gamma = nn.Parameter(start * torch.ones(channels, 1, 1))

    def forward(self, x):
        return torch.einsum("nchw,c->nchw", x, self.gamma.flatten())


class Factor(nn.Module):
    def __init__(self, start):
        super().__init__()
        self.scale = nn.Parameter(torch.full((), start))

    def forward(self, x):
        return torch.mul(x, self.scale)


class SampleDrop(nn.Module):
    def __init__(self, p):
        super().__init__()
        self.p = p

    def forward(self, x):
        if not self.training or self.p == 0:
            return x
        if self.p == 1:
            return torch.zeros_like(x)
        kept = torch.bernoulli(torch.full((len(x),), 1 - self.p, dtype=x.dtype))
        return torch.stack([sample * keep / (1 - self.p) for sample, keep in zip(x, kept, strict=True)])


def shuffle(x, groups):
    """ShuffleNet's, by indices: output channel i * groups + g is input channel g * (channels / groups) + i."""
    each = x.shape[1] // groups
    return x[:, [g * each + i for i in range(each) for g in range(groups)]]


def shortcut(x, out, stride):
    """Option A of ResNet."""
    y = x[:, :, ::stride, ::stride]
    return torch.cat([y, y.new_zeros(len(y), out - y.shape[1], *y.shape[2:])], dim=1)
