"""Roofline estimate: the least time of a network on a described device, op by op, and the bound of each op.

An op takes the larger of the time to compute it at the device's peak and the time to move its bytes at the device's
bandwidth, plus the launch of a kernel. The model is eager PyTorch: each op is a kernel of its own, which reads its
inputs from memory and writes its output there; views, and ops without effect in inference, take no time. Nothing stays
in a cache, and nothing is fused.
"""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

from archdsl.analyses.cost import sums
from archdsl.analyses.device import Device
from archdsl.analyses.memory_access import check_precision, counts_of
from archdsl.diagnostics import catalog
from archdsl.graph import Graph, Scope

Bound = Literal["compute", "memory", "launch"]
LARGEST_BATCH = 10**6


class RooflineSetting(NamedTuple):
    """Device, precision and batch of an estimate."""

    device: Device
    precision: str = "fp32"
    batch: int = 1


class Times(NamedTuple):
    """Seconds for the whole batch: all, and those of the ops that each resource bounds."""

    seconds: float = 0.0
    compute: float = 0.0
    memory: float = 0.0
    launch: float = 0.0
    kernels: int = 0

    @property
    def bound(self) -> Bound | None:
        """Resource that bounds most of the time."""
        if not self.seconds:
            return None
        largest = max((self.compute, "compute"), (self.memory, "memory"), (self.launch, "launch"))
        return largest[1]  # type: ignore[return-value]


def estimate(graph: Graph, setting: RooflineSetting) -> dict[Scope, Times]:
    """Least time of each scope; the network's is that of `graph.root`.

    Raises ArchError if the precision, the batch, or the device's peak is unknown.
    """
    check_precision(setting.precision)
    check_batch(setting.batch)
    setting.device.peak(setting.precision)
    return sums(graph, Times(), lambda scope: times_of(scope, setting))


def times_of(scope: Scope, setting: RooflineSetting) -> Times:
    """Least time of an op."""
    device, counts = setting.device, counts_of(scope)
    if not counts.kernels:
        return Times()
    compute, memory = limits_of(setting.batch * counts.flops, counts.bytes(setting.precision, setting.batch), setting)
    seconds = max(compute, memory) + device.launch
    # A kernel shorter than its launch is bound by the launch, whatever it does.
    if device.launch >= max(compute, memory):
        return Times(seconds, launch=seconds, kernels=1)
    return (
        Times(seconds, compute=seconds, kernels=1) if compute >= memory else Times(seconds, memory=seconds, kernels=1)
    )


def limits_of(flops: Any, moved: Any, setting: RooflineSetting) -> tuple[Any, Any]:
    """Seconds of an op at the device's peak, for all its FLOP, and at its bandwidth, for all its bytes."""
    return flops / setting.device.peak(setting.precision), moved / setting.device.bandwidth


def efficiency(macs: int, seconds: float, batch: int = 1) -> float:
    """GPU-computation efficiency as Lee et al. 2019 define it: FLOP/s reached, their FLOP being a multiply-add."""
    return batch * macs / seconds if seconds else 0.0


def check_batch(batch: int) -> int:
    """Batch of at least one sample; raises ArchError for another."""
    if not 0 < batch <= LARGEST_BATCH:
        raise catalog.USAGE.error(None, f"a batch of {batch}", help=f"a batch has 1 to {LARGEST_BATCH:,} samples")
    return batch
