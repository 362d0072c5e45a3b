"""Every shipped spec: the emitted module and the interpreter compute the same, on images as small as the spec takes."""

from __future__ import annotations

import pytest

pytest.importorskip("torch")

import archdsl
from archdsl import ArchError, Graph
from archdsl.driver import SHIPPED
from tests.unfilled import unfilled

SIZES = (8, 16, 32, 64, 107, 299)
"""Sides of images, from which the smallest is taken that keeps the stages apart."""
REDUCTION = 16
"""How much smaller than the spec's own images they may be."""
QUICK = {"vgg11", "resnet20_cifar10", "preresnet18", "darknet19", "densenet40_k12_cifar10", "csp_vovnet39", "googlenet"}
"""Specs that are compared in the quick part, too."""
NARROW = """
name: narrow
extends: {spec}
head: adaptive_avgpool(2) -> flatten -> 2 * (linear(64) -> relu -> dropout(0.5)) -> linear(classes)
"""
"""A VGG whose hidden layers are less than a gigabyte."""


def small(spec: str) -> Graph:
    """The graph of a spec for the smallest images that it takes."""
    channels, side, _ = archdsl.compile(spec).input
    found = archdsl.loads(NARROW.format(spec=spec), "narrow.yaml") if spec.startswith("vgg") else archdsl.load(spec)
    for size in (each for each in SIZES if each * REDUCTION >= side):
        try:
            return archdsl.compile(found, input=(channels, size, size))
        except ArchError:
            continue
    raise AssertionError(f"{spec} takes none of the sizes")


def parametrized() -> list[object]:
    """All specs; those that are not in the quick part are marked slow."""
    return [pytest.param(spec, marks=() if spec in QUICK else pytest.mark.slow) for spec in SHIPPED.specs()]


@pytest.mark.parametrize("spec", parametrized())
def test_the_module_computes_what_the_spec_says(spec: str) -> None:
    graph = small(spec)
    result = archdsl.check(graph, unfilled(graph))
    assert result.agrees, result
    assert {each.size for each in result.deviations if each.kind != "gradients"} == {0.0}
    assert max(each.size for each in result.deviations) < 1e-12


def test_all_specs_are_compared() -> None:
    assert len(SHIPPED.specs()) >= 104
    assert set(SHIPPED.specs()) >= QUICK
