"""Memos are found in the source, and can be taken out of it; `test_without_memos.py` compares what then is said."""

from __future__ import annotations

import ast
from importlib import import_module
from typing import Any

import pytest

from tests.caches.memos import PACKAGE, Forgetting

MEMOS = """
from functools import cache, cached_property, lru_cache
known = {}
made = []
def by_table(a, b):
    if a not in known:
        known[a] = a + b
    return known[a]
def by_get(a, b):
    found = known.get((a, "got"))
    if found is None:
        found = known[a, "got"] = a + b
    return found
@lru_cache(maxsize=8)
def by_decorator(a):
    made.append(a)
    return len(made)
class Holder:
    @cached_property
    def fact(self):
        made.append(self)
        return len(made)
"""
OTHERS = """
from functools import cache
table = {}
def guarded(key, value):
    if key in table:
        raise ValueError(key)
    table[key] = value
def counted(key):
    table[key] = table.get(key, 0) + 1
def one_object_for_all(key):
    if key not in table:
        # Not a memo: compared by identity.
        table[key] = object()
    return table[key]
@cache
def without_a_key():
    return table
"""


def names(text: str) -> dict[str, Any]:
    """What a text defines, without its memos."""
    found: dict[str, Any] = {}
    exec(compile(ast.fix_missing_locations(Forgetting(text, "text.py").tree), "text.py", "exec"), found)
    return found


def test_memos_are_found_and_forgotten() -> None:
    assert [memo.function for memo in Forgetting(MEMOS, "text.py").found] == [
        "by_table",
        "by_get",
        "by_decorator",
        "fact",
    ]
    found = names(MEMOS)
    assert [found["by_table"](1, b) for b in (1, 2)] == [2, 3]
    assert [found["by_get"](1, b) for b in (1, 2)] == [2, 3]
    assert [found["by_decorator"](1) for _ in range(2)] == [1, 2]
    holder = found["Holder"]()
    assert (holder.fact, holder.fact) == (3, 4)


def test_what_is_no_memo_is_left_alone() -> None:
    assert Forgetting(OTHERS, "text.py").found == []
    found = names(OTHERS)
    assert found["one_object_for_all"](1) is found["one_object_for_all"](1)


def constants() -> list[str]:
    """The functions without parameters whose result is kept: files of the package, and what is derived from them."""
    found: list[str] = []
    for path in sorted(PACKAGE.rglob("*.py")):
        module = ".".join(("archdsl", *path.relative_to(PACKAGE).with_suffix("").parts)).removesuffix(".__init__")
        tree = ast.parse(path.read_text("utf-8"))
        for node in tree.body:
            if isinstance(node, ast.FunctionDef) and "cache" in map(ast.unparse, node.decorator_list):
                found += [] if node.args.args else [f"{module}:{node.name}"]
    return found


@pytest.mark.parametrize("name", constants())
def test_what_has_no_key_is_always_the_same(name: str) -> None:
    module, _, function = name.partition(":")
    kept = getattr(import_module(module), function)
    if function != "machine":  # a parser, which has no text of its own
        assert repr(kept.__wrapped__()) == repr(kept())
