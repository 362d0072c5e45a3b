"""Trees that a picture shows: layers in series and in parallel, and how those of a block's variants become one.

A tree belongs to one or several *owners*: the variants of a block that one card shows, or a section. Each part knows
how often each owner runs it, so that a part that some owners lack, or run less often than what is around it, is drawn
dashed; and each number is known by owner, so that it can be written once, given a letter, or be listed in a table.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from archdsl.backends.pictures.flow import Names
from archdsl.graph import Scope
from archdsl.op import Op

if TYPE_CHECKING:
    from archdsl.backends.pictures.model import Card

Times = Mapping[Scope, int]
"""Number of runs of a part in one run of each owner."""


class Place(NamedTuple):
    """Module at a part of the tree: its owner, the owner's runs of it, and its scope."""

    owner: Scope
    runs: int
    scope: Scope


@dataclass(frozen=True)
class Site:
    """An op in the tree: all its places, and hints for names of its numbers."""

    places: tuple[Place, ...]
    names: Names

    @property
    def op(self) -> Op | None:
        """Op of the first place; None for a chain that is nested too deeply to be shown."""
        return self.places[0].scope.op

    @property
    def name(self) -> str:
        """Name of the op."""
        return self.op.name if self.op else "chain"


@dataclass(frozen=True)
class Tree:
    """Part of a picture."""

    times: Times

    @cached_property
    def form(self) -> Any:
        """The part without its numbers; trees of one form differ in numbers only."""
        raise NotImplementedError

    def zipped(self, others: Sequence[Any]) -> Tree:
        """This tree with the places of others of the same form."""
        raise NotImplementedError

    def boxes(self) -> int:
        """Number of boxes that it is drawn with."""
        return 1

    def below(self) -> tuple[Tree, ...]:
        """Parts of the part."""
        return ()

    def walk(self) -> Iterator[Tree]:
        """All parts, this one first."""
        yield self
        for part in self.below():
            yield from part.walk()


@dataclass(frozen=True)
class Layer(Tree):
    """Ops in a row that share a box."""

    ops: tuple[Site, ...]

    @cached_property
    def form(self) -> Any:
        return "layer", tuple(site.name for site in self.ops)

    def zipped(self, others: Sequence[Layer]) -> Layer:
        return Layer(summed([self, *others]), tuple(zip_sites(each) for each in transposed(self, others, "ops")))


@dataclass(frozen=True)
class Reference(Tree):
    """Block that has a card of its own."""

    card: Card
    places: tuple[Place, ...]

    @cached_property
    def form(self) -> Any:
        return "card", id(self.card)

    def zipped(self, others: Sequence[Reference]) -> Reference:
        places = tuple(place for each in (self, *others) for place in each.places)
        return Reference(summed([self, *others]), self.card, places)


@dataclass(frozen=True)
class Pick(Tree):
    """One tensor of a list, by its place in it."""

    index: int
    channels: tuple[tuple[Scope, int], ...]

    @cached_property
    def form(self) -> Any:
        return "pick", self.index

    def zipped(self, others: Sequence[Pick]) -> Pick:
        channels = tuple(number for each in (self, *others) for number in each.channels)
        return Pick(summed([self, *others]), self.index, channels)

    def boxes(self) -> int:
        return 0


@dataclass(frozen=True)
class Input(Tree):
    """One of several tensors that a block takes."""

    name: str

    @cached_property
    def form(self) -> Any:
        return "input", self.name

    def zipped(self, others: Sequence[Input]) -> Input:
        return replace(self, times=summed([self, *others]))

    def boxes(self) -> int:
        return 0


@dataclass(frozen=True)
class Series(Tree):
    """Parts one after the other; none is a plain line."""

    items: tuple[Tree, ...]

    @cached_property
    def form(self) -> Any:
        return "series", tuple(item.form for item in self.items)

    def below(self) -> tuple[Tree, ...]:
        return self.items

    def zipped(self, others: Sequence[Series]) -> Series:
        return Series(summed([self, *others]), tuple(map(zip_trees, transposed(self, others, "items"))))

    def boxes(self) -> int:
        return sum(item.boxes() for item in self.items)


@dataclass(frozen=True)
class Parallel(Tree):
    """Branches from one tensor, and the op that joins them (None where they stay apart).

    The branches of an `open` concat go on, side by side, into the concat behind it.
    """

    join: Site | None
    branches: tuple[Series, ...]
    open: bool = False

    @cached_property
    def form(self) -> Any:
        return "parallel", self.join and self.join.name, self.open, tuple(branch.form for branch in self.branches)

    def below(self) -> tuple[Tree, ...]:
        return self.branches

    def zipped(self, others: Sequence[Parallel]) -> Parallel:
        join = self.join and zip_sites([self.join, *(cast("Site", each.join) for each in others)])
        branches = tuple(cast("Series", zip_trees(each)) for each in transposed(self, others, "branches"))
        return Parallel(summed([self, *others]), join, branches, self.open)

    def boxes(self) -> int:
        return sum(branch.boxes() for branch in self.branches)


@dataclass(frozen=True)
class Repeat(Tree):
    """Row of modules, `counts` of them for each owner; with `collects`, the list of their outputs."""

    body: Series
    counts: tuple[tuple[Scope, int], ...]
    collects: bool = False

    @cached_property
    def form(self) -> Any:
        return "collect" if self.collects else "repeat", self.body.form

    def below(self) -> tuple[Tree, ...]:
        return (self.body,)

    def zipped(self, others: Sequence[Repeat]) -> Repeat:
        body = cast("Series", zip_trees([self.body, *(each.body for each in others)]))
        counts = tuple(count for each in (self, *others) for count in each.counts)
        return Repeat(summed([self, *others]), body, counts, self.collects)

    def boxes(self) -> int:
        return 3 + self.body.boxes()


@dataclass(frozen=True)
class Frame(Tree):
    """Small block, drawn in place under its name."""

    name: str
    body: Series

    @cached_property
    def form(self) -> Any:
        return "frame", self.name, self.body.form

    def below(self) -> tuple[Tree, ...]:
        return (self.body,)

    def zipped(self, others: Sequence[Frame]) -> Frame:
        body = cast("Series", zip_trees([self.body, *(each.body for each in others)]))
        return Frame(summed([self, *others]), self.name, body)

    def boxes(self) -> int:
        return self.body.boxes()


@dataclass(frozen=True)
class Web(Tree):
    """Parts whose edges cross: `sources` has the numbers of the parts that each reads, -1 for what comes in."""

    parts: tuple[Tree, ...]
    sources: tuple[tuple[int, ...], ...]
    results: tuple[int, ...]

    @cached_property
    def form(self) -> Any:
        return "web", self.sources, self.results, tuple(part.form for part in self.parts)

    def below(self) -> tuple[Tree, ...]:
        return self.parts

    def zipped(self, others: Sequence[Web]) -> Web:
        return replace(
            self, times=summed([self, *others]), parts=tuple(map(zip_trees, transposed(self, others, "parts")))
        )

    def boxes(self) -> int:
        return sum(part.boxes() for part in self.parts)


# ---- several trees as one ------------------------------------------------------------------------------------------


def summed(trees: Iterable[Tree]) -> Times:
    """Runs of several parts together."""
    found: dict[Scope, int] = {}
    for tree in trees:
        for owner, runs in tree.times.items():
            found[owner] = found.get(owner, 0) + runs
    return found


def transposed(tree: Tree, others: Sequence[Tree], field: str) -> list[list[Any]]:
    """Parts of trees of one form, by their position."""
    return [list(each) for each in zip(*(getattr(each, field) for each in (tree, *others)), strict=True)]


def zip_trees(trees: Sequence[Tree]) -> Tree:
    """One tree of several of the same form."""
    return trees[0].zipped(trees[1:]) if len(trees) > 1 else trees[0]


def zip_sites(sites: Sequence[Site]) -> Site:
    """One site of several."""
    return Site(tuple(place for site in sites for place in site.places), sites[0].names)


def merged(trees: Sequence[Series]) -> Series | None:
    """One tree of several; None if they differ in more than parts that some lack."""
    by_form: dict[Any, list[Series]] = {}
    for tree in trees:
        by_form.setdefault(tree.form, []).append(tree)
    groups = [cast("Series", zip_trees(group)) for group in by_form.values()]
    groups.sort(key=lambda each: -sum(1 for _ in each.walk()))
    found: Series | None = groups[0]
    for other in groups[1:]:
        found = found and series_of_both(found, other)
    return found


def series_of_both(rich: Series, other: Series) -> Series | None:
    """A series with the parts of a poorer one; the parts that it lacks keep their own times."""
    times = summed([rich, other])
    if rich.form == other.form:
        return rich.zipped([other])
    if len(rich.items) == len(other.items):
        pairs = [pair_of_both(one, two) for one, two in zip(rich.items, other.items, strict=True)]
        if all(pairs):
            return Series(times, tuple(cast("Tree", each) for each in pairs))
    for one, two in ((rich, other), (other, rich)):
        if items := with_gaps(one.items, two.items) or with_bypass(one, two):
            return Series(times, items)
    return None


def with_gaps(rich: Sequence[Tree], other: Sequence[Tree]) -> tuple[Tree, ...] | None:
    """Items of a series, each with its counterpart in another that lacks some of them."""
    found: list[Tree] = []
    at = 0
    for item in rich:
        both = pair_of_both(item, other[at]) if at < len(other) and len(other) - at <= len(rich) - len(found) else None
        found.append(both or item)
        at += both is not None
    return tuple(found) if at == len(other) and len(other) < len(rich) else None


def with_bypass(rich: Series, other: Series) -> tuple[Tree, ...] | None:
    """Items of a series, one of which goes around what the other has in its place: a residual that is left out."""
    for at, item in enumerate(rich.items):
        if not isinstance(item, Parallel) or not any(not branch.items for branch in item.branches):
            continue
        behind = len(rich.items) - at - 1
        inner = other.items[at : len(other.items) - behind]
        outer = [*other.items[:at], *other.items[len(other.items) - behind :]]
        around = [*rich.items[:at], *rich.items[at + 1 :]]
        if len(outer) != len(around):
            continue
        sides = [pair_of_both(one, two) for one, two in zip(around, outer, strict=True)]
        sizes = [branch.boxes() for branch in item.branches]
        main = sizes.index(max(sizes))
        body = series_of_both(item.branches[main], Series(other.times, inner))
        if body is not None and all(sides):
            branches = tuple(body if each == main else branch for each, branch in enumerate(item.branches))
            whole = [cast("Tree", side) for side in sides]
            return (*whole[:at], replace(item, branches=branches), *whole[at:])
    return None


def pair_of_both(one: Tree, other: Tree) -> Tree | None:
    """One part of two that stand in the same place; None if they are too different."""
    if one.form == other.form:
        return one.zipped([other])
    if isinstance(one, Repeat) and not isinstance(other, Repeat):
        single = Repeat(other.times, Series(other.times, (other,)), tuple((owner, 1) for owner in other.times))
        return None if one.collects else pair_of_both(one, single)
    if isinstance(other, Repeat) and not isinstance(one, Repeat):
        return pair_of_both(other, one)
    if isinstance(one, Repeat) and isinstance(other, Repeat) and one.collects == other.collects:
        body = merged([one.body, other.body])
        return body and Repeat(summed([one, other]), body, one.counts + other.counts, one.collects)
    if isinstance(one, Frame) and isinstance(other, Frame) and one.name == other.name:
        body = merged([one.body, other.body])
        return body and Frame(summed([one, other]), one.name, body)
    if isinstance(one, Parallel) and isinstance(other, Parallel) and len(one.branches) == len(other.branches):
        return parallel_of_both(one, other)
    return None


def parallel_of_both(one: Parallel, other: Parallel) -> Parallel | None:
    """One fork of two with the same join, branch by branch."""
    if (one.join and one.join.name) != (other.join and other.join.name) or one.open != other.open:
        return None
    branches = [merged(pair) for pair in zip(one.branches, other.branches, strict=True)]
    join = one.join and zip_sites([one.join, cast("Site", other.join)])
    if not all(branches):
        return None
    return Parallel(summed([one, other]), join, tuple(cast("Series", each) for each in branches), one.open)
