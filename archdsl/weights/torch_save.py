"""Read files of `torch.save` as data: the zip file of today, and the sequence of pickles before PyTorch 1.6."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from io import FileIO
from math import prod
from mmap import ACCESS_COPY, mmap
from pathlib import Path
from struct import unpack_from
from typing import TYPE_CHECKING, Any, NamedTuple, cast
from zipfile import ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from archdsl.weights.pickles import ByteBudget, GlobalName, Machine, Maker, Makers, Unreadable

if TYPE_CHECKING:
    from torch import Tensor, UntypedStorage

# PyTorch's own limit.
MOST_AXES = 64
CUT_SHORT = "it was cut short or damaged on its way: get it again"
# Numbers at other addresses are copied: not every processor reads them in place.
ALIGNED = 8


class StoredNumbers(NamedTuple):
    """Storage, and the name of its dtype in torch."""

    content: UntypedStorage
    dtype: str


class Mapped:
    """Bytes of a file, mapped copy-on-write: nothing that is done to a tensor reaches the file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with path.open("rb") as file:
            self.bytes = mmap(file.fileno(), 0, access=ACCESS_COPY)
        self.size = len(self.bytes)
        self.handed_out = 0

    def storage(self, start: int, count: int, dtype: str) -> StoredNumbers:
        """Storage over `count` bytes of the file. Raises Unreadable if the file is shorter."""
        import torch

        # Summed over all storages, so that many overlapping ones cannot claim more than the file has.
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
        """Copy of a range of bytes. Read from the file again: through the map, the pages would stay in memory twice."""
        held = bytearray(count)
        with self.path.open("rb") as file:
            file.seek(start)
            if file.readinto(held) < count:
                raise Unreadable("became shorter while it was read", CUT_SHORT)
        return held


def tensor(storage: StoredNumbers, offset: int, size: Sequence[int], stride: Sequence[int], dtype: str = "") -> Tensor:
    """View of a storage with a shape and strides. Raises Unreadable if it exceeds the storage."""
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
    """Strides of a contiguous tensor."""
    return [prod(size[index + 1 :]) for index in range(len(size))]


def unlike(**kind: Any) -> Tensor:
    """Empty tensor of an unsupported kind, in place of the one in the file; loading reports the kind."""
    import torch

    return torch.empty(0, **{name: getattr(torch, value) for name, value in kind.items()})


def absent() -> Tensor:
    """Tensor without values, in place of one whose class is not supported."""
    import torch

    return torch.empty(0, device="meta")


# ---- the pickle machine for tensors --------------------------------------------------------------------------------

# Budget for values in bytes, in addition to one byte for each of the file's.
VALUES = 36 << 20
# Longest directory of a zip file in bytes, in addition to 1/32 of the file.
DIRECTORY = 1 << 20
# Cost of a tensor in bytes, its numbers aside.
TENSOR = 1024
MAGIC = 0x1950A86A20F9469CFC6C
PROTOCOL = 1001

# Names of torch's storage classes, and the dtype of their numbers.
DTYPES = {
    "DoubleStorage": "float64", "FloatStorage": "float32", "HalfStorage": "float16", "BFloat16Storage": "bfloat16",
    "LongStorage": "int64", "IntStorage": "int32", "ShortStorage": "int16", "CharStorage": "int8",
    "ByteStorage": "uint8", "BoolStorage": "bool", "ComplexFloatStorage": "complex64",
    "ComplexDoubleStorage": "complex128", "QInt8Storage": "int8", "QUInt8Storage": "uint8", "QInt32Storage": "int32",
    "QUInt4x2Storage": "uint8", "QUInt2x4Storage": "uint8", "UntypedStorage": "uint8",
}  # fmt: skip
# Dtypes without a storage class of their own.
NEWER = ("uint16", "uint32", "uint64", "float8_e4m3fn", "float8_e5m2", "float8_e4m3fnuz", "float8_e5m2fnuz")


def reader(mapped: Mapped, end: int, stored: Maker, tensors: Makers | None = None) -> Machine:
    """Pickle machine that makes tensors."""
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
    """Tensor as most are saved: part of a storage, perhaps seen conjugated or negated."""
    found = tensor(storage, offset, size, stride)
    view = cast("dict[str, Any]", rest[2] if len(rest) > 2 and isinstance(rest[2], dict) else {})
    if view.get("conj"):
        found = found.conj()
    return found.neg() if view.get("neg") else found


def typed(
    storage: StoredNumbers, offset: int, size: Any, stride: Any, grad: Any, hooks: Any, dtype: Any, *_: Any
) -> Tensor:
    """Tensor whose dtype has no storage class."""
    name = dtype.name.removeprefix("torch.") if isinstance(dtype, GlobalName) else ""
    if name not in NEWER and name not in DTYPES.values():
        raise Unreadable(f"holds a tensor of the type `{name[:80]}`, which is not read")
    return tensor(storage, offset, size, stride, name)


def same(given: Tensor, *_: Any) -> Tensor:
    """Parameter as its tensor."""
    import torch

    if not isinstance(cast("object", given), torch.Tensor):
        raise TypeError(given)
    return given


def retyped(make: Any, _: Any, given: Any, __: Any) -> Tensor:
    """Tensor of a subclass, or with attributes, as a plain tensor."""
    return TENSORS[make.name](*given)


# Makers by the names of torch's functions that rebuild tensors.
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


def described(pid: Any) -> tuple[str, str, int, Any]:
    """Dtype, key, length and view of a storage, from its persistent id."""
    word, kind, key, _, count, *view = pid
    if type(word) not in (str, bytes) or word not in ("storage", b"storage") or type(count) is not int or count < 0:
        raise Unreadable("asks for something else than numbers", CUT_SHORT)
    name = kind.name.rpartition(".")[2]
    if name not in DTYPES:
        raise Unreadable(f"holds numbers of the type `{name[:80]}`, which are not read")
    return DTYPES[name], plain_key(key), count, view[0] if view else None


def plain_key(key: Any) -> str:
    """Key of a storage."""
    if type(key) is bytes:
        return key.decode("latin-1")
    if type(key) is not str:
        raise Unreadable("has numbers without a name", CUT_SHORT)
    return key


def width(dtype: str) -> int:
    """Size of a number in bytes."""
    import torch

    return cast("torch.dtype", getattr(torch, dtype)).itemsize


# ---- the zip file --------------------------------------------------------------------------------------------------


class Sparing(FileIO):
    """File that refuses long reads, which only an oversized directory needs."""

    most = 0

    def read(self, size: int | None = -1, /) -> bytes:
        found = super().read(self.most + 1 if size is None or not 0 <= size <= self.most else size) or b""
        if len(found) > self.most:
            raise BadZipFile("the list of its members is too long")
        return found


class Archive:
    """Members of an uncompressed zip file."""

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
        """Offset and size of a member's content."""
        found = self.members.get(f"{self.root}{name}")
        if found is None:
            raise Unreadable(f"has no member `{name[:80]}`", CUT_SHORT)
        # The directory may lie about offsets, so the member's own header is checked.
        start = found.header_offset
        if not 0 <= start <= self.mapped.size - HEADER or self.mapped.bytes[start : start + 4] != b"PK\3\4":
            raise Unreadable(f"has no member `{name[:80]}` where it says", CUT_SHORT)
        start += HEADER + sum(unpack_from("<HH", self.mapped.bytes, start + HEADER - 4))
        if start + found.file_size > self.mapped.size:
            raise Unreadable(f"has only a part of its member `{name[:80]}`", CUT_SHORT)
        return start, found.file_size


PICKLE = "data.pkl"
READABLE = "files of torch.save and safetensors are read"
# Size of a member's header up to its name.
HEADER = 30


class Program(Exception):
    """Raised for a TorchScript archive."""


def listed(path: Path, size: int) -> list[ZipInfo]:
    """Directory of a zip file."""
    try:
        with Sparing(path) as file:
            file.most = DIRECTORY + size // 32
            with ZipFile(file) as archive:
                return archive.infolist()
    except (BadZipFile, NotImplementedError, OSError, ValueError, OverflowError) as error:
        raise Unreadable(f"is broken: {error}", CUT_SHORT) from None


def member(path: Path, entry: ZipInfo, most: int) -> bytes:
    """Content of a member of a zip file, of at most so many bytes."""
    with ZipFile(path) as archive, archive.open(entry) as file:
        found = file.read(most + 1)
    if len(found) > most:
        raise BadZipFile("a member is longer than the directory says")
    return found


def read_zip(path: Path, mapped: Mapped, names: dict[str, None]) -> Any:
    """Content of a file of `torch.save`; `names` collects the globals that its pickle names."""
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
    """Reverse the bytes of each number of a storage."""
    import torch

    turn = cast("Callable[[torch.dtype], None]", storage.content.byteswap)  # pyright: ignore[reportUnknownMemberType]
    turn(getattr(torch, storage.dtype))


def byte_order(archive: Archive) -> bytes:
    """Byte order of the numbers. Older files do not record it and come from little-endian machines."""
    if f"{archive.root}byteorder" not in archive.members:
        return b"little"
    start, size = archive.place("byteorder")
    return archive.mapped.bytes[start : start + min(size, 8)]


# ---- the row of pickles --------------------------------------------------------------------------------------------


def read_row(path: Path, mapped: Mapped, names: dict[str, None]) -> Any:
    """Content of a file of `torch.save` before 1.6.

    Such a file is three header pickles, the content, the storage keys, then the storages. The content is read
    twice, since the offset of a storage depends on the dtypes of those before it, which the content tells.
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
    """Read the header pickles."""
    if machine.run(0) != MAGIC:
        help = "save the tensors with torch.save: `torch.save(state_dict, 'weights.pt')`"
        raise Unreadable("is a pickle, but none that torch.save wrote", help)
    version = machine.run(machine.file.tell())
    if version != PROTOCOL:
        raise Unreadable("is of a version of torch.save's format that is not known", CUT_SHORT)
    machine.run(machine.file.tell())


def is_module(pid: Any) -> bool:
    """Tell the persistent id of a class, with its source code, from that of a storage."""
    return type(pid) is tuple and len(cast("tuple[Any, ...]", pid)) == 4 and pid[0] in ("module", b"module")


def storages(mapped: Mapped, keys: Any, kinds: dict[str, str]) -> dict[str, StoredNumbers]:
    """Storages behind the pickles: each is a count, then the numbers."""
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
    """View into a storage that was saved as one of its own."""
    if type(start) is not int or type(size) is not int or not 0 <= start <= start + size <= whole.content.nbytes():
        raise Unreadable("has not all numbers that it speaks of", CUT_SHORT)
    return StoredNumbers(whole.content[start : start + size], dtype)  # pyright: ignore[reportArgumentType] (bytes of it)
