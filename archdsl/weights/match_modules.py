"""Which place of an edited network is which place of the one before, by the names and shapes of their tensors."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping

Shape = tuple[int, ...]
Content = frozenset[tuple[str, Shape]]


class Tree:
    """The names of tensors as a tree of modules: for each path the names below it."""

    def __init__(self, shapes: Mapping[str, Shape]) -> None:
        self.shapes = shapes
        self.below: defaultdict[str, dict[str, None]] = defaultdict(dict)
        """The children of each module, in order; the network itself is the empty path."""
        for name in shapes:
            self.enter(name)

    def enter(self, name: str) -> None:
        """Enters a tensor, and the modules above it that are not known yet."""
        while True:
            path, _, last = name.rpartition(".")
            known = path in self.below
            self.below[path][last] = None
            if known or not path:
                return
            name = path

    def children(self, path: str) -> dict[str, None]:
        """The names right below a module; none below a tensor."""
        return self.below.get(path, {})

    def content(self, path: str) -> dict[str, Shape]:
        """All tensors below a module, by their names from there."""
        found: dict[str, Shape] = {}
        stack = [path]
        while stack:
            here = stack.pop()
            if here in self.shapes:
                found[here[len(path) + 1 :]] = self.shapes[here]
            stack += [join(here, name) for name in self.children(here)]
        return found


def join(path: str, name: str) -> str:
    """The path of a child."""
    return f"{path}.{name}" if path else name


def correspondence(old: Tree, new: Tree) -> dict[str, str]:
    """For each tensor of `new` whose place `old` has, the name there; their shapes may differ."""
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
    """The sections that have another name: what is gone and what has come are equal, and nothing else is."""
    return [(gone[0], come[0]) for gone, come in twins(old, new) if len(gone) == len(come) == 1]


def twins(old: Tree, new: Tree) -> list[tuple[list[str], list[str]]]:
    """The sections that are gone and those that have come, those together that are equal in all names and shapes."""
    groups: defaultdict[Content, tuple[list[str], list[str]]] = defaultdict(lambda: ([], []))
    for side, (mine, other) in enumerate([(old, new), (new, old)]):
        for name in mine.children(""):
            if name not in other.children(""):
                groups[frozenset(mine.content(name).items())][side].append(name)
    return [group for group in groups.values() if all(group)]


# ---- a block and the first of a row --------------------------------------------------------------------------------


def moved_beside(old: Tree, new: Tree, before: str, after: str) -> list[tuple[str, str]]:
    """A block of a chain that has become the first of a row, or was it: `c2.osa` and `c2.0`."""
    mine, theirs = old.children(before), new.children(after)
    gone = [name for name in mine if name not in theirs]
    come = [name for name in theirs if name not in mine]
    if not ((len(gone) == 1 and row(come)) or (len(come) == 1 and row(gone))):
        return []
    pair = join(before, "0" if row(gone) else gone[0]), join(after, "0" if row(come) else come[0])
    return [pair] if alike(old, new, *pair) else []


def moved_in(old: Tree, new: Tree, before: str, after: str) -> tuple[str, str] | None:
    """The same where the block bears the name of a parameter: `csp.body` and `csp.body.0`."""
    mine, theirs = old.children(before), new.children(after)
    if not mine or not theirs or row(mine) == row(theirs):
        return None
    pair = (before, join(after, "0")) if row(theirs) else (join(before, "0"), after)
    return pair if alike(old, new, *pair) else None


def row(names: Collection[str]) -> bool:
    """Whether the names are those of a row's modules."""
    return "0" in names and all(name.isdecimal() for name in names)


def alike(old: Tree, new: Tree, before: str, after: str) -> bool:
    """Whether two blocks have a tensor in common, by its name in them and its shape."""
    return bool(old.content(before).items() & new.content(after).items())
