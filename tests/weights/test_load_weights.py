"""Other projects' state dicts into our networks: recognized, mapped whole or not at all, adapted where it is told."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from functools import cache
from typing import Any

import pytest

torch = pytest.importorskip("torch")
models = pytest.importorskip("torchvision.models")

from torch import Tensor, nn  # noqa: E402

import archdsl  # noqa: E402
from archdsl import ArchError  # noqa: E402
from archdsl.backends.interpret import held  # noqa: E402
from archdsl.weights import load_weights, rules, to_reference  # noqa: E402
from archdsl.weights.assignment import identity, plan  # noqa: E402
from archdsl.weights.loading import inspect, recognize  # noqa: E402
from archdsl.weights.rules import Template  # noqa: E402

State = dict[str, Tensor]


def resnet18(**options: Any) -> State:
    """A ResNet-18 of torchvision, at random."""
    net = models.resnet18(weights=None, **options)
    for index, (key, tensor) in enumerate(net.state_dict().items()):
        if key.endswith("running_var"):
            nn.init.uniform_(tensor, 0.5, 1.5)
        elif tensor.is_floating_point():
            nn.init.normal_(tensor)
        else:
            tensor.fill_(index)
    return dict(net.state_dict())


@pytest.fixture(scope="module")
def source() -> State:
    return resnet18()


@cache
def built(**params: Any) -> nn.Module:
    return archdsl.build("resnet18", params=params)


def ours(**params: Any) -> nn.Module:
    """A ResNet-18 of ours, at random; a copy, as filling one takes longer than what is tested."""
    return deepcopy(built(**params))


def weight(net: nn.Module, module: str) -> Tensor:
    """The weight of a module."""
    found = net.get_submodule(module).weight
    assert isinstance(found, Tensor)
    return found


def same(mine: State, theirs: State) -> bool:
    return mine.keys() == theirs.keys() and all(torch.equal(mine[key], theirs[key]) for key in mine)


def findings(error: ArchError) -> list[str]:
    """What an error says."""
    return [each.label for each in error.diagnostics]


# ---- whole, and back -----------------------------------------------------------------------------------------------


def test_torchvision_and_back(source: State) -> None:
    net = ours()
    report = load_weights(net, source)
    assert report.scheme == "torchvision (resnet of basic blocks)"
    assert report.mapped["layer2.0.downsample.0.weight"] == ("c3.0.shortcut.conv.weight",)
    assert str(report) == "122 tensors, named as by torchvision (resnet of basic blocks)"
    assert same(to_reference(net, "torchvision"), source)
    images = torch.randn(2, 3, 64, 64)
    theirs = models.resnet18(weights=None)
    theirs.load_state_dict(source)
    assert torch.allclose(net.eval()(images), theirs.eval()(images))


def test_our_own_names(source: State) -> None:
    net, other = ours(), ours()
    load_weights(net, source)
    report = load_weights(other, net.state_dict())
    assert report.scheme == "archdsl"
    assert same(dict(other.state_dict()), dict(net.state_dict()))


def test_order_of_the_keys_does_not_matter(source: State) -> None:
    net, other = ours(), ours()
    load_weights(net, source)
    load_weights(other, dict(reversed(source.items())))
    assert same(dict(other.state_dict()), dict(net.state_dict()))


WRAPPERS: dict[str, tuple[Callable[[State], Any], tuple[str, ...]]] = {
    "parallel": (lambda state: {f"module.{key}": value for key, value in state.items()}, ("module.",)),
    "compiled": (lambda state: {f"_orig_mod.{key}": value for key, value in state.items()}, ("_orig_mod.",)),
    "state_dict": (lambda state: {"state_dict": state, "epoch": 3}, ("state_dict",)),
    "model": (lambda state: {"model": state, "optimizer": {}}, ("model",)),
    "model_state_dict": (lambda state: {"model_state_dict": state}, ("model_state_dict",)),
    "averaged first": (
        lambda state: {"model": {key: value * 0 for key, value in state.items()}, "model_ema": state},
        ("model_ema",),
    ),
    "both": (
        lambda state: {"state_dict": {f"module.model.{key}": value for key, value in state.items()}},
        ("state_dict", "module.model."),
    ),
}


@pytest.mark.parametrize("name", WRAPPERS)
def test_wrappers_come_off(source: State, name: str) -> None:
    wrap, taken = WRAPPERS[name]
    net = ours()
    assert load_weights(net, wrap(source)).wrappers == taken
    assert same(to_reference(net, "torchvision"), source)


# ---- strict: each of these is refused, with the model untouched -----------------------------------------------------


def renamed(state: State) -> State:
    return {key.replace("layer3.1.bn2.bias", "layer3.1.bn2.shift"): value for key, value in state.items()}


def missing(state: State) -> State:
    return {key: value for key, value in state.items() if key != "layer3.1.bn2.bias"}


def reshaped(state: State) -> State:
    return state | {"layer3.1.conv2.weight": torch.zeros(256, 256, 1, 1)}


MISFITS: dict[str, tuple[Callable[[State], Any], list[str]]] = {
    "renamed": (
        renamed,
        [
            "the network has, and the source does not: c4.1.body.norm.bias",
            "the source has, and the network does not: layer3.1.bn2.shift",
        ],
    ),
    "missing": (missing, ["the network has, and the source does not: c4.1.body.norm.bias"]),
    "left over": (
        lambda state: state | {"layer1.2.conv1.weight": state["conv1.weight"]},
        ["the source has, and the network does not: layer1.2.conv1.weight"],
    ),
    "of another shape": (reshaped, ["of another shape: c4.1.body.conv.weight has 256x256x1x1 for 256x256x3x3"]),
    "twice": (
        lambda state: state | {"fc.extra": state["fc.bias"]},
        ["the source has, and the network does not: fc.extra"],
    ),
    "of another network": (
        lambda state: dict(models.resnet34(weights=None).state_dict()),
        ["the source has, and the network does not: layer1.2.conv1.weight, layer1.2.bn1.weight"],
    ),
    "unknown": (
        lambda state: {f"x{index}.weight": value for index, value in enumerate(state.values())},
        ["the source has x0.weight, x1.weight, x2.weight and 119 more, the network stem.cna.conv.weight"],
    ),
    "no tensors": (lambda state: {"epoch": 3}, ["a dict with the keys `epoch`, no tensor in it"]),
    "empty": (lambda state: {}, ["an empty dict"]),
}


@pytest.mark.parametrize("name", MISFITS)
def test_misfits_are_listed_and_nothing_is_loaded(source: State, name: str) -> None:
    change, expected = MISFITS[name]
    net = ours()
    before = {key: value.clone() for key, value in net.state_dict().items()}
    with pytest.raises(ArchError) as caught:
        load_weights(net, change(source))
    assert len(findings(caught.value)) == len(expected)
    for found, start in zip(findings(caught.value), expected, strict=True):
        assert found.startswith(start)
    assert same(dict(net.state_dict()), before)


def test_a_network_without_memory(source: State) -> None:
    with torch.device("meta"):
        net = archdsl.build("resnet18")
    with pytest.raises(ArchError, match="on the device `meta`"):
        load_weights(net, source)


# ---- adapted, and told ---------------------------------------------------------------------------------------------


def test_another_number_of_classes(source: State) -> None:
    net = ours(classes=7)
    head = weight(net, "head.linear")
    before = head.clone()
    report = load_weights(net, source)
    assert report.fresh == dict.fromkeys(
        ["head.linear.weight", "head.linear.bias"], "1,000 classes in the source, 7 here"
    )
    assert "left fresh: head.linear.weight, 1,000 classes in the source, 7 here" in str(report)
    assert torch.equal(head, before)
    assert torch.equal(weight(net, "stem.cna.conv"), source["conv1.weight"])
    with pytest.raises(ArchError, match=r"head\.linear\.weight has 1000x512 for 7x512"):
        load_weights(net, source, head="strict")


def test_our_names_with_another_number_of_classes(source: State) -> None:
    net = ours()
    load_weights(net, source)
    report = load_weights(ours(classes=7), net.state_dict())
    assert list(report.fresh) == ["head.linear.weight", "head.linear.bias"]


def test_a_network_without_a_classifier(source: State) -> None:
    report = load_weights(ours(classes=0), source)
    assert report.left_out == ("fc.weight", "fc.bias")
    assert "left out: fc.weight, fc.bias" in str(report)
    with pytest.raises(ArchError, match=r"fc\.weight"):
        load_weights(ours(classes=0), source, head="strict")


def test_a_source_without_a_classifier(source: State) -> None:
    backbone = {key: value for key, value in source.items() if not key.startswith("fc.")}
    with pytest.raises(ArchError, match='head="optional" leaves the classifier as it is'):
        load_weights(ours(), backbone)
    report = load_weights(ours(), backbone, head="optional")
    assert list(report.fresh) == ["head.linear.weight", "head.linear.bias"]


@pytest.mark.parametrize("channels", [1, 2, 4, 7])
def test_another_number_of_input_channels(source: State, channels: int) -> None:
    """As timm does it."""
    from timm.models import adapt_input_conv

    net = archdsl.build("resnet18", input=(channels, 64, 64))
    report = load_weights(net, source)
    how = "summed" if channels == 1 else "repeated and scaled"
    assert report.adapted == {"stem.cna.conv.weight": f"3 input channels in the source, {channels} here: {how}"}
    assert torch.allclose(weight(net, "stem.cna.conv"), adapt_input_conv(channels, source["conv1.weight"]))


def test_norms_without_counters(source: State) -> None:
    """Frozen norms and checkpoints of before 2018 have none."""
    old = {key: value for key, value in source.items() if not key.endswith("num_batches_tracked")}
    net = ours()
    report = load_weights(net, old)
    assert len(report.started) == 20
    assert "started from 0: stem.cna.norm.num_batches_tracked" in str(report)
    assert net.state_dict()["stem.cna.norm.num_batches_tracked"] == 0


def test_auxiliary_outputs_are_left_out_where_there_are_none() -> None:
    theirs = models.googlenet(weights=None, aux_logits=True, init_weights=False).state_dict()
    report = load_weights(archdsl.build("googlenet"), theirs)
    assert {key.partition(".")[0] for key in report.left_out} == {"aux1", "aux2"}
    full = archdsl.build("googlenet_aux", params={"classes": 5})
    assert set(load_weights(full, theirs).fresh) == {
        f"{head}.linear.{leaf}" for head in ("head", "aux1", "aux2") for leaf in ("weight", "bias")
    }
    with pytest.raises(ArchError, match=r"aux1\.auxiliary"):
        load_weights(full, {key: value for key, value in theirs.items() if not key.startswith("aux")})


# ---- known transformations -----------------------------------------------------------------------------------------


def test_densenet_as_published() -> None:
    """The checkpoints that torchvision publishes say `norm.1` for `norm1`."""
    theirs = models.densenet121(weights=None).state_dict()
    old = {
        key.replace("norm1.", "norm.1.")
        .replace("norm2.", "norm.2.")
        .replace("conv1.", "conv.1.")
        .replace("conv2.", "conv.2."): value
        for key, value in theirs.items()
    }
    assert "features.denseblock1.denselayer1.norm.1.weight" in old
    net = archdsl.build("densenet121")
    load_weights(net, old)
    assert same(to_reference(net, "torchvision"), dict(theirs))


def test_two_convolutions_become_one_and_two_again() -> None:
    """The authors' CSPDarknet has two convolutions where timm has one, and another order of the concat."""
    net, again = archdsl.build("csdarknet53"), archdsl.build("csdarknet53")
    theirs = to_reference(net, "timm")
    cross, main = (weight(net, f"c2.csp.entry.{name}.conv") for name in ("cross", "main"))
    assert torch.equal(theirs["stages.1.conv_exp.conv.weight"], torch.cat([cross, main]))
    join = weight(net, "c2.csp.join.conv")
    assert torch.equal(theirs["stages.1.conv_transition.conv.weight"], torch.cat(join.chunk(2, 1)[::-1], 1))
    assert theirs["head.fc.weight"].shape == (1000, 1024)
    report = load_weights(again, theirs)
    assert "stages.1.conv_exp.bn.weight" in report.changed
    assert same(dict(again.state_dict()), dict(net.state_dict()))
    shape_keys = {key: tuple(value.shape) for key, value in theirs.items()}
    from timm import create_model

    with torch.device("meta"):
        assert shape_keys == {
            key: tuple(value.shape) for key, value in create_model("cspdarknet53").state_dict().items()
        }


def test_a_network_of_shapes_alone_may_be_named() -> None:
    with torch.device("meta"):
        net = archdsl.build("csdarknet53")
    assert all(tensor.is_meta for tensor in to_reference(net, "timm").values())


def test_counters_that_differ_are_not_made_one() -> None:
    net = archdsl.build("csdarknet53")
    net.state_dict()["c2.csp.entry.main.norm.num_batches_tracked"].fill_(5)
    with pytest.raises(ArchError, match="they count 0, 5, and can be one only if equal"):
        to_reference(net, "timm")


VOVNET_KEYS = """
stem.stem_1/conv.weight stem.stem_1/norm.weight
stage2.OSA2_1.layers.0.OSA2_1_0/conv.weight stage2.OSA2_1.layers.0.OSA2_1_0/norm.weight
stage2.OSA2_1.layers.3.OSA2_1_3/conv.weight stage2.OSA2_1.concat.OSA2_1_concat/conv.weight
stage2.OSA2_1.concat.OSA2_1_concat/norm.weight stage2.OSA2_1.ese.fc.weight
stage3.OSA3_1.layers.2.OSA3_1_2/norm.weight stage4.OSA4_1.layers.1.OSA4_1_1/norm.bias
stage4.OSA4_2.layers.1.OSA4_2_1/conv.weight stage5.OSA5_1.layers.0.OSA5_1_0/norm.weight
stage5.OSA5_1.ese.fc.bias stage5.OSA5_2.concat.OSA5_2_concat/norm.bias
stage5.OSA5_2.ese.fc.weight stage5.OSA5_2.ese.fc.bias
"""
DEPTHWISE_KEYS = """
stem.stem_1/conv.weight stem.stem_1/norm.weight stem.stem_2/dw_conv3x3.weight stem.stem_2/pw_conv1x1.weight
stem.stem_2/pw_norm.weight stage2.OSA2_1.layers.0.OSA2_1_0/dw_conv3x3.weight
stage2.OSA2_1.layers.0.OSA2_1_0/pw_conv1x1.weight stage2.OSA2_1.layers.0.OSA2_1_0/pw_norm.weight
stage2.OSA2_1.conv_reduction.OSA2_1_reduction_0/conv.weight
stage2.OSA2_1.conv_reduction.OSA2_1_reduction_0/norm.weight stage2.OSA2_1.concat.OSA2_1_concat/conv.weight
stage3.OSA3_1.layers.2.OSA3_1_2/dw_conv3x3.weight stage4.OSA4_1.layers.0.OSA4_1_0/pw_conv1x1.weight
stage4.OSA4_1.conv_reduction.OSA4_1_reduction_0/norm.bias stage5.OSA5_1.layers.1.OSA5_1_1/pw_norm.bias
stage5.OSA5_1.ese.fc.weight
"""


@pytest.mark.parametrize(
    ("spec", "keys", "count"), [("vovnetv2_39", VOVNET_KEYS, 248), ("vovnetv2_19_dw", DEPTHWISE_KEYS, 162)]
)
def test_the_authors_names_of_vovnet(spec: str, keys: str, count: int) -> None:
    """The keys are those of the authors' networks, as far as the reference lists them; a detector has no classifier."""
    net, again = archdsl.build(spec), archdsl.build(spec)
    theirs = to_reference(net, "vovnet")
    assert set(keys.split()) <= theirs.keys()
    assert len(theirs) == count
    detector = {f"backbone.bottom_up.{key}": value for key, value in theirs.items() if not key.startswith("classifier")}
    report = load_weights(again, detector, head="optional")
    assert report.wrappers == ("backbone.bottom_up.",)
    assert set(report.fresh) == {"head.linear.weight", "head.linear.bias"}
    load_weights(again, theirs)
    assert same(dict(again.state_dict()), dict(net.state_dict()))


OTHERS = [
    ("vgg16", "pytorchcv", "vgg16"),
    ("vgg11_bn", "pytorchcv", "bn_vgg11b"),
    ("resnext50", "pytorchcv", "resnext50_32x4d"),
    ("vgg13", "timm", "vgg13"),
    ("resnext50", "timm", "resnext50_32x4d"),
    ("wide_resnet50_2", "timm", "wide_resnet50_2"),
    ("densenet161", "timm", "densenet161"),
]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize(("spec", "project", "name"), OTHERS)
def test_other_networks_of_the_same_names(spec: str, project: str, name: str) -> None:
    """By names and shapes alone; the tests of equality load numbers, and compute."""
    from pytorchcv.model_provider import get_model
    from timm import create_model

    with torch.device("meta"):
        net = archdsl.build(spec)
        theirs = dict((get_model(name) if project == "pytorchcv" else create_model(name)).state_dict())
    network = inspect(net)
    found = recognize(theirs, network)
    assert found is not None
    assert found.complete
    assert {key: value.shape for key, value in found.ours(theirs).items()} == {
        key: value.shape for key, value in network.state.items()
    }
    assert {key: value.shape for key, value in to_reference(net, project).items()} == {
        key: value.shape for key, value in theirs.items()
    }


def test_no_reference() -> None:
    with pytest.raises(ArchError, match="torchvision has no names for a network with"):
        to_reference(archdsl.build("vovnet27_slim"), "torchvision")
    with pytest.raises(ArchError, match="did you mean `torchvision`"):
        to_reference(archdsl.build("resnet18"), "torchvison")


# ---- the rules themselves ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("template", "name", "values"),
    [
        ("layer{i}.{j}.conv{k}", "layer2.10.conv3", {"i": 2, "j": 10, "k": 3}),
        ("layer{i}.{j}.conv{k}", "layer2.01.conv3", None),
        ("c{i+1}", "c3", {"i": 2}),
        ("c{i+1}", "c0", None),
        ("cna{k?}", "cna", {"k": 1}),
        ("cna{k?}", "cna12", {"k": 12}),
        ("cna{k?}", "cna1", None),
        ("cna{k+3?}", "cna4", {"k": 1}),
        ("features.{s*j+b+1}", "features.14", {"j": 3}),
        ("features.{s*j+b+1}", "features.13", None),
        ("conv{last}", "conv3", {}),
        ("OSA{i}_{j}.OSA{i}_{j}_{k}/conv", "OSA2_1.OSA2_1_4/conv", {"i": 2, "j": 1, "k": 4}),
        ("OSA{i}_{j}.OSA{i}_{j}_{k}/conv", "OSA2_1.OSA3_1_4/conv", None),
        ("a.b", "axb", None),
        ("cna{k+1?}", "cna10", {"k": 9}),
    ],
)
def test_templates(template: str, name: str, values: dict[str, int] | None) -> None:
    read = Template(template, {"s": 3, "b": 4, "last": 3})
    assert read.match(name) == values
    if values is not None:
        assert read.fill(values) == name


@pytest.mark.parametrize("scheme", [each for project in rules.projects() for each in rules.schemes(project)], ids=str)
def test_a_scheme_is_known_by_names_of_its_own(scheme: rules.Scheme) -> None:
    assert scheme.theirs
    for key in scheme.theirs:
        assert any(rule.theirs.match(key.rpartition(".")[0]) is not None for rule in scheme.rules)
    for key in scheme.ours:
        assert any(each.match(key.rpartition(".")[0]) is not None for rule in scheme.rules for each in rule.ours)


def test_a_variable_goes_no_further_than_the_line_says() -> None:
    rule = rules.line("branch_{k<4}.conv", "cna{k+1?}.", "conv", {})
    assert rule.here("branch_3.conv") == ["cna4.conv"]
    assert rule.there("cna4.conv") == "branch_3.conv"
    assert rule.here("branch_4.conv") is None
    assert rule.there("cna5.conv") is None


def test_a_variable_on_one_side_only_is_refused() -> None:
    with pytest.raises(ValueError, match="has a variable on one side only"):
        rules.line("layer{i}.{j}", "c{i}", "conv", {})


def test_a_tensor_is_used_once() -> None:
    """Two names that lead to the same place: the second is left over."""
    (scheme,) = [each for each in rules.schemes("torchvision") if each.name == "densenet"]
    layer = "features.denseblock1.denselayer1"
    theirs = [f"{layer}.norm1.weight", f"{layer}.norm.1.weight"]
    found = plan(scheme, theirs, ["c2.dense.0.layer.nac.norm.weight"])
    assert [move.theirs for move in found.moves] == theirs[:1]
    assert found.left_over == {theirs[1]: "c2.dense.0.layer.nac.norm.weight"}
    assert identity(["a.b"], ["a.c"]).missing == ("a.c",)


SPECS = [
    "vgg11", "resnet18", "preresnet20_cifar10", "resnext29_32x4d_cifar10", "googlenet_aux", "darknet19",
    "densenet_bc40_k12_cifar10", "csresnet50", "cspresnet50", "csppeleenet", "vovnetv2_19_slim_dw", "csp_vovnet39",
]  # fmt: skip


@pytest.mark.parametrize("spec", SPECS)
def test_names_and_shapes_from_the_graph(spec: str) -> None:
    """The keys of the state dict are known before there is one."""
    graph = archdsl.compile(spec)
    with torch.device("meta"):
        state = archdsl.build(graph).state_dict()
    assert [(name, weight.shape) for name, weight in held(graph.root)] == [
        (key, tuple(value.shape)) for key, value in state.items()
    ]


def test_a_word_for_the_head_that_there_is_none_of_is_refused() -> None:
    pytest.importorskip("torch")
    model = archdsl.build("resnet18")
    with pytest.raises(ArchError, match="choose from"):
        archdsl.load_weights(model, model.state_dict(), head="strickt")  # type: ignore[arg-type]
