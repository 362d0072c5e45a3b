"""Ours compute what the networks of torchvision, timm, pytorchcv and the authors compute, on the same weights.

Weights are random, batch norms have scales of both signs; in float64 outputs, each stage's map, buffers after the step
and all gradients are compared, in evaluation and in training, and in float32 the outputs in evaluation. `-v -s` prints
the largest difference of each.
"""

from __future__ import annotations

import pytest

from tests.equality.compare import build, compare, limit, pair
from tests.equality.nets import CASES, Case


def parametrized() -> list[object]:
    """All cases; those that do not always run are marked slow."""
    return [pytest.param(case, id=case.label, marks=() if case.always else pytest.mark.slow) for case in CASES]


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning", "ignore::FutureWarning")
@pytest.mark.parametrize("case", parametrized())
def test_equal_to_its_oracle(case: Case) -> None:
    found = compare(case, pair(case, build(case.ours)))
    size, kind = max((each.size / limit(kind), kind) for kind, each in found.items())
    print(f"\n{case.spec} = {case.oracle}: largest difference {found[kind].size:.1e} in {kind} ({found[kind].where})")
    assert size < 1, {kind: each for kind, each in found.items() if each.size >= limit(kind)}
