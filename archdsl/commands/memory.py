"""Says what a network needs in memory: activations in inference, what training keeps, weights, optimizer state.

`--checkpoint c2,c3` runs these sections again in the backward pass, and keeps their inputs only. docs/memory.md says
what each figure is. Needs no torch.
"""

from __future__ import annotations

import argparse

from archdsl.analyses.memory import Memory, SectionMemory
from archdsl.commands._device_options import add_load, chosen_batch
from archdsl.commands._json import json_text
from archdsl.commands._options import add_spec, chosen_input, chosen_params
from archdsl.commands._table import ruled, table
from archdsl.commands._units import size
from archdsl.driver import compile, load
from archdsl.driver.memory import memory

ROWS = {"peak": "eager PyTorch", "planned": "with a planner", "saved": "kept for backward"}


def arguments(parser: argparse.ArgumentParser) -> None:
    """SPEC..., `-p`, `--input`, `--batch`, `--precision`, `--checkpoint`, `--format`."""
    add_spec(parser, several=True)
    add_load(parser)
    parser.add_argument("--checkpoint", default="", metavar="NAMES", help="sections that are run again, as c2,c3")
    parser.add_argument("--format", choices=["text", "json"], default="text", help="for people, or for programs")


def run(options: argparse.Namespace) -> int:
    """Prints the memory of each spec."""
    batch = chosen_batch(options)
    params, shape = chosen_params(options), chosen_input(options)
    again = [name for name in options.checkpoint.replace(" ", "").split(",") if name]
    graphs = [compile(load(spec), params=params, input=shape) for spec in options.spec]
    found = [memory(graph, batch, options.precision, again) for graph in graphs]
    if options.format == "json":
        print(json_text([each.as_json() for each in found]))
    else:
        print("\n\n".join(map(as_text, found)))
    return 0


def as_text(found: Memory) -> str:
    """A network's memory for people."""
    head = f"{found.name}, batch {found.batch}, {found.precision}"
    cells = [["", *ROWS.values()], *(row(found, part) for part in found.parts)]
    cells.append(["total", size(found.peak), size(found.planned), size(found.saved)])
    lines = ruled(table(cells, {1, 2, 3}, None))
    return "\n".join([head, "", *lines, "", *told(found)])


def row(found: Memory, part: SectionMemory) -> list[str]:
    """A section's line."""
    again = " (run again)" if part.section.name in found.checkpointed else ""
    idle = part.section.training_only
    peaks = ["", ""] if idle else [size(part.peak), size(part.planned)]
    return [f"{part.section.name}{' (training only)' if idle else ''}{again}", *peaks, size(part.saved)]


def told(found: Memory) -> list[str]:
    """What stands below the table."""
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
