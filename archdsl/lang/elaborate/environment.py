"""What the lines of a backbone see: its parameters, constants, settings, and the sections before them."""

from __future__ import annotations

from archdsl.errors import Span, catalog
from archdsl.lang.evaluate.building import Builder
from archdsl.lang.evaluate.frame import Frame
from archdsl.lang.evaluate.session import Session
from archdsl.lang.text import syntax as ast
from archdsl.lang.text.files import POLICIES, RESERVED, File
from archdsl.lang.text.kinds import Kind
from archdsl.lang.text.statics import LineFacts, line_of, of_line
from archdsl.lang.values.faults import Fault
from archdsl.lang.values.types import is_tensors
from archdsl.lang.values.value import BlockValue, Value

CLASSES = "classes"
"""By convention, the parameter that sizes the classifier; 0 drops it."""


class Environment:
    """The names in force. `read` collects those that a line has used; `parameters` are the backbone's own.

    `sections` are all its sections and outputs, those that come later too; `outputs` those that no section reads.
    """

    def __init__(self, session: Session, parameters: frozenset[str]) -> None:
        self.session = session
        self.parameters = parameters
        self.names: dict[str, Value] = {}
        self.kinds: dict[str, Kind] = {}
        self.read: set[str] = set()
        self.choices: dict[str, tuple[str, ...]] = {}
        self.sections: frozenset[str] = frozenset()
        self.outputs: frozenset[str] = frozenset()
        self.settings = session.settings({})

    def check_name(self, name: str, span: Span | None) -> None:
        """Raises for a new name that means something already."""
        if name in RESERVED or name in POLICIES:
            raise Fault(catalog.DUPLICATE, span, f"`{name}` is a reserved word", "choose another name")
        if name in self.names:
            raise Fault(catalog.DUPLICATE, span, f"`{name}` is the name of something else here", "choose another name")

    def set_name(self, name: str, value: Value, span: Span | None) -> None:
        """A name that later lines see."""
        self.check_name(name, span)
        self.names[name] = value
        self.kinds[name] = "tensor" if is_tensors(value) else "block" if isinstance(value, BlockValue) else "value"

    def facts(self, node: ast.Expression, file: File) -> LineFacts:
        """What a line's text says: whether it comes to a value, a block, or starts from a named tensor."""
        return of_line(line_of(node, file), file, self.kinds, self.parameters)

    def frame(
        self,
        node: ast.Expression,
        file: File,
        tensors: dict[str, Value] | None = None,
        builder: Builder | None = None,
    ) -> Frame:
        """Where a line is worked out; `tensors` are the sections as its own scope knows them."""
        line = line_of(node, file)
        names = {name: self.names[name] for name in line.names if name in self.names} | (tensors or {})
        statics = of_line(line, file, self.kinds, self.parameters).statics
        frame = Frame(self.session, file, statics, names, self.settings, builder, self.parameters)
        frame.around = self.names
        frame.read = self.read
        frame.once = False
        frame.choices = self.choices
        frame.later = self.sections
        frame.outputs = self.outputs
        if self.names.get(CLASSES) == 0:
            frame.dropped = CLASSES
        return frame
