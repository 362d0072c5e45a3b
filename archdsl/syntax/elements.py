"""The lines of a network, as records: imports, settings, sections, outputs, expectations.

Elements are equal when they say the same, wherever they stand.
"""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple

from archdsl.diagnostics import Diagnostic, Span, catalog
from archdsl.record import Record
from archdsl.syntax.ast import CallArgument, Expression

EDITION = 1
"""The edition of the language that this version of archdsl reads."""

LONGEST_NAME = 100
LARGEST_SIZE = 10**9
LARGEST_SIDE = 10**6
SIGNS = ("==", "!=", "<=", ">=", "<", ">")


class Content(NamedTuple):
    """The content of a model by its keys, as the grammar or a front end gives it, with the place of the model.

    What the grammar has parsed is a tree, and goes into the model as it is. `places` are those of values, and `wrong`
    are findings about several keys together.
    """

    span: Span | None
    values: dict[str, Any]
    places: dict[str, Span]
    wrong: tuple[Diagnostic, ...] = ()


class Element(Record):
    """Base of the document's parts, with their place apart."""

    apart: ClassVar[frozenset[str]] = frozenset({"span"})

    span: Span | None


class Import(Element):
    """`import "path"`, relative to the file."""

    path: str


class Setting(Element):
    """`target = value`: a policy (`act`), the default of a parameter (`conv.bias`), or a constant (`n`)."""

    target: tuple[str, ...]
    value: Expression


class SectionLine(Element):
    """A named part of the chain; `reduction` is the number behind the `/` of a stage."""

    name: str
    value: Expression
    stage: bool = False
    reduction: int | None = None


class Output(Element):
    """A further output, which does not advance the chain."""

    name: str
    value: Expression
    training: bool = False


class Drop(Element):
    """`name: none`: a line of the parent that is left out."""

    name: str


class Expectation(Element):
    """`figure sign amount` of `expect`; of some figures `at batch N PRECISION`."""

    figure: tuple[str, ...]
    sign: str
    amount: str
    batch: int | None = None
    precision: str = ""


class Extends(Element):
    """The parent of a backbone, and new defaults for its parameters."""

    parent: str
    arguments: tuple[CallArgument, ...] = ()


def input_size(shape: tuple[int, ...], span: Span | None) -> tuple[int, int, int]:
    """The shape of a network's input; raises for what is none, at its place."""
    if len(shape) != 3 or not all(0 < side <= LARGEST_SIDE for side in shape):
        label = f"{'x'.join(map(str, shape))} is not an input size"
        raise catalog.OUT_OF_RANGE.error(span, label, help="write channels x height x width, as 3x224x224")
    return shape
