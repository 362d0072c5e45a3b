"""Memory, against what torch allocates and keeps: every family, hand cases, checkpoints, the ops one by one."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest

import archdsl
from archdsl import ArchError
from archdsl.analyses.flatten import ops_of, tensors_of
from archdsl.analyses.memory import unit_of
from archdsl.commands._run import main
from archdsl.driver import SHIPPED, memory
from archdsl.graph import Graph, distinct

torch = pytest.importorskip("torch")
from torch.utils.checkpoint import checkpoint  # noqa: E402

from tests.analyses import measuring  # noqa: E402
from tests.ops.spelled import LAYERS, Line, inputs, make, spellings  # noqa: E402
from tests.random_specs.drawing import Drawer  # noqa: E402

FAMILIES = [
    "cspdarknet53",
    "cspdensenet121",
    "csppeleenet",
    "cspresnext50",
    "csp_vovnet39",
    "darknet53",
    "densenet40_k12_cifar10",
    "ese_vovnet19b_dw",
    "googlenet_aux",
    "inception_v3_aux",
    "osa_densenet40",
    "peleenet",
    "preresnet20_cifar10",
    "resnet164bn_cifar10",
    "resnet18",
    "resnet50",
    "resnetv2_50",
    "resnext29_32x4d_cifar10",
    "vgg11_bn",
    "vovnetv2_19",
]
OWN_SIZE = ("inception_v3_aux", "googlenet_aux")
SIZES = {"inception_v3": 107, "cifar": 16, "densenet40": 16}
BATCH = 2


def graph_of(name: str) -> Graph:
    """A shipped network, for a small input where it takes one."""
    if name in OWN_SIZE:
        return archdsl.compile(name)
    size = next((size for word, size in SIZES.items() if word in name), 64)
    return archdsl.compile(name, input=(3, size, size))


def compiled(text: str, name: str = "net") -> Graph:
    """A network of one stage, or of the lines given."""
    body = text if ":" in text else f"stem: {text}"
    lines = "\n".join(f"    {line}" for line in body.strip().split("\n"))
    return archdsl.compile(
        archdsl.loads(f"backbone {name}(classes = 10):\n    input 8 x 16 x 16\n{lines}\n", "net.arch")
    )


def check(graph: Graph, tolerance: float = 0.0) -> None:
    """Peak, what is kept, and weights, as torch has them."""
    found, model = memory(graph, BATCH), measuring.built(graph)
    assert found.peak == pytest.approx(measuring.peak(model, (BATCH, *graph.input)), rel=tolerance, abs=0)
    assert found.saved == measuring.saved(model, (BATCH, *graph.input))
    assert found.weights == measuring.size_of(measuring.state(model))
    assert found.planned <= found.peak


@pytest.mark.parametrize("name", FAMILIES)
def test_families(name: str) -> None:
    check(graph_of(name), tolerance=0.02)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(set(SHIPPED.specs()) - set(FAMILIES)))
def test_all_shipped_specs(name: str) -> None:
    check(graph_of(name), tolerance=0.02)


HAND = [
    "conv(8, 3) -> bn -> relu -> conv(4)",
    "cna(8) -> cna(8) -> cna(8)",
    "conv(8) + conv(8) + conv(8)",
    "x1: conv(8)\ny: x1 -> fork(conv(8), x1) -> add",
    "split(2) -> concat",
    "5 * basic(8)",
    "with(act = leaky_relu(0.1), 2 * basic(8) -> cna(8))",
    "with(act = relu6, 2 * basic(8) -> cna(8, 3))",
    "with(act = elu, cna(8) -> bottleneck(16))",
    "dense(3, cna(4, 3))",
    "osa(3, cna(8, 3), 16, ese)",
    "csp(2 * dark(8), cna(8), halves(8))",
    "concat(cna(8), maxpool(3, 1), avgpool(3, 1), identity)",
    "conv(8) -> relu6 -> dropout(0.5) -> drop_path(0.2)",
    "group_norm(2) -> elu -> instance_norm(affine = true) -> layer_norm -> conv(8)",
    "(conv(8) -> sigmoid) * (conv(8) -> relu) * conv(1)",
    "fork(conv(8), conv(8)) -> softmax_list -> add",
    "relu -> conv(8)",
    "pixel_shuffle(2) -> channel_shuffle(1) -> permute([0, 2, 1]) -> conv(8)",
    "conv(9) -> pad_channels(12) -> slice(0, 6) -> tanh -> scale(2)",
    "stem: cna(16)\noutput p: stem -> conv(8)\nstage c2 / 2: cna(16, 3)\noutput aux if training: c2 -> conv(4)",
    "collect(3, cna(8)) -> concat -> norm -> act",
]


@pytest.mark.parametrize("text", HAND)
def test_hand_cases(text: str) -> None:
    check(compiled(text))


def test_a_sequential_keeps_its_input_and_the_value_at_hand() -> None:
    """Three equal maps: what the caller holds, what the module reads, what it makes."""
    one = 4 * 8 * 16 * 16
    assert memory(compiled("conv(8) -> conv(8) -> conv(8)")).peak == 3 * one
    assert memory(compiled("conv(8) -> conv(8) -> conv(8)")).planned == 2 * one
    assert memory(compiled("conv(8)\n".strip())).peak == 2 * one


def test_what_is_kept_by_hand() -> None:
    """A conv keeps its input, a bn too and two numbers a channel, an activation in place what it wrote over."""
    one = 4 * 8 * 16 * 16
    kept = memory(compiled("cna(8)")).saved
    assert kept == one + one + 2 * 8 * 4 + one


@pytest.mark.parametrize("names", [["c2"], ["stem", "c3"], ["stem", "c2", "c3"]])
def test_checkpoints(names: list[str]) -> None:
    """What is alive after a forward pass with checkpointed stages, the output aside."""
    graph = compiled("stem: cna(8)\nstage c2: 2 * basic(8)\nstage c3 / 2: cna(8, 3) -> cna(8, 3) -> basic(8)")
    model = archdsl.build(graph).train()
    x = torch.randn(BATCH, *graph.input)
    with measuring.Counting(x, *measuring.state(model)) as counting:
        y = x
        for name, stage in model.named_children():
            again = name in names
            y = checkpoint(stage, y, use_reentrant=False, preserve_rng_state=False) if again else stage(y)
    output = y.untyped_storage().nbytes()
    found = memory(graph, BATCH, checkpoint=names)
    inside = measuring.saved(model, x.shape)
    assert found.checkpointed == tuple(names)
    assert found.saved < inside == memory(graph, BATCH).saved
    kept_output = output if y.grad_fn is not None and found.saved and "c3" not in names else 0
    assert found.saved == counting.live + x.untyped_storage().nbytes() - output + kept_output
    assert found.recomputed > 0


def test_optimizers() -> None:
    graph = compiled("cna(8) -> conv(4, bias = true)")
    model = archdsl.build(graph)
    found = memory(graph)
    makers: dict[str, Any] = {
        "sgd": lambda: torch.optim.SGD(model.parameters(), lr=0.1),
        "momentum": lambda: torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9),
        "adam": lambda: torch.optim.Adam(model.parameters(), lr=0.1),
    }
    for name, make_optimizer in makers.items():
        optimizer = make_optimizer()
        model(torch.randn(2, *graph.input)).sum().backward()
        optimizer.step()
        tensors = [each for kept in optimizer.state.values() for each in kept.values() if torch.is_tensor(each)]
        assert found.optimizers[name] == measuring.size_of(tensors)
    assert found.gradients == measuring.size_of([each.grad for each in model.parameters() if each.grad is not None])
    assert found.training("adam") == found.weights + found.gradients + found.optimizers["adam"] + found.saved


# ---- a planner


def liveness(graph: Graph) -> int:
    """The planned peak over the flat list of ops, worked out anew: sizes in values, views and in-place ops followed."""
    placed = list(ops_of(graph))
    shapes = tensors_of(graph, placed)
    left = Counter(number for each in placed for number in each.reads)
    left.update(placed[-1].gives)
    block, size = {0: 0}, {0: size_of(graph.input)}
    live = peak = size[0]
    for each in placed:
        left.subtract(each.reads)
        over = {block[number] for number in each.reads}
        over -= {block[number] for number in block if left[number] > 0}
        inplace = each.op.takes == "tensor" and each.op.spelling(each.input).inplace and block[each.reads[0]] in over
        for number in each.gives:
            if inplace or not each.op.moves(each.input):
                block[number] = block[each.reads[0]]
                over -= {block[number]} if left[number] > 0 else set()
            else:
                block[number] = each.gives[0] if each.op.view else number
                size[block[number]] = size.get(block[number], 0) + size_of(shapes[number])
                live += size_of(shapes[number])
        peak = max(peak, live)
        over |= {block[number] for number in each.gives} - {block[number] for number in block if left[number] > 0}
        live -= sum(size.pop(each, 0) for each in over)
    return peak


def size_of(shape: tuple[int, ...]) -> int:
    """The number of values."""
    return int(torch.Size(shape).numel())


@pytest.mark.parametrize("name", ["resnet18", "csp_vovnet39", "densenet40_k12_cifar10", "googlenet", "peleenet"])
def test_planned(name: str) -> None:
    graph = graph_of(name)
    assert memory(graph).planned == 4 * liveness(graph)


@pytest.mark.parametrize("text", [text for text in HAND if ":" not in text])
def test_planned_by_hand(text: str) -> None:
    graph = compiled(text)
    assert memory(graph).planned == 4 * liveness(graph)


# ---- ops one by one


@pytest.mark.parametrize("line", LAYERS)
def test_ops(line: Line) -> None:
    """An op's own scratch, what it keeps, and whether its output is new, as torch has them."""
    op, shape = make(line.columns[0]), line.shapes[0]
    for layer in spellings(op, shape):
        check_op(op, shape, layer)


def check_op(op: Any, shape: Any, layer: Any) -> None:
    """One spelling of an op."""
    y, unit, held = op.output(shape), unit_of(2, "fp64"), []
    if isinstance(layer, torch.nn.Module):
        held = measuring.state(layer.eval())
    x = inputs(shape)
    given = x if isinstance(x, list) else [x]
    with torch.no_grad(), measuring.Counting(*given, *held) as counting:
        result = layer(x)
    results = list(result) if isinstance(result, list | tuple) else [result]
    new = {each.untyped_storage()._cdata: each for each in results} if op.moves(shape) else {}
    assert counting.peak == measuring.size_of(list(new.values())) + unit.inner(op.scratch(shape, y))
    check_kept(op, shape, layer, y)


def check_kept(op: Any, shape: Any, layer: Any, y: Any) -> None:
    """What a spelling keeps in training."""
    if isinstance(layer, torch.nn.Module):
        layer.train()
    held = (
        {each.untyped_storage()._cdata for each in measuring.state(layer)}
        if isinstance(layer, torch.nn.Module)
        else set()
    )
    x = inputs(shape, grad=True)
    found: dict[int, Any] = {}
    with torch.autograd.graph.saved_tensors_hooks(
        lambda t: found.setdefault(t.untyped_storage()._cdata, t), lambda t: t
    ):
        result = layer(x)
    sides = {
        "input": x if isinstance(x, list) else [x],
        "output": list(result) if isinstance(result, list | tuple) else [result],
    }
    kept = op.kept(shape, y)
    places = {each.untyped_storage()._cdata for side in ("input", "output") if side in kept for each in sides[side]}
    inner = [each for key, each in found.items() if key not in held | places]
    assert places <= found.keys()
    assert measuring.size_of(inner) == unit_of(2, "fp64").inner(each for each in kept if not isinstance(each, str))


# ---- what cannot be asked for, and speed


@pytest.mark.parametrize(("settings", "message"), [((0, "fp32"), "a batch of 0"), ((1, "fp31"), "no precision")])
def test_refusals(settings: tuple[int, str], message: str) -> None:
    with pytest.raises(ArchError, match=message):
        memory(compiled("conv(8)"), *settings)


def test_unknown_checkpoint() -> None:
    with pytest.raises(ArchError, match="stem"):
        memory(compiled("conv(8)"), checkpoint=["sten"])


def test_batch_and_precision() -> None:
    graph = compiled("cna(8) -> maxpool(2)")
    assert memory(graph, 4).planned == 4 * memory(graph).planned == 2 * memory(graph, 4, "fp16").planned * 4 // 4
    assert memory(graph, 3, "fp16").weights * 2 == memory(graph).weights + 8


def test_deep_networks_take_no_longer() -> None:
    """Walked once for each different scope: a hundred thousand blocks come to the figures of ten."""
    few, many = memory(compiled("10 * basic(8)")), memory(compiled("100000 * basic(8)"))
    assert (few.peak, few.planned) == (many.peak, many.planned)
    one = (many.saved - few.saved) // (100000 - 10)
    assert few.saved - 9 * one > 0
    assert many.saved == few.saved + (100000 - 10) * one


# ---- the command


ROWS = ["conv(8)", "cna(8)", "relu", "identity + conv(8)", "conv(8) -> bn", "sigmoid", "x_relu", "dropout(0.5)", "two"]


@pytest.mark.parametrize("row", ROWS)
@pytest.mark.parametrize("count", [4, 5, 9])
def test_equal_turns_are_added_up_as_they_are(row: str, count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (
        "block x_relu() = relu + identity\nblock two() = 4 * (conv(8) -> relu)\n"
        f"backbone net:\n    input 8 x 4 x 4\n    stem: conv(8)\n    stage c2: {count} * ({row})\n"
        f"    stage c3: {count} * {row if '->' not in row and '+' not in row else 'cna(8)'}\n    head: conv(8)\n"
    )
    graph = archdsl.compile(archdsl.loads(text))
    added_up = memory(graph, 2)
    monkeypatch.setattr("archdsl.backends.torch.memory.ENOUGH", 10**6)
    assert memory(graph, 2) == added_up


def test_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["memory", "resnet18", "--batch", "2", "--checkpoint", "c2", "--format", "json"]) == 0
    (data,) = json.loads(capsys.readouterr().out)
    found = memory(archdsl.compile("resnet18"), 2, checkpoint=["c2"])
    assert (data["peak"], data["saved"], data["recomputed"]) == (found.peak, found.saved, found.recomputed)
    assert [part["name"] for part in data["parts"]] == ["stem", "c2", "c3", "c4", "c5", "head"]
    assert main(["memory", "resnet18", "googlenet_aux", "--checkpoint", "head"]) == 0
    out = capsys.readouterr().out
    assert all(words in out for words in ("head (run again)", "aux1 (training only)", "adam"))


@pytest.mark.parametrize("words", [["--batch", "0"], ["--batch", "x"], ["--precision", "fp1"], ["--checkpoint", "c9"]])
def test_what_the_command_refuses(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["memory", "resnet18", *words]) == 2
    assert "error[E504]" in capsys.readouterr().err


# ---- random networks


def test_random_networks() -> None:
    """What is kept is exact but where memory is laid out in another order, which copies; peaks nearly always agree."""
    drawer, compared, exact = Drawer(seed=23), 0, 0
    for number in range(80):
        try:
            graph = archdsl.compile(archdsl.loads(drawer.spec(number), "drawn.arch"))
            model = archdsl.build(graph)
        except ArchError:
            continue
        names = {scope.op.name for scope in distinct(graph.root) if scope.op is not None}
        if {"instance_norm", "reshape"} & names and {"layer_norm", "permute", "slice", "split"} & names:
            continue
        found = memory(graph, BATCH)
        assert found.saved == measuring.saved(model, (BATCH, *graph.input)), archdsl.emit(graph)
        compared += 1
        exact += found.peak == measuring.peak(model, (BATCH, *graph.input))
    assert compared > 50
    assert exact >= 0.98 * compared
