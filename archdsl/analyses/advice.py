"""Advice on a design: rules from the literature, each with its reason, its limit and its paper on its page."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from math import sqrt

from archdsl.analyses.cost import Load, memory_access
from archdsl.analyses.figures import shown_pair
from archdsl.analyses.flatten import Placed
from archdsl.analyses.rule import ExaminedNetwork, Finding, place_of
from archdsl.diagnostics import catalog
from archdsl.graph import Graph
from archdsl.op import Shape, elements, pair

# The limits; the pages of the rules in `diagnostics/explanations.md` give them.
EXCESS = 1.10
LARGE, DEARER = 0.60, 1.3
MANY, LAUNCHING = 64, 0.80
LONG = 4
FINE = 8
TILE = 8
MOST, EARLY = 0.55, 8


def convolutions(ops: Iterable[Placed]) -> Iterator[Placed]:
    """Convolutions on maps of more than one place."""
    return (placed for placed in ops if placed.op.counts_as == "conv" and len(placed.output) == 3 and area(placed) > 1)


def area(placed: Placed) -> int:
    """Number of places of an op's output."""
    _, height, width = out(placed)
    return height * width


def out(placed: Placed) -> Shape:
    """Shape of the map that an op makes."""
    return placed.output  # type: ignore[return-value]


def percent(part: float, whole: float = 1.0) -> str:
    """Share for people."""
    return f"{100 * part / whole:.0f} %" if whole else "0 %"


def bound(placed: Placed) -> float:
    """Least memory access of a convolution with as many weights and multiply-adds on maps of these sizes.

    By the inequality of the arithmetic and geometric mean, h * w * (c_in + c_out) is least if both sides hold
    equally much: 2 * sqrt(in * out).
    """
    before, after = elements(placed.input), elements(placed.output)
    return 2 * sqrt(before * after) + memory_access(placed.scope) - before - after


def unequal(case: ExaminedNetwork) -> Iterator[Finding]:
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
            catalog.UNEQUAL_WIDTHS,
            section,
            f"{actual:,} memory accesses, {percent(actual - least, least)} above the bound at equal widths; "
            f"most unequal: {pair}",
            "bring the input and output widths of its convolutions nearer to each other; "
            f"at equal widths the same multiply-adds need {round(least):,}",
            figures=figures,
            where=worst.path,
        )


def costly_pointwise(case: ExaminedNetwork) -> Iterator[Finding]:
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
            catalog.COSTLY_POINTWISE,
            section,
            f"{len(points)} of {len(convs)} convolutions are 1x1: {percent(part)} of the stage's memory access "
            f"for {percent(work)} of its multiply-adds",
            "where they squeeze before a 3x3 convolution, a plain 3x3 of the narrow width may be as fast",
            figures={"memory_access_share": round(part, 3), "macs_share": round(work, 3), "convolutions": len(points)},
            where=points[0].path,
        )


def is_pointwise(placed: Placed) -> bool:
    """Tell a 1x1 convolution."""
    return pair(placed.op.facts(placed.input)["kernel"]) == (1, 1)


def fragments(case: ExaminedNetwork) -> Iterator[Finding]:
    """Stages of so many small kernels that launching them takes most of the time."""
    device = case.load.device
    assert device is not None
    launch = device.launch
    for section, ops in case.parts:
        times = [case.times[each.scope] for each in ops]
        kernels, seconds = sum(each.kernels for each in times), sum(each.seconds for each in times)
        part = kernels * launch / seconds if seconds else 0.0
        if kernels < MANY or part < LAUNCHING:
            continue
        # The time that would remain if launching were free.
        busy = (seconds - kernels * launch) / kernels
        yield Finding(
            catalog.FRAGMENTS,
            section,
            f"{kernels} kernels of {busy * 1e6:.1f} us each; launching them is {percent(part)} of the stage's time",
            "fewer and larger layers; or a compiler that fuses, CUDA graphs, a larger batch",
            figures={"kernels": kernels, "launch_share": round(part, 3), "busy_seconds": busy},
            where=ops[0].path,
        )


def chains(case: ExaminedNetwork) -> Iterator[Finding]:
    """Chains of concatenations, each of the result of the one before."""
    for section, ops in case.parts:
        chain = longest(ops)
        if len(chain) < LONG:
            continue
        copied, once = sum(elements(each.output) for each in chain), elements(chain[-1].output)
        yield Finding(
            catalog.CONCAT_CHAINS,
            section,
            f"{len(chain)} concatenations, each of the one before: they write {copied:,} values to keep {once:,}, "
            f"{copied / once:.1f} times as many",
            "aggregate once, at the end of the stage: `osa(layers, layer, out)`",
            figures={"concatenations": len(chain), "written": copied, "kept": once},
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


def fine_groups(case: ExaminedNetwork) -> Iterator[Finding]:
    """Grouped convolutions with few channels per group."""
    for section, ops in case.parts:
        found = [each for each in convolutions(ops) if 1 < channels_of_group(each) < FINE]
        if not found:
            continue
        each = min(found, key=channels_of_group)
        groups = each.op.facts(each.input)["groups"]
        yield Finding(
            catalog.FINE_GROUPS,
            section,
            f"{groups} groups of {channels_of_group(each)} channels",
            f"at least {FINE} channels a group: `groups = {each.inputs[0][0] // FINE}` or fewer, or wider layers",
            figures={"groups": groups, "channels": channels_of_group(each), "convolutions": len(found)},
            span=place_of(each),
            where=each.path,
        )


def channels_of_group(placed: Placed) -> int:
    """Input channels per group; 0 for a convolution without groups."""
    groups = int(placed.op.facts(placed.input).get("groups", 1))
    return placed.inputs[0][0] // groups if groups > 1 else 0


def off_tile(case: ExaminedNetwork) -> Iterator[Finding]:
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
            catalog.OFF_TILE,
            section,
            f"{'a convolution gives' if len(found) == 1 else f'{len(found)} convolutions give'} {told} channels",
            f"for {widths[0]}, take {near}",
            figures={"widths": widths, "convolutions": len(found)},
            span=place_of(found[0]),
            where=found[0].path,
        )


def early(case: ExaminedNetwork) -> Iterator[Finding]:
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
        catalog.EARLY_STAGES,
        section,
        f"{names}, with maps of 1/{section.reduction} of the input and larger, do {percent(share)} of all "
        f"multiply-adds; this one {percent(case.share_of_macs(ops))}",
        "fewer or narrower layers here, more in later stages; or reduce earlier",
        figures={"share": round(share, 3), "own_share": round(case.share_of_macs(ops), 3)},
    )


def short_sight(case: ExaminedNetwork) -> Iterator[Finding]:
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
        catalog.SHORT_SIGHT,
        part.section,
        f"a place of `{part.section.name}` sees {shown_pair(field.size)} of an input of {size}{gate}",
        "more 3x3 layers in the last stages, a larger dilation, or an earlier reduction",
        figures={"field": [float(side) for side in field.size], "input": list(case.graph.input[1:])},
    )


ADVICE: dict[str, Callable[[ExaminedNetwork], Iterator[Finding]]] = {
    catalog.UNEQUAL_WIDTHS.code: unequal,
    catalog.COSTLY_POINTWISE.code: costly_pointwise,
    catalog.FRAGMENTS.code: fragments,
    catalog.CONCAT_CHAINS.code: chains,
    catalog.FINE_GROUPS.code: fine_groups,
    catalog.OFF_TILE.code: off_tile,
    catalog.EARLY_STAGES.code: early,
    catalog.SHORT_SIGHT.code: short_sight,
}
"""The rules by code."""


def advise(graph: Graph, load: Load, codes: Collection[str] = ADVICE.keys()) -> list[Finding]:
    """Findings of the rules on a network, by code; `load` names the device for those that estimate time."""
    case = ExaminedNetwork(graph, load)
    found = [finding for code, rule in ADVICE.items() if code in codes for finding in rule(case)]
    return [each if each.span else each._replace(span=each.section.span) for each in found]
