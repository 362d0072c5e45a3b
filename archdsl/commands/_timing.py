"""Timing of functions on a torch device: warmed up, in turn, with medians and quartiles."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from statistics import quantiles
from typing import Any, NamedTuple

from archdsl.commands._streams import output
from archdsl.diagnostics import catalog, listed

DTYPES = {"fp32": "float32", "fp16": "float16", "bf16": "bfloat16", "fp64": "float64"}
WARM_UP = 2
FEWEST, MOST = 5, 10_000
MOST_THREADS = 1024


class Timing(NamedTuple):
    """Seconds of a run: the median and the quartiles around it."""

    median: float
    low: float
    high: float
    runs: int

    @property
    def spread(self) -> float:
        """Distance of the quartiles relative to the median."""
        return (self.high - self.low) / self.median if self.median else 0.0


def add_run_on(parser: argparse.ArgumentParser) -> None:
    """`--run-on` and `--threads`."""
    parser.add_argument(
        "--run-on", default="cpu", metavar="WHERE", help="cpu (default), cuda or mps: where PyTorch runs"
    )
    parser.add_argument("--threads", type=int, metavar="N", help="threads of torch (default: torch's own)")


def import_torch() -> Any:
    """torch; raises ArchError if it is missing."""
    try:
        import torch
    except ImportError:
        raise catalog.missing("torch", "torch") from None
    return torch


def dtype(torch: Any, precision: str) -> Any:
    """Dtype of a precision; raises ArchError for an unknown one."""
    if precision not in DTYPES:
        raise catalog.USAGE.error(None, f"`--precision {precision[:40]}`", help=f"choose from {listed(DTYPES)}")
    return getattr(torch, DTYPES[precision])


def run_on(torch: Any, text: str) -> Any:
    """Torch device; raises ArchError if it does not work."""
    try:
        found = torch.device(text)
        torch.zeros(1, device=found)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        reason = str(error).partition("\n")[0][:120]
        raise catalog.USAGE.error(
            None, f"`--run-on {text[:40]}`: {reason}", help="`cpu`, or `cuda` where there is one"
        ) from None
    return found


def synchronizer(torch: Any, where: Any) -> Callable[[], None]:
    """Function that waits for a device to finish."""
    backend = getattr(torch, where.type, None)
    return getattr(backend, "synchronize", lambda: None) if where.type != "cpu" else lambda: None


@contextmanager
def threads(torch: Any, count: int | None) -> Generator[int, None, None]:
    """Context with a number of threads for torch."""
    if count is not None and not 0 < count <= MOST_THREADS:
        raise catalog.USAGE.error(None, f"`--threads {count}`", help=f"1 to {MOST_THREADS:,}")
    before = torch.get_num_threads()
    if count is not None:
        torch.set_num_threads(count)
    try:
        yield torch.get_num_threads()
    finally:
        torch.set_num_threads(before)


def measure(
    names: Sequence[str], functions: Sequence[Callable[[], Any]], wait: Callable[[], None], seconds: float
) -> list[Timing]:
    """Times of functions, run in turn, so that disturbances of the machine affect them alike."""
    progress = Progress(names)
    for at, function in enumerate(functions):
        for turn in range(WARM_UP):
            progress.show(at, f"warming up {turn + 1}/{WARM_UP}")
            function()
    wait()
    # Quartiles, not means: a machine's hiccups only ever add time.
    samples: list[list[float]] = [[] for _ in functions]
    while True:
        waiting = [at for at, found in enumerate(samples) if not enough(found, seconds)]
        if not waiting:
            break
        for at in waiting:
            begin = time.perf_counter()
            functions[at]()
            wait()
            samples[at].append(time.perf_counter() - begin)
            progress.show(at, f"run {len(samples[at])}")
    progress.clear()
    return [summarize(found) for found in samples]


def enough(samples: Sequence[float], seconds: float) -> bool:
    """Tell whether there are enough samples."""
    return len(samples) >= MOST or (len(samples) >= FEWEST and sum(samples) >= seconds)


def summarize(samples: Sequence[float]) -> Timing:
    """Median and quartiles."""
    low, median, high = quantiles(samples, n=4, method="inclusive")
    return Timing(median, low, high, len(samples))


class Progress:
    """Line on the error stream that shows the current run, on terminals."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = names
        self.shown = sys.stderr.isatty()

    def show(self, at: int, what: str) -> None:
        """Show the current run."""
        if self.shown:
            text = f"[{at + 1}/{len(self.names)}] {self.names[at]}: {what}"
            output(sys.stderr).write_progress(text)

    def clear(self) -> None:
        """Clear the line."""
        if self.shown:
            output(sys.stderr).write_progress("")
