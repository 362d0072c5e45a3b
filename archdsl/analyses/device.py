"""Descriptions of devices: `devices.toml` beside this file has the known ones, a file or a line of text adds one."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Annotated, Any, NamedTuple, cast

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, ValidationError, field_validator
from pydantic_core import PydanticCustomError

from archdsl.analyses.cost import BYTES, Device
from archdsl.diagnostics import ArchError, catalog, did_you_mean, listed
from archdsl.diagnostics.characters import on_one_line

KNOWN = Path(__file__).with_name("devices.toml")
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


def reader(key: str) -> Callable[[Any], float]:
    """Reader of a number, perhaps with a prefix and its unit: `14T`, `900 GB/s`, `5us`."""
    kind = KINDS[key]

    def read(value: Any) -> float:
        text = text_of(value)
        match = QUANTITY.fullmatch(text) if isinstance(value, str | int | float) else None
        if match and match[3] in (*kind.units, ""):
            number = float(match[1]) * PREFIXES[match[2]]
            if kind.least <= number < LARGEST:
                return number
        raise problem(f"{key}: `{text[:40]}` is no such quantity", f"write {kind.example}")

    return read


def text_of(value: Any) -> str:
    """Value as text, also an integer with more digits than Python prints."""
    try:
        return str(value)
    except ValueError:
        return hex(value)


def problem(label: str, help: str) -> PydanticCustomError:
    """Error of a value, for a validator."""
    return PydanticCustomError("device", "{label}", {"label": label, "help": help})


Text = Annotated[str, BeforeValidator(str), AfterValidator(on_one_line)]


class Description(BaseModel):
    """Keys of a device's description. `peak` is one number for all precisions, or a number for each."""

    model_config = ConfigDict(extra="forbid", defer_build=True)

    peak: dict[str, Annotated[float, BeforeValidator(reader("peak"))]]
    bandwidth: Annotated[float, BeforeValidator(reader("bandwidth"))]
    launch: Annotated[float, BeforeValidator(reader("launch"))]
    label: Text | None = None
    source: Text = ""

    @field_validator("peak", mode="before")
    @classmethod
    def by_precision(cls, peak: Any) -> dict[str, Any]:
        """Peaks by precision; raises an error for a precision that is unknown."""
        peaks = cast("dict[str, Any]", peak) if isinstance(peak, dict) else {"": peak}
        unknown = [key for key in peaks if key not in BYTES and key != ""]
        if unknown or not peaks:
            label = f"no precision is called `{unknown[0]}`" if unknown else "no peak"
            raise problem(label, f"precisions are {listed(BYTES)}")
        return peaks


# ---- reading -------------------------------------------------------------------------------------------------------


@cache
def known_devices() -> dict[str, Device]:
    """Devices that come with archdsl, by name."""
    import tomllib

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
    import tomllib

    try:
        data = tomllib.loads(path.read_bytes().decode("utf-8-sig"))
    except OSError as error:
        raise catalog.FILE.error(None, f"{path}: {error.strerror or error}") from None
    except (ValueError, RecursionError) as error:  # of the text's bytes, its TOML, or a number without an end
        raise wrong(f"{path} is not TOML: {str(error)[:120]}") from None
    if len(data) == 1:
        ((name, table),) = data.items()
        if isinstance(table, dict):
            return described(name, cast("dict[str, Any]", table), str(path))
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


def described(name: str, data: dict[str, Any], where: str) -> Device:
    """Device from its keys; raises ArchError for unknown, missing and malformed ones."""
    try:
        found = Description(**data)
    except ValidationError as error:
        raise restated(error, where) from None
    label = on_one_line(name) if found.label is None else found.label
    return Device(on_one_line(name), found.peak, found.bandwidth, found.launch, label, found.source)


def restated(error: ValidationError, where: str) -> ArchError:
    """Pydantic's errors in our words: unknown and missing keys first, else the first malformed value."""
    errors = error.errors(include_url=False)
    keys = [f"unknown key `{each['loc'][0]:.40}`" for each in errors if each["type"] == "extra_forbidden"]
    keys += [f"`{each['loc'][0]}` is missing" for each in errors if each["type"] == "missing"]
    if keys:
        return wrong(
            f"{where}: {'; '.join(keys)}", f"the keys are {listed(Description.model_fields)}, in a line {LINE}"
        )
    context = errors[0].get("ctx", {})
    return wrong(f"{where}: {context.get('label', 'not a description')}", context.get("help", ""))


def wrong(label: str, help: str = "") -> ArchError:
    """Error in a description."""
    return catalog.USAGE.error(None, label, help=help)
