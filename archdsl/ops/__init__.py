"""The vocabulary: one file per family, one class per op. A class in a new file here is an op; nothing lists it."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType

from archdsl.op import Op


@cache
def vocabulary() -> dict[str, type[Op]]:
    """All ops by name."""
    files = sorted(Path(__file__).parent.glob("[a-z]*.py"))
    # By the files of the folder, so that a new op is a new file, and nothing else.
    found = [op for file in files for op in declared_in(import_module(f"{__name__}.{file.stem}"))]
    return {op.name: op for op in sorted(found, key=lambda op: op.name)}


def declared_in(module: ModuleType) -> list[type[Op]]:
    """The ops that a module declares itself."""
    classes = [value for value in vars(module).values() if isinstance(value, type) and issubclass(value, Op)]
    # Classes that a file imports are declared by another one; bases have no name.
    return [op for op in classes if op.name and op.__module__ == module.__name__]


@cache
def installed(prefix: str) -> dict[str, type[Op]]:
    """The ops of an installed package, from its entry points `archdsl.ops` under `prefix`: `prefix.name`."""
    from importlib.metadata import entry_points

    found = [entry.load() for entry in entry_points(group="archdsl.ops", name=prefix)]
    return {f"{prefix}.{op.name}": op for provided in found for op in provided}
