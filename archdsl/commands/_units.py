"""Numbers for people, in the unit that suits."""

from __future__ import annotations

UNIT = 1000


def seconds(value: float) -> str:
    """A time in the unit that suits."""
    for factor, unit in ((1.0, "s"), (1e3, "ms")):
        if value * factor >= 1:
            return f"{value * factor:,.2f} {unit}"
    return f"{value * 1e6:,.1f} us"


def rate(value: float) -> str:
    """So many a second."""
    return f"{value / 1e9:,.1f} G"


def count(value: int) -> str:
    """A number with its thousands apart."""
    return f"{value:,}"


def ratio(value: float) -> str:
    """A number with one place."""
    return f"{value:,.1f}"


def size(value: float) -> str:
    """Bytes in the unit that suits."""
    units = ("B", "KB", "MB", "GB", "TB")
    power = 0
    while value >= UNIT and power < len(units) - 1:
        value, power = value / UNIT, power + 1
    return f"{value:,.2f} {units[power]}" if power else f"{value} B"
