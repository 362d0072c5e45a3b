"""What has to hold of every set of files: a file's findings are the same alone and in any company, before or after.

    PYTHONPATH=. python tests/caches/agreeing.py 0 10000 counts.json

checks the sets of these seeds, notes after every hundred how far it came, and goes on from there when it is run again.
"""

from __future__ import annotations

import json
import os
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from archdsl.commands._cache import Cache
from archdsl.commands._files import Asked
from archdsl.commands.validate import Check
from archdsl.errors import Diagnostic, Span
from tests.caches.drawing import File, drawn

EVERY = 100
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
    check = Check(None, Cache(cache), several=len(names) > 1)
    found = {name: check.outcome(Asked(name, False)) for name in names}
    return {name: plain(findings or ()) for name, findings in found.items()}


def check_set(files: Sequence[File], chance: random.Random) -> Counter[str]:
    """Checks a set of files, which it writes into the folder that the user is in; how many of which kind they are."""
    for file in files:
        Path(file.name).write_text(file.text, encoding="utf-8", newline="")
    names = [file.name for file in files]
    alone = {name: told([name])[name] for name in names}
    other = chance.sample(names, len(names))
    assert told(other) == alone, f"in the order {other}"
    with tempfile.TemporaryDirectory(prefix="cache", dir=".") as folder:
        for order in (other[-1:], other[::-1], other):
            found = told(order, Path(folder))
            assert found == {name: alone[name] for name in order}, f"in the order {order}, with a cache"
    return Counter(kind(found) for found in alone.values())


def kind(findings: Told) -> str:
    """What a file is, by its findings."""
    if not findings:
        return "clean"
    return "with errors" if any("error" in each for each in findings) else "with warnings"


def campaign(first: int, end: int, state: Path) -> Counter[str]:
    """Checks the sets of many seeds, from where the last run stopped."""
    kept = json.loads(state.read_text()) if state.exists() else {"next": first, "counts": {}}
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
            state.write_text(json.dumps({"next": seed + 1, "counts": counts}))
    return counts


if __name__ == "__main__":
    print(dict(campaign(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]).absolute())))
