"""Expressions inside a `forward`: how an op's template takes its operands, and where brackets are needed."""

from __future__ import annotations

import ast
import keyword
import re
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from typing import NamedTuple

from archdsl.graph.ir import Feature, Graph, Ref, Scope, Section, Spread, Step, is_list, needed, values_read

PYTHON = frozenset(
    {"self", "super", "range", "list", "tuple", "dict", "int", "float", "bool", "str", "isinstance"}
    | {"__class__", "__debug__"}
)
TEXT = frozenset({"torch", "nn", "math", "Tensor", "OrderedDict", "chain", "numbered", "enumerate"})
# Names that the emitted text itself uses, so that no variable and no class may take them.
RESERVED = PYTHON | TEXT


def identifier(name: str) -> str:
    """A variable's name: the text's own, with a trailing `_` where Python or the emitted text needs it."""
    return f"{name}_" if keyword.iskeyword(name) or name in RESERVED else name


def numbered(name: str, count: int) -> str:
    """The name's `count`-th form: `osa2`, and `pair13_2` where the name ends in a digit."""
    return name if count < 2 else f"{name}{'_' if name[-1:].isdigit() else ''}{count}"


def unique(name: str, taken: Collection[str]) -> str:
    """The first form of a name that is not taken."""
    count = 1
    while numbered(name, count) in taken:
        count += 1
    return numbered(name, count)


# Columns of a line.
WIDTH = 100
# A list of numbers with more characters may take several lines, or is an attribute.
LONG = 40
PLACE = re.compile(r"\{(\w+)\}")
# The places that stand for all operands at once.
WHOLE = frozenset({"x", "sum", "product"})
SLICE = re.compile(r"(?<=[\[ ])([\w.]*)(::?)([\w.]*)(?=[\],])")
PLAIN = (ast.Call, ast.Name, ast.Attribute, ast.Subscript, ast.List, ast.Constant)


class TensorExpression(NamedTuple):
    """A tensor, or a list of tensors, as an expression: its text, and what it is made of."""

    text: str
    # The variables in it.
    reads: frozenset[str] = frozenset()
    # The depth of nested calls.
    depth: int = 0
    # True if it is a variable, or an element of one.
    plain: bool = False
    # The tensors, where it is a list written out.
    items: tuple[TensorExpression, ...] | None = None
    operands: tuple[TensorExpression, ...] = ()
    # The step applied to the operands; without one they are the parts of a list, or the list of an element.
    step: Step | None = None
    # The index of an element in its operand.
    at: int | None = None


def variable(name: str) -> TensorExpression:
    """A variable."""
    return TensorExpression(name, frozenset({name}), plain=True)


def element(value: TensorExpression, index: int) -> TensorExpression:
    """One tensor of a list."""
    return TensorExpression(
        f"{value.text}[{index}]", value.reads, value.depth, value.plain, operands=(value,), at=index
    )


def display(parts: Sequence[tuple[TensorExpression, bool]]) -> TensorExpression:
    """A list made of tensors and, where the flag is set, of all tensors of lists: `[x] + ys`."""
    texts: list[str] = []
    row: list[str] = []
    for part, spread in [*parts, (TensorExpression(""), True)]:
        if not spread:
            row.append(part.text)
            continue
        texts += [f"[{', '.join(row)}]"] if row else []
        texts += [part.text] if part.text else []
        row = []
    items = tuple(part for part, _ in parts) if not any(spread for _, spread in parts) else None
    return combined(" + ".join(texts) or "[]", [part for part, _ in parts])._replace(items=items)


def combined(text: str, parts: Sequence[TensorExpression], deeper: int = 0) -> TensorExpression:
    """An expression made of others."""
    reads = frozenset(name for part in parts for name in part.reads)
    return TensorExpression(text, reads, max((part.depth for part in parts), default=0) + deeper, operands=tuple(parts))


def call(function: str, arguments: Sequence[TensorExpression]) -> TensorExpression:
    """A call of a module."""
    return combined(f"{function}({', '.join(argument.text for argument in arguments)})", arguments, 1)


def operand(text: str, product: bool, first: bool) -> str:
    """An operand of a sum or product, in brackets where it needs them: floats do not associate."""
    tree = ast.parse(text, mode="eval").body
    if isinstance(tree, PLAIN):
        return text
    same = isinstance(tree, ast.BinOp) and isinstance(tree.op, ast.Mult if product else ast.Add)
    higher = isinstance(tree, ast.BinOp) and isinstance(tree.op, ast.Mult) and not product
    return text if higher or (same and first) else f"({text})"


def joined(texts: Sequence[str], product: bool) -> str:
    """A sum or product."""
    sign = " * " if product else " + "
    return sign.join(operand(text, product, at == 0) for at, text in enumerate(texts))


def filled(
    template: str, operands: Sequence[TensorExpression], listed: TensorExpression | None, fact: Callable[[str], str]
) -> TensorExpression:
    """A function's template with its operands and its op's facts in their places.

    `operands` are the tensors, `listed` the list that an op of a list takes.
    """
    texts = [value.text for value in operands]
    words = {"sum": lambda: joined(texts, False), "product": lambda: joined(texts, True)}

    def place(match: re.Match[str]) -> str:
        word = match[1]
        if word in words:
            return words[word]()
        if word != "x" and not word.isdigit():
            return fact(word)
        text = listed.text if listed is not None and word == "x" else texts[0 if word == "x" else int(word)]
        return text if enclosed(match) or isinstance(ast.parse(text, mode="eval").body, PLAIN) else f"({text})"

    parts = operands if listed is None else [listed]
    text = SLICE.sub(spaced, PLACE.sub(place, template))
    return combined(text, parts, 0 if text in texts else 1)


def reads_again(template: str) -> bool:
    """True if a template names an operand more than once, or may do so."""
    words = [word for word in PLACE.findall(template) if word in WHOLE or word.isdigit()]
    return len(words) > len(set(words)) or (len(words) > 1 and not WHOLE.isdisjoint(words))


def spaced(match: re.Match[str]) -> str:
    """A slice, with blanks around its colon where a bound is no plain name or number."""
    start, colon, stop = match.groups()
    if "." not in start + stop:
        return match[0]
    return f"{start}{' ' if start else ''}{colon}{' ' if stop else ''}{stop}"


def enclosed(match: re.Match[str]) -> bool:
    """True if a place is a whole argument of a call."""
    before, after = match.string[: match.start()], match.string[match.end() :]
    return before.endswith(("(", ", ")) and after.startswith((",", ")"))


class Statements:
    """Variables and expressions for the values of one scope.

    A value is pending while its expression waits to be folded into the one that reads it.
    """

    def __init__(
        self, scope: Scope, results: Sequence[Ref], outline: Outline | None = None, words: Collection[str] = ()
    ) -> None:
        self.scope = scope
        self.results = results
        # The outputs of the network, for its own forward.
        self.outline = outline
        # Names that no variable may have.
        self.words = set(words)
        self.maker = {step.output: step for step in scope.steps}
        self.values: dict[int, TensorExpression] = {}
        # The tensors of each list that is no Python list made here.
        self.elements: dict[int, tuple[TensorExpression, ...]] = {}
        self.left = Counter(value for step in scope.steps for value in values_read(step.inputs))
        self.left.update(values_read(results))
        self.holders: dict[str, tuple[int, ...]] = {}
        self.pending: set[int] = set()
        # The variables that a forward is given.
        self.inputs: list[str] = []
        names = ("x", *scope.names[1:]) if scope.kind == "block" else scope.names
        for at, (name, shapes) in enumerate(zip(names, scope.inputs, strict=True)):
            self.inputs.append(unique(identifier(name), {*self.words, *self.inputs}))
            value = self.hold(self.inputs[-1], at)
            if is_list(shapes):
                self.elements[at] = tuple(element(value, index) for index in range(len(shapes)))

    def assign(self, name: str, value: TensorExpression) -> None:
        """Do a statement: `name = value`."""
        raise NotImplementedError

    # ---- variables

    def hold(self, name: str, *held: int) -> TensorExpression:
        """Values that are in a variable from now on."""
        self.holders[name] = held
        value = variable(name)
        self.values.update(dict.fromkeys(held, value))
        return value

    def free(self, name: str) -> bool:
        """True if a variable may take a new value: nobody will read the old one."""
        awaited = any(name in self.values[value].reads for value in self.pending)
        return not awaited and all(self.left[value] == 0 for value in self.holders.get(name, ()))

    def taken(self) -> set[str]:
        """The variables that are not free."""
        return self.words | {name for name in self.holders if not self.free(name)}

    def new(self, wanted: str) -> str:
        """A variable that is free."""
        return unique(identifier(wanted), self.taken())

    def name(self, step: Step) -> str:
        """A variable for the output of a step. Sections keep their names where they are read twice."""
        if self.outline:
            once = self.left[step.output] == 1 and step.output not in self.results
            return "x" if once and self.free("x") else self.new(self.outline.names.get(step.output, "x"))
        if step.name:
            return self.new(step.name)
        wanted = ("xs", "ys") if is_list(step.shape) else ("x", "y")
        free = (name for name in wanted if name in self.holders and self.free(name))
        return next(free, "") or self.new(wanted[1] if self.free(wanted[1]) else step.target or wanted[1])

    def bind(self, value: int) -> None:
        """Put a pending value into a variable of its own."""
        expression = self.values[value]
        self.pending.discard(value)
        name = self.name(self.maker[value])
        self.assign(name, expression)
        self.hold(name, value)

    # ---- operands

    def read(self, ref: Ref) -> TensorExpression:
        """An operand as an expression."""
        if isinstance(ref, int):
            return self.values[ref]
        parts: list[tuple[TensorExpression, bool]] = []
        for part in ref:
            if not isinstance(part, Spread):
                parts.append((self.values[part], False))
            elif part.value in self.elements:
                parts += [(each, False) for each in self.elements[part.value]]
            else:
                parts.append((self.values[part.value], True))
        return display(parts)

    def tensors(self, ref: Ref) -> list[TensorExpression]:
        """The tensors of a list, one by one."""
        if isinstance(ref, int):
            shapes = self.maker[ref].shape if ref in self.maker else self.scope.inputs[ref]
            return [element(self.values[ref], index) for index in range(len(shapes))]
        found: list[TensorExpression] = []
        for part in ref:
            found += self.tensors(part.value) if isinstance(part, Spread) else [self.values[part]]
        return found

    def consume(self, step: Step) -> None:
        """Count the operands of a step as read."""
        for value in values_read(step.inputs):
            self.left[value] -= 1
            self.pending.discard(value)


class Outline:
    """The sections of a network by what becomes of them."""

    def __init__(self, graph: Graph) -> None:
        self.root = graph.root
        self.names = {section.value: section.name for section in graph.sections}
        self.outputs = [section for section in graph.sections if section.kind == "output"]
        self.training = [section for section in self.outputs if section.training_only]
        chain = [section for section in graph.sections if section.kind != "output"]
        self.main = chain[-1] if chain else None
        self.result: Ref = self.main.value if self.main else graph.root.result
        always = [section for section in self.outputs if not section.training_only]
        # Sections, or features, that are returned by name, if any.
        self.always: list[Section | Feature] = [*always, *([self.main] if self.main else [])] if always else []
        # The sections that may be written where they are returned.
        self.ends = {section.value for section in (*self.training, *([self.main] if self.main else []))}
        if graph.features:
            self.cut_to(graph)

    def cut_to(self, graph: Graph) -> None:
        """Return the features of a network that was cut to them, in place of its sections."""
        self.names |= {each.value: identifier(each.path.replace(".", "_")) for each in graph.features}
        self.outputs, self.main, self.result = [], None, graph.root.result
        self.always = [*graph.features] if graph.features[0].name else []
        self.ends = {each.value for each in graph.features if each.value == graph.root.result}

    @property
    def results(self) -> list[Ref]:
        """Returned values, once for each time that they are returned."""
        again = [self.result] if self.training else []
        return [self.result, *again, *(section.value for section in self.outputs)]

    def only_in_training(self) -> set[int]:
        """The values that inference does not need."""
        results = [*[section.value for section in self.always], *values_read([self.result])]
        return {step.output for step in self.root.steps} - needed(results, self.root.steps)
