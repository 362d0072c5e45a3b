"""Weights into a model, from a checkpoint of any naming that the rules know, and back under their names."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from archdsl.errors import ArchError, catalog, did_you_mean, listed
from archdsl.weights import rules
from archdsl.weights.change import Misshapen
from archdsl.weights.fit import HEAD, Fitted, Network, fit, module, section
from archdsl.weights.plan import Plan, back, identity, plan
from archdsl.weights.report import Misfits, Report, some
from archdsl.weights.unwrap import unwrap

if TYPE_CHECKING:
    from torch import Tensor, nn

Head = Literal["adapt", "strict", "optional"]
AUXILIARY = "aux"
"""What the sections of outputs for training are called, by convention."""
FEW = 3
"""So many keys of an unknown naming are shown."""


def load_weights(model: nn.Module, source: Mapping[str, Any] | str | Path, *, head: Head = "adapt") -> Report:
    """Fills a model with the weights of a state dict or of a file, and reports what became of each key.

    The naming is recognized by the keys: our own, torchvision's, timm's, pytorchcv's, or the authors'. Every key of
    both sides has to be used once and have the right shape; otherwise ArchError lists what is not, and the model is
    as it was. Two things are adapted, and told: another number of input channels in the first convolution, and
    another number of classes, for which the classifier stays as it is. `head="strict"` refuses the latter; with
    `head="optional"` the source may have no classifier at all. What the model has no place for may be left out,
    where it is a classifier or an auxiliary output; that is told, too.
    """
    if head not in get_args(Head):
        raise catalog.USAGE.error(None, f"`head={head!r}`", help=f"choose from {listed(get_args(Head))}")
    checkpoint: Mapping[str, Any] = read(source) if isinstance(source, str | Path) else source
    theirs, wrappers = unwrap(checkpoint)
    network = inspect(model)
    found = recognize(theirs, network)
    left_out = spare(found, network, head)
    left_over = [key for key in found.left_over if key not in left_out]
    try:
        fitted = fit(network, found.ours(theirs), head)
    except Misshapen as error:
        raise Misfits(found.scheme, found.missing, left_over, [str(error)]).error() from None
    if left_over or fitted.missing or fitted.misshapen:
        raise Misfits(found.scheme, fitted.missing, left_over, fitted.misshapen).error(hint(fitted))
    fill(network, fitted)
    return Report(
        found.scheme,
        wrappers,
        {move.theirs: move.ours for move in found.moves},
        tuple(move.theirs for move in found.moves if move.change.kind != "same"),
        fitted.adapted,
        fitted.fresh,
        left_out,
        fitted.started,
    )


def fill(network: Network, fitted: Fitted) -> None:
    """Writes the numbers. `load_state_dict` would do so in time that grows with the square of the depth."""
    import torch

    if any(tensor.is_meta for tensor in network.state.values()):
        help = 'give it memory first: `model.to_empty(device="cpu")`'
        raise catalog.UNFIT.error(None, "the network is on the device `meta`, which holds no numbers", help=help)
    with torch.no_grad():
        for key, tensor in network.state.items():
            tensor.copy_(fitted.state[key])


def to_reference(model: nn.Module, project: str) -> dict[str, Tensor]:
    """A model's state dict under the names of `torchvision`, `timm`, `pytorchcv` or `vovnet`; `load_weights` undoes it.

    Raises ArchError where the project has no such network.
    """
    if project not in rules.projects():
        help = did_you_mean(project, rules.projects()) or f"there are {', '.join(rules.projects())}"
        raise catalog.USAGE.error(None, f"no naming is called `{project}`", help=help)
    state = inspect(model).state
    try:
        return naming(project, state).theirs(state)
    except Misshapen as error:
        raise catalog.UNFIT.error(None, str(error)) from None


def naming(project: str, state: Mapping[str, Tensor]) -> Plan:
    """The plan by which a project names the tensors of a state dict of ours."""
    for scheme in rules.schemes(project):
        if all(key in state for key in scheme.ours):
            found = back(scheme, state)
            if found is not None:
                return found
    raise catalog.NAMING.error(None, f"{project} has no names for a network with {some(state, FEW)}")


def read(path: str | Path) -> Mapping[str, Any]:
    """What a checkpoint file holds."""
    from archdsl.weights.files import read as content

    return content(path)


def inspect(model: nn.Module) -> Network:
    """What a model holds."""
    first = next((name for name, _ in model.named_children()), "")
    return Network(dict(model.state_dict()), first)


def recognize(theirs: Mapping[str, Tensor], network: Network) -> Plan:
    """The plan of the naming that fits best; ours goes first. Raises ArchError where no naming is known."""
    found = [identity(theirs, network.state)]
    if 2 * len(found[0].moves) < len(theirs):
        found += [
            plan(scheme, theirs, network.state)
            for project in rules.projects()
            for scheme in rules.own_schemes(project)
            if any(key in theirs for key in scheme.theirs) and all(key in network.state for key in scheme.ours)
        ]
    best = max(found, key=lambda each: len(each.moves))
    if not best.moves:
        raise unknown(theirs, network)
    return best


def unknown(theirs: Mapping[str, Tensor], network: Network) -> ArchError:
    """The error of names that lead nowhere."""
    label = f"the source has {some(theirs, FEW)}, the network {some(network.state, FEW)}"
    help = f"names of ours, and of {', '.join(rules.projects())} are known, where the network is of that family"
    return catalog.NAMING.error(None, label, help=help)


def spare(found: Plan, network: Network, head: Head) -> tuple[str, ...]:
    """The keys of theirs that a model may do without: the classifier, if it has none, and auxiliary outputs."""
    sections, modules = {section(key) for key in network.state}, {module(key) for key in network.state}
    classifier = head != "strict" and not any(section(key) == HEAD for key in found.missing)
    return tuple(
        key
        for key, ours in found.left_over.items()
        if (classifier and section(ours) == HEAD and module(ours) not in modules)
        or (section(ours).startswith(AUXILIARY) and section(ours) not in sections)
    )


def hint(fitted: Fitted) -> str:
    """What may help against what is missing."""
    if fitted.missing and all(section(key) == HEAD for key in fitted.missing):
        return 'head="optional" leaves the classifier as it is'
    return ""
