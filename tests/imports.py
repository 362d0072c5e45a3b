"""The imports of a package, read from its text: from where to where, when they run, and whether they make a circle."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Literal, NamedTuple

Time = Literal["at import", "in functions", "for types"]


class Arrow(NamedTuple):
    """One import: from a module to a module, by their full names, and the time at which it runs."""

    source: str
    target: str
    line: int
    time: Time

    @property
    def late(self) -> bool:
        """Whether it waits, or is for types alone."""
        return self.time != "at import"


def modules(package: Path) -> dict[str, Path]:
    """All modules of a package, by full name."""
    found: dict[str, Path] = {}
    for path in sorted(package.rglob("*.py")):
        parts = path.relative_to(package.parent).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def arrows(package: Path) -> Iterator[Arrow]:
    """Every import that stands in a package."""
    known = modules(package)
    for name, path in known.items():
        home = name if path.name == "__init__.py" else name.rpartition(".")[0]
        for node, time in nodes(ast.parse(path.read_text(encoding="utf-8")), "at import"):
            for target in targets(node, home, known):
                yield Arrow(name, target, getattr(node, "lineno", 0), time)


def nodes(tree: ast.AST, time: Time) -> Iterator[tuple[ast.AST, Time]]:
    """Every node, and the time at which it runs: inside a function, or never under `if TYPE_CHECKING`."""
    yield tree, time
    if isinstance(tree, ast.If) and ast.unparse(tree.test).endswith("TYPE_CHECKING"):
        yield from (pair for child in tree.body for pair in nodes(child, "for types"))
        yield from (pair for child in tree.orelse for pair in nodes(child, time))
        return
    waits = isinstance(tree, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) and time == "at import"
    for child in ast.iter_child_nodes(tree):
        yield from nodes(child, "in functions" if waits else time)


def targets(node: ast.AST, home: str, known: dict[str, Path]) -> list[str]:
    """The modules that a node imports; `home` is the package that its relative imports start from."""
    match node:
        case ast.Import(names):
            return [each.name for each in names]
        case ast.ImportFrom(module, names, level):
            base = home.split(".")[: len(home.split(".")) - level + 1] if level else []
            start = ".".join([*base, *([module] if module else [])])
            inner = [f"{start}.{each.name}" for each in names]
            return sorted({each if each in known else start for each in inner})
        case ast.Call(ast.Name("import_module" | "__import__") | ast.Attribute(attr="import_module"), [name, *_]):
            return written(name, home)
        case _:
            return []


def written(name: ast.expr, home: str) -> list[str]:
    """The module that a call's argument names, as far as the text tells: of an f-string its constant beginning."""
    match name:
        case ast.Constant(str(text)) | ast.JoinedStr([ast.Constant(str(text)), *_]):
            return [(home + text if text.startswith(".") else text).rstrip(".")]
        case _:
            return []


def circles(package: Path, times: Collection[Time]) -> list[set[str]]:
    """The groups of modules that import each other in a circle, counting the imports of some times."""
    graph: dict[str, set[str]] = {name: set() for name in modules(package)}
    for arrow in arrows(package):
        if arrow.target in graph and arrow.time in times and arrow.target != arrow.source:
            graph[arrow.source].add(arrow.target)
    return [group for group in components(graph) if len(group) > 1]


def components(graph: dict[str, set[str]]) -> list[set[str]]:
    """The strongly connected components, found by peeling off one circle after another."""
    groups = {name: {name} for name in graph}
    edges = {name: set(targets) for name, targets in graph.items()}
    while True:
        try:
            TopologicalSorter(edges).prepare()
        except CycleError as error:
            first, *others = dict.fromkeys(error.args[1])
            for other in others:
                groups[first] |= groups.pop(other)
                edges[first] |= edges.pop(other)
            merged = set(others)
            edges = {
                name: {first if target in merged else target for target in targets} - {name}
                for name, targets in edges.items()
            }
            continue
        return list(groups.values())
