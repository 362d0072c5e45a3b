"""Checks random specs in child processes, seed by seed; a crash or a hang of a child is a finding, with its spec.

    python tests/random_specs/campaign.py 0 20000 --processes 2 --journal campaign.jsonl

The journal takes a line for each seed; run again, seeds that are in it are left out. Its first line says of which
code its results are: that of another version is refused. `--show SEED` prints a spec.
"""

from __future__ import annotations

import argparse
import faulthandler
import json
import os
import signal
import subprocess
import sys
import tempfile
import traceback
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Lock
from typing import Any, NamedTuple

from drawing import Drawer

from archdsl import ArchError, Graph, driver

sys.path.append(str(Path(__file__).parents[2]))  # a script has its own folder alone

from tests.versions import Outdated, version

BATCH = 250
"""So many specs are checked by one child, which takes seconds to import torch."""
PATIENCE = 60
"""Seconds of processor time for one spec: a child that takes more hangs."""
MOST_MACS = 5_000_000
"""A network of more multiply-adds is drawn again: it takes longer, and shows no more."""
DRAWS = 8
"""So often a spec is drawn, until one is small."""


class Result(NamedTuple):
    """What became of one seed: `agrees`, `refused`, `large` or `finding`, with what is said of that."""

    seed: int
    outcome: str
    said: str = ""
    kinds: dict[str, int] = {}  # noqa: RUF012 (never changed)


class Drawn(NamedTuple):
    """The spec of a seed: its text, the kinds of nodes in it, and its graph or what it is refused for."""

    text: str
    kinds: dict[str, int]
    graph: Graph | ArchError


def drawn(seed: int) -> Drawn:
    """The spec of a seed: the first one that is small, or refused, or the last."""
    drawer = Drawer(seed)
    found = attempt(drawer, 0)
    for number in range(1, DRAWS):
        if isinstance(found.graph, ArchError) or found.graph.root.totals.macs <= MOST_MACS:
            break
        found = attempt(drawer, number)
    return found


def attempt(drawer: Drawer, number: int) -> Drawn:
    """One spec."""
    drawer.seen.clear()
    text = drawer.spec(number)
    try:
        return Drawn(text, dict(drawer.seen), driver.compile(driver.loads(text, "drawn.arch")))
    except ArchError as error:
        return Drawn(text, dict(drawer.seen), error)


# ---- in the child ----------------------------------------------------------------------------------------------------


def examine(seed: int) -> Result:
    """Checks all that must hold of the spec of a seed."""
    from checking import check

    _, kinds, graph = drawn(seed)
    if isinstance(graph, ArchError):
        return Result(seed, "refused", graph.diagnostics[0].code)
    if graph.root.totals.macs > MOST_MACS:
        return Result(seed, "large")
    try:
        check(graph)
    except ArchError as error:
        return Result(seed, "refused" if error.diagnostics[0].code == "E601" else "finding", str(error))
    except Exception:
        return Result(seed, "finding", traceback.format_exc())
    return Result(seed, "agrees", "", kinds)


def work(seeds: Iterable[int]) -> None:
    """Checks seeds, and prints a line for each; a hang ends this process, by a signal."""
    faulthandler.register(signal.SIGPROF, chain=True)
    for seed in seeds:
        signal.setitimer(signal.ITIMER_PROF, PATIENCE)
        print(json.dumps(examine(seed)), flush=True)
    signal.setitimer(signal.ITIMER_PROF, 0)


# ---- in the parent ---------------------------------------------------------------------------------------------------


def examined(seeds: Sequence[int]) -> Iterator[Result]:
    """The results of seeds, from one child after the other."""
    left = list(seeds)
    while left:
        batch = left[:BATCH]
        command = [sys.executable, "-X", "faulthandler", __file__, "--work", *map(str, batch)]
        environment = os.environ | {"OMP_NUM_THREADS": "1"}
        with (
            tempfile.TemporaryFile("w+") as errors,
            subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True, env=environment) as child,
        ):
            assert child.stdout is not None
            for line in child.stdout:
                yield Result(*json.loads(line))
                left.pop(0)
            if child.wait():
                errors.seek(0)
                yield Result(left.pop(0), "finding", f"the child ended with {named(child.returncode)}\n{errors.read()}")


def named(code: int) -> str:
    """The name of the signal that ended a process, or its exit code."""
    return signal.Signals(-code).name if code < 0 else f"code {code}"


def report(results: Sequence[Result]) -> str:
    """How many specs came to what, and how often each kind of node was drawn in those that were compared."""
    outcomes = Counter(result.outcome for result in results)
    kinds = Counter[str]()
    for result in results:
        kinds.update(result.kinds)
    drawn = ", ".join(f"{name} {count}" for name, count in sorted(kinds.items()))
    counted = ", ".join(f"{count} {outcome}" for outcome, count in outcomes.most_common())
    return f"{len(results)} random specs: {counted}; drawn in those that were compared: {drawn}"


def journaled(journal: Path) -> Iterator[Result]:
    """The results in a journal, which is begun if there is none."""
    now = version("tests/random_specs")
    if not journal.exists():
        journal.write_text(json.dumps(now) + "\n")
    first, *lines = journal.read_text().splitlines() or [""]
    if first != json.dumps(now):
        raise Outdated(journal)
    return (Result(*json.loads(line)) for line in lines)


def campaign(seeds: Iterable[int], processes: int, journal: Path) -> list[Result]:
    """The results of seeds; those that the journal has not are worked out, and added to it."""
    known = {result.seed: result for result in journaled(journal)}
    wanted = list(seeds)
    left = [seed for seed in wanted if seed not in known]
    lock = Lock()

    def run(share: Sequence[int]) -> None:
        for result in examined(share):
            with lock, journal.open("a") as file:
                known[result.seed] = result
                file.write(json.dumps(result) + "\n")
                if result.outcome == "finding":
                    print(f"seed {result.seed}: {result.said}\n{drawn(result.seed).text}", flush=True)

    with ThreadPoolExecutor(processes) as pool:
        list(pool.map(run, [left[at::processes] for at in range(processes)]))
    return [known[seed] for seed in wanted]


def main() -> int:
    """The command line; the exit code says whether there is a finding."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("start", type=int, nargs="?", default=0)
    parser.add_argument("stop", type=int, nargs="?", default=300)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--journal", type=Path, default=Path("campaign.jsonl"))
    parser.add_argument("--show", type=int, metavar="SEED")
    parser.add_argument("--work", type=int, nargs="+", metavar="SEED", help=argparse.SUPPRESS)
    options: Any = parser.parse_args()
    if options.work:
        work(options.work)
        return 0
    if options.show is not None:
        print(drawn(options.show).text)
        return 0
    try:
        results = campaign(range(options.start, options.stop), options.processes, options.journal)
    except Outdated as error:
        parser.error(str(error))
    print(report(results))
    return int(any(result.outcome == "finding" for result in results))


if __name__ == "__main__":
    sys.exit(main())
