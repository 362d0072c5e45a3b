"""What loading weights did, and what is in its way."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import NamedTuple

from archdsl.errors import ArchError, Diagnostic, catalog, listed

FEW = 8
"""So many keys of a kind are named in a message."""


class Report(NamedTuple):
    """What became of each key: `str()` tells it in a few lines.

    `mapped` has our keys for each of theirs; `changed` those whose tensor is not simply the same (fused, swapped,
    reshaped); `adapted` and `fresh` say what was fitted to another number of input channels, and what kept the
    model's own weights, as the number of classes differs; `left_out` are keys of theirs that the model has no place for
    (its classifier, its auxiliary outputs); `started` counters that the source does not have, set to 0.
    """

    scheme: str
    wrappers: tuple[str, ...] = ()
    mapped: dict[str, tuple[str, ...]] = {}  # noqa: RUF012 (a tuple's default, never changed)
    changed: tuple[str, ...] = ()
    adapted: dict[str, str] = {}  # noqa: RUF012
    fresh: dict[str, str] = {}  # noqa: RUF012
    left_out: tuple[str, ...] = ()
    started: tuple[str, ...] = ()

    def __str__(self) -> str:
        lines = [f"{len(self.mapped)} tensors, named as by {self.scheme}"]
        if self.wrappers:
            lines.append(f"taken off: {listed(self.wrappers)}")
        lines += [f"adapted: {key}, {why}" for key, why in self.adapted.items()]
        lines += [f"left fresh: {key}, {why}" for key, why in self.fresh.items()]
        if self.left_out:
            lines.append(f"left out: {some(self.left_out)}")
        if self.started:
            lines.append(f"started from 0: {some(self.started)}")
        return "\n".join(lines)


class Misfits(NamedTuple):
    """What keeps weights from fitting."""

    scheme: str
    missing: Collection[str] = ()
    left_over: Collection[str] = ()
    misshapen: Collection[str] = ()
    """Sentences: which tensor has which shape, and should have which."""

    def error(self, help: str = "") -> ArchError:
        """The exception that lists them."""
        return ArchError(list(self.findings(help)))

    def findings(self, help: str) -> Iterable[Diagnostic]:
        """A finding for each kind."""
        kinds = (
            (self.missing, "the network has, and the source does not:"),
            (self.left_over, "the source has, and the network does not:"),
            (self.misshapen, "of another shape:"),
        )
        told = [f"{what} {some(found)}" for found, what in kinds if found]
        for index, label in enumerate(told):
            last = index == len(told) - 1
            yield catalog.UNFIT.at(None, f"{label} (named as by {self.scheme})", help=help if last else "")


def some(keys: Collection[str], few: int = FEW) -> str:
    """The first of some keys, and how many more there are."""
    first = list(keys)[:few]
    more = len(keys) - len(first)
    return ", ".join(first) + (f" and {more:,} more" if more else "")
