"""Check a network against what PyTorch can express; all gaps are reported together.

Every op needs a spelling. And a module that is called on several shapes (`share`) has to be one module for all of them:
its weights do not depend on all of a shape, but what it does with them may, as the channels that are added up to a
number, the tensors that are summed, the branch of a conditional.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from archdsl.backends.torch.forward import expression, open_forward
from archdsl.backends.torch.lowering import overwriting, spelling
from archdsl.backends.torch.pysource import literal
from archdsl.diagnostics import ArchError, Diagnostic, catalog
from archdsl.graph import Graph, Scope, called_elsewhere, distinct, each_shape, is_list, op_of
from archdsl.op import Shapes

WAY_OUT = "share only what does the same on both, or write the block twice"


def check_supported(graph: Graph) -> None:
    """Raise ArchError for the ops that have no spelling in PyTorch, and for modules that cannot be shared."""
    if found := [*unspelled(graph), *unshareable(graph)]:
        raise ArchError(found)


def unspelled(graph: Graph) -> list[Diagnostic]:
    """Ops that have no spelling, each reported once."""
    missing: dict[str, Diagnostic] = {}
    for scope in distinct(graph.root):
        if scope.op is not None and not (spelling(scope).module or spelling(scope).function):
            label = f"`{scope.op.name}` has no spelling in PyTorch"
            missing.setdefault(scope.op.name, catalog.UNSUPPORTED.at(scope.span, label))
    return [*missing.values()]


def unshareable(graph: Graph) -> list[Diagnostic]:
    """Calls of a module that would need another one."""
    found: dict[Scope, Diagnostic] = {}
    known: dict[tuple[Scope, Scope], str] = {}
    for held, called in called_elsewhere(graph.root):
        if part := difference(held, called, known):
            label = f"on {shown(held.inputs)} and on {shown(called.inputs)}, `{part}` does not do the same"
            found.setdefault(called, catalog.UNSUPPORTED.at(called.span, label, help=WAY_OUT))
    return [*found.values()]


def difference(one: Scope, other: Scope, known: dict[tuple[Scope, Scope], str]) -> str:
    """Name of the innermost part in which two modules would have different text; empty if one text makes both."""
    if one is other:
        return ""
    if (one, other) not in known:
        unlike = (name for pair in parts(one, other) if (name := difference(*pair, known)))
        known[one, other] = next(unlike, "") or ("" if own_text(one) == own_text(other) else one.name)
    return known[one, other]


def parts(one: Scope, other: Scope) -> Iterator[tuple[Scope, Scope]]:
    """Modules that are called, and modules of rows, in the same places of two scopes."""
    for mine, theirs in zip(one.steps, other.steps, strict=False):
        if mine.scope is not None and theirs.scope is not None:
            yield mine.scope, theirs.scope
    for mine, theirs in zip(one.children, other.children, strict=False):
        yield from ((run.scope, same.scope) for run, same in zip(mine.runs, theirs.runs, strict=False))


def own_text(scope: Scope) -> Any:
    """Everything that the text of a scope depends on, apart from its parts."""
    if scope.op is None:
        rows = [(child.name, child.form, [run.count for run in child.runs]) for child in scope.children]
        return scope.kind, scope.name, rows, overwriting(scope), open_forward(scope)
    op, x = op_of(scope)
    spelt, facts = spelling(scope), op.facts(x)
    text = expression(scope, lambda fact: literal(facts[fact])).text if spelt.function else ""
    return op.name, spelt.module, text, [facts[name] for name in (*spelt.positional, *spelt.keywords)]


def shown(inputs: tuple[Shapes, ...]) -> str:
    """Inputs of a module: 8x16x16, or the number of tensors of a list."""
    texts = (
        f"{len(shapes)} tensors" if is_list(shapes) else "x".join(map(str, each_shape(shapes)[0])) for shapes in inputs
    )
    return " and ".join(texts)
