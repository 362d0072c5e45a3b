"""Checkpoint files, read as data: tensors and plain values, whatever else is in them.

What a file is, its content tells, not its name. Nothing in a file is run: what only code could make stays an `Inert`
thing. Wrappers (`state_dict`, `model_ema`) stay; the rules know them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn, cast

from archdsl.diagnostics import catalog, listed
from archdsl.weights.bounds import ByteBudget, Unreadable
from archdsl.weights.pickles import Inert
from archdsl.weights.saved import Program, read_row, read_zip
from archdsl.weights.storages import CUT_SHORT, Mapped, row_major, tensor

HEAD = 512
"""So many bytes tell what a file is."""
DEEPEST = 4
"""So many wrappers around the tensors are looked through."""
FEW = 5
"""So many keys are named in a message."""
HEADER = 1 << 20
"""So many bytes the header of a safetensors file may have, and one more for each 32 of the file."""

Reader = Callable[[Path, Mapped, dict[str, None]], Any]
"""What reads a file of one format; the dict gets the names that it asks for."""

OTHERS = (
    (b"version https://git-lfs", "a Git LFS pointer, not the file that it stands for", "`git lfs pull` gets the file"),
    (b"<", "a web page or XML, perhaps what a failed download left", "download it again, and look at the address"),
    (b"\x89HDF", "an HDF5 file, as Keras writes", "convert it to safetensors with Keras's help"),
    (b"\x1f\x8b", "packed with gzip", "unpack it first"),
    (b"\x93NUMPY", "a NumPy array", "save a dict of tensors: `torch.save(..., 'weights.pt')`"),
)
"""What people have in place of a checkpoint: how it begins, what it is, what to do."""

HARMFUL = re.compile(
    r"(?:os|posix|nt|subprocess|commands|sys|shutil|socket|pty|runpy|importlib|ctypes|webbrowser|code|marshal|_?pickle)\."
    r"|(?:_io|io)\.(?:open|FileIO)|builtins\.(?:eval|exec|execfile|compile|open|__import__|input|breakpoint)$"
)
"""What no weights need, and attacks do. Nothing is run either way; but nobody should go on with such a file."""


def read(path: str | Path) -> dict[str, Any]:
    """What a `.pth`, `.pt` or `.safetensors` file holds: tensors by name, or the wrappers that they are in.

    Raises ArchError where it is something else, or broken, or a pickle that was made to do harm.
    """
    place = Path(path)
    reader = recognize(place)
    names: dict[str, None] = {}
    try:
        content = unfolded(reader(place, Mapped(place), names))
    except Unreadable as error:
        refuse_harm(place, names)
        refuse(place, error.label, error.help or CUT_SHORT)
    except Program:
        help = "if you trust the file: `torch.save(torch.jit.load(path).state_dict(), 'weights.pt')`"
        raise catalog.UNSAFE.error(
            None, f"{place} is a TorchScript archive: a program, with its weights", help=help
        ) from None
    except OSError as error:
        raise catalog.FILE.error(None, f"{place}: {error.strerror or error}") from None
    refuse_harm(place, names)
    return checked(content, place)


def refuse(path: Path, label: str, help: str = "") -> NoReturn:
    """Raises the error of a file that is no checkpoint."""
    raise catalog.CHECKPOINT.error(None, f"{path} {label}", help=help) from None


def refuse_harm(path: Path, names: dict[str, None]) -> None:
    """Raises the error of a pickle that was made to do harm, if it was."""
    found = [name for name in names if HARMFUL.match(name)]
    if found:
        more = f" and {len(found) - FEW} more" if len(found) > FEW else ""
        label = f"{path} asks for {listed(name[:80] for name in found[:FEW])}{more}: "
        raise catalog.UNSAFE.error(None, f"{label}no weights need that, and an attack would", help=HARMLESS) from None


HARMLESS = (
    "nothing of it was run; get the weights from where you trust them, as safetensors where that is offered: such a "
    "file cannot run anything"
)

# ---- what a file is ------------------------------------------------------------------------------------------------


def recognize(path: Path) -> Reader:
    """The reader of a file, by its first bytes."""
    try:
        if not path.is_file():
            path.stat()
            raise catalog.FILE.error(None, f"{path} is {'a folder' if path.is_dir() else 'no regular file'}")
        size = path.stat().st_size
        with path.open("rb") as file:
            head = file.read(HEAD)
    except OSError as error:
        raise catalog.FILE.error(None, f"{path}: {error.strerror or error}") from None
    except ValueError as error:
        raise catalog.FILE.error(None, f"{str(path)!r}: {error}") from None
    return reader_of(path, head, size)


def reader_of(path: Path, head: bytes, size: int) -> Reader:
    """The reader of a file that begins with `head`.

    The length with which safetensors begins may look like a pickle's or a zip file's first bytes. But then its highest
    bytes are 0 and a brace follows, which is neither in a zip file's header nor at such a place in a pickle.
    """
    if not size:
        refuse(path, "is empty", "the download or the copy of it failed: get it again")
    length = int.from_bytes(head[:8], "little")
    if head[8:9] == b"{" and length < LONGEST_HEADER:
        return read_safetensors
    if head.startswith(b"PK\x03\x04"):
        return read_zip
    if head[0] == 0x80 and head[1:2] in {b"\2", b"\3", b"\4", b"\5"}:
        return read_row
    if head[257:262] == b"ustar":
        refuse(path, "is a tar archive", TAR)
    for start, what, help in OTHERS:
        if head.lstrip().startswith(start):
            refuse(path, f"is {what}", help)
    if head[8:9] == b"{" or (path.suffix == ".safetensors" and size > 8):
        return read_safetensors
    return refuse(path, "is neither a file of torch.save nor safetensors", "these two can be read")


LONGEST_HEADER = 1 << 40
TAR = (
    "unpack it, if the checkpoint is in it; if PyTorch of before 2017 wrote it, and you trust whoever made it, load it "
    "with `torch.load(path, weights_only=False)` in a place where it can do no harm, and save the state dict"
)

# ---- safetensors ---------------------------------------------------------------------------------------------------

DTYPES = {
    "F64": "float64", "F32": "float32", "F16": "float16", "BF16": "bfloat16", "I64": "int64", "I32": "int32",
    "I16": "int16", "I8": "int8", "U64": "uint64", "U32": "uint32", "U16": "uint16", "U8": "uint8", "BOOL": "bool",
    "C64": "complex64", "F8_E4M3": "float8_e4m3fn", "F8_E5M2": "float8_e5m2",
}  # fmt: skip
"""The types of numbers, as safetensors names them, and torch."""
METADATA = "__metadata__"


def read_safetensors(path: Path, mapped: Mapped, names: dict[str, None]) -> Any:
    """What safetensors wrote: the length of a header, the header, which is JSON, and the numbers."""
    length = int.from_bytes(mapped.bytes[:8], "little")
    if length > mapped.size - 8:
        raise Unreadable(f"says that its header has {length:,} bytes; it has {mapped.size:,} in all", CUT_SHORT)
    if length > HEADER + mapped.size // 32:
        raise Unreadable(f"says that its header has {length:,} bytes, far more than weights need", CUT_SHORT)
    try:
        entries = json.loads(mapped.bytes[8 : 8 + length].decode(), object_pairs_hook=once)
        tensors = {name: entry for name, entry in entries.items() if name != METADATA}
        spans = sorted((*entry["data_offsets"], name) for name, entry in tensors.items())
        check_spans(spans, mapped.size - 8 - length)
        return {name: numbers(entry, 8 + length, mapped) for name, entry in tensors.items()}
    except (AttributeError, LookupError, RecursionError, TypeError, ValueError) as error:
        raise Unreadable(f"is no valid safetensors file: {first_line(error)}", CUT_SHORT) from None


def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of JSON, each key of which stands once."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name stands twice")
    return found


def check_spans(spans: list[tuple[Any, ...]], size: int) -> None:
    """Raises ValueError where tensors do not lie one behind the other, up to the end."""
    place = 0
    for start, end, name in spans:
        if type(start) is not int or type(end) is not int or start != place or end < start:
            raise ValueError(f"`{name[:80]}` does not begin where the tensor before it ends")
        place = end
    if place != size:
        raise ValueError(f"its tensors have {place:,} bytes, and it has {size:,} for them")


def numbers(entry: dict[str, Any], start: int, mapped: Mapped) -> Any:
    """A tensor of a file."""
    (first, last), size, dtype = entry["data_offsets"], entry["shape"], entry["dtype"]
    if dtype not in DTYPES:
        raise ValueError(f"the type `{str(dtype)[:80]}` is not read")
    found = tensor(mapped.storage(start + first, last - first, DTYPES[dtype]), 0, size, row_major(size))
    if found.nbytes != last - first:
        raise ValueError("a tensor has more bytes than its shape says")
    return found


def first_line(error: Exception) -> str:
    """The beginning of another library's message."""
    lines = str(error).strip().splitlines()
    return (lines[0] if lines else type(error).__name__)[:200]


# ---- what was in it ------------------------------------------------------------------------------------------------


def checked(content: Any, path: Path) -> dict[str, Any]:
    """The content, if it is a dict that holds tensors."""
    if not isinstance(content, dict):
        kind = content.name[:80] if isinstance(content, Inert) else type(content).__name__
        raise catalog.NO_WEIGHTS.error(
            None, f"{path} holds an object of type `{kind}`, no dict of tensors", help=SAVE_A_DICT
        )
    found = cast("dict[Any, Any]", content)
    keys = list(found)
    if odd := [key for key in keys if not isinstance(key, str)]:
        raise catalog.NO_WEIGHTS.error(None, f"{path} holds a dict with the key {odd[0]!r:.80}, which is no name")
    if not holds_tensor(found):
        label = f"with the keys {listed(key[:80] for key in keys[:FEW])}" if keys else "that is empty"
        raise catalog.NO_WEIGHTS.error(None, f"{path} holds a dict {label}: no tensor in it", help=SAVE_A_DICT)
    return found


SAVE_A_DICT = "save a state dict: `torch.save(model.state_dict(), 'weights.pt')`"


def unfolded(content: Any) -> Any:
    """What a file holds, with the state dicts of modules in their place, as it is or as the entries of a dict."""
    left = ByteBudget(NAMES)
    found = opened(content, left)
    if isinstance(found, dict):
        return {key: opened(value, left) for key, value in cast("dict[Any, Any]", found).items()}
    return found


def opened(content: Any, left: ByteBudget) -> Any:
    """The state dict of a module that was saved as a whole, or what is in a dict of somebody's own class."""
    if isinstance(content, Inert):
        if attribute(content, "_parameters") or attribute(content, "_modules"):
            return state_of(content, left)
        return content.items or content
    return content


def state_of(top: Inert, left: ByteBudget) -> dict[str, Any]:
    """The tensors of a module that was saved as a whole, under the names that its state dict has.

    Nothing of the module was made but its attributes, so it is these that are read.
    """
    found: dict[str, Any] = {}
    waiting: list[tuple[str, Any]] = [("", top)]
    while waiting:
        prefix, module = waiting.pop()
        lists = [attribute(module, each) for each in MODULE]
        left.take(NAME + NAME * sum(map(len, lists)))
        names = [[name for name in each if type(name) is str] for each in lists]
        left.take(sum(len(prefix) + len(name) for each in names for name in each))
        passing = set(names[3])
        parameters, buffers, children = (
            {name: held[name] for name in own} for held, own in zip(lists[:3], names[:3], strict=True)
        )
        held = parameters | {name: value for name, value in buffers.items() if name not in passing}
        found |= {f"{prefix}{name}": value for name, value in held.items() if value is not None}
        waiting += [(f"{prefix}{name}.", child) for name, child in reversed(children.items())]
    return found


NAMES = 1 << 24
"""So many bytes all names in modules that were saved as a whole may take."""
NAME = 200
"""What a name takes, besides its characters."""
MODULE = ("_parameters", "_buffers", "_modules", "_non_persistent_buffers_set")
"""The attributes of a module that hold its tensors."""


def attribute(module: Any, name: str) -> Any:
    """An attribute of a module that was saved as a whole: a dict, or a list."""
    empty: Any = [] if name.endswith("_set") else {}
    state = module.state if isinstance(module, Inert) else None
    found = cast("dict[str, Any]", state).get(name) if isinstance(state, dict) else None
    return found if type(found) is type(empty) else empty


def holds_tensor(content: dict[Any, Any]) -> bool:
    """Whether a tensor is in a dict, or in the dicts in it."""
    import torch

    level, seen = [content], {id(content)}
    for _ in range(DEEPEST):
        inner: list[dict[Any, Any]] = []
        for value in (value for each in level for value in each.values()):
            if isinstance(value, torch.Tensor):
                return True
            if isinstance(value, dict) and id(cast("object", value)) not in seen:
                seen.add(id(cast("object", value)))
                inner.append(cast("dict[Any, Any]", value))
        level = inner
    return False
