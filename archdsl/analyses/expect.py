"""Checks of `expect` against the figures of the network."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable
from fractions import Fraction
from typing import Any, NamedTuple

from archdsl.analyses.figures import FIGURES as KNOWN
from archdsl.analyses.figures import Figure, Load, Measured, MemoryOf, Unit
from archdsl.diagnostics import ArchError, Diagnostic, UnlocatedError, catalog, did_you_mean
from archdsl.graph import Graph, Section
from archdsl.syntax.ast import Expectation

SIGNS: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<=": operator.le,
    ">=": operator.ge,
    "<": operator.lt,
    ">": operator.gt,
}
NUMBERS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}
BYTES = {"KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40}
UNITS: dict[Unit, dict[str, int]] = {
    "number": NUMBERS,
    "bytes": {"": 1, "B": 1} | BYTES,
    "pixels": {"": 1},
    "ratio": {"": 1},
}
MEANT: dict[Unit, str] = {"number": "a number", "bytes": "in bytes", "pixels": "in pixels", "ratio": "a ratio"}
AMOUNT = re.compile(r"([0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,4})?)([A-Za-z%]*)")
# Figures that the network and its sections have.
FIGURES = tuple(name for name, figure in KNOWN.items() if not figure.whole)
TRAINING = ("training_params", "training_macs")
# Figures that only the network has.
WHOLE = (*TRAINING, *(name for name, figure in KNOWN.items() if figure.whole))
LARGEST_BATCH = 10**6


class Outcome(NamedTuple):
    """Check, and its result."""

    check: Expectation
    actual: str
    finding: Diagnostic | None


def check_all(graph: Graph, checks: Iterable[Expectation], memory: MemoryOf) -> list[Outcome]:
    """Evaluate each check against the figures of a network."""
    asked = Measured(graph, memory)
    return [outcome(asked, check) for check in checks]


def outcome(asked: Measured, check: Expectation) -> Outcome:
    """Evaluate one check."""
    try:
        actual, wanted = actual_and_expected(asked, check)
    except UnlocatedError as unfit:
        return Outcome(check, "", unfit.at(check.span))
    except ArchError as error:
        first = error.diagnostics[0]
        return Outcome(check, "", catalog.UNKNOWN_NAME.at(check.span, first.label, help=first.help))
    if SIGNS[check.sign](actual, wanted):
        return Outcome(check, shown(actual), None)
    label = f"`{'.'.join(check.figure)}` is {shown(actual)}{in_unit(actual, check.amount)}"
    # Only a check that a copied figure would satisfy gets one as its help.
    bound = {"==": "", "<": "<= ", "<=": "<= ", ">": ">= ", ">=": ">= "}.get(check.sign)
    right = bound is not None and (bound == "" or type(actual) is int)
    help = f"if that is right, expect `{bound}{exact(actual)}`" if right else ""
    return Outcome(check, shown(actual), catalog.EXPECT.at(check.span, label, help=help))


def in_unit(value: Any, amount: str) -> str:
    """Bytes again, in the unit of the check."""
    match = AMOUNT.fullmatch(amount)
    return f" bytes ({value / BYTES[match[2]]:,.2f} {match[2]})" if match and match[2] in BYTES else ""


def exact(value: Any) -> str:
    """Figure in the notation of `expect`."""
    return shown(value).replace(",", "_")


def actual_and_expected(asked: Measured, check: Expectation) -> tuple[Any, Any]:
    """Actual and expected value of a check; raises UnlocatedError if there are none."""
    name, load = ".".join(check.figure), load_of(check)
    if name in asked.sections:
        refuse_load(check, name)
        return shape_and_bound(asked.sections[name], check)
    if name in TRAINING:
        refuse_load(check, name)
        of = name.removeprefix("training_")
        parts = [asked.totals(section) for section in asked.sections.values() if section.training_only]
        return sum(getattr(totals, of) for totals in parts), amount_of(check, "number")
    figure, section = figure_of(asked, check, name)
    if not figure.loaded:
        refuse_load(check, name)
    if not figure.exact and check.sign in {"==", "!="}:
        raise UnlocatedError(
            catalog.WRONG_TYPE, f"`{name}` is not an exact figure", "give it a bound, with `<=` or `>=`"
        )
    return figure.find(asked, section, load), amount_of(check, figure.unit)


def figure_of(asked: Measured, check: Expectation, name: str) -> tuple[Figure, Section | None]:
    """Figure that a check names, and its section."""
    *owner, last = check.figure
    section = asked.sections.get(".".join(owner)) if owner else None
    figure = KNOWN.get(last)
    if figure is None or (owner and (section is None or figure.whole)):
        known = [*KNOWN, *TRAINING, *asked.sections, *(f"{each}.{of}" for each in asked.sections for of in FIGURES)]
        help = did_you_mean(name, known) or f"sections by name, their figures as `c3.macs`, and {', '.join(KNOWN)}"
        raise UnlocatedError(catalog.UNKNOWN_NAME, f"no figure is called `{name}`", help)
    return figure, section


def load_of(check: Expectation) -> Load:
    """Batch and precision of a check."""
    batch = 1 if check.batch is None else check.batch
    if not 0 < batch <= LARGEST_BATCH:
        raise UnlocatedError(catalog.OUT_OF_RANGE, f"a batch of {batch}", f"a batch has 1 to {LARGEST_BATCH:,} samples")
    return Load(batch, check.precision or "fp32")


def refuse_load(check: Expectation, name: str) -> None:
    """Raise UnlocatedError if a batch is given for a figure that does not depend on it."""
    if check.batch is not None or check.precision:
        raise UnlocatedError(
            catalog.UNUSED, f"no batch or precision changes `{name}`", "leave out what follows the amount"
        )


def shape_and_bound(section: Section, check: Expectation) -> tuple[Any, Any]:
    """Actual and expected shape of a section."""
    sides = check.amount.split("x")
    if not all(side.isdigit() for side in sides) or check.sign not in {"==", "!="}:
        label = f"`{check.amount}` cannot be compared with the shape of `{section.name}`"
        raise UnlocatedError(catalog.WRONG_TYPE, label, f"it is {shown(section.shape)}")
    return section.shape, tuple(map(int, sides))


def amount_of(check: Expectation, unit: Unit) -> Fraction:
    """Number of a check, multiplied by its unit."""
    match, known = AMOUNT.fullmatch(check.amount), UNITS[unit]
    name = ".".join(check.figure)
    if match is None:
        raise UnlocatedError(
            catalog.WRONG_TYPE, f"`{check.amount}` is not an amount", f"`{name}` is {MEANT[unit]}, as {example(unit)}"
        )
    if match[2] not in known:
        units = [each for each in known if each]
        everywhere = {each for of_kind in UNITS.values() for each in of_kind}
        known_elsewhere = f"`{name}` is {MEANT[unit]}, so not in `{match[2]}`"
        label = known_elsewhere if match[2] in everywhere else f"no unit is called `{match[2]}`"
        raise UnlocatedError(catalog.WRONG_TYPE, label, did_you_mean(match[2], units) or "it has no unit")
    return Fraction(match[1]) * known[match[2]]


def example(unit: Unit) -> str:
    """Amount in the notation of a spec."""
    return {"number": "`4.3G`", "bytes": "`200MB`", "pixels": "`224`", "ratio": "`12.5`"}[unit]


def shown(value: Any) -> str:
    """Figure as text."""
    if isinstance(value, tuple):
        return "x".join(map(str, value))  # type: ignore[arg-type]
    if isinstance(value, float):
        whole = value.is_integer()
        return "the whole map" if value == float("inf") else f"{value:,.0f}" if whole else f"{value:,.2f}"
    return f"{value:,}"


def text_of(check: Expectation) -> str:
    """Check as its author wrote it."""
    load = "" if check.batch is None else f" at batch {check.batch}"
    return (
        f"{'.'.join(check.figure)} {check.sign} {check.amount}{load}{f' {check.precision}' if check.precision else ''}"
    )
