"""Content of a picture: the sections as series of parts, and a card for each distinct block, with its variants."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from string import ascii_uppercase
from typing import NamedTuple, cast

from archdsl.backends.pictures.flow import Flow, Fork, Names, Node, Part, Tangle, decomposed, has_lists, names_inside
from archdsl.backends.pictures.tree import (
    Frame,
    Input,
    Layer,
    Parallel,
    Pick,
    Place,
    Reference,
    Repeat,
    Series,
    Site,
    Tree,
    Web,
    merged,
    summed,
)
from archdsl.graph import ROWS, Graph, Run, Scope, Section, distinct, is_list
from archdsl.graph.ir import values_read
from archdsl.op import Op, Shapes

IN_PLACE = 4
"""Number of boxes up to which a block is drawn where it stands."""
LAYER_OPS = 4
ROW_OPS = 9
"""Number of ops up to which a block without branches is listed in its box."""
DEEPEST = 40
"""Chains and small blocks in each other, beyond which a box stands for the rest."""

SOFT = frozenset({"activation", "norm", "regularize", "scale", "identity"})
"""Families of ops that share the box of a layer."""


class Costs(NamedTuple):
    """Quantity that colors stand for: the cost of a scope, in any unit, and of the network."""

    of: Callable[[Scope], float]
    total: float
    noun: str
    facts: str = ""


def is_soft(op: Op) -> bool:
    """Tell ops that belong to the layer before or behind them."""
    return type(op).__module__.rpartition(".")[2] in SOFT or op.name == "flatten"


def is_pool(op: Op) -> bool:
    """Tell pools of the whole map."""
    return op.name.startswith("global_")


@dataclass(eq=False)
class Card:
    """A block, opened: its variants, how often each runs in each section, and one tree for all."""

    name: str
    forms: dict[object, list[Series]] = field(default_factory=dict[object, list[Series]])
    uses: dict[tuple[str, Scope], int] = field(default_factory=dict[tuple[str, Scope], int])
    letter: str = ""
    remark: str = ""

    def takes(self, tree: Series) -> bool:
        """Add a variant; False if it is wired too differently."""
        if tree.form not in self.forms:
            representatives = [group[0] for group in self.forms.values()]
            if representatives and merged([*representatives, tree]) is None:
                return False
        self.forms.setdefault(tree.form, []).append(tree)
        return True

    @cached_property
    def tree(self) -> Series:
        """Tree of all variants."""
        found = merged([tree for group in self.forms.values() for tree in group if self.used(tree)])
        assert found is not None
        return found

    @cached_property
    def owners(self) -> list[Scope]:
        """Variants in order of their first use."""
        return list(dict.fromkeys(owner for _, owner in self.uses))

    @cached_property
    def runs(self) -> Mapping[Scope, int]:
        """Runs of each variant in the whole network."""
        found: dict[Scope, int] = {}
        for (_, owner), runs in self.uses.items():
            found[owner] = found.get(owner, 0) + runs
        return found

    def used(self, tree: Series) -> bool:
        """Tell whether the variant of a tree is part of the network."""
        return any(owner in self.runs for owner in tree.times)

    @property
    def doc(self) -> str:
        """Docstring of the block."""
        return self.owners[0].doc


class SectionPart(NamedTuple):
    """Section of the network, as a series of parts, and the values of the root that it reads."""

    section: Section
    scope: Scope
    tree: Series
    inputs: tuple[int, ...]


class Model:
    """Sections and cards of a graph, with the cost of each part."""

    def __init__(self, graph: Graph, costs: Costs, letters: Iterator[str] | None = None) -> None:
        self.graph = graph
        self.costs = costs
        builder = Builder(graph)
        self.sections = [self.part_of(builder, section) for section in graph.sections]
        for section in self.sections:
            for scope, runs in runs_below(section.scope).items():
                if card := builder.card_of.get(scope):
                    card.uses[section.section.name, scope] = runs
        self.cards = list(self.in_order())
        for card, letter in zip(self.cards, letters or letter_names(), strict=False):
            card.letter = letter

    def part_of(self, builder: Builder, section: Section) -> SectionPart:
        """Section as the chain shows it."""
        scope = self.graph.scope_of(section)
        tree = builder.series(scope, scope, 1, {}, top=True)
        step = self.graph.makers[section.value]
        return SectionPart(section, scope, tree, tuple(values_read(step.inputs)))

    def in_order(self) -> Iterator[Card]:
        """Cards in the order in which the sections, then the cards before, refer to them."""
        seen: dict[Card, None] = {}
        for section in self.sections:
            seen |= dict.fromkeys(references(section.tree))
        waiting = list(seen)
        for card in waiting:
            yield card
            for inner in references(card.tree):
                if inner not in seen:
                    seen[inner] = None
                    waiting.append(inner)

    def cost(self, places: Iterable[Place], runs: Mapping[Scope, int] | None = None) -> float:
        """Cost of places, over all runs of their owners (one, if they are sections)."""
        return sum((runs[each.owner] if runs else 1) * each.runs * self.costs.of(each.scope) for each in places)

    def share(self, tree: Tree, runs: Mapping[Scope, int] | None = None) -> float:
        """Share of a part in the network's cost."""
        return self.cost(places(tree), runs) / self.costs.total if self.costs.total else 0.0

    def card_share(self, card: Card) -> float:
        """Share of all runs of a card's block."""
        return self.cost([Place(owner, runs, owner) for owner, runs in card.runs.items()], None) / (
            self.costs.total or 1.0
        )


def letter_names(first: int = 0) -> Iterator[str]:
    """A, B, ..., Z, then A2, B2, ..."""
    for at in itertools.count(first):
        yield ascii_uppercase[at % 26] + (str(at // 26 + 1) if at >= 26 else "")


def places(tree: Tree) -> Iterator[Place]:
    """Modules that a tree shows, blocks with a card as one."""
    for part in tree.walk():
        sites = part.ops if isinstance(part, Layer) else (part.join,) if isinstance(part, Parallel) else ()
        for site in sites:
            yield from site.places if site else ()
        if isinstance(part, Reference):
            yield from part.places


def references(tree: Tree) -> Iterator[Card]:
    """Cards that a tree refers to."""
    return (part.card for part in tree.walk() if isinstance(part, Reference))


def runs_below(scope: Scope) -> Mapping[Scope, int]:
    """Number of runs of each scope in one run of a scope, by arithmetic on its distinct scopes."""
    order = list(distinct(scope))
    found = dict.fromkeys(order, 0)
    found[scope] = 1
    for each in reversed(order):
        for run in runs_of(each):
            found[run.scope] += found[each] * run.count
    return {each: count for each, count in found.items() if count}


def runs_of(scope: Scope) -> Iterator[Run]:
    """Modules that a scope's steps run."""
    for step in scope.steps:
        if step.kind in ROWS:
            yield from scope.child(step.target).runs
        elif step.scope is not None:
            yield Run(1, step.scope)


# ---- from scopes to trees ------------------------------------------------------------------------------------------


class Builder:
    """Trees of scopes, and the cards of all blocks, those inside first."""

    def __init__(self, graph: Graph) -> None:
        self.boxes: dict[Scope, int] = {}
        self.rows: dict[Scope, tuple[Op, ...] | None] = {}
        self.card_of: dict[Scope, Card] = {}
        # Blocks that are another block and nothing else.
        self.inner: dict[Scope, Scope] = {}
        cards: dict[str, list[Card]] = {}
        for scope in distinct(graph.root):
            self.rows[scope] = self.row(scope)
            self.boxes[scope] = self.count(scope)
            if scope.kind == "block" and not self.is_layer(scope):
                tree = self.series(scope, scope, 1, {each.name: each.name for each in scope.arguments})
                only = tree.items[0] if len(tree.items) == 1 else None
                if isinstance(only, Reference) and only.times == tree.times:
                    self.inner[scope] = only.places[0].scope
                else:
                    self.card_of[scope] = self.card(cards.setdefault(scope.name, []), tree, scope.name)

    def card(self, cards: list[Card], tree: Series, name: str) -> Card:
        """Card of a tree: the first of its name that takes it, or a new one."""
        found = next((card for card in cards if card.takes(tree)), None)
        if found is None:
            found = Card(name)
            found.takes(tree)
            cards.append(found)
        return found

    def row(self, scope: Scope) -> tuple[Op, ...] | None:
        """Ops of a scope in a row; None if it branches or is longer than a box lists."""
        if scope.op is not None:
            return () if scope.op.name == "identity" else (scope.op,)
        if has_lists(scope):
            return None
        found: list[Op] = []
        value = 0
        for step in scope.steps:
            inner = self.rows[step.scope] if step.kind in {"call", "op"} and step.scope is not None else None
            if step.inputs != (value,) or inner is None or len(found) > ROW_OPS:
                return None
            found += inner
            value = step.output
        return tuple(found) if scope.result == value else None

    def count(self, scope: Scope) -> int:
        """Number of boxes that a scope would be drawn with."""
        if self.rows[scope] == ():
            return 0
        if scope.op is not None or self.is_layer(scope):
            return 1
        total = 0
        for step in scope.steps:
            if step.kind in ROWS:
                total += 3 + max((self.boxes[run.scope] for run in scope.child(step.target).runs), default=0)
            elif step.scope is not None and not (step.kind == "op" and has_lists(step.scope)):
                total += self.boxes[step.scope]
        return min(total, 10**6)

    def is_layer(self, scope: Scope) -> bool:
        """Tell a scope that one box shows: few ops in a row, at most one of which is not soft."""
        ops = self.rows[scope]
        return ops is not None and len(ops) <= LAYER_OPS and (len(ops) <= 1 or sum(not is_soft(op) for op in ops) <= 1)

    def in_place(self, scope: Scope) -> bool:
        """Tell a chain, or a block that is drawn where it stands."""
        return scope.kind != "block" or self.boxes[scope] <= IN_PLACE

    def series(
        self, scope: Scope, owner: Scope, runs: int, names: Names, *, top: bool = False, depth: int = 0
    ) -> Series:
        """Tree of a scope."""
        flow = Flow(scope, names, self.in_place)
        return Drawn(self, flow, owner, runs, top, depth).series(decomposed(flow))


class Drawn:
    """Trees of the parts of one dataflow."""

    def __init__(self, builder: Builder, flow: Flow, owner: Scope, runs: int, top: bool, depth: int) -> None:
        self.builder = builder
        self.flow = flow
        self.owner = owner
        self.runs = runs
        self.top = top
        self.depth = depth
        self.times = {owner: runs}

    def series(self, part: Part) -> Series:
        """Tree of parts in series."""
        items: list[Tree] = []
        for each in part:
            if isinstance(each, int):
                items += self.node(self.flow.nodes[each])
            else:
                items.append(self.fork(each) if isinstance(each, Fork) else self.web(each))
        return Series(self.times, tuple(fused(items)))

    def fork(self, fork: Fork) -> Tree:
        """Tree of a fork; of concats of concats, one."""
        branches = [self.series(each) for each in fork.branches]
        if fork.join is None:
            return Parallel(self.times, None, tuple(branches))
        scope = self.flow.nodes[fork.join].scope
        if scope is None or scope.op is None:
            return self.joined_by_module(fork.join, branches)
        if scope.op.name == "concat":
            branches = [without_concat(branch) for branch in branches]
        return Parallel(self.times, self.site(scope, self.flow.nodes[fork.join].names), tuple(branches))

    def joined_by_module(self, join: int, branches: list[Series]) -> Tree:
        """Fork into a block that takes several tensors."""
        (inner,) = self.node(self.flow.nodes[join]) or (Layer(self.times, ()),)
        fork = Parallel(self.times, None, tuple(branches))
        return Frame(self.times, "", Series(self.times, (fork, inner)))

    def web(self, tangle: Tangle) -> Web:
        """Tree of parts whose edges cross. Parts without a box are left out."""
        at: dict[int, tuple[int, ...]] = {tangle.source: (-1,)}
        parts: list[Tree] = []
        sources: list[tuple[int, ...]] = []
        for number in tangle.nodes:
            node = self.flow.nodes[number]
            reads = tuple(dict.fromkeys(part for each in node.inputs for part in at[each]))
            items = self.node(node)
            at[number] = (len(parts),) if items else reads
            if items:
                parts.append(items[0] if len(items) == 1 else Series(self.times, tuple(items)))
                sources.append(reads)
        results = tuple(part for each in self.flow.results if each in at for part in at[each])
        return Web(self.times, tuple(parts), tuple(sources), results or (len(parts) - 1,))

    def site(self, scope: Scope, names: Names) -> Site:
        """An op at its place."""
        return Site((Place(self.owner, self.runs, scope),), names)

    def node(self, node: Node) -> list[Tree]:
        """Tree of one node: several parts in series, or none."""
        if node.kind == "input":
            return [Input(self.times, node.label)]
        if node.kind == "pick":
            return [Pick(self.times, node.at, ((self.owner, channels_of(node.shape)),))]
        if node.kind in ROWS:
            return self.rows(node)
        assert node.scope is not None
        return self.module(node.scope, self.runs, node.names)

    def module(self, scope: Scope, runs: int, names: Names) -> list[Tree]:
        """Tree of a module."""
        builder = self.builder
        times = {self.owner: runs}
        row = builder.rows[scope]
        if row == ():
            return []
        if scope.op is not None:
            return [Layer(times, (Site((Place(self.owner, runs, scope),), names),))]
        scope = builder.inner.get(scope, scope)
        place = Place(self.owner, runs, scope)
        card = builder.card_of.get(scope)
        small = row is not None if self.top else builder.in_place(scope)
        if card is not None and (not small or self.depth > DEEPEST):
            return [Reference(times, card, (place,))]
        if self.depth > DEEPEST:
            return [Layer(times, (Site((place,), names),))]
        body = builder.series(
            scope, self.owner, runs, names, top=self.top and scope.kind != "block", depth=self.depth + 1
        )
        if builder.is_layer(scope):
            ops = tuple(site for item in body.items if isinstance(item, Layer) for site in item.ops)
            return [Layer(times, ops)]
        if scope.kind == "block" and (self.top or row is None):
            return [Frame(times, scope.name, body)]
        return list(body.items)

    def rows(self, node: Node) -> list[Tree]:
        """Row of modules: a repeat of one tree for all that are alike."""
        assert node.child is not None
        collects = node.kind == "collect"
        bodies: list[tuple[int, Series]] = []
        for run in node.child.runs:
            names = names_inside(node.child, run.scope, node.names)
            runs = self.runs * run.count
            body = Series({self.owner: runs}, tuple(self.module(run.scope, runs, names)))
            if body.items or collects:
                bodies.append((run.count, body))
        groups = alike(bodies)
        if collects and len(groups) > 1:
            whole = Series(summed(body for _, body in groups), tuple(item for _, body in groups for item in body.items))
            groups = [(node.child.count, whole)]
        return [Repeat(self.times, body, ((self.owner, count),), collects) for count, body in groups]


def alike(bodies: Sequence[tuple[int, Series]]) -> list[tuple[int, Series]]:
    """Modules of a row with their counts, neighbours that one tree shows as one."""
    if len(bodies) > 1 and (whole := merged([body for _, body in bodies])):
        return [(sum(count for count, _ in bodies), whole)]
    found: list[tuple[int, Series]] = []
    for count, body in bodies:
        both = merged([found[-1][1], body]) if found else None
        if both is None:
            found.append((count, body))
        else:
            found[-1] = (found[-1][0] + count, both)
    return found


def channels_of(shape: Shapes) -> int:
    """Number of channels of a tensor; 0 for a list."""
    return 0 if is_list(shape) else cast("int", shape[0])


def without_concat(branch: Series) -> Series:
    """Branch of a concat whose own last concat leaves its branches open."""
    if not branch.items:
        return branch
    last = branch.items[-1]
    if isinstance(last, Frame):
        body = without_concat(last.body)
        return branch if body is last.body else Series(branch.times, (*branch.items[:-1], *body.items))
    if isinstance(last, Parallel) and last.join and last.join.name == "concat" and not last.open:
        return Series(branch.times, (*branch.items[:-1], replace(last, open=True)))
    return branch


def fused(items: Sequence[Tree]) -> list[Tree]:
    """Items of a series; loose norms and activations share the box of the layer before them, or behind."""
    found: list[Tree] = []
    for item in items:
        before = found[-1] if found else None
        if isinstance(item, Layer) and isinstance(before, Layer) and fits(before.ops, item.ops):
            found[-1] = Layer(before.times, before.ops + item.ops)
        else:
            found.append(item)
    return found


def fits(before: Sequence[Site], behind: Sequence[Site]) -> bool:
    """Tell ops in a row that share a box."""
    ops = [site.op for site in (*before, *behind) if site.op is not None]
    first = [site.op for site in before if site.op is not None]
    if len(ops) > LAYER_OPS + 1 or len(ops) != len(before) + len(behind):
        return False
    hard = [op for op in ops if not is_soft(op)]
    if len(hard) == 2:
        return is_pool(hard[0]) and hard[1].counts_as == "linear" and first[0] is hard[0]
    rest = ops[len(first) :]
    return len(hard) <= 1 and (all(map(is_soft, rest)) or len(rest) == 1)
