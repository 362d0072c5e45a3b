"""Modules that earlier elaborations have worked out: the networks of a family have most of theirs in common.

A module is the same where its block says the same, meets the same shapes, and where the settings say the same to all
that asks them in it: its ops, its blocks, and the policies. It is taken over only where working it out here could not
fail: where its levels fit, where the work that it stands for is within the limits (and is counted as if it were done
here), and where it leaves no mark in a body around it. So what an elaboration comes to with known modules, it comes to
without them: the same figures. Places are another matter, as a module stands in the text that it was first met in; so
whatever is told to people is worked out without (`driver.checking`, `driver.compiling.counted`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from archdsl.elaborate.budget import FREE, MOST_LEVELS, Budget, Cost
from archdsl.elaborate.values import Said, SettingEntry, SettingKey, Settings, Use
from archdsl.graph import Scope
from archdsl.syntax.scopes import Target

if TYPE_CHECKING:
    from archdsl.graph import Totals
    from archdsl.op import Op, Shapes

# So many are kept. Then all are forgotten: what comes next is more like what came last than like what came first.
MOST_MODULES = 10_000
# So many numbers of equal things are kept, for the same reason.
MOST_KEYS = 20 * MOST_MODULES
# So many are kept before anything is said of their use.
FIRST = 200
# So many are checked before anything is said of that.
FIRST_TEXTS = 8
# So many are kept that differ in their settings only.
MOST_ALIKE = 8


# A setting of a `with`: what it sets, and the key of its value.
Place = tuple[SettingKey, int]


class Marks(NamedTuple):
    """The marks that elaborating a part leaves beside its scope; a memo of the part keeps them.

    `declared` are the settings of each `with` that was met, and `effective` those that an op or a block took up.
    Other elaborations (`known`) need the rest: `asked` are the targets that asked for settings; `cost` and `levels`
    are those of the part with nothing worked out before; `bodies` are the tokens of the bodies around it in which it
    left its mark.
    """

    asked: frozenset[Target | None] = frozenset()
    declared: tuple[tuple[Place, SettingEntry], ...] = ()
    effective: frozenset[Place] = frozenset()
    cost: Cost = FREE
    levels: int = 0
    bodies: frozenset[int] = frozenset()


UNMARKED = Marks()


class Built(NamedTuple):
    """A scope; what was found, in it and below, in the settings in force around it; and the marks that it leaves."""

    scope: Scope
    used: frozenset[SettingKey]
    marks: Marks = UNMARKED


class Module(NamedTuple):
    """The settings around a block, and the module that it was there."""

    settings: Settings
    built: Built


class Keys(dict[tuple[Any, ...], int]):
    """Numbers that are equal for equal things, given as they are first asked for."""

    def __missing__(self, parts: tuple[Any, ...]) -> int:
        number = self[parts] = len(self)
        return number


class ScopeCache:
    """The cache of many elaborations, one after the other. Each thread has its own."""

    def __init__(self) -> None:
        self.texts = 0
        # The number of texts checked with this cache, and of those without findings.
        self.clean = 0
        self.forget()

    def forget(self) -> None:
        """Begin anew. Never within an elaboration: its numbers for equal things are those of `keys`."""
        self.keys = Keys()
        self.ops: dict[tuple[int, int], tuple[Op, frozenset[SettingKey]]] = {}
        self.works: dict[tuple[Op, tuple[Shapes, ...]], tuple[Shapes, Totals]] = {}
        self.modules: dict[tuple[int, Any], list[Module]] = {}
        self.count = 0
        self.found = 0

    @property
    def is_full(self) -> bool:
        """True if the cache is full."""
        return self.count > MOST_MODULES or len(self.keys) > MOST_KEYS

    @property
    def pays(self) -> bool:
        """True if the hit rate makes caching worthwhile, or is not known yet."""
        return self.count < FIRST or self.found * 4 >= self.count

    @property
    def saves(self) -> bool:
        """True if checking with this cache saves work: a text with findings is elaborated twice."""
        return self.texts < FIRST_TEXTS or self.clean * 2 >= self.texts

    def find(self, use: Use, shapes: Any, settings: Settings, depth: int, budget: Budget) -> Built | None:
        """The module that a block is on inputs of these shapes, if it is known; its cost is then counted.

        It is met at some `depth` of blocks inside each other.
        """
        for module in self.modules.get((use.content, shapes), ()):
            marks = module.built.marks
            if said(module.settings, marks.asked) == said(settings, marks.asked) and is_affordable(
                marks, depth, budget
            ):
                self.found += 1
                return module.built
        return None

    def add(self, use: Use, shapes: Any, settings: Settings, built: Built) -> None:
        """Store a module, if it has nothing to do with the bodies around it."""
        self.count += 1
        if not built.marks.bodies:
            alike = self.modules.setdefault((use.content, shapes), [])
            # The latest first, as neighbours in a search differ in few settings.
            alike.insert(0, Module(settings, built))
            del alike[MOST_ALIKE:]


def is_affordable(marks: Marks, depth: int, budget: Budget) -> bool:
    """Tell if the work of a part is within the limits here; its cost is then counted."""
    return depth + marks.levels <= MOST_LEVELS and budget.spend(marks.cost)


def said(settings: Settings, asked: frozenset[Target | None]) -> Said:
    """The settings in force for some ops, blocks and policies (None); computed once."""
    found = settings.said.get(asked)
    if found is None:
        entries = [(slot, entry) for slot, entry in settings.entries.items() if slot[0] in asked]
        found = settings.said[asked] = frozenset((*slot, entry.key) for slot, entry in entries)
    return found
