"""What networks start from: for each reference the law of every weight, as its own sources have it.

The table was read in torchvision 0.29, timm 1.0.31 and pytorchcv 0.0.74, and is held against them, too. The authors'
are VoVNet.pytorch (kaiming_normal, zero bias of the classifier), vovnet-detectron2 (kaiming_normal in convolutions),
pjreddie's darknet (normal), AlexeyAB's (uniform), and densenet.lua (normal by fan out, zero bias of the classifier).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

torch = pytest.importorskip("torch")

import archdsl  # noqa: E402
from tests.specs.oracles import LIVE, ROWS, live  # noqa: E402
from tests.weights.laws import (  # noqa: E402
    DRAWN,
    Law,
    Moments,
    Sized,
    Sparing,
    always,
    astray,
    constant,
    darknet_uniform,
    fans,
    kaiming_normal_in,
    kaiming_normal_out,
    kaiming_uniform_in,
    moments,
    normal,
    parts,
    pooled,
    strays,
    uniform,
    usual,
)

ZERO = always(constant(0))


class Scheme(NamedTuple):
    """What a network starts from; norms start from 1 and 0."""

    conv: Sized
    conv_bias: Sized = usual
    linear: Sized = usual
    linear_bias: Sized = usual
    zeros: str = "(?!)"
    """The norms that start from 0: a pattern of names, theirs and ours."""
    others: tuple[tuple[str, Sized], ...] = ()
    """Patterns of names of weights that start from another law."""


BOTTLENECK_LAST = r"(\.bn3|\.conv3\.bn|\.\d+\.body\.norm)$"
DARK_LAST = r"(blocks\.\d+\.conv2\.bn|\.\d+\.body\.norm)$"
NORMAL = always(normal(0.01))
TORCHVISION = Scheme(kaiming_normal_out)
PYTORCHCV = Scheme(kaiming_uniform_in, ZERO)
TIMM_CSP = Scheme(kaiming_normal_out, ZERO, NORMAL, ZERO, BOTTLENECK_LAST)
TIMM_DARK = TIMM_CSP._replace(zeros=DARK_LAST)
INCEPTION = Scheme(always(normal(0.1)), linear=always(normal(0.1)))
GOOGLENET = Scheme(NORMAL, linear=NORMAL)
VOVNET = Scheme(kaiming_normal_in, linear_bias=ZERO)

SCHEMES = {
    "torchvision resnet": TORCHVISION,
    "torchvision resnext": TORCHVISION,
    "torchvision vgg": Scheme(kaiming_normal_out, ZERO, NORMAL, ZERO),
    "torchvision densenet": Scheme(kaiming_normal_in, linear_bias=ZERO),
    "torchvision inception": INCEPTION._replace(others=((r"(AuxLogits\.fc|^aux\..*linear)$", always(normal(0.001))),)),
    "pytorchcv darknet": PYTORCHCV._replace(others=((r"(final_conv|^head\.conv)$", NORMAL),)),
    "timm resnext": TORCHVISION._replace(zeros=BOTTLENECK_LAST),
    "timm resnetv2": Scheme(kaiming_normal_out, ZERO, NORMAL, ZERO, others=((r"^head\.(fc|conv)$", NORMAL),)),
    "timm cspnet": TIMM_CSP,
    "timm darknet": TIMM_DARK,
    "timm vovnet": Scheme(kaiming_normal_out, linear_bias=ZERO),
    "timm vovnetv2": Scheme(kaiming_normal_out, linear_bias=ZERO),
    "darknet-cfg darknet": Scheme(kaiming_normal_in, ZERO),
    "darknet-cfg cspnet": Scheme(darknet_uniform, ZERO),
    "VoVNet.pytorch vovnet": VOVNET,
    "vovnet-detectron2 vovnetv2": VOVNET,
    "paper densenet_cifar": Scheme(kaiming_normal_out, linear_bias=ZERO),
    "paper cspnet": PYTORCHCV,
    "googlenet": GOOGLENET,
    "googlenet_aux": GOOGLENET,
    "cspdarknet53": TIMM_DARK,
}
"""By library and family, or by name where that is not enough."""


def scheme(row: dict[str, Any]) -> Scheme:
    """What the reference of a row starts from."""
    library = re.split(r"[ :]", row["oracle"])[0]
    found = SCHEMES.get(row["spec"]) or SCHEMES.get(f"{library} {row['family']}")
    return found or {"pytorchcv": PYTORCHCV}[library]


def expected(name: str, module: Any, given: Scheme) -> dict[str, Law]:
    """The law of each tensor of a module."""
    if isinstance(module, torch.nn.BatchNorm2d):
        return {"weight": constant(0 if re.search(given.zeros, name) else 1), "bias": constant(0)}
    linear = isinstance(module, torch.nn.Linear)
    assert linear or isinstance(module, torch.nn.Conv2d), f"{name} is of type {type(module).__name__}"
    law = given.linear if linear else given.conv
    law = next((other for pattern, other in given.others if re.search(pattern, name)), law)
    laws = {"weight": law, "bias": given.linear_bias if linear else given.conv_bias}
    return {each: law(*fans(module.weight)) for each, law in laws.items() if getattr(module, each) is not None}


def faults(model: Any, given: Scheme, most: int | None = None) -> list[str]:
    """All that strays in a network, by the first numbers of each tensor or by all."""
    found: list[str] = []
    kinds: dict[tuple[str, float], list[Moments]] = {}
    for name, module in parts(model):
        for each, law in expected(name, module, given).items():
            tensor = getattr(module, each)
            if not law.std:
                found += strays(f"{name}.{each}", tensor, law)
                continue
            random = moments(tensor, law, most)
            found += astray(f"{name}.{each}", random, law.kurtosis)
            kinds.setdefault((f"{type(module).__name__}.{each}", law.kurtosis), []).append(random)
    return [*found, *(stray for (kind, law), many in kinds.items() for stray in pooled(kind, many, law))]


def zeros(model: Any, given: Scheme) -> int:
    """The number of norms that start from 0."""
    norms = [name for name, module in parts(model) if isinstance(module, torch.nn.BatchNorm2d)]
    return sum(bool(re.search(given.zeros, name)) for name in norms)


# ---- the tests -----------------------------------------------------------------------------------------------------

# fmt: off
QUICK = [
    "resnet18", "resnet20_cifar10", "preresnet20_cifar10", "resnetv2_18", "googlenet_aux", "darknet19",
    "densenet121", "densenet_bc40_k12_cifar10", "densenet40_k12_cifar10", "vovnet27_slim",
    "ese_vovnet19b_slim_dw", "vovnetv2_19_slim_dw", "csppeleenet",
]
ONE_OF_EACH = [
    *QUICK, "vgg11_bn", "inception_v3_aux", "resnext101_32x4d", "darknet53_timm", "cspresnet50", "cspdarknet53",
    "vovnet39a",
]
"""At least one for each scheme."""
# fmt: on


HUGE = {"vgg13", "vgg13_bn", "vgg16_bn", "vgg19", "vgg19_bn"}
"""What is left out: it takes its settings from vgg16 and minutes to fill."""


def cases(rows: list[dict[str, Any]]) -> Iterator[Any]:
    """Each name once; all but the quick ones are slow."""
    for row in {row["spec"]: row for row in reversed(rows) if row["spec"] not in HUGE}.values():
        yield pytest.param(row, id=row["spec"], marks=[] if row["spec"] in QUICK else pytest.mark.slow)


@pytest.mark.parametrize("row", list(cases(ROWS)))
def test_a_network_starts_as_its_reference(row: dict[str, Any]) -> None:
    """The quick ones are filled whole, the others as far as tells the laws."""
    torch.manual_seed(0)
    if row["spec"] in QUICK:
        assert faults(archdsl.build(row["spec"]), scheme(row)) == []
        return
    with Sparing():
        model = archdsl.build(row["spec"])
    assert faults(model, scheme(row), DRAWN) == []


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("row", [pytest.param(row, id=row["spec"]) for row in LIVE if row["spec"] in ONE_OF_EACH])
def test_the_reference_starts_as_we_read_it(row: dict[str, Any]) -> None:
    pytest.importorskip(row["oracle"].split(":")[0])
    torch.manual_seed(0)
    with Sparing():
        theirs, ours = live(row["oracle"]), archdsl.build(row["spec"])
    assert faults(theirs, scheme(row), DRAWN) == []
    assert zeros(theirs, scheme(row)) == zeros(ours, scheme(row))


# ---- the test of the test ------------------------------------------------------------------------------------------


def draw(law: Law, count: int) -> Any:
    """Numbers of a law."""
    if law.kurtosis == 3:
        return torch.randn(count) * law.std
    return (torch.rand(count) * 2 - 1) * law.std * 3**0.5 if law.std else torch.full((count,), float(law.value))


LAWS = [normal(0.1), uniform(0.1), normal(0.01), constant(0), constant(1)]


@pytest.mark.parametrize("count", [7, 300, 5000, 200_000])
@pytest.mark.parametrize("law", LAWS)
def test_good_laws_are_let_pass(law: Law, count: int) -> None:
    torch.manual_seed(0)
    assert [stray for _ in range(50) for stray in strays("w", draw(law, count), law)] == []


@pytest.mark.parametrize(
    ("real", "law"),
    [
        (normal(0.1), normal(0.105)),
        (normal(0.105), normal(0.1)),
        (uniform(0.1), uniform(0.105)),
        (uniform(0.105), uniform(0.1)),
        (uniform(0.1 * 3**0.5), normal(0.1)),
        (normal(0.1), uniform(0.1 * 3**0.5)),
        (constant(0), normal(0.1)),
        (constant(0), constant(1)),
        (normal(0.1), constant(0)),
    ],
)
def test_wrong_laws_are_found(real: Law, law: Law) -> None:
    torch.manual_seed(0)
    assert list(strays("w", draw(real, 20_000), law))
    assert list(strays("w", draw(law, 20_000) + 0.05, law))


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("conv.init = kaiming_normal", "has a variance"),
        ("bottleneck.gamma = 0", "is not 1"),
        ("linear.init = normal(std = 0.01)", "head.linear.weight"),
        ("linear.bias_init = constant(val = 0)", "head.linear.bias has a variance 0.000"),
    ],
)
def test_wrong_settings_are_found(line: str, fault: str) -> None:
    lines = ["backbone other extends resnet50:", "    stage c3 / 2: 2 * bottleneck(512)", f"    {line}"]
    torch.manual_seed(0)
    found = faults(archdsl.build(archdsl.loads("\n".join([*lines, ""]))), SCHEMES["torchvision resnet"])
    assert any(fault in each for each in found)
