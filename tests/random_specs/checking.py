"""What must hold of every spec that elaborates: it computes what the graph says, and comes to what was predicted."""

from __future__ import annotations

from typing import Any

import torch
from torch.overrides import TorchFunctionMode
from torch.utils.flop_counter import FlopCounterMode

import archdsl
from archdsl.analyses.figures import PartFigures
from archdsl.graph import Graph

GRADIENTS = 1e-12
"""What gradients may differ by, of their scale: they are summed in another order. All else is equal to the bit."""

PLAIN = {"SampledConv2d": torch.nn.Conv2d, "PaddedConvTranspose2d": torch.nn.ConvTranspose2d}
"""PyTorch's own classes in place of which others are emitted; see docs/known-problems.md."""


CONVOLUTIONS = (torch.nn.functional.conv2d, torch.nn.functional.conv_transpose2d)


class OneLayout(TorchFunctionMode):
    """Convolutions read their input row by row, whatever its strides.

    A map of one place has no layout of its own: `permute` and `reshape` leave it with strides of either, by which
    PyTorch chooses the kernel. On some processors the two kernels differ in the last bit.
    """

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func in CONVOLUTIONS:
            args = (args[0].clone(memory_format=torch.contiguous_format), *args[1:])
        return func(*args, **(kwargs or {}))


def check(graph: Graph) -> None:
    """Builds and runs a network: values are those of the interpreter, shapes and counts the predicted ones."""
    compare(graph)
    model = archdsl.build(graph)
    figures = archdsl.cost(graph)
    assert sum(each.numel() for each in model.parameters()) == figures.totals.params
    check_inference(model, graph, figures.totals)
    check_training(model, graph, figures)


def compare(graph: Graph) -> None:
    """Asserts that the emitted module and the interpreter compute the same."""
    result = archdsl.check(graph)
    assert result.agrees, f"{result} {result.first}"
    if not exact(result):
        with OneLayout():
            result = archdsl.check(graph, with_plain_kernels(archdsl.build(graph)))
        assert exact(result), result


def exact(result: Any) -> bool:
    """Whether outputs and buffers are equal to the bit, and gradients nearly so."""
    return all(each.size <= (gradients(each) if each.kind == "gradients" else 0.0) for each in result.deviations)


def gradients(deviation: Any) -> float:
    """What gradients may differ by: little, or what a change of the images in their last bits makes them differ by."""
    return max(GRADIENTS, 10 * deviation.rounding)


def with_plain_kernels(model: torch.nn.Module) -> torch.nn.Module:
    """A module for which PyTorch chooses the kernels that it does for the interpreter.

    An op in place keeps the layout in memory of what it writes over, on which the next one's kernel may depend; and
    a convolution that takes its places first has none to step over.
    """
    for each in model.modules():
        if hasattr(each, "inplace"):
            each.inplace = False  # pyright: ignore
        each.__class__ = PLAIN.get(type(each).__name__, type(each))
    return model


def check_inference(model: torch.nn.Module, graph: Graph, totals: PartFigures) -> None:
    """Each section's map has its shape, the multiply-adds and activations are those that torch has."""
    shapes: dict[str, tuple[int, ...]] = {}
    given: list[int] = []
    handles = [
        module.register_forward_hook(lambda _m, _x, y, name=name: shapes.update({name: tuple(y.shape[1:])}))  # pyright: ignore
        for name, module in model.named_children()
    ] + [
        module.register_forward_hook(lambda _m, _x, y: given.append(y[0].numel()))  # pyright: ignore
        for module in model.modules()
        if isinstance(module, torch.nn.Conv2d | torch.nn.ConvTranspose2d)
    ]
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        model.eval()(torch.zeros(2, *graph.input))
    for handle in handles:
        handle.remove()
    assert counter.get_total_flops() == 2 * 2 * totals.macs
    assert sum(given) == totals.activations
    seen = {section.name: section.shape for section in graph.sections if not section.training_only}
    assert {name: shape for name, shape in shapes.items() if name in seen} == {
        name: shape for name, shape in seen.items() if name in shapes
    }


def check_training(model: torch.nn.Module, graph: Graph, figures: Any) -> None:
    """In training, further outputs come under their names, and every parameter can be reached by gradients."""
    result = model.train()(torch.randn(2, *graph.input))
    named = [section.name for section in graph.sections if section.training_only]
    outputs = result if isinstance(result, dict) else {"head": result}
    assert set(outputs) == {"head", *named}
    loss = sum(output.float().sum() for output in outputs.values())
    assert isinstance(loss, torch.Tensor)
    if loss.requires_grad:
        loss.backward()
