"""The flat view: every op once, in order, under its module's path, with the tensors that it reads."""

from __future__ import annotations

import pytest

from archdsl import driver
from archdsl.analyses.flatten import Placed, ops_of, parts_of, tensors_of
from archdsl.graph import Graph


def net(text: str) -> Graph:
    """A network from its lines."""
    return driver.compile(driver.loads("backbone net:\n    input 3 x 32 x 32\n" + text, "net.arch"))


def shown(placed: Placed) -> str:
    """An op in a line."""
    reads, gives = (" ".join(map(str, numbers)) for numbers in (placed.reads, placed.gives))
    return f"{placed.path}: {reads} -> {gives}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("    stem: conv(8, 3)\n", ["stem.conv: 0 -> 1"]),
        ("    stem: 2 * conv(3, 3)\n", ["stem.0: 0 -> 1", "stem.1: 1 -> 2"]),
        (
            "    stem: relu + (conv(3) -> relu)\n",
            ["stem.relu: 0 -> 1", "stem.conv: 0 -> 2", "stem.relu2: 2 -> 3", "stem:add: 1 3 -> 4"],
        ),
        ("    stem: relu + relu + (relu * relu)\n", None),
        (
            "    stem: conv(8) -> split(2) -> concat\n",
            ["stem.conv: 0 -> 1", "stem.split: 1 -> 2 3", "stem.concat: 2 3 -> 4"],
        ),
        (
            "    stem: collect(2, conv(4)) -> concat\n",
            ["stem.conv.0: 0 -> 1", "stem.conv.1: 1 -> 2", "stem.concat: 1 2 -> 3"],
        ),
        (
            "    stem: conv(4)\n    output aux if training: stem -> conv(2)\n    head: relu\n",
            ["stem.conv: 0 -> 1", "head.relu: 1 -> 2"],
        ),
    ],
)
def test_ops_and_tensors(text: str, expected: list[str] | None) -> None:
    found = [shown(placed) for placed in ops_of(net(text))]
    assert len(set(found)) == len(found)
    if expected is not None:
        assert found == expected


def test_training_parts_come_when_asked_for() -> None:
    graph = net("    stem: conv(4)\n    output aux if training: stem -> conv(2)\n    head: relu\n")
    assert [each.path for each in ops_of(graph, training=True)] == ["stem.conv", "head.relu", "aux.conv"]


@pytest.mark.parametrize("name", driver.SHIPPED.specs())
def test_every_op_is_there_and_reads_what_was_made(name: str) -> None:
    graph = driver.compile(name)
    found = list(ops_of(graph))
    assert len(found) == graph.root.totals.ops
    shapes = {0: graph.input}
    for placed in found:
        assert tuple(shapes[each] for each in placed.reads) == placed.inputs
        shapes |= tensors_of(graph, [placed])
        assert placed.trail[0] is graph.root
        assert placed.path.startswith(placed.section.name)
    assert sum(placed.scope.totals.macs for placed in found) == graph.root.totals.macs


@pytest.mark.parametrize("name", ["vovnetv2_39", "inception_v3_aux", "cspdensenet121"])
def test_sections_and_blocks_cover_all_ops(name: str) -> None:
    graph = driver.compile(name)
    for depth in ("stage", "block"):
        parts = list(parts_of(graph, depth))
        assert sum(part.scope.totals.ops for part in parts) == graph.root.totals.ops
    assert [part.path for part in parts_of(graph, "stage")] == [
        section.name for section in graph.sections if not section.training_only
    ]


def test_it_is_lazy() -> None:
    graph = net(f"    stem: {4 * 10**4} * (identity + conv(3))\n")
    assert next(ops_of(graph)).path == "stem.0.conv"
    assert sum(1 for _ in ops_of(graph)) == 8 * 10**4


@pytest.mark.parametrize("name", ["vovnetv2_39", "inception_v3", "densenet121", "csp_vovnet39", "peleenet"])
def test_paths_are_those_of_the_emitted_modules_in_their_order(name: str) -> None:
    torch = pytest.importorskip("torch")
    import archdsl

    graph = driver.compile(name)
    with torch.device("meta"):
        model = archdsl.build(graph).eval()
    called: list[str] = []
    leaves = {path: each for path, each in model.named_modules() if not list(each.children())}
    for path, module in leaves.items():
        module.register_forward_hook(lambda *_, path=path: called.append(path))
    model(torch.empty(2, *graph.input, device="meta"))
    expected = [each.path for each in ops_of(graph) if each.path in leaves]
    assert [path for path in called if path in set(expected)] == expected
    assert {path for path in leaves if leaves[path]._parameters} <= set(expected)
