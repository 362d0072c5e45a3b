"""The live networks again: their figures as stored, and our networks equal to them in what they compute."""

from __future__ import annotations

from typing import Any

import pytest

torch = pytest.importorskip("torch")

import archdsl  # noqa: E402
from tests.specs.oracles import LIBRARIES, LIVE, executed, figures, in_order, live, name_of, pairs  # noqa: E402

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("default")]
for library in LIBRARIES:
    pytest.importorskip(library)


@pytest.mark.parametrize("row", LIVE, ids=name_of)
def test_stored_figures(row: dict[str, Any]) -> None:
    """Measured on the meta device, where nothing is computed but shapes."""
    with torch.device("meta"), torch.no_grad():
        found, maps = figures(live(row["oracle"]), row["input"])
    assert found == {key: row[key] for key in found}
    assert in_order(row["stages"], maps)


@pytest.mark.parametrize("row", LIVE, ids=name_of)
def test_equal(row: dict[str, Any]) -> None:
    """The same initialization; and with the same weights, the same output."""
    torch.manual_seed(1)
    ours: Any = archdsl.build(row["spec"], input=row["input"]).eval()
    theirs: Any = live(row["oracle"]).eval()
    x = torch.randn(1, *row["input"])
    with torch.no_grad():
        found = pairs(executed(ours, x), executed(theirs, x))
        odd = [
            f"{name}.{key}"
            for name, mine, other in found
            for key in mine._parameters
            if drawn_otherwise(mine, other, key)
        ]
        shake(theirs)
        for _, mine, other in found:
            state = mine.state_dict()
            mine.load_state_dict({key: value.reshape(state[key].shape) for key, value in other.state_dict().items()})
        expected = theirs(x)
        torch.testing.assert_close(ours(x), expected, rtol=0, atol=1e-4 * expected.abs().max().item())
    assert not odd


def shake(model: Any) -> None:
    """Gives all norms statistics and factors that are no round numbers, so that none can stand for another."""
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 1.5)
            module.weight.uniform_(0.5, 1.5)
            module.bias.normal_(0, 0.1)


def drawn_otherwise(ours: Any, theirs: Any, key: str) -> bool:
    """Whether two parameters were surely not drawn from one distribution.

    By mean, by deviation, and by the mean distance from 0, which tells a normal one from a uniform one.
    """
    mine, other = ours._parameters[key], theirs._parameters[key]
    if mine is None or other is None:
        return mine is not other
    size = mine.numel()
    spread = max(each.std(correction=0).item() for each in (mine, other))
    if apart(mine.mean(), other.mean(), 12 * spread / size**0.5):
        return True
    if apart(mine.std(correction=0), other.std(correction=0), 8 * spread / (2 * size) ** 0.5):
        return True
    return size > 2000 and apart(mine.abs().mean(), other.abs().mean(), 0.03 * spread)


def apart(a: Any, b: Any, bound: float) -> bool:
    """Whether two numbers differ by more than chance."""
    return abs(a.item() - b.item()) > bound + 1e-7
