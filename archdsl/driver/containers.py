"""Find the manifest in a file of weights or a program: safetensors, zip archives of PyTorch, ONNX, or a folder.

Files are read as data, within bounds, and nothing in them is run. Neither torch nor onnx is needed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import Any, NamedTuple, cast
from zipfile import BadZipFile

from archdsl.diagnostics import catalog
from archdsl.driver.manifest import KEY, LONGEST, MEMBER, Manifest
from archdsl.weights.pickles import Unreadable
from archdsl.weights.torch_save import listed, member

CONFIG = "config.json"
WEIGHTS = "model.safetensors"
FORMATS = (".safetensors", ".pt", ".pth", ".pt2", ".ts", ".onnx")
"""Suffixes of files with a manifest."""
HEADER = 100_000_000
"""Longest header of a safetensors file, the format's own limit."""
TABLE = "archdsl.tensors.json"
"""Name of the table of weights among the members of a program's archive."""
MOST_FIELDS = 1_000_000
"""Number of fields that are looked at in an ONNX model, besides those inside its graph."""
METADATA = 14
"""Number of the field of an ONNX model with the metadata, a key (1) and a value (2) each."""


def is_container(path: str | Path) -> bool:
    """True for a folder, or a file that may have a manifest, by its suffix."""
    place = Path(path)
    try:
        return place.suffix in FORMATS or (place.is_dir() and (place / CONFIG).is_file())
    except (OSError, ValueError):
        return False


def read_manifest(path: str | Path) -> Manifest:
    """The manifest of a file or a folder; raises ArchError if it has none, or a broken one."""
    place = Path(path)
    try:
        text = from_folder(place) if place.is_dir() else from_file(place)
    except Unreadable as error:
        raise catalog.FILE.error(None, f"{place} {error.label}", help=error.help) from None
    except (OSError, ValueError) as error:
        raise catalog.FILE.error(None, f"{place}: {getattr(error, 'strerror', None) or str(error)[:200]}") from None
    if text is None:
        help = "archdsl stores it in the files that it writes; for others, name the spec"
        raise catalog.FILE.error(None, f"{place} does not say of which spec it is", help=help)
    return Manifest.from_json(text, str(place))


def from_folder(folder: Path) -> str | None:
    """Manifest in the configuration of a folder."""
    path = folder / CONFIG
    if path.stat().st_size > 2 * LONGEST:
        raise catalog.TOO_LARGE.error(None, f"{path} has more than {2 * LONGEST:,} bytes")
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except RecursionError:
        raise Unreadable("has a configuration that nests too deeply", "get it again") from None
    record: Any = cast("dict[str, Any]", found).get(KEY) if isinstance(found, dict) else None
    return None if record is None else json.dumps(record)


def from_file(path: Path) -> str | bytes | None:
    """Manifest in a file, told by its first bytes."""
    with path.open("rb") as file:
        head = file.read(16)
        if head[:4] == b"PK\3\4":
            return from_archive(path)
        if head[8:9] == b"{":
            return from_safetensors(file, int.from_bytes(head[:8], "little"))
        if not head:
            raise Unreadable("is empty", "get it again")
        with mmap(file.fileno(), 0, access=ACCESS_READ) as content:
            return from_onnx(content)


def from_safetensors(file: Any, length: int) -> str | None:
    """Manifest in the header of a safetensors file."""
    if length > HEADER:
        raise Unreadable(f"says that its header has {length:,} bytes", "get it again")
    file.seek(8)
    try:
        metadata = json.loads(file.read(length)).get("__metadata__", {})
        found = metadata.get(KEY)
    except (ValueError, AttributeError, RecursionError):
        raise Unreadable("is no valid safetensors file", "get it again") from None
    return found if isinstance(found, str) else None


def from_archive(path: Path, name: str = MEMBER) -> bytes | None:
    """Manifest, or the table of weights, among the members of a zip archive."""
    found = [each for each in listed(path, path.stat().st_size) if each.filename.endswith(f"/extra/{name}")]
    if not found:
        return None
    if len(found) > 1 or found[0].file_size > LONGEST:
        raise Unreadable(f"holds more than one `{name}`, or one that is too long", "get it again")
    try:
        return member(path, found[0], LONGEST)
    except (BadZipFile, NotImplementedError, RuntimeError, EOFError) as error:
        raise Unreadable(f"is broken: {str(error)[:100]}", "get it again") from None


# ---- ONNX ----------------------------------------------------------------------------------------------------------


class WireField(NamedTuple):
    """Field of a message of protocol buffers: its number, and the place of its bytes; or a number."""

    number: int
    start: int
    end: int
    value: int = 0


def wire_fields(content: Any, start: int, end: int) -> Iterator[WireField]:
    """Fields of a message; raises Unreadable where the bytes are none."""
    for _ in range(MOST_FIELDS):
        if start >= end:
            return
        tag, start = varint(content, start, end)
        number, kind = tag >> 3, tag & 7
        value = 0
        if kind == 0:
            value, after = varint(content, start, end)
        elif kind == 2:
            length, start = varint(content, start, end)
            after = start + length
        elif kind in FIXED:
            after = start + FIXED[kind]
        else:
            raise Unreadable(*NO_MODEL)
        if after > end or not number:
            raise Unreadable(*NO_MODEL)
        yield WireField(number, start, after, value)
        start = after
    raise Unreadable(*NO_MODEL)


FIXED = {1: 8, 5: 4}
NO_MODEL = "is neither safetensors nor a file of PyTorch nor an ONNX model", "name one of these, or a spec"


def varint(content: Any, start: int, end: int) -> tuple[int, int]:
    """Number of variable length, and the place after it."""
    value = 0
    for at in range(start, min(start + 10, end)):
        byte = content[at]
        value |= (byte & 127) << (7 * (at - start))
        if byte < 128:
            return value, at + 1
    raise Unreadable(*NO_MODEL)


def from_onnx(content: Any) -> bytes | None:
    """Manifest among the metadata of an ONNX model."""
    found = None
    for field in wire_fields(content, 0, len(content)):
        if field.number == METADATA:
            parts = {each.number: each for each in wire_fields(content, field.start, field.end)}
            if 1 in parts and 2 in parts and content[parts[1].start : parts[1].end] == KEY.encode():
                value = parts[2]
                if found is not None or value.end - value.start > LONGEST:
                    raise Unreadable("holds more than one spec, or one that is too long", "get it again")
                found = content[value.start : value.end]
    return found
