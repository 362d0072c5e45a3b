"""What becomes of a scope in PyTorch: a module, a `nn.Sequential`, an expression; what runs in place."""

from __future__ import annotations

from collections import Counter

from archdsl.graph import values_read
from archdsl.graph.scope import Child, Ref, Scope
from archdsl.graph.values import each_value, is_list
from archdsl.op import Op, Shapes, Spelling


def content(scope: Scope) -> tuple[Op, Shapes]:
    """An op's scope as its op and what the op's rules take: a shape, or the shapes of a list."""
    assert scope.op is not None
    return scope.op, scope.inputs[0]


def spelling(scope: Scope) -> Spelling:
    """How PyTorch writes an op's scope."""
    op, x = content(scope)
    return op.spelling(x)


def is_identity(scope: Scope) -> bool:
    """Whether a module does nothing."""
    return scope.op is not None and spelling(scope).function == "{x}"


def numeral(child: Child) -> bool:
    """Whether the modules are `0`, `1`, ... of the scope itself."""
    return child.form == "repeat" and not child.name


def in_line(child: Child) -> bool:
    """Whether a scope with a forward of its own writes a child as an expression, without a module."""
    alone = child.form == "one" and child.role != "parameter" and child.scope.op is not None
    return alone and bool(spelling(child.scope).function)


def in_list(child: Child) -> bool:
    """Whether a row is kept in nn.ModuleList: steps call its modules one by one, or they pass lists on."""
    shapes = (each for run in child.runs for each in (run.scope.output, *run.scope.inputs))
    return child.form == "list" or (child.form == "repeat" and any(map(is_list, shapes)))


def pipeline(scope: Scope) -> bool:
    """Whether a scope passes one tensor through all its children in order, and does nothing else."""
    if scope.kind == "network" or len(scope.inputs) != 1 or is_list(scope.inputs[0]):
        return False
    value: Ref = 0
    for step in scope.steps:
        calls = step.kind in ("call", "repeat") and step.index is None
        if not calls or step.inputs != (value,) or is_list(step.shape):
            return False
        value = step.output
    return scope.result == value and [step.target for step in scope.steps] == [each.name for each in scope.children]


def overwriting(scope: Scope) -> frozenset[str]:
    """The children of a scope that may write over their input: nobody else reads it, and nothing needs it."""
    readers = Counter(value for step in scope.steps for value in values_read(step.inputs))
    readers.update(each_value(scope.result))
    ops = {child.name: child.scope for child in scope.children if child.form == "one" and child.scope.op}
    fresh: set[int] = set()
    names: set[str] = set()
    for step in scope.steps:
        maker = step.scope if step.kind == "op" else ops.get(step.target)
        if maker is None:
            continue
        op, x = content(maker)
        if step.kind == "call" and op.spelling(x).inplace and step.inputs[0] in fresh:
            names.add(step.target)
        if readers[step.output] == 1 and not is_list(step.shape) and op.writable(x):
            fresh.add(step.output)
    called = Counter(step.target for step in scope.steps)
    return frozenset(name for name in names if called[name] == 1)


class InPlace:
    """The children of each scope of a graph that write over their input.

    The links of a section are no such children: what comes out of each is a feature map.
    """

    def __init__(self, root: Scope) -> None:
        self.known = {child.scope: frozenset[str]() for child in root.children} | {root: frozenset[str]()}

    def of(self, scope: Scope) -> frozenset[str]:
        """The names of such children."""
        if scope not in self.known:
            self.known[scope] = overwriting(scope)
        return self.known[scope]
