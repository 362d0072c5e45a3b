"""From tensors under our names to a state dict that a model takes whole: with what users adapt, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from archdsl.weights.assignment import COUNTER
from archdsl.weights.report import clipped

if TYPE_CHECKING:
    from torch import Tensor

HEAD = "head"
"""The section that the classifier is in, by convention."""


class TargetModel(NamedTuple):
    """What a model holds, and where its input comes in."""

    state: dict[str, Tensor]
    first: str
    """The name of its first section."""


class Fitted(NamedTuple):
    """A state dict, and what was adapted on the way; what is still wrong."""

    state: dict[str, Tensor]
    adapted: dict[str, str]
    fresh: dict[str, str]
    started: tuple[str, ...]
    missing: tuple[str, ...]
    misshapen: dict[str, str]
    """For keys of the network a sentence on the shapes."""


def fit(network: TargetModel, given: Mapping[str, Tensor], head: str) -> Fitted:
    """The model's whole state dict, from what is given."""
    import torch

    both = {key: shapes(tensor, network.state[key]) for key, tensor in given.items()}
    wrong = {key: (there, here) for key, (there, here) in both.items() if there != here}
    fresh = {} if head == "strict" else other_classes(wrong)
    adapted = other_inputs({key: value for key, value in wrong.items() if key not in fresh}, network.first)
    missing = [key for key in network.state if key not in given]
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


Shape = tuple[int, ...]
Shapes = tuple[Shape, Shape]
"""The shape of a tensor of theirs, and that of ours."""


def shapes(theirs: Tensor, ours: Tensor) -> Shapes:
    """Both shapes."""
    return tuple(theirs.shape), tuple(ours.shape)


def shape(sizes: Shape) -> str:
    """A shape, as messages show it."""
    return "x".join(map(str, sizes)) or "a single number"


def section(key: str) -> str:
    """The section that a tensor belongs to."""
    return key.partition(".")[0]


def module(key: str) -> str:
    """The module that a tensor belongs to."""
    return key.rpartition(".")[0]


def counts(key: str, given: Mapping[str, Tensor]) -> bool:
    """Whether a key is the counter of a batch norm that is given without one."""
    return key.endswith(f".{COUNTER}") and f"{module(key)}.running_mean" in given


def other_classes(wrong: Mapping[str, Shapes]) -> dict[str, str]:
    """The classifier's tensors, where the source has another number of classes; those of auxiliary outputs, too."""
    counts = {key: (there[0], here[0]) for key, (there, here) in wrong.items() if rows(there, here)}
    heads = {counts[key] for key in counts if section(key) == HEAD}
    if len(heads) != 1:
        return {}
    ((there, here),) = heads
    why = f"{there:,} classes in the source, {here:,} here"
    same = [key for key, pair in counts.items() if pair == (there, here)]
    return {key: why for key in same if section(key) == HEAD or f"{module(key)}.bias" in same}


def rows(there: Shape, here: Shape) -> bool:
    """Whether two shapes differ in the number of outputs only."""
    return len(there) == len(here) > 0 and there[1:] == here[1:]


def other_inputs(wrong: Mapping[str, Shapes], first: str) -> dict[str, str]:
    """The first convolution, where the source is for images of another number of channels: the only misfit then."""
    if len(wrong) != 1:
        return {}
    ((key, (there, here)),) = wrong.items()
    same = len(there) == len(here) == 4 and (there[0], *there[2:]) == (here[0], *here[2:])
    if not same or section(key) != first or not there[1]:
        return {}
    how = "summed" if here[1] == 1 else "repeated and scaled"
    return {key: f"{there[1]} input channels in the source, {here[1]} here: {how}"}


def adapt_inputs(weight: Tensor, channels: int) -> Tensor:
    """The weight of a first convolution for another number of input channels, as timm does it.

    For one channel its inputs are summed; otherwise they are repeated, and scaled so that equal channels give what they
    gave.
    """
    given = weight.shape[1]
    if channels == 1:
        return weight.sum(1, keepdim=True)
    repeated = weight.repeat(1, -(-channels // given), 1, 1)[:, :channels]
    return repeated * (given / channels)
