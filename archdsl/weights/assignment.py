"""Match tensors of a checkpoint to those of a network: by name, each used once, then by shape."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

from archdsl.diagnostics import plural
from archdsl.weights.report import COUNTER, clipped, module, section, shape
from archdsl.weights.rules import KeyRule, Scheme, TensorTransform

if TYPE_CHECKING:
    from torch import Tensor

# A head that was replaced may be deeper by this many levels (`fc.0.1` for `fc`).
LEVELS = 4


class Move(NamedTuple):
    """Tensor of theirs, and the tensors of ours that it becomes."""

    theirs: str
    ours: tuple[str, ...]
    change: TensorTransform = TensorTransform()


class Plan(NamedTuple):
    """Moves between a state dict of theirs and one of ours, and the keys without another side.

    `left_over` maps each such key of theirs to the name that it would have here, or to nothing. `own` is set for a
    checkpoint in our own naming.
    """

    scheme: str
    moves: tuple[Move, ...]
    left_over: dict[str, str]
    missing: tuple[str, ...]
    own: bool = False

    @property
    def complete(self) -> bool:
        """True if every key has its other side, counters aside."""
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
    """Plan for a state dict in our own naming."""
    return Plan(
        "archdsl",
        tuple(Move(key, (key,)) for key in theirs if key in ours),
        {key: key for key in theirs if key not in ours},
        tuple(key for key in ours if key not in theirs),
        own=True,
    )


def plan(scheme: Scheme, theirs: Collection[str], ours: Collection[str]) -> Plan:
    """Plan by the rules of a scheme: each key of theirs follows the first rule that leads to free keys of ours."""
    # Rules name modules; a module's weight, bias and statistics follow together.
    names = {key.rpartition(".")[0] for key in theirs}
    leads = {name: list(matching_rules(scheme, name)) for name in names}
    free = dict.fromkeys(ours)
    moves: list[Move] = []
    left_over: dict[str, str] = {}
    for key in theirs:
        name, _, leaf = key.rpartition(".")
        ways = [(rule, tuple(f"{each}.{leaf}" for each in targets)) for rule, targets in leads[name]]
        found = next(((rule, keys) for rule, keys in ways if all(each in free for each in keys)), None)
        if found is None:
            left_over[key] = ways[0][1][0] if ways else name_below(scheme, name, leaf)
            continue
        rule, keys = found
        moves.append(Move(key, keys, rule.change))
        for each in keys:
            del free[each]
    return Plan(str(scheme), tuple(moves), left_over, tuple(free))


def matching_rules(scheme: Scheme, name: str) -> Iterator[tuple[KeyRule, list[str]]]:
    """Rules that match a module of theirs, with our modules."""
    for rule in scheme.rules:
        found = rule.here(name)
        if found is not None:
            yield rule, found


def name_below(scheme: Scheme, name: str, leaf: str) -> str:
    """Name that a key would have here if the rules led into modules: `head.linear.2.weight` for `fc.2.weight`."""
    for _ in range(LEVELS):
        name, _, last = name.rpartition(".")
        leaf = f"{last}.{leaf}"
        if found := next(matching_rules(scheme, name), None):
            return f"{found[1][0]}.{leaf}"
    return ""


def reverse_plan(scheme: Scheme, ours: Collection[str]) -> Plan | None:
    """Plan by which our keys get their names, or None unless each key gets a name that leads back to it."""
    origins: dict[str, str] = {}
    for name in dict.fromkeys(key.rpartition(".")[0] for key in ours):
        origins[name] = their_module(scheme, name)
        if not origins[name]:
            return None
    keys = (key.rpartition(".") for key in ours)
    theirs = dict.fromkeys(f"{origins[name]}.{leaf}" for name, _, leaf in keys)
    found = plan(scheme, theirs, ours)
    return None if found.left_over or found.missing else found


def their_module(scheme: Scheme, name: str) -> str:
    """Their name of a module of ours, or nothing."""
    found = (rule.there(name) for rule in scheme.rules)
    return next((each for each in found if each is not None), "")


# ---- shapes ------------------------------------------------------------------------------------------------------

# Section of the classifier, by convention.
HEAD = "head"


class TargetModel(NamedTuple):
    """Tensors of a model, and the name of its first section, whose convolution sees the input.

    `cut` are those that it does not hold: it was cut to features of a network that has them.
    """

    state: dict[str, Tensor]
    first: str
    cut: frozenset[str] = frozenset()

    @property
    def own(self) -> dict[str, Tensor]:
        """Tensors that the model holds."""
        return {key: tensor for key, tensor in self.state.items() if key not in self.cut}


class Fitted(NamedTuple):
    """State dict that fits a model, with everything that was adapted; or the misfits."""

    state: dict[str, Tensor]
    adapted: dict[str, str]
    fresh: dict[str, str]
    started: tuple[str, ...]
    missing: tuple[str, ...]
    # For keys of the network, a sentence on the shapes.
    misshapen: dict[str, str]


def fit_shapes(network: TargetModel, given: Mapping[str, Tensor], head: str) -> Fitted:
    """Complete the given tensors to a whole state dict of the model."""
    import torch

    given = {key: tensor for key, tensor in given.items() if key not in network.cut}
    both = {key: shapes(tensor, network.state[key]) for key, tensor in given.items()}
    wrong = {key: (there, here) for key, (there, here) in both.items() if there != here}
    fresh = {} if head == "strict" else other_classes(wrong)
    adapted = other_inputs({key: value for key, value in wrong.items() if key not in fresh}, network.first)
    missing = [key for key in network.state if key not in given and key not in network.cut]
    started = tuple(key for key in missing if counts(key, given))
    if head == "optional":
        fresh |= {key: "the source does not have it" for key in missing if section(key) == HEAD}
        others = {module(key) for key in wrong if section(key) == HEAD and key not in fresh}
        fresh |= {key: "it has another shape in the source" for key in given if module(key) in others}
    state = dict(given)
    state |= {key: adapt_inputs(given[key], network.state[key].shape[1]) for key in adapted}
    state |= {key: network.state[key] for key in fresh}
    state |= {key: torch.zeros_like(network.state[key]) for key in started}
    misshapen = {
        key: f"{clipped(key)} has {shape(there)} for {shape(here)}"
        for key, (there, here) in wrong.items()
        if key not in fresh and key not in adapted
    }
    left = tuple(key for key in missing if key not in fresh and key not in started)
    return Fitted(state, adapted, fresh, started, left, misshapen)


# Shapes of a tensor on one side, and on theirs and ours.
Shape = tuple[int, ...]
Shapes = tuple[Shape, Shape]


def shapes(theirs: Tensor, ours: Tensor) -> Shapes:
    """Shapes on both sides."""
    return tuple(theirs.shape), tuple(ours.shape)


def counts(key: str, given: Mapping[str, Tensor]) -> bool:
    """Tell the counter of a batch norm whose statistics are given without one: before 2018 there was none."""
    return key.endswith(f".{COUNTER}") and f"{module(key)}.running_mean" in given


def other_classes(wrong: Mapping[str, Shapes]) -> dict[str, str]:
    """Tensors that depend on the number of classes, with the reason: the classifier's, and auxiliary ones."""
    # The classifier tells the numbers of classes; layers with the same pair of them are auxiliary classifiers.
    counts = {key: (there[0], here[0]) for key, (there, here) in wrong.items() if same_but_outputs(there, here)}
    heads = {counts[key] for key in counts if section(key) == HEAD}
    if len(heads) != 1:
        return {}
    ((there, here),) = heads
    why = f"{there:,} classes in the source, {here:,} here"
    same = [key for key, pair in counts.items() if pair == (there, here)]
    return {key: why for key in same if section(key) == HEAD or f"{module(key)}.bias" in same}


def same_but_outputs(there: Shape, here: Shape) -> bool:
    """Tell shapes that differ in the number of outputs only."""
    return len(there) == len(here) > 0 and there[1:] == here[1:]


def other_inputs(wrong: Mapping[str, Shapes], first: str) -> dict[str, str]:
    """First convolution, if it is the only misfit and the source has another number of input channels."""
    if len(wrong) != 1:
        return {}
    ((key, (there, here)),) = wrong.items()
    same = len(there) == len(here) == 4 and (there[0], *there[2:]) == (here[0], *here[2:])
    if not same or section(key) != first or not there[1]:
        return {}
    how = "summed" if here[1] == 1 else "repeated and scaled"
    return {key: f"{plural(there[1], 'input channel')} in the source, {here[1]} here: {how}"}


def adapt_inputs(weight: Tensor, channels: int) -> Tensor:
    """Weight of a first convolution for another number of input channels, as timm adapts it.

    For one channel the inputs are summed. Otherwise they are repeated, and scaled so that equal channels give the
    same.
    """
    given = weight.shape[1]
    if channels == 1:
        return weight.sum(1, keepdim=True)
    repeated = weight.repeat(1, -(-channels // given), 1, 1)[:, :channels]
    return repeated * (given / channels)
