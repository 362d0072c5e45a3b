"""Weights survive edits of a spec: whatever has kept its place and its shape is carried over.

A place is a tensor's path in the structure: stage, block, op. Two moves are followed, as they are no doubt the same
place: a section that has another name and is otherwise equal to one, and only one, that is gone; and a block that has
become the first of a row, or was it (`osa(...)` and `2 * osa(...)`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from archdsl.errors import catalog, listed
from archdsl.weights.copying import Pair, check, check_network, given, write
from archdsl.weights.moves import Tree, correspondence, twins
from archdsl.weights.report import warned
from archdsl.weights.summary import summary

if TYPE_CHECKING:
    from torch import Tensor, nn


class Left(NamedTuple):
    """Why a tensor was not carried over: `absent` on the other side, of another `shape`, or `ambiguous`."""

    reason: str
    detail: str = ""


LONGEST = 4000
"""So many characters the name of a tensor may have."""
ABSENT = Left("absent")


class Transfer(NamedTuple):
    """What became of each tensor; `str()` tells it section by section.

    `kept`: the new network's names, each with the old one's. `fresh`: what of the new network starts anew.
    `dropped`: what of the old one has no place any more.
    `not_finite` says for names of the new network how many of their numbers are NaN or infinite.
    """

    kept: dict[str, str]
    fresh: dict[str, Left]
    dropped: dict[str, Left]
    not_finite: dict[str, str] = {}  # noqa: RUF012 (a tuple's default, never changed)

    def __str__(self) -> str:
        return "\n".join([summary(self.kept, self.fresh, self.dropped), *warned(self.not_finite)])


def transfer_weights(
    from_model: nn.Module | Mapping[str, Tensor], to_model: nn.Module | Mapping[str, Tensor]
) -> Transfer:
    """Copies the weights of a network into one whose spec was edited, wherever place and shape still match.

    Both are modules that archdsl built, or their state dicts. `to_model` changes in the tensors that are kept, and in
    nothing else; they keep their dtype and device. Raises ArchError where one of the two holds no weights.
    """
    old, new = tensors(from_model, "from_model"), tensors(to_model, "to_model")
    done = plan(*({name: tuple(each.shape) for name, each in side.items()} for side in (old, new)))
    return done._replace(not_finite=carry(done.kept, old, new))


def carry(kept: Mapping[str, str], old: Mapping[str, Tensor], new: Mapping[str, Tensor]) -> dict[str, str]:
    """Fills what is kept, all of it or nothing; what of it is not finite. Raises ArchError."""
    check_network(new)
    check(given(source, old[source], [new[name]]) for name, source in kept.items())
    return write({name: Pair(new[name], old[source]) for name, source in kept.items()})


def tensors(model: nn.Module | Mapping[str, Any], which: str) -> dict[str, Tensor]:
    """The tensors of a module or state dict by name."""
    import torch

    state: Mapping[str, Any] = model.state_dict() if isinstance(model, torch.nn.Module) else model
    if not isinstance(cast("object", state), Mapping):
        raise catalog.NO_WEIGHTS.error(None, f"`{which}` is of type `{type(model).__name__}`", help=EITHER)
    found = {name: value for name, value in state.items() if isinstance(value, torch.Tensor)}
    if not found or (len(found) < len(state) and state is model):
        others = listed(repr(name)[1:-1][:80] for name in list(state)[:3] if name not in found)
        raise catalog.NO_WEIGHTS.error(
            None, f"`{which}` holds {f'{others}, which is no tensor' if others else 'nothing'}", help=EITHER
        )
    if long := [name for name in found if len(name) > LONGEST]:
        raise catalog.NO_WEIGHTS.error(None, f"`{long[0][:80]}...` of `{which}` is no tensor's name: it is too long")
    if empty := [name for name, value in found.items() if value.is_meta]:
        raise catalog.NO_WEIGHTS.error(None, f"`{empty[0]}` of `{which}` is on the meta device: it has no values")
    return found


EITHER = "give a module or a state dict of tensors"


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
            yield from ((name, Left("ambiguous", f"this may be {' or '.join(gone)}")) for name in come)


def section(name: str) -> str:
    """The section or stage that a tensor is in."""
    return name.partition(".")[0]


def shown(shape: tuple[int, ...]) -> str:
    """A shape as text."""
    return "x".join(map(str, shape)) or "a number"
