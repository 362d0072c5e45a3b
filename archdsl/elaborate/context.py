"""Elaboration context: keys of equal values, the memo of scopes, the budget, and the current nesting."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, Self, TypeVar

from archdsl.diagnostics import catalog
from archdsl.elaborate.blame import ElaborationError
from archdsl.elaborate.budget import FREE, MOST_LEVELS, Budget, minus, plus
from archdsl.elaborate.scope_builder import TOKENS, ScopeBuilder
from archdsl.elaborate.scope_cache import UNMARKED, Built, Marks, Place, ScopeCache
from archdsl.elaborate.values import (
    BlockValue,
    Bound,
    Links,
    Repeat,
    SettingEntry,
    SettingKey,
    Settings,
    Use,
    Value,
    given_key,
)
from archdsl.graph import Argument, Origin
from archdsl.op import Op, Shapes
from archdsl.ops import vocabulary
from archdsl.syntax import ast
from archdsl.syntax.naming import ModuleName
from archdsl.syntax.scopes import Target

if TYPE_CHECKING:
    from archdsl.diagnostics import Span
    from archdsl.graph import Totals

Made = TypeVar("Made")


class Trace:
    """The marks of a part under construction."""

    __slots__ = ("asked", "bodies", "declared", "deepest", "effective", "parts", "spared")

    def __init__(self, depth: int) -> None:
        self.asked: set[Target | None] = set()
        self.declared: dict[Place, SettingEntry] = {}
        self.effective: set[Place] = set()
        self.spared = FREE
        """The cost of parts that came from a memo."""
        self.deepest = depth
        self.bodies: set[int] = set()
        self.parts: set[int] = set()
        """Tokens of bodies from a memo that are inside this part."""


class Body(NamedTuple):
    """The result of a block's body, and the settings it used; `kept` holds what its key knows by identity."""

    arguments: tuple[Argument, ...]
    result: Value
    used: frozenset[SettingKey]
    marks: Marks = UNMARKED
    kept: tuple[object, ...] = ()
    token: int = 0


MOST_SHOWN = 4
"""The number of blocks of a circle that a message names."""
NOWHERE = Origin("computed", "")


class Dispatch(NamedTuple):
    """The tables by which expressions are evaluated, forms called, and blocks applied.

    They are handed in, as the functions in them call each other through the context.
    """

    expressions: Mapping[type[ast.Expression], Callable[[Any, Any], Value]]
    forms: Mapping[str, Callable[[Any, ast.Call], Value]]
    applications: Mapping[type[BlockValue], Callable[..., Value]]


class Context:
    """Elaboration context."""

    def __init__(self, dispatch: Dispatch, known: ScopeCache | None = None, budget: Budget | None = None) -> None:
        self.dispatch = dispatch
        self.expressions = dispatch.expressions
        self.known = known
        self.keys: dict[tuple[Any, ...], int] = known.keys if known else {}
        self.ops: dict[tuple[int, int], tuple[Op, frozenset[SettingKey]]] = known.ops if known else {}
        self.works: dict[tuple[Op, Shapes], tuple[Shapes, Totals]] = known.works if known else {}
        self.trace = Trace(0)
        self.scopes: dict[tuple[Any, ...], Built] = {}
        self.bodies: dict[tuple[Any, ...], Body] = {}
        self.budget = budget or Budget()
        self.inside: list[str] = []
        """The blocks and functions that are being worked out, one inside the other; a chain has no name."""
        self.applied: dict[tuple[int, str, int], Span] = {}
        self.shares = False
        """True once any `share` was evaluated."""
        self.identity = vocabulary()["identity"]

    def apply(self, builder: ScopeBuilder, block: BlockValue, value: Value, settings: Settings) -> Value:
        """Apply a block to a tensor, or a list of tensors, in the scope under construction."""
        self.budget.apply(block.span)
        return self.dispatch.applications[type(block)](self, builder, block, value, settings)

    def level(self, span: Span | None, name: str = "") -> Self:
        """Enter one level of nesting (in a `with`); raise at the limit, which ends any recursion."""
        if len(self.inside) >= MOST_LEVELS:
            label = f"blocks are nested more than {MOST_LEVELS} levels deep"
            raise ElaborationError(catalog.TOO_DEEP, span, label, circle([*self.inside, name]))
        self.inside.append(name)
        self.trace.deepest = max(self.trace.deepest, len(self.inside))
        return self

    def __enter__(self) -> None:
        pass

    def __exit__(self, *_: object) -> None:
        self.inside.pop()

    def noting(self, work: Callable[[], Made]) -> tuple[Made, Marks]:
        """The result of some work, and the marks that it leaves, which count once `note` gets them."""
        outer, depth = self.trace, len(self.inside)
        before, since = (FREE, 0) if self.known is None else (self.budget.spent, next(TOKENS))
        trace = self.trace = Trace(depth)
        try:
            made = work()
        finally:
            self.trace = outer
        if self.known is None and not (trace.declared or trace.effective):
            return made, UNMARKED
        declared, effective = tuple(trace.declared.items()), frozenset(trace.effective)
        if self.known is None:
            return made, Marks(declared=declared, effective=effective)
        cost = plus(minus(self.budget.spent, before), trace.spared)
        around = frozenset([token for token in trace.bodies - trace.parts if token < since])
        return made, Marks(frozenset(trace.asked), declared, effective, cost, trace.deepest - depth, around)

    def building(self, work: Callable[[], Built]) -> Built:
        """The scope that some work builds, with its marks, for a memo."""
        built, marks = self.noting(work)
        return built if built.marks is marks else built._replace(marks=marks)

    def note(self, marks: Marks, *, spared: bool = False) -> None:
        """Count the marks of a part; `spared` if it came from a memo."""
        if marks is UNMARKED:
            return
        trace = self.trace
        for place, entry in marks.declared:
            trace.declared.setdefault(place, entry)
        trace.effective |= marks.effective
        trace.asked |= marks.asked
        trace.deepest = max(trace.deepest, len(self.inside) + marks.levels)
        trace.bodies |= marks.bodies
        if spared:
            trace.spared = plus(trace.spared, marks.cost)

    @property
    def worked(self) -> tuple[int, int]:
        """The sizes of the memos, for `forget`."""
        return len(self.scopes), len(self.bodies)

    def forget(self, worked: tuple[int, int]) -> None:
        """Drop from the memos what a trial has added since `worked` was read."""
        for memo, size in zip((self.scopes, self.bodies), worked, strict=True):
            while len(memo) > size:
                memo.popitem()

    # ---- keys

    def key(self, *parts: Any) -> int:
        """A number that is equal for equal parts."""
        return self.keys.setdefault(parts, len(self.keys))

    # ---- blocks

    def use(self, target: Target, given: dict[str, Bound], name: ModuleName, span: Span) -> Use:
        """An op or a block with settings."""
        keys = self.keys
        content = keys.setdefault(("use", target, given_key(given) if given else ()), len(keys))
        key = keys.setdefault(("named", content, name), len(keys))
        return Use(key, span, target, given, name, content)

    def identity_use(self, span: Span) -> Use:
        """A block that does nothing."""
        return self.use(self.identity, {}, ModuleName("identity"), span)

    def is_identity(self, block: BlockValue) -> bool:
        """Tell if a block is a literal `identity`."""
        return isinstance(block, Use) and block.target is self.identity

    def links(self, links: tuple[BlockValue, ...], span: Span) -> Links:
        """Blocks in a row, one after the other."""
        return Links(key=self.key("links", *[link.key for link in links]), span=span, links=links)

    def row(self, name: ModuleName, runs: tuple[tuple[int, BlockValue], ...], gathers: bool, span: Span) -> Repeat:
        """Runs of equal blocks."""
        key = self.key("row", name, gathers, tuple((count, block.key) for count, block in runs))
        return Repeat(key=key, span=span, name=name, runs=runs, gathers=gathers)

    def bound_number(self, value: int, span: Span) -> Bound:
        """A number that the text implies, as an argument."""
        return Bound(value, span, NOWHERE)

    # ---- settings

    def settings(self, entries: dict[SettingKey, SettingEntry]) -> Settings:
        """A table of settings."""
        if not entries:
            return Settings(entries, 0)
        parts = frozenset([(target, name, entry.key) for (target, name), entry in entries.items()])
        return Settings(entries, self.key("settings", parts) + 1)

    def extended(self, settings: Settings, inner: Settings) -> Settings:
        """The settings in force inside a `with`."""
        return self.settings(settings.entries | inner.entries)


def circle(inside: list[str]) -> str:
    """Help for nesting that is too deep: the blocks and functions that use each other, if they do."""
    *before, last = [name for name in inside if name] or [""]
    if last not in before:
        return "does a block use itself without an end?"
    between = before[len(before) - before[::-1].index(last) :]
    if not between:
        return f"`{last}` uses itself; the recursion needs an end"
    shown = [f"`{name}`" for name in between[:MOST_SHOWN]] + ["..."] * (len(between) > MOST_SHOWN)
    return f"`{last}` uses {', which uses '.join(shown)}, which uses `{last}`; the recursion needs an end"
