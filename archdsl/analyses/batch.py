"""Figures of large families of networks, evaluated in chunks.

`evaluate` is a pure function of a chunk. Chunks and results pickle, so any pool of processes can map it.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from importlib import import_module
from itertools import islice
from multiprocessing import get_context
from numbers import Integral
from os import cpu_count
from typing import Any, NamedTuple, cast

from archdsl.analyses.cost import Load
from archdsl.analyses.device import device
from archdsl.analyses.figures import FIGURES, USUAL, Measured, MemoryOf
from archdsl.diagnostics import ArchError, catalog
from archdsl.elaborate.scope_cache import ScopeCache
from archdsl.graph import Graph

SMALLEST, LARGEST = 1, 200
# Chunks per process, so that no process idles at the end for long.
SHARES = 8

Compile = Callable[..., Graph]


class Costed(NamedTuple):
    """Figures of a candidate by name, or the error that it has instead."""

    name: str
    figures: dict[str, Any]
    error: ArchError | None = None

    def __getattr__(self, name: str) -> Any:
        """Figure as an attribute."""
        if name.startswith("_") or self.error is not None or name not in self.figures:
            raise AttributeError(name)
        return self.figures[name]


class Costs(Sequence[Costed]):
    """The results of candidates, in order: rows, or columns of all figures."""

    def __init__(self, figures: tuple[str, ...], size: int) -> None:
        self.figures = figures
        self.size = size

    def row(self, at: int) -> Costed:
        """Result of one candidate; its findings, if it has errors, are worked out when they are asked for."""
        raise NotImplementedError

    def columns(self) -> dict[str, Any]:
        """Figures by name, as numpy arrays that are masked where a candidate has errors."""
        raise NotImplementedError

    @property
    def valid(self) -> Any:
        """A numpy array of bools: False for candidates with errors."""
        raise NotImplementedError

    def frame(self) -> Any:
        """A pandas DataFrame with a column for each figure, empty where a candidate has errors.

        Raises ArchError where pandas is missing.
        """
        try:
            pandas: Any = import_module("pandas")
        except ImportError:
            raise catalog.USAGE.error(None, "a DataFrame needs pandas", help="`pip install pandas`") from None
        valid = self.valid
        columns: dict[str, Any] = {name: pandas.array(each.data) for name, each in self.columns().items()}
        for each in columns.values():
            each[~valid] = pandas.NA
        return pandas.DataFrame(columns)

    def __len__(self) -> int:
        return self.size

    def __getitem__(self, at: Any) -> Any:
        numbers: list[int] = [*range(self.size)[at]] if isinstance(at, slice) else [range(self.size)[at]]
        rows = [self.row(each) for each in numbers]
        return rows if isinstance(at, slice) else rows[0]

    def __eq__(self, other: object) -> bool:
        return list(self) == list(cast("Sequence[Any]", other)) if isinstance(other, Sequence) else NotImplemented

    __hash__ = None  # type: ignore[assignment]


class ListedCosts(Costs):
    """Results that were worked out one by one."""

    def __init__(self, figures: tuple[str, ...], rows: list[Costed]) -> None:
        super().__init__(figures, len(rows))
        self.rows = rows

    def row(self, at: int) -> Costed:
        return self.rows[at]

    def columns(self) -> dict[str, Any]:
        from archdsl.analyses.families.columns import columns_of

        return columns_of(self.figures, self.rows)

    @property
    def valid(self) -> Any:
        from archdsl.analyses.families.columns import valid_of

        return valid_of(self.rows)


class Chunk(NamedTuple):
    """Candidates to evaluate, each a spec with parameters for `compile`, and the figures to compute."""

    compile: Compile
    memory: MemoryOf
    candidates: tuple[tuple[Any, dict[str, Any] | None], ...]
    figures: tuple[str, ...] = USUAL
    load: Load = Load()
    input: tuple[int, ...] | None = None


def evaluate(chunk: Chunk) -> list[Costed]:
    """Result for each candidate, in order; an error in one is its result."""
    known = ScopeCache()
    # The cache pays only if candidates share blocks; `pays` measures that.
    return [evaluate_one(chunk, spec, params, known if known.pays else None) for spec, params in chunk.candidates]


def evaluate_one(chunk: Chunk, spec: Any, params: dict[str, Any] | None, known: ScopeCache | None) -> Costed:
    """Result for one candidate."""
    try:
        graph = chunk.compile(spec, params=params, input=chunk.input, known=known)
        asked = Measured(graph, chunk.memory)
        return Costed(
            graph.name, {name: FIGURES[name].find(asked, asked.network, chunk.load) for name in chunk.figures}
        )
    except ArchError as error:
        return Costed(name_of(spec), {}, error)
    except Exception as error:  # a fault of ours in one candidate must not cost the others
        label = f"{type(error).__name__}: {str(error)[:200]}"
        return Costed(name_of(spec), {}, catalog.USAGE.error(None, label))


def name_of(spec: Any) -> str:
    """Name of a candidate that has errors."""
    return spec.name if isinstance(spec, Graph) else str(spec)[:200]


def check_processes(processes: Any) -> int:
    """Number of processes; raises ArchError for a bad number."""
    if processes is None:
        return cpu_count() or 1
    if isinstance(processes, bool) or not isinstance(processes, int) or processes < 1:
        raise catalog.USAGE.error(None, f"{str(processes)[:40]} processes", help="at least one is needed")
    return processes


def load_of(batch: Any, precision: Any, device_text: Any = None) -> Load:
    """Load of figures, from Python; raises ArchError for a bad batch or precision, and an unknown device."""
    if isinstance(batch, bool) or not isinstance(batch, Integral):
        raise catalog.USAGE.error(None, f"a batch of `{str(batch)[:40]}`", help="a number of samples, as 8")
    return Load(int(batch), str(precision), None if device_text is None else device(str(device_text))).checked()


def cost_chunks(chunks: Iterable[Chunk], processes: int) -> Iterator[Costed]:
    """Results of all chunks, in order, from a number of processes."""
    if processes == 1:
        for chunk in chunks:
            yield from evaluate(chunk)
        return
    # A fork is quick, and needs no importable `__main__`; with threads about, as torch's, it is not safe.
    quick = sys.platform == "linux" and threading.active_count() == 1 and "torch" not in sys.modules
    with ProcessPoolExecutor(processes, get_context("fork" if quick else "spawn")) as pool:
        for results in pool.map(evaluate, chunks):
            yield from results


def in_chunks(whole: Chunk, processes: int) -> Iterator[Chunk]:
    """Split a chunk so that all processes have work."""
    count = len(whole.candidates)
    size = min(max(-(-count // (processes * SHARES)), SMALLEST), LARGEST)
    rest = iter(whole.candidates)
    while part := tuple(islice(rest, size)):
        yield whole._replace(candidates=part)
