"""The spec document: what a file says, whichever notation it is in.

Both front ends give these models, validated; from here on nobody can tell which was used. Elements are equal when
they say the same, wherever they stand.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any, Literal, cast

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from archdsl.errors import Span
from archdsl.lang.text.syntax import Argument, Block, Expression, Function, Parameter

EDITION = 1
"""The edition of the language that this archdsl speaks."""

Identifier = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", max_length=100)]
Positive = Annotated[int, Field(gt=0, le=10**9)]


class Element(BaseModel):
    """Base of the document's parts: frozen, nothing unknown in them, with their place apart."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    span: Span | None = Field(default=None, repr=False, exclude=True)

    def __eq__(self, other: object) -> bool:
        if type(self) is not type(other):
            return False
        mine, theirs = self.__dict__, cast("Element", other).__dict__
        return all(mine[name] == theirs[name] for name in type(self).model_fields if name != "span")

    __hash__ = None  # type: ignore[assignment]


class Import(Element):
    """`import "path"`, relative to the file."""

    path: str


class Setting(Element):
    """`target = value`: a policy (`act`), the default of a parameter (`conv.bias`), or a constant (`n`)."""

    target: tuple[Identifier, ...]
    value: Expression


class Section(Element):
    """A named part of the chain; `reduction` is the number behind the `/` of a stage."""

    name: Identifier
    stage: bool = False
    reduction: Positive | None = None
    value: Expression


class Output(Element):
    """A further output, which does not advance the chain."""

    name: Identifier
    training: bool = False
    value: Expression


class Drop(Element):
    """`name: none`: a line of the parent that is left out."""

    name: Identifier


class Check(Element):
    """`figure sign amount` of `expect`; of some figures `at batch N PRECISION`."""

    figure: tuple[Identifier, ...]
    sign: Literal["==", "!=", "<=", ">=", "<", ">"]
    amount: str
    batch: int | None = None
    precision: str = ""


class Extends(Element):
    """The parent of a backbone, and new defaults for its parameters."""

    parent: Identifier
    arguments: tuple[Argument, ...] = ()


class Backbone(Element):
    """A network: parameters, settings, the sections of the chain in order, further outputs, and what to expect."""

    name: Identifier
    doc: str = ""
    parameters: tuple[Parameter, ...] = ()
    extends: Extends | None = None
    input: tuple[Positive, ...] | None = None
    settings: tuple[Setting, ...] = ()
    sections: tuple[Section, ...] = ()
    outputs: tuple[Output, ...] = ()
    drops: tuple[Drop, ...] = ()
    expect: tuple[Check, ...] = ()


class Document(Element):
    """A file: what it imports, and the blocks, functions and backbones that it defines."""

    edition: int | None = None
    imports: tuple[Import, ...] = ()
    blocks: tuple[Block, ...] = ()
    functions: tuple[Function, ...] = ()
    backbones: tuple[Backbone, ...] = ()


def element(kind: type[Any], span: Span | None, **content: Any) -> Any:
    """An element whose parts a parser has checked already (no second validation of a library file's content)."""
    fields = kind.model_fields
    unset: Iterable[str] = (name for name in fields if name not in content and name != "span")
    return kind.model_construct(**{name: fields[name].default for name in unset}, **content, span=span)
