"""Estimate the memory of inference and of training.

Activations in inference, what training keeps, weights, optimizer state. `--checkpoint c2,c3` recomputes these sections
in the backward pass, and keeps only their inputs. docs/memory.md defines each figure. Needs no torch.
"""

from __future__ import annotations

import argparse

from archdsl.analyses.memory import Memory, SectionMemory
from archdsl.commands._formats import json_text
from archdsl.commands._options import add_format, add_precision, add_spec, chosen_graphs, chosen_load, words_in
from archdsl.commands._tables import Cell, Row, Table, size
from archdsl.driver import memory

GROUP = "inspect"
EXAMPLES = ("archdsl memory resnet50 --batch 32 --precision fp16", "archdsl memory resnet50 --checkpoint c2,c3")
COLUMNS = {"peak": "eager PyTorch", "planned": "with a planner", "saved": "kept for backward"}


def arguments(parser: argparse.ArgumentParser) -> None:
    """SPEC..., `-p`, `--input`, `--batch`, `--precision`, `--checkpoint`, `--format`."""
    add_spec(parser, several=True)
    add_precision(parser)
    parser.add_argument("--checkpoint", default="", metavar="NAMES", help="sections that are run again, as c2,c3")
    add_format(parser)


def run(options: argparse.Namespace) -> int:
    """Print the memory of each spec."""
    load, again = chosen_load(options), words_in(options.checkpoint)
    found = [memory(graph, load.batch, load.precision, again) for graph in chosen_graphs(options)]
    if options.format == "json":
        print(json_text([each.as_json() for each in found]))
    else:
        print("\n\n".join(map(as_text, found)))
    return 0


def as_text(found: Memory) -> str:
    """Memory of a network for people."""
    head = f"{found.name}, batch {found.batch}, {found.precision}"
    total = ["total", *(Cell(value, "bytes") for value in (found.peak, found.planned, found.saved))]
    table = Table(["", *COLUMNS.values()], [row(found, part) for part in found.parts], total)
    return "\n".join([head, "", table.text(), "", *footer(found)])


def row(found: Memory, part: SectionMemory) -> Row:
    """Row of a section."""
    again = " (run again)" if part.section.name in found.checkpointed else ""
    idle = part.section.training_only
    peaks = ["", ""] if idle else [Cell(part.peak, "bytes"), Cell(part.planned, "bytes")]
    return [f"{part.section.name}{' (training only)' if idle else ''}{again}", *peaks, Cell(part.saved, "bytes")]


def footer(found: Memory) -> list[str]:
    """Lines below the table."""
    states = ", ".join(f"{name} {size(state)}" for name, state in found.optimizers.items())
    totals = ", ".join(f"{name} {size(found.training(name))}" for name in found.optimizers)
    lines = [
        f"weights {size(found.weights)}, gradients {size(found.gradients)}",
        f"optimizer: {states}",
        f"training holds at most: {totals}",
    ]
    if found.checkpointed:
        kept = f"of activations {size(found.saved)} are kept"
        lines.append(f"{kept}, and up to {size(found.recomputed)} while a section is run again")
    return lines
