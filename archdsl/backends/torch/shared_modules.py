"""Check modules that are called on several shapes: PyTorch has one module for all of them.

Weights do not depend on all of a shape, but what an op does with them may: the channels that are added up to a number,
the tensors that are summed, the branch of a conditional. Such calls are refused; one module cannot do both.
"""

from __future__ import annotations

from collections.abc import Iterator

from archdsl.backends.torch.class_key import expression
from archdsl.backends.torch.class_table import Registry
from archdsl.backends.torch.lowering import spelling
from archdsl.backends.torch.pysource import literal
from archdsl.diagnostics import ArchError, catalog
from archdsl.graph import Graph, Run, Scope, distinct, each_shape, is_list
from archdsl.op import Shapes


def check_shared(graph: Graph, registry: Registry) -> None:
    """Raise for the calls of a module that would need another one, all of them at once."""
    found: dict[Scope, ArchError] = {}
    for held, called in calls(graph):
        if not same_text(registry, held, called):
            part = differing(registry, held, called)
            label = f"on {shown(held.inputs)} and on {shown(called.inputs)}, `{part}` does not do the same"
            help = "share only what does the same on both, or write the block twice"
            found.setdefault(called, catalog.UNSUPPORTED.error(called.span, label, help=help))
    if found:
        raise ArchError([each for error in found.values() for each in error.diagnostics])


def calls(graph: Graph) -> Iterator[tuple[Scope, Scope]]:
    """The modules that are called on other shapes than their own, as on both."""
    for scope in distinct(graph.root):
        for step in scope.steps:
            if step.kind == "call" and step.scope is not None:
                held = scope.module(step.target, step.index or 0)
                if held is not step.scope:
                    yield held, step.scope


def same_text(registry: Registry, one: Scope, other: Scope) -> bool:
    """True if one text makes both modules: they are written alike, with the same numbers."""
    keys = registry.grouping.keys
    if keys[one] != keys[other] or registry.numbers(Run(1, one)) != registry.numbers(Run(1, other)):
        return False
    return in_place(registry, one) == in_place(registry, other)


def in_place(registry: Registry, scope: Scope) -> str:
    """The text of an op that PyTorch has as a function, with its numbers."""
    if scope.op is None or not spelling(scope).function:
        return ""
    return expression(scope, lambda fact: literal(registry.facts(scope)[fact])).text


def differing(registry: Registry, one: Scope, other: Scope) -> str:
    """The name of the innermost part in which two modules differ."""
    steps = zip((step.scope for step in one.steps), (step.scope for step in other.steps), strict=False)
    pairs = ((inner, another) for inner, another in steps if inner is not None and another is not None)
    unlike = next((pair for pair in pairs if not same_text(registry, *pair)), None)
    return differing(registry, *unlike) if unlike else one.name


def shown(inputs: tuple[Shapes, ...]) -> str:
    """The inputs of a module: 8x16x16, or the number of tensors of a list."""
    texts = (
        f"{len(shapes)} tensors" if is_list(shapes) else "x".join(map(str, each_shape(shapes)[0])) for shapes in inputs
    )
    return " and ".join(texts)
