"""A checkpoint without its wrappers: the state dict in it, under plain names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from archdsl.errors import catalog, listed
from archdsl.weights.rules import content

if TYPE_CHECKING:
    from torch import Tensor

FEW = 5
"""So many keys are named in a message."""


def unwrap(source: Mapping[str, Any]) -> tuple[dict[str, Tensor], tuple[str, ...]]:
    """The tensors of a checkpoint by plain names, and the wrappers that were taken off.

    Raises ArchError where there are none, or where values stand among them that are no tensors.
    """
    known = content("wrappers")
    wrappers: list[str] = []
    found: Mapping[str, Any] = source
    while inner := next((key for key in known["containers"] if isinstance(found.get(key), Mapping)), ""):
        wrappers.append(inner)
        found = cast("Mapping[str, Any]", found[inner])
    state = checked(found)
    while prefix := next((each for each in known["prefixes"] if all(key.startswith(each) for key in state)), ""):
        wrappers.append(prefix)
        state = {key.removeprefix(prefix): tensor for key, tensor in state.items()}
    return state, tuple(wrappers)


def checked(found: Mapping[Any, Any]) -> dict[str, Tensor]:
    """A dict of tensors, if it is one."""
    import torch

    odd = [str(key) for key, value in found.items() if not (isinstance(key, str) and isinstance(value, torch.Tensor))]
    if not found or len(odd) == len(found):
        label = f"a dict with the keys {listed(odd[:FEW])}, no tensor in it" if odd else "an empty dict"
        raise catalog.NO_WEIGHTS.error(None, label, help="give a state dict: tensors by name")
    if odd:
        label = f"not all are tensors under names: {listed(odd[:FEW])}"
        raise catalog.NO_WEIGHTS.error(None, label, help="give the state dict alone")
    return dict(found)
