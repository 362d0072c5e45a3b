"""Small networks for the tests of weights: what a user has, and what he edits it to."""

from __future__ import annotations

from copy import deepcopy
from functools import cache
from typing import Any

import archdsl

HEAD = "head: global_avgpool -> flatten -> linear(classes)"
STAGES = {
    "c2": "stage c2: 2 * bottleneck(32)",
    "c3": "stage c3 / 2: 2 * bottleneck(64)",
    "c4": "stage c4 / 2: cna(64, 3) -> osa(3, cna(16, 3), 128)",
}


def text(*lines: str, head: str = HEAD) -> str:
    """The text of a small backbone with these stages."""
    start = ["backbone small(classes = 10):", "    input 3 x 32 x 32", "    stem: cna(8, 3, 2)"]
    return "\n".join([*start, *(f"    {line}" for line in (*lines, head)), ""])


@cache
def built(text: str) -> Any:
    """The module of a text."""
    return archdsl.build(archdsl.loads(text))


def net(*lines: str, head: str = HEAD) -> Any:
    """The module of a small backbone with these stages; a copy, as most tests want the same ones."""
    return deepcopy(built(text(*lines, head=head)))


def before() -> Any:
    """The network before any edit, as if it had been trained: no tensor is what initialization gives."""
    import torch

    module = net(*STAGES.values())
    for tensor in module.state_dict().values():
        tensor.copy_(torch.rand(tensor.shape) + 1 if tensor.is_floating_point() else torch.tensor(7))
    return module


def edited(**stages: str) -> Any:
    """The network with some stages written anew, freshly built."""
    return net(*(STAGES | stages).values())
