"""Kind inference: whether an expression is a value, a tensor or a block, as far as its text shows."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Literal

from archdsl.syntax import ast
from archdsl.syntax.naming import callee_name
from archdsl.syntax.scopes import FORMS, FUNCTION_NAMES, POLICIES, FileScope, UserFunction

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
