"""Runs the spelling of an op, and reads the case files: what the tests of the ops share."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from archdsl.op import Op
from archdsl.ops import vocabulary

torch = pytest.importorskip("torch")
from tests.ops import reference  # noqa: E402

nn = torch.nn
CASES = Path(__file__).parent / "cases"
BATCH = 2
MOST_COLUMNS = {"==": 2, "|": 5}


class Line(NamedTuple):
    """A line of a case file: its columns, and the shapes at the head of its paragraph."""

    columns: tuple[str, ...]
    shapes: tuple[Any, ...]
    place: str


def lines(name: str, separator: str) -> list[Any]:
    """The lines of a case file as pytest's parameters."""
    found, shapes = [], ()
    for number, text in enumerate((CASES / name).read_text("utf-8").splitlines(), start=1):
        if text.startswith("["):
            shapes = tuple(map(shape_of, text.strip("[]").split(",")))
        elif text.strip() and not text.startswith("#"):
            columns = tuple(part.strip() for part in text.split(separator, MOST_COLUMNS[separator] - 1))
            line = Line(columns, shapes, f"{name}:{number}")
            found.append(pytest.param(line, id=f"{name.removesuffix('.txt')}-{number}-{columns[0]}"))
    return found


def shape_of(text: str) -> Any:
    """The shape that a text says; of a list of tensors joined by +, a tuple of shapes."""
    if "+" in text:
        return tuple(shape_of(part) for part in text.split("+") if part.strip())
    return tuple(int(size) for size in text.split("x"))


def make(text: str) -> Op:
    """The op that a call says, as Python."""
    return eval(text, {"Fraction": Fraction, **vocabulary()})


def inputs(shape: Any, grad: bool = False) -> Any:
    """Random tensors of a shape, always the same."""
    torch.manual_seed(7)
    if not shape or isinstance(shape[0], tuple):
        return [torch.randn(BATCH, *each, dtype=torch.float64, requires_grad=grad) for each in shape]
    return torch.randn(BATCH, *shape, dtype=torch.float64, requires_grad=grad)


def scope() -> dict[str, Any]:
    """What emitted text finds defined."""
    return {"torch": torch, "nn": nn, "Tensor": torch.Tensor}


def spell_module(op: Op, shape: Any, inplace: bool = False) -> Any:
    """The module that an op's spelling says."""
    spelling, facts, names = op.spelling(shape), op.facts(shape), scope()
    exec(spelling.helper, names)
    arguments = [repr(facts[name]) for name in spelling.positional]
    for name in spelling.keywords:
        if name not in spelling.defaults or facts[name] != spelling.defaults[name]:
            arguments.append(f"{name}={facts[name]!r}")
    arguments += ["inplace=True"] if inplace else []
    torch.manual_seed(5)
    return eval(f"{spelling.module}({', '.join(arguments)})", names)


def spell_function(op: Op, shape: Any) -> Callable[[Any], Any]:
    """The function that an op's spelling says."""
    spelling, names = op.spelling(shape), scope()
    exec(spelling.helper, names)
    facts = {name: repr(value) for name, value in op.facts(shape).items()}
    if op.takes == "list":
        items = [f"x[{at}]" for at in range(len(shape))]
        facts |= {"sum": " + ".join(items), "product": " * ".join(items)}
    return eval("lambda x: " + spelling.function.format(x="x", **facts), names)


class Executed(nn.Module):
    """The op as its `run` does it, with weights in the form of a layer."""

    def __init__(self, op: Op, shape: Any) -> None:
        super().__init__()
        self.op = op
        for weight in op.weights(shape):
            start = torch.zeros(weight.shape, dtype=torch.long if weight.kind == "counter" else torch.float64)
            if weight.kind == "parameter":
                self.register_parameter(weight.name, nn.Parameter(start))
            else:
                self.register_buffer(weight.name, start)

    def forward(self, x: Any) -> Any:
        """Runs the op."""
        return self.op.run(torch, x, self.state_dict(keep_vars=True), self.training)


def spellings(op: Op, shape: Any) -> list[Any]:
    """The op as its spelling says it: as a module, as a function, or both."""
    spelling = op.spelling(shape)
    found = [spell_module(op, shape).double()] if spelling.module else []
    return [*found, spell_function(op, shape)] if spelling.function else found


def real(text: str, x: Any) -> Any:
    """What a case file sets against an op: a layer in double precision, or an expression in the input `x`."""
    torch.manual_seed(5)
    found = eval(text, {**scope(), **vars(reference), "x": x})
    return found.double() if isinstance(found, nn.Module) else found


MISFITS = lines("misfits.txt", "|")
LAYERS = [line for path in sorted(CASES.glob("*.txt")) if path.name != "misfits.txt" for line in lines(path.name, "==")]
