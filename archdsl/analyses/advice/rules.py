"""Rules of advice, each a function with its declaration below it."""

from __future__ import annotations

from collections.abc import Iterator
from math import sqrt

from archdsl.analyses.advice.rule import Advice, AdvisedNetwork, Finding, convolutions, out, percent, place_of
from archdsl.analyses.breakdown import shown_pair
from archdsl.analyses.flatten import Placed
from archdsl.analyses.memory_access import memory_access
from archdsl.diagnostics import DiagnosticKind
from archdsl.op import elements, pair

EXCESS = 1.10
FINE = 8
TILE = 8


def bound(placed: Placed) -> float:
    """Least memory access of a convolution with as many weights and multiply-adds on maps of these sizes.

    By the inequality of the arithmetic and geometric mean, h * w * (c_in + c_out) is least if both sides hold
    equally much: 2 * sqrt(in * out).
    """
    before, after = elements(placed.input), elements(placed.output)
    return 2 * sqrt(before * after) + memory_access(placed.scope) - before - after


def unequal(case: AdvisedNetwork) -> Iterator[Finding]:
    """Stages whose convolutions access much more memory than they would at equal widths."""
    for section, ops in case.parts:
        # The input's three channels are given, so the first convolution cannot have equal widths.
        convs = [each for each in convolutions(ops) if 0 not in each.reads]
        actual, least = sum(memory_access(each.scope) for each in convs), sum(map(bound, convs))
        if not convs or actual < EXCESS * least:
            continue
        worst = max(convs, key=lambda each: memory_access(each.scope) / bound(each))
        figures = {"memory_access": actual, "at_equal_widths": round(least), "ratio": round(actual / least, 3)}
        pair = f"{worst.inputs[0][0]} -> {out(worst)[0]} channels"
        yield Finding(
            section,
            f"{actual:,} memory accesses, {percent(actual - least, least)} above the bound at equal widths; "
            f"most unequal: {pair}",
            "bring the input and output widths of its convolutions nearer to each other; "
            f"at equal widths the same multiply-adds need {round(least):,}",
            figures,
            where=worst.path,
        )


def fine_groups(case: AdvisedNetwork) -> Iterator[Finding]:
    """Grouped convolutions with few channels per group."""
    for section, ops in case.parts:
        found = [each for each in convolutions(ops) if 1 < channels_of_group(each) < FINE]
        if not found:
            continue
        each = min(found, key=channels_of_group)
        groups = each.op.facts(each.input)["groups"]
        yield Finding(
            section,
            f"{groups} groups of {channels_of_group(each)} channels",
            f"at least {FINE} channels a group: `groups = {each.inputs[0][0] // FINE}` or fewer, or wider layers",
            {"groups": groups, "channels": channels_of_group(each), "convolutions": len(found)},
            span=place_of(each),
            where=each.path,
        )


def channels_of_group(placed: Placed) -> int:
    """Input channels per group; 0 for a convolution without groups."""
    groups = int(placed.op.facts(placed.input).get("groups", 1))
    return placed.inputs[0][0] // groups if groups > 1 else 0


def off_tile(case: AdvisedNetwork) -> Iterator[Finding]:
    """Convolutions whose widths are no multiples of the tile."""
    for section, ops in case.parts:
        # A single channel is that of an attention map, and no width.
        found = [each for each in convolutions(ops) if out(each)[0] % TILE and out(each)[0] > 1]
        if not found:
            continue
        widths = sorted({out(each)[0] for each in found})
        told = ", ".join(map(str, widths[:4])) + (", ..." if len(widths) > 4 else "")
        lower = widths[0] // TILE * TILE
        near = f"{lower} or {lower + TILE}" if lower else str(TILE)
        yield Finding(
            section,
            f"{'a convolution gives' if len(found) == 1 else f'{len(found)} convolutions give'} {told} channels",
            f"for {widths[0]}, take {near}",
            {"widths": widths, "convolutions": len(found)},
            span=place_of(found[0]),
            where=found[0].path,
        )


NET = "backbone net:\n    input 3 x 224 x 224\n    stem: cna(64, 7, 2) -> maxpool(3, 2)\n    stage c2: "

UNEQUAL = Advice(
    rule=DiagnosticKind("A101", "unequal widths access more memory"),
    find=unequal,
    why="With the multiply-adds fixed, a convolution reads and writes least where its input and output hold equally "
    "many values. Bottlenecks and layers that read everything before them, as in DenseNet, are far from it.",
    limit=f"The convolutions of a stage, the one that reads the network's input aside, access {EXCESS:.2f} times the "
    "bound or more, all together.",
    paper="Ma et al. 2018 (ShuffleNet V2), guideline G1; Lee et al. 2019 (VoVNet), section 2",
    bad=NET + "3 * (cna(256) -> cna(32, 3))\n",
    good=NET + "3 * (cna(96) -> cna(96, 3))\n",
)
GROUPS = Advice(
    rule=DiagnosticKind("A105", "groups are too fine"),
    find=fine_groups,
    why="At the same multiply-adds, more groups mean wider maps and so more memory access; and a group of a few "
    "channels fills no tile of the hardware. Depthwise convolutions are a choice of their own, and not told of.",
    limit=f"A convolution with 2 to {FINE - 1} input channels a group.",
    paper="Ma et al. 2018 (ShuffleNet V2), guideline G2",
    bad=NET + "cna(128) -> cna(128, 3, groups = 32)\n",
    good=NET + "cna(128) -> cna(128, 3, groups = 16)\n",
)
TILES = Advice(
    rule=DiagnosticKind("A106", "a width is no multiple of 8"),
    find=off_tile,
    why="Matrix units work on tiles of 8 values in half precision (16 in int8), and vector units on 8 or 16 floats: "
    "what does not fill the last tile is computed and thrown away, or falls back to slower kernels.",
    limit=f"A convolution on a map that gives a number of channels, other than 1, that {TILE} does not divide.",
    paper="NVIDIA, Deep Learning Performance Guide, convolutional layers (channels in multiples of 8 for tensor cores)",
    bad=NET + "cna(60, 3) -> cna(60, 3)\n",
    good=NET + "cna(64, 3) -> cna(64, 3)\n",
)


LARGE = 0.60
DEARER = 1.3
MANY = 64
LAUNCHING = 0.80


def costly_pointwise(case: AdvisedNetwork) -> Iterator[Finding]:
    """Stages whose 1x1 convolutions access most of the memory, for less of the work."""
    for section, ops in case.parts:
        convs = list(convolutions(ops))
        points = [each for each in convs if is_pointwise(each)]
        accessed = sum(memory_access(each.scope) for each in convs)
        part = sum(memory_access(each.scope) for each in points) / max(accessed, 1)
        work = case.share_of_macs(points) / max(case.share_of_macs(convs), 1e-12)
        if not points or len(points) == len(convs) or part < LARGE or part < DEARER * work:
            continue
        yield Finding(
            section,
            f"{len(points)} of {len(convs)} convolutions are 1x1: {percent(part)} of the stage's memory access "
            f"for {percent(work)} of its multiply-adds",
            "where they squeeze before a 3x3 convolution, a plain 3x3 of the narrow width may be as fast",
            {"memory_access_share": round(part, 3), "macs_share": round(work, 3), "convolutions": len(points)},
            where=points[0].path,
        )


def is_pointwise(placed: Placed) -> bool:
    """Tell a 1x1 convolution."""
    return pair(placed.op.facts(placed.input)["kernel"]) == (1, 1)


def fragments(case: AdvisedNetwork) -> Iterator[Finding]:
    """Stages of so many small kernels that launching them takes most of the time."""
    launch = case.setting.device.launch
    for section, ops in case.parts:
        times = [case.times[each.scope] for each in ops]
        kernels, seconds = sum(each.kernels for each in times), sum(each.seconds for each in times)
        part = kernels * launch / seconds if seconds else 0.0
        if kernels < MANY or part < LAUNCHING:
            continue
        # The time that would remain if launching were free.
        busy = (seconds - kernels * launch) / kernels
        yield Finding(
            section,
            f"{kernels} kernels of {busy * 1e6:.1f} us each; launching them is {percent(part)} of the stage's time",
            "fewer and larger layers; or a compiler that fuses, CUDA graphs, a larger batch",
            {"kernels": kernels, "launch_share": round(part, 3), "busy_seconds": busy},
            where=ops[0].path,
        )


POINTWISE = Advice(
    rule=DiagnosticKind("A102", "1x1 convolutions cost more than they do"),
    find=costly_pointwise,
    why="A 1x1 convolution does one multiply-add for each weight and place, but reads and writes whole maps for it. "
    "As a bottleneck it saves multiply-adds on paper, and adds a layer to wait for and two maps to move.",
    limit=f"The 1x1 convolutions of a stage make {percent(LARGE)} of its convolutions' memory access or more, and "
    f"{DEARER} times their share of its multiply-adds.",
    paper="Lee et al. 2019 (VoVNet), sections 2 and 3; Ma et al. 2018 (ShuffleNet V2), section 2",
    bad=NET + "3 * bottleneck(256)\n",
    good=NET + "3 * (cna(64, 3) -> cna(64, 3))\n",
)
FRAGMENTS = Advice(
    rule=DiagnosticKind("A103", "a stage is in many small pieces"),
    find=fragments,
    why="Each op of eager PyTorch is a kernel, and a kernel costs its launch however little it does. Many small ones "
    "keep a parallel device waiting; the multiply-adds do not show it.",
    limit=f"A stage of {MANY} kernels or more, of whose estimated time {percent(LAUNCHING)} or more is launching; on "
    "the device, precision and batch that are asked for (a V100, fp32, one sample, unless said otherwise).",
    paper="Ma et al. 2018 (ShuffleNet V2), guidelines G3 and G4; Lee et al. 2019 (VoVNet), GPU-computation efficiency",
    bad=NET + "cna(64, 3)\n    stage c3 / 2: cna(64, 3) -> 24 * (identity + (cna(16, 3) -> cna(64, 1)))\n",
    good=NET + "cna(64, 3)\n    stage c3 / 2: cna(64, 3) -> 3 * (identity + (cna(64, 3) -> cna(64, 3)))\n",
)


MOST = 0.55
EARLY = 8


def early(case: AdvisedNetwork) -> Iterator[Finding]:
    """Networks that do most of their work on their largest maps."""
    sections = [section for section, _ in case.parts if section.kind != "output"]
    last = max((section.reduction for section in sections), default=0)
    parts = [(section, ops) for section, ops in case.parts if section in sections and section.reduction * EARLY <= last]
    share = sum(case.share_of_macs(ops) for _, ops in parts)
    if not parts or share < MOST:
        return
    section, ops = max(parts, key=lambda part: case.share_of_macs(part[1]))
    names = ", ".join(f"`{each.name}`" for each, _ in parts)
    yield Finding(
        section,
        f"{names}, with maps of 1/{section.reduction} of the input and larger, do {percent(share)} of all "
        f"multiply-adds; this one {percent(case.share_of_macs(ops))}",
        "fewer or narrower layers here, more in later stages; or reduce earlier",
        {"share": round(share, 3), "own_share": round(case.share_of_macs(ops), 3)},
    )


def short_sight(case: AdvisedNetwork) -> Iterator[Finding]:
    """Networks whose last map sees less than the input."""
    seen = [(part, field) for part, field in case.fields if field is not None and part.section.kind != "output"]
    maps = [(part, field) for part, field in seen if not field.whole and len(part.section.shape) == 3]
    if not maps:
        return
    part, field = maps[-1]
    if field.covers(case.graph.input):
        return
    size = "x".join(map(str, case.graph.input[1:]))
    gate = "; its gates see the whole map, but only to weigh it" if field.gated else ""
    yield Finding(
        part.section,
        f"a place of `{part.section.name}` sees {shown_pair(field.size)} of an input of {size}{gate}",
        "more 3x3 layers in the last stages, a larger dilation, or an earlier reduction",
        {"field": [float(side) for side in field.size], "input": list(case.graph.input[1:])},
    )


EARLY_STAGES = Advice(
    rule=DiagnosticKind("A107", "early stages dominate"),
    find=early,
    why="Early maps are large, so layers there cost most for each weight, and their activations are most of what "
    "moves and of what training has to keep. Searched families put depth into later stages.",
    limit=f"Sections whose maps are at least {EARLY} times as large, each way, as the last map do {percent(MOST)} of "
    "the multiply-adds or more.",
    paper="Tan & Le 2021 (EfficientNetV2), section 3; Radosavovic et al. 2020 (RegNet), on depth and width by stage",
    bad=NET
    + "4 * cna(128, 3)\n    stage c3 / 2: cna(64, 3)\n    stage c4 / 2: cna(64, 3)\n    stage c5 / 2: cna(64, 3)\n",
    good=NET + "cna(64, 3)\n    stage c3 / 2: 3 * cna(128, 3)\n    stage c4 / 2: 3 * cna(256, 3)\n"
    "    stage c5 / 2: 3 * cna(512, 3)\n",
)
SIGHT = Advice(
    rule=DiagnosticKind("A108", "the last map does not see the whole input"),
    find=short_sight,
    why="A place of the last map depends on its receptive field only, and in practice on the middle of that. Objects "
    "larger than it are seen in parts; a classifier's pool averages what no place has seen whole.",
    limit="The receptive field of the last map is smaller than the input in height or width. Gates and statistics of "
    "norms do not count.",
    paper="Luo et al. 2016, on the effective receptive field; Araujo et al. 2019, computing receptive fields",
    bad=NET + "cna(64, 3)\n",
    good=NET + "28 * cna(64, 3)\n",
)


LONG = 4


def chains(case: AdvisedNetwork) -> Iterator[Finding]:
    """Chains of concatenations, each of the result of the one before."""
    for section, ops in case.parts:
        chain = longest(ops)
        if len(chain) < LONG:
            continue
        copied, once = sum(elements(each.output) for each in chain), elements(chain[-1].output)
        yield Finding(
            section,
            f"{len(chain)} concatenations, each of the one before: they write {copied:,} values to keep {once:,}, "
            f"{copied / once:.1f} times as many",
            "aggregate once, at the end of the stage: `osa(layers, layer, out)`",
            {"concatenations": len(chain), "written": copied, "kept": once},
            where=chain[-1].path,
        )


def longest(ops: list[Placed]) -> list[Placed]:
    """Longest chain of concatenations that take each other's result directly."""
    chains: dict[int, list[Placed]] = {}
    best: list[Placed] = []
    for placed in ops:
        if placed.op.view and len(placed.reads) == len(placed.gives) == 1 and placed.reads[0] in chains:
            chains[placed.gives[0]] = chains[placed.reads[0]]
        if placed.op.name != "concat":
            continue
        before = max((chains[each] for each in placed.reads if each in chains), key=len, default=list[Placed]())
        chain = chains[placed.gives[0]] = [*before, placed]
        best = max(best, chain, key=len)
    return best


CHAINS = Advice(
    rule=DiagnosticKind("A104", "concatenations of concatenations grow quadratically"),
    find=chains,
    why="Where every layer's output is joined to all before it, n layers write n times what is kept, their norms and "
    "1x1 convolutions read as much, and input widths grow while output widths stay. To join them once at the end "
    "keeps the features and drops the cost.",
    limit=f"A stage with a chain of {LONG} concatenations or more, each of the result of the one before.",
    paper="Lee et al. 2019 (VoVNet): one-shot aggregation against Huang et al. 2017 (DenseNet)",
    bad=NET + "dense(6, nac(128) -> nac(32, 3))\n",
    good=NET + "osa(5, cna(64, 3), 256)\n",
)
