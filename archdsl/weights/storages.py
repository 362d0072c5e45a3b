"""Numbers in a file: mapped into memory, and seen as tensors only where they are all there."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from mmap import ACCESS_COPY, mmap
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from archdsl.weights.bounds import Unreadable

if TYPE_CHECKING:
    from torch import Tensor, UntypedStorage

MOST_AXES = 64
"""PyTorch's own limit."""
CUT_SHORT = "it was cut short or damaged on its way: get it again"
ALIGNED = 8
"""Numbers that begin elsewhere are copied, as processors want them."""


class StoredNumbers(NamedTuple):
    """A row of numbers of one type, by its name in torch."""

    content: UntypedStorage
    dtype: str


class Mapped:
    """A file's bytes. They are read when they are needed; what is written to them never reaches the file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with path.open("rb") as file:
            self.bytes = mmap(file.fileno(), 0, access=ACCESS_COPY)
        self.size = len(self.bytes)
        self.handed_out = 0

    def storage(self, start: int, count: int, dtype: str) -> StoredNumbers:
        """The numbers in `count` bytes from `start` on. Raises Broken where the file has not so many."""
        import torch

        self.handed_out += count
        if not (0 <= start <= start + count <= self.size and self.handed_out <= self.size):
            raise Unreadable("says that it holds more numbers than there are in it", CUT_SHORT)
        if count == 0:
            return StoredNumbers(torch.UntypedStorage(0), dtype)
        if start % ALIGNED:
            content = torch.frombuffer(self.copied(start, count), dtype=torch.uint8)
        else:
            content = torch.frombuffer(self.bytes, dtype=torch.uint8, count=count, offset=start)
        return StoredNumbers(content.untyped_storage(), dtype)

    def copied(self, start: int, count: int) -> bytearray:
        """A piece of the file. It is read anew, as the same piece would be in memory twice if the map were."""
        held = bytearray(count)
        with self.path.open("rb") as file:
            file.seek(start)
            if file.readinto(held) < count:
                raise Unreadable("became shorter while it was read", CUT_SHORT)
        return held


def tensor(storage: StoredNumbers, offset: int, size: Sequence[int], stride: Sequence[int], dtype: str = "") -> Tensor:
    """A view of a storage, as torch describes it. Raises Broken where it goes beyond."""
    import torch

    kind = cast("torch.dtype", getattr(torch, dtype or storage.dtype))
    if any(type(each) not in (tuple, list) or len(each) > MOST_AXES for each in (size, stride)):
        raise Unreadable("describes a tensor that cannot be", CUT_SHORT)
    counts = [offset, *size, *stride]
    if any(type(each) is not int or each < 0 for each in counts) or len(size) != len(stride):
        raise Unreadable("describes a tensor that cannot be", CUT_SHORT)
    end = offset + 1 + sum((count - 1) * step for count, step in zip(size, stride, strict=True))
    if prod(size) and end * kind.itemsize > storage.content.nbytes():
        raise Unreadable("describes a tensor that has more numbers than are stored", CUT_SHORT)
    try:
        found = torch.empty(0, dtype=kind)
        return found.set_(storage.content, offset, tuple(size), tuple(stride)) if prod(size) else found.new_empty(size)
    except (RuntimeError, TypeError, ValueError, OverflowError):
        raise Unreadable("describes a tensor that cannot be", CUT_SHORT) from None


def row_major(size: Sequence[int]) -> list[int]:
    """The strides of numbers that lie one behind the other."""
    return [prod(size[index + 1 :]) for index in range(len(size))]


def unlike(**kind: Any) -> Tensor:
    """An empty tensor of a kind that no weights are of: it stands for one in a file, which is not made."""
    import torch

    return torch.empty(0, **{name: getattr(torch, value) for name, value in kind.items()})


def absent() -> Tensor:
    """A tensor without numbers: it stands for one of a class that is not made."""
    import torch

    return torch.empty(0, device="meta")
