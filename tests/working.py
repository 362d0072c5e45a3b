"""Bounds on work that do not depend on the clock, so that no load of the machine decides a test."""

from __future__ import annotations

import faulthandler
import sys
from collections.abc import Generator
from contextlib import contextmanager
from types import FrameType


class Endless(BaseException):
    """More work than was expected: nobody who handles errors may take it for one."""


class Work:
    """The calls of functions, Python's own among them, that were made so far."""

    def __init__(self, most: float) -> None:
        self.most = most
        self.calls = 0

    def count(self, frame: FrameType, event: str, value: object) -> None:
        """Counts a call; raises where there are too many."""
        if event in {"call", "c_call"}:
            self.calls += 1
            if self.calls > self.most:
                sys.setprofile(None)
                raise Endless(f"more than {self.most:,} calls of functions")


@contextmanager
def bounded(most: float) -> Generator[Work]:
    """Raises as soon as more than so many calls are made in this thread."""
    work, before = Work(most), sys.getprofile()
    sys.setprofile(work.count)
    try:
        yield work
    finally:
        sys.setprofile(before)


PATIENCE = 900.0
"""Seconds: far more than anything takes, on any machine."""


@contextmanager
def watched() -> Generator[None]:
    """Ends the process, with a traceback, where something hangs that makes too many calls to count them."""
    faulthandler.dump_traceback_later(PATIENCE, exit=True)
    try:
        yield
    finally:
        faulthandler.cancel_dump_traceback_later()
