"""Find the places of a network in a checkpoint, and choose between them.

A place is a dict with tensors, or the tensors below a prefix in it, as a backbone in a detector. If several fit, one is
preferred by its path (`wrappers.yaml`), or they are equal, or the user has to say which.
"""

from __future__ import annotations

import re
import sys
from collections import Counter, deque
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cache
from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeVar, cast

from archdsl.diagnostics import ArchError, catalog, listed
from archdsl.weights.report import FEW, Caller, clipped
from archdsl.weights.rules import wrappers

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
# Number of places in a message.
FEW_PLACES = 3
# Name of the empty path in messages.
OUTERMOST = "the outermost names"
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
    for key in wrappers().containers:
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
    return re.compile(rf"(?:(?<=\.)|^)(?:{'|'.join(wrappers().inserted)})\.")


def unlifted(tensors: Mapping[str, Tensor]) -> dict[str, Tensor] | None:
    """Tensors under the names before timm's `features_only`, or None if nothing changes."""
    found = {lifted().sub(r"\1.", name, count=1): tensor for name, tensor in tensors.items()}
    return found if len(found) == len(tensors) and found.keys() != tensors.keys() else None


@cache
def lifted() -> re.Pattern[str]:
    """Pattern of a first dot that `features_only` turned into `_`."""
    return re.compile(rf"(?:(?<=\.)|^)({'|'.join(wrappers().lifted)})_")


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


def likely(counts: Mapping[str, int], complete: int) -> list[str]:
    """Prefixes of the most names; of incomplete ones, the outermost only."""
    most = max(counts.values(), default=0)
    found = [prefix for prefix, count in counts.items() if count == most > 0]
    if most == complete:
        return found
    known = set(found)
    return [each for each in found if known.isdisjoint(outside(each))]


def outside(prefix: str) -> Iterator[str]:
    """Proper prefixes of a prefix, shortest first."""
    start = 0
    while start < len(prefix):
        yield prefix[:start]
        start = prefix.index(".", start) + 1


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


# ---- which of several ----------------------------------------------------------------------------------------------


class Place(Protocol):
    """Tensors, and the path to them: keys of dicts, then a prefix of names."""

    @property
    def path(self) -> tuple[str, ...]: ...
    @property
    def tensors(self) -> Mapping[str, Tensor]: ...


Placed = TypeVar("Placed", bound=Place)


def decide(fitting: list[Placed], caller: Caller) -> Placed:
    """Choose between places that all fit; raises ArchError if they differ and none is preferred."""
    # Places with equal tensors are one choice.
    kinds: list[list[Placed]] = []
    for each in fitting:
        alike = next((kind for kind in kinds if equal(kind[0].tensors, each.tensors)), None)
        if alike is None:
            kinds.append([each])
        else:
            alike.append(each)
    for kind in kinds:
        if all(any(prefers(a, b) for a in kind for b in other) for other in kinds if other is not kind):
            return next((a for a in kind if not any(prefers(b, a) for b in kind)), kind[0])
    raise ambiguous([kind[0].path for kind in kinds], "fit, and differ", caller)


def ambiguous(paths: list[tuple[str, ...]], what: str, caller: Caller) -> ArchError:
    """Error of an ambiguous choice."""
    names = [clipped(dotted(path)) for path in paths]
    help = f"say which, as {caller.part.format(next(name for name in names if name))}"
    label = f"{listed(name or OUTERMOST for name in names[:FEW_PLACES])} {what}"
    more = f"; there are {len(names) - FEW_PLACES:,} more" if len(names) > FEW_PLACES else ""
    return catalog.SEVERAL.error(None, label + more, help=help)


def equal(one: Mapping[str, Tensor], other: Mapping[str, Tensor]) -> bool:
    """Compare two places, names and numbers."""
    return one.keys() == other.keys() and all(same(tensor, other[key]) for key, tensor in one.items())


def same(one: Tensor, other: Tensor) -> bool:
    """Compare two tensors bit for bit."""
    import torch

    if one is other:
        return True
    if one.is_meta or other.is_meta or one.shape != other.shape or one.dtype != other.dtype:
        return False
    try:
        return torch.equal(one.cpu(), other.cpu())
    except (RuntimeError, NotImplementedError):  # kinds of tensors that cannot be compared
        return False


def prefers(one: Place, other: Place) -> bool:
    """Tell whether one place is preferred over another."""
    return favours(one.path, other.path) and not favours(other.path, one.path)


def favours(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    """Tell whether a row of `preferences` favours a path, by the words that only one of the two has."""
    mine, theirs = words(one), words(other)
    only, others = {"", *(mine - theirs)}, {"", *(theirs - mine)}
    return any(first in only and last in others for first, last in wrappers().preferences)


def words(path: Iterable[str]) -> set[str]:
    """Words of a path."""
    return {word.lower() for each in path for word in re.split(r"[._]", each)}


def dotted(path: Iterable[str]) -> str:
    """Path as users write it."""
    return ".".join(each.strip(".") for each in path)


def parts_named(found: list[Placed], part: str, caller: Caller) -> list[Placed]:
    """Places whose paths contain the part that a user names."""
    asked = f".{part.strip('.')}."
    chosen = [each for each in found if asked in f".{dotted(each.path)}."]
    if not chosen:
        names = dict.fromkeys(clipped(dotted(each.path)) for each in found if each.path)
        help = f"there are {listed(list(names)[:FEW_PLACES])}" if names else "the source is the network alone"
        label = f"{caller.part.format(clipped(part))}: no such part of the source has names of the network's"
        raise catalog.USAGE.error(None, label, help=help)
    return chosen
