"""Two networks, one on the other's weights: everything that both compute, and the largest difference of each kind."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, partial
from pathlib import Path
from typing import Any, NamedTuple

import torch
import yaml
from torch import Tensor, nn

import archdsl
from archdsl.weights import load_weights, rules, to_reference
from archdsl.weights.assignment import Plan, plan
from archdsl.weights.loading import inspect, recognize
from tests.equality.nets import Case
from tests.equality.oracles import oracle, outputs

DOUBLE = 1e-9
"""What outputs, maps, buffers and gradients may differ by in float64, of their scale."""
SINGLE = 1e-5
"""What outputs may differ by in float32, of their scale."""


class Difference(NamedTuple):
    """The largest difference of a kind, relative to the scale, and where it is."""

    size: float
    where: str


@contextmanager
def double() -> Iterator[None]:
    """Modules are made in float64, and without spending time on an initialization."""
    torch.set_default_dtype(torch.float64)
    try:
        with torch.device("meta"):
            yield
    finally:
        torch.set_default_dtype(torch.float32)


def build(spec: Any, **options: Any) -> nn.Module:
    """A network of ours, whose weights are no numbers until they are loaded."""
    with double():
        net = archdsl.build(spec, **options)
    return filled(net, float("nan"))


def filled(net: nn.Module, value: float) -> nn.Module:
    """A network without dropout, each weight and statistic a value."""
    net.to_empty(device="cpu")
    for each in net.modules():
        if isinstance(each, nn.Dropout):
            each.p = 0.0
    with torch.no_grad():
        for tensor in (*net.parameters(), *net.buffers()):
            tensor.fill_(value if tensor.is_floating_point() else 0)
    return net


@cache
def authors() -> dict[str, rules.Scheme]:
    """The rules for the transcriptions' names."""
    content = rules.ProjectFile.model_validate(yaml.safe_load(Path(__file__).with_name("authors.yaml").read_text()))
    return {str(name): next(rules.cases("authors", name, entry)) for name, entry in content.schemes.items()}


# ---- weights -------------------------------------------------------------------------------------------------------


def randomize(net: nn.Module, images: Tensor) -> None:
    """Random weights; norms with scales of both signs; running statistics near those of the images, but not them."""
    generator = torch.Generator().manual_seed(7)
    norms = [each for each in net.modules() if isinstance(each, nn.BatchNorm2d)]
    held = {id(parameter) for norm in norms for parameter in norm.parameters()}
    with torch.no_grad():
        for parameter in net.parameters():
            if id(parameter) in held:
                continue
            if parameter.ndim > 1:
                spread = (2 / parameter[0].numel()) ** 0.5
                parameter.uniform_(-spread * 3**0.5, spread * 3**0.5, generator=generator)
            else:
                parameter.uniform_(-0.5, 0.5, generator=generator)
        for norm in norms:
            sign = torch.randint(0, 2, norm.weight.shape, generator=generator) * 2 - 1
            norm.weight.copy_(sign * torch.empty_like(norm.weight).uniform_(0.5, 1.5, generator=generator))
            norm.bias.uniform_(-0.5, 0.5, generator=generator)
        settle(net, norms, images)
        for norm in norms:
            mean, variance = statistics(norm)
            mean += variance.sqrt() * torch.empty_like(mean).uniform_(-0.3, 0.3, generator=generator)
            variance *= torch.empty_like(mean).uniform_(0.7, 1.5, generator=generator)


def settle(net: nn.Module, norms: list[nn.BatchNorm2d], images: Tensor) -> None:
    """Running statistics become those of the images, so that deep networks stay within numbers in evaluation."""
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.momentum = 1.0
    net.train()(images)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
        statistics(norm)[1].clamp_(min=1e-3)


def statistics(norm: nn.BatchNorm2d) -> tuple[Tensor, Tensor]:
    """The running mean and variance of a norm."""
    mean, variance = norm.running_mean, norm.running_var
    assert mean is not None
    assert variance is not None
    return mean, variance


def move(case: Case, theirs: nn.Module, ours: nn.Module) -> Plan:
    """Their weights into our network; gives the plan, by which gradients find each other, too."""
    state = theirs.state_dict()
    library, _, network = case.oracle.partition(":")
    if library == "authors":
        found = plan(authors()[network], state, ours.state_dict())
        assert found.complete, (found.left_over, found.missing)
        load_weights(ours, found.ours(state), head="strict")
        return found
    load_weights(ours, state, head="strict")
    assert same(to_reference(ours, "timm" if library == "derived" else library), state)
    found = recognize(state, inspect(ours))
    assert found is not None
    return found


def same(mine: dict[str, Tensor], theirs: dict[str, Tensor]) -> bool:
    """Whether two state dicts have the same keys and, to the bit, the same numbers."""
    return mine.keys() == theirs.keys() and all(torch.equal(mine[key], theirs[key]) for key in mine)


# ---- running -------------------------------------------------------------------------------------------------------


class Run(NamedTuple):
    """What a network computed: outputs, maps by section, buffers and gradients by name, the input's among them."""

    outputs: dict[str, Tensor]
    maps: dict[str, Tensor]
    buffers: dict[str, Tensor]
    gradients: dict[str, Tensor]


def run(net: nn.Module, images: Tensor, maps: dict[str, str], training: bool) -> Run:
    """A step of a network, forward and backward, without one of an optimizer."""
    seen: dict[str, Tensor] = {}
    hooks = [hook(net, path, seen, name) for name, path in maps.items()]
    x = images.clone().requires_grad_()
    net.train(training)
    net.zero_grad(set_to_none=True)
    found = outputs(net(x))
    generator = torch.Generator().manual_seed(11)
    loss = torch.stack([(y * torch.empty_like(y).uniform_(-1, 1, generator=generator)).sum() for y in found]).sum()
    loss.backward()
    for each in hooks:
        each.remove()
    gradients = {name: each.grad for name, each in net.named_parameters() if each.grad is not None}
    assert x.grad is not None
    return Run(
        {f"output {index}": y.detach() for index, y in enumerate(found)},
        seen,
        {name: each.clone() for name, each in net.named_buffers()},
        gradients | {"the input": x.grad},
    )


def evaluated(net: nn.Module, images: Tensor, maps: dict[str, str]) -> Run:
    """What a forward pass computes, in evaluation."""
    seen: dict[str, Tensor] = {}
    hooks = [hook(net, path, seen, name) for name, path in maps.items()]
    with torch.no_grad():
        found = outputs(net.eval()(images))
    for each in hooks:
        each.remove()
    return Run({f"output {index}": y for index, y in enumerate(found)}, seen, {}, {})


def hook(net: nn.Module, path: str, seen: dict[str, Tensor], name: str) -> Any:
    """Keeps a module's output, or its input (`path<`), as it is at that moment."""
    module = net.get_submodule(path.removesuffix("<"))

    def keep(module: nn.Module, given: Any, result: Tensor) -> None:
        seen[name] = (given[0] if path.endswith("<") else result).detach().clone()

    return module.register_forward_hook(keep)


# ---- comparing -----------------------------------------------------------------------------------------------------


def relative(mine: Tensor, theirs: Tensor, scale: Callable[[], float] | None = None) -> float:
    """The largest difference of two tensors, of the scale of theirs."""
    if mine.shape != theirs.shape:
        return float("inf")
    if torch.equal(mine, theirs):
        return 0.0
    least = scale() if scale else theirs.abs().max().item()
    return (mine.double() - theirs.double()).abs().max().item() / least if least else float("inf")


def differences(plan: Plan, mine: Run, theirs: Run) -> dict[str, Difference]:
    """The largest difference of each kind: outputs, maps, buffers, gradients."""
    buffers, gradients = plan.ours(theirs.buffers), plan.ours(theirs.gradients)
    assert set(buffers) >= set(mine.buffers)
    gradients["the input"] = theirs.gradients["the input"]
    assert set(gradients) == set(mine.gradients)

    def scale(key: str) -> float:
        """The largest gradient of a module: a bias before a norm has none of its own, being without effect."""
        near = [gradients[each] for each in gradients if module(each) == module(key)]
        return max(each.abs().max().item() for each in near)

    return differences_of_forward(mine, theirs) | {
        "buffers": worst({key: relative(mine.buffers[key], buffers[key]) for key in mine.buffers}),
        "gradients": worst(
            {key: relative(mine.gradients[key], gradients[key], partial(scale, key)) for key in gradients}
        ),
    }


def differences_of_forward(mine: Run, theirs: Run) -> dict[str, Difference]:
    """The largest difference of outputs and of maps."""
    return {
        "outputs": worst({key: relative(mine.outputs[key], theirs.outputs[key]) for key in theirs.outputs}),
        "maps": worst({key: relative(mine.maps[key], theirs.maps[key]) for key in theirs.maps}),
    }


def module(key: str) -> str:
    """The module that a tensor belongs to."""
    return key.rpartition(".")[0]


def worst(found: dict[str, float]) -> Difference:
    """The largest of some differences; what is no number is larger than any."""
    if not found:
        return Difference(0.0, "")
    key = max(found, key=lambda key: float("inf") if found[key] != found[key] else found[key])
    return Difference(float("inf") if found[key] != found[key] else found[key], key)


class Pair(NamedTuple):
    """An oracle and our network on its weights."""

    theirs: nn.Module
    ours: nn.Module
    plan: Plan
    images: Tensor


def pair(case: Case, ours: nn.Module) -> Pair:
    """The oracle of a case, at random, and a network of ours on its weights, both in float64."""
    with double():
        theirs = oracle(case.oracle)
    filled(theirs, 0.0)
    generator = torch.Generator().manual_seed(5)
    images = torch.randn(case.batch, 3, case.size, case.size, generator=generator, dtype=torch.float64)
    randomize(theirs, images)
    return Pair(theirs, ours, move(case, theirs, ours), images)


def compare(case: Case, both: Pair) -> dict[str, Difference]:
    """Every difference between a network and its oracle, in evaluation and in training, and in float32."""
    return step(case, both, False) | step(case, both, True) | {"float32: outputs": in_single(both)}


def step(case: Case, both: Pair, training: bool) -> dict[str, Difference]:
    """The differences of a step, forward and backward; the gradients are gone afterwards, VGG's being large."""
    theirs = run(both.theirs, both.images, case.maps, training)
    mine = run(both.ours, both.images, {name: name for name in case.maps}, training)
    mode = "training" if training else "evaluation"
    found = {f"{mode}: {kind}": each for kind, each in differences(both.plan, mine, theirs).items()}
    both.theirs.zero_grad()
    both.ours.zero_grad()
    return found


def in_single(both: Pair) -> Difference:
    """The difference of the outputs in float32, in evaluation."""
    images = both.images.float()
    with torch.no_grad():
        theirs = outputs(both.theirs.float().eval()(images))
        mine = outputs(both.ours.float().eval()(images))
    return worst({f"output {index}": relative(a, b) for index, (a, b) in enumerate(zip(mine, theirs, strict=True))})


def limit(kind: str) -> float:
    """What a kind of difference may come to."""
    return SINGLE if kind.startswith("float32") else DOUBLE
