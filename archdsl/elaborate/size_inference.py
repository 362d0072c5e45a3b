"""Size inference: an abstract interpretation that proves from the text alone that a line keeps a map's size.

The size is height and width. The abstract value KEEPS stands for a tensor of the size that the line's input has, for a
block that maps tensors of this size to such tensors, and for a list of these. A proof holds for expressions that can be
evaluated (one that fails may get any value), and for maps with both sides above 1: a gate can widen no others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from typing import Any, NamedTuple, cast

from archdsl.elaborate.blame import ElaborationError
from archdsl.elaborate.numbers import as_index, is_int
from archdsl.elaborate.operators import compute
from archdsl.elaborate.signature import assign, signature_of
from archdsl.elaborate.values import Symbol, Use
from archdsl.op import ALWAYS, Op
from archdsl.ops import vocabulary
from archdsl.syntax import ast
from archdsl.syntax.ast import SIGNS
from archdsl.syntax.scopes import POLICIES, TURN_WORDS, Definition, FileScope, Target
from archdsl.syntax.static_names import StaticLine

# Limit on the expressions visited for one line, those behind a memo included. It ends recursion, too.
MOST_NODES = 5000
# Limit on the answers that a memo holds.
MOST_ANSWERS = 500
# Ints up to this one (strides) keep their value; larger ones (widths) are UNKNOWN, or memos would find nothing.
LARGEST_CHOICE = 2


class Fact(Enum):
    """Abstract values. The others are small ints, words, None, partial calls, and the arguments in a `...name`."""

    KEEPS = 1
    UNKNOWN = 2
    TRUE = 3
    FALSE = 4


KEEPS, UNKNOWN, TRUE, FALSE = Fact
Names = dict[str, Any]


class PartialCall(NamedTuple):
    """An op or a defined block, and the arguments given so far."""

    target: Target
    given: frozenset[tuple[str, Any]] = frozenset()


class Answer(NamedTuple):
    """The answer for a call of a block, and the number of expressions visited for it."""

    kept: bool
    nodes: int


class Unclear(Exception):
    """No proof: the limit is reached, or there is a loop, which is not followed."""


def abstract(value: Any) -> Any:
    """Abstraction of a value."""
    match value:
        case bool():
            return TRUE if value else FALSE
        case _ if is_int(value):
            return as_index(value) if 0 <= value <= LARGEST_CHOICE else UNKNOWN
        case Symbol() | None:
            return value
        case Use():
            return PartialCall(
                value.target, frozenset((name, abstract(each.value)) for name, each in value.given.items())
            )
        case _:
            return UNKNOWN


def make_room(answers: dict[Any, Any]) -> None:
    """Clear a memo that is full."""
    if len(answers) >= MOST_ANSWERS:
        answers.clear()


def is_harmless(target: Target | None, name: str, value: Any) -> bool:
    """Tell settings that change no answer: a policy that always keeps the size, a parameter in no op's conditions."""
    if target is None:
        return isinstance(value, PartialCall) and getattr(value.target, "keeps_size", None) == ALWAYS
    return not isinstance(target, Definition) and name not in dict(target.keeps_size or ())


def merged(ways: list[Names]) -> Names:
    """The names after branches have joined."""
    every = {name: [way.get(name, UNKNOWN) for way in ways] for name in {name for way in ways for name in way}}
    return {name: values[0] if values.count(values[0]) == len(ways) else UNKNOWN for name, values in every.items()}


class SizeAnalysis:
    """Proofs under a network's settings."""

    def __init__(self, settings: Mapping[tuple[Target | None, str], Any]) -> None:
        known = [(slot, abstract(value)) for slot, value in settings.items()]
        self.settings = {slot: value for slot, value in known if not is_harmless(*slot, value)}
        self.key = frozenset(self.settings.items())
        self.left = 0

    def keeps_size(self, line: StaticLine, file: FileScope, names: Mapping[str, Any]) -> bool:
        """True if a line is proved to keep the size of a map."""
        known = {name: abstract(names[name]) for name in line.names if name in names}
        key = (tuple(known.items()), self.key)
        found = line.sizes.get(key)
        if found is None:
            self.left = MOST_NODES
            try:
                found = self.is_kept(SizeInference(self, file, known).of(line.node))
            except (Unclear, ElaborationError, RecursionError):
                found = False
            make_room(line.sizes)
            line.sizes[key] = found
        return found

    def is_kept(self, value: Any) -> bool:
        """True for a tensor of the size, and for a block that keeps it with the arguments given so far."""
        if not isinstance(value, PartialCall):
            return value is KEEPS
        if isinstance(value.target, Definition):
            return self.block_keeps(value.target, value.given)
        return self.op_keeps(value.target, dict(value.given))

    def op_keeps(self, op: type[Op], given: Names) -> bool:
        """True if the conditions of an op hold."""
        own = {name: value for (owner, name), value in self.settings.items() if owner is op}
        values = op.defaults | own | given
        return op.keeps_size is not None and all(values.get(name, UNKNOWN) in fit for name, fit in op.keeps_size)

    def block_keeps(self, block: Definition, given: frozenset[tuple[str, Any]]) -> bool:
        """True if everything that a block may return has the size."""
        memos, key, before = block.file.memos, (block, given, self.key), self.left
        found: Answer | None = memos.sizes.get(key)
        if found is not None:
            self.spend(found.nodes)
            return found.kept
        inference = SizeInference(self, block.file, {"x": KEEPS})
        inference.bind_parameters(block, dict(given))
        inference.run(block.body)
        kept = all(map(self.is_kept, inference.returned))
        make_room(memos.sizes)
        memos.sizes[key] = Answer(kept, before - self.left)
        return kept

    def spend(self, nodes: int) -> None:
        """Count visited expressions; raise Unclear at the limit."""
        self.left -= nodes
        if self.left < 0:
            raise Unclear


class SizeInference:
    """The abstract interpreter of a line, or of a block's body; `returned` collects the values of each `return`."""

    def __init__(self, analysis: SizeAnalysis, file: FileScope, names: Names) -> None:
        self.analysis = analysis
        self.file = file
        self.names = names
        self.returned: list[Any] = []

    def bind_parameters(self, block: Definition, given: Names) -> None:
        """Bind the parameters: to an argument, a setting, or the default; `...name` to the arguments left over."""
        slots, settings = signature_of(block).slots, self.analysis.settings
        for parameter in block.parameters:
            name, default = parameter.name, parameter.default
            if name in given:
                self.names[name] = given[name]
            elif parameter.rest:
                self.names[name] = frozenset(item for item in given.items() if item[0] not in slots)
            elif (block, name) in settings or default is None:
                self.names[name] = settings.get((block, name), UNKNOWN)
            else:
                self.names[name] = self.argument(default, slots[name].type.symbols)

    # ---- statements

    def run(self, body: tuple[ast.Statement, ...]) -> bool:
        """Interpret statements in order; True if they always return."""
        for statement in body:
            match statement:
                case ast.Return():
                    self.returned.append(self.of(statement.value))
                    return True
                case ast.Assign():
                    self.assign(statement)
                case ast.If():
                    if self.branch(statement):
                        return True
                case _:
                    raise Unclear  # a loop
        return False

    def assign(self, statement: ast.Assign) -> None:
        """Bind a name to a value, or several names to the items of a list."""
        value, single = self.of(statement.value), len(statement.targets) == 1
        self.names |= {target.id: value if single else self.kept([value]) for target in statement.targets}

    def branch(self, statement: ast.If) -> bool:
        """Interpret the arms that may be taken; True if all of them always return."""
        before, ends = self.names, list[Names]()
        for arm in self.arms(statement.test, statement.body, statement.other):
            self.names = dict(before)
            if not self.run(arm):
                ends.append(self.names)
        self.names = merged(ends)
        return not ends

    # ---- expressions

    def of(self, node: ast.Expression) -> Any:
        """The abstract value of an expression."""
        self.analysis.spend(1)
        interpret = OF.get(type(node))
        return UNKNOWN if interpret is None else interpret(self, node)

    def kept(self, values: Iterable[Any]) -> Fact:
        """KEEPS if all values keep the size. Evaluation stops at the first that does not."""
        return KEEPS if all(map(self.analysis.is_kept, values)) else UNKNOWN

    def every(self, *nodes: ast.Expression) -> Fact:
        """KEEPS if all expressions keep the size."""
        return self.kept(map(self.of, nodes))

    def repeated(self, node: ast.Expression) -> Fact:
        """KEEPS if the body of a repeat keeps the size in every turn."""
        outer = self.names
        self.names = {**outer, **dict.fromkeys(TURN_WORDS, UNKNOWN)}
        found = self.every(node)
        self.names = outer
        return found

    def arms(self, test: ast.Expression, then: Any, other: Any) -> list[Any]:
        """The arms that a condition may select."""
        value = self.of(test)
        return [arm for arm, excluded in ((then, FALSE), (other, TRUE)) if value is not excluded]

    def argument(self, node: ast.Expression, words: tuple[str, ...] = ()) -> Any:
        """The value of an argument, which may be a word of an enumeration."""
        match node:
            case ast.Name(id=word) if word in words and word not in self.names:
                return Symbol(word)
            case ast.Conditional():
                values = [self.argument(arm, words) for arm in self.arms(node.test, node.then, node.other)]
                return values[0] if values.count(values[0]) == len(values) else self.kept(values)
            case _:
                return self.of(node)

    def meaning(self, name: str) -> Any:
        """The meaning of a name that the text does not bind. `identity` stands for a harmless policy."""
        if name in POLICIES:
            return self.analysis.settings.get((None, name), PartialCall(vocabulary()["identity"]))
        found = self.file.find(name)
        return PartialCall(found) if isinstance(found, Definition | type) else UNKNOWN

    def name(self, node: ast.Name) -> Any:
        """The value of a name."""
        return self.names[node.id] if node.id in self.names else self.meaning(node.id)

    def call(self, node: ast.Call) -> Any:
        """A special form, or a block with further arguments."""
        if isinstance(node.callee, ast.Name) and node.arguments and node.callee.id in FORMS:
            return FORMS[node.callee.id](self, [argument.value for argument in node.arguments], node)
        block = self.of(node.callee)
        return self.give(block, node) if isinstance(block, PartialCall) else UNKNOWN

    def give(self, block: PartialCall, node: ast.Call) -> Any:
        """A block with further arguments."""
        signature, given = signature_of(block.target), dict(block.given)
        if signature.lenient:
            return block
        written: list[ast.CallArgument] = []
        for argument in node.arguments:
            if not isinstance(argument.value, ast.Unpack):
                written.append(argument)
                continue
            handed: Any = self.of(argument.value.value)
            if not isinstance(handed, frozenset):
                return UNKNOWN
            given |= dict(cast("frozenset[tuple[str, Any]]", handed))
        for name, argument in assign(signature, tuple(written), given, node):
            slot = signature.slots.get(name)
            given[name] = self.argument(argument.value, slot.type.symbols if slot else ())
        return PartialCall(block.target, frozenset(given.items()))

    def under(self, parts: list[ast.Expression], node: ast.Call) -> Any:
        """`with(settings, a)`: `a` if the settings are harmless."""
        return self.of(parts[-1]) if all(map(self.is_harmless, node.arguments[:-1])) else UNKNOWN

    def is_harmless(self, setting: ast.CallArgument) -> bool:
        """True for a setting of a `with` that changes no answer."""
        *owner, name = setting.target or ("",)
        if not owner:
            return is_harmless(None, name, self.of(setting.value))
        target = self.file.find(".".join(owner))
        return isinstance(target, Definition | type) and is_harmless(target, name, UNKNOWN)

    def binary(self, node: ast.Binary) -> Any:
        """A sum or a gate keeps the size if one operand does, a repeat if its body does; the rest are comparisons."""
        if node.sign in JOINTS:
            keeps = self.every(node.left) is KEEPS or self.repeated(node.right) is KEEPS
            return KEEPS if keeps else UNKNOWN
        left, right = self.of(node.left), self.of(node.right)
        known = node.sign in SIGNS and is_int(left) and is_int(right)
        return abstract(compute(node.sign, left, right)) if known else UNKNOWN


JOINTS = {"+", "*"}

# One operand of `concat` that keeps the size is not enough, as it may be a list without tensors.
FORMS: dict[str, Callable[[SizeInference, list[ast.Expression], ast.Call], Any]] = {
    **dict.fromkeys(("fork", "concat", "share"), lambda self, parts, _: self.every(*parts)),
    "collect": lambda self, parts, _: self.repeated(parts[-1]),
    "with": SizeInference.under,
}

# All other expressions are UNKNOWN.
OF: dict[type[ast.Expression], Callable[[SizeInference, Any], Any]] = {
    ast.Name: SizeInference.name,
    ast.Number: lambda _, node: abstract(node.value),
    ast.Boolean: lambda _, node: abstract(node.value),
    ast.Call: SizeInference.call,
    ast.Binary: SizeInference.binary,
    ast.Conditional: SizeInference.argument,
    ast.Named: lambda self, node: self.of(node.body),
    ast.Chain: lambda self, node: self.every(*node.links),
    ast.Items: lambda self, node: self.every(*node.items),
    ast.Index: lambda self, node: self.every(node.base),
    ast.ListSlice: lambda self, node: self.every(node.base),
    ast.Unpack: lambda self, node: self.every(node.value),
}
