"""Deviations of a module from the graph that it stands for, and their report."""

from __future__ import annotations

from math import inf, isfinite, isnan
from sys import float_info
from typing import Any, Literal, NamedTuple

from archdsl.errors import Diagnostic, catalog

LIMIT = 1e-9
"""Largest deviation that rounding accounts for in any network, relative to the scale of what is compared."""
NOTABLE = 1e-12
"""Least deviation for which it is worth a pass to find out what rounding does to this network."""
MARGIN = 100
"""How much more may deviate than the last bits of the images account for."""
FLOOR = 1e-3
"""Least scale of a section, relative to the largest: where gradients vanish, rounding errors are all that is left."""

Mode = Literal["evaluation", "training"]
Kind = Literal["outputs", "buffers", "gradients"]
Tensors = dict[str, Any]
"""Tensors by name."""


class Deviation(NamedTuple):
    """The largest deviation among the tensors of one kind, relative to their scale, and the tensor that has it."""

    mode: Mode
    kind: Kind
    size: float
    where: str
    rounding: float = 0.0
    """What the graph's own tensors deviate by where the images change in their last bits, if that was found out."""

    @property
    def excessive(self) -> bool:
        """Whether rounding cannot account for it."""
        return self.size > max(LIMIT, MARGIN * self.rounding)


class Crosscheck(NamedTuple):
    """The result of a crosscheck: the deviations, or the problems that left nothing to compare."""

    images: tuple[int, ...]
    """The shape of the images, with the batch."""
    deviations: tuple[Deviation, ...] = ()
    problems: tuple[str, ...] = ()
    first: str = ""
    """Path of the first module, in the order of the graph, whose output deviates."""

    @property
    def agrees(self) -> bool:
        """Whether the module computes what the graph says."""
        return not self.problems and not any(each.excessive for each in self.deviations)

    @property
    def findings(self) -> list[Diagnostic]:
        """The problems, or the first excessive deviation."""
        help = "if archdsl built the module as it is, this is a bug: please report it, with the spec"
        excessive = [each for each in self.deviations if each.excessive]
        labels = [*self.problems, *([sentence(excessive[0], self.first)] if excessive else [])]
        return [catalog.UNFAITHFUL.at(None, label, help=help) for label in labels]

    def __str__(self) -> str:
        batch, *size = self.images
        verdict = "computes" if self.agrees else "does NOT compute"
        shown = f"{batch} random images of {'x'.join(map(str, size))}, in float64"
        head = f"check: the module {verdict} what the spec says; on {shown}:"
        return "\n".join([head, *map(line, self.deviations), *(f"  {problem}" for problem in self.problems)])


def line(deviation: Deviation) -> str:
    """A deviation as a line of the report."""
    shown = f"{extent(deviation.size)} ({deviation.where})" if deviation.size else "equal to the bit"
    return f"  {deviation.mode:<10}  {deviation.kind:<9}  {shown}"


def sentence(deviation: Deviation, first: str) -> str:
    """A deviation as the label of a finding."""
    label = f"in {deviation.mode}, {deviation.kind} {extent(deviation.size)} ({deviation.where})"
    return f"{label}; the first module whose output differs is `{first}`" if first else label


def extent(size: float) -> str:
    """The size of a deviation in words."""
    return f"differ by {size:.1g} of their scale" if isfinite(size) else "differ in shape, or are missing"


def deviations(found: Tensors, wanted: Tensors) -> dict[str, float]:
    """The largest difference of each tensor, relative to the largest value among the tensors of its section.

    So a bias before a norm, whose gradient is rounding errors alone, is held to the scale of the gradients beside it.
    """
    sizes = {name: difference(found[name], wanted[name]) for name in wanted}
    scales = scales_of(wanted) if any(sizes.values()) else {}
    return {name: size / scales[section(name)] if size else 0.0 for name, size in sizes.items()}


def difference(found: Any, wanted: Any) -> float:
    """The largest difference between two tensors, or between none and none."""
    if found is None or wanted is None:
        return 0.0 if found is wanted else inf
    if found.shape != wanted.shape:
        return inf
    if bool((found == wanted).all()):
        return 0.0
    size = (found.double() - wanted.double()).abs().max().item()
    return inf if isnan(size) else size


def scales_of(tensors: Tensors) -> dict[str, float]:
    """The largest value among the tensors of each section, within the bounds of `FLOOR`."""
    largest: dict[str, float] = {}
    for name, tensor in tensors.items():
        value = tensor.abs().max().item() if tensor is not None and tensor.numel() else 0.0
        largest[section(name)] = max(largest.get(section(name), 0.0), value)
    least = FLOOR * max(largest.values(), default=0.0) or float_info.min
    return {name: max(value, least) for name, value in largest.items()}


def section(name: str) -> str:
    """The name of the section that holds a tensor."""
    return name.partition(".")[0]
