"""An emitted `forward` as it runs: statements in the emitter's order, variables under the emitter's names.

It follows `archdsl.backends.torch.forward` and `statements`, which write the text; here each statement takes and
frees memory. What the text calls a value keeps its name; a value with one reader is folded into it; another one takes
over a variable that nobody reads any more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from archdsl.analyses.memory.expressions import (
    DEEPEST,
    FEW,
    WIDTH,
    Expression,
    applied,
    element,
    filled,
    variable,
)
from archdsl.analyses.memory.heap import Blocks
from archdsl.analyses.memory.statements import Statements
from archdsl.graph import Child, Ref, Scope, Step, each_shape, is_list, values_read
from archdsl.graph.forward.rules import content, is_identity, numeral

if TYPE_CHECKING:
    from archdsl.analyses.memory.eager import Eager


class Forward(Statements):
    """Runs one forward."""

    def __init__(self, eager: Eager, scope: Scope, results: Sequence[Ref]) -> None:
        super().__init__(eager, scope, results)
        self.acts: dict[str, Callable[[Step], None]] = {
            "call": self.call,
            "repeat": self.repeat,
            "collect": self.collect,
            "op": self.function,
            "pick": self.pick,
        }

    def run(self, steps: Iterable[Step]) -> None:
        """Runs steps."""
        for step in steps:
            if step.output not in self.values:
                self.acts[step.kind](step)

    def finish(self, result: Ref) -> Blocks:
        """The value of the return, which alone is left."""
        return self.evaluate(self.read(result))

    # ---- what becomes of an expression

    def settle(self, step: Step, build: Callable[[], Expression]) -> None:
        """Folds a step's expression into its reader, or gives it a variable."""
        value = self.fitted(step, build)
        self.consume(step)
        readers = self.left[step.output]
        if is_list(step.shape) and (picks := self.picks(step)):
            self.unpack(step, value, picks)
        elif value.plain:
            (name,) = value.reads
            self.holders[name] += (step.output,)
            self.values[step.output] = value
        elif readers:
            self.values[step.output] = value
            self.pending.add(step.output)
            if not self.folds(step, readers):
                self.bind(step.output)

    def folds(self, step: Step, readers: int) -> bool:
        """Whether a value is written into the expression that reads it."""
        return readers == 1 and (not step.name or step.output in self.results)

    def fitted(self, step: Step, build: Callable[[], Expression]) -> Expression:
        """A step's expression, once its longest operands have variables, if it was too long."""
        while self.too_long(value := build()):
            operands = self.pending.intersection(values_read(step.inputs))
            if not operands:
                break
            self.bind(max(operands, key=lambda part: (len(self.values[part].text), -part)))
        return value

    def too_long(self, value: Expression) -> bool:
        """Whether an expression does not fit into a statement."""
        return len(value.text) + len("        return ") > WIDTH or value.depth > DEEPEST

    def picks(self, step: Step) -> list[Step]:
        """The steps that take a list apart, if it is better taken apart at once."""
        readers = [each for each in self.scope.steps if step.output in each.inputs]
        spread = self.left[step.output] > len(readers)
        whole = step.output in self.results or any(each.kind != "pick" for each in readers)
        return [] if whole or (len(readers) < 2 and not spread) else readers

    def unpack(self, step: Step, value: Expression, picks: Sequence[Step]) -> None:
        """Takes a list apart: `cross, main = ...`."""
        spread = self.left[step.output] > len(picks)
        blocks = self.evaluate(value)
        names: list[str] = []
        for at in range(len(step.shape)):
            named = [pick.name for pick in picks if pick.index == at]
            wanted = named[0] or f"x{at}" if named else f"x{at}" if spread else "_"
            names.append(wanted if wanted == "_" else self.unique(wanted, {*names, *self.taken()}))
        for name, block in zip(names, blocks, strict=True):
            self.assign(name, self.heap.hold((block,)))
        self.heap.drop(blocks)
        self.left[step.output] -= len(picks)
        for at, name in enumerate(names):
            self.own(name, *(pick.output for pick in picks if pick.index == at), *([step.output] if spread else []))
        self.elements[step.output] = tuple(variable(name) for name in names)

    # ---- acts

    def call(self, step: Step) -> None:
        """A module's call; for an op that is a function, its expression."""
        child = self.scope.child(step.target)
        if child.form == "one" and is_identity(child.scope):
            self.settle(step, lambda: self.read(step.inputs[0]))
        elif self.inline(child):
            self.function(step)
        elif len(row := self.in_a_row(step, child)) > 1:
            self.loop(step, child, "", row[-1])
        else:
            self.settle(step, lambda: self.called(step, child))

    def called(self, step: Step, child: Child) -> Expression:
        """A module's call."""
        operands = [self.read(ref) for ref in step.inputs]
        module = f"self.{child.name}" + ("" if step.index is None else f"[{step.index}]")
        return applied(step, f"{module}({', '.join(each.text for each in operands)})", operands)

    def inline(self, child: Child) -> bool:
        """Whether a child is written as an expression, without a module."""
        if child.form != "one" or child.role == "parameter" or child.scope.op is None:
            return False
        op, x = content(child.scope)
        return bool(op.spelling(x).function)

    def in_a_row(self, step: Step, child: Child) -> list[Step]:
        """The calls of all modules of a list, each on the output of the one before."""
        if child.form != "list" or step.index or len(step.inputs) > 1:
            return []
        at = self.scope.steps.index(step)
        row = [step]
        for other in self.scope.steps[at + 1 : at + child.count]:
            last = row[-1]
            if other.target != child.name or other.inputs != (last.output,) or self.left[last.output] > 1:
                return []
            row.append(other)
        return row if [each.index for each in row] == list(range(child.count)) else []

    def function(self, step: Step) -> None:
        """An op in place of a module."""
        assert step.scope is not None
        op, x = content(step.scope)
        template, facts = op.spelling(x).function, op.facts(x)
        if op.takes != "list":
            self.settle(step, lambda: self.of_tensor(step, template, facts))
            return
        named = self.in_lines(step, template, facts)
        self.settle(step, lambda: self.of_list(step, template, facts, named))

    def of_tensor(self, step: Step, template: str, facts: dict[str, object]) -> Expression:
        """The expression of a function of tensors."""
        operands = [self.read(ref) for ref in step.inputs]
        return applied(step, filled(template, operands[0], [each.text for each in operands], facts), operands)

    def of_list(self, step: Step, template: str, facts: dict[str, object], named: str = "") -> Expression:
        """The expression of a function of a list."""
        whole = variable(named) if named else self.read(self.listed(step))
        count = len(each_shape(step.scope.inputs[0])) if step.scope else 0
        written = whole.items and not any(whole.spread)
        texts = [each.text for each in whole.operands] if written else [f"{whole.text}[{at}]" for at in range(count)]
        return applied(step, filled(template, whole, texts, facts), [whole])

    def listed(self, step: Step) -> Ref:
        """The list that a function reads."""
        single = len(step.inputs) == 1
        return step.inputs[0] if single else tuple(ref for ref in step.inputs if isinstance(ref, int))

    def in_lines(self, step: Step, template: str, facts: dict[str, object]) -> str:
        """The variable of a list that is too long for one line, if it is."""
        whole = self.read(self.listed(step))
        long = whole.items and not any(whole.spread) and len(whole.operands) >= FEW and "{x}" in template
        if not long or not self.too_long(self.of_list(step, template, facts)):
            return ""
        name = self.new("branches")
        self.assign(name, self.evaluate(whole))
        return name

    def pick(self, step: Step) -> None:
        """One tensor of a list."""
        self.settle(step, lambda: element(self.read(step.inputs[0]), step.index))

    def repeat(self, step: Step) -> None:
        """A row, one after the other."""
        child = self.scope.child(step.target)
        lists = (each for run in child.runs for each in (run.scope.output, *run.scope.inputs))
        if any(map(is_list, lists)) and not numeral(child):
            self.loop(step, child, "")
        elif numeral(child):
            self.settle(step, lambda: self.nested(step, child))
        else:
            self.settle(step, lambda: self.called(step, child))

    def nested(self, step: Step, child: Child) -> Expression:
        """Modules without names of their own: `self[1](self[0](x))`."""
        operand = self.read(step.inputs[0])
        before = self.scope.children[: self.scope.children.index(child)]
        first = sum(each.count if numeral(each) else 1 for each in before if not self.inline(each))
        opening = "".join(f"self[{at}](" for at in reversed(range(first, first + child.count)))
        value = applied(step, f"{opening}{operand.text}{')' * child.count}", [operand])
        return value._replace(depth=operand.depth + child.count)

    def collect(self, step: Step) -> None:
        """A row, one after the other, and all the outputs as a list."""
        self.loop(step, self.scope.child(step.target), self.new(step.name or "ys"))

    def loop(self, step: Step, child: Child, outputs: str, last: Step | None = None) -> None:
        """A loop over a row, up to a step; its outputs are kept in a list, if one is wanted."""
        start = self.read(step.inputs[0])
        self.consume(step)
        running = start.text if start.text in self.holders and self.free(start.text) else ""
        if not running:
            running = self.unique("xs" if is_list(child.scope.output) else "y", {*self.taken(), outputs})
            self.assign(running, self.evaluate(start))
        if outputs:
            self.assign(outputs, ())
        for run in child.runs:
            for _ in range(run.count):
                result = self.eager.call(run.scope, self.heap, self.variables[running])
                self.assign(running, result)
                if outputs:
                    self.variables[outputs] += self.heap.hold(result)
        last = last or step
        for each in self.scope.steps:
            if step.output <= each.output < last.output:
                self.left[each.output] = 0
                self.values[each.output] = variable(running)
        self.own(outputs or running, last.output)
