"""What becomes of a tensor on its way between two namings, and on its way back: few things, each by its name."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from torch import Tensor

Kind = Literal["same", "rows", "halves", "there", "here"]


class Misshapen(Exception):
    """A tensor that cannot be changed like this."""


class TensorTransform(NamedTuple):
    """`same`: nothing; `rows`: theirs is ours, one below the other; `halves`: the halves of the inputs are swapped.

    `there`: theirs is a convolution with a kernel as large as its map, `window`, ours a linear layer; `here`: the
    other way round.
    """

    kind: Kind = "same"
    window: tuple[int, int] = (1, 1)

    def ours(self, tensor: Tensor, count: int) -> list[Tensor]:
        """Our `count` tensors from theirs; raises Misshapen."""
        with torch_refusals():
            parts = HERE[self.kind](self, tensor, count)
        if len(parts) != count:
            raise Misshapen(f"{tensor.shape[0]} rows cannot be cut into {count} equal parts")
        return parts

    def theirs(self, tensors: Sequence[Tensor]) -> Tensor:
        """Their tensor from ours; raises Misshapen."""
        with torch_refusals():
            return THERE[self.kind](self, tensors)


@contextmanager
def torch_refusals() -> Generator[None]:
    """Tells what torch refuses (other numbers of axes, or none at all along one) as a shape that does not fit."""
    try:
        yield
    except RuntimeError as error:
        raise Misshapen(f"a tensor is of no shape for this: {str(error).partition(chr(10))[0][:200]}") from None


def cut(change: TensorTransform, tensor: Tensor, count: int) -> list[Tensor]:
    """Equal parts, one below the other; what has no rows (a counter) is in each."""
    if tensor.ndim == 0:
        return [tensor] * count
    if tensor.shape[0] % count:
        raise Misshapen(f"{tensor.shape[0]} rows cannot be cut into {count} equal parts")
    return list(tensor.chunk(count))


def stack(change: TensorTransform, tensors: Sequence[Tensor]) -> Tensor:
    """The tensors, one below the other; those without rows have to be equal."""
    import torch

    first = tensors[0]
    if first.ndim:
        return torch.cat(list(tensors))
    if not first.is_meta and any(not torch.equal(first, each) for each in tensors):
        raise Misshapen(f"they count {', '.join(str(each.item()) for each in tensors)}, and can be one only if equal")
    return first


def swap(tensor: Tensor) -> Tensor:
    """The halves of the inputs, swapped."""
    if tensor.ndim < 2:
        return tensor
    if tensor.shape[1] % 2:
        raise Misshapen(f"{tensor.shape[1]} inputs have no halves")
    return tensor.roll(tensor.shape[1] // 2, 1)


def flatten(tensor: Tensor) -> Tensor:
    """The weight of a convolution as that of a linear layer."""
    return tensor.flatten(1) if tensor.ndim > 1 else tensor


def unfold(change: TensorTransform, tensor: Tensor) -> Tensor:
    """The weight of a linear layer as that of a convolution."""
    if tensor.ndim < 2:
        return tensor
    height, width = change.window
    if tensor.ndim > 2 or tensor.shape[1] % (height * width):
        raise Misshapen(f"{'x'.join(map(str, tensor.shape))} is no linear layer on maps of {height}x{width}")
    return tensor.reshape(len(tensor), -1, height, width)


HERE: dict[Kind, Callable[[TensorTransform, Tensor, int], list[Tensor]]] = {
    "same": lambda change, tensor, count: [tensor],
    "rows": cut,
    "halves": lambda change, tensor, count: [swap(tensor)],
    "there": lambda change, tensor, count: [flatten(tensor)],
    "here": lambda change, tensor, count: [unfold(change, tensor)],
}
"""From theirs to ours."""
THERE: dict[Kind, Callable[[TensorTransform, Sequence[Tensor]], Tensor]] = {
    "same": lambda change, tensors: tensors[0],
    "rows": stack,
    "halves": lambda change, tensors: swap(tensors[0]),
    "there": lambda change, tensors: unfold(change, tensors[0]),
    "here": lambda change, tensors: flatten(tensors[0]),
}
"""From ours to theirs."""
