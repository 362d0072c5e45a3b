"""The `forward` of a scope: its steps as statements, short ones folded into one another.

A value that the text names keeps its name. Another one is folded into the expression that reads it, where there is
one reader and the line stays short; otherwise it becomes `x` again, once the old `x` is not needed any more.

Subclasses, which write the statements or run them, say how in `assign`, `take_apart` and `run_row`.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from functools import reduce

from archdsl.backends.torch.locals import (
    WIDTH,
    Outline,
    Statements,
    TensorExpression,
    call,
    element,
    filled,
    identifier,
    joined,
    reads_again,
    unique,
    variable,
)
from archdsl.graph import Child, Ref, Scope, Step, each_value, is_list, op_of, values_read
from archdsl.op import Spelling


def spelling(scope: Scope) -> Spelling:
    """PyTorch's spelling of an op's scope."""
    op, x = op_of(scope)
    return op.spelling(x)


def is_identity(scope: Scope) -> bool:
    """True if a module does nothing."""
    return scope.op is not None and spelling(scope).function == "{x}"


def numeral(child: Child) -> bool:
    """True if the modules are `0`, `1`, ... of the scope itself."""
    return child.form == "repeat" and not child.name


def in_line(child: Child) -> bool:
    """True if a scope with a forward of its own writes a child as an expression, without a module."""
    alone = child.form == "one" and child.role != "parameter" and child.scope.op is not None
    return alone and bool(spelling(child.scope).function)


def in_list(child: Child) -> bool:
    """True if a row is kept in nn.ModuleList: steps call its modules one by one, or they pass lists on."""
    shapes = (each for run in child.runs for each in (run.scope.output, *run.scope.inputs))
    return child.form == "list" or (child.form == "repeat" and any(map(is_list, shapes)))


def pipeline(scope: Scope) -> bool:
    """True if a scope passes one tensor through all its children in order, and does nothing else."""
    if scope.kind == "network" or len(scope.inputs) != 1 or is_list(scope.inputs[0]):
        return False
    value: Ref = 0
    for step in scope.steps:
        calls = step.kind in ("call", "repeat") and step.index is None
        if not calls or step.inputs != (value,) or is_list(step.shape):
            return False
        value = step.output
    return scope.result == value and [step.target for step in scope.steps] == [each.name for each in scope.children]


def overwriting(scope: Scope) -> frozenset[str]:
    """The children of a scope that may write over their input: nobody else reads it, and nothing needs it."""
    readers = Counter(value for step in scope.steps for value in values_read(step.inputs))
    readers.update(each_value(scope.result))
    ops = {child.name: child.scope for child in scope.children if child.form == "one" and child.scope.op}
    fresh: set[int] = set()
    names: set[str] = set()
    for step in scope.steps:
        maker = step.scope if step.kind == "op" else ops.get(step.target)
        if maker is None:
            continue
        op, x = op_of(maker)
        if step.kind == "call" and op.spelling(x).inplace and step.inputs[0] in fresh:
            names.add(step.target)
        if readers[step.output] == 1 and not is_list(step.shape) and op.writable(x):
            fresh.add(step.output)
    called = Counter(step.target for step in scope.steps)
    return frozenset(name for name in names if called[name] == 1)


class InPlace:
    """The children of each scope of a graph that write over their input.

    The links of a section are no such children: what comes out of each is a feature map.
    """

    def __init__(self, root: Scope) -> None:
        self.known = {child.scope: frozenset[str]() for child in root.children} | {root: frozenset[str]()}

    def of(self, scope: Scope) -> frozenset[str]:
        """The names of such children."""
        if scope not in self.known:
            self.known[scope] = overwriting(scope)
        return self.known[scope]


INDENT = "        "
# Levels of calls inside each other.
DEEPEST = 5
# A list of as many tensors gets lines of its own where one line does not hold it.
FEW = 3
# The templates of sums and products; whether it is a product.
SUMS = {"{sum}": False, "{product}": True}


class Acts(Statements):
    """The steps of a forward as statements."""

    def __init__(
        self, scope: Scope, results: Sequence[Ref], outline: Outline | None = None, words: Collection[str] = ()
    ) -> None:
        super().__init__(scope, results, outline, words)
        self.indent = INDENT
        self.children = {child.name: child for child in scope.children}
        self.order = {step.output: at for at, step in enumerate(scope.steps)}
        self.readers: dict[int, list[Step]] = defaultdict(list)
        for step in scope.steps:
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
        """Do steps."""
        for step in steps:
            if step.output not in self.values:
                self.acts[step.kind](step)

    # ---- for subclasses

    def take_apart(self, names: Sequence[str], value: TensorExpression) -> None:
        """Do a statement: `names[0], names[1], ... = value`."""
        raise NotImplementedError

    def run_row(self, child: Child, running: str, outputs: str) -> None:
        """Run the modules of a row on a variable, one after the other, and append what each gives to a list."""
        raise NotImplementedError

    def add_up(self, name: str, value: TensorExpression) -> None:
        """Do a statement of a long sum, whose last one has all operands once more: `name = value`."""
        raise NotImplementedError

    def facts(self, step: Step) -> Callable[[str], str]:
        """A function from the facts of an op in an expression to their text."""
        raise NotImplementedError

    def place(self, child: Child) -> int:
        """The first index of a row without a name."""
        raise NotImplementedError

    def does_nothing(self, child: Child) -> bool:
        """True if a child is left out."""
        return child.form == "one" and child.role != "parameter" and is_identity(child.scope)

    # ---- what becomes of an expression

    def settle(self, step: Step, build: Callable[[], TensorExpression]) -> None:
        """Take a step's expression: fold it into its reader, or give it a variable."""
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
        """True if a value may be written into the expression that reads it."""
        if self.outline:
            return readers == 1 and step.output in self.outline.ends
        return readers == 1 and (not step.name or step.output in self.results)

    def fitted(self, step: Step, build: Callable[[], TensorExpression]) -> TensorExpression:
        """A step's expression, once as many operands have a variable as it takes to make it short."""
        while self.too_long(value := build()):
            operands = self.pending.intersection(values_read(step.inputs))
            if not operands:
                break
            self.bind(max(operands, key=lambda part: (len(self.values[part].text), -part)))
        return value

    def too_long(self, value: TensorExpression) -> bool:
        """True if an expression does not fit into a statement, or nests too deeply."""
        return len(f"{self.indent}return {value.text}") > WIDTH or value.depth > DEEPEST

    def is_unpacked(self, step: Step) -> bool:
        """True if a list is better taken apart at once; what torch gives is a tuple, which adds to no list."""
        readers = self.readers[step.output]
        if step.output in self.results or any(each.kind != "pick" for each in readers):
            return False
        spread = self.left[step.output] > len(readers)
        by_torch = step.scope is not None and step.scope.op is not None
        return len(readers) > 1 or (spread and (by_torch or bool(readers)))

    def unpack(self, step: Step, value: TensorExpression) -> None:
        """Take a list apart: `cross, main = ...`."""
        picks = self.readers[step.output]
        spread = self.left[step.output] > len(picks)
        names: list[str] = []
        for at in range(len(step.shape)):
            named = [pick.name for pick in picks if pick.index == at]
            wanted = identifier(named[0] or f"x{at}") if named else f"x{at}" if spread else "_"
            names.append(wanted if wanted == "_" else unique(wanted, {*names, *self.taken()}))
        if len(f"{self.indent}{apart(names)} = {value.text}") > WIDTH:
            self.unpack_not(step, value)
            return
        self.take_apart(names, value)
        self.left[step.output] -= len(picks)
        for at, name in enumerate(names):
            self.hold(name, *(pick.output for pick in picks if pick.index == at), *([step.output] if spread else []))
        self.elements[step.output] = tuple(variable(name) for name in names)

    def unpack_not(self, step: Step, value: TensorExpression) -> None:
        """Keep a list in a variable: it has too many tensors to name them all."""
        name = self.new(step.name or "ys")
        self.assign(name, value)
        held = self.hold(name, step.output)
        self.elements[step.output] = tuple(element(held, at) for at in range(len(step.shape)))

    # ---- acts

    def call(self, step: Step) -> None:
        """A module's call; for an op that is a function, its expression."""
        child = self.children[step.target]
        if self.does_nothing(child):
            self.settle(step, lambda: self.read(step.inputs[0]))
        elif in_line(child):
            self.function(step)
        elif len(row := self.in_a_row(step, child)) > 1:
            self.loop(step, child, last=row[-1])
        else:
            module = self.module(child, step.index)
            self.settle(step, lambda: call(module, [self.read(ref) for ref in step.inputs])._replace(step=step))

    def in_a_row(self, step: Step, child: Child) -> list[Step]:
        """The calls of all modules of a list, each on the output of the one before."""
        if child.form != "list" or step.index or len(step.inputs) > 1:
            return []
        at = self.order[step.output]
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
            return f"self[{self.place(child) + (index or 0)}]"
        return f"self.{child.name}" if index is None else f"self.{child.name}[{index}]"

    def function(self, step: Step) -> None:
        """An op that is an expression."""
        assert step.scope is not None
        op, x = op_of(step.scope)
        template = op.spelling(x).function
        if reads_again(template):
            self.bind_operands(step)
        build = self.joining(step, template) if op.takes == "list" else self.applying(step, template)
        self.settle(step, lambda: build()._replace(step=step))

    def bind_operands(self, step: Step) -> None:
        """Put the operands of a step into variables, so that each is worked out once, however often it is read."""
        for value in sorted(self.pending.intersection(values_read(step.inputs))):
            self.bind(value)

    def applying(self, step: Step, template: str) -> Callable[[], TensorExpression]:
        """The expression of an op that takes a tensor."""
        return lambda: filled(template, [*map(self.read, step.inputs)], None, self.facts(step))

    def joining(self, step: Step, template: str) -> Callable[[], TensorExpression]:
        """The expression of an op that takes a list; a long list gets a variable."""
        (ref,) = step.inputs
        if "{x}" not in template:
            self.name_lists(ref)

        def build(whole: TensorExpression | None = None) -> TensorExpression:
            return filled(template, self.tensors(ref), whole or self.read(ref), self.facts(step))

        whole = self.read(ref)
        if template in SUMS and self.too_long(build()):
            return self.summing(step, ref, SUMS[template])
        if "{x}" not in template or len(whole.items or ()) < FEW or not self.too_long(build()):
            return build
        branches = self.new("branches")
        self.assign(branches, whole)
        return lambda: build(variable(branches))

    def name_lists(self, ref: Ref) -> None:
        """Put lists into variables, so that their tensors can be read one by one."""
        for value in sorted(self.pending.intersection(values_read([ref]))):
            if is_list(self.maker[value].shape) and not self.values[value].items:
                self.bind(value)

    def summing(self, step: Step, ref: Ref, product: bool) -> Callable[[], TensorExpression]:
        """A sum or product of many, piece by piece; the first tensors come first, as floats do not associate."""
        self.bind_operands(step)
        tensors = self.tensors(ref)
        first, *rest = (value.text for value in tensors)
        name = self.new(step.name or "y")
        reads = frozenset({name}).union(*(value.reads for value in tensors))

        def piece(texts: Sequence[str]) -> TensorExpression:
            return TensorExpression(joined([first, *texts], product), reads)

        longer = bisect_left(range(1, len(rest) + 1), True, key=lambda size: self.too_long(piece(rest[:size])))
        size = max(longer, 1)
        for at in range(0, len(rest) - size, size):
            self.add_up(name, piece(rest[at : at + size]))
            first = name
        rest = rest[(len(rest) - 1) // size * size :]
        return lambda: piece(rest)._replace(operands=tuple(tensors))

    def pick(self, step: Step) -> None:
        """One tensor of a list."""
        self.settle(step, lambda: element(self.read(step.inputs[0]), step.index))

    def repeat(self, step: Step) -> None:
        """A row, one after the other."""
        child = self.children[step.target]
        if numeral(child) and child.count <= FEW:
            self.settle(step, lambda: self.nested(step, child))
        elif numeral(child) or in_list(child):
            self.loop(step, child)
        else:
            self.call(step)

    def nested(self, step: Step, child: Child) -> TensorExpression:
        """A short row without a name: `self[1](self[0](x))`."""
        x = self.read(step.inputs[0])
        modules = (self.module(child, index) for index in range(child.count))
        return reduce(lambda value, module: call(module, [value]), modules, x)._replace(operands=(x,), step=step)

    def collect(self, step: Step) -> None:
        """A row, one after the other, and all the outputs as a list."""
        self.loop(step, self.children[step.target], self.new(step.name or "ys"))

    def loop(self, step: Step, child: Child, outputs: str = "", last: Step | None = None) -> None:
        """A loop over a row, up to a step; its outputs are appended to a list, if one is wanted."""
        running = self.start(step, outputs)
        self.run_row(child, running, outputs)
        last = last or step
        between = (each for each in self.scope.steps if step.output <= each.output < last.output)
        for each in between:
            self.left[each.output] = 0
            self.values[each.output] = variable(running)
        self.hold(outputs or running, last.output)

    def start(self, step: Step, outputs: str) -> str:
        """A variable with a step's input, which the step may go on to overwrite."""
        value = self.read(step.inputs[0])
        self.consume(step)
        if value.text in self.holders and self.free(value.text):
            return value.text
        passes_lists = is_list(self.children[step.target].scope.output)
        running = unique("xs" if passes_lists else "y", {*self.taken(), outputs})
        self.assign(running, value)
        return running


def apart(names: Sequence[str]) -> str:
    """The variables that a list is taken apart into."""
    return ", ".join(names) if len(names) > 1 else f"({names[0]},)"
