"""The state of a `forward` that is being written: its lines, its variables, and the values that are not written yet."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence

from archdsl.backends.torch.expressions import Value, display, element, variable
from archdsl.backends.torch.text import identifier, unique
from archdsl.graph import Ref, Scope, Spread, Step, is_list, values_read

INDENT = "        "


class Statements:
    """Variables and expressions for the values of one scope.

    A value is pending while its expression waits to be written into the one that reads it.
    """

    def __init__(self, scope: Scope, results: Sequence[Ref], words: Collection[str] = ()) -> None:
        self.scope = scope
        self.words = set(words)
        """What no variable may be called."""
        self.results = results
        self.maker = {step.output: step for step in scope.steps}
        self.values: dict[int, Value] = {}
        self.elements: dict[int, tuple[Value, ...]] = {}
        """The tensors of each list that is no Python list made here."""
        self.left = Counter(value for step in scope.steps for value in values_read(step.inputs))
        self.left.update(values_read(results))
        self.holders: dict[str, tuple[int, ...]] = {}
        self.pending: set[int] = set()
        self.lines: list[str] = []
        self.indent = INDENT
        self.inputs: list[str] = []
        """The variables that a forward is given."""
        names = ("x", *scope.names[1:]) if scope.kind == "block" else scope.names
        for at, (name, shapes) in enumerate(zip(names, scope.inputs, strict=True)):
            self.inputs.append(unique(identifier(name), {*self.words, *self.inputs}))
            value = self.hold(self.inputs[-1], at)
            if is_list(shapes):
                self.elements[at] = tuple(element(value, index) for index in range(len(shapes)))

    def write(self, line: str) -> None:
        """Adds a statement."""
        self.lines.append(self.indent + line)

    def hold(self, name: str, *held: int) -> Value:
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
        return unique(wanted, self.taken())

    def name(self, step: Step) -> str:
        """A variable for the output of a step."""
        if step.name:
            return self.new(identifier(step.name))
        wanted = ("xs", "ys") if is_list(step.shape) else ("x", "y")
        free = (name for name in wanted if name in self.holders and self.free(name))
        return next(free, "") or self.new(wanted[1] if self.free(wanted[1]) else identifier(step.target or wanted[1]))

    def bind(self, value: int) -> None:
        """Writes a pending value as a statement of its own."""
        text = self.values[value].text
        self.pending.discard(value)
        name = self.name(self.maker[value])
        self.write(f"{name} = {text}")
        self.hold(name, value)

    def read(self, ref: Ref) -> Value:
        """An operand as an expression."""
        if isinstance(ref, int):
            return self.values[ref]
        parts: list[tuple[Value, bool]] = []
        for part in ref:
            if not isinstance(part, Spread):
                parts.append((self.values[part], False))
            elif part.value in self.elements:
                parts += [(each, False) for each in self.elements[part.value]]
            else:
                parts.append((self.values[part.value], True))
        return display(parts)

    def tensors(self, ref: Ref) -> list[Value]:
        """The tensors of a list, one by one."""
        if isinstance(ref, int):
            shapes = self.maker[ref].shape if ref in self.maker else self.scope.inputs[ref]
            return [element(self.values[ref], index) for index in range(len(shapes))]
        found: list[Value] = []
        for part in ref:
            found += self.tensors(part.value) if isinstance(part, Spread) else [self.values[part]]
        return found

    def consume(self, step: Step) -> None:
        """Counts the operands of a step as read."""
        for value in values_read(step.inputs):
            self.left[value] -= 1
            self.pending.discard(value)
