"""Traffic and arithmetic of a network: memory access cost, bytes read and written, all operations, their ratio.

`docs/costs.md` defines each figure. All are exact integers for one sample, summed over the ops of inference.
"""

from __future__ import annotations

from typing import NamedTuple

from archdsl.analyses.cost import sums
from archdsl.diagnostics import catalog, did_you_mean
from archdsl.graph import Graph, Scope
from archdsl.op import elements

# Size of a value by precision. tf32 rounds inside the multiplication; in memory it is fp32.
BYTES = {"fp32": 4, "tf32": 4, "fp16": 2, "bf16": 2, "int8": 1, "fp64": 8}


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


def check_precision(precision: str) -> str:
    """Known precision; raises ArchError for another."""
    if precision not in BYTES:
        raise catalog.USAGE.error(
            None, f"no precision is called `{precision[:40]}`", help=did_you_mean(precision, BYTES)
        )
    return precision
