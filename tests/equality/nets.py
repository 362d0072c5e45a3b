"""Which network is held against which oracle, on which images, and where the oracle has our stages' maps.

`maps` has for each of our sections the module of the oracle whose output it is (`module<`: whose input).

Images are as small as leaves every stage more than one place; strides meet even maps and odd ones, as both show faults
of padding that the other hides. What mixes the images of a batch is seen by the cases that always run, which have two
images, and by `tests/specs/test_crosscheck.py` for all specs.
"""

from __future__ import annotations

from typing import NamedTuple

import archdsl
from archdsl import Network

NARROW = """
name: narrow
extends: {spec}
head:
  - maxpool(2) -> adaptive_avgpool(7) -> flatten
  - 2 * (linear(64) -> relu -> dropout(0.5))
  - linear(classes)
"""
"""A VGG whose hidden layers are less than a gigabyte: one case has them whole."""


class Case(NamedTuple):
    """A network of ours, its oracle, and how to look at both."""

    spec: str
    oracle: str
    maps: dict[str, str]
    size: int
    batch: int
    always: bool

    @property
    def label(self) -> str:
        """How the case is called in reports."""
        return f"{self.spec}={self.oracle}"

    @property
    def narrow(self) -> bool:
        """Whether the hidden layers of the head are narrow, in the oracle and in ours."""
        return self.oracle.endswith("+narrow")

    @property
    def ours(self) -> Network | str:
        """Our network."""
        return archdsl.loads(NARROW.format(spec=self.spec), "narrow.yaml") if self.narrow else self.spec


STEM = {"stem": "maxpool"}
LAYERS = {f"c{i + 1}": f"layer{i}" for i in range(1, 5)}
RESNET = STEM | LAYERS
STAGES = {f"c{i + 2}": f"stages.{i}" for i in range(4)}
FIVE_STAGES = {f"c{i + 1}": f"stages.{i}" for i in range(5)}
CV = {f"c{i + 1}": f"features.stage{i}" for i in range(1, 5)}
CV_STEM = {"stem": "features.init_block"}
CV_CIFAR = {f"c{i}": f"features.stage{i}" for i in range(1, 4)}
DENSENET = {"stem": "features.pool0", "c2": "features.denseblock1", "c3": "features.denseblock2"} | {
    "c4": "features.denseblock3",
    "c5": "features.norm5",
}
CV_DENSENET = CV_STEM | CV | {"c5": "features.post_activ.bn"}
INCEPTION = {
    "c1": "Conv2d_2b_3x3",
    "c2": "Conv2d_4a_3x3",
    "c3": "Mixed_5d",
    "c4": "Mixed_6e",
    "c5": "Mixed_7c",
}
CV_INCEPTION = {"c3": "features.stage1", "c4": "features.stage2", "c5": "features.stage3"}
GOOGLENET = {
    "c1": "conv1",
    "c2": "conv3",
    "c3": "inception3b",
    "inception4a": "inception4a",
    "inception4d": "inception4d",
    "c4": "inception4e",
    "c5": "inception5b",
}
CV_DARKNET = {f"c{i}": f"features.stage{i}" for i in range(1, 6)}
CV_DARKNET19 = {
    "c1": "features.stage2.unit1",
    "c2": "features.stage3.unit3",
    "c3": "features.stage4.unit3",
    "c4": "features.stage5.unit5",
    "c5": "features.stage6.unit5",
}
DARKNET19 = {"c1": "layers.2", "c2": "layers.6", "c3": "layers.10", "c4": "layers.16", "c5": "layers.22"}
DARKNET53 = {f"c{i + 1}": f"blocks.{i}" for i in range(5)}
VGG_ENDS = {
    "vgg11": (1, 4, 9, 14, 19),
    "vgg13": (3, 8, 13, 18, 23),
    "vgg16": (3, 8, 15, 22, 29),
    "vgg19": (3, 8, 17, 26, 35),
    "vgg11_bn": (2, 6, 13, 20, 27),
    "vgg13_bn": (5, 12, 19, 26, 33),
    "vgg16_bn": (5, 12, 22, 32, 42),
    "vgg19_bn": (5, 12, 25, 38, 51),
}
"""Where the last activation of each stage stands."""


def vgg(name: str) -> dict[str, str]:
    """The maps of a VGG."""
    return {f"c{stage}": f"features.{place}" for stage, place in enumerate(VGG_ENDS[name], 1)}


def plain(count: int) -> dict[str, str]:
    """The maps of the transcribed DenseNet, which concatenates in its forward."""
    return {"stem": "first", "c1": f"norms.{count}<", "c2": f"norms.{2 * count + 1}<", "c3": "last<"}


def case(spec: str, oracle: str, maps: dict[str, str], *, size: int = 64, batch: int = 1, always: bool = False) -> Case:
    """A case; an oracle without a name of its own has ours."""
    called = f"{oracle}{spec}" if oracle.endswith(":") else oracle
    return Case(spec, called, maps, size, 2 if always else batch, always)


STEMMED = {"stem": "stem"}
CASES = [
    *(
        case(name, f"torchvision:{name}+narrow", vgg(name), size=32, always=name in {"vgg16", "vgg16_bn"})
        for name in VGG_ENDS
    ),
    case("vgg16_bn", "timm:vgg16_bn", vgg("vgg16_bn"), size=32),
    *(case(f"resnet{n}", "torchvision:", RESNET, size=40, always=n == 50) for n in (18, 34, 50, 101, 152)),
    case("resnet50", "pytorchcv:resnet50b", CV_STEM | CV, size=40),
    case("resnet18", "pytorchcv:resnet18", CV_STEM | CV, size=40),
    case("resnet50", "timm:resnet50", RESNET, size=40),
    *(case(f"resnet{n}_v1a", f"pytorchcv:resnet{n}", CV_STEM | CV, size=40) for n in (50, 101, 152)),
    *(case(f"{pre}resnet{n}_cifar10", "pytorchcv:", CV_CIFAR, size=16) for pre in ("", "pre") for n in (20, 56, 110)),
    *(case(f"{pre}resnet{n}_cifar10", "pytorchcv:", CV_CIFAR, size=8) for pre in ("", "pre") for n in ("164bn", 1001)),
    *(case(f"resnetv2_{n}", "timm:", STEMMED | STAGES, size=40, always=n == 50) for n in (18, 34, 50, 101, 152)),
    *(
        case(f"preresnet{n}", "pytorchcv:", CV_STEM | CV, size=40, always=n == "50b")
        for n in (18, 34, 50, 101, 152, "50b", "101b", "152b", 200)
    ),
    case("resnext50", "torchvision:resnext50_32x4d", RESNET, size=40, always=True),
    case("resnext101_32x8d", "torchvision:", RESNET, size=40),
    case("resnext101_64x4d", "torchvision:", RESNET, size=40),
    case("resnext101_32x4d", "timm:", RESNET, size=40),
    case("resnext29_32x4d_cifar10", "pytorchcv:", CV_CIFAR, size=16),
    case("resnext29_16x64d_cifar10", "pytorchcv:", CV_CIFAR, size=8),
    case("wide_resnet50_2", "torchvision:", RESNET, size=40),
    case("inception_v3", "torchvision:", INCEPTION, size=107, always=True),
    case("inception_v3", "pytorchcv:inceptionv3", CV_INCEPTION, size=107),
    case("inception_v3", "timm:inception_v3", INCEPTION, size=107),
    case("inception_v3_aux", "torchvision:inception_v3+aux", INCEPTION, size=299, batch=2),
    case("googlenet", "torchvision:", GOOGLENET),
    case("googlenet_aux", "torchvision:googlenet+aux", GOOGLENET),
    case("darknet53_timm", "timm:darknet53", STEMMED | FIVE_STAGES, size=40),
    case("darknet53", "pytorchcv:darknet53", CV_STEM | CV_DARKNET, size=40, always=True),
    case("darknet53", "authors:darknet53.cfg", {"stem": "first"} | DARKNET53, size=40),
    case("darknet19", "pytorchcv:darknet19", CV_DARKNET19),
    case("darknet19", "authors:darknet19.cfg", DARKNET19),
    *(case(f"densenet{n}", "torchvision:", DENSENET, always=n == 121) for n in (121, 161, 169, 201, 264)),
    case("densenet121", "pytorchcv:densenet121", CV_DENSENET),
    case("densenet121", "timm:densenet121", {name: DENSENET[name] for name in ("c2", "c3", "c4")}),
    *(
        case(f"densenet_bc{n}_k{k}_cifar10", f"pytorchcv:densenet{n}_k{k}_bc_cifar10", CV_CIFAR, size=8)
        for n, k in ((40, 12), (100, 12), (250, 24), (190, 40))
    ),
    *(
        case(f"densenet{n}_k{k}_cifar10", f"authors:densenet{n}_k{k}", plain((n - 4) // 3), size=8)
        for n, k in ((40, 12), (100, 12), (100, 24))
    ),
    *(
        case(name, "timm:", STEMMED | STAGES, size=40, always=name == "cspresnet50")
        for name in ("cspresnet50", "cspresnet50d", "cspresnet50w", "cspresnext50")
    ),
    case("cspdarknet53", "timm:", STEMMED | FIVE_STAGES, size=40, always=True),
    *(
        case(f"{net}{end.replace('-', '_')}", f"authors:{net}{end}.cfg", STEMMED | maps, size=40)
        for net, maps in (("csresnet50", STAGES), ("csresnext50", STAGES), ("csdarknet53", FIVE_STAGES))
        for end in ("", "-omega")
    ),
    case("csdarknet53", "timm:cspdarknet53+slope", STEMMED | FIVE_STAGES, size=40),
    case("peleenet", "pytorchcv:", CV_STEM),
    *(case(f"vovnet{n}", f"pytorchcv:vovnet{n}", CV_STEM | CV, always=n == 39) for n in (39, 57)),
    case("vovnet27_slim", "pytorchcv:vovnet27s", CV_STEM | CV),
    *(case(f"vovnet{n}", "timm:", STEMMED | STAGES) for n in ("39a", "57a")),
    *(
        case(f"ese_vovnet{n}", "timm:", STEMMED | STAGES, always=n == "39b")
        for n in ("19b", "19b_dw", "19b_slim", "19b_slim_dw", "39b", "57b", "99b")
    ),
    *(
        case(f"vovnetv2_{n}", f"derived:ese_vovnet{timms}", STEMMED | STAGES)
        for n, timms in (
            ("19", "19b"),
            ("19_dw", "19b_dw"),
            ("19_slim", "19b_slim"),
            ("19_slim_dw", "19b_slim_dw"),
            ("39", "39b"),
            ("57", "57b"),
            ("99", "99b"),
        )
    ),
]
