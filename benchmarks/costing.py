"""Costing against fvcore and FlopCounterMode, growth with depth, and the throughput of `cost_many`, in one run.

Run `python benchmarks/costing.py` (needs torch and fvcore; `--quick` for fewer runs). archdsl starts from a parsed
document, with empty caches, at another width each time; the others get a module that is built already. Absolute
times are this machine's, CPU seconds of one thread; the ratios carry over.
"""

from __future__ import annotations

import argparse
import logging
import os
import statistics
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from typing import Any

import archdsl
from archdsl.analyses.cost import counts
from archdsl.driver import memory

NETWORKS = {
    "resnext50": (
        """
backbone resnext50(w = 128, classes = 1000):
    input 3 x 224 x 224
    bottleneck.groups = 32
    stem: cna(64, 7, 2) -> maxpool(3, 2)
    stage c2:     3 * bottleneck(2 * w,  width = w)
    stage c3 / 2: 4 * bottleneck(4 * w,  width = 2 * w)
    stage c4 / 2: 6 * bottleneck(8 * w,  width = 4 * w)
    stage c5 / 2: 3 * bottleneck(16 * w, width = 8 * w)
    head: global_avgpool -> flatten -> linear(classes)
""",
        [128, 96, 160, 64, 192, 224],
    ),
    "densenet121": (
        """
backbone densenet121(w = 32, classes = 1000, layers = [6, 12, 24, 16]):
    input 3 x 224 x 224
    layer = nac(4 * w) -> nac(w, 3)
    stem: cna(2 * w, 7, 2) -> maxpool(3, 2)
    stage c2:     dense(layers[0], layer)
    stage c3 / 2: transition -> dense(layers[1], layer)
    stage c4 / 2: transition -> dense(layers[2], layer)
    stage c5 / 2: transition -> dense(layers[3], layer) -> norm
    head: act -> global_avgpool -> flatten -> linear(classes)
""",
        [32, 24, 28, 36, 20, 40],
    ),
    "vovnetv2_39": (
        """
backbone vovnetv2_39(w = 32, classes = 1000):
    input 3 x 224 x 224
    osa.attention = ese
    down = maxpool(3, 2, padding = valid, ceil_mode = true)
    stem: cna(64, 3, 2) -> cna(64, 3) -> cna(128, 3, 2)
    stage c2:             osa(5, cna(4 * w, 3), 8 * w)
    stage c3 / 2: down -> osa(5, cna(5 * w, 3), 16 * w)
    stage c4 / 2: down -> 2 * osa(5, cna(6 * w, 3), 24 * w, residual = not first)
    stage c5 / 2: down -> 2 * osa(5, cna(7 * w, 3), 32 * w, residual = not first)
    head: global_avgpool -> flatten -> linear(classes)
""",
        [32, 24, 28, 36, 20, 40],
    ),
}
DEEP = """
backbone deep(n = 10):
    input 3 x 32 x 32
    stem: cna(16, 3)
    stage c1:     n * basic(16)
    stage c2 / 2: n * basic(32)
    stage c3 / 2: n * basic(64)
    head: global_avgpool -> flatten -> linear(10)
"""
DIFFERENT = """
backbone different(w = 16):
    input 3 x 64 x 64
    stem: cna(w, 3)
    stage c1: cna(w + 1, 3) -> cna(w + 2, 3) -> cna(w + 3, 3)
    stage c2 / 2: cna(2 * w, 3) -> cna(2 * w + 1, 3) -> cna(2 * w + 2, 3)
    stage c3 / 2: cna(4 * w, 3) -> cna(4 * w + 1, 3) -> cna(4 * w + 2, 3)
    head: global_avgpool -> flatten -> linear(10)
"""
REPEATED = """
backbone repeated(w = 16, n = 10):
    input 3 x 64 x 64
    stem: cna(w, 3)
    stage c1: n * cna(w, 3)
    head: global_avgpool -> flatten -> linear(10)
"""


def timed(function: Callable[[], Any]) -> tuple[Any, float]:
    """What a function gives, and the CPU seconds that it takes."""
    begin = time.process_time()
    result = function()
    return result, time.process_time() - begin


def ours(spec: archdsl.Network, width: int) -> int:
    """A network's multiply-adds, from a parsed document."""
    spec.scope.memos.lines.clear()
    return archdsl.cost(archdsl.compile(spec, params={"w": width})).totals.macs


def theirs(model: Any, shape: tuple[int, ...]) -> int:
    """What fvcore counts: the multiply-adds of convolutions and linear layers."""
    import torch
    from fvcore.nn import FlopCountAnalysis  # pyright: ignore[reportMissingImports]

    analysis = FlopCountAnalysis(model, torch.zeros(1, *shape)).unsupported_ops_warnings(False)
    by_operator = analysis.by_operator()
    return int(by_operator["conv"] + by_operator["linear"])


def on_meta(model: Any, shape: tuple[int, ...]) -> int:
    """What torch's own counter says, on the meta device."""
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False) as counter:
        model(torch.zeros(1, *shape, device="meta"))
    return counter.get_total_flops() // 2


def three_ways(spec: archdsl.Network, width: int) -> list[float]:
    """The seconds of archdsl, fvcore and torch's counter for a width; all three come to the same."""
    import torch

    graph = archdsl.compile(spec, params={"w": width})
    model = archdsl.build(graph).eval()
    with torch.no_grad():
        results = [
            timed(lambda: ours(spec, width)),
            timed(lambda: theirs(model, graph.input)),
            timed(lambda: on_meta(model.to("meta"), graph.input)),
        ]
    assert len({macs for macs, _ in results}) == 1, f"{graph.name}, width {width}: {results}"
    return [seconds for _, seconds in results]


def against_others(runs: int) -> None:
    """The three networks. The first width warms all three up, and is not counted."""
    import torch

    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    print(f"{'':<14}{'archdsl':>12}{'fvcore':>12}{'ratio':>9}{'meta':>12}{'ratio':>9}")
    for name, (text, widths) in NETWORKS.items():
        spec = archdsl.loads(text, f"{name}.arch")
        times = [three_ways(spec, width) for width in widths[: runs + 1]][1:]
        mine, fvcore, meta = (statistics.median(found) for found in zip(*times, strict=True))
        cells = [f"{mine * 1e3:>9.2f} ms"]
        cells += [f"{other * 1e3:>9.0f} ms{other / mine:>8.0f}x" for other in (fvcore, meta)]
        print(f"{name:<14}{''.join(cells)}")


def by_depth(runs: int) -> None:
    """Ten and a hundred times as deep, by repetition."""
    spec = archdsl.loads(DEEP, "deep.arch")
    for name, work in {"cost": archdsl.cost, "counts": counts, "memory": memory}.items():
        times = [median_time(work, spec, depth, 3 * runs) for depth in (10, 100, 1000)]
        told = " / ".join(f"{each * 1e3:.2f}" for each in times)
        print(f"{name:<8} {told} ms; ten times as deep {times[1] / times[0]:.2f}, a hundred {times[2] / times[0]:.2f}")


def median_time(work: Callable[[Any], Any], spec: archdsl.Network, depth: int, runs: int) -> float:
    """The median of elaboration and an analysis, for a depth."""
    return statistics.median(timed(lambda: work(archdsl.compile(spec, params={"n": depth})))[1] for _ in range(runs))


def throughput(count: int) -> None:
    """Candidates a second: of CPU time on one core, and as the clock says, on one and two."""
    for name, text in {"no block repeats": DIFFERENT, "blocks repeat": REPEATED}.items():
        spec = archdsl.loads(text, "many.arch")
        candidates = [{"w": 16 + at % 400} for at in range(count)]
        rates: list[float] = []
        for processes in (1, 2):
            begin, cpu = time.perf_counter(), time.process_time()
            results = archdsl.cost_many(candidates, of=spec, processes=processes)
            rates += [count / (time.process_time() - cpu)] if processes == 1 else []
            rates.append(count / (time.perf_counter() - begin))
            assert all(result.error is None for result in results)
        told = f"by the clock {rates[1]:.0f} a second on one core, {rates[2]:.0f} on two"
        print(f"{name:<17}{rates[0]:>7.0f} a CPU second; {told}")


def main() -> None:
    """Runs all of it; the throughput in a process of its own, without torch."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer runs")
    parser.add_argument("--only", choices=["others", "depth", "throughput"], help="one part")
    options = parser.parse_args()
    if options.only is None:
        print(f"load of the machine: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
        for part in ("others", "depth", "throughput"):
            print(flush=True)
            subprocess.run([sys.executable, *sys.argv, "--only", part], check=True)
    elif options.only == "others":
        against_others(2 if options.quick else 5)
    elif options.only == "depth":
        by_depth(1 if options.quick else 5)
    else:
        throughput(400 if options.quick else 2000)


if __name__ == "__main__":
    main()
