"""Trains networks in channels_last, a few steps each, in a process of its own: it tells each title before it begins.

`python training.py FILE`, where FILE holds a list of (title, spec) as JSON. Memory that is spoiled ends the process
by a signal, if glibc checks its heap; so the last title told is the one to blame.
"""

from __future__ import annotations

import gc
import json
import sys
from pathlib import Path

import torch

import archdsl

STEPS = 3


def main(file: str) -> None:
    """Trains all networks of a file."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    for title, spec in json.loads(Path(file).read_text("utf-8")):
        print(title, flush=True)
        train(spec)
        gc.collect()


def train(spec: str) -> None:
    """Some steps, with the weights in channels_last, too; the first input is contiguous."""
    graph = archdsl.compile(archdsl.loads(spec))
    model = archdsl.build(graph).to(memory_format=torch.channels_last).train()  # pyright: ignore[reportCallIssue]
    channels, height, width = graph.input
    for step in range(STEPS):
        x = torch.randn(2, channels, height, width).to(memory_format=torch.channels_last)
        result = model(x if step else x.contiguous())
        outputs = result.values() if isinstance(result, dict) else [result]
        torch.stack([output.square().mean() for output in outputs]).sum().backward()
        with torch.no_grad():
            for weight in model.parameters():
                assert weight.grad is not None
                weight.add_(weight.grad, alpha=-0.01)
                weight.grad = None


if __name__ == "__main__":
    main(sys.argv[1])
