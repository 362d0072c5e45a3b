"""What one elaboration carries along: keys of equal things, the memo of scopes, the budget, and where it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Self, TypeVar, cast

from archdsl.errors import catalog
from archdsl.graph import Argument, Origin
from archdsl.lang.evaluate.building import TOKENS, Builder
from archdsl.lang.evaluate.settings import Entry, Settings, Slot
from archdsl.lang.text.files import Target
from archdsl.lang.values.faults import Fault
from archdsl.lang.values.limits import FREE, MOST_LEVELS, Budget, Cost, minus, plus
from archdsl.lang.values.value import BlockValue, Bound, Links, Row, Tensor, TensorList, Use, Value
from archdsl.op import Op, Shapes
from archdsl.ops import vocabulary

if TYPE_CHECKING:
    from archdsl.errors import Span
    from archdsl.graph import Scope, Totals
    from archdsl.lang.evaluate.known import Known


class Notes(NamedTuple):
    """All that a piece of work has to do with the elaboration around it, but for its result (`known`).

    The ops, blocks and policies (None) whose settings it asked for; what it costs, and how many levels it nests, with
    nothing worked out before; and the bodies (by their tokens) around it that it leaves a mark on.
    """

    asked: frozenset[Target | None] = frozenset()
    cost: Cost = FREE
    levels: int = 0
    marks: frozenset[int] = frozenset()


NOTHING = Notes()


class Trace:
    """What becomes the notes of a piece of work, while that is under way."""

    def __init__(self, depth: int) -> None:
        self.asked: set[Target | None] = set()
        self.spared = FREE
        """The cost of what had been worked out before."""
        self.deepest = depth
        self.marks: set[int] = set()
        self.bodies: set[int] = set()
        """Those that had been worked out before, and are a part of this work all the same."""


class Built(NamedTuple):
    """A scope; what was found, in it and below, in the settings in force around it; and notes for `known`."""

    scope: Scope
    used: frozenset[Slot]
    notes: Notes = NOTHING


class Body(NamedTuple):
    """What a block's body comes to, and what was asked for on the way; `kept` is what its key knows by identity."""

    arguments: tuple[Argument, ...]
    result: Value
    used: frozenset[Slot]
    kept: tuple[object, ...] = ()
    token: int = 0
    notes: Notes = NOTHING


class Rest(NamedTuple):
    """What `...args` took: settings to pass on."""

    given: dict[str, Bound]

    def values(self) -> list[Value]:
        """What they are set to."""
        return [bound.value for bound in self.given.values()]


Work = TypeVar("Work")

MOST_SHOWN = 4
"""So many blocks of a circle are named."""
ALL = -1
"""The token of no body: a mark on the elaboration as a whole."""
NOWHERE = Origin("computed", "")


class Session:
    """One elaboration. Evaluation applies blocks through `apply` and `in_place`, which `application` provides."""

    apply: ClassVar[Callable[[Session, Builder, BlockValue, Value, Settings], Value]]
    in_place: ClassVar[Callable[[Session, Builder, Use, Value, Settings], Value]]

    def __init__(self, known: Known | None = None, budget: Budget | None = None) -> None:
        self.known = known
        self.keys: dict[tuple[Any, ...], int] = known.keys if known else {}
        self.ops: dict[tuple[int, int], tuple[Op, frozenset[Slot]]] = known.ops if known else {}
        self.works: dict[tuple[Op, Shapes], tuple[Shapes, Totals]] = known.works if known else {}
        self.trace = Trace(0)
        self.scopes: dict[tuple[Any, ...], Built] = {}
        self.bodies: dict[tuple[Any, ...], Body] = {}
        self.budget = budget or Budget()
        self.inside: list[str] = []
        """The blocks and functions that are being worked out, one inside the other; a chain has no name."""
        self.applied: dict[tuple[int, str, int], Span] = {}
        self.declared: dict[tuple[Slot, int], Entry] = {}
        self.effective: set[tuple[Slot, int]] = set()
        self.shares = False
        """Whether the text has shared weights anywhere."""
        self.identity = vocabulary()["identity"]

    def level(self, span: Span | None, name: str = "") -> Self:
        """For a `with`: one level deeper, up to the limit. What recurses ends here."""
        if len(self.inside) >= MOST_LEVELS:
            label = f"blocks are nested more than {MOST_LEVELS} levels deep"
            raise Fault(catalog.TOO_DEEP, span, label, circle([*self.inside, name]))
        self.inside.append(name)
        self.trace.deepest = max(self.trace.deepest, len(self.inside))
        return self

    def __enter__(self) -> None:
        pass

    def __exit__(self, *_: object) -> None:
        self.inside.pop()

    # ---- notes: what another elaboration has to know that takes over a piece of work

    def noting(self, work: Callable[[], Work]) -> tuple[Work, Notes]:
        """What some work comes to, with notes of it where somebody may read them."""
        if self.known is None:
            return work(), NOTHING
        outer, depth, before = self.trace, len(self.inside), self.budget.used
        since, trace = next(TOKENS), Trace(depth)
        self.trace = trace
        try:
            result = work()
        finally:
            self.trace = outer
        cost = plus(minus(self.budget.used, before), trace.spared)
        marks = frozenset([token for token in trace.marks if token < since and token not in trace.bodies])
        notes = Notes(frozenset(trace.asked), cost, trace.deepest - depth, marks)
        self.note(notes, spared=False)
        return result, notes

    def note(self, notes: Notes, *, spared: bool = True) -> None:
        """Enters the notes of a part into those of the whole; `spared` says that the part was worked out before."""
        if notes is NOTHING:
            return
        trace = self.trace
        trace.asked |= notes.asked
        trace.deepest = max(trace.deepest, len(self.inside) + notes.levels)
        trace.marks |= notes.marks
        if spared and notes.cost != FREE:
            trace.spared = plus(trace.spared, notes.cost)

    def mark(self, token: int = ALL) -> None:
        """Notes a mark that work leaves on the body of that token, or on the elaboration: only once more leaves it."""
        self.trace.marks.add(token)

    # ---- keys

    def key(self, *parts: Any) -> int:
        """A number that is equal for equal parts."""
        return self.keys.setdefault(parts, len(self.keys))

    def value_key(self, value: Value) -> Any:
        """What stands for a value in a key: blocks by their own key, tensors by their shapes."""
        kind = cast("type[object]", type(value))
        if kind is int:
            return value
        if isinstance(value, BlockValue):
            return ("block", value.key)
        if kind is Tensor:
            return ("tensor", value.shape)
        if kind is TensorList:
            return ("tensors", value.shapes)
        if kind is Rest:
            return self.given_key(value.given)
        if kind is tuple:
            return tuple([self.value_key(item) for item in value])
        return (kind, value)

    def given_key(self, given: dict[str, Bound]) -> tuple[Any, ...]:
        """What stands for settings in a key."""
        values = [(name, given[name].value) for name in sorted(given)]
        return tuple([(name, value if type(value) is int else self.value_key(value)) for name, value in values])

    # ---- blocks

    def use(self, target: Target, given: dict[str, Bound], name: str, span: Span) -> Use:
        """An op or a block with settings."""
        keys = self.keys
        content = keys.setdefault(("use", target, self.given_key(given) if given else ()), len(keys))
        key = keys.setdefault(("named", content, name), len(keys))
        return Use(key, span, target, given, name, content)

    def is_identity(self, block: BlockValue) -> bool:
        """Whether a block is a literal `identity`."""
        return isinstance(block, Use) and block.target is self.identity

    def links(self, links: tuple[BlockValue, ...], span: Span) -> Links:
        """Blocks in a row, one after the other."""
        return Links(key=self.key("links", *[link.key for link in links]), span=span, links=links)

    def row(self, name: str, runs: tuple[tuple[int, BlockValue], ...], gathers: bool, span: Span) -> Row:
        """Runs of equal blocks."""
        key = self.key("row", name, gathers, tuple((count, block.key) for count, block in runs))
        return Row(key=key, span=span, name=name, runs=runs, gathers=gathers)

    def bound_number(self, value: int, span: Span) -> Bound:
        """A number that the text implies, as an argument."""
        return Bound(value, span, NOWHERE)

    # ---- settings

    def settings(self, entries: dict[Slot, Entry]) -> Settings:
        """A table of settings."""
        if not entries:
            return Settings(entries, 0)
        parts = frozenset([(target, name, entry.key) for (target, name), entry in entries.items()])
        return Settings(entries, self.key("settings", parts) + 1)

    def extended(self, settings: Settings, inner: Settings) -> Settings:
        """The settings in force inside a `with`."""
        return self.settings(settings.entries | inner.entries)


def circle(inside: list[str]) -> str:
    """What is said of blocks and functions that are nested too deeply: which of them use each other, if they do."""
    *before, last = [name for name in inside if name] or [""]
    if last not in before:
        return "does a block use itself without an end?"
    between = before[len(before) - before[::-1].index(last) :]
    if not between:
        return f"`{last}` uses itself; the recursion needs an end"
    shown = [f"`{name}`" for name in between[:MOST_SHOWN]] + ["..."] * (len(between) > MOST_SHOWN)
    return f"`{last}` uses {', which uses '.join(shown)}, which uses `{last}`; the recursion needs an end"
