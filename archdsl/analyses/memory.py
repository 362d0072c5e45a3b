"""Memory of a network: activations in inference, tensors saved in training, weights and optimizer state.

Peaks are of activations, the input included, weights not. `docs/memory.md` defines each figure. The two figures that
depend on how a framework executes the network, eager peak and saved tensors, come from its backend, as a function.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from archdsl.analyses.cost import BYTES, added, check_batch, check_precision
from archdsl.analyses.liveness import Planned
from archdsl.diagnostics import catalog, did_you_mean
from archdsl.graph import Graph, Scope, Section, distinct
from archdsl.graph.storage import Execution, Unit

Executor = Callable[[Graph, Unit, tuple[str, ...]], Execution]
"""A backend's account of how it executes a network with some sections checkpointed."""


class SectionMemory(NamedTuple):
    """A section's part: the peaks while it runs, and what it adds to what is kept for the backward pass.

    The peaks of training-only sections are 0: they do not run in inference.
    """

    section: Section
    peak: int
    planned: int
    saved: int


class Memory(NamedTuple):
    """Bytes, all of them exact.

    `peak` is the activation peak of inference as eager PyTorch has it, `planned` as a planner could reach it; `saved`
    is kept for the backward pass in training. With checkpointed sections `saved` is what is kept when it begins, and
    `recomputed` the most that is kept while one of them is run again, by it and by the sections before it.
    """

    name: str
    batch: int
    precision: str
    peak: int
    planned: int
    saved: int
    recomputed: int
    weights: int
    gradients: int
    optimizers: dict[str, int]
    parts: tuple[SectionMemory, ...]
    checkpointed: tuple[str, ...] = ()

    def training(self, optimizer: str = "sgd") -> int:
        """The most that is held at once: weights, gradients, optimizer state, and what is kept."""
        return self.weights + self.gradients + self.optimizers[optimizer] + max(self.saved, self.recomputed)

    def as_json(self) -> dict[str, Any]:
        """The figures as plain data."""
        figures = self._asdict()
        figures["parts"] = [{"name": part.section.name, **part._asdict()} for part in self.parts]
        for part in figures["parts"]:
            del part["section"]
        figures["training"] = {name: self.training(name) for name in self.optimizers}
        return figures


def memory(
    graph: Graph, execute: Executor, batch: int = 1, precision: str = "fp32", checkpoint: Iterable[str] = ()
) -> Memory:
    """Memory of a network for a batch in a precision, with the sections named in `checkpoint` run again in training.

    Raises ArchError for an unknown precision or section, and a batch of nothing.
    """
    unit = unit_of(batch, precision)
    checkpointed = known_sections(graph, checkpoint)
    eager, planned = execute(graph, unit, checkpointed), Planned(graph, unit)
    saved, content = eager.saved, held(graph)
    size = unit.size(graph.input)
    parts = (
        SectionMemory(
            section,
            peak=size + eager.sections[section.value] if section.value in eager.sections else 0,
            planned=size + planned.sections[section.value] if section.value in planned.sections else 0,
            saved=saved.sections[section.value],
        )
        for section in graph.sections
    )
    return Memory(
        name=graph.name,
        batch=batch,
        precision=precision,
        peak=eager.peak,
        planned=planned.peak,
        saved=saved.total,
        recomputed=saved.again,
        weights=content.weights(unit.width),
        gradients=content.gradients(unit.width),
        optimizers=content.optimizers(unit.width),
        parts=tuple(parts),
        checkpointed=checkpointed,
    )


def known_sections(graph: Graph, names: Iterable[str]) -> tuple[str, ...]:
    """The names, once all of them are known to be sections."""
    known = [section.name for section in graph.sections]
    wanted = tuple(names)
    for name in wanted:
        if name not in known:
            label = f"no section of {graph.name} is called `{name[:60]}`"
            raise catalog.USAGE.error(None, label, help=did_you_mean(name, known))
    return wanted


def unit_of(batch: int, precision: str) -> Unit:
    """The unit for a batch and a precision; raises ArchError where there is none."""
    return Unit(check_batch(batch), BYTES[check_precision(precision)])


# ---- what training holds beside activations --------------------------------------------------------------------------

COUNTER = 8
"""Bytes of a batch norm's counter of batches."""
STEP = 4
"""Bytes of the counter that Adam keeps for each parameter tensor."""


class TrainingState(NamedTuple):
    """Numbers of elements, and of tensors where each of them costs."""

    parameters: int = 0
    buffers: int = 0
    counters: int = 0
    tensors: int = 0

    def weights(self, width: int) -> int:
        """Bytes of parameters and buffers."""
        return (self.parameters + self.buffers) * width + self.counters * COUNTER

    def gradients(self, width: int) -> int:
        """Bytes of the gradients."""
        return self.parameters * width

    def optimizers(self, width: int) -> dict[str, int]:
        """Bytes of the state of the usual optimizers, as `torch.optim` keeps it: in the parameters' precision."""
        values = self.parameters * width
        return {"sgd": 0, "momentum": values, "adam": 2 * values + STEP * self.tensors}


def held(graph: Graph) -> TrainingState:
    """The state that the modules of a network hold, shared ones counted once."""
    found: dict[Scope, TrainingState] = {}
    for scope in distinct(graph.root):
        below = [(run.count, found[run.scope]) for child in scope.children for run in child.runs]
        found[scope] = added(own(scope), below)
    return found[graph.root]


def own(scope: Scope) -> TrainingState:
    """The state that an op holds."""
    if scope.op is None:
        return TrainingState()
    weights = scope.op.weights(scope.inputs[0])
    parameters = [each.size for each in weights if each.kind == "parameter"]
    return TrainingState(
        parameters=sum(parameters),
        buffers=sum(each.size for each in weights if each.kind == "buffer"),
        counters=sum(each.size for each in weights if each.kind == "counter"),
        tensors=len(parameters),
    )
