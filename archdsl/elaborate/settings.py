"""The settings in force: policies, and defaults of the parameters of ops and blocks.

Explicit arguments win, then the innermost `with`, the backbone, the declaration.
"""

from __future__ import annotations

from typing import NamedTuple

from archdsl.elaborate.values import Bound
from archdsl.syntax.scopes import Target

SettingKey = tuple[Target | None, str]
"""What a setting sets: a parameter of one op or block, or (None, policy)."""


Said = frozenset[tuple[Target | None, str, int]]
"""What settings say: slots, and the keys of their values."""


class SettingEntry(NamedTuple):
    """A setting: its value, the key of that value, and the text that a message calls it by."""

    bound: Bound
    key: int
    text: str


class Settings:
    """An immutable table of settings; `key` is equal for tables that say the same."""

    def __init__(self, entries: dict[SettingKey, SettingEntry], key: int) -> None:
        self.entries = entries
        self.key = key
        self.said: dict[frozenset[Target | None], Said] = {}
        """What is said to some targets (`known`)."""
        self.by_target: dict[Target | None, dict[str, SettingEntry]] = {}
        for (target, name), entry in entries.items():
            self.by_target.setdefault(target, {})[name] = entry

    def of(self, target: Target | None) -> dict[str, SettingEntry]:
        """All settings in force for a target, by parameter; those of None are the policies."""
        return self.by_target.get(target, NONE)


NONE: dict[str, SettingEntry] = {}
