"""Elaboration, from a parsed document, with empty caches: how long it takes, and how it grows.

Run `python benchmarks/elaborate.py`. Absolute times are this machine's; the ratios carry over.
"""

from __future__ import annotations

import statistics
import time

from archdsl import driver
from archdsl.elaborate.network import elaborate
from archdsl.syntax.inheritance import resolve

RUNS = 21

RESIDUAL = """
backbone residual(n = 10):
    input 3 x 32 x 32
    stem: cna(16, 3)
    stage c1:     n * basic(16)
    stage c2 / 2: n * basic(32)
    stage c3 / 2: n * basic(64)
    head: global_avgpool -> flatten -> linear(10)
"""
DENSE = """
backbone densely(n = 10):
    input 3 x 32 x 32
    stem: conv(16, 3)
    stage c1:     dense(n, nac(12, 3))
    stage c2 / 2: transition -> dense(n, nac(12, 3))
    stage c3 / 2: transition -> dense(n, nac(12, 3))
    head: norm -> act -> global_avgpool -> flatten -> linear(10)
"""


def seconds(spec: driver.Network, params: dict[str, int]) -> float:
    """The median time of an elaboration; each run has a session, and so a memo, of its own."""
    times: list[float] = []
    for _ in range(RUNS):
        spec.scope.memos.lines.clear()
        begin = time.perf_counter()
        elaborate(resolve(spec.scope, spec), params)
        times.append(time.perf_counter() - begin)
    return statistics.median(times)


def main() -> None:
    """Prints each time, and the ratios."""
    for name in ("resnext50", "densenet121", "vovnetv2_39", "resnet1001_cifar10"):
        print(f"{name:<20} {seconds(driver.load(name), {}) * 1e3:6.2f} ms")
    for text, counts in ((RESIDUAL, (10, 100, 1000)), (DENSE, (10, 100))):
        spec = driver.loads(text, "benchmark.arch")
        times = [seconds(spec, {"n": count}) for count in counts]
        for count, taken in zip(counts, times, strict=True):
            print(f"{spec.name:<9} x {count:<6} {taken * 1e3:7.2f} ms   {taken / times[0]:5.2f} times the first")


if __name__ == "__main__":
    main()
