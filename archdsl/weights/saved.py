"""Files of `torch.save`, as data: the zip file of today, and the row of pickles of before 1.6."""

from __future__ import annotations

from collections.abc import Callable
from io import FileIO
from pathlib import Path
from struct import unpack_from
from typing import TYPE_CHECKING, Any, cast
from zipfile import ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from archdsl.weights.bounds import ByteBudget, Unreadable
from archdsl.weights.pickles import GlobalName, Machine, Maker, Makers
from archdsl.weights.storages import CUT_SHORT, Mapped, StoredNumbers, absent, tensor, unlike

if TYPE_CHECKING:
    from torch import Tensor

VALUES = 36 << 20
"""So many bytes of values a file may hold, and one more for each of its own."""
DIRECTORY = 1 << 20
"""So many bytes the list of a zip file's members may have, and one more for each 32 of the file."""
TENSOR = 1024
"""What a tensor costs, in bytes, besides its numbers."""
MAGIC = 0x1950A86A20F9469CFC6C
PROTOCOL = 1001

DTYPES = {
    "DoubleStorage": "float64", "FloatStorage": "float32", "HalfStorage": "float16", "BFloat16Storage": "bfloat16",
    "LongStorage": "int64", "IntStorage": "int32", "ShortStorage": "int16", "CharStorage": "int8",
    "ByteStorage": "uint8", "BoolStorage": "bool", "ComplexFloatStorage": "complex64",
    "ComplexDoubleStorage": "complex128", "QInt8Storage": "int8", "QUInt8Storage": "uint8", "QInt32Storage": "int32",
    "QUInt4x2Storage": "uint8", "QUInt2x4Storage": "uint8", "UntypedStorage": "uint8",
}  # fmt: skip
"""The names of torch's storages, and of what is in them."""
NEWER = ("uint16", "uint32", "uint64", "float8_e4m3fn", "float8_e5m2", "float8_e4m3fnuz", "float8_e5m2fnuz")
"""Types of numbers that have no storage of their own."""


def reader(mapped: Mapped, end: int, stored: Maker, tensors: Makers | None = None) -> Machine:
    """What reads pickles with tensors in them."""
    left = ByteBudget(VALUES + mapped.size)

    def paid(make: Maker) -> Maker:
        def step(*given: Any) -> Any:
            left.take(TENSOR)
            return make(*given)

        return step

    makers = {name: paid(make) for name, make in (TENSORS if tensors is None else tensors).items()}
    return Machine(mapped.bytes, end, left, makers | {"torch.Size": tuple}, stored)


# ---- tensors -------------------------------------------------------------------------------------------------------


def plain(storage: StoredNumbers, offset: int, size: Any, stride: Any, *rest: Any) -> Tensor:
    """What most tensors are saved as: a part of a storage. The last of the rest may say that it is seen otherwise."""
    found = tensor(storage, offset, size, stride)
    view = cast("dict[str, Any]", rest[2] if len(rest) > 2 and isinstance(rest[2], dict) else {})
    if view.get("conj"):
        found = found.conj()
    return found.neg() if view.get("neg") else found


def typed(
    storage: StoredNumbers, offset: int, size: Any, stride: Any, grad: Any, hooks: Any, dtype: Any, *_: Any
) -> Tensor:
    """A tensor of numbers that have no storage of their own."""
    name = dtype.name.removeprefix("torch.") if isinstance(dtype, GlobalName) else ""
    if name not in NEWER and name not in DTYPES.values():
        raise Unreadable(f"holds a tensor of the type `{name[:80]}`, which is not read")
    return tensor(storage, offset, size, stride, name)


def same(given: Tensor, *_: Any) -> Tensor:
    """A parameter is its tensor."""
    import torch

    if not isinstance(cast("object", given), torch.Tensor):
        raise TypeError(given)
    return given


def retyped(make: Any, _: Any, given: Any, __: Any) -> Tensor:
    """A tensor of a class of its own, or with attributes: the tensor."""
    return TENSORS[make.name](*given)


TENSORS: dict[str, Callable[..., Tensor]] = {
    "torch._utils._rebuild_tensor": plain,
    "torch._utils._rebuild_tensor_v2": plain,
    "torch._utils._rebuild_tensor_v3": typed,
    "torch._utils._rebuild_parameter": same,
    "torch._utils._rebuild_parameter_with_state": same,
    "torch._utils._rebuild_device_tensor_from_cpu_tensor": same,
    "torch.nn.parameter.Parameter": same,
    "torch._tensor._rebuild_from_type_v2": retyped,
    "torch._utils._rebuild_qtensor": lambda *_: unlike(dtype="int8"),
    "torch._utils._rebuild_sparse_tensor": lambda *_: unlike(layout="sparse_coo"),
    "torch._utils._rebuild_meta_tensor_no_storage": lambda *_: absent(),
    "torch._utils._rebuild_nested_tensor": lambda *_: absent(),
    "torch._utils._rebuild_wrapper_subclass": lambda *_: absent(),
}
"""By the names of the functions that would rebuild them in torch."""


def described(pid: Any) -> tuple[str, str, int, Any]:
    """What a pickle says of a storage: the type of its numbers, its key, how many there are, which part it is."""
    word, kind, key, _, count, *view = pid
    if type(word) not in (str, bytes) or word not in ("storage", b"storage") or type(count) is not int or count < 0:
        raise Unreadable("asks for something else than numbers", CUT_SHORT)
    name = kind.name.rpartition(".")[2]
    if name not in DTYPES:
        raise Unreadable(f"holds numbers of the type `{name[:80]}`, which are not read")
    return DTYPES[name], plain_key(key), count, view[0] if view else None


def plain_key(key: Any) -> str:
    """The key of a storage."""
    if type(key) is bytes:
        return key.decode("latin-1")
    if type(key) is not str:
        raise Unreadable("has numbers without a name", CUT_SHORT)
    return key


def width(dtype: str) -> int:
    """How many bytes a number has."""
    import torch

    return cast("torch.dtype", getattr(torch, dtype)).itemsize


# ---- the zip file --------------------------------------------------------------------------------------------------


class Sparing(FileIO):
    """A file that is only read in small pieces: what is larger is no list of members."""

    most = 0

    def read(self, size: int | None = -1, /) -> bytes:
        found = super().read(self.most + 1 if size is None or not 0 <= size <= self.most else size) or b""
        if len(found) > self.most:
            raise BadZipFile("the list of its members is too long")
        return found


class Archive:
    """The members of a zip file, none of which is compressed."""

    def __init__(self, path: Path, mapped: Mapped) -> None:
        self.mapped = mapped
        members = listed(path, mapped.size)
        names = [each.filename for each in members]
        self.root = next((name[: -len(PICKLE)] for name in names if name.endswith(f"/{PICKLE}")), None)
        if self.root is None:
            raise Unreadable("is a zip file, but none that torch.save wrote", READABLE)
        if any(name.endswith("constants.pkl") for name in names):
            raise Program
        if any(each.compress_type != ZIP_STORED or each.compress_size != each.file_size for each in members):
            raise Unreadable(
                "was packed again by another program than torch.save", "unpack it and save it with torch.save"
            )
        self.members = {each.filename: each for each in members}
        if len(self.members) < len(names):
            raise Unreadable("holds two members of one name", CUT_SHORT)

    def place(self, name: str) -> tuple[int, int]:
        """Where a member is, and its size."""
        found = self.members.get(f"{self.root}{name}")
        if found is None:
            raise Unreadable(f"has no member `{name[:80]}`", CUT_SHORT)
        start = found.header_offset
        if not 0 <= start <= self.mapped.size - HEADER or self.mapped.bytes[start : start + 4] != b"PK\3\4":
            raise Unreadable(f"has no member `{name[:80]}` where it says", CUT_SHORT)
        start += HEADER + sum(unpack_from("<HH", self.mapped.bytes, start + HEADER - 4))
        if start + found.file_size > self.mapped.size:
            raise Unreadable(f"has only a part of its member `{name[:80]}`", CUT_SHORT)
        return start, found.file_size


PICKLE = "data.pkl"
READABLE = "files of torch.save and safetensors are read"
HEADER = 30
"""So many bytes of a member's header come before its name."""


class Program(Exception):
    """A TorchScript archive."""


def listed(path: Path, size: int) -> list[ZipInfo]:
    """A zip file's list of members."""
    try:
        with Sparing(path) as file:
            file.most = DIRECTORY + size // 32
            with ZipFile(file) as archive:
                return archive.infolist()
    except (BadZipFile, NotImplementedError, OSError, ValueError, OverflowError) as error:
        raise Unreadable(f"is broken: {error}", CUT_SHORT) from None


def read_zip(path: Path, mapped: Mapped, names: dict[str, None]) -> Any:
    """What `torch.save` writes today; `names` gets what its pickle asks for."""
    archive = Archive(path, mapped)
    held: dict[str, StoredNumbers] = {}
    swap = byte_order(archive) == b"big"

    def stored(pid: Any) -> StoredNumbers:
        dtype, key, count, _ = described(pid)
        if key not in held:
            start, size = archive.place(f"data/{key}")
            if count * width(dtype) > size:
                raise Unreadable("says that it holds more numbers than there are in it", CUT_SHORT)
            held[key] = mapped.storage(start, size, dtype)
            if swap and size:
                swapped(held[key])
        return held[key]._replace(dtype=dtype)

    start, size = archive.place(PICKLE)
    machine = reader(mapped, start + size, stored)
    try:
        return machine.run(start)
    finally:
        names |= machine.names


def swapped(storage: StoredNumbers) -> None:
    """Turns the bytes of each number of a storage round."""
    import torch

    turn = cast("Callable[[torch.dtype], None]", storage.content.byteswap)  # pyright: ignore[reportUnknownMemberType]
    turn(getattr(torch, storage.dtype))


def byte_order(archive: Archive) -> bytes:
    """Which end of a number comes first; older files do not say, and are of machines such as ours."""
    if f"{archive.root}byteorder" not in archive.members:
        return b"little"
    start, size = archive.place("byteorder")
    return archive.mapped.bytes[start : start + min(size, 8)]


# ---- the row of pickles --------------------------------------------------------------------------------------------


def read_row(path: Path, mapped: Mapped, names: dict[str, None]) -> Any:
    """What `torch.save` wrote before 1.6: three pickles that say so, the content, the storages' keys, the storages.

    The content is read twice: where a storage lies depends on the types of those before it, which the content tells.
    """
    kinds: dict[str, str] = {}
    places: dict[str, StoredNumbers] = {}

    def noted(pid: Any) -> Any:
        if is_module(pid):
            return pid[1]
        dtype, key, _, _ = described(pid)
        kinds.setdefault(key, dtype)
        return None

    def stored(pid: Any) -> Any:
        if is_module(pid):
            return pid[1]
        dtype, key, _, view = described(pid)
        found = places[key]
        if view is not None:
            _, offset, count = view
            return part(found, offset * width(dtype), count * width(dtype), dtype)
        return found._replace(dtype=dtype)

    first = reader(mapped, mapped.size, noted, {})
    try:
        check_head(first)
        start = mapped.bytes.tell()
        first.run(start)
        keys = first.run(mapped.bytes.tell())
    finally:
        names |= first.names
    places |= storages(mapped, keys, kinds)
    return reader(mapped, mapped.size, stored).run(start)


def check_head(machine: Machine) -> None:
    """Reads what comes before the content."""
    if machine.run(0) != MAGIC:
        help = "save the tensors with torch.save: `torch.save(state_dict, 'weights.pt')`"
        raise Unreadable("is a pickle, but none that torch.save wrote", help)
    version = machine.run(machine.file.tell())
    if version != PROTOCOL:
        raise Unreadable("is of a version of torch.save's format that is not known", CUT_SHORT)
    machine.run(machine.file.tell())


def is_module(pid: Any) -> bool:
    """Whether a pickle speaks of a class, with its source, and not of a storage."""
    return type(pid) is tuple and len(cast("tuple[Any, ...]", pid)) == 4 and pid[0] in ("module", b"module")


def storages(mapped: Mapped, keys: Any, kinds: dict[str, str]) -> dict[str, StoredNumbers]:
    """The storages behind the pickles: each is its count of numbers, then these."""
    found: dict[str, StoredNumbers] = {}
    place = mapped.bytes.tell()
    for key in map(plain_key, cast("list[Any]", keys) if type(keys) is list else [None]):
        if key not in kinds or key in found or place + 8 > mapped.size:
            raise Unreadable("has not all numbers that it speaks of", CUT_SHORT)
        (count,) = unpack_from("<q", mapped.bytes, place)
        size = count * width(kinds[key])
        found[key] = mapped.storage(place + 8, size, kinds[key])
        place += 8 + size
    return found


def part(whole: StoredNumbers, start: int, size: int, dtype: str) -> StoredNumbers:
    """A part of a storage that was one of its own."""
    if type(start) is not int or type(size) is not int or not 0 <= start <= start + size <= whole.content.nbytes():
        raise Unreadable("has not all numbers that it speaks of", CUT_SHORT)
    return StoredNumbers(whole.content[start : start + size], dtype)  # pyright: ignore[reportArgumentType] (bytes of it)
