"""Figures of a network by section, block or op, with columns to choose from.

A column is an entry of `COLUMNS`: its title, its meaning, and its value for a line. Text, JSON, CSV and Markdown are
made from this one table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fractions import Fraction
from operator import attrgetter
from typing import Any, Literal, NamedTuple

from archdsl.analyses.flatten import Depth, Placed
from archdsl.analyses.memory_access import Counts, counts
from archdsl.analyses.receptive_field import Field, fields
from archdsl.analyses.roofline import RooflineSetting, Times, efficiency, estimate
from archdsl.diagnostics import catalog, did_you_mean
from archdsl.graph import Graph, Totals
from archdsl.graph.ir import MOST_PARTS, too_many
from archdsl.op import Shapes

Kind = Literal["text", "count", "ratio", "seconds", "rate"]


class BreakdownLine(NamedTuple):
    """Part of a network with its figures. `times` is None without a device."""

    part: Placed
    totals: Totals
    counts: Counts
    field: Field | None
    times: Times | None
    precision: str
    batch: int

    @property
    def bytes(self) -> int:
        """Bytes read and written for the batch."""
        return self.counts.bytes(self.precision, self.batch)

    @property
    def intensity(self) -> float:
        """Arithmetic intensity of the batch."""
        return self.counts.intensity(self.precision, self.batch)

    @property
    def seconds(self) -> float | None:
        """Estimated time; None without a device."""
        return self.times.seconds if self.times else None


class Column(NamedTuple):
    """Figure of a line, and its presentation. `summed` if the network's is the sum of its parts'."""

    title: str
    kind: Kind
    value: Callable[[BreakdownLine], Any]
    meaning: str
    summed: bool = False


def column(title: str, kind: Kind, value: Callable[[BreakdownLine], Any], meaning: str, summed: bool = False) -> Column:
    """Column of the table; a function, as the type checker does not see a lambda's type in a tuple's constructor."""
    return Column(title, kind, value, meaning, summed)


def lines(
    graph: Graph, depth: Depth, *, setting: RooflineSetting | None, precision: str, batch: int
) -> list[BreakdownLine]:
    """Lines of a network's inference, in execution order; raises ArchError if there are too many."""
    if depth == "op" and graph.root.totals.ops > MOST_PARTS:
        raise too_many(graph.name, "ops")
    # Each analysis is computed for all distinct scopes at once, then looked up for each line.
    counted = counts(graph)
    timed = estimate(graph, setting) if setting else {}
    return [
        BreakdownLine(part, part.scope.totals, counted[part.scope], field, timed.get(part.scope), precision, batch)
        for part, field in fields(graph, depth)
    ]


def made_of(line: BreakdownLine) -> str:
    """Text of a section, or kind of a block or op."""
    part = line.part
    if part.trail and len(part.trail) == 1 and part.section.text:
        return " ".join(part.section.text.split())
    return part.scope.name


def shown_shape(shapes: Shapes) -> str:
    """Shape, or shapes of a list, as text."""
    if shapes and isinstance(shapes[0], tuple):
        return ", ".join(shown_shape(shape) for shape in shapes if isinstance(shape, tuple))
    return "x".join(map(str, shapes))


def shown_pair(pair: tuple[Fraction, Fraction]) -> str:
    """One number for both directions, or height x width."""
    first, second = (str(side) for side in pair)
    return first if first == second else f"{first}x{second}"


def field_text(line: BreakdownLine) -> str:
    """Receptive field: its size or `whole`, and `gated`."""
    field = line.field
    if field is None:
        return ""
    size = "whole" if field.whole else shown_pair(field.size)
    return f"{size}, gated" if field.gated and not field.whole else size


def of_field(get: Callable[[Field], tuple[Fraction, Fraction]]) -> Callable[[BreakdownLine], str]:
    """Value of a column for a finite receptive field."""
    return lambda line: "" if line.field is None or line.field.whole else shown_pair(get(line.field))


def summed(title: str, path: str, meaning: str) -> Column:
    """Column of an attribute of a line; the network's value is the sum of its parts'."""
    return Column(title, "count", attrgetter(path), meaning, summed=True)


COLUMNS: dict[str, Column] = {
    "part": column("", "text", lambda line: line.part.path, "the path of the section, block or op"),
    "kind": column("made of", "text", made_of, "the section's text, or the name of the block or op"),
    "input": column("input", "text", lambda line: shown_shape(line.part.inputs), "the shapes that it takes"),
    "output": column("output", "text", lambda line: shown_shape(line.part.output), "the shape that it gives"),
    "params": summed("parameters", "totals.params", "weights, trained"),
    "buffers": summed("buffers", "totals.buffers", "running statistics"),
    "macs": summed("multiply-adds", "totals.macs", "of convolutions and linear layers, counted once"),
    "activations": summed("activations", "totals.activations", "elements that convolutions give"),
    "memory_access": summed("memory access", "counts.memory_access", "of convolutions, in elements"),
    "operations": summed("operations", "counts.operations", "of all ops, a multiply-add counted once"),
    "read": summed("read", "counts.read", "elements of inputs that all ops read"),
    "written": summed("written", "counts.written", "elements that all ops write"),
    "bytes": summed("bytes", "bytes", "read and written, of a batch"),
    "intensity": column("FLOP/byte", "ratio", lambda line: line.intensity, "arithmetic intensity"),
    "kernels": summed("kernels", "counts.kernels", "ops that do something"),
    "field": column("field", "text", field_text, "the receptive field of its output"),
    "stride": column("stride", "text", of_field(lambda field: field.stride), "the effective stride of its output"),
    "offset": column("offset", "text", of_field(lambda field: field.offset), "where its first place's field starts"),
    "time": column("time", "seconds", lambda line: line.seconds, "the least time of a batch on the device", True),
    "bound": column("bound", "text", lambda line: line.times and line.times.bound, "what bounds most of that time"),
    "efficiency": column(
        "MAC/s",
        "rate",
        lambda line: efficiency(line.totals.macs, line.seconds, line.batch) if line.seconds is not None else None,
        "multiply-adds a second: GPU-computation efficiency",
    ),
}
FIRST = ("part", "kind", "output")
PLAIN = (*FIRST, "params", "macs", "memory_access", "bytes", "field")
OF_DEVICE = ("time", "bound")


def chosen_columns(names: Iterable[str], *, device: bool, count_all: bool) -> list[str]:
    """Chosen columns, or the default ones; raises ArchError for an unknown one."""
    wanted = [name for name in names if name]
    for name in wanted:
        if name not in COLUMNS:
            raise catalog.USAGE.error(
                None, f"no column is called `{name[:40]}`", help=did_you_mean(name, COLUMNS) or ", ".join(COLUMNS)
            )
        if name in {*OF_DEVICE, "efficiency"} and not device:
            raise catalog.USAGE.error(None, f"the column `{name}` is of a device", help="name one: `--device v100`")
    if wanted:
        return wanted if "part" in wanted else ["part", *wanted]
    return [*PLAIN, *(["operations"] if count_all else []), *(OF_DEVICE if device else [])]


def sorted_lines(found: list[BreakdownLine], column: str) -> list[BreakdownLine]:
    """Lines sorted by a column, the largest first; those without a value last."""
    get = COLUMNS[column].value
    filled = [line for line in found if get(line) is not None]
    # Names read best from A to Z, figures from the largest down.
    textual = COLUMNS[column].kind == "text"
    return sorted(filled, key=get, reverse=not textual) + [line for line in found if get(line) is None]
