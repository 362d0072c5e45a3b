"""Which activations the emitted PyTorch runs in place.

The emitter's own rule (`archdsl.backends.torch.registry.overwriting`), said again here because analyses and backends
do not import each other; tests hold the two together, by what torch allocates.
"""

from __future__ import annotations

from collections import Counter

from archdsl.analyses.memory.tensors import content, is_list, read
from archdsl.graph import Graph, Scope


class InPlace:
    """The children of each scope that write over their input: nobody else reads it, and no backward pass needs it."""

    def __init__(self, graph: Graph) -> None:
        self.sections = {child.scope for child in graph.root.children}
        self.known: dict[Scope, frozenset[str]] = {}

    def of(self, scope: Scope) -> frozenset[str]:
        """The names of such children. What comes out of a section's link is a feature map: none of them are."""
        if scope not in self.known:
            free = scope in self.sections or scope.kind == "network"
            self.known[scope] = frozenset() if free else overwriting(scope)
        return self.known[scope]


def overwriting(scope: Scope) -> frozenset[str]:
    """The children that may write over what another op of the same scope has just made."""
    readers = Counter(value for step in scope.steps for ref in step.inputs for value in read(ref))
    readers.update(read(scope.result))
    ops = {child.name: child.scope for child in scope.children if child.form == "one" and child.scope.op}
    own: set[int] = set()
    names: set[str] = set()
    for step in scope.steps:
        maker = step.scope if step.kind == "op" else ops.get(step.target)
        if maker is None:
            continue
        op, x = content(maker)
        if step.kind == "call" and op.spelling(x).inplace and step.inputs[0] in own:
            names.add(step.target)
        if readers[step.output] == 1 and not is_list(step.shape) and op.writable(x):
            own.add(step.output)
    called = Counter(step.target for step in scope.steps)
    return frozenset(name for name in names if called[name] == 1)
