"""Sources and targets of weights: modules, state dicts, files and folders are taken alike, in wrappers or without."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")

from safetensors.torch import save_file  # noqa: E402
from torch import Tensor, nn  # noqa: E402
from torch.optim.swa_utils import AveragedModel  # noqa: E402

import archdsl  # noqa: E402
from archdsl import ArchError  # noqa: E402
from archdsl.weights.places import (  # noqa: E402
    CheckpointPart,
    main_prefixes,
    parts,
    prefers,
    prefixes,
)
from tests.weights.nets import HEAD, STAGES, before, edited, net  # noqa: E402

State = dict[str, Tensor]


def equal(found: nn.Module, wanted: State) -> bool:
    """Whether a network holds a state, to the bit."""
    return all(torch.equal(tensor, wanted[key]) for key, tensor in found.state_dict().items())


@pytest.fixture(scope="module")
def state() -> State:
    return dict(before().state_dict())


class Compiled(nn.Module):
    """A module as `torch.compile` wraps it, which takes seconds to be imported."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self._orig_mod = module


@pytest.mark.slow
def test_compiled_modules_are_wrapped_so() -> None:
    assert list(torch.compile(edited()).state_dict()) == list(Compiled(edited()).state_dict())


# ---- sources -------------------------------------------------------------------------------------------------------


def as_module(state: State, folder: Path) -> Any:
    found = edited()
    found.load_state_dict(state)
    return found


def as_file(state: State, folder: Path) -> Any:
    torch.save({"state_dict": state}, folder / "w.pth")
    return folder / "w.pth"


def as_text(state: State, folder: Path) -> Any:
    return str(as_file(state, folder))


def in_folder(state: State, folder: Path) -> Any:
    (folder / "README.md").write_text("a model")
    save_file(state, folder / "w.safetensors")
    return folder


def beside_others(state: State, folder: Path) -> Any:
    """A folder as of Hugging Face, with the same in an older format, and what training was at."""
    torch.save({"step": torch.tensor(3)}, folder / "scheduler.pt")
    torch.save({key: tensor * 0 for key, tensor in state.items()}, folder / "pytorch_model.bin")
    save_file(state, folder / "model.safetensors")
    return folder


def in_shards(state: State, folder: Path) -> Any:
    """A folder as of Hugging Face, with the tensors in two files."""
    names = {key: f"model-0000{index % 2 + 1}-of-00002.safetensors" for index, key in enumerate(state)}
    for name in set(names.values()):
        save_file({key: state[key] for key in state if names[key] == name}, folder / name)
    (folder / "model.safetensors.index.json").write_text(json.dumps({"metadata": {}, "weight_map": names}))
    return folder


SOURCES: dict[str, Callable[[State, Path], Any]] = {
    "state dict": lambda state, folder: state,
    "module": as_module,
    "module in DataParallel": lambda state, folder: nn.DataParallel(as_module(state, folder)),
    "averaged module": lambda state, folder: AveragedModel(as_module(state, folder)),
    "compiled module": lambda state, folder: Compiled(as_module(state, folder)),
    "path": as_file,
    "path as text": as_text,
    "folder": in_folder,
    "folder of several files": beside_others,
    "folder of shards": in_shards,
    "checkpoint": lambda state, folder: {"model": state, "epoch": 3},
    "part of a detector": lambda state, folder: (
        {f"backbone.{key}": tensor for key, tensor in state.items()} | {"neck.weight": torch.zeros(3)}
    ),
}


@pytest.mark.parametrize("name", SOURCES)
def test_sources_are_taken_alike(state: State, tmp_path: Path, name: str) -> None:
    source = SOURCES[name](state, tmp_path)
    loaded, carried = edited(), edited()
    archdsl.load_weights(loaded, source)
    assert equal(loaded, state)
    done = archdsl.transfer_weights(source, carried)
    assert (done.fresh, done.dropped) == ({}, {})
    assert equal(carried, state)


@pytest.mark.parametrize("name", SOURCES)
def test_names_are_given_back_alike(tmp_path: Path, name: str) -> None:
    model = archdsl.build("preresnet20_cifar10")
    mine = dict(model.state_dict())
    wanted = archdsl.to_reference(model, "pytorchcv")
    wrapped = {"averaged module": AveragedModel, "compiled module": Compiled, "module": lambda model: model}
    wrap = (wrapped | {"module in DataParallel": nn.DataParallel}).get(name)
    source: Any = wrap(model) if wrap else SOURCES[name](mine, tmp_path)
    found = archdsl.to_reference(source, "pytorchcv")
    assert found.keys() == wanted.keys()
    assert all(torch.equal(found[key], wanted[key]) for key in wanted)


def no_weights(folder: Path) -> Any:
    (folder / "README.md").write_text("nothing")
    return folder


def several(folder: Path) -> Any:
    for name in ("a.pt", "b.pt"):
        torch.save({"x": torch.zeros(1)}, folder / name)
    return folder


def distributed(folder: Path) -> Any:
    (folder / "__0_0.distcp").write_bytes(b"")
    return folder


def shard_elsewhere(folder: Path) -> Any:
    (folder / "model.safetensors.index.json").write_text('{"weight_map": {"a": "../secret.safetensors"}}')
    return folder


def odd_index(folder: Path) -> Any:
    (folder / "model.safetensors.index.json").write_text("[]")
    return folder


REFUSED: dict[str, tuple[Callable[[Path], Any], str, str]] = {
    "folder without weights": (no_weights, "E501", "is a folder without weights"),
    "folder of several files": (several, "E501", "holds several files of weights: a.pt, b.pt"),
    "folder of a distributed checkpoint": (distributed, "E701", "the shards of a distributed checkpoint"),
    "shard out of its folder": (shard_elsewhere, "E701", "names files that are not beside it: `../secret.safetensors`"),
    "index that is none": (odd_index, "E701", "is no index of weights"),
    "no such path": (lambda folder: folder / "none.pth", "E501", "No such file"),
    "path that is none": (lambda folder: "a\0b", "E501", "null"),
    "number": (lambda folder: 3, "E703", "is of type `int`"),
    "list": (lambda folder: [], "E703", "is of type `list`"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_other_sources_are_refused_alike(tmp_path: Path, name: str) -> None:
    make, code, label = REFUSED[name]
    model = edited()
    for call in (archdsl.load_weights, lambda model, source: archdsl.transfer_weights(source, model)):
        with pytest.raises(ArchError) as caught:
            call(model, make(tmp_path))
        assert caught.value.diagnostics[0].code == code
        assert label in str(caught.value)
    with pytest.raises(ArchError) as caught:
        archdsl.to_reference(make(tmp_path), "timm")
    assert caught.value.diagnostics[0].code == code


# ---- targets -------------------------------------------------------------------------------------------------------

TARGETS: dict[str, Callable[[nn.Module], Any]] = {
    "module": lambda model: model,
    "state dict": lambda model: model.state_dict(),
    "DataParallel": nn.DataParallel,
    "compiled": Compiled,
    "compiled DataParallel": lambda model: Compiled(nn.DataParallel(model)),
    "averaged": AveragedModel,
    "state dict of DataParallel": lambda model: nn.DataParallel(model).state_dict(),
}


@pytest.mark.parametrize("name", TARGETS)
def test_targets_are_filled_alike(state: State, name: str) -> None:
    for fill in (archdsl.load_weights, lambda target, source: archdsl.transfer_weights(source, target)):
        target = TARGETS[name](edited())
        fill(target, state)
        held = target if isinstance(target, dict) else target.state_dict()
        found = {key.replace("_orig_mod.", "").replace("module.", ""): tensor for key, tensor in held.items()}
        assert all(torch.equal(found[key], tensor) for key, tensor in state.items())


def test_blocks_that_are_compiled(state: State) -> None:
    model = edited()
    model.c2 = Compiled(model.c2)
    assert "c2._orig_mod.0.body.cna.conv.weight" in model.state_dict()
    report = archdsl.load_weights(model, state)
    assert "c2.0.body.cna.conv.weight" in report.mapped
    assert torch.equal(model.get_submodule("c2._orig_mod.0.body.cna.conv").weight, state["c2.0.body.cna.conv.weight"])


@pytest.mark.parametrize("target", [3, "net.pt", [], {}, nn.ReLU()])
def test_what_cannot_be_filled(state: State, target: Any) -> None:
    for fill in (archdsl.load_weights, lambda target, source: archdsl.transfer_weights(source, target)):
        with pytest.raises(ArchError, match=r"error\[E703\]"):
            fill(target, state)


# ---- parts ---------------------------------------------------------------------------------------------------------


def paths(source: Any) -> list[tuple[str, ...]]:
    return [part.path for part in parts(source)]


def test_parts() -> None:
    one = torch.zeros(1)
    assert paths({"a": one}) == [()]
    assert paths({"model": {"a": one}, "optimizer": {"state": {0: {"step": one}}}}) == [("model",)]
    assert paths({"x": {"y": {"a": one}}, "b": one}) == [(), ("x", "y")]
    odd: Any = {"a": one, "epoch": 3, 7: one}
    assert parts(odd)[0] == CheckpointPart((), {"a": one}, ("epoch", "7"))


def test_parts_of_dicts_that_hold_themselves() -> None:
    source: dict[str, Any] = {"a": torch.zeros(1)}
    source["state_dict"] = source
    assert paths(source) == [()]
    deep: dict[str, Any] = {"a": torch.zeros(1)}
    for _ in range(100):
        deep = {"model": deep}
    with pytest.raises(ArchError, match="no tensor in it"):
        parts(deep)


def test_an_inserted_word_stays_where_two_names_would_be_one() -> None:
    state = {"a._orig_mod.b": torch.zeros(1), "a.b": torch.ones(1)}
    assert list(parts(state)[0].tensors) == list(state)


def test_beginnings() -> None:
    assert prefixes(["x.a.b", "y.a.b", "a.b", "x.c"], {"a.b", "c"}) == {
        "x.": {"a.b", "c"},
        "y.": {"a.b"},
        "": {"a.b"},
    }
    tensors = {"x.y.a": torch.zeros(1), "x.y.b": torch.zeros(1), "z": torch.zeros(1)}
    assert list(main_prefixes(tensors)) == ["", "x.", "x.y."]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("model_ema", "model"),
        ("state_dict_ema", "state_dict"),
        ("ema", "model"),
        ("ema_model.module", "model"),
        ("teacher", "student"),
        ("teacher.backbone", "student.module.backbone"),
        ("teacher_backbone", "student_backbone"),
        ("module.encoder_q", "module.encoder_k"),
        ("online_encoder", "target_encoder"),
        ("base_encoder", "momentum_encoder"),
        ("backbone", "backbone_momentum"),
        ("left", None),
        ("model", "net"),
        ("model_ema.encoder_k", "model.encoder_q"),
    ],
)
def test_preferences(first: str, second: str | None) -> None:
    """The first is preferred; where neither word says so (the last three), none is."""
    one, other = CheckpointPart((first,), {}), CheckpointPart((second or "right",), {})
    decided = (first, second) not in {("left", None), ("model", "net"), ("model_ema.encoder_k", "model.encoder_q")}
    assert prefers(one, other) == decided
    assert not prefers(other, one)


def test_what_was_passed_over_is_told(state: State) -> None:
    other = {key: tensor + 1 for key, tensor in state.items()}
    averaged = {"n_averaged": torch.tensor(1)} | {f"module.{key}": tensor for key, tensor in other.items()}
    source = {"model": state, "model_ema": averaged}
    model = edited()
    report = archdsl.load_weights(model, source)
    assert report.wrappers == ("model_ema", "module.")
    assert report.passed_over == {"model": "it fits, too"}
    assert report.beside == ("n_averaged",)
    assert equal(model, other)
    del source["model_ema"]["module.c2.0.body.cna.conv.weight"]
    report = archdsl.load_weights(model, source)
    assert report.wrappers == ("model",)
    assert report.passed_over == {
        "model_ema.module": "the network has, and the source does not: c2.0.body.cna.conv.weight"
    }
    assert equal(model, state)
    assert archdsl.load_weights(model, {"model": state, "ema": {"decay": 0.9}}).passed_over == {
        "ema": "it holds no such network"
    }


def test_places_that_differ_are_not_chosen_from(state: State) -> None:
    other = {key: tensor + 1 for key, tensor in state.items()}
    source = {"a": state, "b": other}
    for call in (archdsl.load_weights, lambda model, source, **more: archdsl.transfer_weights(source, model, **more)):
        model = edited()
        with pytest.raises(ArchError, match=r"`a` and `b` fit, and differ\n.*`part=\"a\"`"):
            call(model, source)
        call(model, source, part="b")
        assert equal(model, other)
    mine = dict(archdsl.build("preresnet20_cifar10").state_dict())
    twice = {"a": mine, "b": {key: tensor + 1 for key, tensor in mine.items()}}
    with pytest.raises(ArchError, match=r"error\[E706\]"):
        archdsl.to_reference(twice, "pytorchcv")
    found = archdsl.to_reference(twice, "pytorchcv", part="a")
    assert torch.equal(found["features.init_block.weight"], mine["stem.conv.weight"])


# ---- what messages show --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["x" * 1_000_000, "a." * 500_000, "stem." + "x" * 3_000, "head.linear." + "a." * 1_500])
def test_long_names_are_shown_in_part(state: State, key: str) -> None:
    tensor = torch.zeros(1)
    targets = {**{name: each.clone() for name, each in state.items()}, key: tensor}
    for call in (
        lambda: str(archdsl.load_weights(edited(), state | {key: tensor})),
        lambda: str(archdsl.load_weights(edited(), {key: state})),
        lambda: str(archdsl.load_weights(edited(), {key: tensor})),
        lambda: str(archdsl.load_weights(targets, state)),
        lambda: str(archdsl.transfer_weights(state | {key: tensor}, edited())),
        lambda: str(archdsl.transfer_weights(state, targets)),
        lambda: str(archdsl.to_reference({key: tensor}, "timm")),
        lambda: str(archdsl.load_weights(edited(), state, part=key)),
    ):
        try:
            said = call()
        except ArchError as error:
            said = str(error)
        assert len(said) < 2_500


def test_help_is_in_the_words_of_its_caller(state: State) -> None:
    shorter = net(*list(STAGES.values())[:2])
    with pytest.raises(ArchError, match=r"help: if they are .*: `archdsl\.transfer_weights\(old, new\)`"):
        archdsl.load_weights(shorter, state)
    headless = {key: tensor for key, tensor in state.items() if not key.startswith("head.")}
    with pytest.raises(ArchError, match=r'help: head="optional" leaves the classifier as it is'):
        archdsl.load_weights(edited(), headless)
    wider = net(*STAGES.values(), head=HEAD.replace("linear(classes)", "linear(7)"))
    with pytest.raises(ArchError, match=r'help: head="adapt" leaves the classifier as it is'):
        archdsl.load_weights(wider, state, head="strict")


# ---- many places ---------------------------------------------------------------------------------------------------


def test_more_places_than_are_tried(state: State) -> None:
    source = {f"net{index}": {key: torch.zeros(1) for key in state} for index in range(100)}
    with pytest.raises(ArchError, match="`net0`, `net1` and `net2` hold names of the network's; there are"):
        archdsl.load_weights(edited(), source)
    source["net80"] = state
    model = edited()
    archdsl.load_weights(model, source, part="net80")
    assert equal(model, state)


@pytest.mark.parametrize(
    "names",
    [
        [f"{'a.' * 1_900}{index}" for index in range(300)],
        [f"fc.{'a.' * 1_900}{index}" for index in range(300)],
        [f"{index}.conv1.weight" for index in range(5_000)],
        [f"layer1.{index}.conv1.weight" for index in range(5_000)],
        [f"{index}.stem.cna.conv.weight" for index in range(5_000)],
    ],
    ids=["deep", "deep below a classifier", "many networks", "many blocks", "many of ours"],
)
def test_names_that_lead_nowhere(names: list[str]) -> None:
    """They end: each took more than a minute while the time grew with the square of their number or depth."""
    source = {name: torch.zeros(1) for name in names}
    with pytest.raises(ArchError, match=r"error\[E705\]"):
        archdsl.load_weights(archdsl.build("preresnet20_cifar10"), source)
    with pytest.raises(ArchError, match=r"error\[E705\]"):
        archdsl.to_reference(source, "timm")
    assert not archdsl.transfer_weights(source, edited()).kept or "stem" in names[0]
