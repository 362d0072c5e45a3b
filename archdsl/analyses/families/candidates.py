"""Candidates as columns: what is alike in the values of a parameter, and the ints that differ.

The skeleton of a value is the value with a `Hole` for each int. Candidates of one skeleton for each parameter are
worked out together; their ints are columns.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence, Set
from itertools import chain
from typing import Any, NamedTuple, cast

import numpy as np

from archdsl.analyses.families.rows import Array, Index
from archdsl.diagnostics import catalog

Place = tuple[int, ...]
"""The place of an int in a value: the index in each list that it is in."""


class Hole(NamedTuple):
    """The place of an int."""

    place: Place
    kind: type = int
    """As in `Given`, so that no skeleton is equal to one of another class."""


class Given(NamedTuple):
    """A skeleton without ints: a value of Python, as it was given, and the class that sets it apart from its equals."""

    value: Any
    kind: type


class Unfit(NamedTuple):
    """A value that is worked out alone: one that the language has no value for, or an int beyond 64 bits."""

    kind: type = object


ABSENT = Given(None, type(Ellipsis))
"""The skeleton of a parameter that is not given."""
Skeleton = Any
"""A `Hole`, `Given` or `Unfit`, or a tuple of skeletons."""


class Column:
    """The values of one parameter: their different skeletons, that of each candidate by number, and the ints."""

    def __init__(self, skeletons: Sequence[Skeleton], codes: Array | None, ints: dict[Place, Array]) -> None:
        self.skeletons = skeletons
        self.codes = codes
        self.ints = ints

    @property
    def numbers(self) -> Array:
        """The skeleton of each candidate, by number."""
        assert self.codes is not None
        return self.codes

    def part(self, chosen: slice) -> Column:
        """The column of some candidates in a row."""
        codes = None if self.codes is None else self.codes[chosen]
        return Column(self.skeletons, codes, {place: each[chosen] for place, each in self.ints.items()})


class Group(NamedTuple):
    """The candidates whose parameters have the same skeletons."""

    skeletons: dict[str, Skeleton]
    index: Index


class Candidates:
    """Candidates by columns; `at` gives the parameters of one as they were given."""

    def __init__(self, size: int, columns: dict[str, Column], at: Callable[[int], Any], unfit: Index) -> None:
        self.size = size
        self.columns = columns
        self.at = at
        self.unfit = unfit
        """Those that are no dict of parameters."""

    def part(self, start: int, size: int) -> Candidates:
        """So many candidates from one on."""
        stop = min(start + size, self.size)
        if (start, stop) == (0, self.size):
            return self
        unfit = self.unfit[(self.unfit >= start) & (self.unfit < stop)] - start
        columns = {name: column.part(slice(start, stop)) for name, column in self.columns.items()}
        return Candidates(stop - start, columns, lambda at: self.at(start + at), unfit)

    def groups(self) -> Iterator[Group]:
        """The candidates by the skeletons of their parameters; without those that have to be worked out alone."""
        fixed = {name: column.skeletons[0] for name, column in self.columns.items() if column.codes is None}
        mixed = {name: column for name, column in self.columns.items() if column.codes is not None}
        index = np.delete(np.arange(self.size), self.unfit)
        if not mixed:
            yield Group(fixed, index)
            return
        codes: Array = np.stack([column.numbers[index] for column in mixed.values()], axis=1)
        kinds, group = unique(codes)
        order = np.argsort(group, kind="stable")
        parts: list[Array] = np.split(index[order], np.cumsum(np.bincount(group))[:-1])
        for codes_of, part in zip(kinds, parts, strict=True):
            chosen = zip(mixed.items(), codes_of, strict=True)
            yield Group(fixed | {name: column.skeletons[code] for (name, column), code in chosen}, part)


def unique(values: Array) -> tuple[Array, Array]:
    """The different values (or rows), and for each value which one of them it is."""
    kinds, group = np.unique(values, axis=0, return_inverse=True)
    return kinds, group.ravel()


def is_array(value: Any) -> bool:
    """Tell if a value is a numpy array."""
    return isinstance(value, np.ndarray)


def is_row(value: Any) -> bool:
    """Tell if a value is an ordered collection, and not a text."""
    return hasattr(value, "__iter__") and not isinstance(value, str | bytes | Mapping | Set)


def has_holes(skeleton: Skeleton) -> bool:
    """Tell if a skeleton can be worked out with others: nothing in it is unfit."""
    if isinstance(skeleton, Hole | Given):
        return True
    return not isinstance(skeleton, Unfit) and all(map(has_holes, skeleton))


# ---- from Python values


def of_rows(rows: Sequence[Any]) -> Candidates:
    """Candidates that are given one by one, as dicts."""
    unfit = [at for at, row in enumerate(rows) if not is_params(row)]
    known: Sequence[Mapping[str, Any]] = rows if not unfit else [row if is_params(row) else {} for row in rows]
    names = dict.fromkeys(chain.from_iterable(known))
    columns = {name: of_values([row.get(name, MISSING) for row in known]) for name in names}
    return Candidates(len(rows), columns, rows.__getitem__, np.array(unfit, np.int64))


MISSING: Any = ...


def is_params(row: Any) -> bool:
    """Tell if a candidate is a dict of parameters by name."""
    return isinstance(row, Mapping) and all(isinstance(name, str) for name in cast("Mapping[Any, Any]", row))


def of_values(values: Sequence[Any]) -> Column:
    """The column of some values. Fast where all are ints, or lists of as many ints."""
    kinds = set(map(type, values))
    if kinds == {int} and (ints := whole_numbers(values)) is not None:
        return Column([Hole(())], None, {(): ints})
    if kinds and kinds <= {list, tuple} and len(set(map(len, values))) == 1 and len(values[0]):
        flat = list(chain.from_iterable(values))
        if set(map(type, flat)) == {int} and (ints := whole_numbers(flat)) is not None:
            ints = ints.reshape(len(values), -1)
            places = range(ints.shape[1])
            skeleton = tuple(Hole((at,)) for at in places)
            return Column([skeleton], None, {(at,): np.ascontiguousarray(ints[:, at]) for at in places})
    return of_mixed(values)


def whole_numbers(values: Sequence[int]) -> Array | None:
    """Ints in 64 bits; None where they do not fit."""
    try:
        return np.array(values, np.int64)
    except OverflowError:
        return None


def of_mixed(values: Sequence[Any]) -> Column:
    """The column of values of any kind, one by one."""
    codes = np.zeros(len(values), np.int64)
    numbers: dict[Hashable, int] = {}
    ints: dict[Place, Array] = {}
    for at, value in enumerate(values):
        found: dict[Place, int] = {}
        skeleton = skeleton_of(value, (), found)
        codes[at] = numbers.setdefault(skeleton, len(numbers))
        for place, number in found.items():
            if place not in ints:
                ints[place] = np.zeros(len(values), np.int64)
            ints[place][at] = number
    return Column(cast("list[Skeleton]", list(numbers)), codes, ints)


def skeleton_of(value: Any, place: Place, found: dict[Place, int]) -> Skeleton:
    """The skeleton of a value; its ints are put into `found`."""
    if value is MISSING:
        return ABSENT
    kind = cast("type[object]", type(value))
    if kind is int or issubclass(kind, np.integer):
        number = int(value)
        if not -(2**63) <= number < 2**63:
            return Unfit()
        found[place] = number
        return Hole(place)
    if kind in (list, tuple):
        return tuple([skeleton_of(each, (*place, at), found) for at, each in enumerate(value)])
    if is_array(value):
        return skeleton_of(value.tolist(), place, found)
    if issubclass(kind, np.generic):
        return skeleton_of(value.item(), place, found)
    # What compares equal to another value of its class stands for that, too, so only plain classes do.
    return Given(value, kind) if kind in PLAIN else Unfit()


PLAIN = frozenset({bool, float, str, type(None)})


# ---- from columns


def of_columns(columns: Mapping[str, Any]) -> Candidates:
    """Candidates that are given by columns: arrays or lists, one item or row for each candidate.

    Raises ArchError for columns of different lengths.
    """
    given = {str(name): column if is_array(column) else as_rows(column) for name, column in columns.items()}
    sizes = {name: len(column) for name, column in given.items()}
    if len(set(sizes.values())) > 1:
        label = f"columns of different lengths: {', '.join(f'`{name}` {size:,}' for name, size in sizes.items())}"
        raise catalog.USAGE.error(None, label[:300], help="give each parameter one item for each candidate")
    size = next(iter(sizes.values()), 0)
    found = {name: of_array(column) for name, column in given.items()}

    def at(number: int) -> dict[str, Any]:
        return {name: item(column[number]) for name, column in given.items()}

    return Candidates(size, found, at, np.zeros(0, np.int64))


def as_rows(column: Any) -> Any:
    """A column that is no array: a pandas one as its array, another as a list."""
    convert = getattr(column, "to_numpy", None)
    if convert is not None:
        return convert()
    if not is_row(column):
        raise catalog.USAGE.error(
            None, f"`{str(column)[:60]}` is no column", help="give a list or an array, with one item for each candidate"
        )
    return list(column)


def item(value: Any) -> Any:
    """A value of a column as Python has it."""
    return value.tolist() if hasattr(value, "tolist") else value


def of_array(column: Any) -> Column:
    """The column of an array, or of a list."""
    if not is_array(column) or column.dtype.kind not in "iubfU":
        return of_values([item(value) for value in column])
    if column.dtype.kind in "iu" and column.dtype != np.uint64:
        flat: Array = column.reshape(len(column), -1).astype(np.int64) if len(column) else column.reshape(0, 0)
        places = [tuple(place) for place in np.ndindex(column.shape[1:])]
        ints = {place: np.ascontiguousarray(flat[:, at]) for at, place in enumerate(places)} if len(column) else {}
        return Column([nested(column.shape[1:], ())], None, ints)
    if column.ndim > 1:
        return of_mixed([item(value) for value in column])
    kinds, codes = unique(column)
    own = of_mixed([item(value) for value in kinds])
    return Column(own.skeletons, own.numbers[codes], {place: each[codes] for place, each in own.ints.items()})


def nested(shape: tuple[int, ...], place: Place) -> Skeleton:
    """The skeleton of a row of an array of ints."""
    if not shape:
        return Hole(place)
    return tuple([nested(shape[1:], (*place, at)) for at in range(shape[0])])
