"""Time networks in PyTorch, beside the estimate.

Inference, warmed up, in turn, medians and quartiles. `--device` names the model of the estimate: a known device, or a
file, as `archdsl calibrate` writes one; the default is `machine.toml` in the current folder, if there is one.
`--run-on` is where PyTorch runs. Needs torch.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from archdsl.analyses.cost import Load, efficiency, estimate
from archdsl.analyses.cost import Times as Estimate
from archdsl.api import build
from archdsl.commands import _timing
from archdsl.commands._formats import json_text
from archdsl.commands._options import add_device, add_format, add_spec, chosen_graphs, chosen_load
from archdsl.commands._tables import Cell, Row, Table, seconds
from archdsl.commands._timing import Timing
from archdsl.diagnostics import catalog
from archdsl.graph import Graph

GROUP = "build"
EXAMPLES = (
    "archdsl bench resnet50 vovnet39",
    "archdsl bench resnet50 --run-on cuda --precision fp16 --batch 32 --device a100",
)
MACHINE = "machine.toml"
LONGEST = 600.0


class NetworkTimes(NamedTuple):
    """Measured and estimated times of a network."""

    graph: Graph
    times: Timing
    estimate: Estimate | None


def arguments(parser: argparse.ArgumentParser) -> None:
    """SPEC..., `-p`, `--input`, and how to run them."""
    add_spec(parser, several=True)
    add_device(parser)
    _timing.add_run_on(parser)
    parser.add_argument("--seconds", type=float, default=2.0, metavar="S", help="for each network (default: 2)")
    add_format(parser)


def run(options: argparse.Namespace) -> int:
    """Run the networks in turn, print their times."""
    if not 0 < options.seconds <= LONGEST:
        raise catalog.USAGE.error(None, f"`--seconds {options.seconds}`", help=f"above 0, at most {LONGEST:.0f}")
    torch = _timing.import_torch()
    dtype, where = _timing.dtype(torch, options.precision), _timing.run_on(torch, options.run_on)
    if options.device is None and Path(MACHINE).is_file():
        options.device = MACHINE
    load, graphs = chosen_load(options), chosen_graphs(options)
    with _timing.threads(torch, options.threads) as threads, torch.inference_mode():
        runs = [runner(torch, graph, load.batch, dtype, where) for graph in graphs]
        try:
            names = [graph.name for graph in graphs]
            times = _timing.measure(names, runs, _timing.synchronizer(torch, where), options.seconds)
        # PyTorch has no half-precision kernels for some ops on some devices.
        except (RuntimeError, NotImplementedError) as error:
            reason = str(error).partition("\n")[0][:120]
            raise catalog.USAGE.error(None, f"{options.precision} on {options.run_on}: {reason}") from None
    rows = [
        NetworkTimes(graph, each, estimate(graph, load)[graph.root] if load.device else None)
        for graph, each in zip(graphs, times, strict=True)
    ]
    head = {
        "run_on": str(where),
        "precision": load.precision,
        "batch": load.batch,
        "threads": threads,
        "torch": torch.__version__,
    }
    print(as_json(rows, head, load) if options.format == "json" else as_text(rows, head, load))
    return 0


def runner(torch: Any, graph: Graph, batch: int, dtype: Any, where: Any) -> Callable[[], Any]:
    """Function that runs a network once."""
    model = build(graph).eval().to(device=where, dtype=dtype)
    x = torch.randn(batch, *graph.input, device=where, dtype=dtype)
    return lambda: model(x)


# ---- formats -------------------------------------------------------------------------------------------------------


def as_text(rows: list[NetworkTimes], head: dict[str, Any], load: Load) -> str:
    """Table for people."""
    device = load.device
    titles = ["", "median", "quartiles", "runs", "samples/s", "MAC/s"]
    titles += ["estimate", "measured / estimate", "bound by"] if device else []
    told = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in head.items())
    more = f"estimate: at least, on {device.label or device.name}" if device else HINT
    return "\n".join([Table(titles, [row_of(row, load.batch) for row in rows]).text(), "", told, more])


HINT = f"no estimate: name a device by --device, or let `archdsl calibrate` measure this one ({MACHINE})"


def row_of(row: NetworkTimes, batch: int) -> Row:
    """Row of a network."""
    times, estimated = row.times, row.estimate
    spread = f"{seconds(times.low)} - {seconds(times.high)}"
    reached = efficiency(row.graph.root.totals.macs, times.median, batch)
    cells = [Cell(times.median, "seconds"), spread, Cell(times.runs), Cell(batch / times.median, "ratio")]
    if estimated is None:
        return [row.graph.name, *cells, Cell(reached, "rate")]
    ratio = times.median / estimated.seconds if estimated.seconds else 0.0
    more = (Cell(reached, "rate"), Cell(estimated.seconds, "seconds"), f"{ratio:.2f}", estimated.bound or "")
    return [row.graph.name, *cells, *more]


def as_json(rows: list[NetworkTimes], head: dict[str, Any], load: Load) -> str:
    """Plain data for programs."""
    networks = [
        {
            "name": row.graph.name,
            "input": list(row.graph.input),
            **row.times._asdict(),
            "macs": row.graph.root.totals.macs,
            "efficiency": efficiency(row.graph.root.totals.macs, row.times.median, load.batch),
            "estimate": row.estimate and {**row.estimate._asdict(), "bound": row.estimate.bound},
        }
        for row in rows
    ]
    return json_text({**head, "device": load.device and load.device.name, "networks": networks})
