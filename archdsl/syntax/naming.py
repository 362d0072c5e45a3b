"""Names of modules. They come from the text alone.

Each place where a block is applied has a name among its neighbours: the kind of block or op, the second of a kind
with a number (`cna`, `cna2`, `cna3`), in the order of the text, both arms of a condition counted. The first repeat of
a chain has no name of its own: its modules are `0`, `1`, ....
"""

from __future__ import annotations

from typing import NamedTuple

from archdsl.graph.ir import attribute_name
from archdsl.syntax import ast


class ModuleName(NamedTuple):
    """The name of a module among its neighbours; where it is empty, the position is the name.

    `listed` says that the place is in a loop: the name is that of a list, with one module for each iteration. Where
    the name has a number, it is that of the `number`-th of a `kind`.
    """

    text: str
    listed: bool = False
    kind: str = ""
    number: int = 0

    def __bool__(self) -> bool:
        return bool(self.text)

    def __str__(self) -> str:
        return self.text


NO_NAME = ModuleName("")


class Names:
    """The names already taken among neighbours. In a `chain`, the first repeat takes none."""

    def __init__(self, chain: bool) -> None:
        self.taken: dict[str, int] = {}
        self.given: set[str] = set()
        self.chain = chain

    def fresh(self, kind: str) -> ModuleName:
        """The next name of a kind; the second `cna` may have taken that of a block called `cna2`."""
        while True:
            number = self.taken[kind] = self.taken.get(kind, 0) + 1
            # The second `conv3` is `conv3_2`, as `conv32` would be read as another kind.
            between = "_" if kind[-1].isdigit() else ""
            name = attribute_name(kind) if number == 1 else f"{kind}{between}{number}"
            if name not in self.given:
                self.given.add(name)
                return ModuleName(name) if number == 1 else ModuleName(name, False, kind, number)

    def repeat(self, kind: str) -> ModuleName:
        """The name of a repeat; empty for the first one of a chain."""
        if self.chain:
            self.chain = False
            return NO_NAME
        return self.fresh(kind)


def callee_name(node: ast.Expression) -> str:
    """The name of the block that is called."""
    match node:
        case ast.Name():
            return node.id
        case ast.Attribute():
            return node.name
        case ast.Call():
            return callee_name(node.callee)
        case ast.Index() | ast.ListSlice() | ast.Unpack():
            return callee_name(source_of(node))
        case _:
            return "block"


def source_of(node: ast.Expression) -> ast.Expression:
    """The source of an item or a slice: a list by name, or a call."""
    while isinstance(node, ast.Index | ast.ListSlice | ast.Unpack):
        node = node.value if isinstance(node, ast.Unpack) else node.base
    return node


def applied(node: ast.Expression) -> ast.Expression:
    """The block that an expression applies, without what is set of it or shared."""
    while isinstance(node, ast.Call):
        node = node.arguments[-1].value if is_wrapper(node) else node.callee
    return node


def is_wrapper(node: ast.Call) -> bool:
    """Tell if a call is a form that takes a block and has its name."""
    return isinstance(node.callee, ast.Name) and node.callee.id in {"with", "share"} and bool(node.arguments)


def kind_name(node: ast.Expression) -> str:
    """The name of an expression's kind, as a module."""
    match node:
        case ast.Name() | ast.Attribute() | ast.Index():
            return callee_name(node)
        case ast.Call(callee=ast.Name(id="with" | "share"), arguments=[*_, last]):
            return kind_name(last.value)
        case ast.Call():
            return callee_name(node.callee)
        case ast.Named():
            return node.name
        case ast.Binary():
            return {"+": "add", "*": "multiply"}.get(node.sign, "block")
        case ast.Conditional():
            return kind_name(node.then if callee_name(node.then) != "identity" else node.other)
        case _:
            return "chain"


def is_single(node: ast.Expression) -> bool:
    """Tell if an expression is one block by its text, in both arms of a condition."""
    match node:
        case ast.Chain() | ast.Binary() | ast.Call(callee=ast.Name(id="fork" | "concat" | "collect" | "share")):
            return False
        case ast.Call(callee=ast.Name(id="with"), arguments=[*_, last]):
            return is_single(last.value)
        case ast.Conditional():
            return is_single(node.then) and is_single(node.other)
        case _:
            return True


def returns_single(body: tuple[ast.Statement, ...]) -> bool:
    """Tell if a body returns one block by its text, on all paths."""
    for statement in body:
        match statement:
            case ast.Return() if not is_single(statement.value):
                return False
            case ast.If() if not (returns_single(statement.body) and returns_single(statement.other)):
                return False
            case ast.For() if not returns_single(statement.body):
                return False
            case _:
                pass
    return True
