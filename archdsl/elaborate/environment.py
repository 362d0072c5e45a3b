"""The environment of an expression: the names it sees, the settings in force, and the scope that its tensors live in.

Also the names of blocks at the place where they are applied, and what the lines of a network see of each other.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from archdsl.diagnostics import Span
from archdsl.elaborate.context import Context
from archdsl.elaborate.scope_builder import ScopeBuilder
from archdsl.elaborate.values import (
    BlockValue,
    Policy,
    Repeat,
    Role,
    Settings,
    Shared,
    Use,
    Value,
    given_key,
)
from archdsl.record import Record
from archdsl.syntax import ast
from archdsl.syntax.naming import NO_NAME, ModuleName, source_of
from archdsl.syntax.scopes import FileScope
from archdsl.syntax.static_names import Statics


class Environment(Record):
    """The environment of a body, a section or a setting.

    Copies share the dicts and sets, but for the `names` of `inner` ones.
    """

    context: Context
    file: FileScope
    statics: Statics
    names: dict[str, Value]
    settings: Settings
    read: set[str]
    """The names that have been read, for unused constants and for bodies that never read their input."""
    choices: dict[str, tuple[str, ...]]
    """The words of each parameter that is an enumeration."""
    around: Mapping[str, Value]
    """All names in scope, read by the text or not: for suggestions."""
    builder: ScopeBuilder | None = None
    """The scope under construction; None where there are no tensors."""
    parameters: frozenset[str] = frozenset()
    """The names that come from the signature."""
    words: tuple[str, ...] = ()
    """The words of an enumeration that may be meant in what is evaluated."""
    listed: bool = False
    """In a loop, each place has a list of modules, one for each iteration."""
    free: bool = False
    """Unknown names are words of an enumeration that is not known yet."""
    once: bool = True
    """A local name of a block is applied at one place only."""
    dropped: str = ""
    """The parameter whose value 0 drops the op that it sizes (`classes`)."""
    later: frozenset[str] = frozenset()
    """The sections that come later."""
    outputs: frozenset[str] = frozenset()
    """The outputs, which no section reads, wherever they stand."""

    def replace(self, **changes: Any) -> Environment:
        """A copy with some fields changed: faster than that of other records, as an environment has no hash."""
        return Environment(**(self.__dict__ | changes))

    def inner(self, node: ast.Node, names: dict[str, Value], listed: bool | None = None) -> Environment:
        """This environment with more names, for one iteration of a repeat or a loop; counted, as each is copied."""
        self.context.budget.item(node.span, len(self.names))
        return self.replace(names={**self.names, **names}, listed=self.listed if listed is None else listed)

    def expecting(self, words: tuple[str, ...]) -> Environment:
        """This environment where one of some words may be meant."""
        return self if words == self.words else self.replace(words=words)

    def place(self, node: object, kind: str) -> ModuleName:
        """The name of the module that is applied at a place of the text; `kind` where the text gives it none."""
        found = self.statics.names.get(id(node))
        name = ModuleName(kind) if found is None else found
        return name._replace(listed=True) if self.listed and name.text else name


def renamed(environment: Environment, block: BlockValue, name: ModuleName, span: Span) -> BlockValue:
    """A block under another name; several blocks become one module."""
    key = environment.context.key
    match block:
        case Use():
            return environment.context.use(block.target, block.given, name, span)
        case Policy():
            marked = key("policy", block.policy, given_key(block.given), name)
            return block.replace(key=marked, name=name)
        case Role():
            return block.replace(key=key(block.role, name, block.body.key), name=name)
        case Repeat():
            return environment.context.row(name, block.runs, block.gathers, span)
        case Shared():
            return block.replace(name=name)
        case _:
            return Role(key=key("own", name, block.key), span=span, name=name, body=block, role="own")


def placed(environment: Environment, node: ast.Expression, value: Value) -> Value:
    """A value that an expression takes out of a list or gets from a function: a block is called as the text calls it.

    It was written elsewhere, so its own name says nothing about its neighbours here. What `...` gives is several.
    """
    name = environment.place(source_of(node), "") if isinstance(value, BlockValue) else NO_NAME
    if not name or isinstance(value, Shared) or environment.context.is_identity(value):
        return value
    if isinstance(node, ast.Unpack):
        name = name._replace(listed=True)
    return renamed(environment, value, name, value.span)
