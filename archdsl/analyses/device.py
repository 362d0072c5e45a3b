"""Devices of the roofline: peak FLOP/s, memory bandwidth, cost of launching a kernel.

Descriptions are data: `devices.toml` beside this file has the known ones, a user's file or a line of text adds one.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple, cast

from archdsl.analyses.memory_access import BYTES
from archdsl.diagnostics import ArchError, catalog, did_you_mean, listed
from archdsl.diagnostics.characters import on_one_line

KNOWN = Path(__file__).with_name("devices.toml")
KEYS = ("label", "source", "peak", "bandwidth", "launch")
PREFIXES = {"": 1.0, "k": 1e3, "K": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15, "m": 1e-3, "u": 1e-6, "µ": 1e-6}
QUANTITY = re.compile(r"\s*([0-9]*\.?[0-9]+(?:[eE][+-]?[0-9]+)?)\s*([kKMGTPmuµ]?)([A-Za-z/]*)\s*")
LARGEST = 1e21
LINE = "`peak=14T, bandwidth=900G, launch=5us`"


class Quantity(NamedTuple):
    """Kind of quantity: its units, its minimum, and an example."""

    units: tuple[str, ...]
    least: float
    example: str


KINDS = {
    "peak": Quantity(("FLOPS", "FLOP/s", "OPS", "OP/s"), 1.0, "`14T` or `14 TFLOP/s`"),
    "bandwidth": Quantity(("B/s",), 1.0, "`900G` or `900 GB/s`"),
    "launch": Quantity(("s",), 0.0, "`5us` or `5u`, in seconds"),
}


class Device(NamedTuple):
    """Description of a device. `peaks` is by precision; the key "" applies to all."""

    name: str
    peaks: dict[str, float]
    bandwidth: float
    launch: float
    label: str = ""
    source: str = ""

    def peak(self, precision: str) -> float:
        """FLOP/s in a precision; raises ArchError if it is unknown."""
        found = self.peaks.get(precision, self.peaks.get(""))
        if found is None:
            raise catalog.USAGE.error(
                None, f"nothing is known of {self.name}'s peak in {precision}", help=f"known are {listed(self.peaks)}"
            )
        return found


@cache
def known_devices() -> dict[str, Device]:
    """Devices that come with archdsl, by name."""
    data = tomllib.loads(KNOWN.read_text(encoding="utf-8"))
    return {name: described(name, entry, KNOWN.name) for name, entry in data.items()}


def device(text: str) -> Device:
    """Device by its name, a file, or a line that describes it; raises ArchError for anything else."""
    # A line has `=`, a file a suffix or a slash, a name neither.
    if "=" in text:
        return described("device", entries(text), f"`{text[:80]}`")
    if text.endswith(".toml") or "/" in text:
        return from_file(Path(text))
    known = known_devices()
    if text not in known:
        help = did_you_mean(text, known) or f"known are {listed(known)}; or describe it in a line: {LINE}"
        raise wrong(f"no device is called `{text[:60]}`", help)
    return known[text]


def from_file(path: Path) -> Device:
    """Device that a file describes: its keys, or those of its one table."""
    try:
        data = tomllib.loads(path.read_bytes().decode("utf-8-sig"))
    except OSError as error:
        raise catalog.FILE.error(None, f"{path}: {error.strerror or error}") from None
    except (ValueError, RecursionError) as error:  # of the text's bytes, its TOML, or a number without an end
        raise wrong(f"{path} is not TOML: {str(error)[:120]}") from None
    tables = {name: cast("dict[str, Any]", entry) for name, entry in data.items() if isinstance(entry, dict)}
    if len(data) == 1 and tables:
        return described(next(iter(tables)), next(iter(tables.values())), str(path))
    return described(path.stem, data, str(path))


def entries(text: str) -> dict[str, Any]:
    """Settings of a line: `peak=14T, fp16=112T, bandwidth=900G, launch=5us`."""
    found: dict[str, Any] = {}
    # `fp16=112T` and `peak.fp16=112T` both set the peak of a precision.
    peaks: dict[str, str] = {}
    for part in text.split(","):
        name, equals, value = (each.strip() for each in part.partition("="))
        precision = name.removeprefix("peak.")
        if not equals or name in found or precision in peaks:
            raise wrong(f"`{part.strip()[:60]}` in `{text[:80]}`", f"write it as {LINE}")
        if precision in BYTES:
            peaks[precision] = value
        else:
            found[name] = value
    return found | ({"peak": peaks | ({"": found["peak"]} if "peak" in found else {})} if peaks else {})


def described(name: str, data: Mapping[str, Any], where: str) -> Device:
    """Device from its keys; raises ArchError for unknown, missing and malformed ones."""
    problems = [f"unknown key `{key[:40]}`" for key in data if key not in KEYS]
    problems += [f"`{key}` is missing" for key in ("peak", "bandwidth", "launch") if key not in data]
    if problems:
        raise wrong(f"{where}: {'; '.join(problems)}", f"the keys are {listed(KEYS)}, in a line {LINE}")
    peak = data["peak"]
    peaks = cast("dict[str, Any]", peak) if isinstance(peak, dict) else {"": peak}
    unknown = [key for key in peaks if key not in BYTES and key != ""]
    if unknown or not peaks:
        raise wrong(f"{where}: no precision is called `{unknown[0]}`" if unknown else f"{where}: no peak", precisions())
    return Device(
        name=on_one_line(name),
        peaks={key: quantity("peak", value, where) for key, value in peaks.items()},
        bandwidth=quantity("bandwidth", data["bandwidth"], where),
        launch=quantity("launch", data["launch"], where),
        label=on_one_line(str(data.get("label", name))),
        source=on_one_line(str(data.get("source", ""))),
    )


def quantity(key: str, value: Any, where: str) -> float:
    """Number of a key, perhaps with a prefix and its unit: `14T`, `900 GB/s`, `5us`; raises ArchError otherwise."""
    kind, text = KINDS[key], text_of(value)
    match = QUANTITY.fullmatch(text) if isinstance(value, str | int | float) else None
    if match and match[3] in (*kind.units, ""):
        number = float(match[1]) * PREFIXES[match[2]]
        if kind.least <= number < LARGEST:
            return number
    raise wrong(f"{where}: {key}: `{text[:40]}` is no such quantity", f"write {kind.example}")


def text_of(value: Any) -> str:
    """Value as text, also an integer with more digits than Python prints."""
    try:
        return str(value)
    except ValueError:
        return hex(value)


def precisions(names: Iterable[str] = BYTES) -> str:
    """Sentence that lists the precisions."""
    return f"precisions are {listed(names)}"


def wrong(label: str, help: str = "") -> ArchError:
    """Error in a description."""
    return catalog.USAGE.error(None, label, help=help)
