"""The vocabulary: one file per family, one class per op. A class in a new file here is an op; nothing lists it."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pathlib import Path

from archdsl.op import Op


@cache
def vocabulary() -> dict[str, type[Op]]:
    """All ops by name."""
    for file in sorted(Path(__file__).parent.glob("[a-z]*.py")):
        import_module(f"{__name__}.{file.stem}")
    return {op.name: op for op in sorted(subclasses(Op), key=lambda op: op.name) if op.name}


def subclasses(kind: type[Op]) -> set[type[Op]]:
    """All classes below one."""
    return {below for direct in kind.__subclasses__() for below in ({direct} | subclasses(direct))}


@cache
def installed(prefix: str) -> dict[str, type[Op]]:
    """The ops of an installed package, from its entry points `archdsl.ops` under `prefix`: `prefix.name`."""
    from importlib.metadata import entry_points

    found = [entry.load() for entry in entry_points(group="archdsl.ops", name=prefix)]
    return {f"{prefix}.{op.name}": op for provided in found for op in provided}
