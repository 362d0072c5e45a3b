"""Noise that exists in training only."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import Any

from archdsl.op import Inner, Kept, Op, Shape, Spelling, param

DROP_PATH = '''
class DropPath(nn.Module):
    """Stochastic depth: in training, zeroes whole samples with probability p and scales up the others."""

    def __init__(self, p: float):
        super().__init__()
        self.p = p

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or self.p == 0.0:
            return x
        keep = 1.0 - self.p
        mask = torch.empty([x.shape[0]] + [1] * (x.dim() - 1), dtype=x.dtype, device=x.device).bernoulli_(keep)
        return x * mask.div_(keep) if keep > 0.0 else x * mask
'''


class Dropout(Op):
    """In training, zeroes each value with probability `p` and scales up the others. Srivastava et al. 2014.

    Example: dropout(0.2)
    """

    name = "dropout"
    saves = frozenset()
    view = True
    torch = Spelling("nn.Dropout", ("p",))
    p: float = param(0.5, minimum=0, maximum=1)

    def kept(self, x: Shape, y: Shape) -> tuple[Kept, ...]:
        if self.p == 1:
            return (Inner(1, shared=True),)
        return (Inner(prod(x)),) if self.p > 0 else ()

    def run(self, torch: Any, x: Any, weights: Mapping[str, Any], training: bool) -> Any:
        return torch.nn.functional.dropout(x, self.p, training)


class DropPath(Op):
    """Stochastic depth, for the end of a residual branch: in training, drops the branch for a sample with probability
    `p` and scales it up for the others. Huang et al. 2016.

    Example: identity + (conv(8, 3) -> drop_path(0.1))
    """

    name = "drop_path"
    saves = frozenset()
    view = True
    torch = Spelling("DropPath", ("p",), helper=DROP_PATH)
    p: float = param(minimum=0, maximum=1)

    def kept(self, x: Shape, y: Shape) -> tuple[Kept, ...]:
        return (Inner(1),) if self.p > 0 else ()

    def run(self, torch: Any, x: Any, weights: Mapping[str, Any], training: bool) -> Any:
        if not training or self.p == 0:
            return x
        kept = x.new_empty((len(x), *[1] * (x.dim() - 1))).bernoulli_(1 - self.p)
        return x * (kept / (1 - self.p) if self.p < 1 else kept)
