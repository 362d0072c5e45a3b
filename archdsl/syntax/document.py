"""The spec document: what a file says, whichever notation it is in.

Both front ends give these records, checked; from here on nobody can tell which was used. Elements are equal when
they say the same, wherever they stand. They are plain records without validators: the grammar and the front ends have
checked all that a file holds.
"""

from __future__ import annotations

from typing import ClassVar

from archdsl.diagnostics import Span, catalog
from archdsl.record import Record
from archdsl.syntax.ast import Block, CallArgument, Expression, Function, Parameter

EDITION = 1
"""The edition of the language that this version of archdsl reads."""

LONGEST_NAME = 100
LARGEST_SIZE = 10**9
LARGEST_SIDE = 10**6
SIGNS = ("==", "!=", "<=", ">=", "<", ">")


class Element(Record):
    """Base of the document's parts, with their place apart."""

    apart: ClassVar[frozenset[str]] = frozenset({"span", "input_span"})

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


class Network(Element):
    """A network: parameters, settings, the sections of the chain in order, further outputs, and what to expect."""

    name: str
    doc: str = ""
    parameters: tuple[Parameter, ...] = ()
    extends: Extends | None = None
    input: tuple[int, ...] | None = None
    settings: tuple[Setting, ...] = ()
    sections: tuple[SectionLine, ...] = ()
    outputs: tuple[Output, ...] = ()
    drops: tuple[Drop, ...] = ()
    expect: tuple[Expectation, ...] = ()
    input_span: Span | None = None


class File(Element):
    """A file: what it imports, and the blocks, functions and backbones that it defines."""

    edition: int | None = None
    imports: tuple[Import, ...] = ()
    blocks: tuple[Block, ...] = ()
    functions: tuple[Function, ...] = ()
    backbones: tuple[Network, ...] = ()


def input_size(shape: tuple[int, ...], span: Span | None) -> tuple[int, int, int]:
    """The shape of a network's input; raises for what is none, at its place."""
    if len(shape) != 3 or not all(0 < side <= LARGEST_SIDE for side in shape):
        label = f"{'x'.join(map(str, shape))} is not an input size"
        raise catalog.OUT_OF_RANGE.error(span, label, help="write channels x height x width, as 3x224x224")
    return shape
