"""Sums over the ops of a network: traffic, arithmetic, memory access cost, and the least time on a device.

`docs/costs.md` defines each figure. Counts are exact integers for one sample, summed over the ops of inference.

The least time is a roofline, op by op: an op takes the larger of the time to compute it at the device's peak and the
time to move its bytes at the device's bandwidth, plus the launch of a kernel. The model is eager PyTorch: each op is a
kernel of its own, which reads its inputs from memory and writes its output there; views, and ops without effect in
inference, take no time. Nothing stays in a cache, and nothing is fused.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, NamedTuple, TypeVar

from archdsl.diagnostics import catalog, did_you_mean, listed
from archdsl.graph import ROWS, Graph, Run, Scope, Step, distinct
from archdsl.op import elements

# Size of a value by precision. tf32 rounds inside the multiplication; in memory it is fp32.
BYTES = {"fp32": 4, "tf32": 4, "fp16": 2, "bf16": 2, "int8": 1, "fp64": 8}
LARGEST_BATCH = 10**6


class Device(NamedTuple):
    """Description of a device. `peaks` is by precision; the key "" applies to all."""

    name: str
    peaks: dict[str, float]
    bandwidth: float
    launch: float
    label: str = ""
    source: str = ""

    def peak(self, precision: str) -> float:
        """FLOP/s in a precision; raises ArchError if it is unknown."""
        found = self.peaks.get(precision, self.peaks.get(""))
        if found is None:
            raise catalog.USAGE.error(
                None, f"nothing is known of {self.name}'s peak in {precision}", help=f"known are {listed(self.peaks)}"
            )
        return found


class Load(NamedTuple):
    """Batch and precision that a figure is for, and the device of an estimated time."""

    batch: int = 1
    precision: str = "fp32"
    device: Device | None = None

    def chosen_device(self) -> Device:
        """The device; raises ArchError where none was chosen."""
        if self.device is None:
            raise catalog.USAGE.error(None, "`time` needs a device", help='choose one: `device="v100"`')
        return self.device

    def checked(self) -> Load:
        """The same load; raises ArchError for a bad batch, or a precision that is unknown (to the device)."""
        check_batch(self.batch)
        check_precision(self.precision)
        if self.device is not None:
            self.device.peak(self.precision)
        return self


def check_precision(precision: str) -> str:
    """Known precision; raises ArchError for another."""
    if precision not in BYTES:
        label = f"no precision is called `{precision[:40]}`"
        raise catalog.USAGE.error(None, label, help=did_you_mean(precision, BYTES))
    return precision


def check_batch(batch: int) -> int:
    """Batch of at least one sample; raises ArchError for another."""
    if not 0 < batch <= LARGEST_BATCH:
        raise catalog.USAGE.error(None, f"a batch of {batch}", help=f"a batch has 1 to {LARGEST_BATCH:,} samples")
    return batch


# ---- sums ----------------------------------------------------------------------------------------------------------

Sum = TypeVar("Sum", bound=tuple[Any, ...])


def sums(
    network: Graph | Scope,
    zero: Sum,
    of_op: Callable[[Scope], Sum],
    count: Callable[[Any], Any] = lambda times: times,
) -> dict[Scope, Sum]:
    """Sum of a figure over the ops of each scope; a figure is a named tuple of numbers, `zero` the sum of no ops.

    Every call counts, also a second one of shared weights. The network's own sum is of inference: training-only
    parts are left out of it, and have sums of their own. `count` gives the number of equal modules in a row as the
    figures have it.
    """
    # Distinct scopes only, so that time does not grow with repeats.
    root, idle = (network, frozenset[int]()) if isinstance(network, Scope) else (network.root, network.training_only)
    found: dict[Scope, Sum] = {}
    for scope in distinct(root):
        if scope.op is not None:
            found[scope] = of_op(scope)
            continue
        steps = (step for step in scope.steps if scope is not root or step.output not in idle)
        runs = [run for step in steps for run in runs_of(scope, step)]
        found[scope] = added(zero, [(count(run.count), found[run.scope]) for run in runs])
    return found


def runs_of(scope: Scope, step: Step) -> tuple[Run, ...]:
    """Modules that a step calls."""
    if step.kind in ROWS:
        return scope.child(step.target).runs
    return () if step.scope is None else (Run(1, step.scope),)


def added(start: Sum, parts: list[tuple[int, Sum]]) -> Sum:
    """Sum of figures, each multiplied by its count, and a start."""
    values = list(start)
    for count, figure in parts:
        for at, value in enumerate(figure):
            values[at] += count * value
    return type(start)(*values)


# ---- traffic and arithmetic ----------------------------------------------------------------------------------------


class Counts(NamedTuple):
    """Sums over ops, in elements, for one sample.

    `memory_access` is of convolutions, as Ma et al. 2018 and Lee et al. 2019 define it: input, output and weights,
    each once. `operations` is all arithmetic with a multiply-add counted once, `flops` with it counted twice, as
    the peaks of devices are given. `kernels` are ops that do something in inference: those that eager PyTorch
    launches.
    """

    memory_access: int = 0
    read: int = 0
    weights: int = 0
    written: int = 0
    operations: int = 0
    flops: int = 0
    kernels: int = 0

    def bytes(self, precision: str = "fp32", batch: int = 1) -> int:
        """Bytes read and written: the maps for each sample, the weights once."""
        return BYTES[precision] * (batch * (self.read + self.written) + self.weights)

    def intensity(self, precision: str = "fp32", batch: int = 1) -> float:
        """Arithmetic intensity: FLOP per byte moved."""
        moved = self.bytes(precision, batch)
        return batch * self.flops / moved if moved else 0.0


def counts(graph: Graph) -> dict[Scope, Counts]:
    """Counts of each scope; the network's are those of `graph.root`."""
    return sums(graph, Counts(), counts_of)


def counts_of(scope: Scope) -> Counts:
    """Counts of an op."""
    op, x, y = scope.op, scope.inputs[0], scope.output
    assert op is not None
    traffic = op.traffic(x, y)
    operations, macs = op.operations(x, y), scope.totals.macs
    return Counts(
        memory_access=memory_access(scope) if op.counts_as == "conv" else 0,
        read=traffic.read,
        weights=traffic.weights,
        written=traffic.written,
        operations=operations,
        flops=operations + macs,
        # Views and dropout in evaluation launch nothing.
        kernels=int(traffic != (0, 0, 0)),
    )


def memory_access(scope: Scope) -> int:
    """Memory access of a convolution: h * w * (c_in + c_out) + k * k * c_in * c_out / groups."""
    # Input and output each with its own h * w.
    assert scope.op is not None
    weight = next(each for each in scope.op.weights(scope.inputs[0]) if each.name == "weight")
    return elements(scope.inputs[0]) + elements(scope.output) + weight.size


# ---- the roofline --------------------------------------------------------------------------------------------------


class Times(NamedTuple):
    """Seconds for the whole batch: all, and those of the ops that each resource bounds."""

    seconds: float = 0.0
    compute: float = 0.0
    memory: float = 0.0
    launch: float = 0.0
    kernels: int = 0

    @property
    def shares(self) -> dict[Literal["compute", "memory", "launch"], float]:
        """Seconds by the resource that bounds them."""
        return {"compute": self.compute, "memory": self.memory, "launch": self.launch}

    @property
    def bound(self) -> Literal["compute", "memory", "launch"] | None:
        """Resource that bounds most of the time."""
        return max(self.shares, key=lambda name: (self.shares[name], name)) if self.seconds else None


def estimate(graph: Graph, load: Load) -> dict[Scope, Times]:
    """Least time of each scope on the load's device; the network's is that of `graph.root`.

    Raises ArchError if the precision, the batch, or the device's peak is unknown.
    """
    device = load.checked().chosen_device()
    return sums(graph, Times(), lambda scope: times_of(scope, load, device))


def times_of(scope: Scope, load: Load, device: Device) -> Times:
    """Least time of an op."""
    counts = counts_of(scope)
    if not counts.kernels:
        return Times()
    compute, memory = limits_of(load.batch * counts.flops, counts.bytes(load.precision, load.batch), load, device)
    seconds = max(compute, memory) + device.launch
    # A kernel shorter than its launch is bound by the launch, whatever it does.
    bound = "launch" if device.launch >= max(compute, memory) else "compute" if compute >= memory else "memory"
    return Times(seconds, kernels=1, **{bound: seconds})


def limits_of(flops: Any, moved: Any, load: Load, device: Device) -> tuple[Any, Any]:
    """Seconds of an op at the device's peak, for all its FLOP, and at its bandwidth, for all its bytes."""
    return flops / device.peak(load.precision), moved / device.bandwidth


def efficiency(macs: int, seconds: float, batch: int = 1) -> float:
    """GPU-computation efficiency as Lee et al. 2019 define it: FLOP/s reached, their FLOP being a multiply-add."""
    return batch * macs / seconds if seconds else 0.0
