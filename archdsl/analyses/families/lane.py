"""Numbers that differ among the candidates of a family: polynomials over atoms, with the value that a leader has.

An atom is an input (a number of a parameter, the channels of a tensor), or a quotient or a remainder of two
polynomials that is no polynomial itself. Equal polynomials are one object, so memos find them by identity. A comparison
gives the leader's answer, and the tape notes it as a guard: other candidates go the leader's way as far as their own
answers are the same.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from fractions import Fraction
from math import gcd, prod
from typing import Any, Literal, NamedTuple

from archdsl.elaborate.numbers import Varying

Monomial = tuple[int, ...]
"""Atoms by number, in order, each as often as its power says; empty for the constant."""

Terms = dict[Monomial, int]
"""Coefficients by monomial, none of them 0."""

Question = Literal["negative", "zero", "value"]


class Atom(NamedTuple):
    """An input by its name, or `left` divided by `right`: the quotient rounded down (`//`), or the remainder (`%`)."""

    kind: Literal["input", "//", "%"]
    left: Any
    right: Any = None


class Guard(NamedTuple):
    """A question about a lane, and the leader's answer: a bool, or its value."""

    question: Question
    lane: Lane
    answer: int


class Tape:
    """One leader: the values of its inputs, and the guards in the order in which they were asked."""

    def __init__(self, algebra: Algebra, inputs: Mapping[int, int]) -> None:
        self.algebra = algebra
        self.values = dict(inputs)
        self.guards: list[Guard] = []
        self.answers: dict[tuple[Question, Lane], int] = {}

    def atom(self, number: int) -> int:
        """The leader's value of an atom."""
        if number not in self.values:
            kind, left, right = self.algebra.atoms[number]
            one, other = self.value(left), self.value(right)
            self.values[number] = one // other if kind == "//" else one % other
        return self.values[number]

    def value(self, number: Lane | int) -> int:
        """The leader's value of a lane."""
        if isinstance(number, int):
            return number
        total = 0
        for monomial, coefficient in number.terms.items():
            total += coefficient * prod(map(self.atom, monomial))
        return total

    def ask(self, question: Question, lane: Lane) -> int:
        """The leader's answer, noted when the question is first asked."""
        key = (question, lane)
        if key not in self.answers:
            self.answers[key] = ANSWERS[question](self.value(lane))
            self.guards.append(Guard(question, lane, self.answers[key]))
        return self.answers[key]


ANSWERS: dict[Question, Callable[[int], int]] = {
    "negative": lambda value: value < 0,
    "zero": lambda value: value == 0,
    "value": lambda value: value,
}


class Algebra:
    """The lanes and atoms of a family, each different one once; `tape` is that of the leader under way."""

    def __init__(self) -> None:
        self.atoms: list[Atom] = []
        self.numbers: dict[Atom, int] = {}
        self.lanes: dict[frozenset[tuple[Monomial, int]], Lane] = {}
        self.ratios: dict[tuple[Lane, int], Ratio] = {}
        self.tape = Tape(self, {})

    def number_of(self, atom: Atom) -> int:
        """The number of an atom."""
        number = self.numbers.setdefault(atom, len(self.atoms))
        if number == len(self.atoms):
            self.atoms.append(atom)
        return number

    def atom(self, kind: Literal["input", "//", "%"], left: Any, right: Any = None) -> Lane:
        """An atom as a lane."""
        found = self.lane({(self.number_of(Atom(kind, left, right)),): 1})
        assert isinstance(found, Lane)
        return found

    def lane(self, terms: Terms) -> Lane | int:
        """The polynomial of some terms; a plain int where it is constant."""
        if not terms:
            return 0
        if len(terms) == 1 and () in terms:
            return terms[()]
        key = frozenset(terms.items())
        if (found := self.lanes.get(key)) is None:
            found = self.lanes[key] = Lane(self, terms)
        return found

    def ratio(self, numerator: Lane | int, denominator: int) -> Ratio | Fraction:
        """A fraction in lowest terms; a plain one where it is constant."""
        if isinstance(numerator, int):
            return Fraction(numerator, denominator)
        common = gcd(denominator, *numerator.terms.values()) * (-1 if denominator < 0 else 1)
        top = self.lane({monomial: each // common for monomial, each in numerator.terms.items()})
        assert isinstance(top, Lane)
        key = (top, denominator // common)
        if (found := self.ratios.get(key)) is None:
            found = self.ratios[key] = Ratio(*key)
        return found


class Compared:
    """The comparisons of lanes and ratios with each other and with plain numbers, by the sign of a difference."""

    def below(self, other: Any, strictly: bool) -> bool:
        """Tell if this number is less than another one, or equal to it unless `strictly`."""
        raise NotImplementedError

    def __le__(self, other: Any) -> bool:
        return self.below(other, strictly=False)

    def __lt__(self, other: Any) -> bool:
        return self.below(other, strictly=True)

    def __ge__(self, other: Any) -> bool:
        return not self.below(other, strictly=True)

    def __gt__(self, other: Any) -> bool:
        return not self.below(other, strictly=False)


def is_negative(number: Lane | int) -> bool:
    """The leader's answer to whether a number is below 0."""
    return number < 0 if isinstance(number, int) else bool(number.algebra.tape.ask("negative", number))


def is_zero(number: Lane | int) -> bool:
    """The leader's answer to whether a number is 0."""
    return number == 0 if isinstance(number, int) else bool(number.algebra.tape.ask("zero", number))


class Lane(Compared, Varying):
    """An int that differs among candidates."""

    __slots__ = ("algebra", "terms")

    def __init__(self, algebra: Algebra, terms: Terms) -> None:
        self.algebra = algebra
        self.terms = terms

    # ---- sums and products

    def __add__(self, other: Any) -> Any:
        if isinstance(other, int):
            return self.algebra.lane(added(self.terms, {(): int(other)})) if other else self
        if isinstance(other, Lane):
            return self.algebra.lane(added(self.terms, other.terms))
        return self.as_fraction() + other if isinstance(other, Fraction) else NotImplemented

    __radd__ = __add__

    def __neg__(self) -> Any:
        return self * -1

    def __pos__(self) -> Lane:
        return self

    def __sub__(self, other: Any) -> Any:
        return self + -other if isinstance(other, int | Lane | Fraction) else NotImplemented

    def __rsub__(self, other: Any) -> Any:
        return -self + other if isinstance(other, int | Fraction) else NotImplemented

    def __mul__(self, other: Any) -> Any:
        if isinstance(other, int):
            scaled = {monomial: each * other for monomial, each in self.terms.items()} if other else {}
            return self if other == 1 else self.algebra.lane(scaled)
        if isinstance(other, Lane):
            return self.algebra.lane(multiplied(self.terms, other.terms))
        return self.as_fraction() * other if isinstance(other, Fraction) else NotImplemented

    __rmul__ = __mul__

    def __pow__(self, exponent: int) -> Any:
        result: Any = 1
        for _ in range(exponent):
            result = result * self
        return result

    # ---- quotients

    def __truediv__(self, other: Any) -> Any:
        return self.as_fraction() / other

    def __rtruediv__(self, other: Any) -> Any:
        return Fraction(other) / operator.index(self) if isinstance(other, int | Fraction) else NotImplemented

    def __floordiv__(self, other: Any) -> Any:
        if not isinstance(other, int | Lane):
            return self.as_fraction() // other if isinstance(other, Fraction) else NotImplemented
        if isinstance(other, int):
            return -self // -other if other < 0 else self.quotient(other)
        check_divisor(other)
        exact = divided(self.terms, other.terms)
        return self.algebra.atom("//", self, other) if exact is None else self.algebra.lane(exact)

    def __rfloordiv__(self, other: Any) -> Any:
        if not isinstance(other, int):
            return other // self.as_fraction() if isinstance(other, Fraction) else NotImplemented
        check_divisor(self)
        return self.algebra.atom("//", other, self) if other else 0

    def quotient(self, divisor: int) -> Any:
        """The quotient by a positive int, rounded down: what comes out even leaves the atom."""
        if not divisor:
            raise ZeroDivisionError
        algebra = self.algebra
        whole = {monomial: each // divisor for monomial, each in self.terms.items() if each // divisor}
        common, rest = self.reduced(divisor)
        if isinstance(rest, int):  # below the divisor
            return algebra.lane(whole)
        return algebra.lane(whole) + algebra.atom("//", rest, divisor // common)

    def reduced(self, divisor: int) -> tuple[int, Lane | int]:
        """The remainders of the coefficients, divided by what these and the divisor have in common; and that."""
        rest = {monomial: each % divisor for monomial, each in self.terms.items() if each % divisor}
        common = gcd(divisor, *(each for monomial, each in rest.items() if monomial))
        # For the constant: (g * p + k) // (g * d) = (p + k // g) // d.
        return common, self.algebra.lane(
            {monomial: each // common for monomial, each in rest.items() if each // common}
        )

    def __mod__(self, other: Any) -> Any:
        if not isinstance(other, int | Lane):
            return self.as_fraction() % other if isinstance(other, Fraction) else NotImplemented
        if isinstance(other, int):
            return -(-self % -other) if other < 0 else self.remainder(other)
        check_divisor(other)
        return self.algebra.atom("%", self, other) if divided(self.terms, other.terms) is None else 0

    def __rmod__(self, other: Any) -> Any:
        if not isinstance(other, int):
            return other % self.as_fraction() if isinstance(other, Fraction) else NotImplemented
        check_divisor(self)
        return self.algebra.atom("%", other, self) if other else 0

    def remainder(self, divisor: int) -> Any:
        """The remainder of a division by a positive int."""
        if not divisor:
            raise ZeroDivisionError
        common, rest = self.reduced(divisor)
        constant = self.terms.get((), 0) % divisor
        if isinstance(rest, int):
            return constant
        # (g * p + k) % (g * d) = g * ((p + k // g) % d) + k % g.
        return self.algebra.atom("%", rest, divisor // common) * common + constant % common

    def as_fraction(self) -> Any:
        return self.algebra.ratio(self, 1)

    # ---- questions

    def below(self, other: Any, strictly: bool) -> bool:
        if isinstance(other, float):
            return operator.index(self) < other if strictly else operator.index(self) <= other
        if isinstance(other, int):  # the most frequent question
            return is_negative(self + (-other if strictly else -other - 1))
        if not isinstance(other, Lane):
            return self.as_fraction().below(other, strictly)
        return is_negative(self - other if strictly else self - other - 1)

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if isinstance(other, int | Lane):
            return is_zero(self - other)
        return self.as_fraction() == other if isinstance(other, Fraction | Ratio) else False

    __hash__ = object.__hash__

    def __bool__(self) -> bool:
        return not is_zero(self)

    def __abs__(self) -> Any:
        return -self if is_negative(self) else self

    def __index__(self) -> int:
        return self.algebra.tape.ask("value", self)

    __int__ = __index__

    def __float__(self) -> float:
        return float(operator.index(self))

    def __floor__(self) -> Lane:
        return self

    __ceil__ = __trunc__ = __floor__

    def __str__(self) -> str:
        return str(self.algebra.tape.value(self))

    def __format__(self, form: str) -> str:
        return format(self.algebra.tape.value(self), form)


class Ratio(Compared, Varying):
    """A fraction whose numerator differs among candidates, in lowest terms, over a positive denominator."""

    __slots__ = ("denominator", "numerator")
    whole = False

    def __init__(self, numerator: Lane, denominator: int) -> None:
        self.numerator = numerator
        self.denominator = denominator

    def made(self, numerator: Any, denominator: int) -> Any:
        """Another fraction of the same family."""
        return self.numerator.algebra.ratio(numerator, denominator)

    def fixed(self) -> Fraction:
        """The leader's fraction, noted as a guard."""
        return Fraction(operator.index(self.numerator), self.denominator)

    def __add__(self, other: Any) -> Any:
        if not isinstance(other, NUMBERS):
            return NotImplemented
        bottom = denominator_of(other)
        return self.made(self.numerator * bottom + numerator_of(other) * self.denominator, self.denominator * bottom)

    __radd__ = __add__

    def __neg__(self) -> Any:
        return self.made(-self.numerator, self.denominator)

    def __sub__(self, other: Any) -> Any:
        return self + -other if isinstance(other, NUMBERS) else NotImplemented

    def __rsub__(self, other: Any) -> Any:
        return -self + other if isinstance(other, NUMBERS) else NotImplemented

    def __mul__(self, other: Any) -> Any:
        if not isinstance(other, NUMBERS):
            return NotImplemented
        return self.made(self.numerator * numerator_of(other), self.denominator * denominator_of(other))

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> Any:
        if not isinstance(other, NUMBERS):
            return NotImplemented
        divisor = plain(other)
        return self.made(self.numerator * divisor.denominator, self.denominator * divisor.numerator)

    def __rtruediv__(self, other: Any) -> Any:
        return other / self.fixed() if isinstance(other, int | Fraction) else NotImplemented

    def __floordiv__(self, other: Any) -> Any:
        if not isinstance(other, NUMBERS):
            return NotImplemented
        return self.numerator * denominator_of(other) // (numerator_of(other) * self.denominator)

    def __rfloordiv__(self, other: Any) -> Any:
        if not isinstance(other, NUMBERS):
            return NotImplemented
        return numerator_of(other) * self.denominator // (self.numerator * denominator_of(other))

    def __mod__(self, other: Any) -> Any:
        return self - other * (self // other) if isinstance(other, NUMBERS) else NotImplemented

    def __rmod__(self, other: Any) -> Any:
        return -(self * (other // self)) + other if isinstance(other, NUMBERS) else NotImplemented

    def __pow__(self, exponent: int) -> Any:
        if exponent < 0:
            return self.fixed() ** exponent
        return self.made(self.numerator**exponent, self.denominator**exponent)

    def below(self, other: Any, strictly: bool) -> bool:
        if not isinstance(other, NUMBERS):
            raise TypeError
        difference = self.numerator * denominator_of(other) - numerator_of(other) * self.denominator
        return is_negative(difference if strictly else difference - 1)

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if not isinstance(other, NUMBERS):
            return False
        return is_zero(self.numerator * denominator_of(other) - numerator_of(other) * self.denominator)

    __hash__ = object.__hash__

    def __bool__(self) -> bool:
        return bool(self.numerator)

    def __abs__(self) -> Any:
        return -self if is_negative(self.numerator) else self

    def __float__(self) -> float:
        return float(self.fixed())

    def __floor__(self) -> Any:
        return self.numerator // self.denominator

    def __ceil__(self) -> Any:
        return -(-self.numerator // self.denominator)

    def as_fraction(self) -> Any:
        return self

    def __str__(self) -> str:
        return str(Fraction(self.numerator.algebra.tape.value(self.numerator), self.denominator))


NUMBERS = (int, Fraction, Lane, Ratio)


def numerator_of(number: Any) -> Any:
    """The numerator of any number."""
    return number if isinstance(number, Lane) else number.numerator


def denominator_of(number: Any) -> int:
    """The denominator of any number."""
    return 1 if isinstance(number, Lane) else number.denominator


def plain(number: Any) -> Any:
    """A number as the leader has it, noted as a guard."""
    return (
        number.fixed() if isinstance(number, Ratio) else operator.index(number) if isinstance(number, Lane) else number
    )


def check_divisor(divisor: Lane) -> None:
    """Raise where a divisor is 0."""
    if is_zero(divisor):
        raise ZeroDivisionError


# ---- terms


def added(one: Terms, other: Terms) -> Terms:
    """The sum of two polynomials."""
    found = dict(one)
    for monomial, coefficient in other.items():
        if total := found.get(monomial, 0) + coefficient:
            found[monomial] = total
        else:
            found.pop(monomial, None)
    return found


def multiplied(one: Terms, other: Terms) -> Terms:
    """The product of two polynomials."""
    found: Terms = {}
    for left, by in one.items():
        for right, coefficient in other.items():
            monomial = tuple(sorted(left + right)) if left and right else left or right
            found[monomial] = found.get(monomial, 0) + by * coefficient
    return {monomial: coefficient for monomial, coefficient in found.items() if coefficient}


def divided(one: Terms, other: Terms) -> Terms | None:
    """The quotient of two polynomials, if it is one that is easily found: by a single term, or a plain int."""
    leading, by = next(iter(other.items()))
    found = [(without(monomial, leading), each) for monomial, each in one.items()]
    if len(other) == 1:
        if any(monomial is None or each % by for monomial, each in found):
            return None
        return {monomial: each // by for monomial, each in found if monomial is not None}
    scale = one.get(leading, 0) // by
    return {(): scale} if scale and one == {monomial: each * scale for monomial, each in other.items()} else None


def without(monomial: Monomial, factor: Monomial) -> Monomial | None:
    """A monomial divided by another; None where it is no multiple of that."""
    left = list(monomial)
    for atom in factor:
        if atom not in left:
            return None
        left.remove(atom)
    return tuple(left)
