"""Estimates the memory of a network: activations in inference, what training keeps, weights, optimizer state.

`--checkpoint c2,c3` recomputes these sections in the backward pass, and keeps only their inputs. docs/memory.md defines
each figure. Needs no torch.
"""

from __future__ import annotations

import argparse

from archdsl.analyses.memory import Memory, SectionMemory
from archdsl.commands._formats import json_text
from archdsl.commands._options import add_format, add_precision, add_spec, chosen_batch, chosen_graphs
from archdsl.commands._tables import ruled, size, table
from archdsl.driver.memory import memory

ROWS = {"peak": "eager PyTorch", "planned": "with a planner", "saved": "kept for backward"}


def arguments(parser: argparse.ArgumentParser) -> None:
    """SPEC..., `-p`, `--input`, `--batch`, `--precision`, `--checkpoint`, `--format`."""
    add_spec(parser, several=True)
    add_precision(parser)
    parser.add_argument("--checkpoint", default="", metavar="NAMES", help="sections that are run again, as c2,c3")
    add_format(parser)


def run(options: argparse.Namespace) -> int:
    """Print the memory of each spec."""
    batch = chosen_batch(options)
    again = [name for name in options.checkpoint.replace(" ", "").split(",") if name]
    found = [memory(graph, batch, options.precision, again) for graph in chosen_graphs(options)]
    if options.format == "json":
        print(json_text([each.as_json() for each in found]))
    else:
        print("\n\n".join(map(as_text, found)))
    return 0


def as_text(found: Memory) -> str:
    """Memory of a network for people."""
    head = f"{found.name}, batch {found.batch}, {found.precision}"
    cells = [["", *ROWS.values()], *(row(found, part) for part in found.parts)]
    cells.append(["total", size(found.peak), size(found.planned), size(found.saved)])
    lines = ruled(table(cells, {1, 2, 3}))
    return "\n".join([head, "", *lines, "", *footer(found)])


def row(found: Memory, part: SectionMemory) -> list[str]:
    """Row of a section."""
    again = " (run again)" if part.section.name in found.checkpointed else ""
    idle = part.section.training_only
    peaks = ["", ""] if idle else [size(part.peak), size(part.planned)]
    return [f"{part.section.name}{' (training only)' if idle else ''}{again}", *peaks, size(part.saved)]


def footer(found: Memory) -> list[str]:
    """Lines below the table."""
    states = ", ".join(f"{name} {size(state)}" for name, state in found.optimizers.items())
    totals = ", ".join(f"{name} {size(found.training(name))}" for name in found.optimizers)
    lines = [
        f"weights {size(found.weights)}, gradients {size(found.gradients)}; optimizer: {states}",
        f"training holds at most: {totals}",
    ]
    if found.checkpointed:
        kept = f"of activations {size(found.saved)} are kept"
        lines.append(f"{kept}, and up to {size(found.recomputed)} while a section is run again")
    return lines
