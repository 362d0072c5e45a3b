"""What the lines of a backbone see: its parameters, constants, settings, and the sections before them."""

from __future__ import annotations

from archdsl.diagnostics import Span, catalog
from archdsl.elaborate.blame import ElaborationError
from archdsl.elaborate.context import Context
from archdsl.elaborate.environment import Environment
from archdsl.elaborate.scope_builder import ScopeBuilder
from archdsl.elaborate.values import BlockValue, Value, is_tensors
from archdsl.syntax import ast
from archdsl.syntax.kind_inference import Kind
from archdsl.syntax.scopes import POLICIES, RESERVED, FileScope
from archdsl.syntax.static_names import LineFacts, line_of, of_line

CLASSES = "classes"
"""By convention, the parameter that sizes the classifier; 0 drops it."""


class LineContext:
    """The names in force. `read` collects those that a line has used; `parameters` are the backbone's own.

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
        """Raises for a new name that means something already."""
        if name in RESERVED or name in POLICIES:
            raise ElaborationError(catalog.DUPLICATE, span, f"`{name}` is a reserved word", "choose another name")
        if name in self.names:
            raise ElaborationError(
                catalog.DUPLICATE, span, f"`{name}` is the name of something else here", "choose another name"
            )

    def set_name(self, name: str, value: Value, span: Span | None) -> None:
        """A name that later lines see."""
        self.check_name(name, span)
        self.names[name] = value
        self.kinds[name] = "tensor" if is_tensors(value) else "block" if isinstance(value, BlockValue) else "value"

    def facts(self, node: ast.Expression, file: FileScope) -> LineFacts:
        """What a line's text says: whether it comes to a value, a block, or starts from a named tensor."""
        return of_line(line_of(node, file), file, self.kinds, self.parameters)

    def environment(
        self,
        node: ast.Expression,
        file: FileScope,
        tensors: dict[str, Value] | None = None,
        builder: ScopeBuilder | None = None,
    ) -> Environment:
        """Where a line is worked out; `tensors` are the sections as its own scope knows them."""
        line = line_of(node, file)
        names = {name: self.names[name] for name in line.names if name in self.names} | (tensors or {})
        statics = of_line(line, file, self.kinds, self.parameters).statics
        environment = Environment(self.context, file, statics, names, self.settings, builder, self.parameters)
        environment.around = self.names
        environment.read = self.read
        environment.once = False
        environment.choices = self.choices
        environment.later = self.sections
        environment.outputs = self.outputs
        if self.names.get(CLASSES) == 0:
            environment.dropped = CLASSES
        return environment
