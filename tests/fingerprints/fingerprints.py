"""Hash what archdsl makes of its specs, so that a change of the code can be shown to change nothing else.

    python tests/fingerprints/fingerprints.py record before.json     # on the old commit
    python tests/fingerprints/fingerprints.py compare before.json    # on the new one

A record holds, for every shipped spec and for random ones (with their texts, so that the drawer may change), hashes of
the graph's JSON, the figures, the emitted source, and the state dict's keys, shapes and initial weights under seed 0;
and for all documented mistakes the codes and places of their findings. `compare` prints what differs and fails.

`specs.txt` beside this file holds what an edition promises to keep, the graph and the figures of every shipped spec;
`python -m tests.update` writes it.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import archdsl
from archdsl.driver import SHIPPED

TESTS = Path(__file__).parents[1]
PROMISED = Path(__file__).with_name("specs.txt")
RANDOM_SPECS = 300
Hashes = dict[str, Any]


def digest(*parts: str | bytes) -> str:
    """A short hash of some texts, in order."""
    found = hashlib.sha256()
    for part in parts:
        found.update(part.encode() if isinstance(part, str) else part)
        found.update(b"\0")
    return found.hexdigest()[:16]


def of_text(spec: Any) -> Hashes:
    """The hashes of all that needs no torch."""
    graph = archdsl.compile(spec)
    figures = archdsl.cost(graph)
    return {
        "graph": digest(archdsl.emit(graph, "json")),
        "figures": digest(json.dumps(figures.as_json(), sort_keys=True)),
        "source": digest(archdsl.emit(graph)),
    }


def of_module(spec: Any) -> Hashes:
    """The hashes of the state dict under seed 0: its keys and shapes, and its values."""
    import torch

    torch.manual_seed(0)
    state = archdsl.build(spec).state_dict()
    keys = (f"{key} {tuple(value.shape)} {value.dtype}" for key, value in state.items())
    values = (value.contiguous().numpy().tobytes() for value in state.values())
    return {"state": digest(*keys), "weights": digest(*values)}


def mistakes() -> Iterator[tuple[str, list[str]]]:
    """The documented mistakes: for each its name, and the codes and places of what is found."""
    sys.path.insert(0, str(TESTS / "mistakes"))
    import case  # pyright: ignore[reportMissingImports]

    for mistake in (each for topic in case.topics().values() for each in topic):
        for each in mistake.cases:
            with tempfile.TemporaryDirectory() as folder:
                found = [f"{finding.code} {finding.span}" for finding in each.findings(Path(folder))]
            yield each.id, [text.replace(f"{folder}/", "") for text in found]


def random_texts(count: int) -> dict[str, str]:
    """Random specs that are networks, by name."""
    sys.path.insert(0, str(TESTS / "random_specs"))
    from drawing import Drawer  # pyright: ignore[reportMissingImports]

    drawer, texts = Drawer(seed=13), {}
    while len(texts) < count:
        name = f"random{len(texts)}"
        text = drawer.spec(len(texts))
        with suppress(archdsl.ArchError):
            archdsl.compile(archdsl.loads(text))
            texts[name] = text
    return texts


def record(texts: dict[str, str], modules: bool) -> dict[str, Any]:
    """All hashes: of the shipped specs, of specs given as texts, and the findings of the mistakes."""
    specs: dict[str, Any] = {name: name for name in SHIPPED.specs()}
    specs |= {name: archdsl.loads(text, f"{name}.arch") for name, text in texts.items()}
    hashes = {name: of_text(spec) | (of_module(spec) if modules else {}) for name, spec in specs.items()}
    return {"texts": texts, "hashes": hashes, "mistakes": dict(mistakes())}


def differences(before: dict[str, Any], after: dict[str, Any]) -> Iterator[str]:
    """What differs between two records, a line each."""
    for name, hashes in before["hashes"].items():
        now = after["hashes"].get(name, {})
        changed = [kind for kind, value in hashes.items() if kind in now and now[kind] != value]
        if changed or not now:
            yield f"{name}: {', '.join(changed) or 'gone'}"
    for name, found in before["mistakes"].items():
        now = after["mistakes"].get(name)
        if now != found:
            yield f"{name}: {found} became {now}"


def promised() -> str:
    """The hashes that an edition keeps, as the text of `specs.txt`."""
    lines = ["# spec, and the hashes of its graph and of its figures: python -m tests.update"]
    for name in SHIPPED.specs():
        hashes = of_text(name)
        lines.append(f"{name} {hashes['graph']} {hashes['figures']}")
    return "\n".join([*lines, ""])


def main() -> int:
    """Record, or compare with a record."""
    parser = argparse.ArgumentParser(description="Hash what archdsl makes of its specs.")
    parser.add_argument("action", choices=["record", "compare"])
    parser.add_argument("file", type=Path)
    parser.add_argument("--random", type=int, default=RANDOM_SPECS, metavar="N", help="so many random specs")
    parser.add_argument("--no-modules", action="store_true", help="leave out what needs torch")
    given = parser.parse_args()
    if given.action == "record":
        found = record(random_texts(given.random), not given.no_modules)
        given.file.write_text(json.dumps(found, indent=1), "utf-8")
        print(f"{len(found['hashes'])} specs and {len(found['mistakes'])} mistakes recorded")
        return 0
    before = json.loads(given.file.read_text("utf-8"))
    found = list(differences(before, record(before["texts"], not given.no_modules)))
    print("\n".join(found) or f"{len(before['hashes'])} specs and {len(before['mistakes'])} mistakes as before")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
