"""Receptive fields, against gradients: of a naive account of every network, and of emitted modules."""

from __future__ import annotations

import sys
from math import ceil
from pathlib import Path

import pytest

pytest.importorskip("torch")
sys.path.insert(0, str(Path(__file__).parents[1] / "random_specs"))

from drawing import Drawer  # pyright: ignore
from supports import Row, Unknown, rows_of, support

from archdsl import ArchError, driver
from archdsl.analyses.flatten import Placed
from archdsl.analyses.receptive_field import Field, fields
from archdsl.graph import Graph

SOME = 12
"""So many maps of each network are looked at."""
RANDOM = 60
QUICK = ["resnet50", "densenet121", "vgg16", "ese_vovnet39b", "csp_vovnet39", "inception_v3", "darknet53"]


def compiled(text: str, size: int | None = None) -> Graph:
    """A network written in a few lines, or a shipped one, for a square input."""
    spec = driver.loads(text, "net.arch") if "\n" in text else driver.load(text)
    return driver.compile(spec, input=(3, size, size) if size else None)


def net(links: str, size: int = 64) -> Graph:
    """A network of one section."""
    return compiled(f"backbone net:\n    input 3 x {size} x {size}\n    stem: {links}\n")


def last(graph: Graph) -> Field:
    """The field of the last section."""
    field = fields(graph)[-1][1]
    assert field is not None
    return field


def room(graph: Graph) -> int:
    """An input that holds the fields of the middle places of all maps."""
    found = [field for _, field in fields(graph) if field is not None and not field.whole]
    largest, stride = max((max(field.size) for field in found), default=1), max(max(field.stride) for field in found)
    return ceil((2 * largest + 8 * stride + 64) / 64) * 64


def check(graph: Graph, exact: bool = True) -> int:
    """Compares fields with gradients along both axes, for maps all over a network; how many."""
    declared: dict[str, Field | None] = {}
    for placed, field in fields(graph, "op"):
        declared.setdefault(placed.path, field)
    compared = 0
    for axis in (0, 1):
        x, rows = rows_of(graph, axis)
        found = list(rows)
        for placed, row in found[:: max(len(found) // SOME, 1)] + found[-4:]:
            compared += compare(graph, declared[placed.path], placed, row, axis, x, exact)
    return compared


def compare(graph: Graph, field: Field | None, placed: Placed, row: Row, axis: int, x: object, exact: bool) -> int:
    """Compares a map's field along one axis; 0 where it has none or its middle is too near to the border."""
    if field is None:
        return 0
    assert field.whole == row.whole, placed.path
    if field.whole:
        return 0
    at = row.values.shape[-1] // 2
    low = at * field.stride[axis] + field.offset[axis]
    high = low + field.size[axis] - 1
    if low < 0 or high > graph.input[1 + axis] - 1:
        return 0
    first, final = support(x, row, at)  # type: ignore[arg-type]
    if exact and low == int(low) and high == int(high):
        assert (first, final) == (low, high), placed.path
    assert low <= first <= final <= high, placed.path
    return 1


@pytest.mark.parametrize(
    "name", [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in driver.SHIPPED.specs()]
)
def test_field_is_what_gradients_reach(name: str) -> None:
    assert check(compiled(name, room(compiled(name)))) >= SOME


def test_random_networks() -> None:
    drawer, compared, skipped = Drawer(seed=7), 0, 0
    for number in range(RANDOM):
        text = drawer.spec(number)
        grows = any(op in text for op in ("upsample", "conv_transpose", "pixel_shuffle", "adaptive"))
        try:
            compared += check(compiled(text, 1024), exact=not grows)
        except (ArchError, Unknown):
            skipped += 1
    assert skipped < RANDOM / 2
    assert compared > 10 * RANDOM


# ---- by hand -------------------------------------------------------------------------------------------------------


def shown(field: Field) -> str:
    """A field in a line."""
    if field.whole:
        return "whole"
    parts = (field.size, field.stride, field.offset)
    text = " ".join("/".join(dict.fromkeys(map(str, part))) for part in parts)
    return text + (" gated" if field.gated else "")


@pytest.mark.parametrize(
    ("links", "expected"),
    [
        ("conv(8, 3)", "3 1 -1"),
        ("conv(8, 7, 2)", "7 2 -3"),
        ("conv(8, [1, 5])", "1/5 1 0/-2"),
        ("conv(8, 3, [2, 1])", "3 2/1 -1"),
        ("conv(8, 3, dilation = 2)", "5 1 -2"),
        ("conv(8, 2, 2, padding = valid)", "2 2 0"),
        ("conv(8, 3, 2) -> conv(8, 3)", "7 2 -3"),
        ("conv(8, 7, 2) -> maxpool(3, 2)", "11 4 -5"),
        ("maxpool(2) -> maxpool(2)", "4 4 0"),
        ("maxpool(3, 2, padding = 0, ceil_mode = true)", "3 2 0"),
        ("identity + conv(3, 5)", "5 1 -2"),
        ("concat(conv(8, 1), conv(8, [1, 7]) -> conv(8, [7, 1]), maxpool(3, 1))", "7 1 -3"),
        ("identity * (global_avgpool -> conv(3) -> sigmoid)", "1 1 0 gated"),
        ("conv(16, 3) -> ese", "3 1 -1 gated"),
        ("identity * (reduce_mean(over = channels) -> conv(1, 7) -> sigmoid)", "7 1 -3"),
        ("global_avgpool", "whole"),
        ("concat(identity, global_avgpool -> upsample(64))", "whole"),
        ("adaptive_avgpool(1) -> conv(8)", "whole"),
        ("adaptive_avgpool(32)", "2 2 0"),
        ("adaptive_avgpool(64)", "1 1 0"),
        ("blurpool(3, 2)", "3 2 -1"),
        ("pad2d(2) -> conv(8, 3, padding = valid)", "3 1 -2"),
        ("pixel_unshuffle(2)", "2 2 0"),
        ("conv(8, 3) -> group_norm(2)", "3 1 -1"),
        ("1000 * conv(3, 3)", "2001 1 -1000"),
        ("1000 * (identity + conv(3, 3) * (global_avgpool -> sigmoid))", "2001 1 -1000 gated"),
    ],
)
def test_field_by_hand(links: str, expected: str) -> None:
    assert shown(last(net(links))) == expected


@pytest.mark.parametrize(
    "links",
    [
        "upsample(2)",
        "upsample(2, mode = bilinear)",
        "upsample(3, mode = bilinear)",
        "upsample(size = 127, mode = bilinear, align_corners = true)",
        "upsample(size = 96)",
        "upsample(size = 96, mode = bilinear)",
        "conv_transpose(8, 3, 2, output_padding = 1)",
        "conv_transpose(8, 4, 2, padding = 1)",
        "conv_transpose(8, 2, 2, padding = 0)",
        "adaptive_avgpool(48)",
        "conv(8, 3, 2) -> upsample(2)",
        "pixel_unshuffle(2) -> pixel_shuffle(2)",
    ],
)
def test_after_upsampling_the_field_holds_every_phase_and_no_more(links: str) -> None:
    graph = net(links, 64)
    field = last(graph)
    x, rows = rows_of(graph, 0)
    row = list(rows)[-1][1]
    count = row.values.shape[-1]
    ends = [(at, *support(x, row, at)) for at in range(count // 4, count - count // 4)]
    assert min(first - at * field.stride[0] for at, first, _ in ends) == field.offset[0]
    assert max(final - at * field.stride[0] for at, _, final in ends) == field.offset[0] + field.size[0] - 1


def test_published_fields() -> None:
    # Araujo et al. 2019 count 212 for VGG-16 (to its last pool), as here, and 435 for ResNet-18.
    vgg = [field for part, field in fields(compiled("vgg16"), "block") if part.scope.name == "maxpool"][-1]
    assert vgg is not None
    assert vgg.size == (212, 212)
    stages = [field for part, field in fields(compiled("resnet18")) if part.path == "c5"]
    assert stages[0] is not None
    assert stages[0].size == (435, 435)


def test_depths_agree() -> None:
    graph = compiled("vovnetv2_39")
    ops = {placed.path: field for placed, field in fields(graph, "op")}
    for depth in ("stage", "block"):
        for part, field in fields(graph, depth):
            inside = [path for path in ops if path == part.path or path.startswith((f"{part.path}.", f"{part.path}:"))]
            assert ops[inside[-1]] == field


def test_repeats_cost_no_time() -> None:
    deep = last(net(f"{10**5} * (identity + conv(3, 3))"))
    assert deep.size == (2 * 10**5 + 1, 2 * 10**5 + 1)
