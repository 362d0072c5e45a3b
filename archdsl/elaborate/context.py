"""The context of an elaboration, and the environment of an expression.

The context has the keys of equal values, the memo of scopes, the budget, and the current nesting; an environment the
names that an expression sees, the settings in force, and the scope that its tensors live in.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeVar

from archdsl.diagnostics import Span, catalog
from archdsl.elaborate import budget as limits
from archdsl.elaborate.blame import ElaborationError
from archdsl.elaborate.budget import FREE, MOST_LEVELS, Budget, minus, plus
from archdsl.elaborate.scope_builder import TOKENS, ScopeBuilder
from archdsl.elaborate.scope_cache import UNMARKED, Built, Keys, Marks, Place, ScopeCache
from archdsl.elaborate.values import (
    BlockValue,
    Bound,
    Links,
    Policy,
    Repeat,
    Role,
    SettingEntry,
    SettingKey,
    Settings,
    Shared,
    Use,
    Value,
    With,
    given_key,
)
from archdsl.graph import Argument, Origin, Totals
from archdsl.op import Op, Shapes
from archdsl.ops import vocabulary
from archdsl.record import Record
from archdsl.syntax import ast
from archdsl.syntax.naming import NO_NAME, ModuleName, source_of
from archdsl.syntax.scopes import FileScope, Target
from archdsl.syntax.static_names import Statics

Made = TypeVar("Made")


class Trace:
    """The marks of a part under construction."""

    __slots__ = ("asked", "bodies", "declared", "deepest", "effective", "parts", "spared")

    def __init__(self, depth: int) -> None:
        self.asked: set[Target | None] = set()
        self.declared: dict[Place, SettingEntry] = {}
        self.effective: set[Place] = set()
        # The cost of parts that came from a memo.
        self.spared = FREE
        self.deepest = depth
        self.bodies: set[int] = set()
        # Tokens of bodies from a memo that are inside this part.
        self.parts: set[int] = set()


class Body(NamedTuple):
    """The result of a block's body, and the settings it used; `kept` holds what its key knows by identity."""

    arguments: tuple[Argument, ...]
    result: Value
    used: frozenset[SettingKey]
    marks: Marks = UNMARKED
    kept: tuple[object, ...] = ()
    token: int = 0


# The number of blocks of a circle that a message names.
MOST_SHOWN = 4
NOWHERE = Origin("computed", "")


class Dispatch(NamedTuple):
    """The tables by which expressions are evaluated, forms called, and blocks applied.

    They are handed in, as the functions in them call each other through the context.
    """

    expressions: Mapping[type[ast.Expression], Callable[[Any, Any], Value]]
    forms: Mapping[str, Callable[[Any, ast.Call], Value]]
    applications: Mapping[type[BlockValue], Callable[..., Value]]
    in_place: Callable[..., Value]


class Context:
    """Elaboration context."""

    def __init__(self, dispatch: Dispatch, known: ScopeCache | None = None, budget: Budget | None = None) -> None:
        self.dispatch = dispatch
        self.expressions = dispatch.expressions
        self.known = known
        self.keys = known.keys if known else Keys()
        self.ops: dict[tuple[int, int], tuple[Op, frozenset[SettingKey]]] = known.ops if known else {}
        self.works: dict[tuple[Op, tuple[Shapes, ...]], tuple[Shapes, Totals]] = known.works if known else {}
        self.trace = Trace(0)
        self.scopes: dict[tuple[Any, ...], Built] = {}
        self.bodies: dict[tuple[Any, ...], Body] = {}
        self.budget = budget or Budget()
        # The blocks and functions that are being worked out, one inside the other; a chain has no name.
        self.inside: list[str] = []
        self.applied: dict[tuple[int, str, int], Span] = {}
        # True once any `share` was evaluated.
        self.shares = False
        self.identity = vocabulary()["identity"]

    def apply(self, builder: ScopeBuilder, block: BlockValue, value: Value, settings: Settings) -> Value:
        """Apply a block to a tensor, or a list of tensors, in the scope under construction."""
        budget = self.budget
        budget.applications += 1  # inlined: this is on the hottest path
        if budget.applications > limits.MOST_APPLICATIONS:
            budget.apply(block.span, 0)
        return self.dispatch.applications[type(block)](self, builder, block, value, settings)

    def in_place(
        self,
        builder: ScopeBuilder,
        name: str,
        value: Value,
        settings: Settings,
        span: Span,
        given: dict[str, Bound] | None = None,
    ) -> Value:
        """Apply an op without weights as a step of the scope under construction."""
        use = self.use(vocabulary()[name], given or {}, NO_NAME, span)
        return self.dispatch.in_place(self, builder, use, value, settings)

    def enter(self, span: Span | None, name: str = "") -> None:
        """Enter one level of nesting, to be left by `inside.pop()`; raise at the limit, which ends any recursion."""
        depth = len(self.inside)
        if depth >= MOST_LEVELS:
            label = f"blocks are nested more than {MOST_LEVELS} levels deep"
            raise ElaborationError(catalog.TOO_DEEP, span, label, circle([*self.inside, name]))
        self.inside.append(name)
        if depth >= self.trace.deepest:
            self.trace.deepest = depth + 1

    # ---- marks

    def noting(self, work: Callable[..., Made], *given: Any) -> tuple[Made, Marks]:
        """The result of some work, and the marks that it leaves, which count once `note` gets them."""
        outer, depth = self.trace, len(self.inside)
        before, since = self.budget.spent, next(TOKENS)
        trace = self.trace = Trace(depth)
        try:
            made = work(*given)
        finally:
            self.trace = outer
        cost = plus(minus(self.budget.spent, before), trace.spared)
        around = frozenset([token for token in trace.bodies - trace.parts if token < since])
        declared, effective = tuple(trace.declared.items()), frozenset(trace.effective)
        return made, Marks(frozenset(trace.asked), declared, effective, cost, trace.deepest - depth, around)

    def noted(self, work: Callable[[], Made]) -> tuple[Made, Marks]:
        """The result of some work, and the marks that it leaves, which count at once.

        Without memos of other elaborations nobody asks for them: those of this one are as old as what they hold.
        """
        if self.known is None:
            return work(), UNMARKED
        made, marks = self.noting(work)
        self.note(marks)
        return made, marks

    def building(self, work: Callable[..., Built], *given: Any) -> Built:
        """The scope that some work builds, with its marks, for a memo; see `noted`."""
        if self.known is None:
            return work(self, *given)
        built, marks = self.noting(work, self, *given)
        return built._replace(marks=marks)

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
        return self.keys[parts]

    # ---- blocks

    def use(self, target: Target, given: dict[str, Bound], name: ModuleName, span: Span) -> Use:
        """An op or a block with settings."""
        content = self.keys["use", target, given_key(given) if given else ()]
        return Use(self.keys["named", content, name], span, target, given, name, content)

    def identity_use(self, span: Span) -> Use:
        """A block that does nothing."""
        return self.use(self.identity, {}, ModuleName("identity"), span)

    def is_identity(self, block: BlockValue) -> bool:
        """Tell if a block is a literal `identity`."""
        return type(block) is Use and block.target is self.identity

    def links(self, links: tuple[BlockValue, ...], span: Span) -> Links:
        """Blocks in a row, one after the other."""
        return Links(key=self.key("links", *[link.key for link in links]), span=span, links=links)

    def rebuilt(self, block: With | Role, body: BlockValue, name: ModuleName | None = None) -> Any:
        """A block with another body, and perhaps another name."""
        if isinstance(block, With):
            return block.replace(key=self.key("with", block.settings.key, body.key), body=body)
        name = name or block.name
        return block.replace(key=self.key(block.role, name, body.key), name=name, body=body)

    def row(self, name: ModuleName, runs: tuple[tuple[int, BlockValue], ...], gathers: bool, span: Span) -> Repeat:
        """Runs of equal blocks."""
        key = self.key("row", name, gathers, tuple((count, block.key) for count, block in runs))
        return Repeat(key=key, span=span, name=name, runs=runs, gathers=gathers)

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


class Environment(Record):
    """The environment of a body, a section or a setting.

    Copies share the dicts and sets, but for the `names` of `inner` ones.
    """

    context: Context
    file: FileScope
    statics: Statics
    names: dict[str, Value]
    settings: Settings
    # The names that have been read, for unused constants and for bodies that never read their input.
    read: set[str]
    # The words of each parameter that is an enumeration.
    choices: dict[str, tuple[str, ...]]
    # All names in scope, read by the text or not: for suggestions.
    around: Mapping[str, Value]
    # The scope under construction; None where there are no tensors.
    builder: ScopeBuilder | None = None
    # The names that come from the signature.
    parameters: frozenset[str] = frozenset()
    # The words of an enumeration that may be meant in what is evaluated.
    words: tuple[str, ...] = ()
    # In a loop, each place has a list of modules, one for each iteration.
    listed: bool = False
    # Unknown names are words of an enumeration that is not known yet.
    free: bool = False
    # A local name of a block is applied at one place only.
    once: bool = True
    # The parameter whose value 0 drops the op that it sizes (`classes`).
    dropped: str = ""
    # The sections that come later.
    later: frozenset[str] = frozenset()
    # The outputs, which no section reads, wherever they stand.
    outputs: frozenset[str] = frozenset()

    def replace(self, **changes: Any) -> Environment:
        """A copy with some fields changed: faster than that of other records, as an environment has no hash."""
        return Environment(**(self.__dict__ | changes))

    def inner(self, node: ast.Node, names: dict[str, Value], listed: bool | None = None) -> Environment:
        """This environment with more names, for one iteration of a repeat or a loop; counted, as each is copied."""
        self.context.budget.item(node.span, len(self.names))
        return self.replace(names={**self.names, **names}, listed=self.listed if listed is None else listed)

    def expecting(self, words: tuple[str, ...]) -> Environment:
        """This environment where one of some words may be meant."""
        return self if words == self.words else self.replace(words=words)

    def place(self, node: object, kind: str) -> ModuleName:
        """The name of the module that is applied at a place of the text; `kind` where the text gives it none."""
        found = self.statics.names.get(id(node))
        name = ModuleName(kind) if found is None else found
        return name._replace(listed=True) if self.listed and name.text else name


def renamed(environment: Environment, block: BlockValue, name: ModuleName, span: Span) -> BlockValue:
    """A block under another name; several blocks become one module."""
    key = environment.context.key
    match block:
        case Use():
            return environment.context.use(block.target, block.given, name, span)
        case Policy():
            marked = key("policy", block.policy, given_key(block.given), name)
            return block.replace(key=marked, name=name)
        case Role():
            return environment.context.rebuilt(block, block.body, name)
        case Repeat():
            return environment.context.row(name, block.runs, block.gathers, span)
        case Shared():
            return block.replace(name=name)
        case _:
            return Role(key=key("own", name, block.key), span=span, name=name, body=block, role="own")


def placed(environment: Environment, node: ast.Expression, value: Value) -> Value:
    """A value that an expression takes out of a list or gets from a function: a block is called as the text calls it.

    It was written elsewhere, so its own name says nothing about its neighbours here. What `...` gives is several.
    """
    name = environment.place(source_of(node), "") if isinstance(value, BlockValue) else NO_NAME
    if not name or isinstance(value, Shared) or environment.context.is_identity(value):
        return value
    if isinstance(node, ast.Unpack):
        name = name._replace(listed=True)
    return renamed(environment, value, name, value.span)
