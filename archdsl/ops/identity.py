"""The op that does nothing."""

from __future__ import annotations

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
