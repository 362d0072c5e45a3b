"""Columns of results that were worked out one by one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from archdsl.analyses.batch import Costed
from archdsl.analyses.families.rows import Array


def columns_of(figures: Sequence[str], rows: Sequence[Costed]) -> dict[str, Array]:
    """The figures by name, masked where a candidate has errors."""
    wrong = ~valid_of(rows)
    return {name: np.ma.masked_array(column([row.figures.get(name, 0) for row in rows]), wrong) for name in figures}


def valid_of(rows: Sequence[Costed]) -> Array:
    """False for candidates with errors."""
    return np.array([row.error is None for row in rows], bool)


def column(values: Sequence[int | float]) -> Array:
    """Figures as an array: floats if one of them is, else ints, in Python's integers where 64 bits are too few."""
    if any(isinstance(value, float) for value in values):
        return np.array(values, np.float64)
    return np.array(values, np.int64 if all(value < 2**63 for value in values) else object)
