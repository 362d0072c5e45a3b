"""Figures of networks and of their parts, by name: one table for `show`, `compare`, `expect` and Python.

A figure is a row of `FIGURES`. What the graph does not carry itself is computed when first asked for, for all distinct
scopes at once. The memory of a network depends on how a framework executes it, so it comes as a function.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from fractions import Fraction
from functools import cached_property
from math import inf
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from archdsl.analyses.cost import Counts, Load, Times, counts, efficiency, estimate
from archdsl.diagnostics import catalog, did_you_mean
from archdsl.graph import Feature, Graph, Map, Scope, Section, Totals
from archdsl.graph.ir import MOST_PARTS, too_many
from archdsl.op import Shape, Shapes

if TYPE_CHECKING:
    from archdsl.analyses.flatten import Depth, Placed
    from archdsl.analyses.memory import Memory
    from archdsl.analyses.receptive_field import Field

Unit = Literal["text", "number", "bytes", "pixels", "ratio", "seconds", "rate"]
MemoryOf = Callable[[Graph, int, str], "Memory"]


class Part(NamedTuple):
    """A network (without a section), one of its sections, or, if `placed`, a part of a breakdown with its field."""

    scope: Scope
    section: Section | None = None
    placed: Placed | None = None
    field: Field | None = None


class Measured:
    """Network whose figures are asked for; `memory` computes its memory for a batch in a precision."""

    def __init__(self, graph: Graph, memory: MemoryOf) -> None:
        self.graph = graph
        self.memory_of = memory
        self.network = Part(graph.root)
        self.sections = {section.name: Part(graph.scope_of(section), section) for section in graph.sections}
        self.memories: dict[tuple[int, str], Memory] = {}
        self.estimates: dict[str, dict[Scope, Times]] = {}

    def parts(self, depth: Depth) -> list[Part]:
        """Sections, blocks or ops of inference, in execution order; raises ArchError if there are too many."""
        from archdsl.analyses.receptive_field import fields

        if depth == "op" and self.graph.root.totals.ops > MOST_PARTS:
            raise too_many(self.graph.name, "ops")
        return [Part(placed.scope, placed.section, placed, field) for placed, field in fields(self.graph, depth)]

    @cached_property
    def counts(self) -> dict[Scope, Counts]:
        """Traffic and operations of each scope."""
        return counts(self.graph)

    @cached_property
    def fields(self) -> dict[str, Field | None]:
        """Receptive field of each section."""
        return {part.section.name: part.field for part in self.parts("stage") if part.section}

    def field(self, part: Part) -> Field | None:
        """Receptive field of a part; of a network, the largest of its sections' that is not the whole map."""
        from archdsl.analyses.receptive_field import largest

        if part.section is None:
            return largest(self.fields.values())
        return part.field if part.placed else self.fields.get(part.section.name)

    def memory(self, load: Load) -> Memory:
        """Memory of the network."""
        key = (load.batch, load.precision)
        if key not in self.memories:
            self.memories[key] = self.memory_of(self.graph, *key)
        return self.memories[key]

    def times(self, part: Part, load: Load) -> Times | None:
        """Estimated time of a part; None without a device."""
        if load.device is None:
            return None
        key = repr(load)
        if key not in self.estimates:
            self.estimates[key] = estimate(self.graph, load)
        return self.estimates[key][part.scope]


# ---- the table -----------------------------------------------------------------------------------------------------

Find = Callable[[Measured, Part, Load], Any]


class Figure(NamedTuple):
    """Figure: its heading, meaning, function and unit. `loaded` if it depends on batch and precision.

    `exact` figures are integers, which `==` applies to; `whole` ones only the network has, `timed` ones need a device.
    `summed` ones depend on sums over the ops alone: on `totals` and `counts`.
    """

    title: str
    meaning: str
    find: Find
    unit: Unit = "number"
    loaded: bool = False
    exact: bool = True
    whole: bool = False
    timed: bool = False
    summed: bool = False


def total_figure(title: str, meaning: str, name: str) -> Figure:
    """Figure that the graph carries."""
    find: Find = lambda asked, part, load: getattr(part.scope.totals, name)  # noqa: E731 (its type is checked so)
    return Figure(title, meaning, find, summed=True)


def count_figure(title: str, meaning: str, name: str) -> Figure:
    """Figure of traffic or operations."""
    find: Find = lambda asked, part, load: getattr(asked.counts[part.scope], name)  # noqa: E731
    return Figure(title, meaning, find, summed=True)


def memory_figure(title: str, meaning: str, name: str, *, whole: bool = False) -> Figure:
    """Figure of memory, which the network has, and its sections unless it is `whole`."""

    def find(asked: Measured, part: Part, load: Load) -> int | None:
        memory = asked.memory(load)
        if part.section is None:
            return getattr(memory, name)
        # Blocks and ops have no memory of their own: what is live there depends on what is around them.
        if part.placed is not None and len(part.placed.trail) > 1:
            return None
        return next((getattr(each, name, None) for each in memory.parts if each.section == part.section), None)

    return Figure(title, meaning, find, "bytes", loaded=True, whole=whole)


def training_figure(name: str) -> Find:
    """Sum of a figure over the training-only sections."""
    training = attrgetter(f"scope.totals.{name}")
    return lambda asked, part, load: sum(
        training(each) for each in asked.sections.values() if each.section and each.section.training_only
    )


def field_size(asked: Measured, part: Part, load: Load) -> float:
    """Receptive field along its shorter side; infinite for the whole map."""
    found = asked.field(part)
    return float(min(found.size)) if found and not found.whole else inf


def seconds(asked: Measured, part: Part, load: Load) -> float | None:
    """Estimated time of the batch."""
    times = asked.times(part, load)
    return times and times.seconds


def macs_per_second(asked: Measured, part: Part, load: Load) -> float | None:
    """GPU-computation efficiency."""
    times = asked.times(part, load)
    return times and efficiency(part.scope.totals.macs, times.seconds, load.batch)


def traffic(asked: Measured, part: Part, load: Load) -> int:
    """Bytes read and written."""
    return asked.counts[part.scope].bytes(load.precision, load.batch)


def intensity(asked: Measured, part: Part, load: Load) -> float:
    """Arithmetic intensity."""
    return asked.counts[part.scope].intensity(load.precision, load.batch)


FIGURES: dict[str, Figure] = {
    "params": total_figure("parameters", "parameters, training-only parts included", "params"),
    "buffers": total_figure("buffers", "running statistics", "buffers"),
    "macs": total_figure("multiply-adds", "multiply-adds of convolutions and linear layers", "macs"),
    "activations": total_figure("activations", "elements that convolutions give", "activations"),
    "n_conv": total_figure("convolutions", "convolutions", "n_conv"),
    "n_norm": total_figure("norms", "norms", "n_norm"),
    "n_linear": total_figure("linear layers", "linear layers", "n_linear"),
    "memory_access": count_figure("memory access", "memory access cost of convolutions, in elements", "memory_access"),
    "operations": count_figure("operations", "operations of all ops, a multiply-add counted once", "operations"),
    "read": count_figure("read", "elements of inputs that all ops read", "read"),
    "written": count_figure("written", "elements that all ops write", "written"),
    "kernels": count_figure("kernels", "ops that do something in inference", "kernels"),
    "bytes": Figure("traffic", "what all ops read and write", traffic, "bytes", loaded=True, summed=True),
    "intensity": Figure(
        "FLOP/byte", "FLOP for each byte read or written", intensity, "ratio", loaded=True, exact=False, summed=True
    ),
    "field": Figure("field", "receptive field, its shorter side", field_size, "pixels"),
    "peak_memory": memory_figure("peak memory", "activation peak of inference in eager PyTorch", "peak"),
    "planned_memory": memory_figure("planned memory", "activation peak of inference with a planner", "planned"),
    "saved_memory": memory_figure("saved for backward", "what training keeps for the backward pass", "saved"),
    "weight_memory": memory_figure("weights", "parameters and buffers", "weights", whole=True),
    "training_params": Figure(
        "training-only parameters", "parameters of training-only parts", training_figure("params"), whole=True
    ),
    "training_macs": Figure(
        "training-only adds", "multiply-adds that training-only parts add", training_figure("macs"), whole=True
    ),
    "time": Figure(
        "time",
        "least time of a batch on the device",
        seconds,
        "seconds",
        loaded=True,
        exact=False,
        timed=True,
        summed=True,
    ),
    "efficiency": Figure(
        "MAC/s", "multiply-adds a second", macs_per_second, "rate", loaded=True, exact=False, timed=True
    ),
}
# Those that the graph carries.
USUAL = ("params", "buffers", "macs", "activations", "n_conv", "n_norm", "n_linear")


def chosen(
    names: Iterable[str], usual: Sequence[str], *, timed: bool, known: Mapping[str, Figure] = FIGURES
) -> tuple[str, ...]:
    """Names of figures, or the usual ones; raises ArchError for unknown ones, and for times without a device."""
    wanted = tuple(dict.fromkeys(name for name in names if name))
    for name in wanted:
        if name not in known:
            help = did_you_mean(name, known) or f"the figures are {', '.join(known)}"
            raise catalog.USAGE.error(None, f"no figure is called `{name[:40]}`", help=help)
        if known[name].timed and not timed:
            help = '`device="v100"` in Python, `--device v100` on the command line'
            raise catalog.USAGE.error(None, f"`{name}` is of a device, and none is named", help=help)
    return wanted or tuple(usual)


# ---- figures of one network, for Python ----------------------------------------------------------------------------


class PartFigures:
    """Figures of a network or of a section as attributes, such as `macs` or `peak_memory`: the names of `FIGURES`."""

    def __init__(self, asked: Measured, part: Part, load: Load) -> None:
        self.asked = asked
        self.part = part
        self.load = load

    def __getattr__(self, name: str) -> Any:
        """A figure, computed when first asked for."""
        if name.startswith("_") or name not in FIGURES:
            raise AttributeError(f"no figure is called `{name}`; {did_you_mean(name, FIGURES)}".rstrip("; "))
        chosen([name], (), timed=self.load.device is not None)
        return FIGURES[name].find(self.asked, self.part, self.load)

    def __dir__(self) -> list[str]:
        return sorted([*super().__dir__(), *FIGURES])

    @property
    def usual(self) -> Totals:
        """Figures that the graph carries."""
        return self.part.scope.totals

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PartFigures) and (self.usual, self.load) == (other.usual, other.load)

    def __hash__(self) -> int:
        return hash(self.usual)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={getattr(self, name):,}' for name in USUAL)}, ...)"


class SectionFigures(NamedTuple):
    """Section with its figures."""

    section: Section
    totals: PartFigures


class Figures(PartFigures):
    """Figures of a network: `found.macs`, or of a section: `found.rows[0].totals.macs`.

    Parameters, buffers and layer counts are of the whole network, training-only parts included; multiply-adds (of
    convolutions and linear layers, counted once) and activations (outputs of convolutions, in elements) are of
    inference on one input. `training_params` and `training_macs` are the share of the training-only parts, and the
    multiply-adds that they add in training. Bytes are for the batch in the precision that `cost` was asked for.
    """

    def __init__(self, asked: Measured, load: Load = Load()) -> None:  # noqa: B008 (a tuple)
        super().__init__(asked, asked.network, load)
        graph = asked.graph
        self.name: str = graph.name
        self.doc: str = graph.doc
        self.input: Shape = graph.input
        self.maps: tuple[Map, ...] = graph.maps
        self.features: tuple[Feature, ...] = graph.features

    @property
    def totals(self) -> PartFigures:
        """Figures of the whole network."""
        return PartFigures(self.asked, self.part, self.load)

    @property
    def rows(self) -> list[SectionFigures]:
        """Sections, stages and outputs in order, with their figures."""
        parts = self.asked.sections.values()
        return [
            SectionFigures(part.section, PartFigures(self.asked, part, self.load)) for part in parts if part.section
        ]

    @property
    def stages(self) -> list[Section]:
        """Stages in order."""
        return [section for section in self.asked.graph.sections if section.kind == "stage"]

    def as_json(self) -> dict[str, Any]:
        """Figures that the graph carries as plain data; stable keys, exact integers."""
        return {
            "name": self.name,
            "input": list(self.input),
            **{name: getattr(self, name) for name in USUAL},
            "training_only": {"params": self.training_params, "macs": self.training_macs},
            "stages": [named_map(stage) for stage in self.stages],
            "maps": [named_map(each) for each in self.maps],
        }


def named_map(each: Section | Map) -> dict[str, Any]:
    """Feature map as plain data."""
    return {"name": each.name, "shape": list(each.shape), "reduction": each.reduction}


# ---- columns of a breakdown ----------------------------------------------------------------------------------------


def shown_shape(shapes: Shapes) -> str:
    """Shape, or shapes of a list, as text."""
    if shapes and isinstance(shapes[0], tuple):
        return ", ".join(shown_shape(shape) for shape in shapes if isinstance(shape, tuple))
    return "x".join(map(str, shapes))


def shown_pair(pair: tuple[Fraction, Fraction]) -> str:
    """One number for both directions, or height x width."""
    first, second = (str(side) for side in pair)
    return first if first == second else f"{first}x{second}"


def field_text(field: Field | None) -> str:
    """Receptive field: its size or `whole`, and `gated`."""
    if field is None:
        return ""
    size = "whole" if field.whole else shown_pair(field.size)
    return f"{size}, gated" if field.gated and not field.whole else size


def made_of(placed: Placed) -> str:
    """Text of a section, or kind of a block or op."""
    is_section = len(placed.trail) == 1 and placed.section.text
    return " ".join(placed.section.text.split()) if is_section else placed.scope.name


def placed_text(title: str, meaning: str, text: Callable[[Placed], str]) -> Figure:
    """Column on the place of a part, which a network as a whole does not have."""

    def find(asked: Measured, part: Part, load: Load) -> str:
        return text(part.placed) if part.placed else ""

    return Figure(title, meaning, find, "text")


def field_column(title: str, meaning: str, text: Callable[[Field], str]) -> Figure:
    """Column on a receptive field."""

    def find(asked: Measured, part: Part, load: Load) -> str:
        field = asked.field(part)
        return text(field) if field else ""

    return Figure(title, meaning, find, "text")


def bound(asked: Measured, part: Part, load: Load) -> str | None:
    """Resource that bounds most of the time of a part."""
    times = asked.times(part, load)
    return times and times.bound


COLUMNS: dict[str, Figure] = {
    "part": placed_text("", "path of the section, block or op", lambda placed: placed.path),
    "kind": placed_text("made of", "text of the section, or name of the block or op", made_of),
    "input": placed_text("input", "shapes of the inputs", lambda placed: shown_shape(placed.inputs)),
    "output": placed_text("output", "shape of the output", lambda placed: shown_shape(placed.output)),
    **FIGURES,
    "field": field_column("field", "receptive field of the output", field_text),
    "stride": field_column(
        "stride", "effective stride of the output", lambda field: "" if field.whole else shown_pair(field.stride)
    ),
    "offset": field_column(
        "offset", "start of the first place's field", lambda field: "" if field.whole else shown_pair(field.offset)
    ),
    "bound": Figure("bound", "what bounds most of that time", bound, "text", timed=True),
}
"""What `archdsl show` has a column for: all figures, and texts on each part."""
