"""What has to hold of every set of files: a file's findings are the same alone and in any company, before or after.

    PYTHONPATH=. python tests/caches/agreeing.py 0 10000 counts.json

checks the sets of these seeds, notes after every hundred how far it came, and goes on from there when it is run again
with the same code.
"""

from __future__ import annotations

import json
import os
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Generator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

from archdsl import driver
from archdsl.commands._cache import Cache
from archdsl.commands._options import GivenFile
from archdsl.commands.validate import ValidationRun
from archdsl.diagnostics import ArchError, Diagnostic, Source, Span
from archdsl.elaborate import budget, context, scope_cache
from archdsl.elaborate.scope_cache import ScopeCache
from archdsl.graph import Graph
from archdsl.syntax import parser
from tests.caches.file_sets import File, drawn
from tests.versions import Outdated, version

EVERY = 100
LIMITS = ("MOST_APPLICATIONS", "MOST_TURNS", "MOST_STEPS", "MOST_ITEMS")
Told = list[tuple[Any, ...]]


def plain(findings: Sequence[Diagnostic]) -> Told:
    """Findings as data, with all that anybody is told of them."""
    return [
        tuple(place(each) if isinstance(each, Span) else each for each in finding._replace(notes=()))
        + tuple((place(note.span), note.label) for note in finding.notes)
        for finding in findings
    ]


def place(span: Span | None) -> object:
    """A place as people see it."""
    return span and (span.source.name, span.source.text, span.start, span.end)


def told(names: Sequence[str], cache: Path | None = None) -> dict[str, Told]:
    """What one run says of each of some files."""
    check = ValidationRun(None, Cache(cache), several=len(names) > 1)
    found = {name: check.outcome(GivenFile(name, False)) for name in names}
    return {name: plain(findings or ()) for name, findings in found.items()}


def check_set(files: Sequence[File], chance: random.Random) -> Counter[str]:
    """Checks a set of files, which it writes into the folder that the user is in; how many of which kind they are."""
    for file in files:
        Path(file.name).write_text(file.text, encoding="utf-8", newline="")
    with limits_of(chance), patch.object(parser, "SHORT", 10**6):  # each text is parsed once, for all runs
        return check_names([file.name for file in files], chance)


def check_names(names: list[str], chance: random.Random) -> Counter[str]:
    """As `check_set`, of files that are there."""
    alone = {name: told([name])[name] for name in names}
    other = chance.sample(names, len(names))
    assert told(other) == alone, f"in the order {other}"
    with tempfile.TemporaryDirectory(prefix="cache", dir=".") as folder:
        for order in (other[-1:], other[::-1], other):
            found = told(order, Path(folder))
            assert found == {name: alone[name] for name in order}, f"in the order {order}, with a cache"
    check_networks(names, chance)
    return Counter(kind(found) for found in alone.values())


def check_networks(names: Sequence[str], chance: random.Random) -> None:
    """Checks that what is known of some networks changes none of the others: neither whether it is one, nor figures."""
    seen = ScopeCache()
    specs = [spec for name in names for spec in specs_of(name)]
    for spec in chance.sample(2 * specs, 2 * len(specs)):
        try:
            graph = driver.elaborated(spec, known=seen)
        except ArchError:
            continue  # then it is worked out alone
        assert figures(graph) == figures(driver.elaborated(spec)), spec


def specs_of(name: str) -> list[driver.Network]:
    """The backbones of a file that can be read."""
    path = Path(name).absolute()
    try:
        file = driver.opened(Source(name, path.read_text(encoding="utf-8")), path)
    except ArchError:
        return []
    return [driver.Network.of(file, backbone) for backbone in file.backbones.values()]


def figures(graph: Graph) -> object:
    """What is counted of a network, and of its sections."""
    scopes = [graph.scope_of(section) for section in graph.sections]
    return graph.sections, graph.maps, graph.root.totals, [(scope.output, scope.totals) for scope in scopes]


def kind(findings: Told) -> str:
    """What a file is, by its findings."""
    if not findings:
        return "clean"
    return "with errors" if any("error" in each for each in findings) else "with warnings"


@contextmanager
def limits_of(chance: random.Random) -> Generator[None]:
    """The limits as they are, or, one time in four, so low that many of the files pass them."""
    if chance.random() < 0.75:
        yield
        return
    levels = chance.randint(2, 6)
    with ExitStack() as stack:
        for where, name in ((context, "MOST_LEVELS"), (scope_cache, "MOST_LEVELS")):
            stack.enter_context(patch.object(where, name, levels))
        for name in LIMITS:
            stack.enter_context(patch.object(budget, name, chance.randint(20, 200)))
        yield


def campaign(first: int, end: int, state: Path) -> Counter[str]:
    """Checks the sets of many seeds, from where the last run stopped."""
    now = version("tests/caches")
    kept = json.loads(state.read_text()) if state.exists() else {"next": first, "counts": {}, "version": now}
    if kept.get("version") != now:
        raise Outdated(state)
    counts = Counter(kept["counts"])
    here = Path.cwd()
    for seed in range(kept["next"], end):
        with tempfile.TemporaryDirectory() as folder:
            os.chdir(folder)
            try:
                counts += check_set(drawn(seed), random.Random(seed))
            except BaseException:
                print(f"seed {seed}", file=sys.stderr)
                raise
            finally:
                os.chdir(here)
        counts["sets"] += 1
        if seed % EVERY == EVERY - 1 or seed == end - 1:
            state.write_text(json.dumps({"next": seed + 1, "counts": counts, "version": now}))
    return counts


if __name__ == "__main__":
    try:
        print(dict(campaign(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]).absolute())))
    except Outdated as error:
        sys.exit(str(error))
