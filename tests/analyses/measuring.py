"""What torch allocates and keeps: a second account of memory, by its own dispatcher and its own hooks."""

from __future__ import annotations

import weakref
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

import archdsl
from archdsl.graph import Graph


class Counting(TorchDispatchMode):
    """Counts the bytes of the storages that ops make, from their making until they are freed."""

    def __init__(self, *known: Tensor) -> None:
        super().__init__()
        self.live = self.peak = 0
        self.outside = [each.untyped_storage() for each in known]
        self.known = {each._cdata for each in self.outside}

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        for tensor in tree_leaves(result):
            if isinstance(tensor, Tensor):
                self.note(tensor.untyped_storage())
        self.peak = max(self.peak, self.live)
        return result

    def note(self, storage: Any) -> None:
        """Counts a storage that is new."""
        if storage._cdata not in self.known:
            self.known.add(storage._cdata)
            self.live += storage.nbytes()
            weakref.finalize(storage, self.forget, storage._cdata, storage.nbytes())

    def forget(self, key: int, size: int) -> None:
        """Counts a storage that was freed."""
        self.known.discard(key)
        self.live -= size


def built(graph: Graph) -> nn.Module:
    """A network whose weights are ones: what they are is no matter, and drawing them takes long."""
    with torch.device("meta"):
        model = archdsl.build(graph)
    model.to_empty(device="cpu")
    with torch.no_grad():
        for each in state(model):
            each.fill_(1)
    return model


def state(model: nn.Module) -> list[Tensor]:
    """What a module holds."""
    return [*model.parameters(), *model.buffers()]


def peak(model: nn.Module, shape: tuple[int, ...]) -> int:
    """Bytes at the peak of an inference, the input included."""
    x = torch.randn(shape)
    with torch.no_grad(), Counting(x, *state(model.eval())) as counting:
        model(x)
    return counting.peak + x.untyped_storage().nbytes()


def saved(model: nn.Module, shape: tuple[int, ...]) -> int:
    """Bytes that are kept for the backward pass, each storage once, parameters and buffers aside."""
    held = {each.untyped_storage()._cdata for each in state(model)}
    found: dict[int, Any] = {}

    def pack(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage._cdata not in held:
            found[storage._cdata] = storage
        return tensor.detach()  # an output that its own grad_fn holds would never be freed

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        result = model.train()(torch.randn(shape))
    total = sum(storage.nbytes() for storage in found.values())
    del result
    return total


def size_of(tensors: list[Tensor]) -> int:
    """Bytes of tensors."""
    return sum(each.untyped_storage().nbytes() for each in tensors)
