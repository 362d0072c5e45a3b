"""Dataflow of a scope, with lists dissolved into their tensors, and its decomposition into series and parallel parts.

A chain or a small block that takes or gives a list is inlined, so that `csp`'s two halves are two edges, whatever wrote
them. Where parts of the dataflow do not nest, the smallest region around them is a `Tangle`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Literal, NamedTuple, cast

from archdsl.graph import ROWS, Child, Scope, Spread, Step, is_list
from archdsl.graph.ir import Ref
from archdsl.op import Shape, Shapes

Names = Mapping[str, str]
"""Parameters in whose terms a text is written, by the names that the card's block has for them."""

LONGEST_LIST = 8
"""Number of tensors up to which a list that comes from outside is shown as several inputs."""


class Bundle(NamedTuple):
    """List of tensors that one node makes."""

    node: int


Value = int | Bundle | tuple["int | Bundle", ...]
"""Number of the node that makes a tensor; or a list."""


class Node(NamedTuple):
    """Part of the dataflow: a module, a row of modules, the pick of a list's tensor, or an input."""

    kind: Literal["input", "module", "pick", "repeat", "collect"]
    inputs: tuple[int, ...]
    scope: Scope | None = None
    child: Child | None = None
    names: Names = {}  # noqa: RUF012 (a tuple's default, never changed)
    at: int = 0
    shape: Shapes = ()
    label: str = ""


class Fork(NamedTuple):
    """Branches from one tensor, side by side, and the node that joins them, or None where they stay apart."""

    join: int | None
    branches: tuple[Part, ...]


class Tangle(NamedTuple):
    """Nodes whose edges cross, in execution order."""

    nodes: tuple[int, ...]
    source: int


Part = tuple["int | Fork | Tangle", ...]
"""Nodes and regions in series."""


class Flow:
    """Dataflow of a scope. Node 0 is its input, or stands before its inputs where there are several."""

    def __init__(self, scope: Scope, names: Names, inlined: Callable[[Scope], bool]) -> None:
        self.scope = scope
        self.inlined = inlined
        self.nodes: list[Node] = [Node("input", ())]
        single = len(scope.inputs) == 1 and not is_list(scope.inputs[0])
        given = [0] if single else [self.given(at, shapes) for at, shapes in enumerate(scope.inputs)]
        found = flat([self.run(scope, given, names)])
        self.results = tuple(each.node if isinstance(each, Bundle) else each for each in found)

    def add(self, node: Node, listed: bool) -> int | Bundle:
        """Append a node; a list that it makes is a bundle."""
        self.nodes.append(node)
        return Bundle(len(self.nodes) - 1) if listed else len(self.nodes) - 1

    def given(self, at: int, shapes: Shapes) -> Value:
        """One of several inputs, by its name in the block's text."""
        name = self.scope.names[at] if at < len(self.scope.names) else "x"
        if not is_list(shapes) or len(shapes) > LONGEST_LIST:
            return self.add(Node("input", (0,), at=at, shape=shapes, label=name), is_list(shapes))
        return tuple(
            self.add(Node("input", (0,), at=part, shape=shape, label=f"{name}[{part}]"), False)
            for part, shape in enumerate(cast("tuple[Shape, ...]", shapes))
        )

    def run(self, scope: Scope, inputs: Sequence[Value], names: Names) -> Value:
        """Add a scope's steps, and return its result."""
        values: dict[int, Value] = dict(enumerate(inputs))
        for step in scope.steps:
            values[step.output] = self.step(scope, step, [read(values, ref) for ref in step.inputs], names)
        return read(values, scope.result)

    def step(self, scope: Scope, step: Step, inputs: Sequence[Value], names: Names) -> Value:
        """Add one step of a scope."""
        sources = tuple(each.node if isinstance(each, Bundle) else each for each in flat(inputs))
        if step.kind == "pick":
            listed = flat(inputs)
            if len(listed) == 1 and isinstance(listed[0], Bundle):
                return self.add(Node("pick", sources, at=int(step.index), shape=step.shape), False)
            return listed[int(step.index)]
        child = None if step.kind == "op" else scope.child(step.target)
        if step.kind in ROWS:
            kind = "repeat" if step.kind == "repeat" else "collect"
            return self.add(Node(kind, sources, None, child, names, shape=step.shape), is_list(step.shape))
        assert step.scope is not None
        inner = names if child is None else names_inside(child, step.scope, names)
        if has_lists(step.scope) and step.scope.op is None and self.inlined(step.scope):
            return self.run(step.scope, inputs, inner)
        return self.add(Node("module", sources, step.scope, child, inner, shape=step.shape), is_list(step.shape))


def flat(values: Sequence[Value]) -> list[int | Bundle]:
    """Values one by one, those of lists too."""
    return [each for value in values for each in ((value,) if isinstance(value, int | Bundle) else value)]


def read(values: Mapping[int, Value], ref: Ref) -> Value:
    """Value that a reference stands for."""
    if isinstance(ref, int):
        return values[ref]
    return tuple(flat([values[part.value if isinstance(part, Spread) else part] for part in ref]))


def has_lists(scope: Scope) -> bool:
    """Tell a scope that takes several tensors or gives a list."""
    return is_list(scope.output) or len(scope.inputs) != 1 or is_list(scope.inputs[0])


def names_inside(child: Child, scope: Scope, names: Names) -> Names:
    """Names of the card's block for what a child's text calls its own.

    They are hints: a number is called so only where all values agree.
    """
    if child.role in {"parameter", "policy"}:
        return {}
    if scope.kind == "chain":
        return names
    return {name: names.get(origin.text, "") for name, origin in child.origins if origin.kind == "parameter"}


# ---- series and parallel -------------------------------------------------------------------------------------------


def decomposed(flow: Flow) -> Part:
    """Series-parallel decomposition of a dataflow, from its result backwards."""
    return Decomposition(flow.nodes).whole(flow.results)


class Decomposition:
    """Dominators of a dataflow's nodes, and the series between two of them."""

    def __init__(self, nodes: Sequence[Node]) -> None:
        self.nodes = nodes
        self.dominator = [0] * len(nodes)
        self.depth = [0] * len(nodes)
        for at, node in enumerate(nodes[1:], 1):
            self.dominator[at] = self.common(node.inputs)
            self.depth[at] = self.depth[self.dominator[at]] + 1

    def common(self, nodes: Sequence[int]) -> int:
        """Last node that all ways to some nodes pass; a node is on its own way."""
        found = nodes[0] if nodes else 0
        for node in nodes[1:]:
            other = node
            while found != other:
                if self.depth[found] < self.depth[other]:
                    found, other = other, found
                found = self.dominator[found]
        return found

    def whole(self, results: Sequence[int]) -> Part:
        """Decomposition of all that some results depend on."""
        if len(results) == 1:
            return self.series(results[0], 0)
        source = self.common(results)
        found = self.region(None, tuple(results), source)
        return (*self.series(source, 0), found)

    def series(self, node: int, source: int) -> Part:
        """Parts between a node and one that dominates it."""
        found: list[int | Fork | Tangle] = []
        while node != source:
            inputs = self.nodes[node].inputs
            if len(inputs) == 1:
                found.append(node)
                node = inputs[0]
            else:
                start = self.common(inputs)
                found.append(self.region(node, inputs, start) if inputs else node)
                node = start
        return tuple(reversed(found))

    def region(self, join: int | None, ends: tuple[int, ...], source: int) -> Fork | Tangle:
        """Region between a node and a join: branches if no two share a node."""
        reached = [self.reached(end, source) for end in ends]
        whole = {node for some in reached for node in some}
        if sum(map(len, reached)) > len(whole):
            return Tangle(tuple(sorted(whole | ({join} if join is not None else set()))), source)
        return Fork(join, tuple(self.series(end, source) for end in ends))

    def reached(self, end: int, source: int) -> set[int]:
        """Nodes on the ways from a node back to one that dominates it, without that."""
        found: set[int] = set()
        waiting = [end]
        while waiting:
            node = waiting.pop()
            if node != source and node not in found:
                found.add(node)
                waiting += self.nodes[node].inputs
        return found
