"""Checks of `expect` against the figures of the network."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable
from fractions import Fraction
from typing import Any, NamedTuple

from archdsl.analyses.cost import LARGEST_BATCH, Load
from archdsl.analyses.figures import FIGURES, Figure, Measured, MemoryOf, Part, Unit, shown_shape
from archdsl.diagnostics import ArchError, Diagnostic, UnlocatedError, catalog, did_you_mean
from archdsl.graph import Graph
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


class Kind(NamedTuple):
    """Kind of amount: its name in a sentence, an example, and its units."""

    phrase: str
    example: str
    units: dict[str, int]


KINDS: dict[Unit, Kind] = {
    "number": Kind("a number", "4.3G", NUMBERS),
    "bytes": Kind("in bytes", "200MB", {"": 1, "B": 1} | BYTES),
    "pixels": Kind("in pixels", "224", {"": 1}),
    "ratio": Kind("a ratio", "12.5", {"": 1}),
}
AMOUNT = re.compile(r"([0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,4})?)([A-Za-z%]*)")
# Figures without a device: of the network alone, and of its sections too.
KNOWN = {name: figure for name, figure in FIGURES.items() if not figure.timed}
OF_SECTIONS = {name: figure for name, figure in KNOWN.items() if not figure.whole}


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
    figure, part = figure_of(asked, check, name)
    if not figure.loaded:
        refuse_load(check, name)
    if not figure.exact and check.sign in {"==", "!="}:
        help = "give it a bound, with `<=` or `>=`"
        raise UnlocatedError(catalog.WRONG_TYPE, f"`{name}` is not an exact figure", help)
    return figure.find(asked, part, load), amount_of(check, KINDS[figure.unit])


def figure_of(asked: Measured, check: Expectation, name: str) -> tuple[Figure, Part]:
    """Figure that a check names, and the part that it is of."""
    *owner, last = check.figure
    part = asked.sections.get(".".join(owner)) if owner else asked.network
    figure = (OF_SECTIONS if owner else KNOWN).get(last)
    if figure is not None and part is not None:
        return figure, part
    if last in FIGURES and last not in KNOWN:
        help = "`archdsl show --device` and `cost_many(device=...)` estimate it"
        raise UnlocatedError(catalog.UNKNOWN_NAME, f"`{last}` is of a device, and a spec names none", help)
    known = [*KNOWN, *asked.sections, *(f"{each}.{of}" for each in asked.sections for of in OF_SECTIONS)]
    help = did_you_mean(name, known) or f"sections by name, their figures as `c3.macs`, and {', '.join(KNOWN)}"
    raise UnlocatedError(catalog.UNKNOWN_NAME, f"no figure is called `{name}`", help)


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


def shape_and_bound(part: Part, check: Expectation) -> tuple[Any, Any]:
    """Actual and expected shape of a section."""
    sides, shape = check.amount.split("x"), part.scope.output
    if not all(side.isdigit() for side in sides) or check.sign not in {"==", "!="}:
        label = f"`{check.amount}` cannot be compared with the shape of `{'.'.join(check.figure)}`"
        raise UnlocatedError(catalog.WRONG_TYPE, label, f"it is {shown(shape)}")
    return shape, tuple(map(int, sides))


def amount_of(check: Expectation, kind: Kind) -> Fraction:
    """Number of a check, multiplied by its unit."""
    match, name = AMOUNT.fullmatch(check.amount), ".".join(check.figure)
    if match is None:
        help = f"`{name}` is {kind.phrase}, as `{kind.example}`"
        raise UnlocatedError(catalog.WRONG_TYPE, f"`{check.amount}` is not an amount", help)
    unit = match[2]
    if unit not in kind.units:
        is_elsewhere = any(unit in other.units for other in KINDS.values())
        label = f"`{name}` is {kind.phrase}, so not in `{unit}`" if is_elsewhere else f"no unit is called `{unit}`"
        help = did_you_mean(unit, filter(None, kind.units)) or "it has no unit"
        raise UnlocatedError(catalog.WRONG_TYPE, label, help)
    return Fraction(match[1]) * kind.units[unit]


def shown(value: Any) -> str:
    """Figure as text."""
    if isinstance(value, tuple):
        return shown_shape(value)  # type: ignore[arg-type]
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
