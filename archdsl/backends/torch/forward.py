"""The `forward` of a class: its scope's steps as statements, short ones folded into one another.

A value that the text names keeps its name. Another one is folded into the expression that reads it, where there is
one reader and the line stays short; otherwise it becomes `x` again, once the old `x` is not needed any more.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from functools import reduce
from typing import NamedTuple

from archdsl.backends.torch.expressions import Value, call, element, filled, joined, variable
from archdsl.backends.torch.grouping import Path
from archdsl.backends.torch.layout import WIDTH, atom, lines, listing
from archdsl.backends.torch.numbers import Frame, Hint
from archdsl.backends.torch.registry import Registry
from archdsl.backends.torch.statements import Statements
from archdsl.backends.torch.text import identifier, unique
from archdsl.graph import Child, Ref, Scope, Step, each_value, is_list, values_read
from archdsl.graph.forward.rules import content, in_line, in_list, is_identity, numeral, spelling

DEEPEST = 5
"""So many calls may stand inside each other."""
FEW = 3
"""A list of as many tensors gets lines of its own where one line does not hold it."""
SUMS = {"{sum}": False, "{product}": True}
"""The templates of sums and products; whether it is a product."""


class Target(NamedTuple):
    """What a forward is written for: the scopes of a class, side by side, its numbers, its modules' places."""

    scopes: Sequence[Scope]
    frame: Frame
    registry: Registry
    dropped: frozenset[Path]
    places: dict[str, int]
    """Where the rows without names start."""


class Forward(Statements):
    """Writes the statements of one forward."""

    def __init__(self, target: Target, results: Sequence[Ref]) -> None:
        super().__init__(target.scopes[0], results, target.registry.words)
        self.target = target
        self.children = {child.name: child for child in self.scope.children}
        self.places = {step.output: at for at, step in enumerate(self.scope.steps)}
        self.readers: dict[int, list[Step]] = defaultdict(list)
        for step in self.scope.steps:
            for ref in step.inputs:
                if isinstance(ref, int):
                    self.readers[ref].append(step)
        self.acts: dict[str, Callable[[Step], None]] = {
            "call": self.call,
            "repeat": self.repeat,
            "collect": self.collect,
            "op": self.function,
            "pick": self.pick,
        }

    def run(self, steps: Iterable[Step]) -> None:
        """Writes steps."""
        for step in steps:
            if step.output not in self.values:
                self.acts[step.kind](step)

    # ---- what becomes of an expression

    def settle(self, step: Step, build: Callable[[], Value]) -> None:
        """Takes a step's expression: folds it into its reader, or writes it."""
        value = self.fitted(step, build)
        self.consume(step)
        readers = self.left[step.output]
        if is_list(step.shape) and self.is_unpacked(step):
            self.unpack(step, value)
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
        """Whether a value may be written into the expression that reads it."""
        return readers == 1 and (not step.name or step.output in self.results)

    def fitted(self, step: Step, build: Callable[[], Value]) -> Value:
        """A step's expression, once as many operands have a variable as it takes to make it short."""
        while self.too_long(value := build()):
            operands = self.pending.intersection(values_read(step.inputs))
            if not operands:
                break
            self.bind(max(operands, key=lambda part: (len(self.values[part].text), -part)))
        return value

    def too_long(self, value: Value) -> bool:
        """Whether an expression does not fit into a statement, or nests too deeply."""
        return len(f"{self.indent}return {value.text}") > WIDTH or value.depth > DEEPEST

    def is_unpacked(self, step: Step) -> bool:
        """Whether a list is better taken apart at once; what torch gives is a tuple, which adds to no list."""
        readers = self.readers[step.output]
        if step.output in self.results or any(each.kind != "pick" for each in readers):
            return False
        spread = self.left[step.output] > len(readers)
        by_torch = step.scope is not None and step.scope.op is not None
        return len(readers) > 1 or (spread and (by_torch or bool(readers)))

    def unpack(self, step: Step, value: Value) -> None:
        """Takes a list apart: `cross, main = ...`."""
        picks = self.readers[step.output]
        spread = self.left[step.output] > len(picks)
        names: list[str] = []
        for at in range(len(step.shape)):
            named = [pick.name for pick in picks if pick.index == at]
            wanted = identifier(named[0] or f"x{at}") if named else f"x{at}" if spread else "_"
            names.append(wanted if wanted == "_" else unique(wanted, {*names, *self.taken()}))
        line = f"{', '.join(names)} = {value.text}" if len(names) > 1 else f"({names[0]},) = {value.text}"
        if len(self.indent + line) > WIDTH:
            self.unpack_not(step, value)
            return
        self.write(line)
        self.left[step.output] -= len(picks)
        for at, name in enumerate(names):
            self.hold(name, *(pick.output for pick in picks if pick.index == at), *([step.output] if spread else []))
        self.elements[step.output] = tuple(variable(name) for name in names)

    def unpack_not(self, step: Step, value: Value) -> None:
        """Keeps a list in a variable: it has too many tensors to name them all."""
        name = self.new(identifier(step.name or "ys"))
        self.write(f"{name} = {value.text}")
        held = self.hold(name, step.output)
        self.elements[step.output] = tuple(element(held, at) for at in range(len(step.shape)))

    # ---- acts

    def call(self, step: Step) -> None:
        """A module's call; for an op that is a function, its expression."""
        child = self.children[step.target]
        dropped = (child.name,) in self.target.dropped
        if dropped or (child.form == "one" and child.role != "parameter" and is_identity(child.scope)):
            self.settle(step, lambda: self.read(step.inputs[0]))
        elif in_line(child):
            self.function(step)
        elif len(row := self.in_a_row(step, child)) > 1:
            self.loop(step, child, [], row[-1])
        else:
            module = self.module(child, step.index)
            self.settle(step, lambda: call(module, [self.read(ref) for ref in step.inputs]))

    def in_a_row(self, step: Step, child: Child) -> list[Step]:
        """The calls of all modules of a list, each on the output of the one before."""
        if child.form != "list" or step.index or len(step.inputs) > 1:
            return []
        at = self.places[step.output]
        row = [step]
        for other in self.scope.steps[at + 1 : at + child.count]:
            last = row[-1]
            if other.target != child.name or other.inputs != (last.output,) or self.left[last.output] > 1:
                return []
            row.append(other)
        return row if [each.index for each in row] == list(range(child.count)) else []

    def module(self, child: Child, index: int | None = None) -> str:
        """A module as `forward` finds it."""
        if numeral(child):
            return f"self[{self.target.places[child.name] + (index or 0)}]"
        return f"self.{child.name}" if index is None else f"self.{child.name}[{index}]"

    def function(self, step: Step) -> None:
        """An op in place."""
        assert step.scope is not None
        template = spelling(step.scope).function
        at = self.places[step.output]
        if content(step.scope)[0].takes == "list":
            self.settle(step, self.joining(step, template, at))
        else:
            self.settle(step, lambda: filled(template, [*map(self.read, step.inputs)], None, self.facts(step, at)))

    def joining(self, step: Step, template: str, at: int) -> Callable[[], Value]:
        """The expression of an op that takes a list; a long list gets a variable."""
        parts = tuple(ref for ref in step.inputs if isinstance(ref, int))
        ref = step.inputs[0] if len(step.inputs) == 1 else parts

        def build(whole: Value | None = None) -> Value:
            return filled(template, self.tensors(ref), whole or self.read(ref), self.facts(step, at))

        items = self.read(ref).items or ()
        if template in SUMS and self.too_long(build()):
            return self.summing(step, ref, SUMS[template])
        if "{x}" not in template or len(items) < FEW or not self.too_long(build()):
            return build
        branches = self.new("branches")
        self.lines += lines(listing([atom(item.text) for item in items]), self.indent, f"{branches} = ")
        return lambda: build(variable(branches))

    def summing(self, step: Step, ref: Ref, product: bool) -> Callable[[], Value]:
        """A sum or product of many, piece by piece; the first tensors come first, as floats do not associate."""
        for value in sorted(self.pending.intersection(each_value(ref))):
            self.bind(value)
        first, *rest = (value.text for value in self.tensors(ref))
        name = self.new(identifier(step.name or "y"))
        fits = [at for at in range(1, len(rest) + 1) if not self.too_long(Value(joined([first, *rest[:at]], product)))]
        for at in range(0, len(rest) - fits[-1], fits[-1]):
            self.write(f"{name} = {joined([first, *rest[at : at + fits[-1]]], product)}")
            first = name
        rest = rest[(len(rest) - 1) // fits[-1] * fits[-1] :]
        return lambda: Value(joined([first, *rest], product), frozenset({name}))

    def facts(self, step: Step, at: int) -> Callable[[str], str]:
        """How the facts of an op in place are written."""
        child = self.children.get(step.target)
        origins = dict(child.origins) if child else {}
        scopes = [scope for scope in (each.steps[at].scope for each in self.target.scopes) if scope is not None]

        def text(fact: str) -> str:
            found = [self.target.registry.facts(scope)[fact] for scope in scopes]
            return self.target.frame.attribute(found, Hint(step.target, fact, origins.get(fact)))

        self.target.registry.facts(scopes[0])
        return text

    def pick(self, step: Step) -> None:
        """One tensor of a list."""
        self.settle(step, lambda: element(self.read(step.inputs[0]), step.index))

    def repeat(self, step: Step) -> None:
        """A row, one after the other."""
        child = self.children[step.target]
        if numeral(child):
            self.numerals(step, [self.module(child, index) for index in range(child.count)])
        elif not in_list(child):
            self.call(step)
        else:
            self.loop(step, child, [])

    def numerals(self, step: Step, modules: Sequence[str]) -> None:
        """A row without a name: TorchScript has no loop over a part of the class itself."""
        if len(modules) <= FEW:
            self.settle(step, lambda: reduce(lambda x, module: call(module, [x]), modules, self.read(step.inputs[0])))
            return
        running = self.start(step)
        for module in modules:
            self.write(f"{running} = {module}({running})")
        self.hold(running, step.output)

    def collect(self, step: Step) -> None:
        """A row, one after the other, and all the outputs as a list."""
        outputs = self.new(identifier(step.name or "ys"))
        self.loop(step, self.children[step.target], [outputs])

    def loop(self, step: Step, child: Child, outputs: list[str], last: Step | None = None) -> None:
        """A loop over a row, up to a step; its outputs are appended to a list, if one is wanted."""
        running = self.start(step, outputs)
        for name in outputs:
            self.write(f"{name}: list[Tensor] = []")
        each = unique(identifier(child.name), {*self.taken(), running, *outputs})
        self.write(f"for {each} in {self.module(child)}:")
        self.write(f"    {running} = {each}({running})")
        for name in outputs:
            self.write(f"    {name}.append({running})")
        last = last or step
        between = (each for each in self.scope.steps if step.output <= each.output < last.output)
        for each in between:
            self.left[each.output] = 0
            self.values[each.output] = variable(running)
        self.hold(outputs[0] if outputs else running, last.output)

    def start(self, step: Step, taken: Sequence[str] = ()) -> str:
        """A variable with a step's input, which the step may go on to overwrite."""
        value = self.read(step.inputs[0])
        self.consume(step)
        if value.text in self.holders and self.free(value.text):
            return value.text
        passes_lists = is_list(self.children[step.target].scope.output)
        running = unique("xs" if passes_lists else "y", {*self.taken(), *taken})
        self.write(f"{running} = {value.text}")
        return running

    # ---- the end

    def finish(self, result: Ref) -> None:
        """The return of a value."""
        value = self.read(result)
        if value.items and self.too_long(value):
            self.lines += lines(listing([atom(item.text) for item in value.items]), self.indent, "return ")
        else:
            self.write(f"return {value.text}")
