"""The statements of a `forward` as text, whoever says what its numbers are called."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from archdsl.backends.torch.locals import Outline, TensorExpression, identifier, unique
from archdsl.backends.torch.lowering import Acts, apart, numeral
from archdsl.backends.torch.pyformat import Doc, atom, lines, listing, signature
from archdsl.graph import Child, Ref, Scope, is_list
from archdsl.op import Shapes


class Writing(Acts):
    """Writes the statements of one forward."""

    def __init__(
        self, scope: Scope, results: Sequence[Ref], outline: Outline | None = None, words: Collection[str] = ()
    ) -> None:
        super().__init__(scope, results, outline, words)
        self.lines: list[str] = []

    def method(self) -> list[str]:
        """The whole method of a class: its head, its statements and its return."""
        self.run(self.scope.steps)
        self.finish(self.scope.result)
        inputs = [f"{name}: {type_of(shapes)}" for name, shapes in zip(self.inputs, self.scope.inputs, strict=True)]
        return [*signature("forward", ["self", *inputs], type_of(self.scope.output)), *self.lines]

    def write(self, line: str) -> None:
        """Adds a statement."""
        self.lines.append(self.indent + line)

    def assign(self, name: str, value: TensorExpression) -> None:
        self.lines += lines(document(value), self.indent, f"{name} = ")

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
        self.lines += lines(document(self.read(result)), self.indent, "return ")


def document(value: TensorExpression) -> Doc:
    """An expression for layout: a list that is written out may take several lines."""
    return listing([atom(item.text) for item in value.items]) if value.items else atom(value.text)


def type_of(shapes: Shapes) -> str:
    """The type of a value."""
    return "list[Tensor]" if is_list(shapes) else "Tensor"
