"""Large families of networks, evaluated in chunks: each candidate a compiled graph, each result plain figures.

`evaluate` is a pure function of a chunk, both of which pickle, so that any pool of processes can map it.
"""

from __future__ import annotations

import gc
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import islice
from multiprocessing import get_context
from os import cpu_count
from typing import Any, NamedTuple

from archdsl.analyses.figures import FIGURES, Asked, Load
from archdsl.errors import ArchError, catalog, did_you_mean
from archdsl.graph import Graph
from archdsl.lang.elaborate.backbone import uncollected
from archdsl.lang.evaluate.known import Known

USUAL = ("params", "buffers", "macs", "activations", "n_conv", "n_norm", "n_linear")
SMALLEST, LARGEST = 1, 200
SHARES = 8
"""Chunks for each process, so that none of them idles at the end for long."""

Compile = Callable[..., Graph]


class Costed(NamedTuple):
    """A candidate's figures, by name; or, where it is no network, the error that says why, and no figures."""

    name: str
    figures: dict[str, Any]
    error: ArchError | None = None

    def __getattr__(self, name: str) -> Any:
        """A figure as an attribute."""
        if name.startswith("_") or self.error is not None or name not in self.figures:
            raise AttributeError(name)
        return self.figures[name]


class Chunk(NamedTuple):
    """Candidates to evaluate: each what `compile` takes, a spec and its parameters; and what is asked of them."""

    compile: Compile
    candidates: tuple[tuple[Any, dict[str, Any] | None], ...]
    figures: tuple[str, ...] = USUAL
    load: Load = Load()
    input: tuple[int, ...] | None = None


def evaluate(chunk: Chunk) -> list[Costed]:
    """The figures of each candidate, in order; what is wrong with one is its result."""
    known = Known()
    with uncollected():  # what is known stays: the collector would go over it again and again
        return [costed(chunk, spec, params, known if known.pays else None) for spec, params in chunk.candidates]


def costed(chunk: Chunk, spec: Any, params: dict[str, Any] | None, known: Known | None) -> Costed:
    """One candidate's figures."""
    try:
        graph = chunk.compile(spec, params=params, input=chunk.input, known=known)
        asked = Asked(graph)
        return Costed(graph.name, {name: FIGURES[name].find(asked, None, chunk.load) for name in chunk.figures})
    except ArchError as error:
        return Costed(str(spec)[:200], {}, error)
    except Exception as error:  # a fault of ours in one candidate must not cost the others
        label = f"{type(error).__name__}: {str(error)[:200]}"
        return Costed(str(spec)[:200], {}, catalog.USAGE.error(None, label))


def checked(figures: Sequence[str], processes: int | None) -> int:
    """How many processes are asked for; raises ArchError for none, and for figures that do not exist."""
    for name in figures:
        if name not in FIGURES:
            raise catalog.USAGE.error(None, f"no figure is called `{name[:40]}`", help=did_you_mean(name, FIGURES))
    if processes is not None and processes < 1:
        raise catalog.USAGE.error(None, f"{processes} processes", help="at least one is needed")
    return processes or cpu_count() or 1


def cost_chunks(chunks: Iterable[Chunk], processes: int) -> Iterator[Costed]:
    """The results of all chunks, in order, from so many processes."""
    if processes == 1:
        for chunk in chunks:
            yield from evaluate(chunk)
        return
    # A fork is quick, and needs no importable `__main__`; with threads about, as torch's, it is not safe.
    quick = sys.platform == "linux" and threading.active_count() == 1 and "torch" not in sys.modules
    with ProcessPoolExecutor(processes, get_context("fork" if quick else "spawn"), initializer=gc.freeze) as pool:
        for results in pool.map(evaluate, chunks):
            yield from results


def in_chunks(whole: Chunk, processes: int) -> Iterator[Chunk]:
    """A chunk cut into smaller ones, enough for all processes."""
    count = len(whole.candidates)
    size = min(max(-(-count // (processes * SHARES)), SMALLEST), LARGEST)
    rest = iter(whole.candidates)
    while part := tuple(islice(rest, size)):
        yield whole._replace(candidates=part)
