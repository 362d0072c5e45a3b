"""The figures of the candidates of a family, line by line of the chain.

A line is a function of the names that it reads and of the shape before it, so one real candidate (the leader) is
elaborated for each different way that a line takes, by the ordinary elaborator, with lanes for its numbers. The totals
of its scope are then polynomials, which all candidates of that way share. After a line, the channels of its output are
a column like any other input; the rest of its shape (height, width, the number of dimensions) splits the candidates.

What has no such form is worked out alone: see `Outcome`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import Enum
from typing import Any, NamedTuple, cast

import numpy as np

from archdsl.analyses.cost import Counts, Load, counts_of, limits_of, sums
from archdsl.analyses.families.candidates import ABSENT, Candidates, Given, Group, Hole, Skeleton, has_holes
from archdsl.analyses.families.lane import Algebra, Guard, Lane, Tape
from archdsl.analyses.families.rows import Array, Domain, Form, Index, Rows, Table
from archdsl.analyses.families.trie import Trie
from archdsl.diagnostics import ArchError, Diagnostic
from archdsl.elaborate.blame import ElaborationError
from archdsl.elaborate.budget import MOST_OPS, MOST_PARAMS, most
from archdsl.elaborate.context import Context
from archdsl.elaborate.lines import LineContext, Worked, work_out
from archdsl.elaborate.network import DISPATCH, LIMITS, Elaboration
from archdsl.elaborate.numbers import Undecided
from archdsl.elaborate.scope_cache import Keys
from archdsl.elaborate.values import Tensor, Value, same_key
from archdsl.graph import Scope, Totals
from archdsl.graph.ir import HELD
from archdsl.op import Shape
from archdsl.syntax.ast import Output, SectionLine
from archdsl.syntax.inheritance import InheritedLine, ResolvedNetwork
from archdsl.syntax.static_names import line_of

CHAIN = ""
"""The chain's own tensor among the named ones."""
SUMMED = (*Totals._fields, *Counts._fields)
"""The figures that are sums over the lines."""
WORK = frozenset(SUMMED) - frozenset(HELD)
"""Those that training-only lines have no part in."""


NEEDED = ("ops", "params")
"""Those that decide whether a network is too large."""


class Outcome(Enum):
    """Outcome of a way that ends without figures.

    WRONG is a candidate with errors, whose findings are those that it has alone. ALONE is one that the engine has no
    answer for: at a limit of the work that is done for one network, or where a question has no answer for lanes.
    """

    WRONG = 1
    ALONE = 2


class Prepared(NamedTuple):
    """The names and settings in force for the lines, and whether any of them has shared weights."""

    lines: LineContext
    shares: bool


class Way(NamedTuple):
    """A line on its way: its scope, its output, and its sums over ops; `times` are FLOP and bytes of each op."""

    scope: Scope
    output: tuple[Lane | int, ...]
    form: Form
    ops: tuple[Scope, ...]
    times: Form


class Spatial(NamedTuple):
    """Shared part of a shape: the number of dimensions, and those that are no column; None for those that are."""

    sides: tuple[int | None, ...]


class State(NamedTuple):
    """State that decides the lines to come, numbers aside: what was prepared, and the shapes of the tensors so far."""

    prepared: Prepared
    shapes: Mapping[str, Spatial]


class Sums(NamedTuple):
    """The figures of many candidates by name; their seconds, and the outcome of each."""

    sums: dict[str, Array]
    seconds: Array | None
    outcomes: Array
    """0 where there are figures, else the value of an `Outcome`."""


class Stop(Exception):
    """Raised where a leader is wrong; no finding is made of it."""


class Preparation(Elaboration):
    """The names and settings of a leader. An error ends it, as its text would ask for values that no guard needs."""

    def told(self, error: ElaborationError, line: InheritedLine | None) -> list[Diagnostic]:
        raise Stop


class Engine:
    """The figures of a family; ways are kept, so that later candidates find those of earlier ones.

    `convert` makes a value of the language of one of Python's, for a parameter by name. `setting` is what the
    estimated time is for, where that is asked for; `figures` are those of `SUMMED` that are needed.
    """

    def __init__(
        self,
        family: ResolvedNetwork,
        convert: Callable[[str, Any], Any],
        size: tuple[int, ...] | None = None,
        setting: Load | None = None,
        figures: Sequence[str] = SUMMED,
    ) -> None:
        self.family = family
        self.figures = tuple(dict.fromkeys((*NEEDED, *figures)))
        self.convert = convert
        self.size = size
        self.setting = setting
        self.algebra = Algebra()
        self.keys = Keys()
        self.beginnings: dict[Any, Trie[Prepared | Outcome]] = {}
        self.tries: dict[Any, Trie[Way | Outcome]] = {}
        self.input: Shape = ()
        self.traced = 0
        """The number of leaders."""
        self.lines = (*family.sections, *family.outputs)
        self.read = frozenset(name for line in self.lines for name in line_of(content_of(line).value, line.file).names)
        """The names that lines read: only these tensors have columns."""

    # ---- all lines

    def sums(self, candidates: Candidates) -> Sums:
        """The figures of some candidates."""
        table = Table(self.algebra, candidates.size)
        outcomes = np.zeros(candidates.size, np.int8)
        outcomes[candidates.unfit] = Outcome.ALONE.value
        total = Accumulator(candidates.size, self.figures, self.setting)
        states: dict[Any, tuple[State, list[Index]]] = {}
        for group in candidates.groups():
            for rows, prepared in self.prepare(group, candidates, table):
                if isinstance(prepared, Outcome):
                    outcomes[rows.index] = prepared.value
                else:
                    add_state(states, State(prepared, {}), rows.index)
        for line in self.lines:
            states = self.step(line, states, table, total, outcomes)
        total.check(outcomes)
        return Sums(total.sums, total.seconds, outcomes)

    def step(
        self, line: InheritedLine, states: dict[Any, Any], table: Table, total: Accumulator, outcomes: Array
    ) -> dict[Any, Any]:
        """One line for all candidates."""
        content = content_of(line)
        after: dict[Any, tuple[State, list[Index]]] = {}
        for key, several in self.alike(line, states).items():
            trie = self.tries.setdefault(key, Trie())
            numbers = np.zeros(table.size, np.int64)
            for at, (_, index) in enumerate(several):
                numbers[index] = at
            rows = Rows(table, np.concatenate([index for _, index in several]))
            state, domain = several[0][0], Domain(rows)
            ends: list[tuple[Rows, Way]] = []
            for part, way in trie.leaves_of(rows, domain, lambda at, state=state: self.trace(line, state, table, at)):
                if isinstance(way, Outcome):
                    outcomes[part.index] = way.value
                    continue
                total.add(part, domain, way, idle=isinstance(content, Output) and content.training)
                ends.append((part, way))
            for part, way in ends:
                self.advance(content, part, way, [state for state, _ in several], numbers, after)
        return after

    def alike(self, line: InheritedLine, states: dict[Any, Any]) -> dict[Any, list[tuple[State, Index]]]:
        """The states by what the line depends on: the names that it reads, the settings, the shapes."""
        found: dict[Any, list[tuple[State, Index]]] = {}
        names = sorted(line_of(content_of(line).value, line.file).names)
        for state, parts in states.values():
            known = state.prepared.lines.names
            values = tuple([(name, same_key(known[name])) for name in names if name in known])
            shapes = tuple([(name, state.shapes.get(name)) for name in (CHAIN, *names)])
            key = (id(line), values, state.prepared.lines.settings.key, state.prepared.shares, shapes)
            found.setdefault(key, []).append((state, np.concatenate(parts)))
        return found

    def advance(
        self,
        content: SectionLine | Output,
        part: Rows,
        way: Way,
        states: Sequence[State],
        numbers: Array,
        after: dict[Any, Any],
    ) -> None:
        """Put a line's output among the tensors of the candidates that went this way."""
        needed = content.name in self.read
        chain = isinstance(content, SectionLine)
        for spatial, index in self.shapes(part, way.output):
            rows = part if index is part.index else part.part(index)
            for name in [*([CHAIN] if chain else []), *([content.name] if needed else [])]:
                for at, side in enumerate(way.output):
                    if spatial.sides[at] is None:
                        part.table.fill(self.side(name, at), index, rows.value(side))
            for number in np.unique(numbers[index]) if len(states) > 1 else (0,):
                before = states[number]
                shapes = {
                    **before.shapes,
                    **({CHAIN: spatial} if chain else {}),
                    **({content.name: spatial} if needed else {}),
                }
                chosen = index[numbers[index] == number] if len(states) > 1 else index
                add_state(after, State(before.prepared, shapes), chosen)

    def shapes(self, part: Rows, output: tuple[Lane | int, ...]) -> Iterator[tuple[Spatial, Index]]:
        """The candidates by what is no column of their shapes: of a map, height and width."""
        fixed = range(1, 3) if len(output) == 3 else ()
        index = [part.index]
        sides: list[tuple[int | None, ...]] = [()]
        for at, side in enumerate(output):
            varies = isinstance(side, Lane)
            if not varies or at not in fixed:
                sides = [(*before, None if varies else int(side)) for before in sides]
                continue
            split: list[tuple[Index, tuple[int | None, ...]]] = []
            for chosen, before in zip(index, sides, strict=True):
                values = part.part(chosen).value(side)
                split += [(chosen[values == value], (*before, int(value))) for value in np.unique(values)]
            index, sides = [each for each, _ in split], [before for _, before in split]
        for chosen, before in zip(index, sides, strict=True):
            yield Spatial(before), chosen

    def side(self, name: str, at: int) -> Lane:
        """A side of a tensor as an input."""
        return self.algebra.atom("input", ("tensor", name, at))

    # ---- leaders

    def prepare(self, group: Group, candidates: Candidates, table: Table) -> Iterator[tuple[Rows, Prepared | Outcome]]:
        """The names and settings of a group, by the ways that these take."""
        skeletons = {name: each for name, each in group.skeletons.items() if each != ABSENT}
        rows = Rows(table, group.index)
        if not skeletons or not all(map(has_holes, skeletons.values())):
            yield rows, Outcome.ALONE
            return
        for name in skeletons:
            for place, values in candidates.columns[name].ints.items():
                table.fill(self.parameter(name, place), group.index, values[group.index])
        trie = self.beginnings.setdefault(tuple(sorted(skeletons.items(), key=lambda item: item[0])), Trie())
        yield from trie.leaves_of(rows, Domain(rows), lambda at: self.trace_beginning(skeletons, table, at))

    def parameter(self, name: str, place: tuple[int, ...]) -> Lane:
        """An int of a parameter as an input."""
        return self.algebra.atom("input", ("parameter", name, place))

    def value(self, name: str, skeleton: Skeleton) -> Value:
        """The value of a parameter, with lanes for its ints."""
        if isinstance(skeleton, Hole):
            return self.parameter(name, skeleton.place)
        if isinstance(skeleton, Given):
            return self.convert(name, skeleton.value)
        return tuple([self.value(name, each) for each in skeleton])

    def context(self, shares: bool = False) -> Context:
        """A context without memories but of keys: a memo of another leader would answer without asking."""
        context = Context(DISPATCH)
        context.keys = self.keys
        context.shares = shares
        return context

    def follow(self, table: Table, at: int, work: Callable[[], Any]) -> tuple[list[Guard], Any]:
        """The guards of a leader, and what some work for it comes to."""
        self.traced += 1
        tape = self.algebra.tape = Tape(self.algebra, table.of_one(at))
        try:
            result = work()
        except (Stop, ElaborationError, ArchError, RecursionError) as error:
            result = Outcome.ALONE if is_limit(error) else Outcome.WRONG
        except (Undecided, TypeError, ValueError, ArithmeticError):  # a question that lanes have no answer to
            result = Outcome.ALONE
        return tape.guards, result

    def trace_beginning(
        self, skeletons: Mapping[str, Skeleton], table: Table, at: int
    ) -> tuple[list[Guard], Prepared | Outcome]:
        """Bind the parameters of a leader, and what the settings say."""

        def work() -> Prepared | Outcome:
            params = {name: self.value(name, each) for name, each in skeletons.items()}
            leader = Preparation(self.family, params, self.size, self.context())
            leader.prepare()
            self.input = leader.size
            if self.is_long(leader.context):
                return Outcome.ALONE
            return Prepared(leader.line_context, leader.context.shares)

        return self.follow(table, at, work)

    def trace(self, line: InheritedLine, state: State, table: Table, at: int) -> tuple[list[Guard], Way | Outcome]:
        """Work out a line of a leader."""
        content = content_of(line)

        def work() -> Way | Outcome:
            context = self.context(state.prepared.shares)
            lines = state.prepared.lines.under(dict(state.prepared.lines.names), state.prepared.lines.settings)
            lines.context = context
            for number, (name, spatial) in enumerate(state.shapes.items()):
                if name != CHAIN:
                    lines.names[name] = Tensor(number, self.shape(name, spatial))
                    lines.kinds[name] = "tensor"
            before = None
            if isinstance(content, SectionLine):
                before = self.shape(CHAIN, state.shapes[CHAIN]) if state.shapes else self.input
            worked = work_out(lines, content, line.file, before)
            return Outcome.ALONE if self.is_long(context) else self.way(worked)

        return self.follow(table, at, work)

    def shape(self, name: str, spatial: Spatial) -> Shape:
        """The shape of a tensor, with lanes for its columns."""
        sides = [self.side(name, at) if side is None else side for at, side in enumerate(spatial.sides)]
        return cast("Shape", tuple(sides))

    def is_long(self, context: Context) -> bool:
        """Tell if a line takes so much work that several like it might reach a limit."""
        budget = context.budget
        most_used = max(
            max(spent, tried) / limit for spent, tried, limit in zip(budget.spent, budget.tried, most(), strict=True)
        )
        return most_used * (len(self.lines) + 1) > 1

    def way(self, worked: Worked) -> Way:
        """The sums of a line that is worked out."""
        scope = worked.scope
        counts: dict[Scope, Counts] = {}

        def of_op(each: Scope) -> Counts:
            counts[each] = counts_of(each)
            return counts[each]

        # Of no use for the usual figures, which are totals.
        counted = self.setting is not None or not frozenset(Totals._fields).issuperset(self.figures)
        summed = sums(scope, Counts(), of_op)[scope] if counted else Counts()
        figures = dict(zip(SUMMED, (*scope.totals, *summed), strict=True))
        form = Form([figures[name] for name in self.figures])
        ops = tuple(each for each, found in counts.items() if found.kernels) if self.setting else ()
        loads = [number for each in ops for number in self.loads(counts[each])]
        return Way(scope, scope.output, form, ops, Form(loads))  # type: ignore[arg-type]

    def loads(self, counts: Counts) -> tuple[int, int]:
        """The FLOP of an op, and the bytes that it moves, for the whole batch."""
        assert self.setting is not None
        return self.setting.batch * counts.flops, counts.bytes(self.setting.precision, self.setting.batch)


class Accumulator:
    """The sums of the lines so far: a column for each figure."""

    def __init__(self, size: int, figures: Sequence[str], setting: Load | None) -> None:
        self.sums: dict[str, Array] = {name: np.zeros(size, np.int64) for name in figures}
        self.setting = setting
        self.seconds = None if setting is None else np.zeros(size)

    def add(self, rows: Rows, domain: Domain, way: Way, idle: bool) -> None:
        """Add a line's figures for some candidates; `idle` if inference does not run it."""
        for name, values in zip(self.sums, way.form.values(rows, domain), strict=True):
            if not (idle and name in WORK):
                self.add_figure(name, rows.index, values)
        if self.seconds is not None and self.setting is not None and not idle:
            self.seconds[rows.index] += times(rows, domain, way, self.setting)

    def add_figure(self, name: str, index: Index, values: Array | int) -> None:
        """Add to one figure, which goes on in Python's integers where 64 bits may be too few."""
        column = self.sums[name]
        if column.dtype != object and int(np.max(values)) >= LARGE:
            column = self.sums[name] = column.astype(object)
        column[index] += values

    def check(self, outcomes: Array) -> None:
        """Note the candidates that are larger than any network may be."""
        large = (self.sums["ops"] > MOST_OPS) | (self.sums["params"] > MOST_PARAMS)
        outcomes[large.astype(bool) & (outcomes == 0)] = Outcome.WRONG.value


LARGE = 2**50
"""Lines with less each add up to a figure within 64 bits, as there are fewer than 2 ** 12."""


class Seconds(NamedTuple):
    """The least time of a scope."""

    seconds: Any = 0.0


def times(rows: Rows, domain: Domain, way: Way, setting: Load) -> Array:
    """The estimated time of a line, added up in the order in which it is for one network."""
    loads = way.times.values(rows, domain)
    device = setting.chosen_device()
    pairs = ((op, limits_of(loads[2 * at], loads[2 * at + 1], setting, device)) for at, op in enumerate(way.ops))
    found = {op: np.maximum(compute, memory) + device.launch for op, (compute, memory) in pairs}
    return sums(way.scope, Seconds(), lambda op: Seconds(found.get(op, 0.0)), rows.value)[way.scope].seconds


def add_state(states: dict[Any, Any], state: State, index: Index) -> None:
    """Put candidates to those of the same state."""
    key = (id(state.prepared), tuple(state.shapes.items()))
    states.setdefault(key, (state, []))[1].append(index)


def content_of(line: InheritedLine) -> SectionLine | Output:
    """The line of the text."""
    content = line.content
    assert isinstance(content, SectionLine | Output)
    return content


def is_limit(error: BaseException) -> bool:
    """Tell if an error may be that of a limit, which a line alone reaches otherwise than the whole network does."""
    if isinstance(error, ElaborationError):
        return error.rule.code in LIMITS
    if isinstance(error, ArchError):
        return any(finding.code in LIMITS for finding in error.diagnostics)
    return isinstance(error, RecursionError)
