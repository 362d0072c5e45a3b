"""The op that does nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from archdsl.op import Op, Spelling


class Identity(Op):
    """Its input, unchanged. Takes and ignores any settings, so that it can stand for a norm or an activation.

    Example: identity
    """

    name = "identity"
    lenient = True
    saves = frozenset()
    view = True
    torch = Spelling("nn.Identity", function="{x}")

    def run(self, torch: Any, x: Any, weights: Mapping[str, Any], training: bool) -> Any:
        return x
