"""Carry weights over edits of a spec: everything that keeps its place and its shape is copied.

A place is a tensor's path: stage, block, op. Two moves are followed, as they are unambiguous: a section with another
name that is otherwise equal to exactly one that is gone; and a block that becomes the first of a repeat, or was it
(`osa(...)` and `2 * osa(...)`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

from archdsl.diagnostics import catalog
from archdsl.weights.copying import Pair, check, check_network, given_tensor, uninitialized, write
from archdsl.weights.files import open_source, open_target
from archdsl.weights.places import (
    CheckpointPart,
    built_tensors,
    decide,
    likely,
    main_prefixes,
    parts,
    parts_named,
    prefixes,
    tensors_below,
)
from archdsl.weights.report import (
    PYTHON,
    Left,
    around_lines,
    beside_lines,
    clipped,
    not_finite_lines,
    section,
    shape,
    summary,
)

if TYPE_CHECKING:
    from torch import Tensor, nn

    from archdsl.weights.files import Source


ABSENT = Left("absent")


class Transfer(NamedTuple):
    """Report of a transfer by tensor; `str()` gives it section by section.

    `kept`: the new network's names, each with the old one's. `fresh`: tensors of the new network that start anew.
    `dropped`: tensors of the old one without a place. `wrappers`: the path of the old one in the source.
    `not_finite` counts the NaN and infinite values under names of the new network. `beside` are names beside the old
    network in its source, as of a detector, which are not read.
    """

    kept: dict[str, str]
    fresh: dict[str, Left]
    dropped: dict[str, Left]
    wrappers: tuple[str, ...] = ()
    not_finite: dict[str, str] = {}  # noqa: RUF012 (a tuple's default, never changed)
    beside: tuple[str, ...] = ()

    def __str__(self) -> str:
        around = [*around_lines(self.wrappers), *beside_lines(self.wrappers, self.beside)]
        return "\n".join([summary(self.kept, self.fresh, self.dropped), *around, *not_finite_lines(self.not_finite)])


def transfer_weights(
    from_model: Source, to_model: nn.Module | Mapping[str, Tensor], *, part: str | None = None
) -> Transfer:
    """Copy the weights of a network into one whose spec was edited, wherever place and shape still match.

    `from_model` is a module that archdsl built, its state dict, or the path of a file or folder; `part` says where
    the network is in it, in case there are several. `to_model` is a module or its state dict; only the tensors that
    are kept change, and they keep their dtype and device. Raises ArchError if one of the two holds no weights.
    """
    new = open_target(to_model, "to_model")
    old = origin(from_model, new, part)
    for name, side in (("from_model", old.tensors), ("to_model", new)):
        if empty := [key for key, value in side.items() if uninitialized(value) or value.is_meta]:
            label = f"`{clipped(empty[0])}` of `{name}` is on the meta device, or waits for its shape: it has no values"
            raise catalog.NO_WEIGHTS.error(None, label, help='build it without `torch.device("meta")`')
    done = plan(*({name: tuple(each.shape) for name, each in side.items()} for side in (old.tensors, new)))
    not_finite = copy_kept(done.kept, old.tensors, new)
    return done._replace(wrappers=old.path, not_finite=not_finite, beside=old.others)


def copy_kept(kept: Mapping[str, str], old: Mapping[str, Tensor], new: Mapping[str, Tensor]) -> dict[str, str]:
    """Copy the kept tensors, all of them or none; return those that are not finite. Raises ArchError."""
    check_network(new)
    check(given_tensor(source, old[source], [new[name]]) for name, source in kept.items())
    return write({name: Pair(new[name], old[source]) for name, source in kept.items()})


def origin(source: Source, new: Mapping[str, Tensor], part: str | None) -> CheckpointPart:
    """Old network in the source: the place with the most names of the new one."""
    held = parts(open_source(source, "from_model"))
    found = [each for every in held for each in places(every, new)]
    if part is not None:
        chosen = {each.path for each in parts_named([place for _, place in found], part, PYTHON)}
        found = [(count, place) for count, place in found if place.path in chosen]
    if not found:
        largest = max(held, key=lambda each: len(each.tensors))
        return CheckpointPart(largest.path, built_tensors(largest.tensors), largest.others)
    most = max(count for count, _ in found)
    return decide([place for count, place in found if count == most], PYTHON)


def places(held: CheckpointPart, new: Mapping[str, Tensor]) -> Iterator[tuple[int, CheckpointPart]]:
    """Places in a part with names of the new network, and how many: below the prefixes of most names on either side."""
    counts = {prefix: len(names) for prefix, names in prefixes(held.tensors, new).items()}
    most = [prefix for prefix in likely(counts, len(new)) if 1 < counts[prefix] >= len(new) / 2]
    for prefix in dict.fromkeys([*main_prefixes(held.tensors), *most]):
        path = (*held.path, prefix) if prefix else held.path
        if count := counts.get(prefix):
            others = tuple(name for name in held.tensors if not name.startswith(prefix))
            yield count, CheckpointPart(path, tensors_below(held.tensors, prefix), others + held.others)


# ---- the plan ------------------------------------------------------------------------------------------------------


def plan(old: Mapping[str, tuple[int, ...]], new: Mapping[str, tuple[int, ...]]) -> Transfer:
    """Transfer between networks of given shapes."""
    before, after = Tree(old), Tree(new)
    places = correspondence(before, after)
    kept = {name: places[name] for name in new if name in places and old[places[name]] == new[name]}
    changed = {name: Left("shape", f"{shape(old[of])} before, {shape(new[name])} now") for name, of in places.items()}
    gone = {places[name]: why for name, why in changed.items()}
    doubts = dict(doubtful(before, after))
    used = set(kept.values())
    fresh = {name: changed.get(name) or doubts.get(section(name), ABSENT) for name in new if name not in kept}
    dropped = {name: gone.get(name, ABSENT) for name in old if name not in used}
    return Transfer(kept, fresh, dropped)


def doubtful(old: Tree, new: Tree) -> Iterator[tuple[str, Left]]:
    """New sections that may be one of several that are gone, or share one with others."""
    for gone, come in twins(old, new):
        if len(gone) > 1 or len(come) > 1:
            yield from ((name, Left("ambiguous", f"this may be {' or '.join(map(clipped, gone))}")) for name in come)


# ---- matching modules by name and shape ----------------------------------------------------------------------------

# Names and shapes below a module.
Shape = tuple[int, ...]
Content = frozenset[tuple[str, Shape]]


class Tree:
    """Names of tensors as a tree of modules: the names below each path."""

    def __init__(self, shapes: Mapping[str, Shape]) -> None:
        self.shapes = shapes
        # Children of each module, in order; the network itself is the empty path.
        self.below: defaultdict[str, dict[str, None]] = defaultdict(dict)
        for name in shapes:
            self.enter(name)

    def enter(self, name: str) -> None:
        """Add a tensor, and the modules above it."""
        while True:
            path, _, last = name.rpartition(".")
            known = path in self.below
            self.below[path][last] = None
            if known or not path:
                return
            name = path

    def children(self, path: str) -> dict[str, None]:
        """Names directly below a module; none below a tensor."""
        return self.below.get(path, {})

    def content(self, path: str) -> dict[str, Shape]:
        """Tensors below a module, by their names relative to it."""
        found: dict[str, Shape] = {}
        stack = [path]
        while stack:
            here = stack.pop()
            if here in self.shapes:
                found[here[len(path) + 1 :]] = self.shapes[here]
            stack += [join(here, name) for name in self.children(here)]
        return found


def join(path: str, name: str) -> str:
    """Path of a child."""
    return f"{path}.{name}" if path else name


def correspondence(old: Tree, new: Tree) -> dict[str, str]:
    """Match tensors of `new` to those of `old` by place; shapes may differ."""
    found: dict[str, str] = {}
    pairs = [("", "")]
    while pairs:
        before, after = pairs.pop()
        if before in old.shapes and after in new.shapes:
            found[after] = before
        if first := moved_in(old, new, before, after):
            pairs.append(first)
            continue
        both = old.children(before).keys() & new.children(after).keys()
        pairs += [(join(before, name), join(after, name)) for name in both]
        pairs += renamed(old, new) if (before, after) == ("", "") else moved_beside(old, new, before, after)
    return found


# ---- sections with another name ------------------------------------------------------------------------------------


def renamed(old: Tree, new: Tree) -> list[tuple[str, str]]:
    """Sections that were renamed: one that is gone and one that is new are equal, and no other is."""
    return [(gone[0], come[0]) for gone, come in twins(old, new) if len(gone) == len(come) == 1]


def twins(old: Tree, new: Tree) -> list[tuple[list[str], list[str]]]:
    """Sections that are gone and sections that are new, grouped by equal names and shapes."""
    groups: defaultdict[Content, tuple[list[str], list[str]]] = defaultdict(lambda: ([], []))
    for side, (mine, other) in enumerate([(old, new), (new, old)]):
        for name in mine.children(""):
            if name not in other.children(""):
                groups[frozenset(mine.content(name).items())][side].append(name)
    return [group for group in groups.values() if all(group)]


# ---- a block and the first of a row --------------------------------------------------------------------------------


def moved_beside(old: Tree, new: Tree, before: str, after: str) -> list[tuple[str, str]]:
    """Block that became the first of a repeat, or was it: `c2.osa` and `c2.0`."""
    mine, theirs = old.children(before), new.children(after)
    gone = [name for name in mine if name not in theirs]
    come = [name for name in theirs if name not in mine]
    if not ((len(gone) == 1 and is_repeat(come)) or (len(come) == 1 and is_repeat(gone))):
        return []
    pair = join(before, "0" if is_repeat(gone) else gone[0]), join(after, "0" if is_repeat(come) else come[0])
    return [pair] if shares_tensor(old, new, *pair) else []


def moved_in(old: Tree, new: Tree, before: str, after: str) -> tuple[str, str] | None:
    """The same for a block that bears the name of a parameter: `csp.body` and `csp.body.0`."""
    mine, theirs = old.children(before), new.children(after)
    if not mine or not theirs or is_repeat(mine) == is_repeat(theirs):
        return None
    pair = (before, join(after, "0")) if is_repeat(theirs) else (join(before, "0"), after)
    return pair if shares_tensor(old, new, *pair) else None


def is_repeat(names: Collection[str]) -> bool:
    """Tell the names of a repeat."""
    return "0" in names and all(name.isdecimal() for name in names)


def shares_tensor(old: Tree, new: Tree, before: str, after: str) -> bool:
    """Tell whether two blocks share a tensor, by name and shape."""
    return bool(old.content(before).items() & new.content(after).items())
