"""The standard streams of a process: there even if they were closed, and never at a loss for a character."""

from __future__ import annotations

import codecs
import os
import sys
from typing import Any

STREAMS = {"stdin": "r", "stdout": "w", "stderr": "w"}
SIMPLER = {"─": "-", "…": "."}
"""What stands for signs of ours where a stream has none of them."""


def prepare() -> None:
    """Streams that whoever started the process has closed lead nowhere; what a stream cannot show, it shows escaped."""
    codecs.register_error("legible", legible)
    for name, mode in STREAMS.items():
        stream: Any = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, mode))  # noqa: SIM115 (open until the end)
        elif mode == "w" and hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="legible")


def legible(error: UnicodeError) -> tuple[str | bytes, int]:
    """What an encoding lacks, by signs alike or as an escape."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    sign = error.object[error.start]
    if sign in SIMPLER:
        return SIMPLER[sign], error.start + 1
    return codecs.backslashreplace_errors(error)


def print_text(text: str) -> None:
    """Prints what is to be a file: in UTF-8, as files are; on a terminal, so that nothing steers it."""
    buffer: Any = getattr(sys.stdout, "buffer", None)
    if buffer is None or sys.stdout.isatty():
        from archdsl.errors.render import plain

        print(plain(text), end="")
        return
    sys.stdout.flush()
    buffer.write(text.encode("utf-8", "surrogateescape"))
    buffer.flush()
