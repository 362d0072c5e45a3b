"""Measure this machine, for estimates of times.

Peak FLOP/s, memory bandwidth, the cost of launching an op: written as a description for `--device`, as in `archdsl show
resnet50 --device machine.toml`. The peak is the best of matrix products and convolutions, the bandwidth that of a copy,
the launch the time of an op on one number. Needs torch.
"""

from __future__ import annotations

import argparse
import json
import platform
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from archdsl.analyses.cost import Device
from archdsl.commands import _timing
from archdsl.commands._output import check_output, write_text
from archdsl.commands._tables import rate, seconds
from archdsl.diagnostics import catalog, plural
from archdsl.diagnostics.characters import on_one_line

GROUP = "build"
EXAMPLES = ("archdsl calibrate", "archdsl calibrate --run-on cuda --precision fp32,fp16 -o gpu.toml")
OUTPUT = "machine.toml"
# Names that TOML takes without quotes.
BARE = re.compile("[A-Za-z0-9_-]+")
SIDES = (512, 1024, 2048)
# Samples, channels and size of the convolution.
MAP = (4, 128, 56)
# Number of values to copy: more than any cache holds.
COPIED = 64 * 2**20
# Number of ops on one number in a run.
TINY = 1000


def arguments(parser: argparse.ArgumentParser) -> None:
    """`--run-on`, `--precision`, `--threads`, `--name`, `-o`."""
    _timing.add_run_on(parser)
    parser.add_argument("--precision", default="fp32", metavar="P,P", help="measure the peak in these (default: fp32)")
    parser.add_argument("--name", default="machine", help="what the device is called (default: machine)")
    parser.add_argument("--seconds", type=float, default=1.0, metavar="S", help="for each measurement (default: 1)")
    parser.add_argument("-o", "--output", default=OUTPUT, metavar="OUT", help=f"the file to write (default: {OUTPUT})")


def run(options: argparse.Namespace) -> int:
    """Measure, write, report."""
    path = Path(options.output)
    check(options, path)
    torch = _timing.import_torch()
    where = _timing.run_on(torch, options.run_on)
    precisions = [name.strip() for name in options.precision.split(",")]
    dtypes = {name: _timing.dtype(torch, name) for name in precisions}
    with _timing.threads(torch, options.threads) as threads, torch.inference_mode():
        meter = Meter(torch, where, options.seconds)
        peaks = {name: meter.peak(dtype) for name, dtype in dtypes.items()}
        found = Device(
            options.name,
            peaks,
            meter.bandwidth(),
            meter.launch(),
            label=f"{processor(torch, where)}, {plural(threads, 'thread')}",
            source=f"measured by archdsl calibrate, torch {torch.__version__}",
        )
    write_text(path, device_text(found))
    print(summary(found))
    name = on_one_line(str(path))
    print(f"wrote {name}: `archdsl show SPEC --device {name}`")
    return 0


def check(options: argparse.Namespace, path: Path) -> None:
    """Raise ArchError for bad options."""
    if path.suffix != ".toml":
        raise catalog.USAGE.error(None, f"`-o {path}`", help="a name that ends in .toml")
    if not options.name.isidentifier():
        raise catalog.USAGE.error(None, f"`--name {options.name[:40]}`", help="a word of letters, digits and `_`")
    if not 0 < options.seconds <= 60:
        raise catalog.USAGE.error(None, f"`--seconds {options.seconds}`", help="above 0, at most 60")
    check_output(path)


class Meter:
    """Measurements of a device."""

    def __init__(self, torch: Any, where: Any, seconds: float) -> None:
        self.torch = torch
        self.where = where
        self.seconds = seconds
        self.wait = _timing.synchronizer(torch, where)

    def best(self, name: str, function: Callable[[], Any]) -> float:
        """Lower quartile of the seconds of a run."""
        # Not the median: the roofline is about the machine at its best.
        (times,) = _timing.measure([name], [function], self.wait, self.seconds)
        return times.low

    def peak(self, dtype: Any) -> float:
        """FLOP/s of a precision: the best of matrix products and of a convolution."""
        found: list[float] = []
        # Small and large products: caches and vector units favour different sizes.
        for side in SIDES:
            a, b = (self.torch.randn(side, side, device=self.where, dtype=dtype) for _ in range(2))
            found.append(2 * side**3 / self.best(f"product of {side}", lambda a=a, b=b: a @ b))
        batch, channels, size = MAP
        x = self.torch.randn(batch, channels, size, size, device=self.where, dtype=dtype)
        weight = self.torch.randn(channels, channels, 3, 3, device=self.where, dtype=dtype)
        convolve = self.torch.nn.functional.conv2d
        work = 2 * batch * channels**2 * 9 * size**2
        found.append(work / self.best("convolution", lambda: convolve(x, weight, padding=1)))
        return max(found)

    def bandwidth(self) -> float:
        """Bytes per second of a copy, which reads and writes each."""
        source = self.torch.ones(COPIED, device=self.where)
        target = self.torch.empty_like(source)
        return 2 * 4 * COPIED / self.best("copy", lambda: target.copy_(source))

    def launch(self) -> float:
        """Seconds of a trivial op, called through a module, as networks do."""
        x = self.torch.zeros(1, device=self.where)
        module = self.torch.nn.ReLU()

        def many() -> None:
            for _ in range(TINY):
                module(x)

        return self.best("tiny ops", many) / TINY


def processor(torch: Any, where: Any) -> str:
    """Name of the processor."""
    if where.type == "cuda":
        return str(torch.cuda.get_device_name(where))
    path = Path("/proc/cpuinfo")
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines() if path.is_file() else []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, "") or platform.processor() or platform.machine()


def device_text(found: Device) -> str:
    """Device in the format of a device file."""
    peaks = ", ".join(f'{name} = "{peak / 1e9:.4g}G"' for name, peak in found.peaks.items())
    return "\n".join(
        [
            f"[{found.name if BARE.fullmatch(found.name) else toml_string(found.name)}]",
            f"label = {toml_string(found.label)}",
            f"source = {toml_string(found.source)}",
            f"peak = {{ {peaks} }}",
            f'bandwidth = "{found.bandwidth / 1e9:.4g}G"',
            f'launch = "{found.launch * 1e6:.4g}us"',
            "",
        ]
    )


def toml_string(text: str) -> str:
    """Text as a TOML string."""
    # JSON's escapes are TOML's, but for one more control character.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def summary(found: Device) -> str:
    """Result for people."""
    peaks = ", ".join(f"{rate(peak)}FLOP/s in {name}" for name, peak in found.peaks.items())
    return f"{found.label}: {peaks}, {rate(found.bandwidth)}B/s, {seconds(found.launch)} a launch"
