"""What a text says before anything is known about shapes: the names of modules, and which repeats use their index."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from archdsl.graph import Origin
from archdsl.lang.text import syntax as ast
from archdsl.lang.text.files import File
from archdsl.lang.text.kinds import Kind, Kinds
from archdsl.lang.text.naming import Names, attribute_name, kind_name
from archdsl.lang.text.syntax import parts

ASKED = frozenset({"index", "first", "last", "share"})


class Statics(NamedTuple):
    """What the text says, by the identity of the nodes: the name at each place, and each repeat's use of its index.

    `origins` and `assigned` keep what evaluation has found out from the text alone: where an argument's number comes
    from, and which parameter each argument of a call is for.
    """

    names: dict[int, str]
    repeats: dict[int, frozenset[str]]
    origins: dict[int, Origin]
    assigned: dict[tuple[int, Any], list[Any]]

    @staticmethod
    def blank() -> Statics:
        """Nothing known yet."""
        return Statics({}, {}, {}, {})


class LineFacts(NamedTuple):
    """What a backbone's line says, given the kinds of the names in it."""

    kind: Kind
    statics: Statics


class Line(NamedTuple):
    """A backbone's line: its text (kept, so that its identity stays its own), the names in it, and what it says."""

    node: ast.Expression
    names: tuple[str, ...]
    facts: dict[tuple[tuple[str | None, bool], ...], LineFacts]


MOST_LINES = 10_000


def line_of(node: ast.Expression, file: File) -> Line:
    """A section's, a setting's or a constant's text, looked at once."""
    found = file.lines.get(id(node))
    if found is None:
        if len(file.lines) >= MOST_LINES:
            file.lines.clear()
        found = file.lines[id(node)] = Line(node, ast.names_in([node]), {})
    return found


def of_line(line: Line, file: File, kinds: Mapping[str, Kind], parameters: frozenset[str]) -> LineFacts:
    """What a line says; found out once for each choice of what the names in it are, and which are parameters."""
    key = tuple([(kinds.get(name), name in parameters) for name in line.names])
    found = line.facts.get(key)
    if found is None:
        own: Mapping[str, Kind] = {name: kinds[name] for name in line.names if name in kinds}
        found = line.facts[key] = of_expression(line.node, file, own)
    return found


def of_block(node: ast.Block, file: File) -> Statics:
    """What a block's text says."""
    reader = Reader(file)
    reader.kinds.declare(node.parameters)
    for parameter in node.parameters:
        if parameter.default is not None:
            reader.argument(parameter.default)
    reader.body(node.body, Names(chain=repeats_only(node.body)))
    return reader.statics


def of_expression(node: ast.Expression, file: File, kinds: Mapping[str, Kind]) -> LineFacts:
    """What a section's, a setting's or a constant's text says."""
    reader = Reader(file)
    reader.kinds.names |= kinds
    kind = reader.kinds.of(node)
    reader.argument(node)
    return LineFacts(kind, reader.statics)


def repeats_only(body: tuple[ast.Statement, ...]) -> bool:
    """Whether a body is one repeat and nothing else."""
    match body:
        case (ast.Return(value=ast.Binary(sign="*")),):
            return True
        case _:
            return False


class Reader:
    """Walks a text once, in order, and names its places."""

    def __init__(self, file: File) -> None:
        self.kinds = Kinds(file)
        self.statics = Statics.blank()

    def body(self, statements: tuple[ast.Statement, ...], names: Names) -> None:
        """A body's statements, in order."""
        for statement in statements:
            match statement:
                case ast.Assign():
                    self.assign(statement, names)
                case ast.Return():
                    self.walk(statement.value, names)
                case ast.For():
                    self.kinds.bind(statement.variables, statement.source)
                    self.body(statement.body, names)
                case ast.If():
                    self.body(statement.body, names)
                    self.body(statement.other, names)
                case _:
                    raise TypeError(statement)

    def assign(self, statement: ast.Assign, names: Names) -> None:
        """A named block's inside is a chain of its own; a named tensor adds no level."""
        kind = self.kinds.of(statement.value)
        self.walk(statement.value, Names(chain=True) if kind == "block" else names)
        for target in statement.targets:
            self.kinds.names[target.id] = kind if len(statement.targets) == 1 else "tensor"

    def argument(self, node: ast.Expression) -> None:
        """A block given to another: a chain of its own."""
        self.walk(node, Names(chain=True))

    def walk(self, node: ast.Expression, names: Names) -> None:
        """Names the places of an expression."""
        walker = WALK.get(type(node))
        if walker is not None:
            walker(self, node, names)

    # ---- by the type of the node

    def name(self, node: ast.Name, names: Names) -> None:
        """A place, but for the input."""
        self.statics.names[id(node)] = names.fresh(node.id) if node.id != "x" else ""

    def attribute(self, node: ast.Attribute, names: Names) -> None:
        """An op of an installed package."""
        if self.kinds.of(node) == "block":
            self.statics.names[id(node)] = names.fresh(node.name)

    def call(self, node: ast.Call, names: Names) -> None:
        """A call: a form gathers or wraps what it is given; anything else is a place with a name."""
        form = node.callee.id if isinstance(node.callee, ast.Name) else ""
        if (form in {"fork", "concat"} and node.arguments) or form == "with":
            for argument in node.arguments:
                self.walk(argument.value, Names(chain=True) if argument.target else names)
        elif form == "collect" and len(node.arguments) == 2:
            self.repeat(node, node.arguments[1].value, names.fresh)
        else:
            self.statics.names[id(node)] = names.fresh(kind_name(node))
            for argument in node.arguments:
                self.argument(argument.value)

    def called(self, node: ast.Named, names: Names) -> None:
        """A place with a name of the user's own."""
        self.argument(node.body)
        self.statics.names[id(node)] = attribute_name(node.name)

    def binary(self, node: ast.Binary, names: Names) -> None:
        """`n * a` is a repeat; another product of blocks or tensors is a gate; one of numbers is a number."""
        if node.sign == "+":
            self.parts(node, names)
        elif node.sign == "*" and (right := self.kinds.of(node.right)) != "value":
            if self.kinds.of(node.left) == "value" and right != "tensor":
                self.repeat(node, node.right, names.repeat)
            else:
                self.parts(node, names)

    def conditional(self, node: ast.Conditional, names: Names) -> None:
        """Both arms."""
        self.walk(node.then, names)
        self.walk(node.other, names)

    def comprehension(self, node: ast.Comprehension, names: Names) -> None:
        """Its item."""
        self.kinds.bind(node.variables, node.source)
        self.walk(node.item, names)

    def picked(self, node: ast.Index | ast.Slice, names: Names) -> None:
        """What it is picked from."""
        self.walk(node.base, names)

    def parts(self, node: ast.Expression, names: Names) -> None:
        """All that is in it."""
        for part in parts(node):
            self.walk(part, names)

    # ---- repeats

    def repeat(self, node: ast.Expression, body: ast.Expression, name: Callable[[str], str]) -> None:
        """A repeat: its name, what is inside it, and what of `index`, `first`, `last` the inside asks for."""
        self.statics.names[id(node)] = name(kind_name(body))
        self.argument(body)
        self.statics.repeats[id(node)] = self.asked(body)

    def asked(self, node: ast.Expression) -> frozenset[str]:
        """Which of `index`, `first`, `last` an expression asks its own repeat for; and `share`."""
        found: set[str] = set()
        stack: list[ast.Expression] = [node]
        while stack:
            part = stack.pop()
            match part:
                case ast.Name():
                    found |= {part.id} & ASKED
                case ast.Binary(sign="*") if id(part) in self.statics.repeats:
                    stack.append(part.left)
                    found |= self.statics.repeats[id(part)] & {"share"}
                case ast.Call() if id(part) in self.statics.repeats:
                    stack.append(part.arguments[0].value)
                    found |= self.statics.repeats[id(part)] & {"share"}
                case _:
                    stack += parts(part)
        return frozenset(found)


WALK: dict[type[ast.Expression], Callable[[Reader, Any, Names], None]] = {
    ast.Name: Reader.name,
    ast.Attribute: Reader.attribute,
    ast.Call: Reader.call,
    ast.Named: Reader.called,
    ast.Binary: Reader.binary,
    ast.Conditional: Reader.conditional,
    ast.Comprehension: Reader.comprehension,
    ast.Index: Reader.picked,
    ast.Slice: Reader.picked,
    ast.Chain: Reader.parts,
    ast.Items: Reader.parts,
    ast.Spread: Reader.parts,
}
"""All others have no places inside."""
