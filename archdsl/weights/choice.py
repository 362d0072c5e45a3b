"""Choose the part of a checkpoint that is the network: try every place with its names, and take the one that fits.

A place is a dict with tensors, or the tensors below a prefix in it, as a backbone in a detector. If several fit, one is
preferred by its path (`wrappers.yaml`), or they are equal, or the user has to say which.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeVar

from archdsl.diagnostics import ArchError, catalog, listed
from archdsl.weights import rules
from archdsl.weights.assignment import HEAD, Fitted, Plan, TargetModel, fit_shapes, identity, plan
from archdsl.weights.copying import given_tensor, refused
from archdsl.weights.report import COUNTER, Caller, Misfits, clipped, module, section, some
from archdsl.weights.rules import Misshapen
from archdsl.weights.unwrap import CheckpointPart, parts, prefixes, tensors_below, unlifted, unread

if TYPE_CHECKING:
    from torch import Tensor

# Name of the empty path in messages.
OUTERMOST = "the outermost names"
# Prefix of the sections of outputs for training, by convention.
AUXILIARY = "aux"
# Number of keys of an unknown naming, and of places, in a message.
FEW = 3
# A naming counts as recognized if it gives at least one in this many names of the network.
ENOUGH = 4
# Maximum number of places to try, within a part and in all.
MOST = 64


class Place(Protocol):
    """Tensors, and the path to them: keys of dicts, then a prefix of names."""

    @property
    def path(self) -> tuple[str, ...]: ...
    @property
    def tensors(self) -> Mapping[str, Tensor]: ...


Placed = TypeVar("Placed", bound=Place)


class Candidate(NamedTuple):
    """Part of a checkpoint with names of the network's.

    `tensors` are named as in `plan`; `prefix` comes before these names in the checkpoint, `beside` are its other
    names.
    """

    path: tuple[str, ...]
    tensors: dict[str, Tensor]
    plan: Plan
    prefix: str
    beside: tuple[str, ...]


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
    known = (each for each in candidates(found, network) if ENOUGH * len(each.plan.moves) >= len(network.state))
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


UNFITTED = Fitted({}, {}, {}, (), (), {})


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


# ---- which of several ----------------------------------------------------------------------------------------------


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
    label = f"{listed(name or OUTERMOST for name in names[:FEW])} {what}"
    more = f"; there are {len(names) - FEW:,} more" if len(names) > FEW else ""
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
    return any(first in only and last in others for first, last in rules.content("wrappers")["preferences"])


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
        help = f"there are {listed(list(names)[:FEW])}" if names else "the source is the network alone"
        label = f"{caller.part.format(clipped(part))}: no such part of the source has names of the network's"
        raise catalog.USAGE.error(None, label, help=help)
    return chosen
