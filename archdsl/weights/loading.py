"""Load weights of any known naming into a model, and export them under another project's names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, get_args

from archdsl.diagnostics import ArchError, catalog, did_you_mean, listed
from archdsl.weights import rules
from archdsl.weights.assignment import HEAD, Fitted, Plan, TargetModel, fit_shapes, identity, plan, reverse_plan
from archdsl.weights.copying import Given, Pair, check, check_network, given_tensor, refused, write
from archdsl.weights.files import open_source, open_target
from archdsl.weights.places import (
    OUTERMOST,
    CheckpointPart,
    ambiguous,
    decide,
    dotted,
    likely,
    main_prefixes,
    parts,
    parts_named,
    prefixes,
    tensors_below,
    unlifted,
    unread,
)
from archdsl.weights.report import COUNTER, PYTHON, Caller, Misfits, Report, module, section, some
from archdsl.weights.rules import Misshapen

if TYPE_CHECKING:
    from torch import Tensor, nn

    from archdsl.weights.files import Source

Head = Literal["adapt", "strict", "optional"]
# Number of keys in a message.
FEW = 3
# Prefix of the sections of outputs for training, by convention.
AUXILIARY = "aux"
# A naming counts as recognized if it gives at least one in this many names of the network.
ENOUGH = 4
# Maximum number of places to try, within a part and in all.
MOST = 64


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
    check_network(network.own)
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
    pairs = {key: Pair(tensor, fitted.state[key]) for key, tensor in network.own.items() if key not in fitted.fresh}
    return write(pairs)


def inspect(model: nn.Module | Mapping[str, Any]) -> TargetModel:
    """Tensors of a model or of its state dict; with those that a model was cut from, without numbers."""
    import torch

    state = open_target(model, "model")
    cut: dict[str, tuple[int, ...]] = {} if isinstance(model, Mapping) else getattr(model, "cut_weights", {})
    types = {True: torch.int64, False: torch.get_default_dtype()}
    absent = {key: torch.empty(cut[key], dtype=types[key.endswith(COUNTER)], device="meta") for key in cut}
    return TargetModel(state | absent, section(next(iter(state))), frozenset(absent))


# ---- the place that fits -------------------------------------------------------------------------------------------


class Candidate(NamedTuple):
    """Part of a checkpoint with names of the network's.

    `tensors` are named as in `plan`; `prefix` comes before these names in the checkpoint, `beside` are its other
    names.
    """

    path: tuple[str, ...]
    tensors: dict[str, Tensor]
    plan: Plan
    prefix: str = ""
    beside: tuple[str, ...] = ()


class Candidacy(NamedTuple):
    """Result of fitting a candidate: its tensors as the network takes them, or the misfits."""

    candidate: Candidate
    fitted: Fitted
    left_out: tuple[str, ...]
    beside: tuple[str, ...]
    misfits: Misfits

    @property
    def path(self) -> tuple[str, ...]:
        """Path of the candidate."""
        return self.candidate.path

    @property
    def tensors(self) -> dict[str, Tensor]:
        """Tensors of the candidate that the network has."""
        held = self.candidate.tensors
        return {move.theirs: held[move.theirs] for move in self.candidate.plan.moves}


def choose(
    source: Mapping[str, Any], network: TargetModel, head: str, part: str | None, caller: Caller
) -> tuple[Candidacy, dict[str, str]]:
    """Place of a checkpoint that fits a network, and the places passed over, with reasons.

    Raises ArchError if none fits, or if several do and nothing tells which is meant.
    """
    found = parts(source)
    known = (
        each
        for each in candidates(found, network)
        if ENOUGH * len(each.plan.moves) >= len(network.state) - len(network.cut)
    )
    likely = list(islice(known, MOST + 1) if part is None else known)
    if not likely:
        raise unknown(max((each.tensors for each in found), key=len), network)
    if part is not None:
        likely = parts_named(likely, part, caller)
    if len(likely) > MOST:
        raise ambiguous([each.path for each in likely], "hold names of the network's", caller)
    tried = [attempt(each, network, head) for each in likely]
    fitting = [each for each in tried if not each.misfits]
    if not fitting:
        best = max(tried, key=lambda each: len(each.candidate.plan.moves))
        raise best.misfits.error(way_out(best, head, caller))
    taken = decide(fitting, caller)
    return taken, passed_over(source, taken, tried) if part is None else {}


def passed_over(source: Mapping[str, Any], taken: Candidacy, tried: list[Candidacy]) -> dict[str, str]:
    """Places that may be meant and were not taken, with reasons."""
    others = (each for each in tried if each.path != taken.path)
    found = {dotted(each.path) or OUTERMOST: next(iter(each.misfits.labels()), "it fits, too") for each in others}
    return found | dict.fromkeys(unread(source, [each.path for each in tried]), "it holds no such network")


# ---- where a network may stand -------------------------------------------------------------------------------------


def candidates(found: Iterable[CheckpointPart], network: TargetModel) -> Iterator[Candidate]:
    """Places of a checkpoint with names of the network's, each with the plan that fits best."""
    schemes = usable(network)
    for part in found:
        own = list(within(part, network, schemes))
        yield from own
        rest = unlifted(part.tensors)
        if rest is not None and not any(len(each.plan.moves) == len(network.state) for each in own):
            yield from map(as_lifted, within(part._replace(tensors=rest), network, schemes))


def as_lifted(candidate: Candidate) -> Candidate:
    """Candidate whose names were changed by timm's `features_only`."""
    return candidate._replace(plan=candidate.plan._replace(scheme=f"{candidate.plan.scheme}, by `features_only`"))


def within(part: CheckpointPart, network: TargetModel, schemes: list[rules.Scheme]) -> Iterator[Candidate]:
    """Candidates of one part."""
    for prefix in places(part, network, schemes)[:MOST]:
        held = tensors_below(part.tensors, prefix)
        best = recognize(held, network)
        if best is not None:
            path = (*part.path, prefix) if prefix else part.path
            others = tuple(name for name in part.tensors if not name.startswith(prefix))
            yield Candidate(path, held, best, prefix, others + part.others)


def places(part: CheckpointPart, network: TargetModel, schemes: list[rules.Scheme]) -> list[str]:
    """Prefixes in a part that the network may stand below."""
    # Counters are missing in old checkpoints, so they are not evidence.
    counters = f".{COUNTER}"
    ours = {key for key in network.state if not key.endswith(counters)}
    told = {key for scheme in schemes for key in scheme.theirs}
    before = prefixes(part.tensors, ours | told)
    found = likely({prefix: len(names & ours) for prefix, names in before.items()}, len(ours))
    for scheme in schemes:
        keys = set(scheme.theirs)
        found += likely({prefix: len(names & keys) for prefix, names in before.items()}, len(keys))
    return list(dict.fromkeys(found))


def usable(network: TargetModel) -> list[rules.Scheme]:
    """Schemes that apply to the network."""
    return [
        scheme
        for project in rules.projects()
        for scheme in rules.own_schemes(project)
        if all(key in network.state for key in scheme.ours)
    ]


def recognize(theirs: Mapping[str, Tensor], network: TargetModel) -> Plan | None:
    """Plan of the naming that fits best, or None; ours comes first."""
    found = [identity(theirs, network.state)]
    if 2 * len(found[0].moves) < len(theirs):
        schemes = (scheme for scheme in usable(network) if any(key in theirs for key in scheme.theirs))
        found += [plan(scheme, theirs, network.state) for scheme in schemes]
    best = max(found, key=lambda each: len(each.moves))
    return best if best.moves else None


def unknown(theirs: Mapping[str, Tensor], network: TargetModel) -> ArchError:
    """Error of an unknown naming."""
    label = f"the source has {some(theirs, FEW)}, the network {some(network.state, FEW)}"
    help = f"rename its keys as ours, or as those of {', '.join(rules.projects())} for networks of that family"
    return catalog.NAMING.error(None, label, help=help)


# ---- whether it fits -----------------------------------------------------------------------------------------------


UNFITTED = Fitted({}, {}, {}, (), (), {})


def attempt(candidate: Candidate, network: TargetModel, head: str) -> Candidacy:
    """Fit a candidate to a network."""
    found = candidate.plan
    left_out = set(optional_keys(found, network, head))
    others = [key for key in beside_keys(found) if key not in left_out]
    left_over = [key for key in found.left_over if key not in left_out and key not in set(others)]
    out = tuple(key for key in found.left_over if key in left_out)
    beside = (*(candidate.prefix + key for key in others), *candidate.beside)
    # Before any arithmetic, which quantized or sparse tensors would fail in odd ways.
    odd = refused_tensors(candidate, network)
    try:
        fitted = UNFITTED if odd else fit_shapes(network, found.ours(candidate.tensors), head)
    except Misshapen as error:
        fitted = UNFITTED._replace(missing=found.missing, misshapen={"": str(error)})
    misfits = Misfits(found.scheme, fitted.missing, left_over, tuple(fitted.misshapen.values()), odd)
    return Candidacy(candidate, fitted, out, beside, misfits)


def refused_tensors(candidate: Candidate, network: TargetModel) -> dict[str, str]:
    """Sentences on tensors of kinds that no network can be filled from."""
    return refused(
        given_tensor(
            candidate.prefix + move.theirs, candidate.tensors[move.theirs], [network.state[key] for key in move.ours]
        )
        for move in candidate.plan.moves
    )


def optional_keys(found: Plan, network: TargetModel, head: str) -> Iterator[str]:
    """Keys of theirs that the network can do without: a classifier that it lacks, and auxiliary outputs."""
    sections, modules = {section(key) for key in network.state}, {module(key) for key in network.state}
    taken = {module(key) for move in found.moves for key in move.ours}
    classifier = head != "strict" and not any(section(key) == HEAD for key in found.missing)
    for key, ours in found.left_over.items():
        if section(ours) == HEAD:
            replaced = head == "optional" and not any(each in taken for each in above(ours))
            if replaced or (classifier and module(ours) not in modules):
                yield key
        elif section(ours).startswith(AUXILIARY) and section(ours) not in sections:
            yield key


def above(name: str) -> Iterator[str]:
    """Modules that a tensor is in, innermost first."""
    while name := module(name):
        yield name


def beside_keys(found: Plan) -> Iterator[str]:
    """Keys of another part of a larger network: no rule and no section of the network's matches them."""
    # In our own naming any section may be the network's.
    if found.own:
        return
    own = {section(move.theirs) for move in found.moves}
    yield from (key for key, ours in found.left_over.items() if not ours and section(key) not in own)


def way_out(trial: Candidacy, head: str, caller: Caller) -> str:
    """Help for weights that do not fit."""
    found = trial.misfits
    leads = {trial.candidate.plan.left_over[key] or key for key in found.left_over}
    if all(section(key) == HEAD for key in (*found.missing, *trial.fitted.misshapen, *leads)):
        how = caller.adapt if head == "strict" and not found.missing else caller.optional
        return f"{how} leaves the classifier as it is"
    return caller.edited


# ---- and back ------------------------------------------------------------------------------------------------------


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


def networks(part: CheckpointPart, project: str) -> Iterator[Candidate]:
    """Networks in a part that a project has names for."""
    for prefix in main_prefixes(part.tensors):
        tensors = tensors_below(part.tensors, prefix)
        if found := naming(project, tensors):
            yield Candidate((*part.path, prefix) if prefix else part.path, tensors, found)


def naming(project: str, state: Mapping[str, Tensor]) -> Plan | None:
    """Plan by which a project names a state dict of ours, or None."""
    for scheme in rules.schemes(project):
        if all(key in state for key in scheme.ours) and (found := reverse_plan(scheme, state)):
            return found
    return None
