"""The block library: each file is its block's, documented, and on the reference page; and blocks that no spec shows."""

from __future__ import annotations

from itertools import chain
from pathlib import Path

import pytest

from archdsl import driver
from archdsl.frontend.format.doc import WIDTH
from archdsl.graph import Graph
from tests.specs.blocks_page import CHAPTERS, PAGE, page

FILES = driver.SHIPPED.block_files


@pytest.mark.parametrize("path", FILES.values(), ids=list(FILES))
def test_file(path: Path) -> None:
    """A file exports the block of its name; a docstring opens with one line, then says more."""
    file = driver.SHIPPED.file(path)
    assert next(iter(file.blocks)) == path.stem
    assert not file.backbones
    summary, *more = file.blocks[path.stem].doc.split("\n\n")
    assert summary.endswith(".")
    assert "\n" not in summary
    assert more or path.stem == "swap"
    assert max(map(len, path.read_text(encoding="utf-8").splitlines())) <= WIDTH


def test_page() -> None:
    """`python -m tests.update` writes it."""
    assert set(chain(*CHAPTERS.values())) <= set(FILES)
    assert PAGE.read_text(encoding="utf-8") == page()


# ---- forms that no shipped spec has --------------------------------------------------------------------------------


def net(chain_text: str, settings: str = "", size: str = "64 x 32 x 32") -> Graph:
    """A network that is one chain."""
    return driver.compile(driver.loads(f"backbone net:\n    input {size}\n{settings}    body: {chain_text}\n"))


def test_option_a() -> None:
    """He et al. 2016, section 4.2: shortcuts without weights, in all of a network by one setting."""
    projected = driver.compile("resnet20_cifar10")
    text = "backbone net extends resnet20_cifar10:\n    project.by = pad_channels\n"
    padded = driver.compile(driver.loads(text))
    weights = (16 * 32 + 2 * 32) + (32 * 64 + 2 * 64)
    assert projected.root.totals.params - padded.root.totals.params == weights
    assert padded.root.totals.n_conv == 19


RESNET_D = (
    "backbone resnet50d extends resnet50:\n"
    "    project.by = pooled\n"
    "    stem: cna(32, 3, 2) -> cna(32, 3) -> cna(64, 3) -> maxpool(3, 2)\n"
)


@pytest.mark.parametrize(
    ("text", "params"),
    [
        pytest.param(RESNET_D, 25_576_264, id="resnet50d"),
        pytest.param(RESNET_D + "    bottleneck.attention = eca\n", 25_576_350, id="ecaresnet50d"),
        pytest.param("backbone net extends resnet50:\n    bottleneck.attention = se\n", 28_088_024, id="seresnet50"),
    ],
)
def test_of_timm(text: str, params: int) -> None:
    """The networks that timm has under these names, as measured on timm 1.0.31."""
    assert driver.compile(driver.loads(text)).root.totals.params == params


def test_cs3() -> None:
    """CS3, as timm has it: the body runs on the first half, which comes first, and has no tail."""
    text = "csp(2 * dark(32, 32), cna(64), halves(32) -> swap, tail = identity, cross_first = false)"
    graph = net(text)
    body = graph.root.child("body").scope
    kinds = [child.name for child in body.child("csp").scope.children]
    assert kinds == ["entry", "body", "tail", "join"]
    expand, dark, join = 64 * 64, 32 * 32 + 9 * 32 * 32, 64 * 64
    assert graph.root.totals.params == expand + 2 * dark + join + 2 * (64 + 2 * 64 + 64)


def test_grouped_passes_on() -> None:
    """What `grouped` does not know itself, it hands to `bottleneck`."""
    with_attention = net("grouped(64, 32, attention = ese)").root.totals
    without = net("grouped(64, 32)").root.totals
    assert with_attention.params - without.params == 64 * 64 + 64


def test_early_and_late_stride() -> None:
    """The paper's stride, on the first convolution, makes for less work."""
    late, early = (net(f"preact(128, 32, 2, stride_at = {at})").root.totals for at in (2, 1))
    assert late.params == early.params
    assert late.macs > early.macs
