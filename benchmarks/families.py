"""The batch engine on a design space: rate, growth, and fvcore and one network at a time beside it, in one run.

Run `OMP_NUM_THREADS=1 python benchmarks/families.py` (fvcore and torch are optional; `--candidates N` for other
sizes). The space is the four-stage CSP-VoVNet: 13 numbers, widths in multiples of 16, layers' widths in multiples of 8.
All times are CPU seconds of one process with one thread, tracing of structures included.
"""

from __future__ import annotations

import argparse
import logging
import time
import warnings
from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np

import archdsl
from archdsl.analyses.batch import Chunk, evaluate_one
from archdsl.analyses.families.candidates import Candidates, of_columns
from archdsl.analyses.families.costs import joined
from archdsl.many import family_of, request

SPACE = """
backbone space(w = [256, 512, 768, 1024], n = [128, 160, 192, 224], d = [1, 1, 2, 2], l = 5):
    input 3 x 224 x 224
    stem: cna(64, 3, 2) -> cna(64, 3) -> cna(128, 3, 2)
    stage c2:     d[0] * csp(osa(l, cna(n[0], 3), w[0] // 2, ese), cna(w[0]))
    stage c3 / 2: maxpool(3, 2) -> d[1] * csp(osa(l, cna(n[1], 3), w[1] // 2, ese), cna(w[1]))
    stage c4 / 2: maxpool(3, 2) -> d[2] * csp(osa(l, cna(n[2], 3), w[2] // 2, ese), cna(w[2]))
    stage c5 / 2: maxpool(3, 2) -> d[3] * csp(osa(l, cna(n[3], 3), w[3] // 2, ese), cna(w[3]))
    head: global_avgpool -> flatten -> linear(1000)
"""
ALL = ("params", "macs", "activations", "memory_access", "bytes", "time")
USUAL = ("params", "buffers", "macs", "activations", "n_conv", "n_norm", "n_linear")


def drawn(count: int, seed: int, deepest: int = 4, layers: int = 6) -> dict[str, Any]:
    """Candidates at random: widths of 64 to 1,584 and 32 to 312, up to `deepest` blocks, 3 to `layers` layers."""
    random = np.random.default_rng(seed)
    return {
        "w": random.integers(4, 100, (count, 4)) * 16,
        "n": random.integers(4, 40, (count, 4)) * 8,
        "d": random.integers(1, deepest + 1, (count, 4)),
        "l": random.integers(3, layers + 1, count),
    }


def timed(work: Callable[[], Any]) -> tuple[Any, float]:
    """The result of some work, and its CPU seconds."""
    begun = time.process_time()
    result = work()
    return result, time.process_time() - begun


def run(columns: dict[str, Any], asked: Chunk) -> tuple[Any, Any, float, float]:
    """The costs of candidates by a new engine, the engine, the seconds, and those of a second time."""
    spec = archdsl.loads(SPACE, "space.arch")
    family = family_of(spec, asked)
    assert family is not None
    found, seconds = timed(lambda: joined(family, of_columns(columns)))
    _, again = timed(lambda: joined(family, of_columns(columns)))
    return found, family, seconds, again


def wrong(found: Any, columns: dict[str, Any], asked: Chunk, count: int) -> int:
    """The number of candidates, of some, whose figures are not those that they have alone."""
    spec, known = archdsl.loads(SPACE, "space.arch"), of_columns(columns)
    numbers = np.random.default_rng(1).choice(known.size, min(count, known.size), replace=False)
    return sum(found[int(at)] != alone(spec, known, asked, int(at)) for at in numbers)


def alone(spec: Any, known: Candidates, asked: Chunk, at: int) -> Any:
    """A candidate worked out by itself."""
    return evaluate_one(asked, spec, known.at(at), None)


def fvcore_rate(columns: dict[str, Any], count: int) -> float | None:
    """Candidates a CPU second by fvcore, of modules that are built already; None where it is missing."""
    try:
        import torch

        fvcore = import_module("fvcore.nn")
    except ImportError:
        return None
    torch.set_num_threads(1)
    logging.disable(logging.WARNING)
    warnings.simplefilter("ignore")
    spec, known = archdsl.loads(SPACE, "space.arch"), of_columns(columns)
    modules = [archdsl.build(spec, params=known.at(at)).eval() for at in range(count)]
    x = torch.zeros(1, 3, 224, 224)
    _, seconds = timed(lambda: [fvcore.FlopCountAnalysis(module, x).total() for module in modules])
    return count / seconds


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--candidates", type=int, default=10**6)
    parser.add_argument("--checked", type=int, default=2000)
    options = parser.parse_args()
    usual, full = request(USUAL, 1, "fp32", None, None), request(ALL, 1, "fp32", "v100", None)
    print(f"{'candidates':>12} {'structures':>11} {'seconds':>8} {'a second':>10} {'known: a second':>16}")
    for name, asked in (("usual figures", usual), ("with traffic and time", full)):
        print(name)
        for count in sorted({10**3, 10**4, 10**5, options.candidates}):
            found, family, seconds, again = run(drawn(count, 0), asked)
            row = f"{count:>12,} {family.engine.traced:>11} {seconds:>8.2f} {count / seconds:>10,.0f}"
            print(f"{row} {count / again:>16,.0f}", flush=True)
            assert found.valid.all()
            assert family.alone == 0
    print("growth with structures, 100,000 candidates")
    for deepest, layers in ((1, 3), (2, 4), (4, 6), (8, 12)):
        _, family, seconds, _ = run(drawn(10**5, 0, deepest, layers), usual)
        print(f"{10**5:>12,} {family.engine.traced:>11} {seconds:>8.2f} {10**5 / seconds:>10,.0f}", flush=True)
    columns = drawn(10**5, 2)
    found, *_ = run(columns, full)
    differing, seconds = timed(lambda: wrong(found, columns, full, options.checked))
    print(f"{options.checked:,} of 100,000 compared with one at a time: {differing} differ")
    spec, known = archdsl.loads(SPACE, "space.arch"), of_columns(columns)
    _, seconds = timed(lambda: [alone(spec, known, usual, at) for at in range(200)])
    print(f"one at a time: {200 / seconds:,.0f} a second")
    rate = fvcore_rate(columns, 20)
    print("fvcore: not installed" if rate is None else f"fvcore, modules built before: {rate:,.1f} a second")


if __name__ == "__main__":
    main()
