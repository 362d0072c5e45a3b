"""Advice on layers: 1x1 convolutions that cost more than they do, and stages in many small pieces."""

from __future__ import annotations

from collections.abc import Iterator

from archdsl.analyses.advice.case import Advice, Case, Finding, convolutions, percent
from archdsl.analyses.advice.widths import NET
from archdsl.analyses.counts import memory_access
from archdsl.analyses.walk import Placed
from archdsl.errors import Rule
from archdsl.op import pair

LARGE = 0.60
DEARER = 1.3
MANY = 64
LAUNCHING = 0.80


def costly_pointwise(case: Case) -> Iterator[Finding]:
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
    """Whether a convolution looks at one place only."""
    return pair(placed.op.facts(placed.input)["kernel"]) == (1, 1)


def fragments(case: Case) -> Iterator[Finding]:
    """Stages in so many small kernels that launching them takes the time."""
    launch = case.setting.device.launch
    for section, ops in case.parts:
        times = [case.times[each.scope] for each in ops]
        kernels, seconds = sum(each.kernels for each in times), sum(each.seconds for each in times)
        part = kernels * launch / seconds if seconds else 0.0
        if kernels < MANY or part < LAUNCHING:
            continue
        busy = (seconds - kernels * launch) / kernels
        yield Finding(
            section,
            f"{kernels} kernels of {busy * 1e6:.1f} us each; launching them is {percent(part)} of the stage's time",
            "fewer and larger layers; or a compiler that fuses, CUDA graphs, a larger batch",
            {"kernels": kernels, "launch_share": round(part, 3), "busy_seconds": busy},
            where=ops[0].path,
        )


POINTWISE = Advice(
    rule=Rule("A102", "1x1 convolutions cost more than they do"),
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
    rule=Rule("A103", "a stage is in many small pieces"),
    find=fragments,
    why="Each op of eager PyTorch is a kernel, and a kernel costs its launch however little it does. Many small ones "
    "keep a parallel device waiting; the multiply-adds do not show it.",
    limit=f"A stage of {MANY} kernels or more, of whose estimated time {percent(LAUNCHING)} or more is launching; on "
    "the device, precision and batch that are asked for (a V100, fp32, one sample, unless said otherwise).",
    paper="Ma et al. 2018 (ShuffleNet V2), guidelines G3 and G4; Lee et al. 2019 (VoVNet), GPU-computation efficiency",
    bad=NET + "cna(64, 3)\n    stage c3 / 2: cna(64, 3) -> 24 * (identity + (cna(16, 3) -> cna(64, 1)))\n",
    good=NET + "cna(64, 3)\n    stage c3 / 2: cna(64, 3) -> 3 * (identity + (cna(64, 3) -> cna(64, 3)))\n",
)
