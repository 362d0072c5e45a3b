"""Names of variables in the emitted text."""

from __future__ import annotations

import keyword
from collections.abc import Collection

PYTHON = frozenset(
    {"self", "super", "range", "list", "tuple", "dict", "int", "float", "bool", "str", "isinstance"}
    | {"__class__", "__debug__"}
)
TEXT = frozenset({"torch", "nn", "math", "Tensor", "OrderedDict", "chain", "links", "enumerate"})
RESERVED = PYTHON | TEXT
"""Names that the emitted text itself uses, so that no variable and no class may take them."""


def identifier(name: str) -> str:
    """A variable's name: the text's own, with a trailing `_` where Python or the emitted text needs it."""
    return f"{name}_" if keyword.iskeyword(name) or name in RESERVED else name


def numbered(name: str, count: int) -> str:
    """The name's `count`-th form: `osa2`, and `pair13_2` where the name ends in a digit."""
    return name if count < 2 else f"{name}{'_' if name[-1:].isdigit() else ''}{count}"


def unique(name: str, taken: Collection[str]) -> str:
    """The first form of a name that is not taken."""
    count = 1
    while numbered(name, count) in taken:
        count += 1
    return numbered(name, count)
