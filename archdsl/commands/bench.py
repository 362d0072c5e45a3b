"""Times built networks beside the roofline's estimate: inference, warmed up, in turn, medians and quartiles.

`--estimate` names the device of the estimate: a known one, or a file, as `archdsl calibrate` writes one; the default is
`machine.toml` in the current folder, if there is one. Needs torch.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from archdsl.analyses.memory_access import check_precision
from archdsl.analyses.roofline import RooflineSetting, efficiency, estimate
from archdsl.analyses.roofline import Times as Estimate
from archdsl.api import build
from archdsl.commands import _timing
from archdsl.commands._formats import json_text
from archdsl.commands._options import add_batch, add_format, add_spec, chosen_batch, chosen_graphs, roofline_setting
from archdsl.commands._tables import rate, ruled, seconds, table
from archdsl.commands._timing import Timing
from archdsl.diagnostics import catalog
from archdsl.graph import Graph

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
    add_batch(parser)
    parser.add_argument("--threads", type=int, metavar="N", help="threads of torch (default: torch's own)")
    parser.add_argument("--dtype", default="fp32", metavar="P", help="fp32 (default), bf16, fp16, fp64")
    parser.add_argument("--device", default="cpu", metavar="DEVICE", help="torch's device: cpu (default), cuda, mps")
    parser.add_argument("--seconds", type=float, default=2.0, metavar="S", help="for each network (default: 2)")
    parser.add_argument("--estimate", metavar="DEVICE", help="estimate for: v100, mine.toml, ... (see archdsl show)")
    add_format(parser)


def run(options: argparse.Namespace) -> int:
    """Run the networks in turn, print their times."""
    batch = chosen_batch(options)
    if not 0 < options.seconds <= LONGEST:
        raise catalog.USAGE.error(None, f"`--seconds {options.seconds}`", help=f"above 0, at most {LONGEST:.0f}")
    torch = _timing.import_torch()
    dtype, where = _timing.dtype(torch, options.dtype), _timing.device(torch, options.device)
    setting = chosen_estimate(options, batch)
    graphs = chosen_graphs(options)
    with _timing.threads(torch, options.threads) as threads, torch.inference_mode():
        runs = [runner(torch, graph, batch, dtype, where) for graph in graphs]
        try:
            names = [graph.name for graph in graphs]
            times = _timing.measure(names, runs, _timing.synchronizer(torch, where), options.seconds)
        # PyTorch has no half-precision kernels for some ops on some devices.
        except (RuntimeError, NotImplementedError) as error:
            reason = str(error).partition("\n")[0][:120]
            raise catalog.USAGE.error(None, f"{options.dtype} on {options.device}: {reason}") from None
    rows = [
        NetworkTimes(graph, each, estimate(graph, setting)[graph.root] if setting else None)
        for graph, each in zip(graphs, times, strict=True)
    ]
    head = {
        "device": str(where),
        "dtype": options.dtype,
        "batch": batch,
        "threads": threads,
        "torch": torch.__version__,
    }
    print(as_json(rows, head, setting) if options.format == "json" else as_text(rows, head, setting))
    return 0


def chosen_estimate(options: argparse.Namespace, batch: int) -> RooflineSetting | None:
    """Setting of the estimate; None if no device is described."""
    text = options.estimate or (MACHINE if Path(MACHINE).is_file() else None)
    if text is None:
        return None
    return roofline_setting(text, check_precision(options.dtype), batch)


def runner(torch: Any, graph: Graph, batch: int, dtype: Any, where: Any) -> Callable[[], Any]:
    """Function that runs a network once."""
    model = build(graph).eval().to(device=where, dtype=dtype)
    x = torch.randn(batch, *graph.input, device=where, dtype=dtype)
    return lambda: model(x)


# ---- formats -------------------------------------------------------------------------------------------------------


def as_text(rows: list[NetworkTimes], head: dict[str, Any], setting: RooflineSetting | None) -> str:
    """Table for people."""
    titles = ["", "median", "quartiles", "runs", "samples/s", "MAC/s"]
    titles += ["estimate", "measured / estimate", "bound by"] if setting else []
    cells = [titles, *(cells_of(row, head["batch"]) for row in rows)]
    lines = ruled(table(cells, range(1, len(titles))), total=False)
    told = ", ".join(f"{name} {value}" for name, value in head.items())
    more = f"estimate: at least, on {setting.device.label or setting.device.name}" if setting else HINT
    return "\n".join([*lines, "", told, more])


HINT = f"no estimate: name a device by --estimate, or let `archdsl calibrate` measure this one ({MACHINE})"


def cells_of(row: NetworkTimes, batch: int) -> list[str]:
    """Row of a network."""
    times = row.times
    spread = f"{seconds(times.low)} - {seconds(times.high)}"
    reached = efficiency(row.graph.root.totals.macs, times.median, batch)
    cells = [
        row.graph.name,
        seconds(times.median),
        spread,
        f"{times.runs}",
        f"{batch / times.median:,.1f}",
        rate(reached),
    ]
    if row.estimate is not None:
        ratio = times.median / row.estimate.seconds if row.estimate.seconds else 0.0
        cells += [seconds(row.estimate.seconds), f"{ratio:.2f}", row.estimate.bound or ""]
    return cells


def as_json(rows: list[NetworkTimes], head: dict[str, Any], setting: RooflineSetting | None) -> str:
    """Plain data for programs."""
    networks = [
        {
            "name": row.graph.name,
            "input": list(row.graph.input),
            **row.times._asdict(),
            "macs": row.graph.root.totals.macs,
            "efficiency": efficiency(row.graph.root.totals.macs, row.times.median, head["batch"]),
            "estimate": row.estimate and {**row.estimate._asdict(), "bound": row.estimate.bound},
        }
        for row in rows
    ]
    return json_text({**head, "described": setting and setting.device.name, "networks": networks})
