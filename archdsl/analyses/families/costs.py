"""The figures of candidates as columns, those that the engine leaves out worked out one by one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any

import numpy as np

from archdsl.analyses.batch import Chunk, Costed, Costs, evaluate_one
from archdsl.analyses.cost import Counts, Load
from archdsl.analyses.families.candidates import Candidates
from archdsl.analyses.families.engine import SUMMED, Engine, Outcome, Sums
from archdsl.analyses.families.rows import Array
from archdsl.analyses.figures import FIGURES
from archdsl.graph import Totals
from archdsl.syntax.inheritance import ResolvedNetwork

CHUNK = 2**18
"""Candidates at a time: enough that ways are shared, and few enough for the cache of a processor."""
ROOM = 2**62


class Family:
    """A family whose candidates are asked for in parts; what was worked out for one part is there for the next.

    `convert` makes a value of the language of one of Python's. A `chunk` without candidates says what is asked for.
    """

    def __init__(self, family: ResolvedNetwork, convert: Callable[[str, Any], Any], spec: Any, chunk: Chunk) -> None:
        load = chunk.load
        setting = None
        if "time" in chunk.figures:
            load.chosen_device()
            setting = load
        wanted = SUMMED if any(name not in SUMMED and name != "time" for name in chunk.figures) else chunk.figures
        wanted = [name for name in wanted if name in SUMMED]
        self.engine = Engine(family, convert, chunk.input, setting, wanted)
        self.name, self.spec, self.chunk = family.name, spec, chunk
        self.alone = 0
        """The number of candidates that were worked out one by one."""

    def costs(self, candidates: Candidates) -> FamilyCosts:
        """The figures of some candidates."""
        sums = self.engine.sums(candidates)
        figures = figures_of(sums, self.chunk.figures, self.chunk.load, candidates.size)
        for at in np.flatnonzero(sums.outcomes == Outcome.ALONE.value):
            self.alone += 1
            found = self.one(candidates.at(int(at)))
            sums.outcomes[at] = Outcome.WRONG.value if found.error is not None else 0
            for name, value in found.figures.items():
                put(figures, name, int(at), value)
        return FamilyCosts(self, candidates.at, sums.outcomes == 0, figures)

    def one(self, params: Any) -> Costed:
        """A candidate worked out by itself."""
        return evaluate_one(self.chunk, self.spec, params, None)


class FamilyCosts(Costs):
    """The results of candidates of one family."""

    def __init__(self, family: Family, at: Callable[[int], Any], valid: Array, figures: dict[str, Array]) -> None:
        super().__init__(family.chunk.figures, len(valid))
        self.family, self.at, self.known = family, at, figures
        self.ok = valid

    @cached_property
    def wrong(self) -> dict[int, Costed]:
        """The candidates with errors, as they were asked for."""
        return {}

    def row(self, at: int) -> Costed:
        if self.ok[at]:
            return Costed(self.family.name, {name: self.known[name].item(at) for name in self.figures})
        if at not in self.wrong:
            self.wrong[at] = self.family.one(self.at(at))
        return self.wrong[at]

    def columns(self) -> dict[str, Array]:
        return {name: np.ma.masked_array(self.known[name], ~self.ok) for name in self.figures}

    @property
    def valid(self) -> Array:
        return self.ok


def joined(family: Family, candidates: Candidates) -> FamilyCosts:
    """The figures of candidates, worked out in parts, as one."""
    parts = [family.costs(candidates.part(start, CHUNK)) for start in range(0, candidates.size, CHUNK)]
    if len(parts) == 1:
        return parts[0]
    figures = {
        name: np.concatenate([part.known[name] for part in parts]) if parts else np.zeros(0, np.int64)
        for name in family.chunk.figures
    }
    valid = np.concatenate([part.ok for part in parts]) if parts else np.zeros(0, bool)
    return FamilyCosts(family, candidates.at, valid, figures)


def put(figures: dict[str, Array], name: str, at: int, value: Any) -> None:
    """Set one figure, in Python's integers where 64 bits are too few."""
    if isinstance(value, int) and value >= 2**63 and figures[name].dtype != object:
        figures[name] = figures[name].astype(object)
    figures[name][at] = value


class Asked:
    """The sums of many candidates, in place of those of one network (`figures.Measured`), its part and its scope."""

    def __init__(self, found: dict[str, Any]) -> None:
        self.totals = Totals(*[found.get(name, 0) for name in Totals._fields])
        self.counts = {self: Counts(*[found.get(name, 0) for name in Counts._fields])}

    @property
    def scope(self) -> Asked:
        """The scope of the part: itself."""
        return self


def value_of(name: str, asked: Asked, load: Load) -> Any:
    """A figure, from sums."""
    return FIGURES[name].find(asked, asked, load)  # type: ignore[arg-type]


def figures_of(sums: Sums, wanted: tuple[str, ...], load: Load, size: int) -> dict[str, Array]:
    """The figures that are asked for, from the sums."""
    found: dict[str, Array] = {}
    for name in wanted:
        figure = FIGURES[name]
        if name == "time":
            assert sums.seconds is not None
            found[name] = sums.seconds
        elif name in SUMMED:
            found[name] = sums.sums[name]
        elif figure.exact:
            found[name] = np.asarray(value_of(name, Asked(with_room(sums.sums, load)), load))
        else:
            found[name] = np.array([value_of(name, each, load) for each in rows_of(sums, size)], np.float64)
    return found


def with_room(sums: dict[str, Array], load: Load) -> dict[str, Array]:
    """The sums in Python's integers, if the bytes of a batch may need more than 64 bits."""
    largest = sum(int(np.max(each, initial=0)) for each in sums.values())
    return {name: each.astype(object) for name, each in sums.items()} if 8 * load.batch * largest >= ROOM else sums


def rows_of(sums: Sums, size: int) -> Iterator[Asked]:
    """The sums one by one, for figures that are no integers: floats are then divided as for one network."""
    names, columns = list(sums.sums), [each.tolist() for each in sums.sums.values()]
    return (Asked(dict(zip(names, row, strict=True))) for row in zip(*columns, strict=True)) if size else iter(())
