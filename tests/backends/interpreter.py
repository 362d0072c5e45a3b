"""A second opinion: runs a graph op by op, straight from the spellings, with the weights of a built module.

It knows nothing of classes, names of arguments or folding, which is what makes it a check of them.
"""

from __future__ import annotations

import re
from typing import Any

import torch
from torch import nn

from archdsl.graph import Child, Graph, Ref, Scope, Spread, Step

NAMES = {"torch": torch, "nn": nn, "Tensor": torch.Tensor}


def run_graph(graph: Graph, state: dict[str, Any], x: torch.Tensor) -> dict[str, Any]:
    """What each section of a graph gives in evaluation."""
    values = run_steps(graph.root, [x], state, "")
    return {section.name: values[section.value] for section in graph.sections}


def run(scope: Scope, inputs: list[Any], state: dict[str, Any], prefix: str) -> Any:
    """What a scope gives."""
    if scope.op is not None:
        own = {name.removeprefix(prefix): value for name, value in state.items() if name.startswith(prefix)}
        return run_op(scope, inputs, own)
    return read(scope.result, run_steps(scope, inputs, state, prefix))


def run_steps(scope: Scope, inputs: list[Any], state: dict[str, Any], prefix: str) -> dict[int, Any]:
    """All values of a scope."""
    values = dict(enumerate(inputs))
    children = {child.name: child for child in scope.children}
    for step in scope.steps:
        given = [read(ref, values) for ref in step.inputs]
        values[step.output] = act(step, given, children, state, prefix)
    return values


def act(step: Step, given: list[Any], children: dict[str, Child], state: dict[str, Any], prefix: str) -> Any:
    """What a step gives."""
    if step.kind == "pick":
        return given[0][step.index]
    if step.kind == "op":
        assert step.scope is not None
        return run_op(step.scope, given, {})
    child = children[step.target]
    if step.kind == "call" and child.form == "one":
        return run(child.scope, given, state, f"{prefix}{child.name}.")
    modules = [run_.scope for run_ in child.runs for _ in range(run_.count)]
    head = f"{prefix}{child.name}." if child.name else prefix
    if step.kind == "call":
        return run(modules[step.index], given, state, f"{head}{step.index}.")
    outputs = []
    for at, module in enumerate(modules):
        given = [run(module, given, state, f"{head}{at}.")]
        outputs += given
    return outputs if step.kind == "collect" else outputs[-1]


def read(ref: Ref, values: dict[int, Any]) -> Any:
    """A value, or a list of values."""
    if isinstance(ref, int):
        return values[ref]
    parts = (values[part.value] if isinstance(part, Spread) else [values[part]] for part in ref)
    return [each for part in parts for each in part]


def run_op(scope: Scope, inputs: list[Any], state: dict[str, Any]) -> Any:
    """What an op gives."""
    assert scope.op is not None
    takes_list = scope.op.takes == "list"
    shapes: Any = scope.inputs[0]
    if takes_list and isinstance(shapes[0], int):
        shapes, inputs = scope.inputs, [inputs]
    spelling, facts, names = scope.op.spelling(shapes), scope.op.facts(shapes), dict(NAMES)
    exec(spelling.helper, names)
    if not spelling.module:
        items = [f"x[{at}]" for at in range(len(inputs[0]))] if takes_list else ["x"]
        words = {"x": "x", "sum": " + ".join(items), "product": " * ".join(items)}
        words |= {str(at): item for at, item in enumerate(items)}
        words |= {name: repr(value) for name, value in facts.items() if name not in words}
        return eval(re.sub(r"\{(\w+)\}", lambda match: words[match[1]], spelling.function), {**names, "x": inputs[0]})
    usual = spelling.defaults
    named = {name: facts[name] for name in spelling.keywords if name not in usual or facts[name] != usual[name]}
    layer = eval(spelling.module, names)(*(facts[name] for name in spelling.positional), **named)
    layer.load_state_dict(state)
    return layer.eval()(*inputs)
