"""The live networks, measured again: what is stored of them still holds.

That ours compute the same is the subject of `tests/equality`, that they start the same of `tests/weights`.
"""

from __future__ import annotations

from typing import Any

import pytest

torch = pytest.importorskip("torch")

from tests.specs.oracles import LIBRARIES, LIVE, figures, in_order, live, name_of  # noqa: E402

for library in LIBRARIES:
    pytest.importorskip(library)


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("row", LIVE, ids=name_of)
def test_stored_figures(row: dict[str, Any]) -> None:
    """On the meta device, where nothing is worked out but shapes."""
    with torch.device("meta"), torch.no_grad():
        found, maps = figures(live(row["oracle"]), row["input"])
    assert found == {key: row[key] for key in found}
    assert in_order(row["stages"], maps)
