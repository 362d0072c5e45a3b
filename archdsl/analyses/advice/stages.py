"""Advice on stages: early ones that dominate, and maps that do not see the whole input."""

from __future__ import annotations

from collections.abc import Iterator

from archdsl.analyses.advice.case import Advice, Case, Finding, percent
from archdsl.analyses.advice.widths import NET
from archdsl.analyses.lines import shown_pair
from archdsl.errors import Rule

MOST = 0.55
EARLY = 8


def early(case: Case) -> Iterator[Finding]:
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


def short_sight(case: Case) -> Iterator[Finding]:
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
    rule=Rule("A107", "early stages dominate"),
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
    rule=Rule("A108", "the last map does not see the whole input"),
    find=short_sight,
    why="A place of the last map depends on its receptive field only, and in practice on the middle of that. Objects "
    "larger than it are seen in parts; a classifier's pool averages what no place has seen whole.",
    limit="The receptive field of the last map is smaller than the input in height or width. Gates and statistics of "
    "norms do not count.",
    paper="Luo et al. 2016, on the effective receptive field; Araujo et al. 2019, computing receptive fields",
    bad=NET + "cna(64, 3)\n",
    good=NET + "28 * cna(64, 3)\n",
)
