"""Measure the house: sizes, import circles, names that stand twice, docstrings, comments, and hops of a number.

python tests/house/measure.py            # all of it as a table
python tests/house/measure.py --trace    # the files that `groups: 1009` of a YAML spec passes, in order
"""

from __future__ import annotations

import ast
import io
import re
import statistics
import sys
import tokenize
from collections import Counter
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any, NamedTuple

TESTS = Path(__file__).parents[1]
PACKAGE = TESTS.parent / "archdsl"
QUESTION = re.compile(r"(What|Whether|Where|Which|How|Who|Whose)\b")
DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


class Lines(NamedTuple):
    """The lines of a module by what they hold."""

    total: int
    code: int
    docstring: int
    comment: int
    blank: int


def docstrings(tree: ast.AST) -> Iterator[ast.expr]:
    """The docstrings of a module, its classes and functions, and the texts below constants and fields."""
    for node in ast.walk(tree):
        for statement in getattr(node, "body", []) if isinstance(node, DOCUMENTED) else []:
            if isinstance(statement, ast.Expr) and is_text(statement.value):
                yield statement.value


def is_text(node: ast.expr) -> bool:
    """Tell strings from other expressions."""
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def count_lines(text: str) -> Lines:
    """Sort the lines of a module: a line with code and a comment is code."""
    total = len(text.splitlines())
    documented = {
        number for each in docstrings(ast.parse(text)) for number in range(each.lineno, (each.end_lineno or 0) + 1)
    }
    skipped = {tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER, tokenize.ENCODING}
    code: set[int] = set()
    comments: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            comments.add(token.start[0])
        elif token.type not in skipped:
            code |= set(range(token.start[0], token.end[0] + 1))
    code -= documented
    comments -= code
    return Lines(total, len(code), len(documented), len(comments), total - len(code | documented | comments))


# ---- imports


class Arrow(NamedTuple):
    """An import between two modules of the package: at import time, inside a function, or for types alone."""

    source: str
    target: str
    kind: str


def modules(package: Path) -> dict[str, Path]:
    """The modules of a package by dotted name."""
    found: dict[str, Path] = {}
    for path in sorted(package.rglob("*.py")):
        parts = path.relative_to(package.parent).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def arrows(known: dict[str, Path]) -> Iterator[Arrow]:
    """Every import of one module of the package by another."""
    for name, path in known.items():
        for node, kind in statements(ast.parse(path.read_text("utf-8")), "at import"):
            yield from (Arrow(name, target, kind) for target in imported(node, known) if target != name)


def statements(tree: ast.AST, kind: str) -> Iterator[tuple[ast.AST, str]]:
    """Every node of a module, with the time at which it runs."""
    yield tree, kind
    if isinstance(tree, ast.If) and "TYPE_CHECKING" in ast.unparse(tree.test):
        yield from (pair for child in tree.body for pair in statements(child, "for types"))
        yield from (pair for child in tree.orelse for pair in statements(child, kind))
        return
    inner = "in functions" if isinstance(tree, ast.FunctionDef | ast.Lambda) and kind == "at import" else kind
    for child in ast.iter_child_nodes(tree):
        yield from statements(child, inner)


def imported(node: ast.AST, known: dict[str, Path]) -> set[str]:
    """The modules of the package that a statement imports."""
    if isinstance(node, ast.Import):
        return {each.name for each in node.names if each.name in known}
    if isinstance(node, ast.ImportFrom) and not node.level and node.module:
        inner = {f"{node.module}.{each.name}" for each in node.names} & set(known)
        return inner or ({node.module} & set(known))
    return set()


def circles(known: dict[str, Path], kinds: tuple[str, ...]) -> list[set[str]]:
    """The groups of modules that import each other in a circle, counting imports of some kinds."""
    graph: dict[str, set[str]] = {name: set() for name in known}
    for arrow in arrows(known):
        if arrow.kind in kinds:
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


# ---- the journey of a number

MARKER = 1009
SPEC = f"""\
name: traced
input: 2018x8x8
set: {{conv.groups: {MARKER}}}
stem: conv(2018, 3)
"""


def journey() -> list[str]:
    """The files of the package that a number of a YAML spec passes on its way into the emitted `nn.Conv2d`."""
    import archdsl

    seen: dict[str, None] = {}
    prefix = str(PACKAGE)

    def watch(frame: Any, event: str, value: Any) -> None:
        path = frame.f_code.co_filename
        if path.startswith(prefix) and path not in seen and event in ("call", "return"):
            held = [*frame.f_locals.values(), value] if event == "return" else [*frame.f_locals.values()]
            if any(holds(each, 1) for each in held):
                seen[path] = None

    sys.setprofile(watch)
    try:
        source = archdsl.emit(archdsl.loads(SPEC, "traced.yaml"))
    finally:
        sys.setprofile(None)
    assert f"groups={MARKER}" in source
    return [Path(path).relative_to(PACKAGE.parent).as_posix() for path in seen]


def holds(value: Any, depth: int) -> bool:
    """Whether a value is the marked number, or a text or a small container with it."""
    if isinstance(value, str):
        return len(value) < 2 * len(SPEC) and str(MARKER) in value
    if isinstance(value, int | float | bool | type(None)):
        return value == MARKER
    if depth == 0:
        return False
    if isinstance(value, dict):
        return any(holds(each, depth - 1) for each in [*value.values()][:40])
    if isinstance(value, list | tuple | set | frozenset):
        return any(holds(each, depth - 1) for each in [*value][:40])
    if type(value).__module__.startswith("archdsl") and hasattr(value, "__dict__"):
        return any(holds(each, depth - 1) for each in [*vars(value).values()][:40])
    return False


# ---- the table


def measure(package: Path) -> dict[str, Any]:
    """All figures of a package by name."""
    known = modules(package)
    texts = {name: path.read_text("utf-8") for name, path in known.items()}
    lines = {name: count_lines(text) for name, text in texts.items()}
    sizes = sorted(each.code for each in lines.values())
    code = sum(sizes)
    trees = [ast.parse(text) for text in texts.values()]
    classes = Counter(node.name for tree in trees for node in ast.walk(tree) if isinstance(node, ast.ClassDef))
    docs = [ast.literal_eval(each).lstrip() for tree in trees for each in docstrings(tree)]
    questions = sum(bool(QUESTION.match(each)) for each in docs)
    twice = sorted(name for name, count in classes.items() if count > 1)
    kinds = (("at import",), ("at import", "in functions"), ("at import", "in functions", "for types"))
    return {
        "files": len(known),
        "lines": sum(each.total for each in lines.values()),
        "lines of code": code,
        "code lines of a module: median / p90 / max": " / ".join(
            map(str, (round(statistics.median(sizes)), sizes[int(0.9 * len(sizes))], sizes[-1]))
        ),
        "longest module, in lines": max(each.total for each in lines.values()),
        "modules in circles: at import / + in functions / + for types": " / ".join(
            str(sum(map(len, circles(known, each)))) for each in kinds
        ),
        "class names that stand twice": f"{len(twice)} {' '.join(twice)}".rstrip(),
        "docstrings that begin with a question word": f"{100 * questions / len(docs):.1f} %",
        "docstring lines per 100 of code": round(100 * sum(each.docstring for each in lines.values()) / code, 1),
        "comment lines per 100 of code": round(100 * sum(each.comment for each in lines.values()) / code, 1),
    }


def main() -> None:
    """Print the table, or the journey of a number."""
    if "--trace" in sys.argv:
        print("\n".join(journey()))
        return
    figures = measure(PACKAGE)
    passed = journey()
    inside = [path for path in passed if path.startswith(("archdsl/elaborate", "archdsl/lang"))]
    figures["files of `groups` from YAML to nn.Conv2d"] = f"{len(passed)}, {len(inside)} of them in the elaborator"
    width = max(map(len, figures))
    for name, value in figures.items():
        print(f"{name.ljust(width)}  {value}")


if __name__ == "__main__":
    main()
