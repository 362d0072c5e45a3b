"""`docs/backbones.md`, the shipped networks with their figures and sources: `python -m tests.specs.backbones_page`.

Its figures are those of the cost analysis, what publications say is in `reference.json`, and why the two differ is
here, in `DIFFERENCES`. What the networks are compared with stands in `tests/equality/nets.py`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal
from functools import cache
from pathlib import Path
from textwrap import fill
from typing import Any, NamedTuple

import archdsl
from archdsl import driver
from archdsl.graph import Graph, Scope
from tests.equality.nets import CASES
from tests.specs.oracles import LIBRARIES, ROWS

PAGE = Path(__file__).parents[2] / "docs" / "backbones.md"
WIDTH = 118


class Chapter(NamedTuple):
    """A part of the page: the families of `reference.json` that it has, their papers, and what is true of all."""

    title: str
    families: tuple[str, ...]
    text: str


HEAD = """
# The backbones

Written by `python -m tests.specs.backbones_page`; do not edit. `archdsl show NAME` has each network's figures by stage.

## How to read it

**Figures.** *Parameters* are all that is trained, auxiliary classifiers included. *Multiply-adds* are those of
convolutions and linear layers in inference on one image of the size given, each counted once; `fc` layers of SE and
eSE are 1x1 convolutions and count. *Activations* are the elements that convolutions give. [What each figure
is](costs.md) has the rest. All are exact, and tested to be those *measured on* the implementation named beside them.
Others count otherwise:

- fvcore (and timm's GMACs) adds two operations an element for each batch norm, and its pools, which is why ResNet-50 is
  a little more there; to the activations it adds the output of the linear layer. Where the classifier is a 1x1
  convolution (timm's `resnetv2_*`, Darknet's), its outputs are among our activations.
- Darknet's and CSPNet's *BFLOPs* are operations: two for each multiply-add.
- The *#Parameter* of CSPNet's README counts the weights of convolutions, the classifier's among them, but no biases, and
  no scales and shifts of norms.

**Compared with** says what holds the function, in `tests/equality`. Both networks get the same random weights, with
batch-norm scales of both signs. On small images outputs, the stages' maps, buffers after the step and all gradients are
the same in float64 up to 1e-9 of their scale, in evaluation and in training (dropout off), and outputs in float32
up to 1e-5.

- *torchvision*, *timm*, *pytorchcv*: the live network of that library (pytorchcv's heads get a global pool, so that they
  take small images).
- *altered*: one derived from a live network. timm's VoVNetV2 gets its authors' attention in every module, timm's
  CSPDarknet-53 its authors' slope of 0.1.
- *transcribed*: a straight PyTorch transcription, in the tests, of the authors' `.cfg` file or of the paper.
- *nothing*: there is nothing to compare with.

**As published** has the publication's own figures beside ours, and why they differ; † marks those that were written
down from memory, not read again. *Ours, so counted* is our figure after the way of counting that the reason names; where
the reason is another network, it is that network's. "Rounding" means that ours, rounded to the same digits, is the same.
"""

CHAPTERS = (
    Chapter(
        "VGG",
        ("vgg",),
        "Simonyan & Zisserman 2015, *Very Deep Convolutional Networks for Large-Scale Image Recognition* (ICLR).",
    ),
    Chapter(
        "ResNet",
        ("resnet",),
        "He et al. 2016, *Deep Residual Learning for Image Recognition* (CVPR); Zagoruyko & Komodakis 2016, *Wide "
        "Residual Networks* (BMVC). A bottleneck's stride is on its first 1x1 convolution in the paper (`_v1a` here), on "
        'the 3x3 in torchvision, timm and fb.resnet.torch ("v1.5"): same weights, other function, other cost.',
    ),
    Chapter(
        "ResNet for CIFAR-10",
        ("resnet_cifar",),
        "He et al. 2016, *Deep Residual Learning* (CVPR), section 4.2; the bottleneck ones are the baselines of *Identity "
        "Mappings in Deep Residual Networks* (ECCV 2016).",
    ),
    Chapter(
        "Pre-activation ResNet",
        ("resnetv2",),
        "He et al. 2016, *Identity Mappings in Deep Residual Networks* (ECCV). The paper defines blocks; stem and stride "
        "differ between libraries: timm's `resnetv2_*` has a bare convolution in the stem, pytorchcv's `preresnet*` norm "
        "and activation behind it; the stride is on the 3x3, but on the first 1x1 in pytorchcv's without a `b`.",
    ),
    Chapter(
        "Pre-activation ResNet for CIFAR-10",
        ("resnetv2_cifar",),
        "He et al. 2016, *Identity Mappings in Deep Residual Networks* (ECCV).",
    ),
    Chapter(
        "ResNeXt",
        ("resnext", "resnext_cifar"),
        "Xie et al. 2017, *Aggregated Residual Transformations for Deep Neural Networks* (CVPR). The stride is on the "
        "grouped 3x3 convolution in the authors' code as in the libraries'.",
    ),
    Chapter(
        "GoogLeNet and Inception v3",
        ("inception",),
        "Szegedy et al. 2015, *Going Deeper with Convolutions* (CVPR); Szegedy et al. 2016, *Rethinking the Inception "
        "Architecture for Computer Vision* (CVPR). Auxiliary classifiers exist in training only, so that they are among "
        "the parameters, but not among the multiply-adds and activations.",
    ),
    Chapter(
        "Darknet",
        ("darknet",),
        "Redmon & Farhadi 2017, *YOLO9000: Better, Faster, Stronger* (CVPR); Redmon & Farhadi 2018, *YOLOv3: An "
        "Incremental Improvement* (arXiv).",
    ),
    Chapter(
        "DenseNet",
        ("densenet",),
        "Huang et al. 2017, *Densely Connected Convolutional Networks* (CVPR).",
    ),
    Chapter(
        "DenseNet for CIFAR-10",
        ("densenet_cifar",),
        "Huang et al. 2017, *Densely Connected Convolutional Networks* (CVPR). pytorchcv's networks without `bc` still "
        "halve the channels in their transitions, which those of the paper do not: these are not equal to them.",
    ),
    Chapter(
        "PeleeNet",
        ("peleenet",),
        "Wang et al. 2018, *Pelee: A Real-Time Object Detection System on Mobile Devices* (NeurIPS).",
    ),
    Chapter(
        "CSPNet",
        ("cspnet",),
        "Wang et al. 2020, *CSPNet: A New Backbone that can Enhance Learning Capability of CNN* (CVPR Workshops). Names "
        "with `cs` are the authors', from their `.cfg` files, those with `csp` timm's. The published figures are the "
        "authors'.",
    ),
    Chapter(
        "VoVNet",
        ("vovnet",),
        "Lee et al. 2019, *An Energy and GPU-Computation Efficient Backbone Network for Real-Time Object Detection* (CVPR "
        "Workshops). The authors' modules add their input, from a stage's second on; timm's, with an `a`, do not.",
    ),
    Chapter(
        "VoVNetV2",
        ("vovnetv2",),
        "Lee & Park 2020, *CenterMask: Real-Time Anchor-Free Instance Segmentation* (CVPR). The authors' code, "
        "`vovnetv2_*`, is a detector's backbone: a global average pool and a linear layer are added here, with which "
        "their README counts, too. timm's are `ese_vovnet*`. In the authors' every module has the attention, in timm's "
        "the last of each stage, which is the same where a stage has one module.",
    ),
    Chapter("Without a reference", (), "Designs of ours, or of a paper that leaves widths open."),
)


# ---- why figures differ --------------------------------------------------------------------------------------------


class Why(NamedTuple):
    """Why a published figure is not ours, and ours counted the published way, if that makes it so."""

    text: str
    count: Callable[[Graph], int] | None = None


def total(scope: Scope, of: Callable[[Scope], int]) -> int:
    """The sum over a scope's ops."""
    if scope.op is not None:
        return of(scope)
    return sum(run.count * total(run.scope, of) for child in scope.children for run in child.runs)


def weights(graph: Graph) -> int:
    """Weights of convolutions and linear layers: what is neither bias, scale nor shift has more than one axis."""

    def of(scope: Scope) -> int:
        assert scope.op is not None
        before: Any = scope.inputs[0]
        return sum(weight.size for weight in scope.op.weights(before) if len(weight.shape) > 1)

    return total(graph.root, of)


def params(graph: Graph) -> int:
    """All parameters."""
    return archdsl.cost(graph).totals.params


def macs(graph: Graph) -> int:
    """All multiply-adds."""
    return archdsl.cost(graph).totals.macs


def double(graph: Graph) -> int:
    """Operations, two a multiply-add."""
    return 2 * macs(graph)


def convolutions(graph: Graph) -> int:
    """Multiply-adds of convolutions."""
    return total(graph.root, lambda scope: scope.totals.macs if scope.op and scope.op.counts_as == "conv" else 0)


def without_projections(graph: Graph) -> Graph:
    """The same ResNet with shortcuts without weights."""
    text = f"name: {graph.name}\nextends: {graph.name}\nset: {{project.by: pad_channels}}\nexpect: {{}}\n"
    return archdsl.compile(archdsl.loads(text))


def of(name: str, way: Callable[[Graph], int]) -> Callable[[Graph], int]:
    """Count another network."""
    return lambda _: way(compiled(name))


@cache
def compiled(name: str, size: tuple[int, ...] | None = None) -> Graph:
    """A shipped network, on its own input or another."""
    return archdsl.compile(name, input=size)


WEIGHTS = Why("weights only: no biases, no scales and shifts of norms", weights)
DOUBLE = Why("BFLOPs: two operations a multiply-add", double)
CUT_PARAMS = Why("cut off behind that digit, not rounded", params)
CUT_FLOPS = CUT_PARAMS._replace(count=macs)
OPTION_A = "the paper's shortcuts have no weights (option A)"
NO_COUNT = "a bound in round numbers, which no way of counting gives; in the paper's table 1 the stem is another"

DIFFERENCES: dict[tuple[str, str], Why] = {
    ("vgg16", "flops"): Why("without the linear layers", convolutions),
    ("resnet34", "flops"): Why(OPTION_A, lambda graph: macs(without_projections(graph))),
    ("resnet50_v1a", "flops"): CUT_FLOPS,
    **{
        (f"resnet{n}", "flops"): Why(
            f"the paper has the stride on the first 1x1 convolution: `resnet{n}_v1a`" + cut, of(f"resnet{n}_v1a", macs)
        )
        for n, cut in ((50, ", cut off, not rounded"), (101, ""), (152, ""))
    },
    ("resnet56_cifar10", "params"): Why(OPTION_A, lambda graph: params(without_projections(graph))),
    ("preresnet1001_cifar10", "params"): WEIGHTS,
    ("resnext50", "flops"): Why('"~": the figure of `resnet50`, which it is designed to match', of("resnet50", macs)),
    ("resnext101_32x4d", "flops"): Why(
        '"~": the figure of `resnet101`, which it is designed to match', of("resnet101", macs)
    ),
    ("resnext101_64x4d", "flops"): Why('"~": twice the figure of `resnet101`', of("resnet101", double)),
    ("resnext29_16x64d_cifar10", "params"): CUT_PARAMS,
    ("inception_v3", "params"): Why('a bound: "less than"'),
    ("inception_v3", "flops"): Why(NO_COUNT),
    **{(name, "params"): WEIGHTS for name in ("darknet53", "darknet53_timm", "cspdarknet53")},
    **{(name, "flops"): DOUBLE for name in ("darknet53", "darknet53_timm", "darknet19", "cspdarknet53")},
    **{(f"cs{net}", "params"): WEIGHTS for net in ("resnet50", "resnext50", "darknet53")},
    **{(f"cs{net}", "flops"): DOUBLE for net in ("resnet50", "resnext50", "darknet53")},
    **{
        (f"csp{net}", figure): Why(f"the figure of `cs{net}`, another network in c2; {why.text}", of(f"cs{net}", way))
        for net in ("resnet50", "resnext50")
        for figure, why, way in (("params", WEIGHTS, weights), ("flops", DOUBLE, double))
    },
    ("csppeleenet", "params"): Why(f"a reconstruction, close and not equal; {WEIGHTS.text}", weights),
    ("csppeleenet", "flops"): Why(f"a reconstruction, close and not equal; {DOUBLE.text}", double),
    **{
        (name, "params"): CUT_PARAMS
        for end in ("19b_slim", "19b_slim_dw")
        for name in (f"ese_vovnet{end}", f"vovnetv2_{end.replace('b', '')}")
    },
}
"""By network and figure; each one that is more than rounding."""


# ---- published figures ---------------------------------------------------------------------------------------------


class Published(NamedTuple):
    """A figure of a publication, in millions or in billions, beside ours."""

    name: str
    figure: str
    value: Decimal
    source: str
    graph: Graph

    @property
    def unit(self) -> str:
        """What it is counted in."""
        return {"params": "M", "flops": "G"}[self.figure]

    @property
    def ours(self) -> Decimal:
        """Our figure, in the same unit."""
        return self.scaled(params(self.graph) if self.figure == "params" else macs(self.graph))

    @property
    def why(self) -> Why | None:
        """Why it differs."""
        return DIFFERENCES.get((self.name, self.figure))

    @property
    def counted(self) -> Decimal | None:
        """Our figure, counted as theirs is."""
        return self.scaled(self.why.count(self.graph)) if self.why and self.why.count else None

    @property
    def recalled(self) -> bool:
        """Whether it was written down from memory."""
        return self.source.startswith("from memory") or f"{self.figure} from memory" in self.source

    def scaled(self, amount: int) -> Decimal:
        """An amount in the unit."""
        return Decimal(amount) / {"M": 10**6, "G": 10**9}[self.unit]

    def shown(self, amount: Decimal) -> str:
        """One digit more than was published."""
        return f"{amount:.{1 - int(self.value.as_tuple().exponent)}f} {self.unit}"

    def rounds_to(self, amount: Decimal, rounding: str = ROUND_HALF_UP) -> bool:
        """Whether an amount is this figure in its digits."""
        return amount.quantize(self.value, rounding) == self.value

    def confirms(self, amount: Decimal) -> bool:
        """Whether an amount is this figure: rounded, cut off, or within half a percent."""
        apart = abs(amount - self.value) / self.value
        return self.rounds_to(amount) or self.rounds_to(amount, ROUND_DOWN) or apart <= Decimal("0.005")


def published(row: dict[str, Any]) -> list[Published]:
    """The figures of a row's publication."""
    keys = {"params": "paper_params_M", "flops": "paper_gflops"}
    graph = compiled(row["spec"], tuple(row["input"]))
    return [
        Published(row["spec"], figure, Decimal(str(row[key])), row["paper_source"], graph)
        for figure, key in keys.items()
        if key in row
    ]


# ---- the page ------------------------------------------------------------------------------------------------------


def page() -> str:
    """The page's text."""
    return HEAD.lstrip() + "\n" + "\n".join(written(chapter) for chapter in CHAPTERS)


def rows_of(chapter: Chapter) -> list[dict[str, Any]]:
    """The rows of a chapter, family by family; those without a reference say only what they are called."""
    if not chapter.families:
        known = {row["spec"] for row in ROWS}
        return [{"spec": name} for name in driver.SHIPPED.specs() if name not in known]
    return sorted(
        (row for row in ROWS if row["family"] in chapter.families),
        key=lambda row: chapter.families.index(row["family"]),
    )


def written(chapter: Chapter) -> str:
    """A chapter: papers, figures, published figures with their sources, and what each spec says of itself."""
    rows = rows_of(chapter)
    columns = ("network", "input", "parameters", "multiply-adds", "activations", "measured on", "compared with")
    parts = [
        f"## {chapter.title}\n",
        fill(glued(chapter.text), WIDTH, break_on_hyphens=False).replace("\0", " ") + "\n",
    ]
    parts += [table(columns, "llrrrll", map(figures, rows))]
    if theirs := [each for row in rows for each in published(row)]:
        columns = ("as published", "theirs", "ours", "apart", "why", "ours, so counted")
        parts += [table(columns, "lrrrlr", map(compared, theirs)), sources(theirs)]
    names = dict.fromkeys(row["spec"] for row in rows)
    return "\n".join([*parts, "\n".join(item(f"**{name}**: {compiled(name).doc}") for name in names) + "\n"])


def figures(row: dict[str, Any]) -> tuple[str, ...]:
    """A line of the first table."""
    cost = archdsl.cost(compiled(row["spec"], tuple(row["input"]) if "input" in row else None))
    totals = cost.totals
    amounts = (f"{amount:,}" for amount in (totals.params, totals.macs, totals.activations))
    return f"`{row['spec']}`", "x".join(map(str, cost.input)), *amounts, measured(row), held(row)


def measured(row: dict[str, Any]) -> str:
    """What a row's figures were measured on."""
    library, _, name = row.get("oracle", "").partition(":")
    if not library:
        return ""
    if library == "paper":
        return "built by hand"
    if library == "darknet-cfg":
        library, _, name = name.partition(" ")
    return f"{library} `{name.partition(' + ')[0]}`"


def held(row: dict[str, Any]) -> str:
    """What a network's function is compared with."""
    found: list[str] = []
    library, _, measured_on = row.get("oracle", "").partition(":")
    for case in CASES:
        if case.spec != row["spec"]:
            continue
        where, _, name = case.oracle.partition(":")
        name, _, change = name.partition("+")
        if where == "authors":
            found.append(f"`{name}`, transcribed")
        elif where == "derived" or change == "slope":
            found.append(f"timm `{name}`, altered")
        elif where == library and "(" in measured_on:
            found.append(f"{where} `{measured_on}`")
        else:
            assert where in LIBRARIES
            found.append(f"{where} `{name}`")
    return "; ".join(found) or "nothing"


def compared(each: Published) -> tuple[str, ...]:
    """A line of the second table."""
    apart = f"{100 * (each.ours / each.value - 1):+.1f} %".replace("-0.0", "0.0").replace("+0.0", "0.0")
    theirs = f"{each.value} {each.unit}{' †' if each.recalled else ''}"
    why = each.why.text if each.why else "rounding"
    counted = "" if each.counted is None else each.shown(each.counted)
    return f"`{each.name}`", theirs, each.shown(each.ours), apart, why, counted


def sources(theirs: list[Published]) -> str:
    """Where published figures are from, each source once."""
    named: dict[str, dict[str, None]] = {}
    for each in theirs:
        named.setdefault(each.source, {})[f"`{each.name}`"] = None
    lines = [item(f"{', '.join(names)}: {source}".replace("*", r"\*")) for source, names in named.items()]
    return "Sources:\n\n" + "\n".join(lines) + "\n"


def table(columns: tuple[str, ...], alignment: str, lines: Iterable[tuple[str, ...]]) -> str:
    """A Markdown table."""
    rule = ("---:" if side == "r" else "---" for side in alignment)
    return "".join(f"| {' | '.join(line)} |\n" for line in (columns, rule, *lines))


def item(text: str) -> str:
    """An item of a list, in lines."""
    wrapped = fill(glued(text), WIDTH, initial_indent="- ", subsequent_indent="  ", break_on_hyphens=False)
    return wrapped.replace("\0", " ")


def glued(text: str) -> str:
    """A text in which no line can begin with what Markdown takes for a list, a heading or a quotation."""
    return re.sub(r" (?=(\d+\.|[-+*#>])( |$))", "\0", " ".join(text.split()))


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
