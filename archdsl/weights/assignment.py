"""Which tensor of theirs is which of ours: by names alone, each on both sides used once, or told what is not."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

from archdsl.weights.rules import KeyRule, Scheme
from archdsl.weights.transforms import TensorTransform

if TYPE_CHECKING:
    from torch import Tensor

COUNTER = "num_batches_tracked"
"""What a batch norm also counts; frozen norms and checkpoints of before 2018 do not have it."""

LEVELS = 4
"""Maximum number of levels that a head which was replaced may be deeper than the one before."""


class Move(NamedTuple):
    """A tensor of theirs, and what it is here."""

    theirs: str
    ours: tuple[str, ...]
    change: TensorTransform = TensorTransform()


class Plan(NamedTuple):
    """All moves between a state dict of theirs and one of ours, and what has no other side.

    `left_over` has for each key of theirs the name that it would have here, or none.
    """

    scheme: str
    moves: tuple[Move, ...]
    left_over: dict[str, str]
    missing: tuple[str, ...]

    @property
    def complete(self) -> bool:
        """Whether every key has its other side, counters aside."""
        return not self.left_over and all(key.endswith(f".{COUNTER}") for key in self.missing)

    def ours(self, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Tensors under our names, from theirs: a state dict, or gradients. Raises Misshapen."""
        found: dict[str, Tensor] = {}
        for move in self.moves:
            if move.theirs in tensors:
                parts = move.change.ours(tensors[move.theirs], len(move.ours))
                found.update(zip(move.ours, parts, strict=True))
        return found

    def theirs(self, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Tensors under their names, from ours. Raises Misshapen."""
        return {
            move.theirs: move.change.theirs([tensors[key] for key in move.ours])
            for move in self.moves
            if all(key in tensors for key in move.ours)
        }


def identity(theirs: Collection[str], ours: Collection[str]) -> Plan:
    """The plan for a state dict in our own naming."""
    return Plan(
        "archdsl",
        tuple(Move(key, (key,)) for key in theirs if key in ours),
        {key: key for key in theirs if key not in ours},
        tuple(key for key in ours if key not in theirs),
    )


def plan(scheme: Scheme, theirs: Collection[str], ours: Collection[str]) -> Plan:
    """The plan by a scheme's rules: for each key of theirs the first line that leads to keys of ours still free."""
    names = {key.rpartition(".")[0] for key in theirs}
    leads = {name: list(lead(scheme, name)) for name in names}
    free = dict.fromkeys(ours)
    moves: list[Move] = []
    left_over: dict[str, str] = {}
    for key in theirs:
        name, _, leaf = key.rpartition(".")
        ways = [(rule, tuple(f"{each}.{leaf}" for each in targets)) for rule, targets in leads[name]]
        found = next(((rule, keys) for rule, keys in ways if all(each in free for each in keys)), None)
        if found is None:
            left_over[key] = ways[0][1][0] if ways else beneath(scheme, name, leaf)
            continue
        rule, keys = found
        moves.append(Move(key, keys, rule.change))
        for each in keys:
            del free[each]
    return Plan(str(scheme), tuple(moves), left_over, tuple(free))


def lead(scheme: Scheme, name: str) -> Iterator[tuple[KeyRule, list[str]]]:
    """Where the rules lead from a module of theirs."""
    for rule in scheme.rules:
        found = rule.here(name)
        if found is not None:
            yield rule, found


def beneath(scheme: Scheme, name: str, leaf: str) -> str:
    """The name that a key would have here if the rules led into modules: `head.linear.2.weight` of `fc.2.weight`."""
    for _ in range(LEVELS):
        name, _, last = name.rpartition(".")
        leaf = f"{last}.{leaf}"
        if found := next(lead(scheme, name), None):
            return f"{found[1][0]}.{leaf}"
    return ""


def back(scheme: Scheme, ours: Collection[str]) -> Plan | None:
    """The plan by which our keys get their names, if each gets one of its own that leads back to it."""
    origins: dict[str, str] = {}
    for name in dict.fromkeys(key.rpartition(".")[0] for key in ours):
        origins[name] = origin(scheme, name)
        if not origins[name]:
            return None
    keys = (key.rpartition(".") for key in ours)
    theirs = dict.fromkeys(f"{origins[name]}.{leaf}" for name, _, leaf in keys)
    found = plan(scheme, theirs, ours)
    return None if found.left_over or found.missing else found


def origin(scheme: Scheme, name: str) -> str:
    """What a module of ours is called there, or nothing."""
    found = (rule.there(name) for rule in scheme.rules)
    return next((each for each in found if each is not None), "")
