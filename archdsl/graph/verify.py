"""Verify a graph by recomputing it: everything that follows from the ops, the wiring and the names, and compare.

Each different scope is checked once, so the time grows with the text, not with the repeats.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any, NoReturn

from archdsl.graph.ir import (
    ROWS,
    Child,
    Graph,
    Ref,
    Scope,
    Section,
    Spread,
    Step,
    Totals,
    distinct,
    each_shape,
    is_list,
    needed,
)
from archdsl.op import Misfit, Shapes

LONGEST = 200


class InvalidGraph(AssertionError):
    """Raised for an inconsistent graph, with the path and the reason."""


def verify(graph: Graph) -> None:
    """Raise InvalidGraph for the first inconsistency of a graph."""
    training = graph.training_only
    # Outputs for training alone count with their parameters, and without multiply-adds: inference does not run them.
    idle = frozenset(step.target for step in graph.root.steps if step.output in training)
    # Children come before parents, so the first scope that fails is where the fault is, not one that holds it.
    for scope in distinct(graph.root):
        try:
            check_scope(scope, idle if scope is graph.root else frozenset())
        except InvalidGraph as broken:
            raise InvalidGraph(f"{path_to(graph.root, scope)}: {broken}") from None
    check_network(graph)


def broken(text: str) -> NoReturn:
    """Raise InvalidGraph."""
    raise InvalidGraph(text)


def equal(what: str, found: object, right: object) -> None:
    """Raise InvalidGraph unless two values are equal."""
    if found != right:
        broken(f"{what} is {shortened(found)}, but should be {shortened(right)}")


def shortened(value: object) -> str:
    """Value as text, cut if very long."""
    text = str(value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."


def path_to(root: Scope, wanted: Scope) -> str:
    """Shortest path of names to a scope, for the message."""
    # Breadth first; each scope is visited once, as there may be 2 ** depth paths.
    paths = {root: root.name}
    queue = [root]
    for scope in queue:
        if scope is wanted:
            break
        named = [(child.name, run.scope) for child in scope.children for run in child.runs]
        named += [(step.target or step.kind, step.scope) for step in scope.steps if step.scope is not None]
        for name, below in named:
            if below not in paths:
                paths[below] = f"{paths[scope]}.{name}"
                queue.append(below)
    return paths[wanted]


# ---- scopes --------------------------------------------------------------------------------------------------------


def check_scope(scope: Scope, idle: frozenset[str]) -> None:
    """Check a scope: an op, or children and steps. Steps of `idle` children do no work in inference."""
    if scope.kind == "op":
        check_op(scope)
        return
    if scope.op is not None:
        broken(f"a {scope.kind} has no op")
    equal("the number of names of inputs", len(scope.names), len(scope.inputs))
    check_children(scope)
    shapes: dict[int, Shapes] = dict(enumerate(scope.inputs))
    for step in scope.steps:
        equal("the number of a step's output", step.output, len(shapes))
        check_step(scope, step, tuple(shape_of(shapes, ref) for ref in step.inputs))
        shapes[step.output] = step.shape
    equal("the output", scope.output, shape_of(shapes, scope.result))
    check_calls(scope)
    equal("the totals", scope.totals, totals_of(scope, idle))


def check_op(scope: Scope) -> None:
    """Check an op on its one input: its output and its totals."""
    op: Any = scope.op
    if op is None or scope.children or scope.steps or len(scope.inputs) != 1:
        broken("an op is a scope with one input, and with nothing inside")
    shape: Any = scope.inputs[0]
    equal(f"what reaches `{op.name}`", "list" if is_list(shape) else "tensor", op.takes)
    try:
        output = op.output(shape)
    except Misfit as misfit:
        broken(f"`{op.name}` cannot take {shape}: {misfit}")
    equal(f"the output of `{op.name}`", scope.output, output)
    equal(f"the totals of `{op.name}`", scope.totals, totals_of_op(op, shape, output))


def totals_of_op(op: Any, shape: Any, output: Any) -> Totals:
    """Totals of an op on an input of a shape."""
    sizes = {"parameter": 0, "buffer": 0, "counter": 0}
    for weight in op.weights(shape):
        sizes[weight.kind] += prod(weight.shape)
    return Totals(
        ops=1,
        params=sizes["parameter"],
        buffers=sizes["buffer"],
        macs=op.macs(shape, output),
        activations=prod(output) if op.counts_as == "conv" else 0,
        n_conv=int(op.counts_as == "conv"),
        n_norm=int(op.counts_as == "norm"),
        n_linear=int(op.counts_as == "linear"),
    )


def check_children(scope: Scope) -> None:
    """Check the names of children, and their numbers of modules."""
    names = [child.name for child in scope.children]
    if len(set(names)) < len(names):
        broken(f"two children have one name among {', '.join(sorted(names))}")
    for child in scope.children:
        if not child.name.isidentifier() and (child.name or child.form != "repeat"):
            broken(f"{child.name!r} is no name of a child")
        counts = [run.count for run in child.runs]
        if not counts or min(counts) < 1:
            broken(f"the child `{child.name}` has no modules")
        if child.form == "one" and counts != [1]:
            broken(f"the child `{child.name}` is one module, not {child.count}")


def check_calls(scope: Scope) -> None:
    """Check that each child is called: a row as a whole, or each module of a list, but for what keeps a place in it."""
    called = {step.target for step in scope.steps}
    for child in scope.children:
        if child.name not in called:
            broken(f"no step calls the child `{child.name}`")
    if lists := [child for child in scope.children if child.form != "one"]:
        each = {(step.target, step.index) for step in scope.steps if step.kind == "call"}
        whole = {step.target for step in scope.steps if step.kind in ROWS}
        for child in lists:
            modules = (run.scope for run in child.runs for _ in range(run.count))
            idle = (scope for at, scope in enumerate(modules) if (child.name, at) not in each)
            if child.name not in whole and not all(map(keeps_place, idle)):
                broken(f"no step calls each module of the list `{child.name}`")


def keeps_place(scope: Scope) -> bool:
    """True for an op without weights: in place of a module that was cut, it keeps the numbers of those behind."""
    return scope.op is not None and not scope.op.weights(scope.inputs[0])


# ---- values --------------------------------------------------------------------------------------------------------


def shape_of(shapes: dict[int, Shapes], ref: Ref) -> Shapes:
    """Shape of an existing value, or the shapes of a list of such values."""
    if isinstance(ref, int):
        return shapes[ref] if ref in shapes else broken(f"the value {ref} is read before it is there")
    found: list[Any] = []
    for part in ref:
        shape = shape_of(shapes, part.value if isinstance(part, Spread) else part)
        if is_list(shape) != isinstance(part, Spread):
            broken(f"{part} among the parts of a list: lists are spread, and nothing else")
        found += shape if isinstance(part, Spread) else [shape]
    return tuple(found)


# ---- steps ---------------------------------------------------------------------------------------------------------


def check_step(scope: Scope, step: Step, inputs: tuple[Shapes, ...]) -> None:
    """Check a step, given the shapes of its inputs."""
    check = STEPS.get(step.kind) or broken(f"there are no steps of the kind {step.kind!r}")
    if step.kind in {"op", "pick"}:
        equal(f"the target of the step `{step.kind}`", step.target, "")
    if (step.scope is None) == (step.kind in {"call", "op"}):
        broken(
            f"the step {step.output} of the kind `{step.kind}` {'needs a' if step.scope is None else 'has no'} scope"
        )
    check(scope, step, inputs)


def child_of(scope: Scope, step: Step, *forms: str) -> Child:
    """Child that a step calls, of one of these forms."""
    child = scope.by_name.get(step.target)
    if child is None:
        broken(f"there is no child `{step.target}` to {step.kind}")
    if child.form not in forms:
        broken(f"the child `{child.name}` is a `{child.form}`, which is not there to {step.kind}")
    return child


def check_call(scope: Scope, step: Step, inputs: tuple[Shapes, ...]) -> None:
    """Check a call of a child, or of a module of a list. On other shapes than the child's it has the same weights."""
    child = child_of(scope, step, "one", "list", "repeat")
    check_module(step, inputs)
    if child.form == "one":
        held = child.scope
        equal(f"the index of the call of `{child.name}`", step.index, None)
    elif isinstance(step.index, int) and 0 <= step.index < scope.ends[child.name][-1]:
        held = scope.module(child.name, step.index)
    elif step.index is None:
        broken(f"the child `{child.name}` is a `{child.form}`, and the call names none of its modules")
    else:
        broken(f"the list `{child.name}` has {child.count} modules, no {step.index}")
    if held is not step.scope and not same_weights(held, step.scope):
        broken(f"the call of `{child.name}` is one of another module")


def check_module(step: Step, inputs: tuple[Shapes, ...]) -> None:
    """Check that the scope of a step takes its inputs, and makes its output."""
    assert step.scope is not None
    equal(f"what the module of `{step.target or step.scope.name}` takes", step.scope.inputs, inputs)
    equal(f"what the step {step.output} gives", step.shape, step.scope.output)


def same_weights(one: Scope, other: Any) -> bool:
    """Tell whether two scopes hold the same weights, so that one child can be called as both."""
    pairs, seen = [(one, other)], set[tuple[Scope, Scope]]()
    while pairs:
        pair = pairs.pop()
        a, b = pair
        if a is b or pair in seen:
            continue
        seen.add(pair)
        if a.op is not None or b.op is not None:
            if a.op != b.op or a.op is None or a.op.weights(a.inputs[0]) != a.op.weights(b.inputs[0]):
                return False
            continue
        rows = [[(child.name, run.count) for child in each.children for run in child.runs] for each in (a, b)]
        if rows[0] != rows[1]:
            return False
        below = [[run.scope for child in each.children for run in child.runs] for each in (a, b)]
        pairs += zip(*below, strict=True)
    return True


def check_row(scope: Scope, step: Step, inputs: tuple[Shapes, ...]) -> None:
    """Check a row of modules, each on the output of the one before; `collect` returns all their outputs."""
    child = child_of(scope, step, "repeat" if step.kind == "repeat" else "list")
    if len(inputs) != 1:
        broken(f"a row takes one input, not {len(inputs)}")
    if step.kind == "collect":
        equal(f"the number of tensors that the row `{child.name}` gives", len(step.shape), child.count)
    shape, outputs = inputs[0], list[Any]()
    for run in child.runs:
        # The first module of a run takes the input; the second, and so all others, its output.
        for before in (shape, run.scope.output)[: run.count]:
            equal(
                f"what reaches the row `{child.name}`",
                before,
                run.scope.inputs[0] if len(run.scope.inputs) == 1 else None,
            )
        shape = run.scope.output
        outputs += [shape] * run.count if step.kind == "collect" else []
    equal(f"what the row `{child.name}` gives", step.shape, shape if step.kind == "repeat" else tuple(outputs))


def check_in_place(scope: Scope, step: Step, inputs: tuple[Shapes, ...]) -> None:
    """Check an op without weights."""
    check_module(step, inputs)
    assert step.scope is not None
    if step.scope.op is None or step.scope.op.weights(step.scope.inputs[0]):
        broken(f"`{step.scope.name}` is not an op without weights, which may stand in place")


def check_pick(scope: Scope, step: Step, inputs: tuple[Shapes, ...]) -> None:
    """Check the selection of one tensor of a list."""
    if len(inputs) != 1 or not is_list(inputs[0]):
        broken(f"the step {step.output} picks from what is no list")
    if not isinstance(step.index, int) or not 0 <= step.index < len(inputs[0]):
        broken(f"the list has {len(inputs[0])} tensors, no {step.index}")
    equal("the shape of what is picked", step.shape, inputs[0][step.index])


STEPS: dict[str, Callable[[Scope, Step, tuple[Shapes, ...]], None]] = {
    "call": check_call,
    "repeat": check_row,
    "collect": check_row,
    "op": check_in_place,
    "pick": check_pick,
}


# ---- totals --------------------------------------------------------------------------------------------------------


def totals_of(scope: Scope, idle: frozenset[str]) -> Totals:
    """Totals of a scope: of the modules it holds, and of the work of its steps, but those of `idle` children."""
    modules = [(run.count, run.scope) for child in scope.children for run in child.runs]
    work = [each for step in scope.steps if step.target not in idle for each in work_of(scope, step)]
    held = total(modules)
    if work == modules:
        return held
    done = total(work)
    return held._replace(ops=done.ops, macs=done.macs, activations=done.activations)


def work_of(scope: Scope, step: Step) -> list[tuple[int, Scope]]:
    """Scopes whose work a step does, with counts."""
    if step.scope is not None:
        return [(1, step.scope)]
    return [] if step.kind == "pick" else [(run.count, run.scope) for run in scope.child(step.target).runs]


def total(parts: list[tuple[int, Scope]]) -> Totals:
    """Sum of the totals of scopes, each multiplied by its count."""
    rows = [scope.totals if count == 1 else [count * each for each in scope.totals] for count, scope in parts]
    return Totals(*map(sum, zip(*rows, strict=True)))


# ---- the network ---------------------------------------------------------------------------------------------------


def check_network(graph: Graph) -> None:
    """Check the facts of the network: its sections and maps, and its training-only parts."""
    root = graph.root
    equal("the kind of the root", root.kind, "network")
    equal("the name of the root", root.name, graph.name)
    equal("the inputs of the root", root.inputs, (graph.input,))
    names = [section.name for section in graph.sections]
    if len(set(names)) < len(names):
        broken(f"two sections have one name among {', '.join(sorted(names))}")
    made = {step.output: step for step in root.steps}
    calls = [step for step in root.steps if not (graph.features and step.kind == "pick")]
    if len(graph.sections) != len(calls) or any(step.kind != "call" for step in calls):
        broken("the network does not do one call for each section")
    for section in graph.sections:
        check_section(graph, section, made.get(section.value))
    in_use = needed(check_results(graph), root.steps)
    for section in graph.sections:
        if (section.kind != "output" or graph.features) and section.value not in in_use:
            broken(f"inference has no need of the section `{section.name}`")
    known = {section.name: maps_of(made[section.value]) for section in graph.sections}
    for each in graph.maps:
        equal(f"the reduction of the map {each.name}", each.reduction, reduction(graph, each.shape))
        name = each.name.partition(".")[0]
        if name not in known:
            broken(f"there is no section `{name}` for a map")
        if each.shape not in known[name]:
            broken(f"no step of `{name}` gives a map of {each.shape}")


def check_results(graph: Graph) -> list[int]:
    """Check that the network returns its last section, or its features; the values that inference returns."""
    result, shapes = graph.root.result, dict(enumerate(graph.root.inputs))
    if graph.features:
        values = [feature.value for feature in graph.features]
        equal("the result of the network", result, values[0] if isinstance(result, int) else tuple(values))
        shapes |= {step.output: step.shape for step in graph.root.steps}
        for feature in graph.features:
            equal(f"the shape of the feature `{feature.path}`", feature.shape, shapes.get(feature.value))
        return values
    last = [section.value for section in graph.sections if section.kind != "output"][-1:]
    equal("the result of the network", result, last[0] if last else None)
    return last + [each.value for each in graph.sections if each.kind == "output" and not each.training_only]


def check_section(graph: Graph, section: Section, step: Step | None) -> None:
    """Check that a section is the output of a call of the network."""
    if step is None:
        broken(f"the section `{section.name}` is the value {section.value}, which nothing makes")
    equal(f"the child of the section `{section.name}`", step.target.rstrip("_"), section.name.rstrip("_"))
    shape = each_shape(step.shape)[-1] if graph.features else step.shape
    equal(f"the shape of the section `{section.name}`", section.shape, shape)
    equal(f"the reduction of the section `{section.name}`", section.reduction, reduction(graph, section.shape))
    if section.training_only and section.kind != "output":
        broken(f"`{section.name}` exists in training only, which only outputs do")
    if not section.training_only and graph.training_only.intersection(step.inputs):
        broken(f"`{section.name}` reads what exists in training only")


def maps_of(step: Step) -> set[Shapes]:
    """Shapes of the inputs and outputs of the steps of a section."""
    assert step.scope is not None
    return {*step.scope.inputs, *(inner.shape for inner in step.scope.steps)}


def reduction(graph: Graph, shape: Any) -> int:
    """Effective stride of a map; 0 for other tensors."""
    return round(graph.input[1] / shape[1]) if len(shape) == 3 else 0
