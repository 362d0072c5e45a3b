"""Figures by name, of a network or of one of its sections, for `expect` and `compare`.

Everything beyond totals is computed when first asked for, once for each batch and precision.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from math import inf
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from archdsl.diagnostics import catalog
from archdsl.graph import Graph, Scope, Section, Totals

if TYPE_CHECKING:
    from archdsl.analyses.device import Device
    from archdsl.analyses.memory import Memory
    from archdsl.analyses.memory_access import Counts
    from archdsl.analyses.receptive_field import Field

Unit = Literal["number", "bytes", "pixels", "ratio", "seconds"]


MemoryOf = Callable[[Graph, int, str], "Memory"]


class Load(NamedTuple):
    """Batch, precision and device that a figure is for."""

    batch: int = 1
    precision: str = "fp32"
    device: Device | None = None

    def chosen_device(self) -> Device:
        """The device; raises ArchError where none was chosen."""
        if self.device is None:
            raise catalog.USAGE.error(None, "`time` needs a device", help='choose one: device="v100"')
        return self.device


class Measured:
    """Network whose figures are asked for; `memory` computes its memory for a batch in a precision."""

    def __init__(self, graph: Graph, memory: MemoryOf) -> None:
        self.graph = graph
        self.memory_of = memory
        self.sections = {section.name: section for section in graph.sections}
        self.memories: dict[Load, Memory] = {}

    def scope(self, section: Section | None) -> Scope:
        """Scope of a section, or of the network."""
        return self.graph.root if section is None else self.graph.scope_of(section)

    def totals(self, section: Section | None) -> Totals:
        """Totals of a section, or of the network."""
        return self.scope(section).totals

    def counts(self, section: Section | None) -> Counts:
        """Traffic and operations of a section, or of the network."""
        return self.all_counts[self.scope(section)]

    @cached_property
    def all_counts(self) -> dict[Scope, Counts]:
        """Traffic and operations of each scope."""
        from archdsl.analyses.memory_access import counts

        return counts(self.graph)

    @cached_property
    def fields(self) -> dict[str, Field | None]:
        """Receptive field of each section."""
        from archdsl.analyses.receptive_field import fields

        return {part.section.name: field for part, field in fields(self.graph)}

    def field(self, section: Section | None) -> float:
        """Receptive field of a section or the network, along its shorter side; infinite for the whole map."""
        from archdsl.analyses.receptive_field import largest

        found = largest(self.fields.values()) if section is None else self.fields.get(section.name)
        return float(min(found.size)) if found and not found.whole else inf

    def memory(self, load: Load) -> Memory:
        """Memory of the network."""
        if load not in self.memories:
            self.memories[load] = self.memory_of(self.graph, load.batch, load.precision)
        return self.memories[load]

    def part(self, name: str, section: Section | None, load: Load) -> int:
        """Figure of memory of a section, or of the network."""
        memory = self.memory(load)
        owner = memory if section is None else next(part for part in memory.parts if part.section == section)
        return getattr(owner, name)


class Figure(NamedTuple):
    """Figure: its unit, meaning and function. `loaded` if it depends on batch and precision.

    `exact` figures are integers, which `==` applies to; `whole` ones only the network has. `summed` ones depend on sums
    over the ops alone: on `totals` and `counts`.
    """

    unit: Unit
    meaning: str
    find: Callable[[Measured, Section | None, Load], Any]
    loaded: bool = False
    exact: bool = True
    whole: bool = False
    summed: bool = False


def total_figure(name: str) -> Callable[[Measured, Section | None, Load], int]:
    """Figure that the graph carries."""
    return lambda asked, section, _: getattr(asked.totals(section), name)


def count_figure(name: str) -> Callable[[Measured, Section | None, Load], int]:
    """Figure of traffic or operations."""
    return lambda asked, section, _: getattr(asked.counts(section), name)


def memory_figure(name: str) -> Callable[[Measured, Section | None, Load], int]:
    """Figure of memory."""
    return lambda asked, section, load: asked.part(name, section, load)


def bytes_moved(asked: Measured, section: Section | None, load: Load) -> int:
    """Bytes read and written."""
    return asked.counts(section).bytes(load.precision, load.batch)


def intensity(asked: Measured, section: Section | None, load: Load) -> float:
    """Arithmetic intensity."""
    return asked.counts(section).intensity(load.precision, load.batch)


def field(asked: Measured, section: Section | None, load: Load) -> float:
    """The receptive field."""
    return asked.field(section)


FIGURES: dict[str, Figure] = {
    "params": Figure("number", "parameters, training-only parts included", total_figure("params"), summed=True),
    "buffers": Figure("number", "running statistics", total_figure("buffers"), summed=True),
    "macs": Figure("number", "multiply-adds of convolutions and linear layers", total_figure("macs"), summed=True),
    "activations": Figure("number", "elements that convolutions give", total_figure("activations"), summed=True),
    "n_conv": Figure("number", "convolutions", total_figure("n_conv"), summed=True),
    "n_norm": Figure("number", "norms", total_figure("n_norm"), summed=True),
    "n_linear": Figure("number", "linear layers", total_figure("n_linear"), summed=True),
    "memory_access": Figure(
        "number", "memory access cost of convolutions, in elements", count_figure("memory_access"), summed=True
    ),
    "operations": Figure(
        "number", "operations of all ops, a multiply-add counted once", count_figure("operations"), summed=True
    ),
    "kernels": Figure("number", "ops that do something in inference", count_figure("kernels"), summed=True),
    "bytes": Figure("bytes", "what all ops read and write", bytes_moved, loaded=True, summed=True),
    "intensity": Figure(
        "ratio", "FLOP for each byte read or written", intensity, loaded=True, exact=False, summed=True
    ),
    "field": Figure("pixels", "receptive field, its shorter side", field),
    "peak_memory": Figure("bytes", "activation peak of inference in eager PyTorch", memory_figure("peak"), loaded=True),
    "planned_memory": Figure(
        "bytes", "activation peak of inference with a planner", memory_figure("planned"), loaded=True
    ),
    "saved_memory": Figure("bytes", "what training keeps for the backward pass", memory_figure("saved"), loaded=True),
    "weight_memory": Figure("bytes", "parameters and buffers", memory_figure("weights"), loaded=True, whole=True),
}
