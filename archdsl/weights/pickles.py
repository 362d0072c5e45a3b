"""Which names a pickle asks for, found without running any of it: for the message of why it is refused."""

from __future__ import annotations

import re
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from pickletools import genops
from typing import Any
from zipfile import ZipFile, is_zipfile

TOLD = re.compile(r"GLOBAL (\S+) (?:was not an allowed|whose module)")
"""How PyTorch names the global that it refuses."""
HARMLESS = re.compile(r"(?:torch|collections|_codecs)\b|(?:__builtin__|builtins)\.(?:set|list|dict|bytearray|complex)$")
LARGEST = 1 << 26
"""So many bytes of pickles are looked at."""
IN_A_ROW = 5
"""So many pickles a file of the older format has."""


def wanted(path: Path, message: str) -> list[str]:
    """The globals that a file asks for and that nobody should give it; `message` is what PyTorch says."""
    told = TOLD.findall(message)
    return list(dict.fromkeys(name for name in asked(path) if name in told or not HARMLESS.match(name)))


def asked(path: Path) -> Iterator[str]:
    """All globals in a file's pickles, as far as they can be read."""
    try:
        row = BytesIO(pickled(path))
        for _ in range(IN_A_ROW):
            yield from names(row)
    except Exception:
        return


def pickled(path: Path) -> bytes:
    """The bytes of a file that are pickles."""
    if not is_zipfile(path):
        with path.open("rb") as file:
            return file.read(LARGEST)
    with ZipFile(path) as archive:
        inner = next(name for name in archive.namelist() if name.rpartition("/")[2] == "data.pkl")
        with archive.open(inner) as file:
            return file.read(LARGEST)


def names(row: BytesIO) -> Iterator[str]:
    """The globals of the next pickle in a row: of older ones in one operation, of newer ones off the stack."""
    texts: list[str] = ["", ""]
    memo: list[Any] = []
    for operation, value, _ in genops(row):
        if operation.name == "GLOBAL":
            yield str(value).replace(" ", ".")
        elif operation.name == "STACK_GLOBAL":
            yield ".".join(texts[-2:])
        elif operation.name == "MEMOIZE":
            memo.append(texts[-1])
        elif operation.name in {"BINGET", "LONG_BINGET"} and isinstance(value, int) and value < len(memo):
            texts.append(memo[value])
        elif isinstance(value, str):
            texts.append(value)
