"""The environment of an expression: the names it sees, the settings in force, and the scope that its tensors live in.

Also the names of blocks at the place where they are applied, and what the lines of a network see of each other.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from archdsl.diagnostics import Span, catalog
from archdsl.elaborate.blame import ElaborationError
from archdsl.elaborate.context import Context
from archdsl.elaborate.scope_builder import ScopeBuilder
from archdsl.elaborate.size_inference import SizeAnalysis
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
    is_tensors,
)
from archdsl.record import Record
from archdsl.syntax import ast
from archdsl.syntax.kind_inference import Kind
from archdsl.syntax.naming import NO_NAME, ModuleName, source_of
from archdsl.syntax.scopes import POLICIES, RESERVED, FileScope
from archdsl.syntax.static_names import LineFacts, Statics, line_of, of_line


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


CLASSES = "classes"
"""By convention, the parameter that sizes the classifier; 0 drops it."""


class LineContext:
    """The names in force. `read` collects those that a line has used; `parameters` are the network's own.

    `sections` are all its sections and outputs, those that come later too; `outputs` those that no section reads.
    """

    def __init__(self, context: Context, parameters: frozenset[str]) -> None:
        self.context = context
        self.parameters = parameters
        self.names: dict[str, Value] = {}
        self.kinds: dict[str, Kind] = {}
        self.read: set[str] = set()
        self.choices: dict[str, tuple[str, ...]] = {}
        self.sections: frozenset[str] = frozenset()
        self.outputs: frozenset[str] = frozenset()
        self.settings = context.settings({})

    def check_name(self, name: str, span: Span | None) -> None:
        """Raise for a new name that has a meaning already."""
        if name in RESERVED or name in POLICIES:
            raise ElaborationError(catalog.DUPLICATE, span, f"`{name}` is a reserved word", "choose another name")
        if name in self.names:
            raise ElaborationError(
                catalog.DUPLICATE, span, f"`{name}` is the name of something else here", "choose another name"
            )

    def set_name(self, name: str, value: Value, span: Span | None) -> None:
        """Bind a name that later lines see."""
        self.check_name(name, span)
        self.names[name] = value
        self.kinds[name] = "tensor" if is_tensors(value) else "block" if isinstance(value, BlockValue) else "value"

    def facts(self, node: ast.Expression, file: FileScope) -> LineFacts:
        """The static facts of a line: its kind (value, block, or tensor), and the names of its modules."""
        return of_line(line_of(node, file), file, self.kinds, self.parameters)

    @cached_property
    def sizes(self) -> SizeAnalysis:
        """The size analysis under the network's settings, which come before all lines that need it."""
        return SizeAnalysis({slot: entry.bound.value for slot, entry in self.settings.entries.items()})

    def keeps_size(self, node: ast.Expression, file: FileScope) -> bool:
        """True if the text of a line proves that it keeps the size of the map before it."""
        return self.sizes.keeps_size(line_of(node, file), file, self.names)

    def environment(
        self,
        node: ast.Expression,
        file: FileScope,
        tensors: dict[str, Value] | None = None,
        builder: ScopeBuilder | None = None,
    ) -> Environment:
        """The environment of a line; `tensors` are the sections as values of its own scope."""
        line = line_of(node, file)
        return Environment(
            context=self.context,
            file=file,
            statics=of_line(line, file, self.kinds, self.parameters).statics,
            names={name: self.names[name] for name in line.names if name in self.names} | (tensors or {}),
            settings=self.settings,
            read=self.read,
            choices=self.choices,
            around=self.names,
            builder=builder,
            parameters=self.parameters,
            once=False,
            dropped=CLASSES if CLASSES in line.names and self.names.get(CLASSES) == 0 else "",
            later=self.sections,
            outputs=self.outputs,
        )
