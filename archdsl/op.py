"""What an operator is: parameters, a shape rule, weights, cost, and its spelling in each target.

An operator is one frozen class in one file under `ops/`. Its docstring is its reference page; the line `Example:`
in it is a link of a chain that its tests build. From the class come the signature in the language, its checks,
the JSON schema, the emitters' spelling and the test against the real layer.
"""

from __future__ import annotations

from fractions import Fraction
from math import prod
from typing import Any, ClassVar, Literal, NamedTuple

from archdsl.errors import Rule
from archdsl.record import MISSING, Record

Shape = tuple[int, ...]
"""The shape of a tensor without its batch: (channels, height, width), or (features,) once flattened."""

Shapes = Shape | tuple[Shape, ...]
"""The shape of a tensor, or the shapes of a list of tensors."""

Size = int | tuple[int, int]
"""A number for both directions, or (height, width), as PyTorch's kernels and strides."""

Padding = int | tuple[int, int] | Literal["same", "valid"]
"""Zeros on each border; `same` is dilation * (kernel - 1) // 2, `valid` is none."""

Parts = int | Fraction | tuple[int, ...]
"""How channels are cut: into equal parts, by the share of the first part, or by counts."""


class Param(NamedTuple):
    """A declared parameter: its default, its bounds, and whether it may only be given by name."""

    default: Any = MISSING
    named: bool = False
    minimum: float | None = None
    maximum: float | None = None
    above: float | None = None
    type: str = ""


def param(
    default: Any = MISSING, *, minimum: float | None = None, maximum: float | None = None, above: float | None = None
) -> Any:
    """A parameter that may be given by position. `above` is a bound that the value itself may not have."""
    return Param(default, False, minimum, maximum, above)


def named(
    default: Any = MISSING, *, minimum: float | None = None, maximum: float | None = None, above: float | None = None
) -> Any:
    """A parameter that is given by name only."""
    return Param(default, True, minimum, maximum, above)


class Misfit(Exception):
    """An operator cannot take what reaches it.

    `param` names the argument that is to blame (or "" for the input); whoever called the operator knows its place.
    """

    def __init__(self, rule: Rule, param: str, label: str, help: str = "") -> None:
        super().__init__(label)
        self.rule, self.param, self.label, self.help = rule, param, label, help


class Weight(NamedTuple):
    """A tensor that an operator holds."""

    name: str
    shape: Shape
    kind: Literal["parameter", "buffer", "counter"] = "parameter"

    @property
    def size(self) -> int:
        """Number of elements."""
        return prod(self.shape)


class Spelling(NamedTuple):
    """How PyTorch writes an operator: a module, or, where `function` is set, an expression without state.

    `positional` and `keywords` name facts of the operator (see `Op.facts`); a keyword whose value is PyTorch's own
    default, in `defaults`, is left out. `function` is a template in which `{x}` stands for the input (`{0}`, `{1}`
    for the first and second of several) and `{name}` for a fact. `helper` is the source of a class or function that
    PyTorch does not have; it is written above the network's classes, once. `inplace` says that the module takes
    `inplace=True`. An op may have both spellings: the function is used inside a `forward`, the module where one is
    needed (a link of a `nn.Sequential`); where only a function is given, the emitter writes a small module around it.
    In a function's template `{x}` of an op that takes a list is a Python list of the tensors, `{sum}` and `{product}`
    are its tensors joined by ` + ` and ` * `. Facts are written as Python literals; `{x}` stands once in a template,
    and may be followed by a subscript or a method, so an expression that is no name or call needs parentheses.
    """

    module: str = ""
    positional: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()
    defaults: dict[str, Any] = {}  # noqa: RUF012 (a tuple's default, never changed)
    function: str = ""
    helper: str = ""
    inplace: bool = False


class Declared(Record):
    """Base of what is declared once and called by name in the language: operators and initializers."""

    name: ClassVar[str] = ""
    params: ClassVar[dict[str, Param]] = {}

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        declared = {name: value for name, value in cls.__dict__.items() if isinstance(value, Param)}
        cls.params = cls.params | {
            name: value._replace(type=cls.__annotations__[name]) for name, value in declared.items()
        }
        cls.defaults = cls.defaults | {
            name: value.default for name, value in declared.items() if value.default is not MISSING
        }
        for name in declared:
            delattr(cls, name)


class Op(Declared):
    """Base of all operators. Subclasses declare fields with `param` and `named`, and override what is not default."""

    takes: ClassVar[Literal["tensor", "list"]] = "tensor"
    counts_as: ClassVar[Literal["conv", "norm", "linear", ""]] = ""
    lenient: ClassVar[bool] = False
    """Takes and ignores any settings (`identity` alone)."""
    saves: ClassVar[frozenset[Literal["input", "output"]]] = frozenset({"input", "output"})
    """Which of its tensors PyTorch keeps for the backward pass; one that runs in place keeps its output instead."""
    view: ClassVar[bool] = False
    """Whether the output may lie in the memory of the input: a view, or the input itself in evaluation."""
    torch: ClassVar[Spelling] = Spelling()

    def output(self, x: Any) -> Shapes:
        """The shape of the output for an input of shape `x` (a list of shapes where the op takes a list).

        Raises Misfit where the op cannot take such an input.
        """
        return x

    def weights(self, x: Any) -> tuple[Weight, ...]:
        """The parameters and buffers, in PyTorch's order."""
        return ()

    def macs(self, x: Any, y: Any) -> int:
        """Multiply-adds, counted once, of convolutions and linear layers; 0 for all else (the papers' convention)."""
        return 0

    def spelling(self, x: Any) -> Spelling:
        """How PyTorch writes it for an input of shape `x`: `torch`, but where that depends on shape or settings."""
        return self.torch

    def writable(self, x: Any) -> bool:
        """Whether an in-place op may overwrite the output: memory of its own, which the backward pass does not need."""
        return not (self.view or self.spelling(x).inplace or "output" in self.saves)

    def facts(self, x: Any) -> dict[str, Any]:
        """What a target may ask for: the parameters, `in_channels`, and what an op derives from them."""
        facts = {name: self.__dict__[name] for name in self.fields}
        return facts if self.takes == "list" else facts | {"in_channels": x[0]}


def pair(size: Size) -> tuple[int, int]:
    """(height, width) of a size."""
    return (size, size) if isinstance(size, int) else size


def single(size: tuple[int, int]) -> Size:
    """A pair of equal numbers as one number."""
    return size[0] if size[0] == size[1] else size
