"""Each op against the real layer, line by line of `cases/`: shape, weights, values, cost."""

from __future__ import annotations

from typing import Any

import pytest

from archdsl.op import Op
from archdsl.ops import vocabulary

torch = pytest.importorskip("torch")
from torch.utils.flop_counter import FlopCounterMode  # noqa: E402

from tests.ops.spelled import BATCH, LAYERS, Executed, Line, inputs, make, real, spellings  # noqa: E402

nn = torch.nn
KINDS = {"num_batches_tracked": "counter", "running_mean": "buffer", "running_var": "buffer", "filt": "buffer"}


def same(ours: Any, theirs: Any) -> None:
    """Fails where two results differ: tensors, or lists of them."""
    if isinstance(theirs, list | tuple):
        assert len(ours) == len(theirs)
        for one, other in zip(ours, theirs, strict=True):
            same(one, other)
        return
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-12)


def shapes(result: Any) -> Any:
    """The shape of a result without its batch; of a list, all of them."""
    return tuple(map(shapes, result)) if isinstance(result, list | tuple) else tuple(result.shape[1:])


def randomize(layer: Any) -> None:
    """Random weights and statistics, but leaves a fixed filter alone."""
    torch.manual_seed(3)
    for name, weight in layer.state_dict().items():
        if weight.is_floating_point() and name != "filt":
            weight.copy_(torch.rand_like(weight) + 0.5)


@pytest.mark.parametrize("line", LAYERS)
def test_multiply_adds(line: Line) -> None:
    op, shape = make(line.columns[0]), line.shapes[0]
    for ours in spellings(op, shape):
        with FlopCounterMode(display=False) as counter:
            ours(inputs(shape))
        assert op.macs(shape, op.output(shape)) == counter.get_total_flops() / 2 / BATCH


@pytest.mark.parametrize("line", LAYERS)
def test_op_is_the_real_layer(line: Line) -> None:
    call, layer_text = line.columns
    for shape in line.shapes:
        op = make(call)
        layer = real(layer_text, inputs(shape))
        stateful = isinstance(layer, nn.Module)
        held = layer.state_dict() if stateful else {}
        assert [(w.name, w.shape, w.kind) for w in op.weights(shape)] == [
            (name, tuple(tensor.shape), KINDS.get(name, "parameter")) for name, tensor in held.items()
        ]
        for ours in spellings(op, shape):
            if isinstance(ours, nn.Module):
                check_state(ours, layer)
            elif stateful:
                layer.train(False)
            for training in (True, True, False) if isinstance(ours, nn.Module) else (False,):
                check_values(op, ours, layer, layer_text, shape, training)


@pytest.mark.parametrize("line", LAYERS)
def test_run_is_the_real_layer(line: Line) -> None:
    call, layer_text = line.columns
    for shape in line.shapes:
        op, layer = make(call), real(layer_text, inputs(shape))
        ours = Executed(op, shape)
        if isinstance(layer, nn.Module):
            randomize(layer)
            ours.load_state_dict(layer.state_dict())
        for training in (True, True, False):
            check_values(op, ours, layer, layer_text, shape, training)


def test_every_op_has_a_run() -> None:
    assert [name for name, op in vocabulary().items() if op.run is Op.run] == []


def check_state(ours: Any, layer: Any) -> None:
    """The same weights to begin with, by name; then others, the same in both."""
    if not isinstance(layer, nn.Module):
        assert ours.state_dict() == {}
        return
    assert list(ours.state_dict()) == list(layer.state_dict())
    same(list(ours.state_dict().values()), list(layer.state_dict().values()))
    randomize(layer)
    ours.load_state_dict(layer.state_dict())


def check_values(op: Any, ours: Any, layer: Any, text: str, shape: Any, training: bool) -> None:
    """One run of both: shape, values, and what the layers keep."""
    x = inputs(shape)
    if isinstance(ours, nn.Module):
        ours.train(training)
    torch.manual_seed(1)
    result = ours(x)
    torch.manual_seed(1)
    expected = layer.train(training)(x) if isinstance(layer, nn.Module) else real(text, x)
    same(list(result) if isinstance(expected, list) else result, expected)
    assert op.output(shape) == shapes(expected)
    if isinstance(ours, nn.Module) and isinstance(layer, nn.Module):
        same(list(ours.state_dict().values()), list(layer.state_dict().values()))


def test_lines_are_of_ops() -> None:
    """An op without a line is compared with its own `run` alone, by its example (`test_ops_examples.py`)."""
    held = {param.values[0].columns[0].partition("(")[0] for param in LAYERS}
    assert held <= set(vocabulary())
    assert len(held) >= 59


def test_counted_layers() -> None:
    counted = {name: op.counts_as for name, op in vocabulary().items() if op.counts_as}
    norms = dict.fromkeys(("bn", "group_norm", "instance_norm", "layer_norm"), "norm")
    assert counted == {"conv": "conv", "conv_transpose": "conv", "linear": "linear", **norms}


def compare(op: Any, layer: Any) -> None:
    """All that is compared of an op that is a module."""
    (ours,) = spellings(op, (8, 9, 9))
    check_state(ours, layer)
    check_values(op, ours, layer, "", (8, 9, 9), True)


@pytest.mark.parametrize("change", [{"padding": 0}, {"bias": True}, {"out": 12}, {"kernel": 5}])
def test_the_comparison_notices(change: dict[str, Any]) -> None:
    layer = nn.Conv2d(8, 16, 3, padding=1, bias=False).double()
    compare(make("conv(16, 3)"), real("nn.Conv2d(8, 16, 3, padding=1, bias=False)", None))
    with pytest.raises(AssertionError):
        compare(make("conv(16, 3)").replace(**change), layer)
