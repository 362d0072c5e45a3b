"""What PyTorch keeps for the backward pass, where outputs lie, and which outputs may be overwritten."""

from __future__ import annotations

from typing import Any

import pytest

from archdsl.ops import vocabulary

torch = pytest.importorskip("torch")
from tests.ops.spelled import LAYERS, Line, inputs, make, spell_module, spellings  # noqa: E402

OPS: dict[str, Any] = dict(vocabulary())
INPLACE = [name for name, op in OPS.items() if op.torch.inplace]


def listed(value: Any) -> list[Any]:
    """A tensor or several, as a list."""
    return list(value) if isinstance(value, list | tuple) else [value]


def memory(tensors: Any) -> set[int]:
    """Where tensors lie."""
    return {tensor.untyped_storage().data_ptr() for tensor in listed(tensors)}


def kept(layer: Any, x: Any) -> tuple[set[str], bool]:
    """Which of input and output the backward pass of a layer needs, and whether they are one memory."""
    saved: list[Any] = []

    def pack(tensor: Any) -> Any:
        saved.append(tensor)
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        y = layer(x)
    found = memory(saved)
    view = bool(memory(x) & memory(y))
    sides = {"input": memory(x), "output": set() if view else memory(y)}
    return {side for side, places in sides.items() if places & found}, view


@pytest.mark.parametrize("name", sorted({each.values[0].columns[0].partition("(")[0] for each in LAYERS}))
def test_saves_and_views(name: str) -> None:
    """No line keeps more than the op says, and some line keeps all of it."""
    found: set[str] = set()
    for line in [each.values[0] for each in LAYERS if each.values[0].columns[0].startswith(f"{name}(")]:
        op = make(line.columns[0])
        for shape in line.shapes:
            for layer in spellings(op, shape):
                sides, view = kept(layer, inputs(shape, grad=True))
                assert sides <= op.saves
                assert not view or op.view or not op.writable(shape)
                found |= sides
    assert found == op.saves


def gradients(layer: Any, act: Any, shape: Any, training: bool) -> list[Any]:
    """Output and gradients of an activation after a layer, and the input, which nobody may have changed."""
    x = inputs(shape, grad=True)
    weights = []
    if isinstance(layer, torch.nn.Module):
        layer.train(training)
        weights = list(layer.parameters())
    torch.manual_seed(1)
    y = act(layer(x))
    changed = [(now - before).detach() for now, before in zip(listed(x), listed(inputs(shape)), strict=True)]
    sources = [*listed(x), *weights]
    weighed = (y * torch.linspace(-1, 1, y.numel(), dtype=y.dtype).view_as(y)).sum()
    return [y.detach(), *changed, *torch.autograd.grad(weighed, sources, allow_unused=True)]


def check_inplace(layer: Any, act: Any, shape: Any) -> None:
    """The same output and gradients in place as apart."""
    apart, inplace = spell_module(act, shape), spell_module(act, shape, inplace=True)
    for training in (True, False):
        expected = gradients(layer, apart, shape, training)
        found = gradients(layer, inplace, shape, training)
        for ours, theirs in zip(found, expected, strict=True):
            torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-12)


@pytest.mark.parametrize("line", LAYERS)
def test_writable_outputs_may_be_overwritten(line: Line) -> None:
    op, shape = make(line.columns[0]), line.shapes[0]
    if op.writable(shape):
        for layer in spellings(op, shape):
            check_inplace(layer, OPS["relu"](), shape)


@pytest.mark.parametrize("name", INPLACE)
@pytest.mark.parametrize("before", ["conv(8, 3)", "bn()", "silu()", "scale(2.0)"])
def test_activations_in_place(name: str, before: str) -> None:
    shape = (8, 6, 5)
    for layer in spellings(make(before), shape):
        check_inplace(layer, OPS[name](), shape)


@pytest.mark.parametrize("name", [name for name, op in OPS.items() if op.saves == {"output"}])
def test_kept_outputs_may_not_be_overwritten(name: str) -> None:
    """The test of the test: PyTorch notices where an output that it needs is overwritten."""
    op, shape = OPS[name](), (8, 6, 5) if OPS[name].takes == "tensor" else ((8, 6, 5),) * 2
    assert not op.writable(shape)
    y = listed(spellings(op, shape)[0](inputs(shape, grad=True)))[0]
    with pytest.raises(RuntimeError, match="modified"):
        torch.nn.functional.hardtanh_(y).sum().backward()


def test_where_the_sign_is_lost() -> None:
    assert make("leaky_relu(0.1)").spelling((8,)).inplace
    assert make("leaky_relu(0.0)").spelling((8,)).inplace
    assert not make("leaky_relu(-0.1)").spelling((8,)).inplace
