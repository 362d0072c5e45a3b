"""The statements of a `forward` as text; subclasses say what its numbers are called."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import NamedTuple

from archdsl.backends.torch.locals import (
    WIDTH,
    Outline,
    TensorExpression,
    element,
    filled,
    identifier,
    unique,
    variable,
)
from archdsl.backends.torch.lowering import Acts, apart, numeral, spelling
from archdsl.backends.torch.pysource import Doc, atom, lines, listing, signature
from archdsl.graph import Child, Ref, Scope, Step, is_list, op_of
from archdsl.op import Shapes

NOTHING = atom("")
RETURN = "return "


class WrittenStatement(NamedTuple):
    """A statement: its text up to the expression at its end, and that expression."""

    indent: str
    start: str
    value: Doc = NOTHING


def printed(statements: Sequence[WrittenStatement]) -> list[str]:
    """The lines of statements."""
    return [line for each in statements for line in lines(each.value, each.indent, each.start)]


class Writing(Acts):
    """Writer of the statements of one forward."""

    def __init__(
        self, scope: Scope, results: Sequence[Ref], outline: Outline | None = None, words: Collection[str] = ()
    ) -> None:
        super().__init__(scope, results, outline, words)
        self.statements: list[WrittenStatement] = []

    def method(self) -> list[str]:
        """The whole method of a class: its head, its statements and its return."""
        return [*self.head(), *printed(self.body())]

    def head(self) -> list[str]:
        """The signature of the method."""
        inputs = [f"{name}: {type_of(shapes)}" for name, shapes in zip(self.inputs, self.scope.inputs, strict=True)]
        return signature("forward", ["self", *inputs], type_of(self.scope.output))

    def body(self) -> list[WrittenStatement]:
        """The statements, the return included."""
        self.run(self.scope.steps)
        self.finish(self.scope.result)
        return self.statements

    def write(self, line: str, value: Doc = NOTHING) -> None:
        """Add a statement."""
        self.statements.append(WrittenStatement(self.indent, line, value))

    def assign(self, name: str, value: TensorExpression) -> None:
        self.write(f"{name} = ", document(value))

    def take_apart(self, names: Sequence[str], value: TensorExpression) -> None:
        self.write(f"{apart(names)} = {value.text}")

    def add_up(self, name: str, value: TensorExpression) -> None:
        self.assign(name, value)

    def run_row(self, child: Child, running: str, outputs: str) -> None:
        if numeral(child):  # TorchScript has no loop over a part of the class itself.
            for index in range(child.count):
                self.write(f"{running} = {self.module(child, index)}({running})")
            return
        each = unique(identifier(child.name), {*self.taken(), running, outputs})
        if outputs:
            self.write(f"{outputs}: list[Tensor] = []")
        self.write(f"for {each} in {self.module(child)}:")
        self.write(f"    {running} = {each}({running})")
        if outputs:
            self.write(f"    {outputs}.append({running})")

    def finish(self, result: Ref) -> None:
        """The return of a value."""
        self.write(RETURN, document(self.read(result)))


def document(value: TensorExpression) -> Doc:
    """An expression for layout: a list that is written out may take several lines."""
    return listing([atom(item.text) for item in value.items]) if value.items else atom(value.text)


def merged(one: list[WrittenStatement], other: list[WrittenStatement], condition: str) -> list[WrittenStatement]:
    """The statements of a forward of two forms, the second one under a condition, for which its lines are indented."""
    one, other = same_ends(one, other), same_ends(other, one)
    shortest = min(len(one), len(other))
    start = next((at for at in range(shortest) if one[at] != other[at]), shortest)
    end = next((at for at in range(shortest - start) if one[-1 - at] != other[-1 - at]), shortest - start)
    indent = one[0].indent
    first, second = ([deeper(each) for each in form[start : len(form) - end]] for form in (one, other))
    common, rest = one[:start], one[len(one) - end :]
    if not end and len(first) == len(second) == 1 and (choice := either(first[0], second[0], condition)):
        return [*common, WrittenStatement(indent, RETURN, choice)]
    if not second:
        return [*common, WrittenStatement(indent, f"if {negated(condition)}:"), *first, *rest]
    head = [*common, WrittenStatement(indent, f"if {condition}:"), *second]
    if not end:
        return [*head, *one[start:]]
    return [*head, *([WrittenStatement(indent, "else:"), *first] if first else []), *rest]


def same_ends(one: list[WrittenStatement], other: list[WrittenStatement]) -> list[WrittenStatement]:
    """A form that returns at once what the other form puts into a variable first, with that variable."""
    at = len(one) - 1
    last = one[at]
    if at < len(other) - 1 and one[:at] == other[:at] and other[at] == last._replace(start=other[at].start):
        name = other[at].start.removesuffix(" = ")
        return [*one[:at], other[at], WrittenStatement(last.indent, RETURN, atom(name))]
    return one


def either(one: WrittenStatement, other: WrittenStatement, condition: str) -> Doc | None:
    """The conditional expression of two short returns; None where a statement reads better.

    TorchScript wants a statement for modules that may be None: it leaves out the branch that is never taken.
    """
    text = f"{other.value.flat} if {condition} else {one.value.flat}"
    short = one.value.flat and other.value.flat and len(f"{one.indent}{RETURN}{text}") <= WIDTH
    return atom(text) if short and " " not in condition else None


def negated(condition: str) -> str:
    """The opposite of a condition."""
    return condition.replace(" is not None", " is None") if " is not " in condition else f"not {condition}"


def deeper(statement: WrittenStatement) -> WrittenStatement:
    """A statement one step further in."""
    return statement._replace(indent=f"{statement.indent}    ")


def type_of(shapes: Shapes) -> str:
    """The type of a value."""
    return "list[Tensor]" if is_list(shapes) else "Tensor"


# ---- with the numbers left open --------------------------------------------------------------------------------------


class OpenForward(Writing):
    """A forward with its numbers left open: each is called by the step and the fact that it is."""

    def facts(self, step: Step) -> Callable[[str], str]:
        at = self.order[step.output]
        return lambda fact: f"{fact}_{at}"

    def place(self, child: Child) -> int:
        return 0


def open_forward(scope: Scope) -> tuple[str, ...]:
    """The lines of a scope's forward with its numbers left open, whether nn.Sequential has one like it or not.

    They are written by what writes the classes, so they hold all that the text depends on beside the children: how many
    tensors there are in each list, which template spells each op, what is read how often.
    """
    return tuple(OpenForward(scope, [scope.result]).method())


def expression(scope: Scope, fact: Callable[[str], str]) -> TensorExpression:
    """An op that PyTorch has as a function, on a variable `x`."""
    op, shapes = op_of(scope)
    x = variable("x")
    if op.takes != "list":
        return filled(spelling(scope).function, [x], None, fact)
    return filled(spelling(scope).function, [element(x, at) for at in range(len(shapes))], x, fact)
