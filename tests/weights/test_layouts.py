"""Layouts of checkpoints: each loads, to the last number, or is refused with a way out; `docs/weights.md` shows them.

`UPDATE_CASES=1 pytest tests/weights/test_layouts.py` writes the page's tables anew; their diff wants reading.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from copy import deepcopy
from functools import cache, partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("torchvision")

from torch import Tensor, nn  # noqa: E402

import archdsl  # noqa: E402
from archdsl import ArchError  # noqa: E402
from archdsl.diagnostics import listed  # noqa: E402
from archdsl.weights import Report, load_weights  # noqa: E402
from archdsl.weights.report import groups  # noqa: E402
from tests.weights.layouts import LAYOUTS, NETS, Row, Stored, empty, module, own, state  # noqa: E402

PAGE = Path(__file__).parents[2] / "docs" / "weights.md"
TABLES = re.compile(r"(?<=<!-- layouts -->\n).*?(?=<!-- end of layouts -->)", re.DOTALL)
ROWS = [row for rows in LAYOUTS.values() for row in rows]
UNTOUCHED = 0.375
"""What a model holds before it is loaded."""

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning", "ignore::FutureWarning")


class Prepared(NamedTuple):
    """A network of ours, what it is to hold in the end, and what it then gives for some images in float64."""

    model: nn.Module
    state: dict[str, Tensor]
    images: Tensor
    outputs: Tensor


@cache
def prepared(name: str) -> Prepared:
    """A network of ours, loaded from the plain state of a library's, with that library's outputs, which are its own."""
    net = NETS[name]
    model = empty(partial(archdsl.build, net.spec) if net.spec else own).eval()
    load_weights(model, state(name), head="strict")
    images = torch.randn(2, 3, net.size, net.size, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    with torch.no_grad():
        outputs = deepcopy(module(name)).double()(images)
        assert close(deepcopy(model).double()(images), outputs)
    found = {key: tensor.clone() for key, tensor in model.state_dict().items()}
    return Prepared(model, found, images, outputs)


@cache
def outcome(row: Row) -> str:
    """What becomes of a layout, as the page says it; all that is asserted of it has been."""
    model, wanted, _, _ = prepared(row.net)
    held = model.state_dict()
    for tensor in held.values():
        tensor.fill_(UNTOUCHED)
    made = row.layout.make(state(row.net), state(row.net, 2))
    try:
        with TemporaryDirectory() as folder:
            checkpoint: Any = made.save(Path(folder)) if isinstance(made, Stored) else made
            report = load_weights(model, checkpoint, **row.layout.options)
    except ArchError as error:
        assert all(bool((tensor == tensor.new_tensor(UNTOUCHED)).all()) for tensor in held.values())
        assert len(str(error)) < 2_000
        (help,) = [each.help for each in error.diagnostics if each.help]
        return f"refused ({error.diagnostics[0].code}): {help}"
    for key, tensor in held.items():
        if key in report.fresh:
            assert bool((tensor == UNTOUCHED).all())
            tensor.copy_(wanted[key])
        elif key in report.started:
            assert tensor == 0
        else:
            assert torch.equal(tensor, wanted[key]), key
    assert len(str(report)) < 2_000
    return "; ".join(told(report))


def close(found: Tensor, wanted: Tensor) -> bool:
    """Whether outputs are equal but for rounding, and none of them a mere constant."""
    assert wanted.std() > 1e-6
    return bool((found - wanted).abs().max() <= 1e-9 * wanted.abs().max())


def told(report: Report) -> Iterator[str]:
    """A report in a few words that are the same for all networks."""
    yield "loads"
    if report.wrappers:
        yield f"taken off: {listed(report.wrappers)}"
    for name, why in report.passed_over.items():
        yield f"passed over: `{name}` ({why if why.startswith('it ') else 'it does not fit'})"
    if report.fresh:
        yield "the classifier is left fresh"
    if report.left_out:
        yield f"left out: {listed(dict.fromkeys(key.partition('.')[0] for key in report.left_out))}"
    if report.started:
        yield "counters start from 0"
    if report.beside:
        yield f"beside it: {', '.join(groups(report.beside, report.wrappers))}"


# ---- the tests -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.label)
def test_layout(row: Row) -> None:
    text = outcome(row)
    if not os.environ.get("UPDATE_CASES"):
        assert (row.layout.title, row.net, text) in set(shown())


def test_page() -> None:
    """No row of the page is of a layout that there is not, and there are as many as there should be."""
    if os.environ.get("UPDATE_CASES"):
        PAGE.write_text(TABLES.sub(lambda _: tables(), PAGE.read_text("utf-8")), "utf-8")
    labels = [(row.layout.title, row.net) for row in ROWS]
    assert sorted((title, net) for title, net, _ in shown()) == sorted(labels)
    assert len(set(labels)) == len(labels) >= 150


def test_a_wrong_number_is_seen() -> None:
    """The test of the test: a network that differs in one weight, or in its statistics, gives something else."""
    model, wanted, images, outputs = prepared("pytorchcv")
    model = deepcopy(model).double()
    model.load_state_dict(wanted)
    with torch.no_grad():
        assert close(model(images), outputs)
        model.get_submodule("stem.conv").weight[0, 0, 0, 0] += 1e-4  # type: ignore[index, operator]
        assert not close(model(images), outputs)


# ---- the tables of the page ----------------------------------------------------------------------------------------

HEAD = "| layout | a checkpoint has | tried with | what happens |\n|---|---|---|---|\n"


def tables() -> str:
    """The tables, one a chapter."""
    return "\n".join(["", *(f"### {title}\n\n{HEAD}{''.join(lines(rows))}" for title, rows in LAYOUTS.items()), ""])


def lines(rows: list[Row]) -> Iterator[str]:
    """A line for each layout and outcome, with the networks that have it."""
    found: dict[tuple[str, str, str], list[str]] = {}
    for row in rows:
        key = (asked(row), row.layout.looks, outcome(row))
        found.setdefault(key, []).append(row.net)
    for (title, looks, text), nets in found.items():
        yield f"| {title} | {looks} | {', '.join(nets)} | {text} |\n"


def asked(row: Row) -> str:
    """A layout with what is asked of `load_weights`."""
    options = "".join(f', `{name}="{value}"`' for name, value in row.layout.options.items())
    return row.layout.title + options


def shown() -> list[tuple[str, str, str]]:
    """The rows that the page shows: layout, network, outcome."""
    found = TABLES.search(PAGE.read_text("utf-8"))
    assert found is not None
    titles = {asked(row): row.layout.title for row in ROWS}
    cells = [line.strip("| ").split(" | ") for line in found[0].splitlines() if line.startswith("| ")]
    return [
        (titles.get(title, title), net, text)
        for title, _, nets, text in cells
        if title != "layout"
        for net in nets.split(", ")
    ]
