"""Find the dicts with tensors in a checkpoint, and the prefixes of their names: the places of a network."""

from __future__ import annotations

import re
import sys
from collections import Counter, deque
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cache
from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from archdsl.diagnostics import catalog, listed
from archdsl.weights.report import FEW, clipped
from archdsl.weights.rules import content

if TYPE_CHECKING:
    from torch import Tensor

# Maximum number of dicts around a state dict.
DEEPEST = 4
# Maximum number of dicts to search.
MOST = 1_000
# Maximum number of modules around a network.
LEVELS = 8
# Longest name of a tensor, in characters.
LONGEST = 4_000
# Counter that `torch.optim.swa_utils.AveragedModel` keeps beside the network.
AVERAGED = "n_averaged"


class CheckpointPart(NamedTuple):
    """Dict of a checkpoint with tensors in it.

    `path` has the keys that lead to it, and the parts that were removed from the middle of its names; `others` are
    the keys of everything that is neither a tensor nor a dict, and of tensors without a name.
    """

    path: tuple[str, ...]
    tensors: dict[str, Tensor]
    others: tuple[str, ...] = ()


def parts(source: Mapping[str, Any]) -> list[CheckpointPart]:
    """Dicts with tensors in a checkpoint, outermost first. Raises ArchError if there are none."""
    found: list[CheckpointPart] = []
    queue: deque[tuple[tuple[str, ...], Mapping[Any, Any]]] = deque([((), source)])
    seen = {id(source)}
    while queue:
        path, level = queue.popleft()
        part, inner = split_level(path, level)
        if part.tensors:
            found.append(plain(part))
        for key, value in inner.items():
            if id(value) not in seen and len(seen) < MOST and len(path) < DEEPEST:
                seen.add(id(value))
                queue.append(((*path, key), value))
    if not found:
        keys = [clipped(str(key)) for key in list(source)[:FEW]]
        label = f"a dict with the keys {listed(keys)}, no tensor in it" if keys else "an empty dict"
        limit = f", of at most {LONGEST:,} characters" if any(len(str(key)) > LONGEST for key in source) else ""
        raise catalog.NO_WEIGHTS.error(None, label, help=f"give a state dict: tensors by name{limit}")
    return found


def split_level(path: tuple[str, ...], level: Mapping[Any, Any]) -> tuple[CheckpointPart, dict[str, dict[Any, Any]]]:
    """Tensors directly in a dict, and the dicts in it. An optimizer's state has numbers for keys and is skipped."""
    import torch

    tensors: dict[str, Tensor] = {}
    inner: dict[str, dict[Any, Any]] = {}
    others: list[str] = []
    for key, value in level.items():
        held = value.state_dict() if isinstance(value, torch.nn.Module) else value
        tensor = as_tensor(held)
        if tensor is not None and isinstance(key, str) and len(key) <= LONGEST:
            tensors[key] = tensor
        elif isinstance(held, dict) and isinstance(key, str):
            inner[key] = cast("dict[Any, Any]", held)
        else:
            others.append(str(key))
    return CheckpointPart(path, tensors, tuple(others)), inner


def as_tensor(value: object) -> Tensor | None:
    """Tensor, also from a NumPy array; None for other values."""
    import torch

    if isinstance(value, torch.Tensor):
        return value
    # Nobody holds an array without having imported NumPy.
    numpy = sys.modules.get("numpy")
    if numpy is None or not isinstance(value, numpy.ndarray):
        return None
    try:
        return cast("Any", torch).from_numpy(cast("Any", value).copy())  # a copy, as an array may be read-only
    except (TypeError, ValueError):
        return None


def unread(source: Mapping[str, Any], found: Iterable[tuple[str, ...]]) -> Iterator[str]:
    """Dicts that are named like a network's and are in none of the paths to one."""
    held = {path[0] for path in found if path}
    for key in content("wrappers")["containers"]:
        if isinstance(source.get(key), Mapping) and key not in held:
            yield key


# ---- names ---------------------------------------------------------------------------------------------------------


def plain(part: CheckpointPart) -> CheckpointPart:
    """Part without the names that PyTorch inserts (`module.`), unless two names would become one."""
    found = {inserted().sub("", name): tensor for name, tensor in part.tensors.items()}
    if len(found) < len(part.tensors) or found.keys() == part.tensors.keys():
        return part
    taken = dict.fromkeys(each for name in part.tensors for each in inserted().findall(name))
    return CheckpointPart((*part.path, *taken), found, part.others)


@cache
def inserted() -> re.Pattern[str]:
    """Pattern of the names that PyTorch inserts."""
    return re.compile(rf"(?:(?<=\.)|^)(?:{'|'.join(content('wrappers')['inserted'])})\.")


def unlifted(tensors: Mapping[str, Tensor]) -> dict[str, Tensor] | None:
    """Tensors under the names before timm's `features_only`, or None if nothing changes."""
    found = {lifted().sub(r"\1.", name, count=1): tensor for name, tensor in tensors.items()}
    return found if len(found) == len(tensors) and found.keys() != tensors.keys() else None


@cache
def lifted() -> re.Pattern[str]:
    """Pattern of a first dot that `features_only` turned into `_`."""
    return re.compile(rf"(?:(?<=\.)|^)({'|'.join(content('wrappers')['lifted'])})_")


def prefixes(names: Collection[str], wanted: Collection[str]) -> dict[str, set[str]]:
    """Prefixes of `wanted` names in `names`, each with the names that follow it."""
    found: dict[str, set[str]] = {}
    for name in names:
        start = 0
        for _ in range(LEVELS + 1):
            if (rest := name[start:]) in wanted:
                found.setdefault(name[:start], set()).add(rest)
            start = name.find(".", start) + 1
            if not start:
                break
    return found


def main_prefixes(tensors: Mapping[str, Tensor]) -> Iterator[str]:
    """Prefixes of most names of a part, from none to the longest."""
    prefix = ""
    for _ in range(LEVELS + 1):
        yield prefix
        rest = [name[len(prefix) :].partition(".") for name in tensors if name.startswith(prefix)]
        first, count = max(Counter(name for name, dot, _ in rest if dot).items(), key=itemgetter(1), default=("", 0))
        if 2 * count <= len(tensors):
            return
        prefix = f"{prefix}{first}."


def tensors_below(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """Tensors under a prefix, named without it."""
    return {name[len(prefix) :]: each for name, each in tensors.items() if name.startswith(prefix)}


def built_tensors(state: Mapping[str, Any]) -> dict[str, Tensor]:
    """Tensors of a built network, without what DataParallel, `torch.compile` and the like put around it."""
    import torch

    found = plain(
        CheckpointPart((), {name: each for name, each in state.items() if isinstance(each, torch.Tensor)})
    ).tensors
    while True:
        rest = {name: tensor for name, tensor in found.items() if name != AVERAGED}
        if not rest or not all(name.startswith("module.") for name in rest):
            return found
        found = tensors_below(rest, "module.")
