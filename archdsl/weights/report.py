"""Reports of loading and of transfers, and the sentences on misfits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import accumulate
from typing import Literal, NamedTuple

from archdsl.diagnostics import ArchError, catalog, listed

# Number of keys of a kind that a message names.
FEW = 8
# Counter of a batch norm. It is a number, so of one shape everywhere, and no evidence of anything.
COUNTER = "num_batches_tracked"
# Longest key that a message shows in full.
LONGEST = 100


class Report(NamedTuple):
    """Report of loading by key; `str()` gives it in a few lines.

    `wrappers` is the path of the network in the source: dicts, then a prefix of names. `mapped` has our keys for
    each of theirs; `changed` those whose tensor is not simply the same (fused, swapped, reshaped); `adapted` and
    `fresh` say what was fitted to another number of input channels, and what kept the model's own weights, as the
    number of classes differs; `left_out` are keys of theirs that the model has no place for (its classifier, its
    auxiliary outputs); `started` counters that the source lacks, set to 0. `beside` are names beside the network,
    as in a detector; `passed_over` are other parts of the source that may be meant, with the reason why they were
    not taken. `not_finite` counts the NaN and infinite values under keys of ours.
    """

    scheme: str
    wrappers: tuple[str, ...] = ()
    mapped: dict[str, tuple[str, ...]] = {}  # noqa: RUF012 (a tuple's default, never changed)
    changed: tuple[str, ...] = ()
    adapted: dict[str, str] = {}  # noqa: RUF012
    fresh: dict[str, str] = {}  # noqa: RUF012
    left_out: tuple[str, ...] = ()
    started: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()
    passed_over: dict[str, str] = {}  # noqa: RUF012
    not_finite: dict[str, str] = {}  # noqa: RUF012

    def __str__(self) -> str:
        lines = [f"{len(self.mapped)} tensors, named as by {self.scheme}"]
        lines += around_lines(self.wrappers)
        lines += [f"passed over: {clipped(name)} ({why})" for name, why in self.passed_over.items()]
        lines += [f"adapted: {clipped(key)}, {why}" for key, why in self.adapted.items()]
        lines += [f"left fresh: {clipped(key)}, {why}" for key, why in self.fresh.items()]
        if self.left_out:
            lines.append(f"left out: {some(self.left_out)}")
        lines += beside_lines(self.wrappers, self.beside)
        if self.started:
            lines.append(f"started from 0: {some(self.started)}")
        lines += not_finite_lines(self.not_finite)
        return "\n".join(lines)


def around_lines(path: tuple[str, ...]) -> list[str]:
    """Line on what stands around a network in its source."""
    return [f"taken off: {listed(map(clipped, path))}"] if path else []


def beside_lines(path: tuple[str, ...], beside: Collection[str]) -> list[str]:
    """Line on what stands beside a network in its source."""
    return [f"beside the network, not read: {some(list(groups(beside, path)))}"] if beside else []


def not_finite_lines(not_finite: Mapping[str, str]) -> Iterator[str]:
    """Lines on values that are not finite."""
    for key, why in list(not_finite.items())[:FEW]:
        yield f"warning: {clipped(key)} is not finite: {why}"
    if len(not_finite) > FEW:
        yield f"warning: {len(not_finite) - FEW:,} more tensors are not finite"


class Caller(NamedTuple):
    """Spelling of the options in helps: `optional` and `adapt` for the classifier, `part` for a part of the source.

    `edited` is the help for weights of another network.
    """

    optional: str
    adapt: str
    part: str
    edited: str


PYTHON = Caller(
    'head="optional"',
    'head="adapt"',
    '`part="{}"`',
    "if they are of another version of the spec: `archdsl.transfer_weights(old, new)`, where `old` is the network that "
    "they fit",
)


class Misfits(NamedTuple):
    """Reasons why weights do not fit.

    `missing` and `left_over` are keys, `misshapen` sentences on shapes, `strange` sentences on tensors of kinds
    that no network is filled from, each with its help.
    """

    scheme: str
    missing: Collection[str] = ()
    left_over: Collection[str] = ()
    misshapen: Collection[str] = ()
    strange: Mapping[str, str] = {}

    def __bool__(self) -> bool:
        return bool(self.missing or self.left_over or self.misshapen or self.strange)

    def by_name(self) -> list[str]:
        """Sentences on keys and shapes, one for each kind."""
        kinds = (
            (self.missing, "the network has, and the source does not:"),
            (self.left_over, "the source has, and the network does not:"),
            (self.misshapen, "of another shape:"),
        )
        return [f"{label} {some(found)}" for found, label in kinds if found]

    def labels(self) -> list[str]:
        """All sentences."""
        return [*self.by_name(), *self.strange]

    def error(self, help: str = "") -> ArchError:
        """Error with a finding for each sentence; the last one on names has the help."""
        labels = [f"{label} (named as by {self.scheme})" for label in self.by_name()]
        helps = [""] * (len(labels) - 1) + [help]
        return ArchError(
            [catalog.UNFIT.at(None, label, help=way) for label, way in self.strange.items()]
            + [catalog.UNFIT.at(None, label, help=way) for label, way in zip(labels, helps, strict=False)]
        )


def section(key: str) -> str:
    """Section or stage that a tensor is in."""
    return key.partition(".")[0]


def module(key: str) -> str:
    """Module that a tensor is in."""
    return key.rpartition(".")[0]


def shape(sizes: Sequence[int]) -> str:
    """Shape, as messages show it."""
    return "x".join(map(str, sizes)) or "a single number"


def some(keys: Collection[str], few: int = FEW) -> str:
    """First of some keys, and the number of the others."""
    first = [clipped(key) for key in list(keys)[:few]]
    more = len(keys) - len(first)
    return ", ".join(first) + (f" and {more:,} more" if more else "")


def clipped(key: str) -> str:
    """Key as messages show it, the middle of a long one left out."""
    return key if len(key) <= LONGEST else f"{key[: LONGEST // 2]}...{key[-LONGEST // 4 :]} ({len(key):,} characters)"


def groups(names: Iterable[str], path: tuple[str, ...]) -> Iterator[str]:
    """Names by the module that branches off the path to the network, with a count."""
    inner = path[-1] if path else ""
    for module, count in Counter(branching_prefix(name, inner) for name in names).items():
        yield f"{clipped(module)} ({count:,})" if count > 1 else clipped(module)


def branching_prefix(name: str, prefix: str) -> str:
    """Prefix of a name up to the first module that differs from another prefix."""
    mine, other = name.split("."), prefix.split(".")
    level = next((level for level, each in enumerate(mine) if [each] != other[level : level + 1]), len(mine))
    return ".".join(mine[: level + 1])


# ---- summary of a transfer -----------------------------------------------------------------------------------------


class Left(NamedTuple):
    """Reason a tensor was not carried over: `absent` on the other side, of another `shape`, or `ambiguous`."""

    reason: Literal["absent", "shape", "ambiguous"]
    detail: str = ""


class SectionSummary(NamedTuple):
    """Tensors of one section by what became of them."""

    kept: dict[str, str]
    fresh: dict[str, Left]
    dropped: dict[str, Left]

    def lines(self, name: str, width: int) -> Iterator[str]:
        """Counts of the section, then everything that was not kept."""
        counts = [(len(self.kept), "kept"), (len(self.fresh), "new"), (len(self.dropped), "dropped")]
        told = ", ".join(f"{count:,} {word}" for count, word in counts if count)
        others = dict.fromkeys(section(source) for source in self.kept.values())
        origin = "".join(f", from {clipped(other)}" for other in others if other != name)
        yield f"  {clipped(name):<{width}}  {told}{origin}"
        yield from shown("new", self.fresh, self.kept, {"absent", "ambiguous"})
        yield from shown("dropped", self.dropped, self.kept.values(), {"absent"})
        yield from shown("of another shape", self.fresh, self.kept, {"shape"})


def summary(kept: Mapping[str, str], fresh: Mapping[str, Left], dropped: Mapping[str, Left]) -> str:
    """Report of a transfer, section by section."""
    lines = [f"{len(kept):,} of {len(kept) + len(fresh):,} tensors kept, {len(fresh):,} new, {len(dropped):,} dropped"]
    sections = {section(name): SectionSummary({}, {}, {}) for name in (*kept, *fresh, *dropped)}
    for name, source in kept.items():
        sections[section(name)].kept[name] = source
    for name, left in fresh.items():
        sections[section(name)].fresh[name] = left
    for name, left in dropped.items():
        sections[section(name)].dropped[name] = left
    width = max((len(clipped(name)) for name in sections), default=0)
    return "\n".join([*lines, *(line for name, each in sections.items() for line in each.lines(name, width))])


def shown(kind: str, left: Mapping[str, Left], kept: Iterable[str], reasons: set[str]) -> Iterator[str]:
    """Lines of one kind: the largest modules that were left as a whole, and single tensors."""
    found = list(lost_modules({name: each.reason for name, each in left.items()}, kept).items())
    lines = [line(path, names, left) for (path, reason), names in found if reason in reasons]
    yield from (f"    {kind}: {each}" for each in lines[:FEW])
    if len(lines) > FEW:
        yield f"    {kind}: {len(lines) - FEW:,} more such places"


def line(path: str, names: list[str], left: Mapping[str, Left]) -> str:
    """Module or tensor, with the reason."""
    reason, detail = left[names[0]]
    if len(names) == 1:
        return clipped(names[0]) + (f" ({detail})" if detail else "")
    return f"{clipped(path)} ({len(names):,} tensors{f'; {detail}' if reason == 'ambiguous' else ''})"


def lost_modules(left: Mapping[str, str], kept: Iterable[str]) -> dict[tuple[str, str], list[str]]:
    """Largest modules all of whose tensors were left for the same reason, with these tensors."""
    rest = (name for name in kept if not name.endswith(COUNTER))
    held: Counter[str] = Counter(path for name in (*left, *rest) for path in paths(name))
    lost: Counter[tuple[str, str]] = Counter((path, reason) for name, reason in left.items() for path in paths(name))
    found: dict[tuple[str, str], list[str]] = {}
    for name, reason in left.items():
        top = next(path for path in paths(name) if lost[path, reason] == held[path])
        found.setdefault((top, reason), []).append(name)
    return found


def paths(name: str) -> Iterator[str]:
    """Modules that a tensor is in, outermost first, and its own name."""
    return accumulate(name.split("."), lambda path, part: f"{path}.{part}")
