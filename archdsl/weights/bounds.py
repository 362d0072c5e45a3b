"""How far the reading of a file goes: what ends it, and how much may be made of what is in it."""

from __future__ import annotations


class Unreadable(Exception):
    """What keeps a file from being read, as a sentence without its subject; and what to do about it."""

    def __init__(self, label: str, help: str = "") -> None:
        super().__init__(label)
        self.label = label
        self.help = help


class ByteBudget:
    """How many bytes of values may still be made."""

    def __init__(self, left: int) -> None:
        self.left = left

    def take(self, cost: int) -> None:
        """Takes off what a value costs; raises Broken where nothing is left."""
        self.left -= cost
        if self.left < 0:
            raise Unreadable("holds far more values than weights need", "save the state dict alone")
