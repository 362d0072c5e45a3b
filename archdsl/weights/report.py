"""What loading weights did, and what is in its way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import NamedTuple

from archdsl.diagnostics import ArchError, Diagnostic, catalog, listed

FEW = 8
"""Maximum number of keys of a kind that a message names."""
LONGEST = 100
"""Maximum length of a key in a message."""


class Report(NamedTuple):
    """What became of each key: `str()` tells it in a few lines.

    `wrappers` is where the network stood in the source: dicts, then the beginning of its names. `mapped` has our keys
    for each of theirs; `changed` those whose tensor is not simply the same (fused, swapped, reshaped); `adapted` and
    `fresh` say what was fitted to another number of input channels, and what kept the model's own weights, as the
    number of classes differs; `left_out` are keys of theirs that the model has no place for (its classifier, its
    auxiliary outputs); `started` counters that the source does not have, set to 0. `beside` are the names of what
    stands beside the network, as in a detector; `passed_over` are other parts of the source that may be meant, with
    the reason why they were not taken. `not_finite` says of keys of ours how many of their numbers are NaN or
    infinite.
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
        if self.wrappers:
            lines.append(f"taken off: {listed(map(clipped, self.wrappers))}")
        lines += [f"passed over: {clipped(name)} ({why})" for name, why in self.passed_over.items()]
        lines += [f"adapted: {clipped(key)}, {why}" for key, why in self.adapted.items()]
        lines += [f"left fresh: {clipped(key)}, {why}" for key, why in self.fresh.items()]
        if self.left_out:
            lines.append(f"left out: {some(self.left_out)}")
        if self.beside:
            lines.append(f"beside the network, not read: {some(list(groups(self.beside, self.wrappers)))}")
        if self.started:
            lines.append(f"started from 0: {some(self.started)}")
        lines += warned(self.not_finite)
        return "\n".join(lines)


def warned(not_finite: Mapping[str, str]) -> Iterator[str]:
    """The lines about numbers that are not finite."""
    for key, why in list(not_finite.items())[:FEW]:
        yield f"warning: {clipped(key)} is not finite: {why}"
    if len(not_finite) > FEW:
        yield f"warning: {len(not_finite) - FEW:,} more tensors are not finite"


class Caller(NamedTuple):
    """How a caller writes what may help: `optional` and `adapt` for the classifier, `part` for a part of the source.

    `edited` is what to do about weights of another network.
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
    """What keeps weights from fitting."""

    scheme: str
    missing: Collection[str] = ()
    left_over: Collection[str] = ()
    misshapen: Collection[str] = ()
    """Sentences: which tensor has which shape, and should have which."""
    strange: Mapping[str, str] = {}
    """Sentences: which tensors are of a kind that no network is filled from; each with what to do about them."""

    def __bool__(self) -> bool:
        return bool(self.missing or self.left_over or self.misshapen or self.strange)

    def error(self, help: str = "") -> ArchError:
        """The exception that lists them."""
        return ArchError(list(self.findings(help)))

    def labels(self) -> Iterator[str]:
        """A sentence for each kind."""
        kinds = (
            (self.missing, "the network has, and the source does not:"),
            (self.left_over, "the source has, and the network does not:"),
            (self.misshapen, "of another shape:"),
        )
        yield from (f"{what} {some(found)}" for found, what in kinds if found)
        yield from self.strange

    def findings(self, help: str) -> Iterable[Diagnostic]:
        """A finding for each kind."""
        yield from (catalog.UNFIT.at(None, label, help=way) for label, way in self.strange.items())
        labels = [label for label in self.labels() if label not in self.strange]
        for index, label in enumerate(labels):
            last = index == len(labels) - 1
            yield catalog.UNFIT.at(None, f"{label} (named as by {self.scheme})", help=help if last else "")


def some(keys: Collection[str], few: int = FEW) -> str:
    """The first of some keys, and how many more there are."""
    first = [clipped(key) for key in list(keys)[:few]]
    more = len(keys) - len(first)
    return ", ".join(first) + (f" and {more:,} more" if more else "")


def clipped(key: str) -> str:
    """A key as messages show it: its beginning and its end, where it is too long to be read."""
    return key if len(key) <= LONGEST else f"{key[: LONGEST // 2]}...{key[-LONGEST // 4 :]} ({len(key):,} characters)"


def groups(names: Iterable[str], path: tuple[str, ...]) -> Iterator[str]:
    """Names by the module that parts from the path to the network, with their number where there are several."""
    inner = path[-1] if path else ""
    for module, count in Counter(parting(name, inner) for name in names).items():
        yield f"{clipped(module)} ({count:,})" if count > 1 else clipped(module)


def parting(name: str, prefix: str) -> str:
    """The beginning of a name, up to the first module that a prefix does not have."""
    mine, other = name.split("."), prefix.split(".")
    level = next((level for level, each in enumerate(mine) if [each] != other[level : level + 1]), len(mine))
    return ".".join(mine[: level + 1])
