"""The state of a `forward` under way: its variables, and the values that no statement holds yet."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence

from archdsl.graph.forward.expressions import Expression, display, element, variable
from archdsl.graph.forward.names import identifier, unique
from archdsl.graph.forward.network import Outline
from archdsl.graph.scope import Ref, Scope, Spread, Step
from archdsl.graph.values import is_list, values_read


class Statements:
    """Variables and expressions for the values of one scope.

    A value is pending while its expression waits to be folded into the one that reads it.
    """

    def __init__(
        self, scope: Scope, results: Sequence[Ref], outline: Outline | None = None, words: Collection[str] = ()
    ) -> None:
        self.scope = scope
        self.results = results
        self.outline = outline
        """What the network gives, for the forward of the network itself."""
        self.words = set(words)
        """What no variable may be called."""
        self.maker = {step.output: step for step in scope.steps}
        self.values: dict[int, Expression] = {}
        self.elements: dict[int, tuple[Expression, ...]] = {}
        """The tensors of each list that is no Python list made here."""
        self.left = Counter(value for step in scope.steps for value in values_read(step.inputs))
        self.left.update(values_read(results))
        self.holders: dict[str, tuple[int, ...]] = {}
        self.pending: set[int] = set()
        self.inputs: list[str] = []
        """The variables that a forward is given."""
        names = ("x", *scope.names[1:]) if scope.kind == "block" else scope.names
        for at, (name, shapes) in enumerate(zip(names, scope.inputs, strict=True)):
            self.inputs.append(unique(identifier(name), {*self.words, *self.inputs}))
            value = self.hold(self.inputs[-1], at)
            if is_list(shapes):
                self.elements[at] = tuple(element(value, index) for index in range(len(shapes)))

    def assign(self, name: str, value: Expression) -> None:
        """Does a statement: `name = value`."""
        raise NotImplementedError

    # ---- variables

    def hold(self, name: str, *held: int) -> Expression:
        """Values that are in a variable from now on."""
        self.holders[name] = held
        value = variable(name)
        self.values.update(dict.fromkeys(held, value))
        return value

    def free(self, name: str) -> bool:
        """Whether a variable may take a new value: nobody will read the old one."""
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
        """Puts a pending value into a variable of its own."""
        expression = self.values[value]
        self.pending.discard(value)
        name = self.name(self.maker[value])
        self.assign(name, expression)
        self.hold(name, value)

    # ---- operands

    def read(self, ref: Ref) -> Expression:
        """An operand as an expression."""
        if isinstance(ref, int):
            return self.values[ref]
        parts: list[tuple[Expression, bool]] = []
        for part in ref:
            if not isinstance(part, Spread):
                parts.append((self.values[part], False))
            elif part.value in self.elements:
                parts += [(each, False) for each in self.elements[part.value]]
            else:
                parts.append((self.values[part.value], True))
        return display(parts)

    def tensors(self, ref: Ref) -> list[Expression]:
        """The tensors of a list, one by one."""
        if isinstance(ref, int):
            shapes = self.maker[ref].shape if ref in self.maker else self.scope.inputs[ref]
            return [element(self.values[ref], index) for index in range(len(shapes))]
        found: list[Expression] = []
        for part in ref:
            found += self.tensors(part.value) if isinstance(part, Spread) else [self.values[part]]
        return found

    def consume(self, step: Step) -> None:
        """Counts the operands of a step as read."""
        for value in values_read(step.inputs):
            self.left[value] -= 1
            self.pending.discard(value)
