"""Checkpoints as people have them: where in them the weights of a network stand, and what stands beside.

`LAYOUTS` is the table. A layout makes a checkpoint from two states of one network: `a`, which is to be loaded, and `b`,
which has other numbers and is not. `COMMON` are tried with a network of each library, the others with that of their
own. `docs/weights.md` shows what becomes of each.
"""

from __future__ import annotations

import json
import pickle
from argparse import Namespace
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy
import torch
from safetensors.torch import save_file
from torch import nn

import archdsl
from archdsl.weights import to_reference
from tests.equality import oracles
from tests.weights.nets import STAGES, text

State = dict[str, Any]


class Net(NamedTuple):
    """A network: `library` is whose names its states have, `size` that of its images."""

    library: str
    spec: str
    build: Callable[[], nn.Module]
    size: int = 32
    project: str = ""
    """The project whose names it gets, where there is no module of that project."""


@dataclass(frozen=True, eq=False)
class Layout:
    """A way to store a network; `looks` is how a checkpoint of it begins, for readers."""

    title: str
    looks: str
    make: Callable[[State, State], Any]
    net: str = "torchvision"
    options: dict[str, Any] = field(default_factory=dict)


class Stored(NamedTuple):
    """A checkpoint in a file or folder, which `save` makes in an empty folder."""

    save: Callable[[Path], Path]


def own() -> nn.Module:
    """A small network of ours."""
    return archdsl.build(archdsl.loads(text(*STAGES.values())))


NETS = {
    "torchvision": Net("torchvision", "resnet18", partial(oracles.torchvision, "resnet18")),
    "densenet": Net("torchvision", "densenet121", partial(oracles.torchvision, "densenet121")),
    "googlenet": Net("torchvision", "googlenet", partial(oracles.torchvision, "googlenet", aux_logits=True), 64),
    "timm": Net("timm", "ese_vovnet19b_slim_dw", partial(oracles.timm, "ese_vovnet19b_slim_dw")),
    "timm resnet": Net("timm", "resnet18", partial(oracles.timm, "resnet18")),
    "pytorchcv": Net("pytorchcv", "preresnet20_cifar10", partial(oracles.pytorchcv, "preresnet20_cifar10")),
    "peleenet": Net("pytorchcv", "peleenet", partial(oracles.pytorchcv, "peleenet"), 64),
    "vovnet": Net(
        "the VoVNet authors",
        "vovnetv2_19_slim_dw",
        partial(archdsl.build, "vovnetv2_19_slim_dw"),
        project="vovnet",
    ),
    "archdsl": Net("archdsl", "", own),
}
SHARED = ("torchvision", "timm", "pytorchcv", "vovnet", "archdsl")
"""The networks that the common layouts are tried with."""


# ---- states --------------------------------------------------------------------------------------------------------


def randomized(net: nn.Module, seed: int) -> nn.Module:
    """A network at random, its statistics too, with numbers that half precision has, in either form."""
    random = torch.Generator().manual_seed(seed)
    for index, (key, tensor) in enumerate(net.state_dict().items()):
        if not tensor.is_floating_point():
            tensor.fill_(index + seed)
            continue
        drawn = torch.randn(tensor.shape, generator=random)
        if key.endswith("running_var") or (key.endswith("weight") and tensor.ndim == 1):
            drawn = 1 + drawn.clamp(-2, 2) / 4
        elif tensor.ndim > 1:
            drawn *= (2 / tensor[0].numel()) ** 0.5
        else:
            drawn /= 8
        rounded = drawn.bfloat16().float()
        tensor.copy_(rounded.where(rounded.abs() > 2**-10, 0))
    return net


@cache
def module(name: str, seed: int = 1) -> nn.Module:
    """A network of a library at random."""
    return randomized(empty(NETS[name].build), seed).eval()


def empty(build: Callable[[], nn.Module]) -> nn.Module:
    """A network whose weights are not initialized, which takes longer than all that is done here."""
    with torch.device("meta"):
        return build().to_empty(device="cpu")


@cache
def state(name: str, seed: int = 1) -> State:
    """Its state dict, under the library's names."""
    found = module(name, seed)
    return dict(to_reference(found, NETS[name].project) if NETS[name].project else found.state_dict())


# ---- what is done to states ----------------------------------------------------------------------------------------


def under(prefix: str, state: State) -> State:
    """A state below a module."""
    return {f"{prefix}{key}": value for key, value in state.items()}


def some_of(prefix: str, *names: str) -> State:
    """Tensors of other modules."""
    return {f"{prefix}{name}": torch.full((3, 2), 0.5) for name in names}


def without(state: State, *starts: str) -> State:
    """A state without what begins so."""
    return {key: value for key, value in state.items() if not key.startswith(starts)}


def shorter(state: State) -> State:
    """A state without its last tensors."""
    return dict(list(state.items())[:-9])


def cast(state: State, dtype: torch.dtype) -> State:
    """A state in another precision."""
    return {key: value.to(dtype) if value.is_floating_point() else value for key, value in state.items()}


def arrays(state: State) -> State:
    """A state as arrays of NumPy."""
    return {key: value.numpy() for key, value in state.items()}


def averaged(state: State) -> State:
    """A state as `torch.optim.swa_utils.AveragedModel` has it."""
    return {"n_averaged": torch.tensor(7), **under("module.", state)}


def nested(state: State, word: str) -> State:
    """A state with a word inserted behind the first part of each name, as where single blocks are wrapped."""
    return {key.replace(".", f".{word}.", 1) if key.count(".") > 1 else key: value for key, value in state.items()}


def children(state: State) -> State:
    """A ResNet as `nn.Sequential(*resnet.children())`."""
    places = {"conv1": "0", "bn1": "1", "layer1": "4", "layer2": "5", "layer3": "6", "layer4": "7"}
    parts = {key: key.partition(".") for key in state}
    return {f"{places[first]}.{rest}": state[key] for key, (first, _, rest) in parts.items() if first in places}


def keyed(state: State, old: str, new: str) -> State:
    """A state with some names changed."""
    return {key.replace(old, new): value for key, value in state.items()}


def optimizer() -> State:
    """What an optimizer saves."""
    steps = {index: {"step": torch.tensor(3.0), "exp_avg": torch.zeros(2)} for index in range(3)}
    return {"state": steps, "param_groups": [{"lr": 0.1, "params": [0, 1, 2]}]}


def lightning(state: State) -> State:
    """A checkpoint of PyTorch Lightning."""
    rest = {"epoch": 3, "global_step": 10, "pytorch-lightning_version": "2.4.0", "hyper_parameters": {"lr": 0.1}}
    return {**rest, "state_dict": state, "callbacks": {}, "optimizer_states": [optimizer()], "lr_schedulers": []}


def file(name: str, content: Any, **how: Any) -> Stored:
    """What `torch.save` makes of it."""

    def save(folder: Path) -> Path:
        torch.save(content, folder / name, **how)
        return folder / name

    return Stored(save)


def pickled(name: str, content: Any) -> Stored:
    """What `pickle.dump` makes of it."""

    def save(folder: Path) -> Path:
        (folder / name).write_bytes(pickle.dumps(content))
        return folder / name

    return Stored(save)


def safe(name: str, state: State, *, alone: bool = True) -> Stored:
    """What safetensors makes of it, or the folder with it."""

    def save(folder: Path) -> Path:
        save_file(state, folder / name)
        return folder / name if alone else folder

    return Stored(save)


def sharded(state: State) -> Stored:
    """The folder of a model in two files."""

    def save(folder: Path) -> Path:
        names = {key: f"model-{index % 2}.safetensors" for index, key in enumerate(state)}
        for name in set(names.values()):
            save_file({key: each for key, each in state.items() if names[key] == name}, folder / name)
        (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": names}), "utf-8")
        return folder

    return Stored(save)


FC = ("fc.", "head.", "classifier.", "output.")
"""How classifiers begin, in all libraries."""


def body(state: State) -> State:
    """A state without its classifier."""
    return {key: value for key, value in state.items() if not key.startswith(FC)}


def frozen(state: State) -> State:
    """A state of frozen norms, which count nothing."""
    return {key: value for key, value in state.items() if not key.endswith("num_batches_tracked")}


def detector(classes: int = 2) -> State:
    """Torchvision's Faster R-CNN on the features of its ResNet-18, in its own names."""
    from torchvision.models.detection import FasterRCNN
    from torchvision.models.detection.backbone_utils import resnet_fpn_backbone

    features = resnet_fpn_backbone(backbone_name="resnet18", weights=None, trainable_layers=5)
    with torch.device("meta"):
        return dict(FasterRCNN(features, classes).state_dict())


def in_detector(a: State, b: State) -> State:
    """Faster R-CNN, with a state as its backbone; all that is beside it is on no device, and must not be looked at."""
    found = detector()
    inner = {key: a[key.removeprefix("backbone.body.")] for key in found if key.startswith("backbone.body.")}
    return found | inner


def in_segmenter(a: State, b: State) -> State:
    """Torchvision's FCN on the features of its ResNet-18."""
    from torchvision.models import resnet18
    from torchvision.models._utils import IntermediateLayerGetter
    from torchvision.models.segmentation.fcn import FCN, FCNHead

    net = FCN(IntermediateLayerGetter(resnet18(weights=None), {"layer4": "out"}), FCNHead(512, 2))
    net.backbone.load_state_dict(body(a))
    return dict(net.state_dict())


def features_only(name: str, kind: str) -> Callable[[State, State], State]:
    """A network as timm makes it with `features_only`, filled with a state by timm's own names of its layers."""

    def made(a: State, b: State) -> State:
        from timm import create_model

        options: dict[str, Any] = {"feature_cls": kind} if kind else {}
        net = create_model(name, features_only=True, **options)
        found = net.state_dict()
        prefix = {"hook": "body.", "fx": "graph_module.", "getter": "model."}.get(kind, "")
        own = {key.removeprefix("model.").removeprefix("graph_module.").removeprefix("body."): key for key in found}
        mine = {lifted_key(key): value for key, value in a.items()} | a
        assert all(key.startswith(prefix) or kind == "hook" for key in found)
        return {key: mine[bare] for bare, key in own.items()}

    return made


def lifted_key(key: str) -> str:
    """A name as `features_only` has it, in networks whose stages are in lists."""
    return key.replace(".", "_", 1) if key.startswith(("stem.", "stages.", "features.")) else key


# ---- the table -----------------------------------------------------------------------------------------------------

COMMON = [
    Layout("a state dict", "the names", lambda a, b: a),
    Layout("DataParallel, DistributedDataParallel", "`module.`", lambda a, b: under("module.", a)),
    Layout("`torch.compile`", "`_orig_mod.`", lambda a, b: under("_orig_mod.", a)),
    Layout(
        "`torch.compile` of DistributedDataParallel", "`_orig_mod.module.`", lambda a, b: under("_orig_mod.module.", a)
    ),
    Layout("blocks compiled", "`layer1._orig_mod.`", lambda a, b: nested(a, "_orig_mod")),
    Layout("FSDP", "`_fsdp_wrapped_module.`", lambda a, b: under("_fsdp_wrapped_module.", a)),
    Layout(
        "blocks under activation checkpointing",
        "`layer1._checkpoint_wrapped_module.`",
        lambda a, b: nested(a, "_checkpoint_wrapped_module"),
    ),
    Layout(
        "PyTorch's ImageNet example",
        "`state_dict`, `module.`",
        lambda a, b: {
            "epoch": 9,
            "arch": "net",
            "best_acc1": torch.tensor(76.1),
            "state_dict": under("module.", a),
            "optimizer": optimizer(),
        },
    ),
    Layout(
        "torchvision's training script",
        "`model`, `optimizer`, `args`",
        lambda a, b: {
            "model": a,
            "optimizer": optimizer(),
            "lr_scheduler": {"last_epoch": 3},
            "epoch": 3,
            "args": Namespace(lr=0.1),
        },
    ),
    Layout(
        "torchvision's training script, averaged",
        "`model`, `model_ema`",
        lambda a, b: {"model": b, "model_ema": averaged(a), "epoch": 3},
    ),
    Layout("averaged weights alone", "`n_averaged`, `module.`", lambda a, b: averaged(a)),
    Layout(
        "timm's training script",
        "`state_dict`, `state_dict_ema`",
        lambda a, b: {
            "epoch": 3,
            "arch": "net",
            "state_dict": b,
            "state_dict_ema": a,
            "optimizer": optimizer(),
            "args": Namespace(),
            "metric": 76.1,
        },
    ),
    Layout("an `ema` without tensors", "`model`, `ema`", lambda a, b: {"model": a, "ema": {"decay": 0.999}}),
    Layout("an `ema` that does not fit", "`model`, `ema`", lambda a, b: {"model": a, "ema": shorter(b)}),
    Layout("Lightning", "`state_dict`, `model.`", lambda a, b: lightning(under("model.", a))),
    Layout(
        "Lightning, with a loss that has weights",
        "`state_dict`, `net.`",
        lambda a, b: lightning(under("net.", a) | some_of("", "loss.weight")),
    ),
    Layout("half precision", "float16", lambda a, b: cast(a, torch.float16)),
    Layout(
        "arrays of NumPy, as detectron2 saves",
        "`model`, `__author__`",
        lambda a, b: {"model": arrays(a), "__author__": "somebody", "matching_heuristics": True},
    ),
    Layout("norms without counters (before 2018)", "no `num_batches_tracked`", lambda a, b: frozen(a)),
    Layout("teacher and student", "`teacher`, `student`", lambda a, b: {"student": under("module.", b), "teacher": a}),
    Layout("two networks of which none is preferred", "`net_a`, `net_b`", lambda a, b: {"net_a": a, "net_b": b}),
    Layout(
        "two networks, one asked for",
        "`net_a`, `net_b`",
        lambda a, b: {"net_a": b, "net_b": a},
        options={"part": "net_b"},
    ),
    Layout("a tensor missing", "the names, but one", lambda a, b: dict(list(a.items())[1:])),
    Layout(
        "names that nobody knows",
        "`x0.weight`",
        lambda a, b: {f"x{index}.weight": value for index, value in enumerate(a.values())},
    ),
]

FRESH: dict[str, Any] = {"head": "optional"}
"""For sources without a classifier."""

BESIDE = [
    # detectors, segmenters
    Layout("torchvision's Faster R-CNN", "`backbone.body.`, `rpn.`", in_detector, options=FRESH),
    Layout("torchvision's Faster R-CNN, with a classifier wanted", "`backbone.body.`, `rpn.`", in_detector),
    Layout("torchvision's FCN", "`backbone.`, `classifier.`", in_segmenter, options=FRESH),
    Layout(
        "DETR",
        "`model`, `backbone.0.body.`",
        lambda a, b: {
            "model": under("backbone.0.body.", frozen(body(a)))
            | some_of("transformer.", "encoder.layers.0.norm1.weight")
            | some_of("", "query_embed.weight", "bbox_embed.layers.0.weight")
        },
        options=FRESH,
    ),
    Layout(
        "DETR of transformers",
        "`model.backbone.conv_encoder.model.`",
        lambda a, b: (
            under("model.backbone.conv_encoder.model.", frozen(body(a)))
            | some_of("model.", "input_projection.weight")
            | some_of("", "class_labels_classifier.weight")
        ),
        options=FRESH,
    ),
    Layout(
        "mmdetection",
        "`state_dict`, `backbone.`, `neck.`",
        lambda a, b: {
            "meta": {"epoch": 12},
            "state_dict": under("backbone.", body(a))
            | some_of("neck.", "lateral_convs.0.conv.weight")
            | some_of("bbox_head.", "fc_cls.weight"),
        },
        options=FRESH,
    ),
    Layout(
        "mmdetection, distributed",
        "`state_dict`, `module.backbone.`",
        lambda a, b: {
            "meta": {},
            "state_dict": under("module.backbone.", body(a)) | some_of("module.neck.", "fpn.weight"),
        },
        options=FRESH,
    ),
    Layout(
        "mmsegmentation",
        "`backbone.`, `decode_head.`",
        lambda a, b: {
            "state_dict": under("backbone.", body(a))
            | some_of("decode_head.", "conv_seg.weight")
            | some_of("auxiliary_head.", "conv_seg.weight")
        },
        options=FRESH,
    ),
    Layout(
        "mmpretrain",
        "`backbone.`, `head.fc`",
        lambda a, b: {"state_dict": under("backbone.", body(a)) | some_of("head.", "fc.weight")},
        options=FRESH,
    ),
    Layout(
        "mmengine with averaged weights",
        "`state_dict`, `ema_state_dict`",
        lambda a, b: {
            "state_dict": under("backbone.", body(b)),
            "ema_state_dict": {"steps": torch.tensor(3), **under("module.backbone.", body(a))},
            "message_hub": {},
            "optimizer": optimizer(),
        },
        options=FRESH,
    ),
    Layout(
        "segmentation_models.pytorch",
        "`encoder.`, `decoder.`",
        lambda a, b: (
            under("encoder.", body(a))
            | some_of("decoder.", "blocks.0.conv1.0.weight")
            | some_of("segmentation_head.", "0.weight")
        ),
        options=FRESH,
    ),
    Layout(
        "segmentation_models.pytorch in Lightning",
        "`state_dict`, `model.encoder.`",
        lambda a, b: lightning(under("model.encoder.", body(a)) | some_of("model.decoder.", "blocks.0.conv1.0.weight")),
        options=FRESH,
    ),
    Layout(
        "segmentation_models.pytorch on timm's features",
        "`encoder.model.stem_0.`",
        lambda a, b: (
            under("encoder.model.", {lifted_key(key): value for key, value in body(a).items()})
            | some_of("decoder.", "blocks.0.weight")
        ),
        "timm",
        FRESH,
    ),
    Layout(
        "CenterNet, simple baselines",
        "the names, `deconv_layers.`, `hm.`",
        lambda a, b: {
            "epoch": 3,
            "state_dict": body(a) | some_of("deconv_layers.", "0.weight", "1.weight") | some_of("hm.", "0.weight"),
        },
        options=FRESH,
    ),
    Layout(
        "vovnet-detectron2",
        "`backbone.bottom_up.`, `proposal_generator.`",
        lambda a, b: {
            "model": under("backbone.bottom_up.", body(a))
            | some_of("backbone.", "fpn_lateral3.weight")
            | some_of("proposal_generator.", "rpn_head.conv.weight"),
            "iteration": 9,
        },
        "vovnet",
        FRESH,
    ),
    Layout(
        "vovnet-detectron2, as arrays of NumPy",
        "`backbone.bottom_up.`",
        lambda a, b: {"model": arrays(under("backbone.bottom_up.", body(a))), "__author__": "somebody"},
        "vovnet",
        FRESH,
    ),
    Layout(
        "detectron2's own ResNet",
        "`backbone.bottom_up.res2.`",
        lambda a, b: {
            "model": arrays(
                under(
                    "backbone.bottom_up.",
                    keyed(keyed(keyed(body(a), "layer1", "res2"), "bn1", "conv1.norm"), "conv1", "stem.conv1"),
                )
            )
        },
        options=FRESH,
    ),
    Layout(
        "a detector on a backbone of ours",
        "`backbone.`, `neck.`",
        lambda a, b: under("backbone.", a) | some_of("neck.", "lateral.weight"),
        "archdsl",
    ),
    Layout(
        "a detector on a backbone of ours, with a classifier wanted",
        "`backbone.`, `neck.`",
        lambda a, b: under("backbone.", body(a)) | some_of("neck.", "lateral.weight"),
        "archdsl",
    ),
    Layout(
        "a detector on a backbone of ours, without a classifier",
        "`backbone.`, `neck.`",
        lambda a, b: under("backbone.", body(a)) | some_of("neck.", "lateral.weight"),
        "archdsl",
        FRESH,
    ),
    # self-supervised
    Layout(
        "MoCo",
        "`state_dict`, `module.encoder_q.`, `module.encoder_k.`",
        lambda a, b: {
            "epoch": 200,
            "arch": "resnet18",
            "state_dict": under("module.encoder_q.", a)
            | under("module.encoder_k.", b)
            | some_of("module.", "queue", "queue_ptr"),
            "optimizer": optimizer(),
        },
    ),
    Layout(
        "MoCo v2",
        "`module.encoder_q.fc.0`",
        lambda a, b: {
            "state_dict": under("module.encoder_q.", body(a) | some_of("fc.", "0.weight", "2.weight"))
            | under("module.encoder_k.", body(b))
        },
        options=FRESH,
    ),
    Layout(
        "MoCo's key encoder, asked for",
        "`module.encoder_k.`",
        lambda a, b: {"state_dict": under("module.encoder_q.", b) | under("module.encoder_k.", a)},
        options={"part": "encoder_k"},
    ),
    Layout(
        "MoCo v3",
        "`module.base_encoder.`, `module.momentum_encoder.`",
        lambda a, b: {
            "state_dict": under("module.momentum_encoder.", body(b))
            | under("module.base_encoder.", body(a) | some_of("fc.", "0.weight"))
            | some_of("module.predictor.", "0.weight")
        },
        options=FRESH,
    ),
    Layout(
        "SimCLR",
        "`backbone.`, `backbone.fc.0`",
        lambda a, b: {
            "state_dict": under("backbone.", body(a) | some_of("fc.", "0.weight", "2.weight")),
            "optimizer": optimizer(),
        },
        options=FRESH,
    ),
    Layout(
        "SimCLR, `f.` and `g.`",
        "`f.0.`, `f.4.0.conv1`, `g.`",
        lambda a, b: under("f.", children(a)) | some_of("g.", "0.weight"),
        options=FRESH,
    ),
    Layout(
        "SimSiam",
        "`module.encoder.`, `module.predictor.`",
        lambda a, b: {
            "state_dict": under("module.encoder.", body(a) | some_of("fc.", "0.weight"))
            | some_of("module.predictor.", "0.weight")
        },
        options=FRESH,
    ),
    Layout(
        "BYOL",
        "`online_encoder.`, `target_encoder.`",
        lambda a, b: (
            under("target_encoder.", body(b))
            | under("online_encoder.", body(a))
            | some_of("online_predictor.", "0.weight")
        ),
        options=FRESH,
    ),
    Layout(
        "byol-pytorch",
        "`net.`, `online_encoder.net.`, `target_encoder.net.`",
        lambda a, b: under("net.", a) | under("online_encoder.net.", a) | under("target_encoder.net.", b),
    ),
    Layout(
        "DINO",
        "`student`, `teacher`",
        lambda a, b: {
            "student": under("module.backbone.", body(b)) | some_of("module.head.", "mlp.0.weight"),
            "teacher": under("backbone.", body(a)) | some_of("head.", "mlp.0.weight"),
            "optimizer": optimizer(),
            "args": Namespace(),
        },
        options=FRESH,
    ),
    Layout(
        "DINO's student, asked for",
        "`student`, `teacher`",
        lambda a, b: {"student": under("module.backbone.", body(a)), "teacher": under("backbone.", body(b))},
        options={**FRESH, "part": "student"},
    ),
    Layout(
        "SwAV",
        "`module.`, `module.projection_head.`",
        lambda a, b: {
            "state_dict": under("module.", body(a))
            | some_of("module.", "projection_head.0.weight", "prototypes.weight")
        },
        options=FRESH,
    ),
    Layout(
        "Barlow Twins",
        "`module.backbone.`, `module.projector.`",
        lambda a, b: {
            "epoch": 3,
            "model": under("module.backbone.", body(a)) | some_of("module.projector.", "0.weight"),
        },
        options=FRESH,
    ),
    Layout(
        "solo-learn",
        "`backbone.`, `momentum_backbone.`",
        lambda a, b: lightning(
            under("momentum_backbone.", body(b)) | under("backbone.", body(a)) | some_of("projector.", "0.weight")
        ),
        options=FRESH,
    ),
    Layout(
        "lightly",
        "`backbone.4.0.conv1`",
        lambda a, b: lightning(under("backbone.", children(a)) | some_of("projection_head.", "layers.0.weight")),
        options=FRESH,
    ),
    Layout(
        "lightly with a momentum encoder",
        "`backbone.0.`, `backbone_momentum.0.`",
        lambda a, b: lightning(under("backbone_momentum.", children(b)) | under("backbone.", children(a))),
        options=FRESH,
    ),
    Layout(
        "a mean teacher in Lightning",
        "`student.`, `teacher.`",
        lambda a, b: lightning(under("student.", b) | under("teacher.", a)),
    ),
    Layout(
        "averaged weights in Lightning",
        "`model.`, `ema_model.`",
        lambda a, b: lightning(
            under("model.", b) | {"ema_model.n_averaged": torch.tensor(3)} | under("ema_model.module.", a)
        ),
    ),
    Layout(
        "an image encoder beside a text encoder",
        "`image_encoder.`, `text_encoder.`",
        lambda a, b: under("image_encoder.", body(a)) | some_of("text_encoder.", "layer.0.weight"),
        options=FRESH,
    ),
    Layout("a Siamese network, shared", "`left.`, `right.`", lambda a, b: under("left.", a) | under("right.", a)),
    Layout("a Siamese network, not shared", "`left.`, `right.`", lambda a, b: under("left.", a) | under("right.", b)),
    Layout("an ensemble", "`models.0.`, `models.1.`", lambda a, b: under("models.0.", a) | under("models.1.", b)),
    Layout(
        "an ensemble, its second asked for",
        "`models.0.`, `models.1.`",
        lambda a, b: under("models.0.", b) | under("models.1.", a),
        options={"part": "models.1"},
    ),
    Layout("a part asked for that is not there", "the names", lambda a, b: a, options={"part": "encoder_k"}),
]

OTHERS = [
    # dicts
    Layout("an unknown dict around it", "`best_state_dict`", lambda a, b: {"best_state_dict": a, "epoch": 3}),
    Layout(
        "dicts in dicts",
        "`checkpoint`, `model`, `state_dict`",
        lambda a, b: {"checkpoint": {"model": {"state_dict": a}}},
    ),
    Layout(
        "the last and the best", "`state_dict`, `best_state_dict`", lambda a, b: {"state_dict": b, "best_state_dict": a}
    ),
    Layout(
        "the same weights twice",
        "`state_dict`, `best_state_dict`",
        lambda a, b: {"state_dict": a, "best_state_dict": dict(a)},
    ),
    Layout("values beside the tensors", "the names, `epoch`", lambda a, b: a | {"epoch": 3, "args": Namespace()}),
    Layout(
        "a name of a million characters beside it",
        "the names, `xxx`",
        lambda a, b: a | {"x" * 1_000_000: torch.zeros(2)},
    ),
    Layout("a module in a dict", "`model`", lambda a, b: {"model": module("torchvision"), "epoch": 3}),
    Layout("a module", "a module", lambda a, b: module("torchvision")),
    Layout("an optimizer alone", "`optimizer`", lambda a, b: {"optimizer": optimizer()}),
    Layout("a list of state dicts", "a list", lambda a, b: [a, b]),
    # classifiers
    Layout(
        "another number of classes",
        "`fc` of 7",
        lambda a, b: a | {"fc.weight": torch.ones(7, 512), "fc.bias": torch.ones(7)},
    ),
    Layout(
        "another number of classes, strictly",
        "`fc` of 7",
        lambda a, b: a | {"fc.weight": torch.ones(7, 512), "fc.bias": torch.ones(7)},
        options={"head": "strict"},
    ),
    Layout(
        "`fc` with a dropout",
        "`fc.1.weight`",
        lambda a, b: body(a) | {"fc.1.weight": torch.ones(7, 512), "fc.1.bias": torch.ones(7)},
    ),
    Layout(
        "`fc` with a dropout, left fresh",
        "`fc.1.weight`",
        lambda a, b: body(a) | {"fc.1.weight": torch.ones(7, 512), "fc.1.bias": torch.ones(7)},
        options=FRESH,
    ),
    Layout(
        "`fc` as a row of layers, left fresh",
        "`fc.0.weight`, `fc.3.weight`",
        lambda a, b: body(a) | some_of("fc.", "0.weight", "0.bias", "3.weight", "3.bias"),
        options=FRESH,
    ),
    Layout(
        "`fc` of other inputs, left fresh",
        "`fc` of 7x64",
        lambda a, b: a | {"fc.weight": torch.ones(7, 64), "fc.bias": torch.ones(7)},
        options=FRESH,
    ),
    Layout("`fc = nn.Identity()`", "no `fc`", lambda a, b: body(a)),
    Layout("`fc = nn.Identity()`, left fresh", "no `fc`", lambda a, b: body(a), options=FRESH),
    Layout(
        "a classifier of another name, left fresh",
        "`last_linear`",
        lambda a, b: body(a) | {"last_linear.weight": a["fc.weight"], "last_linear.bias": a["fc.bias"]},
        options=FRESH,
    ),
    Layout("auxiliary classifiers, where the spec has none", "`aux1.`, `aux2.`", lambda a, b: a, "googlenet"),
    # the names of libraries
    Layout(
        "torchvision's old DenseNet",
        "`norm.1`, `conv.1`",
        lambda a, b: keyed(
            keyed(keyed(keyed(a, "norm1.", "norm.1."), "norm2.", "norm.2."), "conv1.", "conv.1."), "conv2.", "conv.2."
        ),
        "densenet",
    ),
    Layout("torchvision's DenseNet", "`features.denseblock1.`", lambda a, b: a, "densenet"),
    Layout("children of a ResNet in a row", "`0.weight`, `4.0.conv1`", lambda a, b: children(a), options=FRESH),
    Layout(
        "a learner of fastai",
        "`model`, `0.0.weight`, `1.8.weight`",
        lambda a, b: {"model": under("0.", children(a)) | some_of("1.", "4.weight", "8.weight"), "opt": optimizer()},
        options=FRESH,
    ),
    Layout("a ResNet of timm", "the names", lambda a, b: a, "timm resnet"),
    Layout("a PeleeNet of pytorchcv", "`features.stage1.unit1.branch2.`", lambda a, b: a, "peleenet"),
    *(
        Layout(
            f"`features_only` of a ResNet of timm{f', `{kind}`' if kind else ''}",
            looks,
            features_only("resnet18", kind),
            "timm resnet",
            FRESH,
        )
        for kind, looks in [
            ("", "the names"),
            ("dict", "the names"),
            ("hook", "`body.`"),
            ("fx", "`graph_module.`"),
            ("getter", "`model.`"),
        ]
    ),
    *(
        Layout(
            f"`features_only` of a VoVNet of timm{f', `{kind}`' if kind else ''}",
            looks,
            features_only("ese_vovnet19b_slim_dw", kind),
            "timm",
            FRESH,
        )
        for kind, looks in [("", "`stem_0.`, `stages_0.`"), ("fx", "`graph_module.`"), ("getter", "`model.`")]
    ),
    Layout(
        "`features_only` of a DenseNet of timm",
        "`features_conv0.`",
        features_only("densenet121", ""),
        "densenet",
        FRESH,
    ),
    Layout(
        "`features_only` in DataParallel",
        "`module.stem_0.`",
        lambda a, b: under("module.", {lifted_key(key): value for key, value in body(a).items()}),
        "timm",
        FRESH,
    ),
    Layout("a ResNet of timm in transformers", "`timm_model.`", lambda a, b: under("timm_model.", a), "timm resnet"),
    Layout(
        "a ResNet of transformers",
        "`resnet.embedder.`",
        lambda a, b: keyed(
            keyed(a, "conv1.", "resnet.embedder.embedder.convolution."), "layer", "resnet.encoder.stages."
        ),
    ),
    Layout(
        "Keras",
        "`conv1_conv/kernel:0`",
        lambda a, b: {f"conv{index}_conv/kernel:0": value for index, value in enumerate(a.values())},
    ),
    # other networks
    Layout(
        "a deeper network of the family",
        "`layer1.2.`",
        lambda a, b: (
            a | keyed({key: value for key, value in a.items() if key.startswith("layer1.1.")}, "layer1.1.", "layer1.2.")
        ),
    ),
    Layout("a network without its last stage", "no `layer4.`", lambda a, b: without(a, "layer4.")),
    Layout(
        "a network with one stage more",
        "`layer5.0.`",
        lambda a, b: (
            a | keyed({key: value for key, value in a.items() if key.startswith("layer4.1.")}, "layer4.1.", "layer5.0.")
        ),
    ),
    Layout("a wider network", "the names", lambda a, b: a | {"layer1.0.conv1.weight": torch.ones(128, 64, 3, 3)}),
    Layout("a network of another family", "`features.init_block.`", lambda a, b: state("pytorchcv")),
    Layout("ours, a stage renamed", "`middle.0.`", lambda a, b: keyed(a, "c3.", "middle."), "archdsl"),
    Layout(
        "ours, a stage more",
        "`c6.0.`",
        lambda a, b: a | keyed({key: value for key, value in a.items() if key.startswith("c3.")}, "c3.", "c6."),
        "archdsl",
    ),
    Layout(
        "ours, another number of classes",
        "`head.linear` of 7",
        lambda a, b: a | {"head.linear.weight": torch.ones(7, 128), "head.linear.bias": torch.ones(7)},
        "archdsl",
    ),
]


FILES = [
    Layout("a file of `torch.save`", ".pth", lambda a, b: file("w.pth", {"state_dict": under("module.", a)})),
    Layout("one from before PyTorch 1.6", ".pth", lambda a, b: file("w.pth", a, _use_new_zipfile_serialization=False)),
    Layout("a file of safetensors", ".safetensors", lambda a, b: safe("w.safetensors", a)),
    Layout(
        "torchvision's training script, with its arguments",
        ".pth, `args`",
        lambda a, b: file("w.pth", {"model": a, "optimizer": optimizer(), "args": Namespace(lr=0.1, data=Path("x"))}),
    ),
    Layout(
        "a checkpoint with numbers of NumPy",
        ".pth, `best`",
        lambda a, b: file("w.pth", {"state_dict": a, "best": numpy.float64(76.1), "scores": numpy.arange(3)}),
    ),
    Layout("Lightning, with hyperparameters", ".ckpt", lambda a, b: file("w.ckpt", lightning(under("model.", a)))),
    Layout(
        "vovnet-detectron2, as a pickle",
        ".pkl",
        lambda a, b: pickled("w.pkl", {"model": arrays(under("backbone.bottom_up.", body(a))), "__author__": "x"}),
        "vovnet",
        FRESH,
    ),
    Layout("a folder with one file", "model.safetensors", lambda a, b: safe("model.safetensors", a, alone=False)),
    Layout("a folder of Hugging Face, in parts", "model.safetensors.index.json", lambda a, b: sharded(a)),
    Layout("a whole module of PyTorch", ".pth", lambda a, b: file("w.pth", module("torchvision"))),
]


@dataclass(frozen=True, eq=False)
class Row:
    """A layout and the network that it is tried with."""

    layout: Layout
    net: str

    @property
    def label(self) -> str:
        """How a test is called."""
        return f"{self.layout.title}-{self.net}".replace("`", "")


LAYOUTS = {
    "Wrappers": [Row(layout, net) for layout in COMMON for net in SHARED],
    "A backbone in something larger": [Row(layout, layout.net) for layout in BESIDE],
    "Dicts, classifiers, names": [Row(layout, layout.net) for layout in OTHERS],
    "Files and folders": [Row(layout, layout.net) for layout in FILES],
}
"""All of them, by the chapter of their table."""
