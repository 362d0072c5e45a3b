"""Networks cut to feature maps: the maps of the whole network, with its weights, and nothing computed beyond them."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import archdsl
from archdsl import ArchError, Graph
from archdsl.backends.json import from_json, to_json
from archdsl.driver import memory
from archdsl.graph import verify
from archdsl.ops import vocabulary
from archdsl.passes.features import at_levels, levels, with_features
from tests.specs.oracles import ROWS, name_of

SMALL = (3, 64, 64)
SPEC = """
block pair() = fork(conv(8), conv(8))
block twins(out):
    cross, main = x -> split(2)
    return concat(main -> cna(out), cross) -> cna(out)
block twice(layer: block) = share(layer) -> identity
block several(layer: block):
    ys = x -> collect(4, layer)
    low = ys[1] -> conv(8)
    return concat(ys[3], low)
backbone odd:
    input 3 x 32 x 32
    stem: cna(8, 3, 2) -> (twins(8) + cna(8))
    stage half: several(cna(8)) -> 3 * basic(16)
    stage c3 / 2: basic(32) -> 2 * (identity + cna(32)) -> twice(cna(32)) -> pair -> concat
    head: global_avgpool -> flatten -> linear(10)
    output low: stem -> conv(4) -> act
    output aux if training: half -> conv(4)
"""


def paths_run_once(model: nn.Module, image: Tensor) -> dict[str, Tensor]:
    """The output of each module that runs once and gives one tensor, by path."""
    seen: dict[str, list[Any]] = {}

    def recording(path: str) -> Any:
        return lambda _module, _inputs, output: seen.setdefault(path, []).append(output)

    for path, module in model.named_modules():
        if isinstance(module, nn.ReLU):
            module.inplace = False
        if path:
            module.register_forward_hook(recording(path))
    with torch.no_grad():
        model(image)
    return {path: each[0] for path, each in seen.items() if len(each) == 1 and isinstance(each[0], Tensor)}


@contextmanager
def noting(model: nn.Module) -> Iterator[set[str]]:
    """The modules with weights that run."""
    ran: set[str] = set()
    hooks = [
        each.register_forward_hook(lambda _m, _i, _o, path=path: ran.add(path)) for path, each in model.named_modules()
    ]
    yield ran
    for hook in hooks:
        hook.remove()


def holders(model: nn.Module) -> set[str]:
    """The modules that hold weights themselves."""
    return {path for path, each in model.named_modules() if next(each.parameters(recurse=False), None) is not None}


def check(graph: Graph, whole: nn.Module, found: dict[str, Tensor], image: Tensor, paths: list[str]) -> None:
    """Cut, build, fill and run a network, and compare all of it with the whole one."""
    cut = with_features(graph, paths)
    verify(cut)
    model = archdsl.build(cut).eval()
    state = whole.state_dict()
    assert list(model.state_dict()) == [key for key in state if key in model.state_dict()]
    model.load_state_dict({key: state[key] for key in model.state_dict()})
    assert sum(each.numel() for each in model.parameters()) == cut.root.totals.params
    with noting(model) as ran, torch.no_grad():
        outputs = model(image)
    for path, output, feature in zip(paths, outputs, cut.features, strict=True):
        assert tuple(output.shape[1:]) == feature.shape
        assert torch.equal(output, found[path]), path
    assert holders(model) <= ran
    back = from_json(to_json(cut), vocabulary())
    assert (back.features, back.root.totals) == (cut.features, cut.root.totals)


@pytest.mark.parametrize("spec", ["odd", "preresnet20_cifar10", "vovnetv2_19_slim_dw"])
def test_any_modules(spec: str) -> None:
    """Random sets of modules, at any depth."""
    torch.manual_seed(0)
    chosen = random.Random(spec)
    graph = archdsl.compile(archdsl.loads(SPEC)) if spec == "odd" else archdsl.compile(spec, input=(3, 32, 32))
    whole = archdsl.build(graph).eval()
    image = torch.randn(1, *graph.input)
    found = paths_run_once(whole, image)
    for _ in range(8 if spec == "odd" else 3):
        check(graph, whole, found, image, chosen.sample(sorted(found), chosen.randint(1, 4)))


def test_cut_networks_compute_what_their_graphs_say() -> None:
    graph = archdsl.compile(archdsl.loads(SPEC))
    for features in ("c3.basic", ["stem.cna", "half.several", "low"], {"half.1.body.cna": "a", "c3.0.cna": "b"}):
        result = archdsl.check(with_features(graph, features))
        assert result.agrees, result


# ---- forms ---------------------------------------------------------------------------------------------------------


def test_a_path_gives_a_tensor_a_list_a_list_and_a_dict_a_dict() -> None:
    image = torch.randn(2, *SMALL)
    single: Any
    several: Any
    named: Any
    single = archdsl.build("resnet18", input=SMALL, features="c4")
    assert (tuple(single(image).shape), single.out_channels, single.out_strides) == ((2, 256, 4, 4), 256, 16)
    several = archdsl.build("resnet18", input=SMALL, features=["c3", "stem.cna"])
    assert [each.shape[1] for each in several(image)] == several.out_channels == [128, 64]
    named = archdsl.build("resnet18", input=SMALL, features={"c3": "p3", "c4": "p4"})
    assert {name: each.shape[1] for name, each in named(image).items()} == named.out_channels == {"p3": 128, "p4": 256}
    assert named.out_strides == {"p3": 8, "p4": 16}
    assert named.feature_info[0] == {"name": "p3", "module": "c3", "channels": 128, "reduction": 8}


def test_nothing_after_the_last_feature_is_left() -> None:
    cut = archdsl.compile("resnet50", features=["c2", "c3"])
    assert [section.name for section in cut.sections] == ["stem", "c2", "c3"]
    figures = archdsl.cost(archdsl.compile("resnet50"))
    rows = {row.section.name: row.totals for row in figures.rows}
    assert cut.root.totals.macs == sum(rows[name].macs for name in ("stem", "c2", "c3"))
    assert cut.root.totals.params == sum(rows[name].params for name in ("stem", "c2", "c3"))
    assert memory(cut).training() < memory(archdsl.compile("resnet50")).training()


def test_a_section_of_which_something_inside_is_wanted_stays_where_it_is() -> None:
    """The path of a section's last module is the section's own; so it is no second output."""
    cut = archdsl.compile("resnet50", features=["stem.cna", "c2.2"])
    assert [step.kind for step in cut.root.steps] == ["call", "pick", "pick", "call"]
    assert [each.shape for each in cut.features] == [(64, 112, 112), (256, 56, 56)]


def test_features_export_and_script() -> None:
    model = archdsl.build("resnet18", input=SMALL, features={"stem.cna": "c1", "c3": "c3"}).eval()
    image = torch.randn(2, *SMALL)
    scripted = torch.jit.script(model)(image)
    exported = torch.export.export(model, (image,)).module()(image)
    for name, tensor in model(image).items():
        assert torch.equal(scripted[name], tensor)
        torch.testing.assert_close(exported[name], tensor)


# ---- levels --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("row", ROWS, ids=name_of)
def test_levels_are_the_maps_of_the_references(row: dict[str, Any]) -> None:
    graph = archdsl.compile(row["spec"], input=row["input"])
    # One row (darknet19's) begins with a map of the input's own size, which is no level in so deep a network.
    stages = [tuple(each) for each in row["stages"][len(row["stages"]) == 6 :]]
    assert [each.shape for each in levels(graph)] == stages
    cut = with_features(graph, at_levels(graph, range(len(stages))))
    verify(cut)
    assert [each.shape for each in cut.features] == stages
    first = 0 if len(stages) == 3 else 1
    assert [each.reduction for each in cut.features] == [2**at for at in range(first, first + len(stages))]


def test_out_indices() -> None:
    model: Any = archdsl.build("resnext50", input=SMALL, out_indices=(1, -1))
    assert (model.out_channels, model.out_strides) == ([256, 2048], [4, 32])
    assert [each["module"] for each in model.feature_info] == ["c2", "c5"]


# ---- weights -------------------------------------------------------------------------------------------------------


def test_weights_of_the_whole_network_are_loaded_and_the_rest_is_reported() -> None:
    whole = archdsl.build("resnet18", input=SMALL)
    model = archdsl.build("resnet18", input=SMALL, features=["c2", "c3"])
    report = archdsl.load_weights(model, whole)
    assert all(torch.equal(tensor, whole.state_dict()[key]) for key, tensor in model.state_dict().items())
    assert set(report.left_out) == set(whole.state_dict()) - set(model.state_dict())
    own = archdsl.load_weights(archdsl.build("resnet18", input=SMALL, features=["c2", "c3"]), model)
    assert own.left_out == ()


def test_weights_of_others_are_loaded_with_any_number_of_classes() -> None:
    torchvision = pytest.importorskip("torchvision")
    theirs = torchvision.models.resnet18(num_classes=7)
    model: Any = archdsl.build("resnet18", input=SMALL, features=["c4"])
    report = archdsl.load_weights(model, theirs)
    assert {"fc.weight", "layer4.0.conv1.weight"} <= set(report.left_out)
    assert torch.equal(model.stem.cna.conv.weight, theirs.conv1.weight)
    with pytest.raises(ArchError, match="does not"):
        archdsl.load_weights(model, {key: value for key, value in theirs.state_dict().items() if "layer1" not in key})


# ---- what is no feature --------------------------------------------------------------------------------------------

REFUSED = [
    ([], "names no features"),
    ([3], "names no features"),
    (["c9"], "there is no module `c9`"),
    (["c3.sequence"], "there is no module `c3.sequence`"),
    (["stem.cna.conv.weight"], "there is no module `stem.cna.conv.weight`"),
    (["half.1.bdy"], "did you mean `half.1.body`?"),
    (["half.3"], "`half` is a row of 3 modules, and has no `3`"),
    (["half.several.layer"], "`half.several.layer` is a list of 4 modules, not one"),
    (["c3.pair"], "the output of `c3.pair` is a list of 2 tensors"),
    (["aux"], "exists in training only"),
    ({"half": "a", "c3": "a"}, "two features have one key"),
    ({"half": ""}, "names no features"),
]


@pytest.mark.parametrize(("features", "said"), REFUSED, ids=[said for _, said in REFUSED])
def test_refused(features: Any, said: str) -> None:
    with pytest.raises(ArchError) as caught:
        archdsl.build(archdsl.loads(SPEC), features=features)
    assert said in str(caught.value)


def test_shared_modules_have_no_single_output() -> None:
    text = "block twice(layer: block):\n    s = share(layer)\n    return x -> s -> s\n"
    spec = archdsl.loads(text + "backbone a:\n    input 3 x 8 x 8\n    b: cna(8) -> twice(cna(8))\n")
    with pytest.raises(ArchError, match="runs 2 times"):
        archdsl.build(spec, features="b.twice.s")


def test_levels_that_there_are_none_of() -> None:
    with pytest.raises(ArchError, match="it has 0"):
        archdsl.build("resnet18", out_indices=[5])
    with pytest.raises(ArchError, match="both choose features"):
        archdsl.build("resnet18", out_indices=[1], features="c3")
    with pytest.raises(ArchError, match="was cut to `c3` already"):
        with_features(archdsl.compile("resnet18", features="c3"), "c2")
