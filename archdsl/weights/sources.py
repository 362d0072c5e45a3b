"""What users give as weights, opened: a state dict, a checkpoint in memory, a module, a file, or a folder."""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from archdsl.diagnostics import catalog, listed
from archdsl.weights.report import FEW, clipped, some
from archdsl.weights.unwrap import LONGEST, bare

if TYPE_CHECKING:
    from torch import Tensor, nn

    Source = Mapping[str, Any] | nn.Module | str | PathLike[str]

ANY = "give a state dict, a module, or the path of a checkpoint"
SUFFIXES = (".safetensors", ".pth", ".pt", ".bin", ".ckpt", ".pkl", ".tar")
"""How files of weights are called in a folder."""
USUAL = ("model.safetensors", "pytorch_model.bin")
"""The files that stand for all weights of a folder, where there are several."""
INDEX = ".index.json"
"""The end of the file that tells which of several files holds which tensor."""
LARGEST_INDEX = 1 << 26
"""Maximum size of such a file, in bytes."""


def opened(source: Source, name: str = "source") -> Mapping[str, Any]:
    """The dict that `source` is or holds; `name` is what the caller calls it."""
    import torch

    if isinstance(source, torch.nn.Module):
        return cast("Mapping[str, Any]", source.state_dict())
    if isinstance(source, Mapping):
        return source
    if isinstance(cast("object", source), str | PathLike):
        return read(Path(source))
    raise catalog.NO_WEIGHTS.error(None, f"`{name}` is of type `{type(source).__name__}`", help=ANY)


def target(model: nn.Module | Mapping[str, Any], name: str) -> dict[str, Tensor]:
    """The tensors of the module or state dict that is to be filled."""
    import torch

    held = model.state_dict() if isinstance(model, torch.nn.Module) else model
    if not isinstance(cast("object", held), Mapping):
        help = "give a module, or its state dict"
        raise catalog.NO_WEIGHTS.error(None, f"`{name}` is of type `{type(model).__name__}`", help=help)
    found = bare(held)
    if not found:
        raise catalog.NO_WEIGHTS.error(None, f"`{name}` has no tensors", help="give a module, or its state dict")
    if long := [key for key in found if len(key) > LONGEST]:
        label = f"`{name}` has a tensor named {clipped(long[0])}"
        raise catalog.NO_WEIGHTS.error(None, label, help=f"a name has at most {LONGEST:,} characters")
    return found


def read(path: Path) -> Mapping[str, Any]:
    """What a checkpoint file holds, or the only one of a folder."""
    from archdsl.weights import files

    return in_folder(path) if is_folder(path) else files.read(path)


def is_folder(path: Path) -> bool:
    """Whether a path is that of a folder; one that cannot even be asked for is none."""
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False


def in_folder(folder: Path) -> Mapping[str, Any]:
    """The weights in a folder: its only file, the usual one, or the parts that an index names."""
    from archdsl.weights import files

    try:
        names = sorted(each.name for each in folder.iterdir() if each.is_file())
    except OSError as error:
        raise catalog.FILE.error(None, f"{folder}: {error.strerror or error}") from None
    weights = [name for name in names if name.endswith(SUFFIXES)]
    found = [name for name in USUAL if name in weights] or weights
    indices = [name for name in names if name.endswith(INDEX)]
    if len(indices) == 1 and not set(USUAL) & set(weights):
        return in_shards(folder, indices[0], names)
    if any(name.endswith(".distcp") for name in names):
        help = f"`python -m torch.distributed.checkpoint.format_utils dcp_to_torch {folder} weights.pt`"
        raise catalog.CHECKPOINT.error(None, f"{folder} holds the shards of a distributed checkpoint", help=help)
    if not found:
        raise catalog.FILE.error(None, f"{folder} is a folder without weights", help=f"they end in {listed(SUFFIXES)}")
    if len(found) > 1 and found[0] not in USUAL:
        help = f"give one of them: `{folder / found[0]}`"
        raise catalog.FILE.error(None, f"{folder} holds several files of weights: {some(found)}", help=help)
    return files.read(folder / found[0])


def in_shards(folder: Path, index: str, names: list[str]) -> Mapping[str, Any]:
    """The tensors of all files that an index names; it has to name files of its own folder."""
    from archdsl.weights import files

    parts = shards(folder / index)
    if odd := [name for name in parts if name not in names]:
        label = f"{folder / index} names files that are not beside it: {listed(map(clipped, odd[:FEW]))}"
        raise catalog.CHECKPOINT.error(None, label, help="get the folder again, with all of its files")
    found: dict[str, Any] = {}
    for name in parts:
        found.update(files.read(folder / name))
    return found


def shards(path: Path) -> list[str]:
    """The names of the files that an index tells of."""
    import json

    try:
        if path.stat().st_size > LARGEST_INDEX:
            raise ValueError("it is too large")
        table = json.loads(path.read_text(encoding="utf-8"))["weight_map"]
        return list(dict.fromkeys(str(name) for name in table.values()))
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        label = f"{path} is no index of weights: {clipped(str(error))}"
        raise catalog.CHECKPOINT.error(None, label, help="get the folder again, with all of its files") from None
