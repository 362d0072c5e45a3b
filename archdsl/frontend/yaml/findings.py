"""What has been found wrong so far. Reading goes on after a finding, so that one run shows them all."""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, TypeVar

from archdsl.errors import ArchError, Diagnostic, Rule, Span
from archdsl.errors.diagnostic import MOST_FINDINGS

P = ParamSpec("P")
T = TypeVar("T")


class Findings:
    """The findings of one file."""

    def __init__(self) -> None:
        self.found: list[Diagnostic] = []

    def add(self, rule: Rule, span: Span | None, label: str, help: str = "") -> None:
        """One more."""
        self.extend([rule.at(span, label, help=help)])

    def extend(self, findings: list[Diagnostic]) -> None:
        """Several more; raises where there are too many to go on."""
        self.found += findings
        if len(self.found) >= MOST_FINDINGS:
            self.report()

    def attempt(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T | None:
        """The result of some work, or None where it has findings."""
        try:
            return work(*args, **kwargs)
        except ArchError as error:
            self.extend(error.diagnostics)
            return None

    def report(self, rest: object = None) -> None:
        """Raises if anything was found, in the order of its places, and one finding at each: the first says most.

        `rest` is what can be read all the same.
        """
        if self.found:
            first = {each.span: each for each in reversed(self.found)}
            found = sorted(first.values(), key=lambda each: each.span.start if each.span else 0)
            raise ArchError(found[:MOST_FINDINGS], rest)
