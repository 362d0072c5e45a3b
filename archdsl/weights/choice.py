"""Which part of a checkpoint is the network's: all that may be are tried, and the one that fits is taken.

A part is a dict with tensors, or what of it stands below one beginning of names, as a backbone in a detector. Several
may fit; one is preferred by its name (`wrappers.yaml`), or they are equal, or the user has to say which.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeVar

from archdsl.diagnostics import ArchError, catalog, listed
from archdsl.weights import rules
from archdsl.weights.adapt import HEAD, Fitted, TargetModel, fit, module, section
from archdsl.weights.assignment import COUNTER, Plan, identity, plan
from archdsl.weights.copying import given, strange
from archdsl.weights.report import Caller, Misfits, clipped, some
from archdsl.weights.transforms import Misshapen
from archdsl.weights.unwrap import CheckpointPart, beginnings, below, parts, unlifted, unread

if TYPE_CHECKING:
    from torch import Tensor

OUTERMOST = "the outermost names"
"""What a path is called that has no parts."""
AUXILIARY = "aux"
"""What the sections of outputs for training are called, by convention."""
FEW = 3
"""So many keys of an unknown naming are shown."""
ENOUGH = 4
"""One in so many names of a network has to be known before they are called those of a naming."""
MOST = 64
"""Maximum number of places that are tried, in a part and in all."""


class Place(Protocol):
    """Tensors, and the path to them in a checkpoint: keys of dicts, then the beginning of their names."""

    @property
    def path(self) -> tuple[str, ...]: ...
    @property
    def tensors(self) -> Mapping[str, Tensor]: ...


Placed = TypeVar("Placed", bound=Place)


class Candidate(NamedTuple):
    """A part of a checkpoint that has names of the network's, and the plan by which they are read."""

    path: tuple[str, ...]
    tensors: dict[str, Tensor]
    """Under the names that the plan has."""
    plan: Plan
    prefix: str
    """What their names begin with in the checkpoint."""
    beside: tuple[str, ...]
    """The names of the part that begin otherwise."""


class Candidacy(NamedTuple):
    """What comes of a candidate: its tensors as the network takes them, or why they do not fit."""

    candidate: Candidate
    fitted: Fitted
    left_out: tuple[str, ...]
    beside: tuple[str, ...]
    misfits: Misfits

    @property
    def path(self) -> tuple[str, ...]:
        """The path of the candidate."""
        return self.candidate.path

    @property
    def tensors(self) -> dict[str, Tensor]:
        """The tensors of the candidate that the network has."""
        held = self.candidate.tensors
        return {move.theirs: held[move.theirs] for move in self.candidate.plan.moves}


def choose(
    source: Mapping[str, Any], network: TargetModel, head: str, part: str | None, caller: Caller
) -> tuple[Candidacy, dict[str, str]]:
    """The place of a checkpoint that fits a network, and the others, with the reasons why they were passed over.

    Raises ArchError where none fits, or several do and there is no telling which is meant.
    """
    found = parts(source)
    known = (each for each in candidates(found, network) if ENOUGH * len(each.plan.moves) >= len(network.state))
    likely = list(islice(known, MOST + 1) if part is None else known)
    if not likely:
        raise unknown(max((each.tensors for each in found), key=len), network)
    if part is not None:
        likely = named(likely, part, caller)
    if len(likely) > MOST:
        raise several([each.path for each in likely], "hold names of the network's", caller)
    tried = [attempt(each, network, head) for each in likely]
    fitting = [each for each in tried if not each.misfits]
    if not fitting:
        best = max(tried, key=lambda each: len(each.candidate.plan.moves))
        raise best.misfits.error(way_out(best, head, caller))
    taken = decide(fitting, caller)
    return taken, passed_over(source, taken, tried) if part is None else {}


def passed_over(source: Mapping[str, Any], taken: Candidacy, tried: list[Candidacy]) -> dict[str, str]:
    """The places that might be meant and were not taken, and why."""
    others = (each for each in tried if each.path != taken.path)
    found = {dotted(each.path) or OUTERMOST: next(each.misfits.labels(), "it fits, too") for each in others}
    return found | dict.fromkeys(unread(source, [each.path for each in tried]), "it holds no such network")


# ---- where a network may stand -------------------------------------------------------------------------------------


def candidates(found: Iterable[CheckpointPart], network: TargetModel) -> Iterator[Candidate]:
    """All places of a checkpoint where names of a network's stand, each with the plan that fits best."""
    schemes = usable(network)
    for part in found:
        own = list(within(part, network, schemes))
        yield from own
        rest = unlifted(part.tensors)
        if rest is not None and not any(len(each.plan.moves) == len(network.state) for each in own):
            yield from map(as_lifted, within(part._replace(tensors=rest), network, schemes))


def as_lifted(candidate: Candidate) -> Candidate:
    """A candidate whose names were as timm's `features_only` makes them."""
    return candidate._replace(plan=candidate.plan._replace(scheme=f"{candidate.plan.scheme}, by `features_only`"))


def within(part: CheckpointPart, network: TargetModel, schemes: list[rules.Scheme]) -> Iterator[Candidate]:
    """The places in one part."""
    for prefix in places(part, network, schemes)[:MOST]:
        held = below(part.tensors, prefix)
        best = recognize(held, network)
        if best is not None:
            path = (*part.path, prefix) if prefix else part.path
            others = tuple(name for name in part.tensors if not name.startswith(prefix))
            yield Candidate(path, held, best, prefix, others + part.others)


def places(part: CheckpointPart, network: TargetModel, schemes: list[rules.Scheme]) -> list[str]:
    """The beginnings of names in a part that a network may stand below."""
    counters = f".{COUNTER}"
    ours = {key for key in network.state if not key.endswith(counters)}
    told = {key for scheme in schemes for key in scheme.theirs}
    before = beginnings(part.tensors, ours | told)
    found = likely({prefix: len(names & ours) for prefix, names in before.items()}, len(ours))
    for scheme in schemes:
        keys = set(scheme.theirs)
        found += likely({prefix: len(names & keys) for prefix, names in before.items()}, len(keys))
    return list(dict.fromkeys(found))


def likely(counts: Mapping[str, int], complete: int) -> list[str]:
    """The beginnings that most of the names stand behind; of those that are not complete, the outermost."""
    most = max(counts.values(), default=0)
    found = [prefix for prefix, count in counts.items() if count == most > 0]
    if most == complete:
        return found
    known = set(found)
    return [each for each in found if known.isdisjoint(outside(each))]


def outside(prefix: str) -> Iterator[str]:
    """The beginnings of a beginning of names, from none on."""
    start = 0
    while start < len(prefix):
        yield prefix[:start]
        start = prefix.index(".", start) + 1


def usable(network: TargetModel) -> list[rules.Scheme]:
    """The schemes that a network's names may be of."""
    return [
        scheme
        for project in rules.projects()
        for scheme in rules.own_schemes(project)
        if all(key in network.state for key in scheme.ours)
    ]


def recognize(theirs: Mapping[str, Tensor], network: TargetModel) -> Plan | None:
    """The plan of the naming that fits best, if one does; ours goes first."""
    found = [identity(theirs, network.state)]
    if 2 * len(found[0].moves) < len(theirs):
        schemes = (scheme for scheme in usable(network) if any(key in theirs for key in scheme.theirs))
        found += [plan(scheme, theirs, network.state) for scheme in schemes]
    best = max(found, key=lambda each: len(each.moves))
    return best if best.moves else None


def unknown(theirs: Mapping[str, Tensor], network: TargetModel) -> ArchError:
    """The error of names that lead nowhere."""
    label = f"the source has {some(theirs, FEW)}, the network {some(network.state, FEW)}"
    help = f"rename its keys as ours, or as those of {', '.join(rules.projects())} for networks of that family"
    return catalog.NAMING.error(None, label, help=help)


# ---- whether it fits -----------------------------------------------------------------------------------------------


def attempt(candidate: Candidate, network: TargetModel, head: str) -> Candidacy:
    """A candidate, fitted to a network."""
    found = candidate.plan
    left_out = set(spare(found, network, head))
    others = [key for key in foreign(found) if key not in left_out]
    left_over = [key for key in found.left_over if key not in left_out and key not in set(others)]
    out = tuple(key for key in found.left_over if key in left_out)
    beside = (*(candidate.prefix + key for key in others), *candidate.beside)
    odd = of_strange_kinds(candidate, network)
    try:
        fitted = UNFITTED if odd else fit(network, found.ours(candidate.tensors), head)
    except Misshapen as error:
        fitted = UNFITTED._replace(missing=found.missing, misshapen={"": str(error)})
    misfits = Misfits(found.scheme, fitted.missing, left_over, tuple(fitted.misshapen.values()), odd)
    return Candidacy(candidate, fitted, out, beside, misfits)


UNFITTED = Fitted({}, {}, {}, (), (), {})


def of_strange_kinds(candidate: Candidate, network: TargetModel) -> dict[str, str]:
    """What is said of tensors that no network can be filled from, before anything is done with them."""
    return strange(
        given(candidate.prefix + move.theirs, candidate.tensors[move.theirs], [network.state[key] for key in move.ours])
        for move in candidate.plan.moves
    )


def spare(found: Plan, network: TargetModel, head: str) -> Iterator[str]:
    """The keys of theirs that a model may do without: the classifier, if it has none, and auxiliary outputs."""
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
    """The modules that a tensor is in, the innermost first."""
    while name := module(name):
        yield name


def foreign(found: Plan) -> Iterator[str]:
    """The keys of another part of a larger network: no rule leads from them, and no module of the network's has them.

    In our own naming any section may be the network's, so none is another part.
    """
    if found.scheme == "archdsl":
        return
    own = {section(move.theirs) for move in found.moves}
    yield from (key for key, ours in found.left_over.items() if not ours and section(key) not in own)


def way_out(trial: Candidacy, head: str, caller: Caller) -> str:
    """What to do about weights that do not fit."""
    found = trial.misfits
    leads = {trial.candidate.plan.left_over[key] or key for key in found.left_over}
    if all(section(key) == HEAD for key in (*found.missing, *trial.fitted.misshapen, *leads)):
        how = caller.adapt if head == "strict" and not found.missing else caller.optional
        return f"{how} leaves the classifier as it is"
    return caller.edited


# ---- which of several ----------------------------------------------------------------------------------------------


def decide(fitting: list[Placed], caller: Caller) -> Placed:
    """The one of several places that all fit; raises ArchError where they differ and none is preferred."""
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
    raise several([kind[0].path for kind in kinds], "fit, and differ", caller)


def several(paths: list[tuple[str, ...]], what: str, caller: Caller) -> ArchError:
    """The error of places that are not chosen from."""
    names = [clipped(dotted(path)) for path in paths]
    help = f"say which, as {caller.part.format(next(name for name in names if name))}"
    label = f"{listed(name or OUTERMOST for name in names[:FEW])} {what}"
    more = f"; there are {len(names) - FEW:,} more" if len(names) > FEW else ""
    return catalog.SEVERAL.error(None, label + more, help=help)


def equal(one: Mapping[str, Tensor], other: Mapping[str, Tensor]) -> bool:
    """Whether two places hold the same numbers under the same names."""
    return one.keys() == other.keys() and all(same(tensor, other[key]) for key, tensor in one.items())


def same(one: Tensor, other: Tensor) -> bool:
    """Whether two tensors are the same to the last number."""
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
    """Whether a preference is for one place over another, and none the other way round."""
    return leans(one.path, other.path) and not leans(other.path, one.path)


def leans(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    """Whether a preference is for a path over another, by the words that only one of them has."""
    mine, theirs = words(one), words(other)
    only, others = {"", *(mine - theirs)}, {"", *(theirs - mine)}
    return any(first in only and last in others for first, last in rules.content("wrappers")["preferences"])


def words(path: Iterable[str]) -> set[str]:
    """The words of a path."""
    return {word.lower() for each in path for word in re.split(r"[._]", each)}


def dotted(path: Iterable[str]) -> str:
    """A path as the user writes it."""
    return ".".join(each.strip(".") for each in path)


def named(found: list[Placed], part: str, caller: Caller) -> list[Placed]:
    """The places whose paths hold the one that a user names."""
    asked = f".{part.strip('.')}."
    chosen = [each for each in found if asked in f".{dotted(each.path)}."]
    if not chosen:
        names = dict.fromkeys(clipped(dotted(each.path)) for each in found if each.path)
        help = f"there are {listed(list(names)[:FEW])}" if names else "the source is the network alone"
        label = f"{caller.part.format(clipped(part))}: no such part of the source has names of the network's"
        raise catalog.USAGE.error(None, label, help=help)
    return chosen
