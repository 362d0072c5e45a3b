"""Static facts of a text, known before any shape: kinds, the names of modules, and the repeats that use their index."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal, NamedTuple

from archdsl.graph import Origin
from archdsl.graph.ir import attribute_name
from archdsl.syntax import ast
from archdsl.syntax.ast import parts
from archdsl.syntax.naming import NO_NAME, ModuleName, Names, applied, callee_name, kind_name, source_of
from archdsl.syntax.scopes import FORMS, FUNCTION_NAMES, POLICIES, TURN_WORDS, Definition, FileScope, UserFunction

Kind = Literal["value", "tensor", "block", "mixed"]
"""`mixed` is a block with named tensors inside."""

WORDS: dict[str, Kind] = {"x": "tensor", "index": "value", "first": "value", "last": "value"}


class KindInference:
    """The kinds of the names in a text, which it binds one after the other, and of expressions."""

    def __init__(self, file: FileScope) -> None:
        self.file = file
        self.names = dict(WORDS)

    def declare(self, parameters: Iterable[ast.Parameter]) -> None:
        """The names of a signature."""
        for parameter in parameters:
            match parameter.type:
                case ("block",):
                    self.names[parameter.name] = "block"
                case ("tensor",):
                    self.names[parameter.name] = "tensor"
                case ():
                    default = parameter.default
                    self.names[parameter.name] = "value" if default is None else self.of(default)
                case _:
                    self.names[parameter.name] = "value"

    def bind(self, variables: tuple[ast.Name, ...], source: ast.Expression) -> None:
        """A loop's variables: they are of the kind of what it goes over."""
        self.names.update(dict.fromkeys((name.id for name in variables), self.of(source)))

    def of(self, node: ast.Expression) -> Kind:
        """The kind of an expression."""
        reader = OF.get(type(node))
        return "value" if reader is None else reader(self, node)

    def part(self, node: ast.Expression) -> Kind:
        """The kind of a part of a block: a call that is handed a tensor has that inside."""
        kind = self.of(node)
        # A tensor among the arguments binds the block to this body, as if it stood in it.
        if kind != "block" or not isinstance(node, ast.Call) or callee_name(node.callee) in FORMS:
            return kind
        inside = {self.of(argument.value) for argument in node.arguments}
        return "mixed" if inside & {"tensor", "mixed"} else kind

    # ---- by the type of the node

    def name(self, node: ast.Name) -> Kind:
        """The kind of a name of the text, or else of the file."""
        return self.named(node.id)

    def named(self, name: str) -> Kind:
        """The kind of a name."""
        if name in self.names:
            return self.names[name]
        if name in POLICIES:
            return "block"
        if name in FUNCTION_NAMES or isinstance(self.file.find(name), UserFunction):
            return "value"
        return "block"

    def call(self, node: ast.Call) -> Kind:
        """Forms that only gather have their arguments' kind."""
        if not isinstance(node.callee, ast.Name):
            return self.of(node.callee) if not isinstance(node.callee, ast.Attribute) else "block"
        match node.callee.id:
            case "fork" | "concat" if node.arguments:
                return combine([self.part(argument.value) for argument in node.arguments])
            case "with" if node.arguments:
                return self.of(node.arguments[-1].value)
            case name:
                return self.named(name)

    def chain(self, node: ast.Chain) -> Kind:
        """A chain that starts from a tensor comes to one."""
        first, *rest = [self.part(link) for link in node.links]
        if first == "tensor":
            return "tensor"
        return "mixed" if first == "mixed" or "tensor" in rest or "mixed" in rest else "block"

    def binary(self, node: ast.Binary) -> Kind:
        """Sums and products may be of blocks and tensors; all else is of values."""
        return combine([self.part(node.left), self.part(node.right)]) if node.sign in "+*" else "value"

    def conditional(self, node: ast.Conditional) -> Kind:
        """The kind of both arms."""
        return combine([self.of(node.then), self.of(node.other)])

    def items(self, node: ast.Items) -> Kind:
        """The kind of all items."""
        return combine([self.of(item) for item in node.items])

    def comprehension(self, node: ast.Comprehension) -> Kind:
        """The kind of its items; its variables are known inside only."""
        outer = dict(self.names)
        self.bind(node.variables, node.source)
        kind = self.of(node.item)
        self.names = outer
        return kind

    def picked(self, node: ast.Index | ast.ListSlice) -> Kind:
        """The kind of a list is that of its items."""
        return self.of(node.base)

    def spread(self, node: ast.Unpack) -> Kind:
        """The kind of a list is that of its items."""
        return self.of(node.value)

    def called(self, node: ast.Named) -> Kind:
        """A name of its own changes nothing."""
        return self.of(node.body)

    def attribute(self, node: ast.Attribute) -> Kind:
        """An op of an installed package, as `acme.swish`, if the text has no such name itself."""
        return "block" if isinstance(node.base, ast.Name) and node.base.id not in self.names else "value"


OF: dict[type[ast.Expression], Callable[[KindInference, Any], Kind]] = {
    ast.Name: KindInference.name,
    ast.Call: KindInference.call,
    ast.Chain: KindInference.chain,
    ast.Binary: KindInference.binary,
    ast.Conditional: KindInference.conditional,
    ast.Items: KindInference.items,
    ast.Comprehension: KindInference.comprehension,
    ast.Index: KindInference.picked,
    ast.ListSlice: KindInference.picked,
    ast.Unpack: KindInference.spread,
    ast.Named: KindInference.called,
    ast.Attribute: KindInference.attribute,
}
"""All others are values."""


def combine(kinds: list[Kind]) -> Kind:
    """The kind of what is made of several."""
    found = set(kinds) - {"value"}
    if not found:
        return "value"
    return found.pop() if len(found) == 1 else "mixed"


ASKED = frozenset({*TURN_WORDS, "share"})


class Statics(NamedTuple):
    """Static facts by the identity of nodes: the name at each place, and each repeat's use of its index.

    `clashes` are words of repeats that the text around them has given another meaning: there, neither can be meant.
    `origins` and `assigned` keep what evaluation has found out from the text alone: where an argument's number comes
    from and the one name it reads, and which parameter each argument of a call is for.
    """

    names: dict[int, ModuleName]
    repeats: dict[int, frozenset[str]]
    origins: dict[int, tuple[Origin, str]]
    assigned: dict[tuple[int, Any], list[Any]]
    clashes: dict[int, ast.Expression]

    @staticmethod
    def blank() -> Statics:
        """Nothing known yet."""
        return Statics({}, {}, {}, {}, {})


class LineFacts(NamedTuple):
    """The static facts of a line, given the kinds of the names in it."""

    kind: Kind
    statics: Statics


class StaticLine(NamedTuple):
    """A backbone's line: its text (kept, so that its identity stays its own), the names in it, and what it says.

    `sizes` memoizes the answers of `elaborate.size_inference`.
    """

    node: ast.Expression
    names: tuple[str, ...]
    facts: dict[tuple[tuple[str | None, bool], ...], LineFacts]
    sizes: dict[Any, bool]


MOST_LINES = 10_000


def line_of(node: ast.Expression, file: FileScope) -> StaticLine:
    """A section's, a setting's or a constant's text, looked at once."""
    memos = file.memos
    found: StaticLine | None = memos.lines.get(id(node))
    if found is None:
        if len(memos.lines) >= MOST_LINES:
            memos.lines.clear()
        found = memos.lines[id(node)] = StaticLine(node, ast.names_in([node]), {}, {})
    return found


def of_line(line: StaticLine, file: FileScope, kinds: Mapping[str, Kind], parameters: frozenset[str]) -> LineFacts:
    """The static facts of a line; computed once for each choice of kinds and parameters among its names."""
    key = tuple([(kinds.get(name), name in parameters) for name in line.names])
    found = line.facts.get(key)
    if found is None:
        own: Mapping[str, Kind] = {name: kinds[name] for name in line.names if name in kinds}
        found = line.facts[key] = of_expression(line.node, file, own)
    return found


def statics_of(definition: Definition) -> Statics:
    """The static facts of a block, known before its input; computed once."""
    memos = definition.file.memos
    found: Statics | None = memos.statics.get(definition)
    if found is None:
        found = memos.statics[definition] = of_block(definition.node, definition.file)
    return found


def of_block(node: ast.Block, file: FileScope) -> Statics:
    """Compute the static facts of a block."""
    reader = StaticNames(file)
    reader.kinds.declare(node.parameters)
    reader.path.declare(parameter.name for parameter in node.parameters)
    for parameter in node.parameters:
        if parameter.default is not None:
            reader.argument(parameter.default)
    reader.body(node.body, Names(chain=repeats_only(node.body)))
    return reader.statics


def of_expression(node: ast.Expression, file: FileScope, kinds: Mapping[str, Kind]) -> LineFacts:
    """Compute the static facts of a section, a setting or a constant."""
    reader = StaticNames(file)
    reader.kinds.names |= kinds
    reader.path.declare(kinds)
    kind = reader.kinds.of(node)
    reader.argument(node)
    return LineFacts(kind, reader.statics)


def repeats_only(body: tuple[ast.Statement, ...]) -> bool:
    """Tell if a body is one repeat and nothing else."""
    match body:
        case (ast.Return(value=ast.Binary(sign="*")),):
            return True
        case _:
            return False


Counts = dict[tuple[str, str], int]
"""Counts by their sort (`bound`, `bindings`, `used`) and the name."""


class Path:
    """The bindings and uses on the way to a place: in a condition, of one arm or the other.

    `bound` is the number of the binding that a name of the text has now, 0 for a parameter; `bindings` counts them,
    `used` the uses of a parameter, or of a list.
    """

    def __init__(self) -> None:
        self.counts: Counts = {}
        self.changes: list[tuple[tuple[str, str], int]] = []
        """An undo log of the counts, as the paths through arms differ in few."""

    def get(self, what: str, name: str) -> int:
        """Get a count; -1 for a name that is not bound."""
        return self.counts.get((what, name), -1 if what == "bound" else 0)

    def set(self, what: str, name: str, count: int) -> None:
        """Set a count."""
        self.changes.append(((what, name), self.get(what, name)))
        self.counts[what, name] = count

    def is_bound(self, name: str) -> bool:
        """Tell if a name is bound by the text itself here."""
        return self.get("bound", name) >= 0

    def declare(self, names: Iterable[str]) -> None:
        """Declare the parameters of a text, and the names around it."""
        self.counts |= dict.fromkeys((("bound", name) for name in names), 0)

    def bind(self, name: str) -> None:
        """Bind a name anew; a parameter stays one, whatever it is set to."""
        if self.get("bound", name) != 0:
            self.set("bindings", name, self.get("bindings", name) + 1)
            self.set("bound", name, self.get("bindings", name))

    def use(self, name: str) -> int:
        """Count a use; its number."""
        self.set("used", name, self.get("used", name) + 1)
        return self.get("used", name)

    def along(self, walk: Callable[[], object]) -> Counts:
        """Walk an arm, and undo its changes, which are returned."""
        start = len(self.changes)
        walk()
        found = {key: self.counts[key] for key, _ in self.changes[start:]}
        while len(self.changes) > start:
            key, before = self.changes.pop()
            self.counts[key] = before
        return found

    def join(self, arms: Iterable[Counts]) -> None:
        """Join arms of which one is taken: the most that may have been bound and used."""
        several = list(arms)
        for what, name in {key for arm in several for key in arm}:
            before = self.get(what, name)
            self.set(what, name, max(arm.get((what, name), before) for arm in several))


class StaticNames:
    """A walk over a text, in order, that names its places."""

    def __init__(self, file: FileScope) -> None:
        self.kinds = KindInference(file)
        self.statics = Statics.blank()
        self.path = Path()
        self.known: dict[tuple[Names, str, int, bool], ModuleName] = {}
        """The module's name for each binding of a name and each use of a parameter; apart, where that is no name."""

    def body(self, statements: tuple[ast.Statement, ...], names: Names) -> bool:
        """A body's statements, in order; whether it returns at their end, whatever its conditions."""
        for statement in statements:
            match statement:
                case ast.Assign():
                    self.assign(statement, names)
                case ast.Return():
                    self.walk(statement.value, names)
                    return True
                case ast.For():
                    self.argument(statement.source)
                    self.bind(statement.variables, statement.source)
                    self.body(statement.body, names)
                case ast.If():
                    if self.arms(statement, names):
                        return True
                case _:
                    raise TypeError(statement)
        return False

    def arms(self, statement: ast.If, names: Names) -> bool:
        """The two arms of an `if`, of which one is run; whether both return."""
        goes_on: list[Counts] = []
        for arm in (statement.body, statement.other):
            returns: list[bool] = []
            changed = self.path.along(lambda arm=arm, returns=returns: returns.append(self.body(arm, names)))
            if not returns[0]:
                goes_on.append(changed)
        self.path.join(goes_on)
        return not goes_on

    def bind(self, variables: tuple[ast.Name, ...], source: ast.Expression) -> None:
        """The variables of a loop."""
        self.kinds.bind(variables, source)
        for variable in variables:
            self.path.bind(variable.id)

    def assign(self, statement: ast.Assign, names: Names) -> None:
        """A named block's inside is a chain of its own; a named tensor adds no level."""
        kind = self.kinds.of(statement.value)
        if kind == "block":
            self.argument(statement.value)
        else:
            self.walk(statement.value, names)
        for target in statement.targets:
            self.path.bind(target.id)
            self.kinds.names[target.id] = kind if len(statement.targets) == 1 else "tensor"

    def argument(self, node: ast.Expression) -> None:
        """A block given to another: a chain of its own, as is each of a list, which are called by the list's name."""
        for each in node.items if isinstance(node, ast.Items) else (node,):
            self.walk(each, Names(chain=True))

    def walk(self, node: ast.Expression, names: Names) -> None:
        """Name the places of an expression."""
        walker = WALK.get(type(node))
        if walker is not None:
            walker(self, node, names)

    # ---- by the type of the node

    def name(self, node: ast.Name, names: Names) -> None:
        """Name a call site."""
        self.statics.names[id(node)] = self.named(node, names) if node.id != "x" else NO_NAME

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
            self.repeat(node, node.arguments[1].value, self.named(node.arguments[1].value, names))
        else:
            self.statics.names[id(node)] = self.named(node, names)
            for argument in node.arguments:
                self.argument(argument.value)

    def called(self, node: ast.Named, names: Names) -> None:
        """A place with a name of the user's own."""
        self.argument(node.body)
        self.statics.names[id(node)] = ModuleName(attribute_name(node.name))

    def binary(self, node: ast.Binary, names: Names) -> None:
        """`n * a` is a repeat; another product of blocks or tensors is a gate; one of numbers is a number."""
        if node.sign == "+":
            self.parts(node, names)
        elif node.sign == "*" and (right := self.kinds.of(node.right)) != "value":
            if self.kinds.of(node.left) == "value" and right != "tensor":
                self.repeat(node, node.right, self.named(node.right, names, repeat=True))
            else:
                self.parts(node, names)
        elif node.sign == "*" and isinstance(node.right, ast.Index | ast.Call):
            # A block, if it turns out to be one.
            self.statics.names[id(node)] = self.named(node.right, names)

    def conditional(self, node: ast.Conditional, names: Names) -> None:
        """Both arms, of which one is worked out."""
        arms = (node.then, node.other)
        self.path.join([self.path.along(lambda arm=arm: self.walk(arm, names)) for arm in arms])

    def comprehension(self, node: ast.Comprehension, names: Names) -> None:
        """Its item."""
        self.argument(node.source)
        outer = {variable.id: self.path.get("bound", variable.id) for variable in node.variables}
        self.bind(node.variables, node.source)
        self.walk(node.item, names)
        for name, number in outer.items():
            self.path.set("bound", name, number)

    def picked(self, node: ast.Index | ast.ListSlice | ast.Unpack, names: Names) -> None:
        """Name an item of a list by the list, each time anew; anything else by its source."""
        source = source_of(node)
        if isinstance(source, ast.Name) and source.id != "x":
            self.statics.names[id(source)] = self.same(source.id, -self.path.use(source.id), names)
        else:
            self.walk(source, names)

    def parts(self, node: ast.Expression, names: Names) -> None:
        """All that is in it."""
        for part in parts(node):
            self.walk(part, names)

    # ---- names

    def named(self, node: ast.Expression, names: Names, repeat: bool = False) -> ModuleName:
        """The name of the module (or of the repeat) at a place: what the body calls it, or the next of its kind.

        A local block is applied at one place only, a parameter may be at several; in the arms of a condition either
        is the same block, and has the same name.
        """
        kind = kind_name(node)
        if not self.path.is_bound(kind) or not isinstance(applied(node), ast.Name):
            return names.repeat(kind) if repeat else names.fresh(kind)
        return self.same(kind, self.path.get("bound", kind) or -self.path.use(kind), names, repeat)

    def same(self, word: str, number: int, names: Names, repeat: bool = False) -> ModuleName:
        """A name that is the same in all arms of conditions."""
        first = (names, word, number, True)
        if repeat and (names.chain or first in self.known):
            self.known[first] = names.repeat(word) if names.chain else NO_NAME
            return NO_NAME
        key = (names, word, number, False)
        if key not in self.known:
            self.known[key] = names.fresh(word)
        return self.known[key]

    # ---- repeats

    def repeat(self, node: ast.Expression, body: ast.Expression, name: ModuleName) -> None:
        """A repeat: its name, what is inside it, and what of `index`, `first`, `last` the inside asks for."""
        self.statics.names[id(node)] = name
        self.argument(body)
        asked = self.asked(body)
        self.statics.repeats[id(node)] = frozenset(asked)
        for word in TURN_WORDS:
            if word in asked and self.path.is_bound(word):
                self.statics.clashes[id(node)] = asked[word]

    def asked(self, node: ast.Expression) -> dict[str, ast.Expression]:
        """The uses of `index`, `first`, `last` in an expression that belong to its own repeat; and `share`."""
        found: dict[str, ast.Expression] = {}
        stack: list[ast.Expression] = [node]
        while stack:
            part = stack.pop()
            match part:
                case ast.Name() if part.id in ASKED:
                    found[part.id] = part
                case ast.Comprehension():
                    inner = [self.asked(each) for each in (part.item, part.test) if each is not None]
                    own = {variable.id for variable in part.variables}
                    found |= {word: place for each in inner for word, place in each.items() if word not in own}
                    stack.append(part.source)
                case ast.Binary(sign="*") | ast.Call() if id(part) in self.statics.repeats:
                    stack.append(part.left if isinstance(part, ast.Binary) else part.arguments[0].value)
                    if "share" in self.statics.repeats[id(part)]:
                        found["share"] = part
                case _:
                    stack += parts(part)
        return found


WALK: dict[type[ast.Expression], Callable[[StaticNames, Any, Names], None]] = {
    ast.Name: StaticNames.name,
    ast.Attribute: StaticNames.attribute,
    ast.Call: StaticNames.call,
    ast.Named: StaticNames.called,
    ast.Binary: StaticNames.binary,
    ast.Conditional: StaticNames.conditional,
    ast.Comprehension: StaticNames.comprehension,
    ast.Index: StaticNames.picked,
    ast.ListSlice: StaticNames.picked,
    ast.Chain: StaticNames.parts,
    ast.Items: StaticNames.parts,
    ast.Unpack: StaticNames.picked,
}
"""All others have no places inside."""
