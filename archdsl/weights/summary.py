"""The report of a transfer: for each section what was kept, what is new and what was dropped, and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import accumulate

from archdsl.weights.report import clipped

MOST = 8
"""So many lines of a kind are shown of a section."""

COUNTER = "num_batches_tracked"
"""What a norm counts in: a number, so of one shape everywhere, and no sign that the norm was kept."""

Reason = tuple[str, str]
"""Why a tensor was left, in a word, and what is to be said of it alone."""


def summary(kept: Mapping[str, str], fresh: Mapping[str, Reason], dropped: Mapping[str, Reason]) -> str:
    """The whole report."""
    lines = [f"{len(kept):,} of {len(kept) + len(fresh):,} tensors kept, {len(fresh):,} new, {len(dropped):,} dropped"]
    parts = {name: SectionSummary(name) for name in dict.fromkeys(section(name) for name in (*kept, *fresh, *dropped))}
    for name, source in kept.items():
        parts[section(name)].kept[name] = source
    for name, reason in fresh.items():
        parts[section(name)].fresh[name] = reason
    for name, reason in dropped.items():
        parts[section(name)].dropped[name] = reason
    width = max((len(clipped(name)) for name in parts), default=0)
    return "\n".join([*lines, *(line for part in parts.values() for line in part.lines(width))])


def section(name: str) -> str:
    """The section or stage that a tensor is in."""
    return name.partition(".")[0]


class SectionSummary:
    """What became of one section."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.kept: dict[str, str] = {}
        self.fresh: dict[str, Reason] = {}
        self.dropped: dict[str, Reason] = {}

    def lines(self, width: int) -> Iterator[str]:
        """The section's numbers, then what was not kept."""
        counts = [(len(self.kept), "kept"), (len(self.fresh), "new"), (len(self.dropped), "dropped")]
        told = ", ".join(f"{count:,} {word}" for count, word in counts if count)
        others = dict.fromkeys(section(source) for source in self.kept.values())
        origin = "".join(f", from {clipped(other)}" for other in others if other != self.name)
        yield f"  {clipped(self.name):<{width}}  {told}{origin}"
        yield from shown("new", self.fresh, self.kept, {"absent", "ambiguous"})
        yield from shown("dropped", self.dropped, self.kept.values(), {"absent"})
        yield from shown("of another shape", self.fresh, self.kept, {"shape"})


def shown(kind: str, left: Mapping[str, Reason], kept: Iterable[str], reasons: set[str]) -> Iterator[str]:
    """The lines of one kind: the largest modules that were left as a whole, and single tensors."""
    found = list(groups({name: reason[0] for name, reason in left.items()}, kept).items())
    lines = [line(path, names, left) for (path, reason), names in found if reason in reasons]
    yield from (f"    {kind}: {each}" for each in lines[:MOST])
    if len(lines) > MOST:
        yield f"    {kind}: {len(lines) - MOST:,} more such places"


def line(path: str, names: list[str], left: Mapping[str, Reason]) -> str:
    """A module or tensor, and what there is to say of it."""
    reason, detail = left[names[0]]
    if len(names) == 1:
        return clipped(names[0]) + (f" ({detail})" if detail else "")
    return f"{clipped(path)} ({len(names):,} tensors{f'; {detail}' if reason == 'ambiguous' else ''})"


def groups(left: Mapping[str, str], kept: Iterable[str]) -> dict[tuple[str, str], list[str]]:
    """The largest modules all of whose tensors were left for the same reason, with these."""
    rest = (name for name in kept if not name.endswith(COUNTER))
    held: Counter[str] = Counter(path for name in (*left, *rest) for path in paths(name))
    lost: Counter[tuple[str, str]] = Counter((path, reason) for name, reason in left.items() for path in paths(name))
    found: dict[tuple[str, str], list[str]] = {}
    for name, reason in left.items():
        top = next(path for path in paths(name) if lost[path, reason] == held[path])
        found.setdefault((top, reason), []).append(name)
    return found


def paths(name: str) -> Iterator[str]:
    """The modules that a tensor is in, from the section down, and its own name."""
    return accumulate(name.split("."), lambda path, part: f"{path}.{part}")
