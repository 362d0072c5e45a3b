"""Options that say what a network is to run on: `--device`, `--precision`, `--batch`."""

from __future__ import annotations

import argparse

from archdsl.analyses.device import device
from archdsl.analyses.memory_access import check_precision
from archdsl.analyses.roofline import RooflineSetting, check_batch
from archdsl.diagnostics import catalog

DEFAULT_PRECISION = "fp32"


def add_load(parser: argparse.ArgumentParser) -> None:
    """`--precision` and `--batch`."""
    parser.add_argument("--precision", default=DEFAULT_PRECISION, metavar="P", help="fp32 (default), fp16, bf16, ...")
    add_batch(parser)


def add_batch(parser: argparse.ArgumentParser) -> None:
    """`--batch`."""
    parser.add_argument("--batch", default="1", metavar="N", help="samples at once (default: 1)")


def add_machine(parser: argparse.ArgumentParser) -> None:
    """`--device`, `--precision` and `--batch`."""
    parser.add_argument(
        "--device",
        metavar="DEVICE",
        help="estimate the time on it: a name (v100, a100, laptop, ...), a file (mine.toml), "
        'or a line ("peak=14T, bandwidth=900G, launch=5us")',
    )
    add_load(parser)


def chosen_batch(options: argparse.Namespace) -> int:
    """The batch that is asked for."""
    text = str(options.batch)
    if not text.lstrip("-").isdigit() or len(text) > 12:
        raise catalog.USAGE.error(None, f"`--batch {text[:40]}`", help="a number of samples, as `--batch 8`")
    return check_batch(int(text))


def chosen_setting(options: argparse.Namespace) -> RooflineSetting | None:
    """The device with precision and batch; None where no device is asked for."""
    precision, batch = check_precision(options.precision), chosen_batch(options)
    if options.device is None:
        return None
    found = device(options.device)
    found.peak(precision)
    return RooflineSetting(found, precision, batch)
