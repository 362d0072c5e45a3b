"""Memos of the package, found in its source, and the package without them.

Each memo is of one of two kinds: a function or property that a decorator keeps the results of, or a table that a
function looks a key up in, and enters the same key into. A line with `# not a memo` or a comment above it that begins
so says why what looks like one is needed for another reason than speed.

`python -m tests.caches.memos` lists them.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

PACKAGE = Path(__file__).parents[2] / "archdsl"
DECORATORS = {
    "cache": "__import__('functools').lru_cache(maxsize=0)",
    "lru_cache": "__import__('functools').lru_cache(maxsize=0)",
    "cached_property": "property",
}
"""Decorators that keep results, and what stands in their place where nothing is kept."""
EXCEPTED = re.compile(r"#\s*not a memo\b", re.IGNORECASE)


class Memo(NamedTuple):
    """A memo: its function, and the table and key where it is a table."""

    place: str
    function: str
    table: str = ""
    key: str = ""

    def __str__(self) -> str:
        return self.site + (f", {self.table}[{self.key}]" if self.table else "")

    @property
    def site(self) -> str:
        """The function that keeps something."""
        return f"{self.place}: {self.function}"


def memos() -> list[Memo]:
    """All memos of the package."""
    found: list[Memo] = []
    for path in sorted(PACKAGE.rglob("*.py")):
        found += Forgetting(path.read_text("utf-8"), path.relative_to(PACKAGE).as_posix()).found
    return found


class Forgetting(ast.NodeTransformer):
    """Finds the memos of a text, and takes them out of its tree: each key is looked up in vain."""

    def __init__(self, text: str, place: str) -> None:
        self.lines = text.splitlines()
        self.place = place
        self.found: list[Memo] = []
        self.tables: set[tuple[str, str]] = set()
        self.tree = self.visit(ast.parse(text))

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        """A function without what it keeps."""
        outer = self.tables
        self.tables = {each for each in tables_of(node) if not self.is_excepted(node, *each)}
        self.found += [Memo(self.place, node.name, *each) for each in sorted(self.tables - outer)]
        self.tables |= outer
        node.decorator_list = [new for each in node.decorator_list for new in self.decorated(node, each)]
        self.generic_visit(node)
        self.tables = outer
        return node

    def decorated(self, function: ast.FunctionDef, decorator: ast.expr) -> Iterator[ast.expr]:
        """The decorator, or what stands in its place."""
        called = decorator.func if isinstance(decorator, ast.Call) else decorator
        name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
        # Without parameters there is no key from which something could be left out.
        if name not in DECORATORS or not function.args.args or self.excepted(decorator.lineno):
            yield decorator
            return
        self.found.append(Memo(self.place, function.name))
        yield ast.copy_location(ast.parse(DECORATORS[name], mode="eval").body, decorator)

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        """`key in table` is false."""
        self.generic_visit(node)
        if isinstance(node.ops[0], ast.In | ast.NotIn) and pair(node.comparators[0], node.left) in self.tables:
            return ast.copy_location(ast.Constant(isinstance(node.ops[0], ast.NotIn)), node)
        return node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        """`table.get(key)` is None."""
        self.generic_visit(node)
        asked = asked_for(node)
        return ast.copy_location(ast.Constant(None), node) if asked in self.tables else node

    def is_excepted(self, function: ast.FunctionDef, table: str, key: str) -> bool:
        """True if a comment in the function says that a table is not a memo."""
        assignments = [each for each in ast.walk(function) if isinstance(each, ast.Assign)]
        return any(self.excepted(each.lineno) for each in assignments if (table, key) in entered(each))

    def excepted(self, line: int) -> bool:
        """True if a line, or the comment above it, says that what is here is not a memo."""
        above = line - 1
        while self.lines[above - 1].lstrip().startswith("#"):
            above -= 1
        return any(map(EXCEPTED.search, self.lines[above:line]))


def tables_of(function: ast.FunctionDef) -> set[tuple[str, str]]:
    """The tables and keys that a function looks up, enters and gives the value of."""
    nodes = list(ast.walk(function))
    asked = {found for node in nodes if (found := asked_for(node))}
    tried = {
        pair(node.comparators[0], node.left)
        for node in nodes
        if isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.In | ast.NotIn)
    }
    read = {
        pair(node.value, node.slice)
        for node in nodes
        if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load)
    }
    return (asked | (tried & read)) & {each for node in nodes for each in entered(node)}


def asked_for(node: ast.AST) -> tuple[str, str] | None:
    """The table and key of `table.get(key)`."""
    match node:
        case ast.Call(func=ast.Attribute(value=table, attr="get"), args=[key]):
            return pair(table, key)
        case _:
            return None


def entered(node: ast.AST) -> set[tuple[str, str]]:
    """The tables and keys of `table[key] = value`, where the value is not one made from what was in the table."""
    if not isinstance(node, ast.Assign):
        return set()
    targets = {pair(each.value, each.slice) for each in node.targets if isinstance(each, ast.Subscript)}
    within = {ast.unparse(each) for each in ast.walk(node.value) if isinstance(each, ast.Name | ast.Attribute)}
    return {(table, key) for table, key in targets if table not in within}


def pair(table: ast.expr, key: ast.expr) -> tuple[str, str]:
    """A table and a key as texts."""
    return ast.unparse(table), ast.unparse(key)


# ---- the package without them ----------------------------------------------------------------------------------------


class Loader(SourceFileLoader):
    """Loads a module without its memos."""

    def path_stats(self, path: str) -> Any:
        """No times, so that no bytecode is read or written."""
        raise OSError

    def source_to_code(self, data: Any, path: Any, *, _optimize: int = -1) -> Any:
        place = Path(path).relative_to(PACKAGE).as_posix()
        tree = ast.fix_missing_locations(Forgetting(data.decode(), place).tree)
        return compile(tree, path, "exec", dont_inherit=True, optimize=_optimize)


class Finder(MetaPathFinder):
    """Finds the modules of the package."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname.partition(".")[0] != "archdsl":
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec and isinstance(spec.loader, SourceFileLoader):
            spec.loader = Loader(fullname, spec.loader.path)
        return spec


def forget() -> None:
    """Import the package without its memos, from now on."""
    assert "archdsl" not in sys.modules
    sys.meta_path.insert(0, Finder())


if __name__ == "__main__":
    print(*memos(), sep="\n")
