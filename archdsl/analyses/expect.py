"""`expect`: what a spec says that it comes to, held against what it does come to."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable
from fractions import Fraction
from typing import Any, NamedTuple

from archdsl.analyses.cost import Figures
from archdsl.errors import Diagnostic, catalog, did_you_mean
from archdsl.lang.document import Check

SIGNS: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<=": operator.le,
    ">=": operator.ge,
    "<": operator.lt,
    ">": operator.gt,
}
UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}
BYTES = {"KB": 10**3, "MB": 10**6, "GB": 10**9, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}
FIGURES = ("params", "buffers", "macs", "activations", "n_conv", "n_norm", "n_linear")
AMOUNT = re.compile(r"([0-9.]+(?:[eE][+-]?[0-9]+)?)([A-Za-z%]*)")


class Outcome(NamedTuple):
    """A check and what it found."""

    check: Check
    actual: str
    finding: Diagnostic | None


def hold(figures: Figures, checks: Iterable[Check]) -> list[Outcome]:
    """Each check against the figures."""
    return [outcome(figures, check) for check in checks]


def outcome(figures: Figures, check: Check) -> Outcome:
    """One check against the figures."""
    known = actual_values(figures)
    name = ".".join(check.figure)
    if name not in known:
        help = did_you_mean(name, known) or "sections by name, their figures as `c3.macs`, and " + ", ".join(FIGURES)
        return Outcome(check, "", catalog.UNKNOWN_NAME.at(check.span, f"no figure is called `{name}`", help=help))
    actual = known[name]
    wanted = shape_of(check.amount) if isinstance(actual, tuple) else amount_of(check.amount)
    if wanted is None or (isinstance(actual, tuple) and check.sign not in {"==", "!="}):
        label = f"`{check.amount}` is nothing that `{name}` can be held against"
        return Outcome(check, shown(actual), catalog.WRONG_TYPE.at(check.span, label, help=f"it is {shown(actual)}"))
    if SIGNS[check.sign](actual, wanted):
        return Outcome(check, shown(actual), None)
    return Outcome(check, shown(actual), catalog.EXPECT.at(check.span, f"`{name}` is {shown(actual)}"))


def actual_values(figures: Figures) -> dict[str, Any]:
    """All figures by the names that `expect` has for them."""
    values: dict[str, Any] = {name: getattr(figures.totals, name) for name in FIGURES}
    values |= {"training_params": figures.training_params, "training_macs": figures.training_macs}
    for section, totals in figures.rows:
        values[section.name] = section.shape
        values |= {f"{section.name}.{name}": getattr(totals, name) for name in FIGURES}
    return values


def shape_of(text: str) -> tuple[int, ...] | None:
    """The shape that a text says."""
    sides = text.split("x")
    return tuple(map(int, sides)) if all(side.isdigit() for side in sides) else None


def amount_of(text: str) -> Fraction | None:
    """The number that a text says, its unit multiplied out."""
    match = AMOUNT.fullmatch(text)
    if match is None or match[2] not in UNITS | BYTES:
        return None
    return Fraction(match[1]) * (UNITS | BYTES)[match[2]]


def shown(value: Any) -> str:
    """A figure as text."""
    return "x".join(map(str, value)) if isinstance(value, tuple) else f"{value:,}"
