"""The numbers of a class: what is the same in all its instances is written out, what differs becomes an argument.

All instances are walked side by side. So a number is a row of values, one for each instance (or, in a loop over
modules that differ evenly, one for each turn of each instance), and the question is what to call it: by the text it
came from, by a parameter of the definition, or by a name of its own.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple, cast

from archdsl.backends.torch import arithmetic
from archdsl.backends.torch.arithmetic import Unknown
from archdsl.backends.torch.locals import LONG, identifier, unique
from archdsl.backends.torch.pysource import literal
from archdsl.graph import Origin, Scope, is_list
from archdsl.graph.ir import attribute_name
from archdsl.record import MISSING

# Defaults of parameters whose declaration does not say one.
CONVENTIONS = {"kernel": 1, "stride": 1, "dilation": 1, "groups": 1}
# Facts that are the channels of what reaches an op.
CHANNELS = ("in_channels", "in_features", "num_parameters", "normalized")
INPUT = arithmetic.INPUT
# The channels of layers inside a block, where `out` is those of the block.
WIDTH = "width"
# Other expressions that channels may be written as.
FORMS = tuple(filter(None, map(arithmetic.parse, (f"{INPUT} // 2", f"2 * {INPUT}", f"{INPUT} // 4", f"4 * {INPUT}"))))


class Columns(NamedTuple):
    """Columns of a row of values: for each value its instance and, in a loop, its turn."""

    instances: tuple[int, ...]
    turns: tuple[int, ...] = ()

    def of(self, row: Sequence[Any]) -> list[Any]:
        """The values of these instances, of a row with one for each instance of the class."""
        return [row[at] for at in self.instances]


class Hint(NamedTuple):
    """Facts about a number: the child and the fact that it is, its origin, and PyTorch's default."""

    child: str
    fact: str
    origin: Origin | None = None
    default: Any = MISSING
    # The channels of its input, with their text.
    channels: ChannelCount | None = None


class ChannelCount(NamedTuple):
    """The channels of a tensor in each instance, and their text."""

    values: tuple[int, ...]
    text: str


class ConstructorParameter(NamedTuple):
    """An argument of a class's constructor, with its value in each instance."""

    name: str
    values: tuple[Any, ...]
    default: Any = MISSING
    # The parameter of the network that it stands for, if it is one of them.
    outer: str = ""

    def is_usual(self, value: Any) -> bool:
        """True if an instance has this value."""
        return alike([value])[0] in alike(self.values)

    @property
    def annotation(self) -> str:
        """Its type, read off its values."""
        found = {kind(value) for value in self.values}
        return " | ".join(name for name in KINDS if name in found - ({"int"} if "float" in found else set()))


KINDS = ("int", "float", "bool", "str", "tuple[int, int]", "tuple[int, ...]", "list[int]", "None")


def kind(value: Any) -> str:
    """The annotation of a value."""
    if isinstance(value, tuple):
        return "tuple[int, int]" if len(cast("tuple[Any, ...]", value)) == 2 else "tuple[int, ...]"
    named = ((bool, "bool"), (int, "int"), (str, "str"), (list, "list[int]"), (type(None), "None"))
    return next((name for kind, name in named if isinstance(value, kind)), "float")


class ClassArguments:
    """The arguments of one class, found while its numbers are named.

    A name of the definition's means what the definition means by it, whatever the emitted text has to call it; so each
    has an identifier, which nothing else in the text has. An expression is taken only where it has the right value in
    every instance, as worked out from what its identifiers stand for.
    """

    def __init__(
        self,
        scopes: Sequence[Scope],
        words: Collection[str] = (),
        blocks: Sequence[str] = (),
        taken: Sequence[str] = (),
        given: Mapping[str, Any] | None = None,
        outer: Mapping[str, int] | None = None,
    ) -> None:
        self.columns = Columns(tuple(range(len(scopes))))
        known, defaults = arguments(scopes, blocks) if given is None else ({name: [given[name]] for name in given}, {})
        # The identifiers of the definition's names, and of the input's channels.
        self.names: dict[str, str] = {}
        for name in sorted(known, key=INPUT.__eq__):
            plain = identifier("in_channels" if name == INPUT else name)
            self.names[name] = unique(plain, {*words, *self.names.values()})
        # Values in each instance, by identifier.
        self.known = {self.names[name]: row for name, row in known.items()}
        self.defaults = {self.names[name]: value for name, value in defaults.items()}
        # Defaults of arguments that all instances have in common, in place of the declared ones.
        self.usual = {} if given is None else {self.names[name]: given[name] for name in given}
        if len(scopes) > 1:
            self.usual = {name: self.known[name][0] for name in self.defaults if same(self.known[name])}
        self.used: set[str] = set()
        self.fresh: dict[str, ConstructorParameter] = {}
        # Parameters of the network, as `growth`, that the numbers of a class may be written with.
        self.outer = outer or {}
        # Those that are used, by name.
        self.inherited: dict[str, ConstructorParameter] = {}
        # New arguments that are dropped unless an expression comes to use them.
        self.spare: set[str] = set()
        # The lengths of the lists of modules that the constructor is given.
        self.lengths: dict[str, list[int]] = {}
        self.optional = {*taken} - {*words, *blocks, *self.known}
        # The attributes of the class.
        self.members = {*taken}
        self.turn = unique("i", {*words, *taken, *blocks, *self.known})
        self.taken = {*words, *taken, *blocks, *self.known, self.turn}
        # Attributes that `forward` reads, with the expressions that the constructor sets them to.
        self.stored: dict[str, str] = {}

    @property
    def channels(self) -> ChannelCount | None:
        """The channels of the input and what they are called, where there is one tensor."""
        name = self.names.get(INPUT, "")
        return ChannelCount(tuple(self.known[name]), name) if name in self.known else None

    @property
    def parameters(self) -> list[ConstructorParameter]:
        """The arguments that are needed: the definition's in its order, then those that have no name there."""
        known = (name for name in self.known if name in self.used)
        defaults = self.defaults | self.usual
        declared = [ConstructorParameter(name, tuple(self.known[name]), defaults.get(name, MISSING)) for name in known]
        fresh = (each for name, each in self.fresh.items() if name in self.used or name not in self.spare)
        return [*declared, *fresh, *self.inherited.values()]

    @property
    def needed(self) -> int:
        """The number of arguments that a caller has to give, modules aside."""
        return sum(each.default is MISSING for each in self.parameters)

    @property
    def rows(self) -> dict[str, Sequence[Any]]:
        """The values of every identifier in each instance."""
        return {**self.known, **{each.name: each.values for each in (*self.fresh.values(), *self.inherited.values())}}

    def decide(self, argument: str, values: tuple[bool, ...]) -> str:
        """The identifier of a new argument: a choice between two forms of the class.

        It may bear the name of a parameter of the definition, whose value it then is as far as it makes a difference.
        """
        known = self.names.get(argument, "")
        self.known.pop(known, None)
        self.taken.discard(known)
        # It may also bear the name of the module that depends on it, as attributes and arguments do not meet.
        name = unique(identifier(argument), self.taken - ({argument} & self.optional))
        self.taken.add(name)
        default = self.defaults.get(known, False)
        self.fresh[name] = ConstructorParameter(name, values, default)
        return name

    def number(self, columns: Columns, values: Sequence[Any], hint: Hint) -> str:
        """The text of a number."""
        return ast.unparse(tree) if (tree := self.expression(columns, values, hint)) else literal(values[0])

    def draft(self, columns: Columns, values: Sequence[Any], hint: Hint) -> str:
        """The text of a number in an expression that may not be used."""
        used, fresh, inherited = {*self.used}, {*self.fresh}, {**self.inherited}
        text = self.number(columns, values, hint)
        self.used, self.inherited = used, inherited
        self.spare |= {*self.fresh} - fresh
        return text

    def expression(self, columns: Columns, values: Sequence[Any], hint: Hint) -> ast.expr | None:
        """A number as an expression; None for one that is the same everywhere and came from no argument."""
        return self.visible(columns, values, hint) if same(values) else self.tree(columns, values, hint)

    def visible(self, columns: Columns, values: Sequence[Any], hint: Hint) -> ast.expr | None:
        """An argument, or the input's channels, that is the same everywhere, and that a reader will want to see."""
        tree = self.by_origin(columns, values, hint)
        if tree is not None and arithmetic.names(tree):
            return tree
        return self.by_channels(columns, values, hint)

    def attribute(self, columns: Columns, values: Sequence[Any], hint: Hint) -> str:
        """The text of a number inside `forward`."""
        if same(values) and len(text := literal(values[0])) <= LONG:
            return text
        text = self.number(columns, values, hint)
        name = next((name for name, known in self.stored.items() if known == text), "")
        if not name:
            wanted = attribute_name(text if text.isidentifier() else hint.fact)
            name = unique(wanted, {*self.members, *self.stored})
            self.stored[name] = text
        return f"self.{name}"

    def tree(self, columns: Columns, values: Sequence[Any], hint: Hint) -> ast.expr:
        """A number as an expression over the arguments, and the turn of the loop."""
        if same(values):
            return self.visible(columns, values, hint) or constant(values[0])
        if not columns.turns:
            return self.argument(columns, tuple(values), hint)
        starts, steps = progression(columns, values)
        instances = Columns(tuple(dict.fromkeys(columns.instances)))
        if not any(steps):
            return self.tree(instances, starts, hint)
        start = self.tree(instances, starts, hint)
        step = self.inherited_as(steps) or self.tree(instances, steps, Hint(hint.child, "growth"))
        return arithmetic.folded(SLOPE, {"start": start, "step": step, "turn": ast.Name(self.turn)})

    def argument(self, columns: Columns, values: tuple[Any, ...], hint: Hint) -> ast.expr:
        """A number that differs among the instances: by its text, a parameter's name, or a new name."""
        return (
            self.by_origin(columns, values, hint)
            or self.by_value(columns, values, hint)
            or self.by_new_name(columns, values, hint)
        )

    def by_origin(self, columns: Columns, values: Sequence[Any], hint: Hint) -> ast.expr | None:
        """The number's own text, if it is arithmetic over parameters and right in every instance."""
        if hint.origin is None or hint.origin.kind == "literal":
            return None
        tree = arithmetic.parse(hint.origin.text)
        if tree is None:
            return None
        foreign = [name for name in arithmetic.names(tree) if self.names.get(name) not in self.known]
        if not all(name in self.outer for name in foreign):
            return None
        before = {**self.inherited}
        tree = Renamed(self.names | {name: self.inherit(name) for name in foreign}).visit(tree)
        decided = arithmetic.asked(tree)
        fixed = {name: constant(row[0]) for name, row in self.known.items() if same(row) and self.hidden(name, decided)}
        found = self.fitting(columns, arithmetic.folded(tree, fixed), values)
        if found is None:
            self.inherited = before
        return found

    def inherit(self, name: str) -> str:
        """The argument that stands for a parameter of the network, whose value is its default."""
        if name not in self.inherited:
            value, values = self.outer[name], (self.outer[name],) * len(self.columns.instances)
            plain = unique(identifier(name), self.taken | {each.name for each in self.inherited.values()})
            # Not a memo: these are the arguments that the class takes over.
            self.inherited[name] = ConstructorParameter(plain, values, value, name)
        return self.inherited[name].name

    def inherited_as(self, values: Sequence[Any]) -> ast.expr | None:
        """The parameter of the network that a step of a loop is."""
        found = (each.name for each in self.inherited.values() if same([*values, each.default]))
        return next((ast.Name(name) for name in found), None)

    def hidden(self, name: str, decided: Collection[str]) -> bool:
        """True if an argument that all instances have in common would only make the constructor longer.

        So does one that is the declared default anyway, and one that a choice depends on: the choice is made.
        """
        return name in decided or (name in self.defaults and same([*self.known[name], self.defaults[name]]))

    def fitting(self, columns: Columns, tree: ast.expr | None, values: Sequence[Any]) -> ast.expr | None:
        """The expression, if it is right in every instance."""
        if tree is None or has_text(tree) or not fits(tree, self.rows | self.lengths, columns, values):
            return None
        self.used |= set(arithmetic.names(tree))
        return tree

    def by_channels(self, columns: Columns, values: Sequence[Any], hint: Hint) -> ast.expr | None:
        """The channels of what reaches an op, by their text."""
        if hint.fact not in CHANNELS or hint.channels is None or hint.channels.values != tuple(values):
            return None
        return self.fitting(columns, arithmetic.parse(hint.channels.text), values)

    def by_value(self, columns: Columns, values: tuple[Any, ...], hint: Hint) -> ast.expr | None:
        """A parameter, or an argument named before, that has this value in every instance."""
        if (found := self.by_channels(columns, values, hint)) is not None:
            return found
        key = alike(values)
        rows = self.rows
        for name in (self.names.get(hint.fact, ""), *rows):
            if name in rows and alike(columns.of(rows[name])) == key:
                self.used.add(name)
                return ast.Name(name)
        return self.by_form(columns, values) if hint.fact in CHANNELS else None

    def by_form(self, columns: Columns, values: tuple[Any, ...]) -> ast.expr | None:
        """A simple share or multiple of the input's channels."""
        if self.channels is None:
            return None
        channels: dict[str, ast.expr] = {INPUT: ast.Name(self.channels.text)}
        trees = (arithmetic.folded(form, channels) for form in FORMS)
        return next((fit for tree in trees if (fit := self.fitting(columns, tree, values))), None)

    def by_new_name(self, columns: Columns, values: tuple[Any, ...], hint: Hint) -> ast.expr:
        """A new argument, named after what it is. A parameter that is the number in another form makes room for it.

        Instances that have no such number are given the first one, which is then the default.
        """
        plain = identifier(hint.fact)
        known = self.names.get(hint.fact, "")
        if hint.origin is not None and hint.origin.text == hint.fact and known in self.known and known not in self.used:
            del self.known[known]
            self.taken.discard(known)
        free = hint.fact not in CHANNELS and plain not in self.taken
        inner = WIDTH if hint.fact == "out" and WIDTH not in self.taken else ""
        name = plain if free or not hint.child else inner if inner else f"{hint.child}_{hint.fact}"
        name = unique(name, self.taken | {each.name for each in self.inherited.values()})
        self.taken.add(name)
        placed = dict(zip(columns.instances, values, strict=True))
        row = tuple(placed.get(at, values[0]) for at in self.columns.instances)
        found = ConstructorParameter(name, row, MISSING if len(placed) == len(row) else values[0])
        usual = name == plain and found.is_usual(hint.default)
        self.fresh[name] = found._replace(default=hint.default) if usual else found
        return ast.Name(name)


class Renamed(ast.NodeTransformer):
    """Names as the emitted text has them."""

    def __init__(self, names: Mapping[str, str]) -> None:
        self.names = names

    def visit_Name(self, node: ast.Name) -> ast.AST:
        """A name of the definition's."""
        return ast.Name(self.names.get(node.id, node.id))


SLOPE = ast.parse("start + step * turn", mode="eval").body


def arguments(scopes: Sequence[Scope], blocks: Sequence[str]) -> tuple[dict[str, list[Any]], dict[str, Any]]:
    """Arguments that all instances of a definition have, blocks aside: values, and declared defaults."""
    rows = [{argument.name: argument.value for argument in scope.arguments} for scope in scopes]
    numbers = (name for name in rows[0] if name not in blocks)
    names = [name for name in numbers if all(name in row and writable(row[name]) for row in rows)]
    known = {name: [row[name] for row in rows] for name in names}
    if all(scope.op is None and scope.inputs and not is_list(scope.inputs[0]) for scope in scopes):
        known = {INPUT: [scope.inputs[0][0] for scope in scopes]} | known
    declared = {argument.name: argument.default for argument in scopes[0].arguments}
    chosen = {name: declared.get(name, MISSING) for name in names}
    defaults = {name: CONVENTIONS.get(name, MISSING) if value is MISSING else value for name, value in chosen.items()}
    return known, {name: value for name, value in defaults.items() if value is not MISSING and writable(value)}


def writable(value: Any) -> bool:
    """True if a value can be an argument: a number, a size, a symbol."""
    if isinstance(value, tuple):
        return all(map(writable, cast("tuple[Any, ...]", value)))
    return value is None or isinstance(value, int | float | str)


def alike(values: Sequence[Any]) -> tuple[Any, ...]:
    """Values such that 1, 1.0 and true differ."""
    return tuple((type(value), value) for value in values)


def same(values: Sequence[Any]) -> bool:
    """True if a number is the same everywhere."""
    first = values[0]
    return all(value == first and type(value) is type(first) for value in values)


def has_text(tree: ast.expr) -> bool:
    """True if there is a string in an expression."""
    return any(isinstance(node, ast.Constant) and isinstance(node.value, str) for node in ast.walk(tree))


def fits(tree: ast.expr, known: Mapping[str, Sequence[Any]], columns: Columns, values: Sequence[Any]) -> bool:
    """True if an expression has these values."""
    names = [each for name in arithmetic.names(tree) for each in (name, f"len({name})") if each in known]
    try:
        found = [arithmetic.evaluate(tree, {name: known[name][at] for name in names}) for at in columns.instances]
    except Unknown:
        return False
    return alike(found) == alike(values)


def progression(columns: Columns, values: Sequence[Any]) -> tuple[list[Any], list[Any]]:
    """Of a number that grows evenly with the turns: where each instance starts, and its step."""
    starts: dict[int, Any] = {}
    steps: dict[int, Any] = {}
    for instance, turn, value in zip(columns.instances, columns.turns, values, strict=True):
        if turn == 0:
            starts[instance], steps[instance] = value, 0
        elif turn == 1 and value != starts[instance]:
            steps[instance] = value - starts[instance]
    return [*starts.values()], [*steps.values()]


def constant(value: Any) -> ast.expr:
    """A value as an expression."""
    return ast.parse(literal(value), mode="eval").body
