"""Findings as people read them: in color on a terminal, plain elsewhere."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TextIO

from archdsl.commands._streams import output
from archdsl.diagnostics import Diagnostic
from archdsl.diagnostics.render import render


def print_findings(findings: Iterable[Diagnostic], stream: TextIO, behind: str = "\n") -> None:
    """Prints findings as a stream can show them, and a text behind them."""
    output(stream).write_colored(render(findings, color=has_color(stream)))
    stream.write(behind)


def has_color(stream: TextIO) -> bool:
    """Whether a stream shows colors: a terminal does, unless NO_COLOR is set (https://no-color.org).

    FORCE_COLOR asks for them elsewhere: the logs of many a CI show them.
    """
    if os.environ.get("NO_COLOR"):
        return False
    return bool(os.environ.get("FORCE_COLOR")) or (stream.isatty() and os.environ.get("TERM") != "dumb")
