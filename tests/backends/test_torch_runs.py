"""What the emitted text does in PyTorch: it learns, and PyTorch's tools take it."""

from __future__ import annotations

from typing import Any

import pytest

torch = pytest.importorskip("torch")

from archdsl.backends.torch import module as made  # noqa: E402
from archdsl.graph import Graph  # noqa: E402
from tests.backends.nets import NAMES, graph, net  # noqa: E402


def build(built: Graph) -> Any:
    """The module of a graph, whose attributes no type checker can know."""
    return made.build(built)


def prepared(built: Graph) -> Any:
    """A module in evaluation whose weights and statistics are no round numbers."""
    torch.manual_seed(1)
    module = build(built).eval()
    for parameter in module.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    for name, buffer in module.named_buffers():
        if "running" in name:
            buffer.uniform_(0.5, 1.5)
    return module


def outputs(result: Any) -> dict[str, Any]:
    """A network's result under the names of its outputs."""
    return result if isinstance(result, dict) else {"head": result}


def same(a: Any, b: Any) -> None:
    """Asserts that two results are equal."""
    torch.testing.assert_close(outputs(a), outputs(b), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", NAMES)
def test_it_learns(name: str) -> None:
    built = net(name)
    module = build(built).train()
    result = outputs(module(torch.randn(4, *built.input)))
    torch.stack([value.square().mean() for value in result.values()]).sum().backward()
    assert all(parameter.grad is not None for parameter in module.parameters())


@pytest.mark.parametrize("name", NAMES)
def test_it_scripts(name: str) -> None:
    built = net(name)
    module = prepared(built)
    x = torch.randn(2, *built.input)
    scripted = torch.jit.script(module)
    same(scripted(x), module(x))
    assert outputs(scripted.train()(x)).keys() == outputs(module.train()(x)).keys()


@pytest.mark.parametrize("name", NAMES)
def test_it_traces_symbolically(name: str) -> None:
    built = net(name)
    module = prepared(built)
    x = torch.randn(2, *built.input)
    same(torch.fx.symbolic_trace(module)(x), module(x))


@pytest.mark.parametrize("name", NAMES)
def test_it_exports(name: str) -> None:
    built = net(name)
    module = prepared(built)
    x = torch.randn(2, *built.input)
    same(torch.export.export(module, (x,)).module()(x), module(x))
    torch.export.export(module.train(), (x,))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["residual", "aggregated", "lists", "auxiliary"])
def test_it_compiles(name: str) -> None:
    built = net(name)
    module = prepared(built)
    x = torch.randn(2, *built.input)
    with torch.no_grad():
        same(torch.compile(module, fullgraph=True, backend="aot_eager")(x), module(x))


@pytest.mark.parametrize("name", NAMES)
def test_in_place_changes_nothing(name: str) -> None:
    built = net(name)
    module = prepared(built)
    careful = prepared(built)
    for each in careful.modules():
        if hasattr(each, "inplace"):
            each.inplace = False
    x = torch.randn(2, *built.input, requires_grad=True)
    y = x.detach().clone().requires_grad_()
    for inputs, each in ((x, module), (y, careful)):
        torch.manual_seed(2)
        result = outputs(each.train()(inputs))
        torch.stack([value.square().sum() for value in result.values()]).sum().backward()
    torch.testing.assert_close(x.grad, y.grad, rtol=1e-5, atol=1e-5)


def test_feature_maps_are_never_overwritten() -> None:
    spec = """
        backbone net():
            input 3 x 8 x 8
            stem: conv(8) -> norm -> relu
            c: relu -> conv(8) -> 2 * (norm -> relu)
        """
    module = build(graph("\n".join(line[8:] for line in spec.splitlines())))
    seen: dict[str, Any] = {}
    for name in ("stem", "stem.norm", "c"):
        module.get_submodule(name).register_forward_hook(
            lambda _, __, output, name=name: seen.update({name: (output, output.clone())})
        )
    module(torch.randn(2, 3, 8, 8))
    assert all(torch.equal(output, before) for output, before in seen.values())
    assert sum(getattr(each, "inplace", False) for each in module.modules()) == 2


def test_initialization() -> None:
    built = net("mobile")
    torch.manual_seed(3)
    module = build(built)
    conv, linear = module.stem.cna.conv, module.head.linear
    assert abs(conv.weight.std().item() - (2 / (16 * 9)) ** 0.5) < 0.02
    assert torch.equal(linear.bias, torch.full_like(linear.bias, -4.6))
    assert module.c2.inverted.norm.weight.abs().max() == 0
    assert module.c2.cna.norm.weight.min() == 1
    torch.manual_seed(3)
    again = build(built)
    assert all(torch.equal(a, b) for a, b in zip(module.parameters(), again.parameters(), strict=True))


EXCEPTIONS = """
block pair(out, zero = 1.0) = conv(out) -> norm(gamma = zero)
backbone net():
    input 3 x 8 x 8
    conv.init = kaiming_normal
    stem: conv(8, bias = true, bias_init = constant(val = 2)) -> norm
    c: 3 * pair(8) -> 3 * pair(8, 0.5 if last else 1.0)
    d: with(conv.init = none, conv(8)) -> conv(8, init = constant(val = 3))
    head: global_avgpool -> flatten -> linear(4, bias_init = normal(std = 5))
"""


def test_initialization_of_exceptions() -> None:
    torch.manual_seed(0)
    module = build(graph(EXCEPTIONS.replace("with(conv.init = none, conv(8))", "conv(8, 3)")))
    assert torch.equal(module.stem.conv.bias, torch.full((8,), 2.0))
    assert [each.norm.weight[0].item() for each in module.c.pair] == [1.0, 1.0, 0.5]
    assert torch.equal(module.d.conv2.weight, torch.full_like(module.d.conv2.weight, 3.0))
    assert module.head.linear.bias.abs().max() > 1
