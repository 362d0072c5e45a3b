"""Checkpoint files, read as data: tensors and plain values, whatever else is in them.

What a file is, its content tells, not its name. Wrappers (`state_dict`, `model_ema`) stay; the rules know them.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from pickle import UnpicklingError
from typing import Any, NoReturn, cast
from zipfile import ZIP_STORED, BadZipFile, ZipFile

from archdsl.errors import catalog, listed
from archdsl.weights.pickles import wanted

HEAD = 256
"""So many bytes tell what a file is."""
DEEPEST = 4
"""So many wrappers around the tensors are looked through."""
FEW = 5
"""So many keys are named in a message."""

OTHERS = (
    (b"version https://git-lfs", "a Git LFS pointer, not the file that it stands for", "`git lfs pull` gets the file"),
    (b"<", "a web page or XML, perhaps what a failed download left", "download it again, and look at the address"),
    (b"\x89HDF", "an HDF5 file, as Keras writes", "convert it to safetensors with Keras's help"),
    (b"\x1f\x8b", "packed with gzip", "unpack it first"),
    (b"\x93NUMPY", "a NumPy array", "save a dict of tensors: `torch.save(..., 'weights.pt')`"),
)
"""What people have in place of a checkpoint: how it begins, what it is, what to do."""


def read(path: str | Path) -> dict[str, Any]:
    """What a `.pth`, `.pt` or `.safetensors` file holds: tensors by name, or the wrappers that they are in.

    Raises ArchError where it is something else, broken, or a pickle that needs more than tensors and plain values.
    """
    place = Path(path)
    reader = recognize(place)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        content = reader(place)
    return checked(content, place)


def refuse(path: Path, label: str, help: str = "") -> NoReturn:
    """Raises the error of a file that is no checkpoint."""
    raise catalog.CHECKPOINT.error(None, f"{path} {label}", help=help) from None


# ---- what a file is ------------------------------------------------------------------------------------------------


def recognize(path: Path) -> Callable[[Path], Any]:
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


def reader_of(path: Path, head: bytes, size: int) -> Callable[[Path], Any]:
    """The reader of a file that begins with `head`."""
    if not size:
        refuse(path, "is empty", "the download or the copy of it failed: get it again")
    if head.startswith(b"PK\x03\x04"):
        return read_zip
    if head[0] == 0x80 and head[1:2] in {b"\2", b"\3", b"\4", b"\5"}:
        return read_pickle
    for start, what, help in OTHERS:
        if head.lstrip().startswith(start):
            refuse(path, f"is {what}", help)
    length = int.from_bytes(head[:8], "little")
    if head[8:9] == b"{" or (path.suffix == ".safetensors" and size > 8):
        if length > size - 8:
            refuse(path, f"says that its header has {length:,} bytes; it has {size:,} in all", CUT_SHORT)
        return read_safetensors
    return refuse(path, "is neither a file of torch.save nor safetensors", "these two can be read")


CUT_SHORT = "it was cut short or damaged on its way: get it again"


# ---- readers -------------------------------------------------------------------------------------------------------


def read_zip(path: Path) -> Any:
    """What torch.save wrote, mapped into memory."""
    try:
        with ZipFile(path) as archive:
            members = archive.infolist()
    except (BadZipFile, NotImplementedError, OSError, ValueError, OverflowError) as error:
        refuse(path, f"is broken: {first_line(error)}", CUT_SHORT)
    names = {member.filename.rpartition("/")[2] for member in members}
    if "constants.pkl" in names:
        help = "if you trust the file: `torch.save(torch.jit.load(path).state_dict(), 'weights.pt')`"
        raise catalog.UNSAFE.error(None, f"{path} is a TorchScript archive: a program, with its weights", help=help)
    if "data.pkl" not in names:
        refuse(path, "is a zip file, but none that torch.save wrote", "files of torch.save and safetensors can be read")
    if any(member.compress_type != ZIP_STORED for member in members):
        refuse(path, "was packed again by another program than torch.save", "unpack it and save it with torch.save")
    return load(path, mapped=path.suffix != ".safetensors")


def read_pickle(path: Path) -> Any:
    """What the torch.save of old wrote: a row of pickles, then the numbers."""
    return load(path, mapped=False)


def load(path: Path, *, mapped: bool) -> Any:
    """What torch.load makes of a file by itself: no global outside of its list is looked up, let alone called."""
    import torch

    try:
        if mapped:
            return torch.load(str(path), map_location="cpu", weights_only=True, mmap=True)
        with path.open("rb") as file:  # by name, torch would take the suffix's word for what the file is
            return torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:
        if names := wanted(path, str(error)):
            raise catalog.UNSAFE.error(None, demand(path, names), help=HARMLESS) from None
        if isinstance(error, UnpicklingError):
            refuse(path, "is damaged, or pickled otherwise than torch.save does", f"{CUT_SHORT}, or save it again")
        refuse(path, f"is broken: {first_line(error)}", CUT_SHORT)


HARMLESS = (
    "if you trust whoever made it, convert it yourself, in a place where it can do no harm: "
    "`torch.load(path, weights_only=False)`, then `torch.save(model.state_dict(), 'weights.pt')` of the tensors alone"
)


def demand(path: Path, names: list[str]) -> str:
    """What a refused pickle wants, and why it does not get it."""
    more = f" and {len(names) - FEW} more" if len(names) > FEW else ""
    return (
        f"{path} asks for {listed(names[:FEW])}{more}: a pickle may call whatever it names, so only tensors and plain "
        "values are read"
    )


def read_safetensors(path: Path) -> Any:
    """What safetensors wrote."""
    try:
        from safetensors.torch import load_file  # pyright: ignore[reportUnknownVariableType]
    except ImportError:
        help = "pip install 'archdsl[torch]'"
        raise catalog.MISSING_PACKAGE.error(None, "safetensors is not installed", help=help) from None
    try:
        return load_file(path)
    except Exception as error:
        refuse(path, f"is no valid safetensors file: {first_line(error)}", CUT_SHORT)


def first_line(error: Exception) -> str:
    """The beginning of another library's message."""
    lines = str(error).strip().splitlines()
    return (lines[0] if lines else type(error).__name__)[:200]


# ---- what was in it ------------------------------------------------------------------------------------------------


def checked(content: Any, path: Path) -> dict[str, Any]:
    """The content, if it is a dict that holds tensors."""
    if not isinstance(content, dict):
        raise catalog.NO_WEIGHTS.error(
            None, f"{path} holds an object of type `{type(content).__name__}`, no dict of tensors", help=SAVE_A_DICT
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
