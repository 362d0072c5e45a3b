"""Auxiliary classifiers: they run in training only and come back under their names; `transform_input` is an option."""

from __future__ import annotations

from typing import Any

import pytest

torch = pytest.importorskip("torch")
models = pytest.importorskip("torchvision.models")

import archdsl  # noqa: E402
from archdsl.weights import load_weights  # noqa: E402

CASES = {
    "inception_v3_aux": (("aux",), 299, models.inception_v3),
    "googlenet_aux": (("aux1", "aux2"), 224, models.googlenet),
}
SIZES = {name: size for name, (_, size, _) in CASES.items()} | {"inception_v3": 299, "googlenet": 224}


def images(name: str, count: int = 1, size: int = 0) -> Any:
    """Random images, of the network's own size if no other is said."""
    torch.manual_seed(0)
    return torch.randn(count, 3, size or SIZES[name], size or SIZES[name])


def lively(model: Any) -> Any:
    """The network with weights that carry the image to the end, in float64: its own starts let it fade away."""
    for module in model.modules():
        if isinstance(module, torch.nn.Conv2d):
            torch.nn.init.kaiming_normal_(module.weight)
    return model.double().eval()


def gap(found: Any, wanted: Any) -> float:
    """The largest difference, relative to the scale of how the outputs differ among themselves."""
    return float((found - wanted).abs().max() / wanted.std())


@pytest.mark.parametrize("name", CASES)
def test_they_run_in_training_only(name: str) -> None:
    names, _, _ = CASES[name]
    model: Any = archdsl.build(name, params={"classes": 7})
    ran: list[str] = []
    for each in names:
        model.get_submodule(each).register_forward_hook(lambda *_, each=each: ran.append(each))
    with torch.no_grad():
        found = model.train()(images(name, 2))
        assert ran == [*names]
        assert {key: tuple(value.shape) for key, value in found.items()} == dict.fromkeys([*names, "head"], (2, 7))
        assert list(found) == [*names, "head"]
        ran.clear()
        alone = model.eval()(images(name, size=107))
    assert isinstance(alone, torch.Tensor)
    assert alone.shape == (1, 7)
    assert ran == []


@pytest.mark.parametrize("name", CASES)
def test_every_output_trains_what_is_below_it(name: str) -> None:
    names, _, _ = CASES[name]
    model: Any = archdsl.build(name, params={"classes": 7}).train()
    found = model(images(name, 2))
    first = next(model.parameters())
    for each in (*names, "head"):
        (of_first,) = torch.autograd.grad(found[each].square().sum(), [first], retain_graph=True)
        assert of_first.abs().sum() > 0
    head = torch.autograd.grad(found["head"].sum(), [*model.get_submodule(names[0]).parameters()], allow_unused=True)
    assert head == (None,) * len(head)


@pytest.mark.parametrize("name", CASES)
def test_inference_is_that_of_the_network_without_them(name: str) -> None:
    model = lively(archdsl.build(name))
    alone: Any = archdsl.build(name.removesuffix("_aux")).double().eval()
    state = {key: value for key, value in model.state_dict().items() if not key.startswith("aux")}
    alone.load_state_dict(state)
    with torch.no_grad():
        x = images(name, size=107).double()
        assert torch.equal(model(x), alone(x))
        assert gap(model(x.flip(3)), model(x)) > 0.01


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("transform", [False, True])
def test_transform_input_is_torchvisions(name: str, transform: bool) -> None:
    torch.manual_seed(0)
    theirs = lively(CASES[name][2](weights=None, init_weights=False, transform_input=transform))
    model: Any = archdsl.build(name, params={"transform_input": transform}).double().eval()
    load_weights(model, theirs.state_dict())
    with torch.no_grad():
        x = images(name, size=107).double()
        assert gap(model(x), theirs(x)) < 1e-9
        theirs.transform_input = not transform
        assert gap(model(x), theirs(x)) > 0.01


@pytest.mark.parametrize("name", SIZES)
def test_transform_input_holds_no_weight(name: str) -> None:
    plain: Any = archdsl.build(name)
    other: Any = archdsl.build(name, params={"transform_input": True})
    mine, theirs = plain.state_dict(), other.state_dict()
    assert {key: value.shape for key, value in mine.items()} == {key: value.shape for key, value in theirs.items()}
