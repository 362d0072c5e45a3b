"""Findings as people read them: in color on a terminal, plain elsewhere."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TextIO

from archdsl.errors import Diagnostic
from archdsl.errors.render import render


def rendered(findings: Iterable[Diagnostic], stream: TextIO) -> str:
    """Findings, as the stream that they are for can show them."""
    return render(findings, color=has_color(stream))


def has_color(stream: TextIO) -> bool:
    """Whether a stream shows colors: a terminal does, unless NO_COLOR is set (https://no-color.org).

    FORCE_COLOR asks for them elsewhere: the logs of many a CI show them.
    """
    if os.environ.get("NO_COLOR"):
        return False
    return bool(os.environ.get("FORCE_COLOR")) or (stream.isatty() and os.environ.get("TERM") != "dumb")
