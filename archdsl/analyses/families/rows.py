"""The values of lanes for many candidates at once: exact, in 64 bits where these are enough, else in Python's ints."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import prod
from typing import Any, NamedTuple

import numpy as np

from archdsl.analyses.families.lane import Algebra, Guard, Lane, Monomial

Array = Any
"""A numpy array over candidates."""
Index = Any
"""The numbers of candidates, in order."""

EXACT_FLOATS = 2**52
"""Up to here, a float64 holds every integer, with room for the rounding of the bounds themselves."""
EXACT_INTS = 2**62
BLOCK = 2**15
"""Candidates at a time in a product of matrices: their monomials stay in the cache."""


class Interval(NamedTuple):
    """The least and the greatest value that a lane can have."""

    least: int
    most: int


class Table:
    """The inputs of many candidates: a column for each atom that is an input, filled as they become known."""

    def __init__(self, algebra: Algebra, size: int) -> None:
        self.algebra = algebra
        self.size = size
        self.columns: dict[int, Array] = {}

    def column(self, lane: Lane) -> Array:
        """The column of an input, made when it is first filled."""
        ((atom,),) = lane.terms
        if atom not in self.columns:
            self.columns[atom] = np.zeros(self.size, np.int64)
        return self.columns[atom]

    def fill(self, lane: Lane, index: Index, values: Array | int) -> None:
        """Set the values of an input for some candidates."""
        column = self.column(lane)
        if not isinstance(values, int) and values.dtype.hasobject and not column.dtype.hasobject:
            ((atom,),) = lane.terms
            column = self.columns[atom] = column.astype(object)
        column[index] = values

    def of_one(self, at: int) -> dict[int, int]:
        """The inputs of one candidate."""
        return {atom: int(column[at]) for atom, column in self.columns.items()}


class Rows:
    """Some candidates, by their numbers, and what has been worked out for them."""

    def __init__(self, table: Table, index: Index) -> None:
        self.table = table
        self.index = index
        self.atoms: dict[int, Array] = {}
        self.largest: dict[int, int] = {}

    def __len__(self) -> int:
        return len(self.index)

    def atom(self, number: int) -> Array:
        """The values of an atom."""
        if number not in self.atoms:
            kind, left, right = self.table.algebra.atoms[number]
            if kind == "input":
                found = self.table.columns[number][self.index]
            else:
                divide = np.floor_divide if kind == "//" else np.remainder
                found = divide(self.value(left), self.value(right))
            self.atoms[number] = found
        return self.atoms[number]

    def most(self, number: int) -> int:
        """The largest absolute value of an atom."""
        if number not in self.largest:
            values = self.atom(number)
            self.largest[number] = max(abs(int(values.min())), abs(int(values.max()))) if len(values) else 0
        return self.largest[number]

    def bound(self, terms: Iterable[tuple[Monomial, int]]) -> int:
        """Bound on the absolute value of all partial sums and products of a polynomial."""
        # A factor of 0 counts as 1, so that the bound holds for the products on the way, too.
        return sum(abs(each) * prod(max(self.most(atom), 1) for atom in monomial) for monomial, each in terms)

    def monomial(self, monomial: Monomial, kind: Any, known: dict[Monomial, Array]) -> Array:
        """The product of some atoms; `known` are those found before, as monomials begin alike."""
        if monomial not in known:
            if not monomial:
                return 1
            values = self.atom(monomial[-1])
            values = values if values.dtype == kind else values.astype(kind)
            known[monomial] = values * self.monomial(monomial[:-1], kind, known) if len(monomial) > 1 else values
        return known[monomial]

    def value(self, number: Lane | int) -> Array:
        """The values of a lane; a plain int stays one."""
        if isinstance(number, int):
            return number
        terms = number.terms
        if len(terms) == 1:
            ((monomial, coefficient),) = terms.items()
            if coefficient == 1 and len(monomial) == 1:
                return self.atom(monomial[0])
        kind = np.int64 if self.bound(terms.items()) < EXACT_INTS else object
        known: dict[Monomial, Array] = {}
        total: Array = terms.get((), 0)
        for monomial, coefficient in terms.items():
            if monomial:
                values = self.monomial(monomial, kind, known)
                total = total + (values if coefficient == 1 else values * coefficient)
        return total

    def answers(self, guard: Guard) -> Array:
        """The answers of all candidates to a question."""
        values = self.value(guard.lane)
        return values if guard.question == "value" else values < 0 if guard.question == "negative" else values == 0

    def part(self, index: Index) -> Rows:
        """Those of these candidates."""
        return Rows(self.table, index)


class Domain:
    """The intervals of lanes among some candidates, from those of the inputs."""

    def __init__(self, rows: Rows) -> None:
        self.rows = rows
        self.atoms: dict[int, Interval | None] = {}
        self.lanes: dict[Lane, Interval | None] = {}

    def decide(self, guard: Guard) -> int | None:
        """The answer to a question, if all candidates have the same by their domain."""
        found = self.of(guard.lane)
        if found is None:
            return None
        least, most = found
        match guard.question:
            case "negative":
                return True if most < 0 else False if least >= 0 else None
            case "zero":
                return False if least > 0 or most < 0 else True if least == most == 0 else None
            case _:
                return least if least == most else None

    def of(self, number: Lane | int) -> Interval | None:
        """The interval of a lane; None where none is known."""
        if isinstance(number, int):
            return Interval(number, number)
        if number not in self.lanes:
            self.lanes[number] = self.work_out(number)
        return self.lanes[number]

    def work_out(self, lane: Lane) -> Interval | None:
        """The sum of the intervals of the terms."""
        least = most = 0
        for monomial, coefficient in lane.terms.items():
            low = high = coefficient
            for atom in monomial:
                if (each := self.of_atom(atom)) is None:
                    return None
                corners = (low * each.least, low * each.most, high * each.least, high * each.most)
                low, high = min(corners), max(corners)
            least, most = least + low, most + high
        return Interval(least, most)

    def size(self, monomial: Monomial, rows: Rows) -> int:
        """Bound on the absolute value of a monomial, and of the products on the way to it, for some candidates."""
        return prod(max(self.most(atom, rows), 1) for atom in monomial)

    def most(self, atom: int, rows: Rows) -> int:
        """The largest absolute value of an atom, by its interval, or else by its values."""
        found = self.of_atom(atom)
        return rows.most(atom) if found is None else max(abs(found.least), abs(found.most))

    def of_atom(self, number: int) -> Interval | None:
        """The interval of an atom; computed once."""
        if number not in self.atoms:
            kind, left, right = self.rows.table.algebra.atoms[number]
            if kind == "input":
                values = self.rows.table.columns[number][self.rows.index]
                self.atoms[number] = Interval(int(values.min()), int(values.max()))
            else:
                self.atoms[number] = divided(kind, self.of(left), self.of(right))
        return self.atoms[number]


def divided(kind: str, left: Interval | None, right: Interval | None) -> Interval | None:
    """The interval of a quotient or a remainder; None where the divisor may be 0 or less."""
    if right is None or right.least < 1:
        return None
    if kind == "%":
        within = left is not None and left.least >= 0 and left.most < right.least
        return left if within else Interval(0, right.most - 1)
    if left is None:
        return None
    corners = [side // by for side in left for by in right]
    return Interval(min(corners), max(corners))


class Form:
    """Several lanes worked out together: coefficients times monomials."""

    def __init__(self, numbers: Sequence[Lane | int]) -> None:
        self.numbers = numbers
        lanes = [(at, number) for at, number in enumerate(numbers) if isinstance(number, Lane)]
        self.varying = [at for at, _ in lanes]
        self.monomials = list(dict.fromkeys(monomial for _, lane in lanes for monomial in lane.terms))
        self.terms = [[lane.terms.get(monomial, 0) for monomial in self.monomials] for _, lane in lanes]
        self.matrix = np.array(self.terms, np.float64).reshape(len(lanes), len(self.monomials))

    def values(self, rows: Rows, domain: Domain) -> list[Array | int]:
        """The values of each lane; a plain int stays one."""
        found: list[Array | int] = list(self.numbers)
        if self.varying:
            kind = self.kind(rows, domain)
            for at, values in zip(self.varying, self.products(rows, kind), strict=True):
                found[at] = values
        return found

    def kind(self, rows: Rows, domain: Domain) -> Any:
        """The numbers that the values, and all sums and products on the way, are exact in."""
        sizes = [domain.size(monomial, rows) for monomial in self.monomials]
        # All partial sums are integers within this bound, in whatever order they are added up.
        bound = float(np.max(np.abs(self.matrix) @ np.array(sizes, np.float64)))
        return np.float64 if bound < EXACT_FLOATS else np.int64 if bound < EXACT_INTS else object

    def products(self, rows: Rows, kind: Any) -> Array:
        """A row for each lane, a column for each candidate."""
        matrix = self.matrix if kind is np.float64 else np.array(self.terms, kind)
        found = np.empty((len(matrix), len(rows)), object if kind is object else np.int64)
        for start in range(0, len(rows), BLOCK):
            part = rows if len(rows) <= BLOCK else rows.part(rows.index[start : start + BLOCK])
            columns = np.empty((len(self.monomials), len(part)), kind)
            known: dict[Monomial, Array] = {}
            for at, monomial in enumerate(self.monomials):
                columns[at] = part.monomial(monomial, kind, known)
            found[:, start : start + BLOCK] = matrix @ columns
        return found
