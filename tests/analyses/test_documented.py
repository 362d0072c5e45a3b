"""The docs' figures are what the analyses give, and the page of advice is what the rules say."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from archdsl import driver
from archdsl.analyses.cost import Counts, Load, Times, counts, estimate
from archdsl.analyses.device import device, known_devices
from archdsl.analyses.figures import COLUMNS

DOCS = Path(__file__).parents[2] / "docs"
TABLE = re.compile(r"<!-- computed: (.*) -->\n\| network (.*)\|\n\|[-|:]*\n((?:\|.*\n)+)")


class Found(NamedTuple):
    """What the analyses say of a network, for each setting of a table."""

    macs: int
    params: int
    counts: Counts
    times: list[Times]
    settings: list[Load]


def found(name: str, settings: list[Load]) -> Found:
    """The figures of a network."""
    graph = driver.compile(name)
    times = [estimate(graph, setting)[graph.root] for setting in settings]
    return Found(graph.root.totals.macs, graph.root.totals.params, counts(graph)[graph.root], times, settings)


def milliseconds(at: int, places: int) -> Callable[[Found], str]:
    return lambda it: f"{1e3 * it.times[at].seconds:,.{places}f}"


CELLS: dict[str, Callable[[Found], str]] = {
    "GMAC": lambda it: f"{it.macs / 1e9:.2f}",
    "GB": lambda it: f"{it.counts.bytes(it.settings[0].precision, it.settings[0].batch) / 1e9:.2f}",
    "memory": lambda it: f"{100 * it.times[0].memory / it.times[0].seconds:.0f} %",
    "launch": lambda it: f"{100 * it.times[0].launch / it.times[0].seconds:.0f} %",
    "kernels": lambda it: str(it.counts.kernels),
    "at 50 us a launch, ms": milliseconds(1, 1),
    "GMAC/s bound": lambda it: f"{it.macs / it.times[0].seconds / 1e9:,.0f}",
    "multiply-adds": lambda it: f"{it.macs:,}",
    "parameters": lambda it: f"{it.params:,}",
    "memory access": lambda it: f"{it.counts.memory_access:,}",
    "bytes, all ops": lambda it: f"{it.counts.bytes():,}",
    "batch 256, ms": milliseconds(1, 2),
    "V100, fp32": milliseconds(0, 2),
    "V100, fp32, batch 64": milliseconds(1, 2),
    "Jetson AGX Xavier, fp32": milliseconds(2, 2),
    "laptop": milliseconds(3, 2),
}
"""The computed columns; `bound, ms` has as many places as the table gives it."""


def tables() -> list[tuple[list[Load], list[str], list[list[str]]]]:
    """The computed tables of the page."""
    text = (DOCS / "why-flops-mislead.md").read_text(encoding="utf-8")
    return [
        (
            [setting(part) for part in match[1].split(" | ")],
            [cell.strip() for cell in match[2].strip(" |").split(" | ")],
            [[cell.strip() for cell in row.strip(" |").split(" | ")] for row in match[3].splitlines()],
        )
        for match in TABLE.finditer(text)
    ]


def setting(text: str) -> Load:
    """`rtx3090 fp16 256`."""
    name, precision, batch = text.rsplit(" ", 2)
    return Load(int(batch), precision, device(name))


def test_all_tables_are_found() -> None:
    assert len(tables()) == 5


@pytest.mark.parametrize("at", range(5))
def test_figures_of_the_page(at: int) -> None:
    settings, heads, rows = tables()[at]
    for name, *cells in rows:
        it, row = found(name, settings), dict(zip(heads, cells, strict=True))
        for head, cell in row.items():
            if head == "bound, ms":
                places = len(cell.partition(".")[2])
                assert cell == milliseconds(0, places)(it), (name, head)
            elif head in CELLS:
                assert cell == CELLS[head](it), (name, head)
            else:
                assert head.startswith(("measured", "GMAC/s measured", "fs / MAC"))
        check_measured(row, it)


def check_measured(row: dict[str, str], it: Found) -> None:
    """What is worked out from a measured time and ours."""
    measured, seconds = float(row.get("measured, ms", "0")) / 1e3, it.times[0].seconds
    if "measured / bound" in row:
        assert float(row["measured / bound"]) == pytest.approx(measured / seconds, abs=0.006)
    if "GMAC/s measured" in row:
        assert float(row["GMAC/s measured"]) == pytest.approx(it.macs / measured / 1e9, abs=0.6)
    if "fs / MAC" in row:
        assert float(row["fs / MAC"]) == pytest.approx(1e15 * measured / it.settings[0].batch / it.macs, abs=0.6)


def test_every_column_is_defined() -> None:
    text = (DOCS / "costs.md").read_text(encoding="utf-8")
    for name in COLUMNS:
        assert name in {"part", "kind", "input", "output"} or f"`{name}`" in text, name


def test_devices_named_in_the_docs_exist() -> None:
    for page in ("costs.md", "why-flops-mislead.md"):
        for name in re.findall(r"--device (\w+)$", (DOCS / page).read_text(encoding="utf-8"), re.MULTILINE):
            assert name in known_devices()
