"""Lists what comes with archdsl: specs, blocks, ops, targets."""

from __future__ import annotations

import argparse

from archdsl.api import targets
from archdsl.driver import SHIPPED
from archdsl.ops import vocabulary

KINDS = ("specs", "blocks", "ops", "targets")
WIDEST = 78


def arguments(parser: argparse.ArgumentParser) -> None:
    """The kind to list."""
    parser.add_argument("kind", nargs="?", choices=KINDS, help="one kind only (default: all)")


def run(options: argparse.Namespace) -> int:
    """Print each kind under its heading."""
    kinds = [options.kind] if options.kind else list(KINDS)
    print("\n\n".join(section(kind) for kind in kinds))
    return 0


def section(kind: str) -> str:
    """Names of a kind, each with the first sentence of its doc."""
    entries = ENTRIES[kind]()
    width = max((len(name) for name in entries), default=0)
    lines = [f"  {name:<{width}}  {first_line(doc)}".rstrip() for name, doc in entries.items()]
    return "\n".join([f"{kind} ({len(entries)})", *lines])


def first_line(doc: str) -> str:
    """First sentence of a text, cut to fit."""
    line = " ".join(doc.partition("\n\n")[0].split())
    sentence, dot, _ = line.partition(". ")
    line = sentence + "." if dot else line
    return line if len(line) <= WIDEST else line[: WIDEST - 1] + "…"


def specs() -> dict[str, str]:
    """Docs of the shipped specs."""
    found: dict[str, str] = {}
    for name in SHIPPED.specs():
        # None for a file that defines no network of its own name.
        spec = SHIPPED.spec(name)
        found[name] = spec[1].doc if spec else ""
    return found


def blocks() -> dict[str, str]:
    """Docs of the shipped blocks."""
    found = {name: SHIPPED.block(name) for name in SHIPPED.blocks()}
    return {name: block.doc for name, block in found.items() if block}


def ops() -> dict[str, str]:
    """Docs of the ops."""
    return {name: op.__doc__ or "" for name, op in vocabulary().items()}


ENTRIES = {"specs": specs, "blocks": blocks, "ops": ops, "targets": lambda: dict.fromkeys(targets(), "")}
