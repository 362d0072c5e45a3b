"""Advice on widths: unequal ones, groups that are too fine, and what does not fit the hardware's tiles."""

from __future__ import annotations

from collections.abc import Iterator
from math import sqrt

from archdsl.analyses.advice.case import Advice, Case, Finding, convolutions, out, percent, place_of
from archdsl.analyses.counts import memory_access
from archdsl.analyses.walk import Placed
from archdsl.errors import Rule
from archdsl.op import elements

EXCESS = 1.10
FINE = 8
TILE = 8


def bound(placed: Placed) -> float:
    """The least memory access of a convolution with as many weights and multiply-adds on maps of these sizes.

    By the inequality of the arithmetic and geometric mean, h * w * (c_in + c_out) is least where both sides hold
    equally much: 2 * sqrt(in * out).
    """
    before, after = elements(placed.input), elements(placed.output)
    return 2 * sqrt(before * after) + memory_access(placed.scope) - before - after


def unequal(case: Case) -> Iterator[Finding]:
    """Stages whose convolutions access much more memory than they would at equal widths."""
    for section, ops in case.parts:
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


def fine_groups(case: Case) -> Iterator[Finding]:
    """Grouped convolutions with few channels to a group."""
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
    """The input channels of a group; 0 for a convolution without groups."""
    groups = int(placed.op.facts(placed.input).get("groups", 1))
    return placed.inputs[0][0] // groups if groups > 1 else 0


def off_tile(case: Case) -> Iterator[Finding]:
    """Convolutions whose widths are no multiples of the tile."""
    for section, ops in case.parts:
        found = [each for each in convolutions(ops) if out(each)[0] % TILE]
        if not found:
            continue
        widths = sorted({out(each)[0] for each in found})
        told = ", ".join(map(str, widths[:4])) + (", ..." if len(widths) > 4 else "")
        lower = widths[0] // TILE * TILE
        near = f"{lower} or {lower + TILE}" if lower else str(TILE)
        yield Finding(
            section,
            f"{len(found)} convolutions give {told} channels",
            f"for {widths[0]}, take {near}",
            {"widths": widths, "convolutions": len(found)},
            span=place_of(found[0]),
            where=found[0].path,
        )


NET = "backbone net:\n    input 3 x 224 x 224\n    stem: cna(64, 7, 2) -> maxpool(3, 2)\n    stage c2: "

UNEQUAL = Advice(
    rule=Rule("A101", "unequal widths access more memory"),
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
    rule=Rule("A105", "groups are too fine"),
    find=fine_groups,
    why="At the same multiply-adds, more groups mean wider maps and so more memory access; and a group of a few "
    "channels fills no tile of the hardware. Depthwise convolutions are a choice of their own, and not told of.",
    limit=f"A convolution with 2 to {FINE - 1} input channels a group.",
    paper="Ma et al. 2018 (ShuffleNet V2), guideline G2",
    bad=NET + "cna(128) -> cna(128, 3, groups = 32)\n",
    good=NET + "cna(128) -> cna(128, 3, groups = 16)\n",
)
TILES = Advice(
    rule=Rule("A106", "a width is no multiple of 8"),
    find=off_tile,
    why="Matrix units work on tiles of 8 values in half precision (16 in int8), and vector units on 8 or 16 floats: "
    "what does not fill the last tile is computed and thrown away, or falls back to slower kernels.",
    limit=f"A convolution on a map that gives a number of channels that {TILE} does not divide.",
    paper="NVIDIA, Deep Learning Performance Guide, convolutional layers (channels in multiples of 8 for tensor cores)",
    bad=NET + "cna(60, 3) -> cna(60, 3)\n",
    good=NET + "cna(64, 3) -> cna(64, 3)\n",
)
