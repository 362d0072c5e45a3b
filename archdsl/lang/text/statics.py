"""What a text says before anything is known about shapes: the names of modules, and which repeats use their index."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal, NamedTuple

from archdsl.graph import Origin
from archdsl.lang.text import syntax as ast
from archdsl.lang.text.files import FORMS, POLICIES, File, Routine
from archdsl.lang.text.naming import Names, attribute_name, callee_name, kind_name
from archdsl.lang.text.syntax import parts
from archdsl.lang.values.functions import FUNCTIONS

Kind = Literal["value", "tensor", "block", "mixed"]

ENDS = frozenset({"first", "last"})


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
    facts: dict[tuple[str | None, ...], LineFacts]


MOST_LINES = 10_000


def line_of(node: ast.Expression, file: File) -> Line:
    """A section's, a setting's or a constant's text, looked at once."""
    found = file.lines.get(id(node))
    if found is None:
        if len(file.lines) >= MOST_LINES:
            file.lines.clear()
        found = file.lines[id(node)] = Line(node, ast.names_in([node]), {})
    return found


def of_line(line: Line, file: File, kinds: Mapping[str, Kind]) -> LineFacts:
    """What a line says; found out once for each choice of what the names in it are."""
    key = tuple(map(kinds.get, line.names))
    found = line.facts.get(key)
    if found is None:
        own: Mapping[str, Kind] = {name: kinds[name] for name in line.names if name in kinds}
        reader = Reader(file)
        reader.kinds |= own
        found = line.facts[key] = LineFacts(reader.kind(line.node), of_expression(line.node, file, own))
    return found


def of_block(node: ast.Block, file: File) -> Statics:
    """What a block's text says."""
    reader = Reader(file)
    reader.declare(node.parameters)
    for parameter in node.parameters:
        if parameter.default is not None:
            reader.argument(parameter.default)
    reader.body(node.body, Names(chain=repeats_only(node.body)))
    return reader.statics


def of_expression(node: ast.Expression, file: File, kinds: Mapping[str, Kind]) -> Statics:
    """What a section's, a setting's or a constant's text says."""
    reader = Reader(file)
    reader.kinds |= kinds
    reader.walk(node, Names(chain=True))
    return reader.statics


def repeats_only(body: tuple[ast.Statement, ...]) -> bool:
    """Whether a body is one repeat and nothing else."""
    match body:
        case (ast.Return(value=ast.Binary(sign="*")),):
            return True
        case _:
            return False


class Reader:
    """Walks a text once, in order."""

    def __init__(self, file: File) -> None:
        self.file = file
        self.kinds: dict[str, Kind] = {"x": "tensor", "index": "value", "first": "value", "last": "value"}
        self.statics = Statics.blank()

    def declare(self, parameters: Iterable[ast.Parameter]) -> None:
        """The kinds of a signature's names."""
        for parameter in parameters:
            match parameter.type:
                case ("block",):
                    self.kinds[parameter.name] = "block"
                case ("tensor",):
                    self.kinds[parameter.name] = "tensor"
                case ():
                    default = parameter.default
                    self.kinds[parameter.name] = "value" if default is None else self.kind(default)
                case _:
                    self.kinds[parameter.name] = "value"

    def bind(self, variables: tuple[ast.Name, ...], kind: Kind) -> None:
        """The kind of a loop's variables: that of what it goes over."""
        self.kinds.update(dict.fromkeys((name.id for name in variables), kind))

    # ---- kinds

    def kind(self, node: ast.Expression) -> Kind:
        """Whether an expression is a value, a tensor, a block, or a block with named tensors inside."""
        match node:
            case ast.Name():
                return self.kind_of_name(node.id)
            case ast.Call():
                return self.kind_of_call(node)
            case ast.Chain():
                first, *rest = [self.part(link) for link in node.links]
                if first == "tensor":
                    return "tensor"
                return "mixed" if first == "mixed" or "tensor" in rest or "mixed" in rest else "block"
            case ast.Binary(sign="+" | "*"):
                return combine([self.part(node.left), self.part(node.right)])
            case ast.Conditional():
                return combine([self.kind(node.then), self.kind(node.other)])
            case ast.Items():
                return combine([self.kind(item) for item in node.items])
            case ast.Comprehension():
                self.bind(node.variables, self.kind(node.source))
                return self.kind(node.item)
            case ast.Index() | ast.Slice():
                return self.kind(node.base)
            case ast.Spread():
                return self.kind(node.value)
            case ast.Named():
                return self.kind(node.body)
            case ast.Attribute(base=ast.Name(id=prefix)) if prefix not in self.kinds:
                return "block"
            case _:
                return "value"

    def kind_of_name(self, name: str) -> Kind:
        """The kind of a name: what the text bound it to, else what the file knows it as."""
        if name in self.kinds:
            return self.kinds[name]
        if name in POLICIES:
            return "block"
        if name in FUNCTIONS or isinstance(self.file.find(name), Routine):
            return "value"
        return "block"

    def kind_of_call(self, node: ast.Call) -> Kind:
        """The kind of a call: forms that only gather have their arguments' kind."""
        if not isinstance(node.callee, ast.Name):
            return self.kind(node.callee) if not isinstance(node.callee, ast.Attribute) else "block"
        match node.callee.id:
            case "fork" | "concat" if node.arguments:
                return combine([self.part(argument.value) for argument in node.arguments])
            case "with" if node.arguments:
                return self.kind(node.arguments[-1].value)
            case name:
                return self.kind_of_name(name)

    def part(self, node: ast.Expression) -> Kind:
        """The kind of a part of a block: a call that is handed a tensor has that inside."""
        kind = self.kind(node)
        if kind != "block" or not isinstance(node, ast.Call) or callee_name(node.callee) in FORMS:
            return kind
        inside = {self.kind(argument.value) for argument in node.arguments}
        return "mixed" if inside & {"tensor", "mixed"} else kind

    # ---- names

    def body(self, statements: tuple[ast.Statement, ...], names: Names) -> None:
        """A body's statements, in order."""
        for statement in statements:
            match statement:
                case ast.Assign():
                    self.assign(statement, names)
                case ast.Return():
                    self.walk(statement.value, names)
                case ast.For():
                    kind = self.kind(statement.source)
                    self.bind(statement.variables, kind)
                    self.body(statement.body, names)
                case ast.If():
                    self.body(statement.body, names)
                    self.body(statement.other, names)
                case _:
                    raise TypeError(statement)

    def assign(self, statement: ast.Assign, names: Names) -> None:
        """A named block's inside is a chain of its own; a named tensor adds no level."""
        kind = self.kind(statement.value)
        self.walk(statement.value, Names(chain=True) if kind == "block" else names)
        for target in statement.targets:
            self.kinds[target.id] = kind if len(statement.targets) == 1 else "tensor"

    def argument(self, node: ast.Expression) -> None:
        """A block given to another: a chain of its own."""
        self.walk(node, Names(chain=True))

    def walk(self, node: ast.Expression, names: Names) -> None:
        """Names the places of an expression."""
        match node:
            case ast.Name():
                self.statics.names[id(node)] = names.fresh(node.id) if node.id != "x" else ""
            case ast.Attribute() if self.kind(node) == "block":
                self.statics.names[id(node)] = names.fresh(node.name)
            case ast.Call():
                self.call(node, names)
            case ast.Named():
                self.walk(node.body, Names(chain=True))
                self.statics.names[id(node)] = attribute_name(node.name)
            case ast.Binary(sign="*"):
                self.product(node, names)
            case ast.Comprehension():
                self.bind(node.variables, self.kind(node.source))
                self.walk(node.item, names)
            case ast.Conditional():
                self.walk(node.then, names)
                self.walk(node.other, names)
            case ast.Index() | ast.Slice():
                self.walk(node.base, names)
            case ast.Chain() | ast.Items() | ast.Spread() | ast.Binary(sign="+"):
                for part in parts(node):
                    self.walk(part, names)
            case _:
                pass

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

    def product(self, node: ast.Binary, names: Names) -> None:
        """`n * a` is a repeat; a product of blocks or tensors is a gate; one of numbers is a number."""
        right = self.kind(node.right)
        if right == "value":
            return
        if self.kind(node.left) == "value" and right != "tensor":
            self.repeat(node, node.right, names.repeat)
        else:
            self.walk(node.left, names)
            self.walk(node.right, names)

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
                    found |= {part.id} & (ENDS | {"index", "share"})
                case ast.Binary(sign="*") if id(part) in self.statics.repeats:
                    stack.append(part.left)
                    found |= self.statics.repeats[id(part)] & {"share"}
                case ast.Call() if id(part) in self.statics.repeats:
                    stack.append(part.arguments[0].value)
                    found |= self.statics.repeats[id(part)] & {"share"}
                case _:
                    stack += parts(part)
        return frozenset(found)


def combine(kinds: list[Kind]) -> Kind:
    """The kind of what is made of several."""
    found = set(kinds) - {"value"}
    if not found:
        return "value"
    return found.pop() if len(found) == 1 else "mixed"
