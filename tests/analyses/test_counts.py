"""Memory access, traffic and operations: the papers' figures, torch's, and cases by hand."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archdsl import driver
from archdsl.analyses.advice import bound
from archdsl.analyses.cost import Counts, counts, counts_of
from archdsl.analyses.flatten import ops_of
from archdsl.graph import Graph
from tests.working import bounded


def net(links: str, size: int = 8, channels: int = 4) -> Graph:
    """A network of one section."""
    text = f"backbone net:\n    input {channels} x {size} x {size}\n    stem: {links}\n"
    return driver.compile(driver.loads(text, "net.arch"))


def total(graph: Graph | str) -> Counts:
    """The counts of a whole network."""
    graph = driver.compile(graph) if isinstance(graph, str) else graph
    return counts(graph)[graph.root]


def test_densenet40_and_its_one_shot_replacement() -> None:
    dense, once = total("densenet40_k12_cifar10").memory_access, total("osa_densenet40").memory_access
    assert dense == 3_679_504  # the 3.7 M of Lee et al. 2019
    assert once == 2_538_013  # their 2.5 M
    assert 0.28 < 1 - once / dense < 0.34  # "about 30 % less"


def test_resnet34_against_vgg19() -> None:
    small, large = (driver.compile(name).root.totals.macs for name in ("resnet34", "vgg19"))
    assert round(100 * small / large, 1) == 18.7


def test_operations_of_resnet50_hold_what_fvcore_counts() -> None:
    graph = driver.compile("resnet50")
    counted = [each for each in ops_of(graph) if each.op.name in {"conv", "linear", "bn", "global_avgpool"}]
    assert sum(counts_of(each.scope).operations for each in counted) == 4_111_512_576  # fvcore's, by default


@pytest.mark.parametrize("name", driver.SHIPPED.specs())
def test_sums_over_scopes_are_sums_over_ops(name: str) -> None:
    graph = driver.compile(name)
    columns = zip(*(counts_of(each.scope) for each in ops_of(graph)), strict=True)
    assert total(graph) == Counts(*map(sum, columns))


def test_repeats_cost_no_time() -> None:
    shallow, deep = net("10 * conv(4, 3)"), net("100_000 * conv(4, 3)")
    with bounded(2_000):
        found = total(deep)
    assert found == Counts(*(10_000 * value for value in total(shallow)))


# ---- the equal-width bound -----------------------------------------------------------------------------------------


@settings(max_examples=100)
@given(st.integers(1, 96), st.integers(1, 96), st.sampled_from([1, 3, 5]), st.integers(2, 16))
def test_memory_access_is_least_at_equal_widths(before: int, after: int, kernel: int, size: int) -> None:
    (placed,) = ops_of(net(f"conv({after}, {kernel})", size, before))
    access = counts_of(placed.scope).memory_access
    assert access == size * size * (before + after) + kernel**2 * before * after
    assert access >= bound(placed) - 1e-6
    assert (access == bound(placed)) == (before == after)


def test_a_pointwise_convolution_of_equal_widths_meets_the_bound_of_the_paper() -> None:
    (placed,) = ops_of(net("conv(64)", 16, 64))
    macs, places = placed.scope.totals.macs, 16 * 16
    assert counts_of(placed.scope).memory_access == 2 * (places * macs) ** 0.5 + macs / places  # Ma et al. 2018, (2)


# ---- by hand -------------------------------------------------------------------------------------------------------

PLACES = 8 * 8
MAP = 4 * PLACES


@pytest.mark.parametrize(
    ("links", "expected"),
    [
        # read, weights, written, operations, kernels
        ("conv(8, 3)", (MAP, 8 * 4 * 9, 2 * MAP, PLACES * 8 * 4 * 9, 1)),
        ("conv(8, 3, bias = true)", (MAP, 8 * 4 * 9 + 8, 2 * MAP, PLACES * 8 * 4 * 9, 1)),
        ("conv(4, 3, groups = 4)", (MAP, 4 * 9, MAP, PLACES * 4 * 9, 1)),
        ("conv(8, 1, 2)", (MAP, 32, 8 * 16, 16 * 8 * 4, 1)),
        ("conv_transpose(2, 2, 2, padding = 0)", (MAP, 32, 2 * 256, PLACES * 4 * 2 * 4, 1)),
        ("bn", (MAP, 16, MAP, 2 * MAP, 1)),
        ("bn(affine = false)", (MAP, 8, MAP, MAP, 1)),
        ("group_norm(2)", (MAP, 8, MAP, 5 * MAP, 1)),
        ("layer_norm(affine = false)", (MAP, 0, MAP, 4 * MAP, 1)),
        ("relu", (MAP, 0, MAP, MAP, 1)),
        ("silu", (MAP, 0, MAP, MAP, 1)),
        ("prelu", (MAP, 1, MAP, MAP, 1)),
        ("maxpool(2)", (MAP, 0, MAP // 4, MAP, 1)),
        ("maxpool(3, 2)", (MAP, 0, MAP // 4, MAP // 4 * 9, 1)),
        ("global_avgpool", (MAP, 0, 4, MAP, 1)),
        ("adaptive_avgpool(2)", (MAP, 0, 16, MAP, 1)),
        ("upsample(2)", (MAP, 0, 4 * MAP, 4 * MAP, 1)),
        ("upsample(2, mode = bilinear)", (MAP, 0, 4 * MAP, 16 * MAP, 1)),
        ("blurpool(3, 2)", (MAP, 4 * 9, MAP // 4, MAP // 4 * 9, 1)),
        ("identity + identity", (2 * MAP, 0, MAP, MAP, 1)),
        ("identity * (global_avgpool)", (MAP + MAP + 4, 0, 4 + MAP, 2 * MAP, 2)),
        ("concat(identity, relu)", (3 * MAP, 0, 3 * MAP, MAP, 2)),
        ("channel_shuffle(2)", (MAP, 0, MAP, 0, 1)),
        ("pixel_unshuffle(2)", (MAP, 0, MAP, 0, 1)),
        ("pad2d(1)", (MAP, 0, 400, 0, 1)),
        ("pad_channels(6)", (MAP, 0, 6 * PLACES, 0, 1)),
        # views, and what does nothing in inference
        ("identity", (0, 0, 0, 0, 0)),
        ("flatten", (0, 0, 0, 0, 0)),
        ("dropout", (0, 0, 0, 0, 0)),
        ("drop_path(0.1)", (0, 0, 0, 0, 0)),
        ("slice(0, 2)", (0, 0, 0, 0, 0)),
        ("pad_channels(2)", (0, 0, 0, 0, 0)),
        ("flatten -> linear(10)", (MAP, 10 * MAP + 10, 10, 10 * MAP, 1)),
    ],
)
def test_traffic_by_hand(links: str, expected: tuple[int, ...]) -> None:
    found = total(net(links))
    assert (found.read, found.weights, found.written, found.operations, found.kernels) == expected
    assert found.bytes("fp32") == 4 * sum(expected[:3])
    assert found.bytes("fp16", batch=8) == 2 * (8 * (expected[0] + expected[2]) + expected[1])


def test_intensity_counts_a_multiply_add_twice() -> None:
    found = total(net("conv(8, 3)"))
    assert found.flops == 2 * PLACES * 8 * 4 * 9
    assert found.intensity() == found.flops / (4 * (3 * MAP + 8 * 4 * 9))
    assert total(net("identity")).intensity() == 0


def test_shared_weights_are_read_at_each_call() -> None:
    found = total(net("concat(share(conv(4, 3)), relu)"))
    assert found.weights == 4 * 4 * 9


# ---- torch ---------------------------------------------------------------------------------------------------------

LARGE = ("1001", "99", "152", "161", "200", "201", "264", "190", "250", "101", "inception", "googlenet", "densenet")


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=pytest.mark.slow) if any(part in name for part in LARGE) else name
        for name in driver.SHIPPED.specs()
    ],
)
def test_torch_counts_the_same(name: str) -> None:
    torch = pytest.importorskip("torch")
    from torch.utils.flop_counter import FlopCounterMode

    import archdsl

    graph = driver.compile(name)
    totals = graph.root.totals
    with torch.device("meta"):
        model = archdsl.build(graph).eval()
    assert sum(each.numel() for each in model.parameters()) == totals.params
    found: list[int] = []

    def note(_module: Any, _x: Any, y: Any) -> None:
        found.append(y.numel())

    for module in model.modules():
        if isinstance(module, torch.nn.Conv2d | torch.nn.ConvTranspose2d):
            module.register_forward_hook(note)
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        model(torch.empty(1, *graph.input, device="meta"))
    assert counter.get_total_flops() == 2 * totals.macs
    assert sum(found) == totals.activations
