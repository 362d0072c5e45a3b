"""A network with something of everything, and how to change a graph in one place."""

from __future__ import annotations

from collections.abc import Callable

from archdsl import driver
from archdsl.graph import Graph, Run, Scope, distinct

TEXT = """
block merge(other: tensor) = concat(x, other) -> conv(8)

block twice():
    body = share(conv(8, 3))
    return concat(body -> maxpool(2), maxpool(2) -> body)

block wave():
    y = x
    for i in range(2):
        y = y -> conv(8 + i)
    return y

block mixed(layer: block, slope = 0.1):
    ys = x -> collect(3, layer)
    cross, main = x -> split(0.5)
    y = concat(x, ...ys, main) -> conv(8) -> leaky_relu(slope)
    return y + ys[-1]

backbone net(classes = 10, kind: wide | narrow = wide):
    \"\"\"Something of everything.\"\"\"
    input 3 x 32 x 32
    conv.init = kaiming_normal(mode = fan_out)
    bn.eps = 0.001
    stem: conv(8, 3, padding = valid) -> norm -> act
    stage c1 / 2: cna(8, 3) -> 3 * bottleneck(8)
    stage c2: mixed(conv(8, [1, 3])) -> wave -> merge(c1)
    stage c3 / 2: twice -> slice(0, 8) -> affine(weight = [1, 2, 3, 4, 5, 6, 7, 8], bias = [0, 0, 0, 0, 0, 0, 0, 0.5])
    output p2: c2 -> conv(4)
    output aux if training: c2 -> conv(4) -> global_avgpool -> flatten -> linear(classes)
    head: global_avgpool -> flatten -> linear(classes)
"""


def net() -> Graph:
    """The network."""
    return driver.compile(driver.loads(TEXT))


def changed(graph: Graph, path: str, change: Callable[[Scope], Scope]) -> Graph:
    """The graph with a change in the scope at a path; all that holds it is the same otherwise, totals too."""
    scope = at(graph, path)
    new = {scope: change(scope)}
    for each in distinct(graph.root):
        if each is not scope:
            children = tuple(
                child._replace(runs=tuple(Run(run.count, new.get(run.scope, run.scope)) for run in child.runs))
                for child in each.children
            )
            steps = tuple(step._replace(scope=step.scope and new.get(step.scope, step.scope)) for step in each.steps)
            if children != each.children or steps != each.steps:
                new[each] = each.replace(children=children, steps=steps)
    return graph.replace(root=new[graph.root])


def at(graph: Graph, path: str) -> Scope:
    """The scope at a path: names of children, or the number of a step in place."""
    scope = graph.root
    for name in path.split(".") if path else ():
        if name.isdigit() and not scope.children:
            scope = scope.steps[int(name)].scope or scope
        elif name.startswith("#"):
            scope = scope.steps[int(name[1:])].scope or scope
        else:
            scope = scope.child("" if name == "0" else name).scope
    return scope
