"""Convert the parameters and input sizes of Python callers to values of the language."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from decimal import Decimal
from fractions import Fraction
from numbers import Integral, Real
from os import PathLike
from typing import Any, cast

from archdsl.diagnostics import ArchError, Diagnostic, Source, catalog
from archdsl.syntax.ast import CallArgument, Expression


def given(params: Any) -> dict[str, Any]:
    """Parameters as the language has them; raises ArchError with all that it has no values for."""
    if not isinstance(params, Mapping) or not all(isinstance(name, str) for name in cast("Mapping[Any, Any]", params)):
        help = 'give a dict from names to values, as {"classes": 10}'
        raise catalog.USAGE.error(None, f"`{str(cast('Any', params))[:60]}` does not set parameters", help=help)
    found: dict[str, Any] = {}
    findings: list[Diagnostic] = []
    for name, value in cast("Mapping[str, Any]", params).items():
        try:
            found[name] = parameter(name, value)
        except ArchError as error:
            findings += error.diagnostics
        except (TypeError, ValueError, OverflowError):
            label = f"`{name}`: the language has no value like {type(value).__name__} {str(value)[:40]!r}"
            findings.append(
                catalog.USAGE.at(None, label, help="give a number, a bool, a list, or a text of the language")
            )
    if findings:
        raise ArchError(findings)
    return found


def parameter(name: str, value: Any) -> Any:
    """A value of Python as one of the language.

    Raises TypeError or ValueError for what the language has no value for, and ArchError for a text that is none.
    """
    if isinstance(value, Expression | CallArgument):
        return value
    if isinstance(value, str):
        from archdsl.syntax.parser import parse
        from archdsl.syntax.text import LocatedText

        text = LocatedText.of(Source("params", f"{name}={value}"))
        expression = parse(text.after(len(name) + 1), "expression")
        return CallArgument(text.whole, False, (name,), expression)
    return plain(value)


def plain(value: Any) -> Any:
    """A number, a bool, None, or a row of such, as the language has them."""
    if value is None or isinstance(value, bool | Fraction):
        return value
    if isinstance(value, Integral):
        return int(value)
    if isinstance(value, Real | Decimal):
        return Fraction(str(value))
    if not is_row(value):
        raise TypeError
    return tuple(plain(each) for each in value)


def size_of(input: Any) -> tuple[int, ...] | None:
    """An input size that is asked for, if one is; raises ArchError for anything but three whole numbers."""
    if input is None:
        return None
    sides: list[Any] = list(cast("Iterable[Any]", input)) if is_row(input) else []
    if len(sides) != 3 or any(isinstance(side, bool) or not isinstance(side, Integral) for side in sides):
        raise catalog.USAGE.error(None, f"`{str(input)[:60]}` is not an input size", help="write it as (3, 224, 224)")
    return tuple(int(side) for side in sides)


def is_row(value: Any) -> bool:
    """True if a Python value is an ordered collection, and not a text."""
    return isinstance(value, Iterable) and not isinstance(value, str | bytes | Mapping | Set)


def is_path(value: Any) -> bool:
    """True if a Python value can be the path of a file, or a name."""
    return isinstance(value, str | PathLike)
