"""Public functions on many networks: the figures of candidates, of one spec or of any."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib.util import find_spec
from itertools import islice
from numbers import Integral
from typing import TYPE_CHECKING, Any

from archdsl.analyses.batch import (
    Chunk,
    Costs,
    ListedCosts,
    check_processes,
    cost_chunks,
    in_chunks,
    load_of,
)
from archdsl.analyses.figures import FIGURES, USUAL, chosen
from archdsl.api import checked_spec, settled
from archdsl.coerce import is_path, is_row, parameter, size_of
from archdsl.diagnostics import ArchError, catalog
from archdsl.driver import Network, counted, load, memory
from archdsl.driver.network import NetworkLike
from archdsl.graph import Graph
from archdsl.syntax.inheritance import resolve

if TYPE_CHECKING:
    from archdsl.analyses.families.costs import Family
    from archdsl.elaborate.scope_cache import ScopeCache

FEW = 64
"""For fewer candidates no processes are started unless they are asked for."""
SEVERAL = 8
"""Fewer candidates of one spec are worked out one by one."""
PART = 2**18
"""Candidates at a time, of many."""
EXAMPLE = '["resnet18", "resnet34"]'


def cost_many(
    candidates: Any,
    *,
    of: NetworkLike | None = None,
    processes: int | None = None,
    figures: Sequence[str] | None = None,
    batch: int = 1,
    precision: str = "fp32",
    device: str | None = None,
    input: Any = None,
) -> Costs:
    """The figures of many networks, in order.

    `candidates` are specs (networks, dicts, paths, names) or graphs, or, with `of`, parameters for that one: dicts, as
    `cost_many([{"depth": n} for n in range(1, 9)], of="net.arch")`, or columns, a dict of arrays or lists. A result has
    the figures by name, as `result.params`, or the `error` that says what is wrong with its candidate; `columns()` of
    all results are numpy arrays. `figures` chooses others than the usual ones (`archdsl help figures` lists
    them); `batch`, `precision` and `device` are as for `cost`.

    With numpy there (`pip install 'archdsl[search]'`), candidates of one spec are worked out together, structure by
    structure; other ones, and figures of memory, on several cores (`processes`; by default all of them). In a script,
    call it under `if __name__ == "__main__":`, as for all that starts processes.
    """
    asked = request(figures, batch, precision, device, input)
    count = check_processes(processes)
    base = None if of is None else spec_of(of)
    if base is None:
        rows = row_of(candidates, "candidates", EXAMPLE)
        return listed(asked, [(each, None) for each in rows], len(rows), count, processes)
    given: Any = candidates if is_table(candidates) else row_of(candidates, "candidates", EXAMPLE)
    family = family_of(base, asked) if is_table(given) or len(given) >= SEVERAL else None
    return together(family, given) if family else one_by_one(asked, base, given, count, processes)


def cost_stream(
    candidates: Any,
    *,
    of: NetworkLike,
    figures: Sequence[str] | None = None,
    batch: int = 1,
    precision: str = "fp32",
    device: str | None = None,
    input: Any = None,
    part: int = PART,
    progress: bool = False,
) -> Iterator[Costs]:
    """The figures of any number of candidates of one spec, `part` of them at a time, in order and in bounded memory.

    `candidates` are columns, or an iterable of dicts or of tables of columns (`{"w": array}` where each value is a
    numpy array), of which no more is read than the parts so far need. All else is as for `cost_many`; `progress` writes
    a line to stderr after each part.
    """
    asked = request(figures, batch, precision, device, input)
    count = check_processes(None)
    base = spec_of(of)
    check_part(part)
    if not (is_table(candidates) or isinstance(candidates, Iterable)) or isinstance(candidates, str | bytes):
        raise catalog.USAGE.error(None, f"`{str(candidates)[:60]}` are no candidates", help="give dicts, or columns")
    family = family_of(base, asked)
    return streamed(parts_of(candidates, part), family, asked, base, count, progress)


def check_part(part: Any) -> None:
    """Raise for what is no number of candidates."""
    if isinstance(part, bool) or not isinstance(part, Integral) or part < 1:
        raise catalog.USAGE.error(None, f"parts of {str(part)[:40]} candidates", help="at least one is needed")


def streamed(
    parts: Iterable[Any], family: Family | None, asked: Chunk, base: Network, count: int, progress: bool
) -> Iterator[Costs]:
    """The results of parts, one after the other."""
    done, begun = 0, time.perf_counter()
    for given in parts:
        found = together(family, given) if family else one_by_one(asked, base, given, count, None)
        done += len(found)
        if progress:
            rate = done / max(time.perf_counter() - begun, 1e-9)
            print(f"{done:,} candidates, {rate:,.0f} a second", file=sys.stderr)
        yield found


def parts_of(candidates: Any, part: int) -> Iterator[Any]:
    """Candidates in parts: tables as they come, or cut; dicts so many at a time."""
    if is_table(candidates):
        columns: dict[str, Any] = dict(candidates.items())
        size = max((len(column) for column in columns.values()), default=0)
        for start in range(0, size, part):
            yield {name: column[start : start + part] for name, column in columns.items()}
        return
    rest = iter(candidates)
    while given := list[Any](islice(rest, part)):
        if all(map(is_array_table, given)):
            for table in given:
                yield from parts_of(table, part)
        else:
            yield tuple(given)


def request(figures: Any, batch: Any, precision: Any, device: Any, input: Any) -> Chunk:
    """What is asked for, without candidates; raises ArchError for what cannot be."""
    names = row_of(figures, "figures", '["params", "macs"]') if figures is not None else USUAL
    wanted = chosen(map(str, names), USUAL, timed=device is not None)
    return Chunk(candidate, memory, (), wanted, load_of(batch, precision, device), size_of(input))


def spec_of(of: NetworkLike) -> Network:
    """The spec whose parameters the candidates are."""
    if not (isinstance(of, Network | Mapping) or is_path(of)):
        raise catalog.USAGE.error(None, f"`of` is of the type `{type(of).__name__}`", help="give a spec, or its name")
    return load(of)


def is_table(candidates: Any) -> bool:
    """True for candidates by columns: a dict, or a DataFrame."""
    return isinstance(candidates, Mapping) or hasattr(candidates, "columns")


def is_array_table(candidates: Any) -> bool:
    """True for a table whose columns are arrays: a candidate's own values are none."""
    return is_table(candidates) and all(hasattr(column, "dtype") and column.shape for _, column in candidates.items())


def together(family: Family, candidates: Any) -> Costs:
    """The figures of candidates of one spec, by the batch engine."""
    from archdsl.analyses.families.candidates import of_columns, of_rows
    from archdsl.analyses.families.costs import joined

    return joined(family, of_columns(candidates) if is_table(candidates) else of_rows(candidates))


def one_by_one(asked: Chunk, base: Network, candidates: Any, count: int, processes: int | None) -> Costs:
    """The figures of candidates of one spec, each by itself."""
    if not is_table(candidates):
        return listed(asked, [(base, each) for each in candidates], len(candidates), count, processes)
    if find_spec("numpy") is None:
        raise catalog.USAGE.error(None, "columns need numpy", help="`pip install 'archdsl[search]'`")
    from archdsl.analyses.families.candidates import of_columns

    rows = of_columns(candidates)
    return listed(asked, [(base, rows.at(at)) for at in range(rows.size)], rows.size, count, processes)


def listed(asked: Chunk, pairs: Sequence[Any], size: int, count: int, processes: int | None) -> Costs:
    """The figures of specs, with their parameters."""
    count = 1 if processes is None and size < FEW else count
    whole = asked._replace(candidates=tuple(pairs))
    return ListedCosts(asked.figures, list(cost_chunks(in_chunks(whole, count), count)))


def family_of(base: Network, asked: Chunk) -> Family | None:
    """A spec whose candidates are worked out together; None where that cannot be.

    That is so without numpy, for figures that are more than sums over ops, and for a spec with errors of its own.
    """
    if find_spec("numpy") is None or not all(FIGURES[name].summed for name in asked.figures):
        return None
    try:
        resolved = resolve(base.scope, base)
    except ArchError:
        return None
    from archdsl.analyses.families.costs import Family

    return Family(resolved, parameter, base, asked)


def row_of(values: Any, name: str, example: str) -> tuple[Any, ...]:
    """Several values that are asked for in a row; raises ArchError for what is none, as a single one."""
    if not is_row(values):
        raise catalog.USAGE.error(None, f"`{name}` is not a list: `{str(values)[:60]}`", help=f"write it as {example}")
    return tuple(values)


def candidate(spec: Any, params: Any = None, input: Any = None, known: ScopeCache | None = None) -> Graph:
    """The graph of one of many; raises ArchError for what is wrong with it."""
    if isinstance(spec, Graph):
        return settled(spec, params, input)
    if isinstance(spec, Mapping) and "name" not in spec:
        raise catalog.USAGE.error(None, "parameters, but of no spec", help="name the spec: `of=...`")
    return counted(checked_spec(spec), params, input, known)
