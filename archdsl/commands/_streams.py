"""Standard streams that escape everything they are given.

Names, docs and the words of a command line are anybody's text, so whatever is written is escaped first. Colors,
progress and the workflow commands of `--format github` are added after that, each by a method of its own.
"""

from __future__ import annotations

import codecs
import os
import re
import sys
import traceback
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from typing import Any, TextIO, cast

from archdsl.diagnostics import Diagnostic
from archdsl.diagnostics.characters import on_one_line, plain, without_commands
from archdsl.diagnostics.diagnostic import render

STREAMS = {"stdin": "r", "stdout": "w", "stderr": "w"}
# Replacements for our characters on streams that cannot encode them.
SIMPLER = {"─": "-", "…": "."}
# Escape sequences of our renderer.
COLOR = re.compile(r"(\x1b\[(?:0|1|1;3\d)m)")
CLEAR_LINE = "\r\x1b[K"
WIDEST_PROGRESS = 100


class SafeStream:
    """Text stream on which no text can control a terminal or a CI; other attributes are those of its stream."""

    def __init__(self, stream: Any) -> None:
        self.stream = stream
        self.begun = False

    def write(self, text: str) -> int:
        """Write text for people."""
        self.stream.write(self.harmless(text))
        return len(text)

    def write_colored(self, text: str) -> None:
        """Write text with the colors of our renderer."""
        parts = COLOR.split(text)
        self.stream.write("".join(part if at % 2 else self.harmless(part) for at, part in enumerate(parts)))

    def write_progress(self, text: str) -> None:
        """Replace the line that shows the progress; an empty text clears it."""
        self.stream.write(CLEAR_LINE + on_one_line(text)[:WIDEST_PROGRESS])
        self.stream.flush()

    def write_commands(self, lines: str) -> None:
        """Write workflow commands, one a line, whose texts are already escaped as such."""
        self.stream.write("".join(f"::{without_commands(plain(line[2:]))}\n" for line in lines.split("\n")))

    def write_file(self, text: str) -> None:
        """Write the content of a file: in UTF-8, with its line ends."""
        buffer = getattr(self.stream, "buffer", None)
        if buffer is None or self.stream.isatty():
            self.stream.write(plain(text))
            return
        self.stream.flush()
        buffer.write(plain(text).encode())
        buffer.flush()

    def harmless(self, text: str) -> str:
        """Text without control characters or workflow commands."""
        # A command counts at the start of a line only, so the text already on the line matters.
        lead = "." if self.begun else ""
        last = text.rpartition("\n")[2]
        self.begun = bool(last.strip()) or (self.begun and "\n" not in text)
        return without_commands(lead + plain(text))[len(lead) :]

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


def output(stream: TextIO) -> SafeStream:
    """Safe stream around a stream."""
    return stream if isinstance(stream, SafeStream) else SafeStream(stream)


@contextmanager
def safe() -> Generator[None, None, None]:
    """Make the standard streams safe while a command runs."""
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = (cast("TextIO", output(stream)) for stream in before)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before


def prepare() -> None:
    """Make the streams of this process safe for good.

    Streams that the parent process has closed lead to the null device; characters that a stream cannot encode are
    escaped.
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
    """Write a traceback to the safe stream."""
    # Python's own hook writes colors to the terminal itself.
    sys.stderr.write("".join(traceback.format_exception(kind, error, trace)))


def legible(error: UnicodeError) -> tuple[str | bytes, int]:
    """Codec error handler: a simpler character, or an escape."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    sign = error.object[error.start]
    if sign in SIMPLER:
        return SIMPLER[sign], error.start + 1
    return codecs.backslashreplace_errors(error)


def print_file(text: str) -> None:
    """Print the content of a file."""
    output(sys.stdout).write_file(text)


# ---- findings -----------------------------------------------------------------------------------------------------


def print_findings(findings: Iterable[Diagnostic], stream: TextIO, behind: str = "\n") -> None:
    """Print findings, in color if the stream shows colors, and the text `behind`."""
    output(stream).write_colored(render(findings, color=has_color(stream)))
    stream.write(behind)


def has_color(stream: TextIO) -> bool:
    """Tell whether a stream shows colors: a terminal does, unless NO_COLOR is set (https://no-color.org).

    FORCE_COLOR asks for them elsewhere, as in the logs of a CI.
    """
    if os.environ.get("NO_COLOR"):
        return False
    return bool(os.environ.get("FORCE_COLOR")) or (stream.isatty() and os.environ.get("TERM") != "dumb")
