"""The numbers of a class: what is the same in all its instances is written out, what differs becomes an argument.

All instances are walked side by side. So a number is a row of values, one for each instance (or, in a loop over
modules that differ evenly, one for each turn of each instance), and the question is what to call it: by the text it
came from, by a parameter of the definition, or by a name of its own.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, cast

from archdsl.backends.torch import arithmetic
from archdsl.backends.torch.arithmetic import Unknown
from archdsl.backends.torch.text import literal
from archdsl.graph import Origin, Scope
from archdsl.graph.forward.expressions import LONG
from archdsl.graph.forward.names import identifier, unique
from archdsl.record import MISSING

CONVENTIONS = {"kernel": 1, "stride": 1, "dilation": 1, "groups": 1}
"""Defaults of parameters whose declaration does not say one."""
CHANNELS = ("in_channels", "in_features", "num_parameters", "normalized")
"""Facts that are the channels of what reaches an op."""
FORMS = ("in_channels // 2", "2 * in_channels", "in_channels // 4", "4 * in_channels")
"""What else channels may be called."""


class Columns(NamedTuple):
    """What stands side by side: for each value of a row its instance and, in a loop, its turn."""

    instances: tuple[int, ...]
    turns: tuple[int, ...] = ()


class Hint(NamedTuple):
    """What is known of a number: which fact of which child it is, where it came from, what PyTorch takes it to be."""

    child: str
    fact: str
    origin: Origin | None = None
    default: Any = MISSING
    channels: Channels | None = None
    """What the channels are called that reach it."""


class Channels(NamedTuple):
    """The channels of a tensor in each instance, and their text."""

    values: tuple[int, ...]
    text: str


class Parameter(NamedTuple):
    """An argument of a class's constructor, with its value in each instance."""

    name: str
    values: tuple[Any, ...]
    default: Any = MISSING

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


class Frame:
    """The arguments of one class, found while its numbers are named."""

    def __init__(self, scopes: Sequence[Scope], taken: Sequence[str] = (), blocks: Sequence[str] = ()) -> None:
        self.size = len(scopes)
        self.columns = Columns(tuple(range(self.size)))
        self.known, self.defaults = arguments(scopes, blocks)
        self.used: set[str] = set()
        self.fresh: dict[str, Parameter] = {}
        self.taken = {*taken, *self.known}
        self.stored: dict[str, str] = {}
        """What `forward` needs: attributes, with what the constructor sets them to."""
        self.turn = unique("i", self.taken)

    @property
    def parameters(self) -> list[Parameter]:
        """The arguments that are needed: the definition's in its order, then those that have no name there."""
        known = [name for name in self.known if name in self.used]
        declared = [
            Parameter(identifier(name), tuple(self.known[name]), self.defaults.get(name, MISSING)) for name in known
        ]
        return [*declared, *self.fresh.values()]

    def number(self, columns: Columns, values: Sequence[Any], hint: Hint) -> str:
        """The text of a number."""
        return literal(values[0]) if same(values) else ast.unparse(self.tree(columns, values, hint))

    def attribute(self, values: Sequence[Any], hint: Hint) -> str:
        """The text of a number inside `forward`."""
        text = self.number(self.columns, values, hint)
        if same(values) and len(text) <= LONG:
            return text
        name = text if text.isidentifier() else unique(hint.fact, {*self.taken, *self.stored})
        self.stored[name] = text
        return f"self.{name}"

    def tree(self, columns: Columns, values: Sequence[Any], hint: Hint) -> ast.expr:
        """A number as an expression over the arguments, and the turn of the loop."""
        if same(values):
            return constant(values[0])
        if not columns.turns:
            return self.argument(tuple(values), hint)
        starts, steps = progression(columns, values, self.size)
        start, step = (self.tree(self.columns, each, hint) for each in (starts, steps))
        return arithmetic.folded(SLOPE, {"start": start, "step": step, "turn": ast.Name(self.turn)})

    def argument(self, values: tuple[Any, ...], hint: Hint) -> ast.expr:
        """A number that differs among the instances: by its text, a parameter's name, or a new name."""
        return self.by_origin(values, hint) or self.by_value(values, hint) or self.by_new_name(values, hint)

    def by_origin(self, values: tuple[Any, ...], hint: Hint) -> ast.expr | None:
        """The number's own text, if it is arithmetic over parameters and right in every instance."""
        if hint.origin is None or hint.origin.kind == "literal":
            return None
        tree = arithmetic.parse(hint.origin.text)
        if tree is None or not all(name in self.known for name in arithmetic.names(tree)):
            return None
        fixed = {name: constant(row[0]) for name, row in self.known.items() if same(row)}
        return self.fitting(arithmetic.folded(tree, fixed), values)

    def fitting(self, tree: ast.expr, values: tuple[Any, ...]) -> ast.expr | None:
        """The expression, if it is right in every instance."""
        if any(isinstance(node, ast.Constant) and isinstance(node.value, str) for node in ast.walk(tree)):
            return None
        if not fits(tree, self.known, values):
            return None
        self.used |= set(arithmetic.names(tree))
        return Renamed().visit(tree)

    def by_value(self, values: tuple[Any, ...], hint: Hint) -> ast.expr | None:
        """A parameter, or an argument named before, that has this value in every instance."""
        key = alike(values)
        if hint.channels is not None and hint.fact in CHANNELS and hint.channels.values == values:
            tree = ast.parse(hint.channels.text, mode="eval").body
            self.used |= {name for name in self.known if identifier(name) in arithmetic.names(tree)}
            return tree
        for name in (hint.fact, *self.known):
            if name in self.known and alike(self.known[name]) == key:
                self.used.add(name)
                return ast.Name(identifier(name))
        named = (parameter.name for parameter in self.fresh.values() if alike(parameter.values) == key)
        known = next((ast.Name(name) for name in named), None)
        return known or (self.by_form(values) if hint.fact in CHANNELS else None)

    def by_form(self, values: tuple[Any, ...]) -> ast.expr | None:
        """A simple share or multiple of the input's channels."""
        trees = (arithmetic.parse(form) for form in FORMS if "in_channels" in self.known)
        return next((fit for tree in trees if tree is not None and (fit := self.fitting(tree, values))), None)

    def by_new_name(self, values: tuple[Any, ...], hint: Hint) -> ast.expr:
        """A new argument, named after what it is. A parameter that is the number in another form makes room for it."""
        plain = identifier(hint.fact)
        if hint.origin is not None and hint.origin.text == hint.fact in self.known and hint.fact not in self.used:
            del self.known[hint.fact]
            self.taken.discard(hint.fact)
        free = hint.fact not in CHANNELS and plain not in self.taken
        name = plain if free or not hint.child else f"{hint.child}_{hint.fact}"
        name = unique(name, self.taken)
        self.taken.add(name)
        default = hint.default if hint.default in values and name == plain else MISSING
        self.fresh[name] = Parameter(name, values, default)
        return ast.Name(name)


class Renamed(ast.NodeTransformer):
    """Names as the emitted text may use them."""

    def visit_Name(self, node: ast.Name) -> ast.AST:
        """A parameter."""
        return ast.Name(identifier(node.id))


SLOPE = ast.parse("start + step * turn", mode="eval").body


def arguments(scopes: Sequence[Scope], blocks: Sequence[str]) -> tuple[dict[str, list[Any]], dict[str, Any]]:
    """What has a name in all the instances of a definition, but for blocks: its values, and the declared defaults."""
    rows = [{argument.name: argument.value for argument in scope.arguments} for scope in scopes]
    numbers = (name for name in rows[0] if name not in blocks)
    names = [name for name in numbers if all(name in row and writable(row[name]) for row in rows)]
    known = {name: [row[name] for row in rows] for name in names}
    if all(scope.op is None and scope.inputs and isinstance(scope.inputs[0][0], int) for scope in scopes):
        known = {"in_channels": [scope.inputs[0][0] for scope in scopes]} | known
    declared = {argument.name: argument.default for argument in scopes[0].arguments}
    chosen = {name: declared.get(name, MISSING) for name in names}
    defaults = {name: CONVENTIONS.get(name, MISSING) if value is MISSING else value for name, value in chosen.items()}
    return known, {name: value for name, value in defaults.items() if value is not MISSING and writable(value)}


def writable(value: Any) -> bool:
    """Whether a value can be an argument: a number, a size, a symbol."""
    if isinstance(value, tuple):
        return all(map(writable, cast("tuple[Any, ...]", value)))
    return value is None or isinstance(value, int | float | str)


def alike(values: Sequence[Any]) -> tuple[Any, ...]:
    """Values such that 1, 1.0 and true differ."""
    return tuple((type(value), value) for value in values)


def same(values: Sequence[Any]) -> bool:
    """Whether a number is the same everywhere."""
    first = values[0]
    return all(value == first and type(value) is type(first) for value in values)


def fits(tree: ast.expr, known: Mapping[str, Sequence[Any]], values: Sequence[Any]) -> bool:
    """Whether an expression has these values."""
    names = [name for name in arithmetic.names(tree) if name in known]
    try:
        found = [arithmetic.evaluate(tree, {name: known[name][at] for name in names}) for at in range(len(values))]
    except Unknown:
        return False
    return alike(found) == alike(values)


def progression(columns: Columns, values: Sequence[Any], size: int) -> tuple[list[Any], list[Any]]:
    """Of a number that grows evenly with the turns: where each instance starts, and its step."""
    starts: list[Any] = [None] * size
    steps: list[Any] = [0] * size
    for instance, turn, value in zip(columns.instances, columns.turns, values, strict=True):
        if turn == 0:
            starts[instance] = value
        elif turn == 1 and value != starts[instance]:
            steps[instance] = value - starts[instance]
    return starts, steps


def constant(value: Any) -> ast.expr:
    """A value as an expression."""
    return ast.parse(literal(value), mode="eval").body
