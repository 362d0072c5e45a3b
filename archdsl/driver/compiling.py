"""From a backbone to its graph: elaborated, and verified."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

from archdsl.asked import given, size_of
from archdsl.driver.loading import Spec, load
from archdsl.errors import ArchError, catalog
from archdsl.graph import Graph
from archdsl.graph.verify import verify
from archdsl.lang.elaborate.backbone import elaborate
from archdsl.lang.evaluate.known import Known
from archdsl.lang.text.family import resolve
from archdsl.lang.values.limits import Budget


def compile(spec: Spec | str | Path, *, params: dict[str, Any] | None = None, input: Any = None) -> Graph:
    """The graph of a spec, with its parameters set by `params`, for an input of (channels, height, width).

    Values of `params` are numbers, bools, None, lists of such, or texts of the language, as behind `-p`: `"[1, 2]"`,
    `"silu"`, `"cna(16)"`. Raises ArchError with all that is wrong.
    """
    graph = elaborated(spec, params, input)
    verify(graph)
    return graph


def elaborated(
    spec: Spec | str | Path,
    params: dict[str, Any] | None = None,
    input: Any = None,
    known: Known | None = None,
    budget: Budget | None = None,
) -> Graph:
    """A spec worked out, without the account that `verify` takes of us: for many in a row, of which none is built.

    `known` is what those before have in common with it (the graph is then good for figures, not for places, and so
    are findings), `budget` what they have left of the work that may be done.
    """
    chosen = spec if isinstance(spec, Spec) else load(spec)
    try:
        family = resolve(chosen.file, chosen.backbone)
        return elaborate(family, given(params or {}), size_of(input), known, budget)
    except RecursionError:
        raise ArchError([catalog.TOO_DEEP.at(chosen.backbone.span, "this nests too deeply")]) from None


def counted(
    spec: Spec | str | Path, params: dict[str, Any] | None = None, input: Any = None, known: Known | None = None
) -> Graph:
    """A spec worked out for its figures, with what is `known` from others; what is wrong with it is told as alone."""
    if known is not None:
        with suppress(ArchError):
            return elaborated(spec, params, input, known)
    return elaborated(spec, params, input)
