"""The one way out of the program: what a command says goes to the standard streams through here.

Names, docs and the words of a command line are anybody's. So all that is written is escaped first; colors, progress and
the workflow commands of `--output-format github` are added behind that, each by a method of its own.
"""

from __future__ import annotations

import codecs
import os
import re
import sys
import traceback
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, TextIO, cast

from archdsl.diagnostics.characters import on_one_line, plain, without_commands

STREAMS = {"stdin": "r", "stdout": "w", "stderr": "w"}
SIMPLER = {"─": "-", "…": "."}
"""What stands for signs of ours where a stream has none of them."""
COLOR = re.compile(r"(\x1b\[(?:0|1|1;3\d)m)")
"""The sequences of our renderer."""
CLEAR_LINE = "\r\x1b[K"
WIDEST_PROGRESS = 100


class SafeStream:
    """A text stream on which nothing steers a terminal or a CI; what it does not say itself, its stream does."""

    def __init__(self, stream: Any) -> None:
        self.stream = stream
        self.begun = False

    def write(self, text: str) -> int:
        """Writes a text for people."""
        self.stream.write(self.harmless(text))
        return len(text)

    def write_colored(self, text: str) -> None:
        """Writes a text in which our renderer has put colors."""
        parts = COLOR.split(text)
        self.stream.write("".join(part if at % 2 else self.harmless(part) for at, part in enumerate(parts)))

    def write_progress(self, text: str) -> None:
        """Replaces the line that says what goes on; with nothing, takes it away."""
        self.stream.write(CLEAR_LINE + on_one_line(text)[:WIDEST_PROGRESS])
        self.stream.flush()

    def write_commands(self, lines: str) -> None:
        """Writes workflow commands, a line each, the texts in which are escaped as such commands have it."""
        self.stream.write("".join(f"::{without_commands(plain(line[2:]))}\n" for line in lines.split("\n")))

    def write_file(self, text: str) -> None:
        """Writes what is to be a file: in UTF-8, as files are, and with all its lines as they are."""
        buffer = getattr(self.stream, "buffer", None)
        if buffer is None or self.stream.isatty():
            self.stream.write(plain(text))
            return
        self.stream.flush()
        buffer.write(plain(text).encode())
        buffer.flush()

    def harmless(self, text: str) -> str:
        """A text with nothing in it that steers a terminal or a CI, given what stands on its line before."""
        lead = "." if self.begun else ""
        last = text.rpartition("\n")[2]
        self.begun = bool(last.strip()) or (self.begun and "\n" not in text)
        return without_commands(lead + plain(text))[len(lead) :]

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


def output(stream: TextIO) -> SafeStream:
    """A stream, made safe if it is not."""
    return stream if isinstance(stream, SafeStream) else SafeStream(stream)


@contextmanager
def safe() -> Generator[None, None, None]:
    """Makes the standard streams safe for as long as a command runs."""
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = (cast("TextIO", output(stream)) for stream in before)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before


def prepare() -> None:
    """Makes the streams of this process safe, for good.

    Streams that whoever started the process has closed lead nowhere; what a stream cannot show, it shows escaped.
    """
    codecs.register_error("legible", legible)
    for name, mode in STREAMS.items():
        stream: Any = getattr(sys, name)
        if stream is None:
            stream = open(os.devnull, mode)  # noqa: SIM115 (open until the end)
        elif mode == "w" and hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="legible")
        setattr(sys, name, output(stream) if mode == "w" else stream)
    sys.excepthook = traceback_without_colors


def traceback_without_colors(kind: type[BaseException], error: BaseException, trace: Any) -> None:
    """Writes a traceback. Python's own hook writes to the terminal itself, in colors."""
    sys.stderr.write("".join(traceback.format_exception(kind, error, trace)))


def legible(error: UnicodeError) -> tuple[str | bytes, int]:
    """What an encoding lacks, by signs alike or as an escape."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    sign = error.object[error.start]
    if sign in SIMPLER:
        return SIMPLER[sign], error.start + 1
    return codecs.backslashreplace_errors(error)


def print_file(text: str) -> None:
    """Prints what is to be a file."""
    output(sys.stdout).write_file(text)
