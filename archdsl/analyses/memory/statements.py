"""The state of a `forward` that runs: its variables with their memory, and the values that are not worked out yet."""

from __future__ import annotations

import keyword
import re
from collections import Counter
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from archdsl.analyses.memory.expressions import Expression, display, element, variable
from archdsl.analyses.memory.heap import Blocks, Heap
from archdsl.analyses.memory.tensors import made
from archdsl.graph import Ref, Scope, Spread, Step, each_shape, is_list, values_read
from archdsl.graph.forward.rules import content, numeral
from archdsl.op import Shape

if TYPE_CHECKING:
    from archdsl.analyses.memory.eager import Eager

NESTED = re.compile(r"\w\([\w.]+\(\{x\}\)")
"""A call of a call of the operand: `torch.softmax(torch.stack({x}), dim=0)`."""


class Statements:
    """Variables and expressions for the values of one scope; see the emitter's class of this name."""

    def __init__(self, eager: Eager, scope: Scope, results: Sequence[Ref]) -> None:
        self.eager = eager
        self.scope = scope
        self.results = results
        self.maker = {step.output: step for step in scope.steps}
        self.values: dict[int, Expression] = {}
        self.elements: dict[int, tuple[Expression, ...]] = {}
        self.left = Counter(value for step in scope.steps for value in values_read(step.inputs))
        self.left.update(values_read(results))
        self.holders: dict[str, tuple[int, ...]] = {}
        self.variables: dict[str, Blocks] = {}
        self.pending: set[int] = set()
        self.heap = Heap(sum(len(each_shape(shapes)) for shapes in scope.inputs))
        self.take_inputs()

    def take_inputs(self) -> None:
        """The variables that a forward is given."""
        first, taken = 0, set[str]()
        for at, (name, shapes) in enumerate(zip(("x", *self.scope.names[1:]), self.scope.inputs, strict=True)):
            count = len(each_shape(shapes))
            taken.add(held := self.unique(name, taken))
            self.assign(held, self.heap.hold(tuple(range(first, first + count))))
            value = self.own(held, at)
            if is_list(shapes):
                self.elements[at] = tuple(element(value, index) for index in range(count))
            first += count

    # ---- variables

    def assign(self, name: str, blocks: Blocks) -> None:
        """Puts into a variable what is held for it; what was in it is let go."""
        self.heap.drop(self.variables.get(name, ()))
        self.variables[name] = blocks

    def own(self, name: str, *held: int) -> Expression:
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
        return {name for name in self.holders if not self.free(name)}

    def new(self, wanted: str) -> str:
        """A variable that is free."""
        return self.unique(wanted, self.taken())

    def unique(self, name: str, taken: Collection[str]) -> str:
        """The first form of a name that is not taken."""
        name = f"{name}_" if keyword.iskeyword(name) else name
        count, found = 1, name
        while found in taken:
            count += 1
            found = f"{name}{'_' if name[-1:].isdigit() else ''}{count}"
        return found

    def name(self, step: Step) -> str:
        """A variable for the output of a step."""
        if step.name:
            return self.new(step.name)
        wanted = ("xs", "ys") if is_list(step.shape) else ("x", "y")
        free = (name for name in wanted if name in self.holders and self.free(name))
        return next(free, "") or self.new(wanted[1] if self.free(wanted[1]) else step.target or wanted[1])

    def bind(self, value: int) -> None:
        """Works a pending value out, into a variable of its own."""
        expression = self.values[value]
        self.pending.discard(value)
        name = self.name(self.maker[value])
        self.assign(name, self.evaluate(expression))
        self.own(name, value)

    # ---- expressions

    def read(self, ref: Ref) -> Expression:
        """An operand as an expression."""
        if isinstance(ref, int):
            return self.values[ref]
        found: list[tuple[Expression, bool]] = []
        for part in ref:
            if not isinstance(part, Spread):
                found.append((self.values[part], False))
            elif part.value in self.elements:
                found += [(each, False) for each in self.elements[part.value]]
            else:
                found.append((self.values[part.value], True))
        return display(found)

    def consume(self, step: Step) -> None:
        """Counts the operands of a step as read."""
        for value in values_read(step.inputs):
            self.left[value] -= 1
            self.pending.discard(value)

    def evaluate(self, expression: Expression) -> Blocks:
        """Works an expression out as CPython does: operands wait on the stack; the result is held once more."""
        if expression.variable:
            return self.heap.hold(self.variables[expression.variable])
        if expression.items:
            return tuple(block for each in expression.operands for block in self.evaluate(each))
        if expression.at is not None:
            whole = self.evaluate(expression.operands[0])
            kept = self.heap.hold(whole[expression.at : expression.at + 1])
            self.heap.drop(whole)
            return kept
        assert expression.step is not None
        if self.pairwise(expression.step):
            return self.joined(expression)
        inputs = tuple(block for each in expression.operands for block in self.evaluate(each))
        return self.act(expression.step, inputs)

    def act(self, step: Step, inputs: Blocks) -> Blocks:
        """Does what a step does; its operands, which are held for it, are let go."""
        if step.kind == "repeat" and numeral(child := self.scope.child(step.target)):
            return self.eager.row(child, self.heap, inputs)
        if step.kind == "repeat":
            result = self.eager.row(self.scope.child(step.target), self.heap, self.heap.hold(inputs))
        elif self.in_two_calls(step):
            return self.twice(step, inputs)
        else:
            result = self.eager.module(self.scope, step, self.heap, inputs)
        self.heap.drop(inputs)
        return result

    def in_two_calls(self, step: Step) -> bool:
        """Whether a function reads its operands in an inner call, so that they may go before the outer one."""
        if step.kind != "op" and not (step.scope and step.scope.op and step.scope.op.takes == "list"):
            return False
        assert step.scope is not None
        op, x = content(step.scope)
        return bool(NESTED.search(op.spelling(x).function))

    def twice(self, step: Step, inputs: Blocks) -> Blocks:
        """Two calls inside each other: the inner one's result is what the op needs inside itself."""
        assert step.scope is not None
        op, x = content(step.scope)
        inner = self.heap.hold(tuple(self.heap.take([self.eager.unit.inner(op.scratch(x, step.shape))])))
        self.heap.drop(inputs)
        sizes, places = made(step.scope, self.eager.unit)
        new = self.heap.take(sizes)
        self.heap.drop(inner)
        return self.heap.hold(tuple(new[at] for at in places))

    def pairwise(self, step: Step) -> bool:
        """Whether a step is a sum or product, which takes its operands two by two."""
        if step.scope is None or step.scope.op is None or step.kind == "repeat":
            return False
        op, x = content(step.scope)
        return op.spelling(x).function in ("{sum}", "{product}") and not op.spelling(x).module and len(x) > 1

    def joined(self, expression: Expression) -> Blocks:
        """A sum or product: each operand is worked out when its turn comes, each partial result dies with the next."""
        assert expression.step is not None
        assert expression.step.scope is not None
        _, x = content(expression.step.scope)
        shapes = iter(each_shape(x))
        total: Blocks = ()
        shape: Shape = ()
        for item in self.items(*expression.operands):
            for block in self.evaluate(item):
                operand = next(shapes)
                if not total:
                    total, shape = (block,), operand
                    continue
                shape = tuple(map(max, shape, operand))
                result = self.heap.hold(tuple(self.heap.take([self.eager.unit.size(shape)])))
                self.heap.drop((*total, block))
                total = result
        return total

    def items(self, *operands: Expression) -> Sequence[Expression]:
        """The tensors of a list that is written out, else the list."""
        return operands[0].operands if len(operands) == 1 and operands[0].items else operands
