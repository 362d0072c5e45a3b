"""Load weights of any known naming into a model, and export them under another project's names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, get_args

from archdsl.diagnostics import catalog, did_you_mean, listed
from archdsl.weights import rules
from archdsl.weights.assignment import Fitted, Plan, TargetModel, reverse_plan
from archdsl.weights.choice import choose, decide, parts_named
from archdsl.weights.copying import Given, Pair, check, check_network, write
from archdsl.weights.files import open_source, open_target
from archdsl.weights.report import COUNTER, PYTHON, Caller, Report, section, some
from archdsl.weights.rules import Misshapen
from archdsl.weights.unwrap import CheckpointPart, main_prefixes, parts, tensors_below

if TYPE_CHECKING:
    from torch import Tensor, nn

    from archdsl.weights.files import Source

Head = Literal["adapt", "strict", "optional"]
# Number of keys in a message.
FEW = 3


def load_weights(
    model: nn.Module | Mapping[str, Tensor], source: Source, *, head: Head = "adapt", part: str | None = None
) -> Report:
    """Fill a model with weights, and report what became of each key.

    `source` is a state dict, a module, or the path of a file or folder. The naming is recognized by the keys: our
    own, torchvision's, timm's, pytorchcv's, or the authors'. The network may stand in wrappers and beside other
    things; `part` says where, in case several places of the source fit. Every key of the network has to be used
    once and have the right shape; otherwise ArchError lists what is not, and the model is as it was.

    Two things are adapted, and reported: another number of input channels in the first convolution, and another
    number of classes, for which the classifier stays as it is. `head="strict"` refuses the latter; with
    `head="optional"` the source may have no classifier at all, or any other one. Keys that the model has no place
    for may be left out if they are a classifier's or an auxiliary output's, or of what a network was cut from that
    was built with `features`; that is reported, too.
    """
    return load(model, source, head, part, PYTHON)


def load(
    model: nn.Module | Mapping[str, Tensor], source: Source, head: Head, part: str | None, caller: Caller
) -> Report:
    """`load_weights` with helps in the words of its caller."""
    if head not in get_args(Head):
        raise catalog.USAGE.error(None, f"`head={head!r}`", help=f"choose from {listed(get_args(Head))}")
    network = inspect(model)
    taken, passed_over = choose(open_source(source), network, head, part, caller)
    not_finite = fill(network, taken.fitted)
    found = taken.candidate.plan
    moves = [move for move in found.moves if not network.cut.issuperset(move.ours)]
    cut = tuple(move.theirs for move in found.moves if network.cut.issuperset(move.ours))
    return Report(
        found.scheme,
        taken.path,
        {move.theirs: move.ours for move in moves},
        tuple(move.theirs for move in moves if move.change.kind != "same"),
        taken.fitted.adapted,
        taken.fitted.fresh,
        taken.left_out + cut,
        taken.fitted.started,
        taken.beside,
        passed_over,
        not_finite,
    )


def fill(network: TargetModel, fitted: Fitted) -> dict[str, str]:
    """Copy the tensors into the network; return those that are not finite."""
    # Not `load_state_dict`, whose time grows with the square of the network's depth.
    own = {key: tensor for key, tensor in network.state.items() if key not in network.cut}
    pairs = {key: Pair(tensor, fitted.state[key]) for key, tensor in own.items() if key not in fitted.fresh}
    return write(pairs)


def inspect(model: nn.Module | Mapping[str, Any]) -> TargetModel:
    """Tensors of a model or of its state dict; with those that a model was cut from, without numbers."""
    import torch

    state = open_target(model, "model")
    check_network(state)
    cut: dict[str, tuple[int, ...]] = {} if isinstance(model, Mapping) else getattr(model, "cut_weights", {})
    types = {True: torch.int64, False: torch.get_default_dtype()}
    absent = {key: torch.empty(cut[key], dtype=types[key.endswith(COUNTER)], device="meta") for key in cut}
    return TargetModel(state | absent, section(next(iter(state))), frozenset(absent))


# ---- and back ------------------------------------------------------------------------------------------------------


class NamedNetwork(NamedTuple):
    """Network in a source, and the plan by which a project names its tensors."""

    path: tuple[str, ...]
    tensors: dict[str, Tensor]
    plan: Plan


def to_reference(model: Source, project: str, *, part: str | None = None) -> dict[str, Tensor]:
    """State dict of a model under the names of `torchvision`, `timm`, `pytorchcv` or `vovnet`.

    `load_weights` is the inverse. `model` is a module, its state dict, or the path of a file or folder; `part` says
    where the network is in it, in case there are several. Raises ArchError if the project has no such network.
    """
    if project not in rules.projects():
        help = did_you_mean(project, rules.projects()) or f"there are {', '.join(rules.projects())}"
        raise catalog.USAGE.error(None, f"no naming is called `{project}`", help=help)
    given = parts(open_source(model, "model"))
    found = [each for every in given for each in networks(every, project)]
    if not found:
        tensors = max((each.tensors for each in given), key=len)
        others = [each for each in rules.projects() if any(name for every in given for name in networks(every, each))]
        help = f"there are names for it in {listed(others)}" if others else "it has no other names than ours"
        raise catalog.NAMING.error(None, f"{project} has no names for a network with {some(tensors, FEW)}", help=help)
    chosen = decide(found if part is None else parts_named(found, part, PYTHON), PYTHON)
    if not all(each.is_meta for each in chosen.tensors.values()):  # names may be asked for before there are numbers
        check(Given(name, each, name.endswith(f".{COUNTER}"), 0) for name, each in chosen.tensors.items())
    try:
        return chosen.plan.theirs(chosen.tensors)
    except Misshapen as error:
        help = f"give tensors of the shapes that the spec has, and counters (`{COUNTER}`) of one number"
        raise catalog.UNFIT.error(None, str(error), help=help) from None


def networks(part: CheckpointPart, project: str) -> Iterator[NamedNetwork]:
    """Networks in a part that a project has names for."""
    for prefix in main_prefixes(part.tensors):
        tensors = tensors_below(part.tensors, prefix)
        if found := naming(project, tensors):
            yield NamedNetwork((*part.path, prefix) if prefix else part.path, tensors, found)


def naming(project: str, state: Mapping[str, Tensor]) -> Plan | None:
    """Plan by which a project names a state dict of ours, or None."""
    for scheme in rules.schemes(project):
        if all(key in state for key in scheme.ours) and (found := reverse_plan(scheme, state)):
            return found
    return None
