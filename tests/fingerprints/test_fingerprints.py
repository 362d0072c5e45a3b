"""Every shipped spec comes to the graph and the figures that it came to before."""

from __future__ import annotations

import fingerprints


def test_shipped_specs_are_what_they_were() -> None:
    now = fingerprints.promised()
    before = fingerprints.PROMISED.read_text("utf-8")
    assert now.splitlines() == before.splitlines()


def test_a_difference_is_found() -> None:
    before = {
        "hashes": {"net": {"graph": "1", "source": "2"}, "old": {"graph": "1"}},
        "mistakes": {"m": ["E101 a:1:1"]},
    }
    after = {"hashes": {"net": {"graph": "1", "source": "3"}}, "mistakes": {"m": []}}
    assert list(fingerprints.differences(before, before)) == []
    assert list(fingerprints.differences(before, after)) == [
        "net: source",
        "old: gone",
        "m: ['E101 a:1:1'] became []",
    ]
