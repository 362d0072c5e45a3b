"""Frozen plain classes: fields from annotations, equality by value, hash computed once.

The syntax tree, block values, operators and graph nodes are records. Dataclasses with slots take fifty times longer to
define, and count in the start-up of `archdsl validate`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, ClassVar, Self, dataclass_transform


class Missing:
    """Type of `MISSING`, which stays a single object in copies and other processes."""

    def __reduce__(self) -> str:
        return "MISSING"

    def __repr__(self) -> str:
        return "MISSING"


MISSING: Any = Missing()


def annotation(kind: Any) -> str:
    """Annotation as text, without module names, also in a module that does not postpone them."""
    text = kind if isinstance(kind, str) else kind.__name__ if isinstance(kind, type) else str(kind)
    return re.sub(r"\b[a-z_]+\.(?=[A-Za-z])", "", text)


@dataclass_transform(frozen_default=True)
class Record:
    """Base of frozen classes. Fields named in `apart` (spans, origins) take no part in equality and hash."""

    apart: ClassVar[frozenset[str]] = frozenset({"span"})
    fields: ClassVar[tuple[str, ...]] = ()
    defaults: ClassVar[dict[str, Any]] = {}
    compared: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls) -> None:
        own = [name for name, kind in cls.__annotations__.items() if not annotation(kind).startswith("ClassVar")]
        cls.fields = (*cls.fields, *(name for name in own if name not in cls.fields))
        cls.defaults = cls.defaults | {name: cls.__dict__[name] for name in own if name in cls.__dict__}
        cls.compared = tuple(name for name in cls.fields if name not in cls.apart)
        cls.__init__ = Record.__init__  # not a parent's, which may know its own fields already

    def __init__(self, *values: Any, **named: Any) -> None:
        kind = type(self)
        kind.__init__ = initializer(kind)
        kind.__init__(self, *values, **named)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{type(self).__name__} is frozen; use replace()")

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if type(self) is not type(other) or hash(self) != hash(other):
            return False
        mine, theirs = self.__dict__, other.__dict__
        return all(mine[name] == theirs[name] for name in self.compared)

    def __hash__(self) -> int:
        content: dict[str, Any] = self.__dict__
        if "_hash" not in content:
            content["_hash"] = hash((type(self).__name__, *[content[name] for name in self.compared]))
        return content["_hash"]

    def __repr__(self) -> str:
        parts = (f"{name}={self.__dict__[name]!r}" for name in self.compared)
        return f"{type(self).__name__}({', '.join(parts)})"

    def __reduce__(self) -> tuple[Any, ...]:
        return rebuild, (type(self), tuple(self.__dict__[name] for name in self.fields))

    def replace(self, **changes: Any) -> Self:
        """Copy with some fields changed."""
        return type(self)(**{name: self.__dict__[name] for name in self.fields} | changes)


def rebuild(kind: type[Record], values: tuple[Any, ...]) -> Record:
    """Record from a pickle. The cached hash is not pickled, as string hashes differ among processes."""
    return kind(**dict(zip(kind.fields, values, strict=True)))


def initializer(kind: type[Record]) -> Callable[..., None]:
    """`__init__` of a class, generated for its fields when its first record is made."""
    parts: list[str] = []
    lines: list[str] = []
    for name in kind.fields:
        if name in kind.defaults:
            parts.append(f"{name}=defaults[{name!r}]")
        elif any(each in kind.defaults for each in kind.fields[: len(parts)]):
            # Python has no parameter without a default after one that has one; a record's fields come as they come.
            parts.append(f"{name}=MISSING")
            lines.append(f"if {name} is MISSING: raise TypeError('{kind.__name__} needs `{name}`')")
        else:
            parts.append(name)
    lines += ["_own = self.__dict__", *(f"_own[{name!r}] = {name}" for name in kind.fields)]
    names: dict[str, Any] = {"defaults": kind.defaults, "MISSING": MISSING}
    exec("\n    ".join([f"def __init__({', '.join(['self', *parts])}):", *lines]), names)
    return names["__init__"]
