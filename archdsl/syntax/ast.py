"""The syntax tree: expressions, statements, definitions, and the lines of a network, as both front ends give them.

Nodes are equal when they say the same; where they stand (`span`) and whether somebody wrote parentheses around them
(`grouped`) take no part in that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from typing import Any, ClassVar, NamedTuple

from archdsl.diagnostics import Diagnostic, Span, catalog
from archdsl.record import Record


class Node(Record):
    """Base of the tree."""

    # How a text is laid out does not change what it says: `fmt` compares documents.
    apart: ClassVar[frozenset[str]] = frozenset({"span", "grouped", "text", "type_span"})

    defaults: ClassVar[dict[str, Any]] = {"grouped": False}

    span: Span
    grouped: bool


# ---- expressions ---------------------------------------------------------------------------------------------------


class Expression(Node):
    """Anything with a value."""


class Name(Expression):
    """A name."""

    id: str


class Number(Expression):
    """An int, or a decimal number, which is exact. `text` is how it was written."""

    value: int | Fraction
    text: str = ""


class Boolean(Expression):
    """`true` or `false`."""

    value: bool


class Nothing(Expression):
    """`none`."""


class Unpack(Expression):
    """`...list` among items or arguments."""

    value: Expression


class Items(Expression):
    """`[a, b, ...c]`."""

    items: tuple[Expression, ...]


class Comprehension(Expression):
    """`[item for variables in source if test]`."""

    item: Expression
    variables: tuple[Name, ...]
    source: Expression
    test: Expression | None


class CallArgument(Node):
    """An argument of a call: `value`, `name = value`, `...value`, or, in `with`, `target.param = value`."""

    target: tuple[str, ...]
    value: Expression


class Call(Expression):
    """`callee(arguments)`."""

    callee: Expression
    arguments: tuple[CallArgument, ...]


class Attribute(Expression):
    """`base.name`."""

    base: Expression
    name: str


class Index(Expression):
    """`base[index]`."""

    base: Expression
    index: Expression


class ListSlice(Expression):
    """`base[start:stop]`."""

    base: Expression
    start: Expression | None
    stop: Expression | None


class Unary(Expression):
    """`-a` or `not a`."""

    sign: str
    operand: Expression


class Binary(Expression):
    """Two operands and a sign: arithmetic, comparison, logic, and the sums, gates and repeats of blocks."""

    sign: str
    left: Expression
    right: Expression


class Conditional(Expression):
    """`then if test else other`."""

    then: Expression
    test: Expression
    other: Expression


class Chain(Expression):
    """`a -> b -> c`."""

    links: tuple[Expression, ...]


class Named(Expression):
    """`link as name`."""

    body: Expression
    name: str


# ---- statements ----------------------------------------------------------------------------------------------------


class Statement(Node):
    """A line of a body."""


class Assign(Statement):
    """`a = value` or `a, b = value`."""

    targets: tuple[Name, ...]
    value: Expression


class Return(Statement):
    """`return value`; also the value of a body that is one expression."""

    value: Expression


class For(Statement):
    """`for variables in source:` and its body."""

    variables: tuple[Name, ...]
    source: Expression
    body: tuple[Statement, ...]


class If(Statement):
    """`if test:`, its body, and what else."""

    test: Expression
    body: tuple[Statement, ...]
    other: tuple[Statement, ...] = ()


# ---- what is inside --------------------------------------------------------------------------------------------------


# A table rather than methods: nodes stay plain data, and a new kind of node that is missing here fails at once.
PARTS: dict[type[Node], Callable[[Any], Sequence[Any]]] = {
    Name: lambda node: (),
    Number: lambda node: (),
    Boolean: lambda node: (),
    Nothing: lambda node: (),
    Unpack: lambda node: (node.value,),
    Items: lambda node: node.items,
    Comprehension: lambda node: (node.item, node.source) if node.test is None else (node.item, node.source, node.test),
    Call: lambda node: (node.callee, *[argument.value for argument in node.arguments]),
    Attribute: lambda node: (node.base,),
    Index: lambda node: (node.base, node.index),
    ListSlice: lambda node: [part for part in (node.base, node.start, node.stop) if part],
    Unary: lambda node: (node.operand,),
    Binary: lambda node: (node.left, node.right),
    Conditional: lambda node: (node.then, node.test, node.other),
    Chain: lambda node: node.links,
    Named: lambda node: (node.body,),
    Assign: lambda node: (node.value,),
    Return: lambda node: (node.value,),
    For: lambda node: (node.source, *node.body),
    If: lambda node: (node.test, *node.body, *node.other),
}


def parts(node: Expression | Statement) -> Sequence[Any]:
    """The expressions and statements directly inside one."""
    return PARTS[type(node)](node)


def names_in(roots: Iterable[Expression | Statement]) -> tuple[str, ...]:
    """The names that expressions and statements read, in order, each once."""
    found: dict[str, None] = {}
    stack = list(roots)[::-1]
    while stack:
        each = stack.pop()
        if type(each) is Name:
            found[each.id] = None
        else:
            stack += PARTS[type(each)](each)[::-1]
    return tuple(found)


# ---- definitions ---------------------------------------------------------------------------------------------------


class Parameter(Node):
    """A parameter: `name: type = default`. `type` lists the symbols of an enumeration, or is one name, or is empty."""

    name: str
    type: tuple[str, ...] = ()
    default: Expression | None = None
    named: bool = False
    rest: bool = False
    type_span: Span | None = None


class Block(Node):
    """`block name(parameters)` and its body."""

    name: str
    parameters: tuple[Parameter, ...]
    body: tuple[Statement, ...]
    doc: str = ""


class Function(Node):
    """`fn name(parameters)` and its body: a function on values."""

    name: str
    parameters: tuple[Parameter, ...]
    body: tuple[Statement, ...]
    doc: str = ""


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
