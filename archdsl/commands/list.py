"""List what comes with archdsl: specs, blocks, ops, targets."""

from __future__ import annotations

import argparse

from archdsl.commands._tables import listing
from archdsl.commands._topics import TOPICS

EXAMPLES = ("archdsl list specs", "archdsl list figures")
USUAL = ("specs", "blocks", "ops", "targets")


def arguments(parser: argparse.ArgumentParser) -> None:
    """The kind to list."""
    parser.add_argument("kind", nargs="?", metavar="TOPIC", choices=list(TOPICS), help=f"one of {', '.join(TOPICS)}")


def run(options: argparse.Namespace) -> int:
    """Print each kind under its heading."""
    print("\n\n".join(map(section, [options.kind] if options.kind else USUAL)))
    return 0


def section(kind: str) -> str:
    """Names of a kind, each with the first sentence of its doc."""
    entries = TOPICS[kind].entries()
    return f"{kind} ({len(entries)})\n{listing(entries)}"
