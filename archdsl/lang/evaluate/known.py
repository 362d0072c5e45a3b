"""Modules that earlier elaborations have worked out: the networks of a family have most of theirs in common.

A module is the same where its block says the same, with the same blocks given to it at the same places, meets the same
shapes, and where the settings say the same to all that asks them in it: its ops, its blocks, and the policies.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from archdsl.graph import distinct
from archdsl.lang.evaluate.session import Built, Rest
from archdsl.lang.evaluate.settings import Said, Settings, Slot
from archdsl.lang.text.files import Definition, Target
from archdsl.lang.values.value import INSIDE, BlockValue, Use, Value, With, is_list

if TYPE_CHECKING:
    from archdsl.errors import Span
    from archdsl.graph import Totals
    from archdsl.op import Op, Shapes

MOST_MODULES = 10_000
"""So many are kept. Then all are forgotten: what comes next is more like what came last than like what came first."""
FIRST = 200
"""So many are kept before anything is said of their use."""
MOST_ALIKE = 8
"""So many are kept that differ in their places or settings only."""


class Module(NamedTuple):
    """A block with what was given to it, the settings around it, and the module that it was there."""

    use: Use
    settings: Settings
    built: Built


class Known:
    """What many elaborations, one after the other, carry along. Not for several threads at once."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Begins anew. Never within an elaboration: its numbers for equal things are those of `keys`."""
        self.keys: dict[tuple[Any, ...], int] = {}
        self.ops: dict[tuple[int, int], tuple[Op, frozenset[Slot]]] = {}
        self.works: dict[tuple[Op, Shapes], tuple[Shapes, Totals]] = {}
        self.modules: dict[tuple[int, Any], list[Module]] = {}
        self.count = 0
        self.found = 0

    @property
    def pays(self) -> bool:
        """Whether enough is found again to be worth the keeping, as far as that can be told."""
        return self.count < FIRST or self.found * 4 >= self.count

    def find(self, use: Use, shapes: Any, settings: Settings) -> Built | None:
        """The module that a block is on inputs of these shapes, if it is known."""
        for module in self.modules.get((use.content, shapes), ()):
            asked = module.built.marks.asked
            alike = given(module.use) == given(use) and said(module.settings, asked) == said(settings, asked)
            if alike and (built := moved(module, use)):
                self.found += 1
                return built
        return None

    def add(self, use: Use, shapes: Any, settings: Settings, built: Built) -> None:
        """Takes note of a module."""
        alike = self.modules.setdefault((use.content, shapes), [])
        alike.insert(0, Module(use, settings, built))
        del alike[MOST_ALIKE:]
        self.count += 1


def moved(module: Module, use: Use) -> Built | None:
    """The module for a block that says the same at this place; None where something in it stands in the old text."""
    built, before = module.built, module.use.span
    if before == use.span:
        return built
    homes = {id(target.file.source) for target in built.marks.asked if isinstance(target, Definition)}
    places = [scope.span for scope in distinct(built.scope) if scope.span and scope.span != before]
    if id(before.source) in homes or any(id(place.source) not in homes for place in places):
        return None
    return built if built.scope.span != before else built._replace(scope=built.scope.replace(span=use.span))


def given(use: Use) -> tuple[Span, ...]:
    """The places of all blocks that are given to a block."""
    return places_of(use)[1:]


def said(settings: Settings, asked: frozenset[Target | None]) -> Said:
    """What settings say to some ops, blocks and policies (None), and where; found out once."""
    found = settings.said.get(asked)
    if found is None:
        entries = [(slot, entry) for slot, entry in settings.entries.items() if slot[0] in asked]
        found = frozenset((*slot, entry.key, places_of(entry.bound.value)) for slot, entry in entries)
        settings.said[asked] = found
    return found


def places_of(value: Value) -> tuple[Span, ...]:
    """The places of all blocks in a value; those of a block are found out once."""
    if isinstance(value, BlockValue):
        known = value.__dict__
        if "places" not in known:
            known["places"] = (value.span, *places_among(parts_of(value)))
        return known["places"]
    return places_among(value.values() if isinstance(value, Rest) else value if is_list(value) else ())


def places_among(values: Iterable[Value]) -> tuple[Span, ...]:
    """The places of all blocks in some values."""
    return tuple([place for value in values for place in places_of(value)])


def parts_of(block: BlockValue) -> Iterator[Value]:
    """What a block is made of, with the values of its settings."""
    yield from INSIDE[type(block)](block)
    if isinstance(block, With):
        yield from (entry.bound.value for entry in block.settings.entries.values())
