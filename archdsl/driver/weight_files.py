"""Files of weights: tensors, with the manifest of their network; written, and read back from programs."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from math import prod
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from zipfile import ZIP_STORED, BadZipFile, ZipFile
from zlib import crc32

from archdsl.diagnostics import catalog
from archdsl.driver.containers import TABLE, WireField, from_archive, varint, wire_fields
from archdsl.driver.manifest import KEY, MEMBER
from archdsl.driver.writing import write_whole
from archdsl.weights.pickles import Unreadable
from archdsl.weights.torch_save import listed

if TYPE_CHECKING:
    from torch import Tensor

    State = Mapping[str, Tensor]


def write_weights(path: Path, state: State, manifest: str = "") -> None:
    """Write a state dict in the format of the path's suffix, with the manifest of its network, if it is known.

    Raises ArchError if it cannot be written.
    """
    save = SAVERS[path.suffix]()
    held = contiguous(state)
    write_whole(path, lambda made: save_to(save, held, made, manifest))


def contiguous(state: State) -> dict[str, Tensor]:
    """Contiguous copies of tensors."""
    # A view of a larger tensor would bring all of its storage into the file.
    import torch

    return {name: tensor.detach().clone(memory_format=torch.contiguous_format) for name, tensor in state.items()}


def save_to(save: Callable[..., Any], state: dict[str, Tensor], path: Path, manifest: str) -> None:
    """Save, and raise a library's own errors, such as for a full disk, as the OSError that `write_whole` reports."""
    try:
        save(state, path, manifest)
    except OSError:
        raise
    except Exception as error:
        raise OSError(str(error).partition("\n")[0]) from None


def torch_saver() -> Callable[..., Any]:
    """Writer of PyTorch's own format, a zip archive."""
    import torch

    def save(state: dict[str, Tensor], path: Path, manifest: str) -> None:
        torch.save(state, path)
        if manifest:
            add_members(path, {MEMBER: manifest})

    return save


def safetensors_saver() -> Callable[..., Any]:
    """Writer of safetensors."""
    try:
        from safetensors.torch import save_file  # pyright: ignore[reportUnknownVariableType]
    except ImportError:
        raise catalog.missing("safetensors", "torch") from None

    def save(state: dict[str, Tensor], path: Path, manifest: str) -> None:
        metadata = {"format": "pt"} | ({KEY: manifest} if manifest else {})
        cast("Callable[..., Any]", save_file)(state, path, metadata)

    return save


SAVERS: dict[str, Callable[[], Callable[..., Any]]] = {
    ".pt": torch_saver,
    ".pth": torch_saver,
    ".safetensors": safetensors_saver,
}


def add_members(path: Path, texts: Mapping[str, str]) -> None:
    """Add texts to an archive of PyTorch's, beside its own extra files."""
    with ZipFile(path, "a") as archive:
        root = archive.namelist()[0].partition("/")[0]
        for name, text in texts.items():
            archive.writestr(f"{root}/extra/{name}", text)


def add_table(path: Path, state: State) -> None:
    """Add the table of the weights to an archive that holds their numbers: for each the member, type and shape.

    A program's archive names its tensors inside the program, which nobody should run to find them.
    """
    with ZipFile(path) as archive:
        held = {(each.file_size, each.CRC): each.filename.partition("/")[2] for each in archive.infolist()}
    table: dict[str, Any] = {}
    for name, tensor in contiguous(state).items():
        content = tensor.cpu().numpy().tobytes()
        place = held.get((len(content), crc32(content)))
        if place is not None:
            table[name] = [place, str(tensor.dtype).removeprefix("torch."), list(tensor.shape)]
    add_members(path, {TABLE: json.dumps(table)})


# ---- programs ------------------------------------------------------------------------------------------------------

LONGEST_AXES = 8
TYPES = ("float64", "float32", "float16", "bfloat16", "int64", "int32", "int16", "int8", "uint8", "bool")
ONNX_TYPES = {1: "float32", 7: "int64", 10: "float16", 11: "float64", 16: "bfloat16"}
"""Types of tensors by their numbers in ONNX."""
GRAPH, INITIALIZER = 7, 5
"""Numbers of the fields of a model's graph, and of a graph's tensors."""


def weights_in(path: Path) -> dict[str, Tensor]:
    """Weights of an exported program, as data: the program is not run. Raises ArchError for a broken file."""
    try:
        return onnx_weights(path) if path.suffix == ".onnx" else archive_weights(path)
    except Unreadable as error:
        raise catalog.CHECKPOINT.error(None, f"{path} {error.label}", help=error.help) from None
    except (OSError, ValueError, TypeError, LookupError, OverflowError, RuntimeError, BadZipFile, RecursionError):
        raise catalog.CHECKPOINT.error(None, f"{path}: its weights cannot be read", help="get it again") from None


def archive_weights(path: Path) -> dict[str, Tensor]:
    """Weights of an archive, by its table."""
    text = from_archive(path, TABLE)
    if text is None:
        raise Unreadable("has no table of its weights", "archdsl writes one into the programs that it exports")
    members = {each.filename.partition("/")[2]: each for each in listed(path, path.stat().st_size)}
    found: dict[str, Tensor] = {}
    with ZipFile(path) as archive:
        for name, (place, dtype, shape) in json.loads(text).items():
            entry = members[place]
            if entry.compress_type != ZIP_STORED or entry.file_size > path.stat().st_size:
                raise Unreadable("was packed again by another program", "get it again")
            found[name] = as_tensor(archive.read(entry), dtype, shape)
    return found


def onnx_weights(path: Path) -> dict[str, Tensor]:
    """Weights of an ONNX model: the tensors of its graph."""
    found: dict[str, Tensor] = {}
    with path.open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as content:
        for graph in wire_fields(content, 0, len(content)):
            if graph.number != GRAPH:
                continue
            for field in wire_fields(content, graph.start, graph.end):
                if field.number == INITIALIZER:
                    name, tensor = onnx_tensor(content, field)
                    found |= {} if tensor is None else {name: tensor}
    return found


def onnx_tensor(content: mmap, place: WireField) -> tuple[str, Tensor | None]:
    """Name and content of a tensor of ONNX; none for a type that no weights have, or where it is in another file."""
    shape: list[int] = []
    kind, name, numbers = 0, "", None
    for field in wire_fields(content, place.start, place.end):
        if field.number == 1:
            shape += packed(content, field)
        elif field.number == 2:
            kind = field.value
        elif field.number == 8:
            name = content[field.start : field.end].decode()
        elif field.number == 9:
            numbers = content[field.start : field.end]
    dtype = ONNX_TYPES.get(kind)
    return name, None if dtype is None or numbers is None else as_tensor(numbers, dtype, shape)


def packed(content: mmap, field: WireField) -> list[int]:
    """Numbers of a repeated field: one, or several in a row."""
    if field.value or field.end - field.start == 0:
        return [field.value]
    found: list[int] = []
    start = field.start
    while start < field.end and len(found) <= LONGEST_AXES:
        value, start = varint(content, start, field.end)
        found.append(value)
    return found


def as_tensor(content: bytes, dtype: Any, shape: Any) -> Tensor:
    """Tensor of bytes, a type and a shape; raises Unreadable where they do not fit."""
    import torch

    sizes = [size for size in shape if type(size) is int and 0 <= size < 1 << 40]
    if dtype not in TYPES or len(sizes) != len(shape) or len(sizes) > LONGEST_AXES:
        raise Unreadable("describes a tensor that cannot be", "get it again")
    kind = getattr(torch, dtype)
    if prod(sizes) * kind.itemsize != len(content):
        raise Unreadable("has another number of bytes than the shape of a tensor says", "get it again")
    if not content:
        return torch.empty(sizes, dtype=kind)
    return torch.frombuffer(bytearray(content), dtype=kind).reshape(sizes)
