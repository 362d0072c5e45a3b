"""What a graph is, as text that a case can state: the paths of its modules, and what flows where."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import Any

from archdsl.graph import Graph, Scope, Spread, Step
from archdsl.op import Op


def leaves(scope: Scope, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Scope]]:
    """The ops that a scope holds, each with its path, as in the keys of a state dict."""
    if scope.op is not None:
        yield ".".join(path), scope
    for child in scope.children:
        at = 0
        for count, below in child.runs:
            for _ in range(count):
                numbered = (str(at),) if child.form != "one" else ()
                yield from leaves(below, (*path, *((child.name,) if child.name else ()), *numbered))
                at += 1


def modules(graph: Graph) -> list[str]:
    """The paths of all ops of a network."""
    return [path for path, _ in leaves(graph.root)]


class Flow:
    """Runs a graph on numbers instead of tensors: `2 = add 0 1` is the second op, on the input and the first's output.

    However the text divides a network into blocks, what flows is the same.
    """

    def __init__(self, graph: Graph) -> None:
        self.lines: list[str] = []
        self.result = self.run(graph.root, ("0",))

    def run(self, scope: Scope, inputs: tuple[Any, ...]) -> Any:
        """What a scope makes of its inputs."""
        if scope.op is not None:
            return self.act(scope, inputs[0])
        values: dict[int, Any] = dict(enumerate(inputs))
        for step in scope.steps:
            values[step.output] = self.step(scope, step, values)
        return fetch(values, scope.result)

    def act(self, scope: Scope, value: Any) -> Any:
        """An op: one more line."""
        number = len(self.lines) + 1
        read = " ".join(value) if isinstance(value, tuple) else value
        assert scope.op is not None
        self.lines.append(f"{number} = {written(scope.op)} {read}")
        if isinstance(scope.output[0], tuple):
            return tuple(f"{number}[{at}]" for at in range(len(scope.output)))
        return str(number)

    def step(self, scope: Scope, step: Step, values: dict[int, Any]) -> Any:
        """A step's output."""
        inputs = tuple(fetch(values, ref) for ref in step.inputs)
        match step.kind:
            case "pick":
                return inputs[0][step.index]
            case "repeat" | "collect":
                outputs = [*inputs]
                for count, below in scope.child(step.target).runs:
                    for _ in range(count):
                        outputs.append(self.run(below, (outputs[-1],)))
                return outputs[-1] if step.kind == "repeat" else tuple(outputs[1:])
            case _:
                assert step.scope is not None
                return self.run(step.scope, inputs)


def fetch(values: dict[int, Any], ref: Any) -> Any:
    """A value, or a list made of values."""
    if isinstance(ref, int):
        return values[ref]
    parts = (values[part.value] if isinstance(part, Spread) else (values[part],) for part in ref)
    return tuple(each for part in parts for each in part)


def flow(graph: Graph) -> list[str]:
    """What flows where in a network, op by op."""
    return Flow(graph).lines


def written(op: Op) -> str:
    """An op with the parameters that are not as declared."""
    given = {name: value for name, value in op.__dict__.items() if name in op.fields}
    said = [f"{name}={plain(value)}" for name, value in given.items() if value != op.defaults.get(name, given)]
    return f"{op.name}({', '.join(said)})" if said else op.name


def plain(value: Any) -> str:
    """A parameter's value."""
    if isinstance(value, Fraction):
        return f"{value}"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, tuple):
        return f"[{', '.join(map(plain, value))}]"
    return str(value) if isinstance(value, str | int) else f"{value!r}"


def shape(sizes: Iterable[Any]) -> str:
    """A shape: 64x56x56."""
    return "x".join(map(str, sizes))
