"""Weights survive edits of a spec: whatever has kept its place and its shape is carried over.

A place is a tensor's path in the structure: stage, block, op. Two moves are followed, as they are no doubt the same
place: a section that has another name and is otherwise equal to one, and only one, that is gone; and a block that has
become the first of a row, or was it (`osa(...)` and `2 * osa(...)`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

from archdsl.diagnostics import catalog, listed
from archdsl.weights.choice import decide, likely, named
from archdsl.weights.copying import Pair, check, check_network, given, uninitialized, write
from archdsl.weights.match_modules import Tree, correspondence, twins
from archdsl.weights.report import PYTHON, clipped, warned
from archdsl.weights.sources import opened, target
from archdsl.weights.summary import summary
from archdsl.weights.unwrap import CheckpointPart, bare, beginnings, below, main, parts

if TYPE_CHECKING:
    from torch import Tensor, nn

    from archdsl.weights.sources import Source


class Left(NamedTuple):
    """Why a tensor was not carried over: `absent` on the other side, of another `shape`, or `ambiguous`."""

    reason: str
    detail: str = ""


ABSENT = Left("absent")


class Transfer(NamedTuple):
    """What became of each tensor; `str()` tells it section by section.

    `kept`: the new network's names, each with the old one's. `fresh`: what of the new network starts anew.
    `dropped`: what of the old one has no place any more. `wrappers`: where the old one stood in what was given.
    `not_finite` says for names of the new network how many of their numbers are NaN or infinite.
    """

    kept: dict[str, str]
    fresh: dict[str, Left]
    dropped: dict[str, Left]
    wrappers: tuple[str, ...] = ()
    not_finite: dict[str, str] = {}  # noqa: RUF012 (a tuple's default, never changed)

    def __str__(self) -> str:
        off = [f"taken off: {listed(map(clipped, self.wrappers))}"] if self.wrappers else []
        return "\n".join([summary(self.kept, self.fresh, self.dropped), *off, *warned(self.not_finite)])


class StoredTensors(NamedTuple):
    """The tensors of a network, and where they stand in a checkpoint."""

    path: tuple[str, ...]
    tensors: dict[str, Tensor]


def transfer_weights(
    from_model: Source, to_model: nn.Module | Mapping[str, Tensor], *, part: str | None = None
) -> Transfer:
    """Copies the weights of a network into one whose spec was edited, wherever place and shape still match.

    `from_model` is a module that archdsl built, its state dict, or the path of a file or folder; `part` says where the
    network is in it, in case there are several. `to_model` is a module or its state dict; it changes in the tensors
    that are kept, and in nothing else; they keep their dtype and device. Raises ArchError where one of the two holds no
    weights.
    """
    new = target(to_model, "to_model")
    old = origin(from_model, new, part)
    for name, side in (("from_model", old.tensors), ("to_model", new)):
        if empty := [key for key, value in side.items() if uninitialized(value) or value.is_meta]:
            label = f"`{clipped(empty[0])}` of `{name}` is on the meta device, or waits for its shape: it has no values"
            raise catalog.NO_WEIGHTS.error(None, label, help='build it without `torch.device("meta")`')
    done = plan(*({name: tuple(each.shape) for name, each in side.items()} for side in (old.tensors, new)))
    return done._replace(wrappers=old.path, not_finite=carry(done.kept, old.tensors, new))


def carry(kept: Mapping[str, str], old: Mapping[str, Tensor], new: Mapping[str, Tensor]) -> dict[str, str]:
    """Fills what is kept, all of it or nothing; what of it is not finite. Raises ArchError."""
    check_network(new)
    check(given(source, old[source], [new[name]]) for name, source in kept.items())
    return write({name: Pair(new[name], old[source]) for name, source in kept.items()})


def origin(source: Source, new: Mapping[str, Tensor], part: str | None) -> StoredTensors:
    """The old network in what is given: the place that has most names in common with the new one."""
    held = parts(opened(source, "from_model"))
    found = [each for every in held for each in places(every, new)]
    if part is not None:
        chosen = {each.path for each in named([place for _, place in found], part, PYTHON)}
        found = [(count, place) for count, place in found if place.path in chosen]
    if not found:
        largest = max(held, key=lambda each: len(each.tensors))
        return StoredTensors(largest.path, bare(largest.tensors))
    most = max(count for count, _ in found)
    return decide([place for count, place in found if count == most], PYTHON)


def places(held: CheckpointPart, new: Mapping[str, Tensor]) -> Iterator[tuple[int, StoredTensors]]:
    """Where names of the new network stand in a part, and how many: below what holds most of either."""
    counts = {prefix: len(names) for prefix, names in beginnings(held.tensors, new).items()}
    most = [prefix for prefix in likely(counts, len(new)) if 1 < counts[prefix] >= len(new) / 2]
    for prefix in dict.fromkeys([*main(held.tensors), *most]):
        path = (*held.path, prefix) if prefix else held.path
        if count := counts.get(prefix):
            yield count, StoredTensors(path, below(held.tensors, prefix))


# ---- the plan ------------------------------------------------------------------------------------------------------


def plan(old: Mapping[str, tuple[int, ...]], new: Mapping[str, tuple[int, ...]]) -> Transfer:
    """What of `old` fits where in `new`, by names and shapes."""
    before, after = Tree(old), Tree(new)
    places = correspondence(before, after)
    kept = {name: places[name] for name in new if name in places and old[places[name]] == new[name]}
    changed = {name: Left("shape", f"{shown(old[of])} before, {shown(new[name])} now") for name, of in places.items()}
    gone = {places[name]: why for name, why in changed.items()}
    doubts = dict(doubtful(before, after))
    used = set(kept.values())
    fresh = {name: changed.get(name) or doubts.get(section(name), ABSENT) for name in new if name not in kept}
    dropped = {name: gone.get(name, ABSENT) for name in old if name not in used}
    return Transfer(kept, fresh, dropped)


def doubtful(old: Tree, new: Tree) -> Iterator[tuple[str, Left]]:
    """The new sections that may be one of several that are gone, or share one with others."""
    for gone, come in twins(old, new):
        if len(gone) > 1 or len(come) > 1:
            yield from ((name, Left("ambiguous", f"this may be {' or '.join(map(clipped, gone))}")) for name in come)


def section(name: str) -> str:
    """The section or stage that a tensor is in."""
    return name.partition(".")[0]


def shown(shape: tuple[int, ...]) -> str:
    """A shape as text."""
    return "x".join(map(str, shape)) or "a number"
