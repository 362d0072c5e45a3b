"""The nearest names: also among more than anybody has, and soon."""

from __future__ import annotations

from archdsl.diagnostics.suggest import nearest
from tests.working import bounded

MANY = [f"block{at}" for at in range(50_000)] + ["bottleneck", "brottleneck"]


def test_of_many_names_the_nearest_is_found_soon() -> None:
    with bounded(5_000_000):
        assert nearest("botleneck", MANY) == ["bottleneck"]
        for at in range(4):
            nearest(f"blokc{at}", MANY)
