"""Networks without their random weights, for tests that give them others: filling them takes seconds."""

from __future__ import annotations

from typing import Any
from unittest.mock import patch

import torch
from torch import Tensor, nn

import archdsl
from archdsl import Graph

RANDOM = ("uniform_", "normal_", "trunc_normal_", "kaiming_uniform_", "kaiming_normal_", "xavier_uniform_")
"""The initializations that draw numbers; constants and fixed filters stay what they are."""


def untouched(tensor: Tensor, *_: Any, **__: Any) -> Tensor:
    """A tensor as memory happens to be."""
    return tensor


def unfilled(graph: Graph) -> nn.Module:
    """The emitted module in float64, without its random weights."""
    torch.set_default_dtype(torch.float64)
    try:
        with patch.multiple(nn.init, **dict.fromkeys(RANDOM, untouched)):  # layers call them by way of the module, too
            return archdsl.build(graph)
    finally:
        torch.set_default_dtype(torch.float32)
