"""Open what users give as weights: a state dict, a checkpoint in memory, a module, a file or a folder.

Files are read as data: tensors and plain values. A file's format is told by its content, not by its name, and nothing
in a file is run: objects that only code could make stay `Inert`. Wrappers such as `state_dict` or `model_ema` stay in
place; `unwrap` finds the network in them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, cast

from archdsl.diagnostics import ArchError, catalog, listed
from archdsl.weights.pickles import ByteBudget, Inert, Unreadable
from archdsl.weights.places import DEEPEST, LONGEST, built_tensors
from archdsl.weights.report import FEW, clipped, some
from archdsl.weights.torch_save import CUT_SHORT, Mapped, Program, read_row, read_zip, row_major, tensor

if TYPE_CHECKING:
    from torch import Tensor, nn

    Source = Mapping[str, Any] | nn.Module | str | PathLike[str]


def open_source(source: Source, name: str = "source") -> Mapping[str, Any]:
    """Dict that `source` is or holds; `name` is the caller's name for it in messages."""
    import torch

    if isinstance(source, torch.nn.Module):
        return cast("Mapping[str, Any]", source.state_dict())
    if isinstance(source, Mapping):
        return source
    if isinstance(cast("object", source), str | PathLike):
        path = Path(source)
        return read_folder(path) if is_folder(path) else read(path)
    help = "give a state dict, a module, or the path of a checkpoint"
    raise catalog.NO_WEIGHTS.error(None, f"`{name}` is of type `{type(source).__name__}`", help=help)


def open_target(model: nn.Module | Mapping[str, Any], name: str) -> dict[str, Tensor]:
    """Tensors of the module or state dict that is to be filled."""
    import torch

    held = model.state_dict() if isinstance(model, torch.nn.Module) else model
    help = "give a module, or its state dict"
    if not isinstance(cast("object", held), Mapping):
        raise catalog.NO_WEIGHTS.error(None, f"`{name}` is of type `{type(model).__name__}`", help=help)
    found = built_tensors(held)
    if not found:
        raise catalog.NO_WEIGHTS.error(None, f"`{name}` has no tensors", help=help)
    if long := [key for key in found if len(key) > LONGEST]:
        label = f"`{name}` has a tensor named {clipped(long[0])}"
        raise catalog.NO_WEIGHTS.error(None, label, help=f"a name has at most {LONGEST:,} characters")
    return found


# ---- folders -------------------------------------------------------------------------------------------------------

# Suffixes of files of weights in a folder.
SUFFIXES = (".safetensors", ".pth", ".pt", ".bin", ".ckpt", ".pkl", ".tar")
# Files that hold all weights of a folder, even if there are others beside them.
USUAL = ("model.safetensors", "pytorch_model.bin")
# Suffix of the index that lists which of several files holds which tensor, and its maximum size in bytes.
INDEX = ".index.json"
LARGEST_INDEX = 1 << 26
INCOMPLETE = "get the folder again, with all of its files"


def is_folder(path: Path) -> bool:
    """Tell folders from other paths; a path that the system refuses is none."""
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False


def read_folder(folder: Path) -> Mapping[str, Any]:
    """Weights of a folder: its only file, the usual one, or the shards that an index names."""
    try:
        names = sorted(each.name for each in folder.iterdir() if each.is_file())
    except OSError as error:
        raise unreachable(folder, error) from None
    weights = [name for name in names if name.endswith(SUFFIXES)]
    found = [name for name in USUAL if name in weights] or weights
    indices = [name for name in names if name.endswith(INDEX)]
    if len(indices) == 1 and not set(USUAL) & set(weights):
        return read_shards(folder, indices[0], names)
    if any(name.endswith(".distcp") for name in names):
        help = f"`python -m torch.distributed.checkpoint.format_utils dcp_to_torch {folder} weights.pt`"
        raise catalog.CHECKPOINT.error(None, f"{folder} holds the shards of a distributed checkpoint", help=help)
    if not found:
        raise catalog.FILE.error(None, f"{folder} is a folder without weights", help=f"they end in {listed(SUFFIXES)}")
    if len(found) > 1 and found[0] not in USUAL:
        help = f"give one of them: `{folder / found[0]}`"
        raise catalog.FILE.error(None, f"{folder} holds several files of weights: {some(found)}", help=help)
    return read(folder / found[0])


def read_shards(folder: Path, index: str, names: list[str]) -> Mapping[str, Any]:
    """Tensors of all files that an index names, which have to be in its folder."""
    path = folder / index
    try:
        if path.stat().st_size > LARGEST_INDEX:
            raise ValueError("it is too large")
        table = json.loads(path.read_text(encoding="utf-8"))["weight_map"]
        shards = list(dict.fromkeys(str(name) for name in table.values()))
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        label = f"{path} is no index of weights: {clipped(str(error))}"
        raise catalog.CHECKPOINT.error(None, label, help=INCOMPLETE) from None
    if odd := [name for name in shards if name not in names]:
        label = f"{path} names files that are not beside it: {listed(map(clipped, odd[:FEW]))}"
        raise catalog.CHECKPOINT.error(None, label, help=INCOMPLETE)
    found: dict[str, Any] = {}
    for name in shards:
        found.update(read(folder / name))
    return found


# ---- files ---------------------------------------------------------------------------------------------------------

# Reader of one format; the dict collects the globals that pickles name.
Reader = Callable[[Path, Mapped, dict[str, None]], Any]
# Number of keys, or of globals, that a message names.
FEW_NAMES = 5
# Number of bytes that tell a file's format; the mark of a tar archive comes last.
HEAD = 512
# The eighth byte of safetensors is a brace; the length before it may look like another format's first bytes, but its
# highest bytes are 0, as they are neither in a zip header nor in a pickle.
LONGEST_HEADER = 1 << 40
READABLE = "is neither a file of torch.save nor safetensors", "these two can be read"
SAVE_A_DICT = "save a state dict: `torch.save(model.state_dict(), 'weights.pt')`"
TAR = (
    "unpack it, if the checkpoint is in it; if PyTorch of before 2017 wrote it, and you trust whoever made it, load it "
    "with `torch.load(path, weights_only=False)` in a place where it can do no harm, and save the state dict"
)
# Files that people take for checkpoints: their first bytes, what they are, and a help.
OTHERS = (
    (b"version https://git-lfs", "a Git LFS pointer, not the file that it stands for", "`git lfs pull` gets the file"),
    (b"<", "a web page or XML, perhaps what a failed download left", "download it again, and look at the address"),
    (b"\x89HDF", "an HDF5 file, as Keras writes", "convert it to safetensors with Keras's help"),
    (b"\x1f\x8b", "packed with gzip", "unpack it first"),
    (b"\x93NUMPY", "a NumPy array", "save a dict of tensors: `torch.save(..., 'weights.pt')`"),
)

# Globals that attacks name and weights do not. Nothing is run either way, but nobody should go on with such a file.
HARMFUL = re.compile(
    r"(?:os|posix|nt|subprocess|commands|sys|shutil|socket|pty|runpy|importlib|ctypes|webbrowser|code|marshal|_?pickle)\."
    r"|(?:_io|io)\.(?:open|FileIO)|builtins\.(?:eval|exec|execfile|compile|open|__import__|input|breakpoint)$"
)
HARMLESS = (
    "nothing of it was run; get the weights from where you trust them, as safetensors where that is offered: such a "
    "file cannot run anything"
)


def read(path: str | Path) -> dict[str, Any]:
    """Content of a `.pth`, `.pt` or `.safetensors` file: tensors by name, or the wrappers around them.

    Raises ArchError if the file is something else, broken, or a pickle that was made to do harm.
    """
    place = Path(path)
    reader = recognize_format(place)
    names: dict[str, None] = {}
    try:
        content = without_modules(reader(place, Mapped(place), names))
    except Unreadable as error:
        # An attack is worth more attention than the damage to the file that carries it.
        refuse_harm(place, names)
        refuse(place, error.label, error.help or CUT_SHORT)
    except Program:
        help = "if you trust the file: `torch.save(torch.jit.load(path).state_dict(), 'weights.pt')`"
        label = f"{place} is a TorchScript archive: a program, with its weights"
        raise catalog.UNSAFE.error(None, label, help=help) from None
    except OSError as error:
        raise unreachable(place, error) from None
    refuse_harm(place, names)
    return check_content(content, place)


def unreachable(path: Path, error: OSError) -> ArchError:
    """Error of a path that the system does not open."""
    return catalog.FILE.error(None, f"{path}: {error.strerror or error}")


def refuse(path: Path, label: str, help: str = "") -> NoReturn:
    """Raise the error of a file that is no checkpoint."""
    raise catalog.CHECKPOINT.error(None, f"{path} {label}", help=help) from None


def refuse_harm(path: Path, names: dict[str, None]) -> None:
    """Raise ArchError if a pickle names globals that do harm."""
    found = [name for name in names if HARMFUL.match(name)]
    if found:
        more = f" and {len(found) - FEW_NAMES} more" if len(found) > FEW_NAMES else ""
        label = f"{path} asks for {listed(name[:80] for name in found[:FEW_NAMES])}{more}: "
        raise catalog.UNSAFE.error(None, f"{label}no weights need that, and an attack would", help=HARMLESS) from None


def recognize_format(path: Path) -> Reader:
    """Reader of a file, by its first bytes."""
    try:
        if not path.is_file():
            path.stat()
            raise catalog.FILE.error(None, f"{path} is {'a folder' if path.is_dir() else 'no regular file'}")
        size = path.stat().st_size
        with path.open("rb") as file:
            head = file.read(HEAD)
    except OSError as error:
        raise unreachable(path, error) from None
    except ValueError as error:
        raise catalog.FILE.error(None, f"{str(path)!r}: {error}") from None
    if not size:
        refuse(path, "is empty", "the download or the copy of it failed: get it again")
    if head[8:9] == b"{" and int.from_bytes(head[:8], "little") < LONGEST_HEADER:
        return read_safetensors
    if head.startswith(b"PK\x03\x04"):
        return read_zip
    if head[0] == 0x80 and head[1:2] in {b"\2", b"\3", b"\4", b"\5"}:
        return read_row
    if head[257:262] == b"ustar":
        refuse(path, "is a tar archive", TAR)
    for start, kind, help in OTHERS:
        if head.lstrip().startswith(start):
            refuse(path, f"is {kind}", help)
    if head[8:9] == b"{" or (path.suffix == ".safetensors" and size > 8):
        return read_safetensors
    return refuse(path, *READABLE)


# ---- safetensors ---------------------------------------------------------------------------------------------------

# Longest header in bytes, in addition to 1/32 of the file.
HEADER = 1 << 20
# Names of dtypes in safetensors and in torch.
DTYPES = {
    "F64": "float64", "F32": "float32", "F16": "float16", "BF16": "bfloat16", "I64": "int64", "I32": "int32",
    "I16": "int16", "I8": "int8", "U64": "uint64", "U32": "uint32", "U16": "uint16", "U8": "uint8", "BOOL": "bool",
    "C64": "complex64", "F8_E4M3": "float8_e4m3fn", "F8_E5M2": "float8_e5m2",
}  # fmt: skip


def read_safetensors(path: Path, mapped: Mapped, names: dict[str, None]) -> Any:
    """Content of a safetensors file: the length of a JSON header, the header, and the numbers."""
    length = int.from_bytes(mapped.bytes[:8], "little")
    if length > mapped.size - 8:
        raise Unreadable(f"says that its header has {length:,} bytes; it has {mapped.size:,} in all", CUT_SHORT)
    if length > HEADER + mapped.size // 32:
        raise Unreadable(f"says that its header has {length:,} bytes, far more than weights need", CUT_SHORT)
    try:
        entries = json.loads(mapped.bytes[8 : 8 + length].decode(), object_pairs_hook=unique)
        tensors = {name: entry for name, entry in entries.items() if name != "__metadata__"}
        spans = sorted((*entry["data_offsets"], name) for name, entry in tensors.items())
        check_spans(spans, mapped.size - 8 - length)
        return {name: stored_tensor(entry, 8 + length, mapped) for name, entry in tensors.items()}
    except (AttributeError, LookupError, RecursionError, TypeError, ValueError) as error:
        # Only the first line: the other library's message may quote all of the file.
        lines = str(error).strip().splitlines()
        first = (lines[0] if lines else type(error).__name__)[:200]
        raise Unreadable(f"is no valid safetensors file: {first}", CUT_SHORT) from None


def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """JSON object; raises ValueError if a key stands twice."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name stands twice")
    return found


def check_spans(spans: list[tuple[Any, ...]], size: int) -> None:
    """Raise ValueError unless the tensors fill the file, one behind the other."""
    place = 0
    for start, end, name in spans:
        if type(start) is not int or type(end) is not int or start != place or end < start:
            raise ValueError(f"`{name[:80]}` does not begin where the tensor before it ends")
        place = end
    if place != size:
        raise ValueError(f"its tensors have {place:,} bytes, and it has {size:,} for them")


def stored_tensor(entry: dict[str, Any], start: int, mapped: Mapped) -> Tensor:
    """Tensor of an entry of the header; the numbers of the file begin at `start`."""
    (first, last), size, dtype = entry["data_offsets"], entry["shape"], entry["dtype"]
    if dtype not in DTYPES:
        raise ValueError(f"the type `{str(dtype)[:80]}` is not read")
    found = tensor(mapped.storage(start + first, last - first, DTYPES[dtype]), 0, size, row_major(size))
    if found.nbytes != last - first:
        raise ValueError("a tensor has more bytes than its shape says")
    return found


# ---- content -------------------------------------------------------------------------------------------------------

# Budget in bytes for the names in modules that were saved as a whole, and the cost of a name besides its characters.
NAMES = 1 << 24
NAME = 200
# Attributes of a module that hold its tensors.
MODULE = ("_parameters", "_buffers", "_modules", "_non_persistent_buffers_set")


def check_content(content: Any, path: Path) -> dict[str, Any]:
    """Content of a file; raises ArchError unless it is a dict with tensors in it."""
    if not isinstance(content, dict):
        kind = content.name[:80] if isinstance(content, Inert) else type(content).__name__
        label = f"{path} holds an object of type `{kind}`, no dict of tensors"
        raise catalog.NO_WEIGHTS.error(None, label, help=SAVE_A_DICT)
    found = cast("dict[Any, Any]", content)
    keys = list(found)
    if odd := [key for key in keys if not isinstance(key, str)]:
        raise catalog.NO_WEIGHTS.error(None, f"{path} holds a dict with the key {odd[0]!r:.80}, which is no name")
    if not holds_tensor(found):
        label = f"with the keys {listed(key[:80] for key in keys[:FEW_NAMES])}" if keys else "that is empty"
        raise catalog.NO_WEIGHTS.error(None, f"{path} holds a dict {label}: no tensor in it", help=SAVE_A_DICT)
    return found


def without_modules(content: Any) -> Any:
    """Content with the state dicts of whole modules in their place, at the top or one level below."""
    left = ByteBudget(NAMES)
    found = as_dict(content, left)
    if isinstance(found, dict):
        return {key: as_dict(value, left) for key, value in cast("dict[Any, Any]", found).items()}
    return found


def as_dict(content: Any, left: ByteBudget) -> Any:
    """State dict of a module that was saved as a whole, or the items of a dict of a foreign class."""
    if isinstance(content, Inert):
        if attribute(content, "_parameters") or attribute(content, "_modules"):
            return saved_state(content, left)
        return content.items or content
    return content


def saved_state(top: Inert, left: ByteBudget) -> dict[str, Any]:
    """State dict of a module that was saved as a whole, from the attributes of its `Inert` objects."""
    found: dict[str, Any] = {}
    waiting: list[tuple[str, Any]] = [("", top)]
    while waiting:
        prefix, module = waiting.pop()
        lists = [attribute(module, each) for each in MODULE]
        # One module may be reached by many paths, each with names of its own, so names are charged too.
        left.take(NAME + NAME * sum(map(len, lists)))
        names = [[name for name in each if type(name) is str] for each in lists]
        left.take(sum(len(prefix) + len(name) for each in names for name in each))
        transient = set(names[3])
        parameters, buffers, children = (
            {name: held[name] for name in own} for held, own in zip(lists[:3], names[:3], strict=True)
        )
        held = parameters | {name: value for name, value in buffers.items() if name not in transient}
        found |= {f"{prefix}{name}": value for name, value in held.items() if value is not None}
        waiting += [(f"{prefix}{name}.", child) for name, child in reversed(children.items())]
    return found


def attribute(module: Any, name: str) -> Any:
    """Attribute of a module that was saved as a whole: a dict, or a list; empty if it is something else."""
    empty: Any = [] if name.endswith("_set") else {}
    state = module.state if isinstance(module, Inert) else None
    found = cast("dict[str, Any]", state).get(name) if isinstance(state, dict) else None
    return found if type(found) is type(empty) else empty


def holds_tensor(content: dict[Any, Any]) -> bool:
    """Look for a tensor in a dict and in the dicts in it."""
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
