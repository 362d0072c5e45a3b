"""Operators: parameters, a shape rule, weights, cost, and a spelling in each target.

An operator is one frozen class in one file under `ops/`. Its docstring is its reference page; the line `Example:` in it
is a link of a chain that its tests build. The class defines the signature in the language, its checks, the JSON schema,
the emitters' spelling and the test against the real layer.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from fractions import Fraction
from functools import cache
from math import prod
from types import NoneType, UnionType
from typing import Any, ClassVar, Literal, NamedTuple, Union, get_args, get_origin

from archdsl.diagnostics import DiagnosticKind, Text, UnlocatedError
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
"""Division of channels: into equal parts, by the share of the first part, or by counts."""

Conditions = tuple[tuple[str, tuple[Any, ...]], ...]
"""Parameters, and for each the values of which it has one."""
ALWAYS: Conditions = ()


class Type(NamedTuple):
    """The type of a parameter, in the language: its name and the noun for it, whether `none` is allowed, its words."""

    name: str
    noun: str = ""
    optional: bool = False
    symbols: tuple[str, ...] = ()

    @property
    def phrase(self) -> str:
        """The type in a sentence."""
        phrase = self.noun or " or ".join(f"`{symbol}`" for symbol in self.symbols)
        return f"{phrase} or none" if self.optional else phrase


INT = Type("int", "an int")
FLOAT = Type("float", "a number")
BOOL = Type("bool", "true or false")
SIZE = Type("size", "a size (an int or a pair)")
PADDING = Type("padding", "a padding (a size, `same` or `valid`)", symbols=("same", "valid"))
PARTS = Type("parts", "parts (a share, a number of equal parts, or a list of counts)")
INIT = Type("init", "an initializer")
INTS = Type("ints", "a list of ints")
FLOATS = Type("floats", "a list of numbers")


def symbol(*words: str) -> Type:
    """An enumeration."""
    return Type("symbol", symbols=words)


def members(annotation: Any) -> frozenset[Any]:
    """The members of a union; of anything else, itself."""
    return frozenset(get_args(annotation) if get_origin(annotation) in {Union, UnionType} else (annotation,))


TYPES = {
    members(annotation): kind
    for annotation, kind in (
        (int, INT),
        (float, FLOAT),
        (bool, BOOL),
        (Size, SIZE),
        (Padding, PADDING),
        (Parts, PARTS),
        (tuple[int, ...], INTS),
        (tuple[float, ...], FLOATS),
    )
}
"""The types by the members of the annotations that declare them."""


def type_of(annotation: Any) -> Type:
    """The type that an annotation declares; raises TypeError for one that parameters cannot have."""
    inner = members(annotation) - {NoneType}
    optional = NoneType in members(annotation)
    if (kind := TYPES.get(inner)) is not None:
        return kind._replace(optional=optional)
    (only, *others) = inner
    if not others and get_origin(only) is Literal:
        return symbol(*get_args(only))._replace(optional=optional)
    if not others and isinstance(only, type) and issubclass(only, Declaration):
        return INIT._replace(optional=optional)
    raise TypeError(f"no parameter of an op can be of type {annotation}")


class Param(NamedTuple):
    """Declared parameter: its default, its bounds, and whether it may only be given by name."""

    default: Any = MISSING
    named: bool = False
    minimum: float | None = None
    maximum: float | None = None
    above: float | None = None
    type: Type = Type("")


def param(
    default: Any = MISSING, *, minimum: float | None = None, maximum: float | None = None, above: float | None = None
) -> Any:
    """Parameter that may be given by position. `above` is a bound that the value itself may not have."""
    return Param(default, False, minimum, maximum, above)


def named(
    default: Any = MISSING, *, minimum: float | None = None, maximum: float | None = None, above: float | None = None
) -> Any:
    """Parameter that is given by name only."""
    return Param(default, True, minimum, maximum, above)


class Misfit(UnlocatedError):
    """Raised by an operator for an input that it cannot take.

    `param` names the argument to blame (or "" for the input), and `index` the tensor of a list that does not fit
    the first; the caller of the operator knows their locations.
    """

    def __init__(
        self, rule: DiagnosticKind, param: str, label: Text, help: Text = "", *, index: int | None = None
    ) -> None:
        super().__init__(rule, label, help)
        self.param, self.index = param, index


class Weight(NamedTuple):
    """Tensor that an operator holds."""

    name: str
    shape: Shape
    kind: Literal["parameter", "buffer", "counter"] = "parameter"

    @property
    def size(self) -> int:
        """Number of elements."""
        return prod(self.shape)


class Traffic(NamedTuple):
    """Elements that an op moves between memory and processor, for one sample: inputs, weights, output.

    Weights are read once, whatever the batch.
    """

    read: int = 0
    weights: int = 0
    written: int = 0


class Reach(NamedTuple):
    """Places of another map that a place `o` reads along one axis: from `o * step + low` to `o * step + high`."""

    step: Fraction
    low: Fraction
    high: Fraction


Reaches = tuple[Reach, Reach]
"""Reach in height and in width."""


class Inner(NamedTuple):
    """Tensor that PyTorch makes inside an operator, beside its output.

    `size` elements for each sample, or for all samples together if `shared`, in the network's precision, or `width`
    bytes each.
    """

    size: int
    shared: bool = False
    width: int = 0


Kept = Literal["input", "output"] | Inner
"""Tensor that an operator keeps for the backward pass: its inputs, its output, or one of its own."""


class Spelling(NamedTuple):
    """Spelling of an operator in PyTorch: a module, or, if `function` is set, an expression without state.

    `positional` and `keywords` name facts of the operator (see `Op.facts`); a keyword whose value is PyTorch's own
    default, in `defaults`, is left out. `function` is a template in which `{x}` stands for the input (`{0}`, `{1}` for
    the first and second of several) and `{name}` for a fact. `helper` is the source of a class or function that PyTorch
    does not have; it is written above the network's classes, once; `base` is the class of PyTorch's that it derives
    from, if any but `nn.Module`. `inplace` says that the module takes `inplace=True`; `stacked`, that an inner call of
    the function reads all operands, so that they may be released before the result is made. An op may have both
    spellings: the function is used inside a `forward`, the module where one is needed (a link of a `nn.Sequential`);
    where only a function is given, the emitter writes a small module around it. In a function's template `{x}` of an op
    that takes a list is a Python list of the tensors, `{sum}` and `{product}` are its tensors joined by ` + ` and ` *
    `. Facts are written as Python literals. An operand that is no name or call gets parentheses where it needs them,
    and one that a template names more than once is put into a variable first, so that it is worked out once.
    """

    module: str = ""
    positional: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()
    defaults: dict[str, Any] = {}  # noqa: RUF012 (a tuple's default, never changed)
    function: str = ""
    helper: str = ""
    base: str = ""
    inplace: bool = False
    stacked: bool = False


class Declaration(Record):
    """Base of classes that are declared once and called by name in the language: operators and initializers."""

    name: ClassVar[str] = ""
    params: ClassVar[dict[str, Param]] = {}

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        declared = {name: value for name, value in cls.__dict__.items() if isinstance(value, Param)}
        cls.params = cls.params | {
            name: value._replace(type=declared_type(cls.__annotations__[name], cls.__module__))
            for name, value in declared.items()
        }
        cls.defaults = cls.defaults | {
            name: value.default for name, value in declared.items() if value.default is not MISSING
        }
        for name in declared:
            delattr(cls, name)


@cache
def declared_type(annotation: Any, module: str) -> Type:
    """The type that an annotation declares in a module, which may postpone its annotations."""
    return type_of(eval(annotation, vars(sys.modules[module])) if isinstance(annotation, str) else annotation)


class Op(Declaration):
    """Base of all operators. Subclasses declare fields with `param` and `named`, and override what is not default."""

    takes: ClassVar[Literal["tensor", "list"]] = "tensor"
    # Parameters that take further tensors: none, but a block may have some.
    tensor_names: ClassVar[tuple[str, ...]] = ()
    counts_as: ClassVar[Literal["conv", "norm", "linear", ""]] = ""
    # Takes and ignores any settings (`identity` alone).
    lenient: ClassVar[bool] = False
    # PyTorch keeps a copy of the input for the backward pass if the op runs in place.
    copies: ClassVar[bool] = False
    # Tensors that PyTorch keeps for the backward pass; an op that runs in place keeps its output instead.
    saves: ClassVar[frozenset[Literal["input", "output"]]] = frozenset({"input", "output"})
    # The output may lie in the memory of the input: a view, or the input itself in evaluation.
    view: ClassVar[bool] = False
    # Its inputs weigh each other (a product): one that was made of a whole map is a gate of the others.
    gates: ClassVar[bool] = False
    # Operations per element of the output, if there are no multiply-adds; 0 for ops that only move values.
    work: ClassVar[int] = 1
    # Conditions under which the output, if there is one, has the height and width of the input, whatever the other
    # parameters are; None for an op that may change them. Of a list: each output, if all inputs have one size. A class
    # with an `output` of its own declares its own. They spare the elaborator the trial of a stage at stride 1.
    keeps_size: ClassVar[Conditions | None] = ALWAYS
    torch: ClassVar[Spelling] = Spelling()

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if cls.output is not Op.output and "keeps_size" not in cls.__dict__:
            cls.keeps_size = None

    def output(self, x: Any) -> Shapes:
        """Shape of the output for an input of shape `x` (a list of shapes if the op takes a list).

        Raises Misfit if the op cannot take such an input.
        """
        return x

    def weights(self, x: Any) -> tuple[Weight, ...]:
        """Parameters and buffers, in PyTorch's order."""
        return ()

    def macs(self, x: Any, y: Any) -> int:
        """Multiply-adds, counted once, of convolutions and linear layers; 0 for all else (the papers' convention)."""
        return 0

    def operations(self, x: Any, y: Any) -> int:
        """All arithmetic, a multiply-add counted once: as fvcore counts, and one per element for ops it leaves out."""
        return self.macs(x, y) or (self.work * elements(y) if self.moves(x) else 0)

    def moves(self, x: Any) -> bool:
        """True if the output is written anew, and is not a view of the input or the input itself."""
        return not self.view

    def traffic(self, x: Any, y: Any) -> Traffic:
        """Elements read and written: all inputs, all weights and the output, each once; nothing for a view."""
        # A view moves nothing.
        if not self.moves(x):
            return Traffic()
        return Traffic(elements(x), sum(each.size for each in self.weights(x) if each.kind != "counter"), elements(y))

    def reach(self, x: Any, y: Any) -> Reaches | None:
        """Places of each input map that a place of the output reads: the same by default; None for the whole map.

        Statistics over a map (group norm) are not counted as reading it.
        """
        return SAME_PLACE

    def spelling(self, x: Any) -> Spelling:
        """Spelling in PyTorch for an input of shape `x`: `torch`, unless it depends on shape or settings."""
        return self.torch

    def run(self, torch: Any, x: Any, weights: Mapping[str, Any], training: bool) -> Any:
        """Compute the output of a batch, in functions of PyTorch, which is handed in: the reference for the spelling.

        `x` is a tensor with its batch, or a list of such tensors; `weights` holds the op's own tensors by name. In
        training, buffers are updated in place, as PyTorch's layer does. Nothing here may come from the spelling, which
        `archdsl.check` holds to this method.
        """
        raise NotImplementedError

    def writable(self, x: Any) -> bool:
        """True if an in-place op may overwrite the output: memory of its own, which the backward pass does not need."""
        return not (self.view or self.spelling(x).inplace or "output" in self.saves)

    def kept(self, x: Any, y: Any) -> tuple[Kept, ...]:
        """Tensors that PyTorch keeps for the backward pass, weights aside: those of `saves`, and inner ones.

        An op that does not move anything in evaluation and keeps an inner tensor (a mask) makes a new output in
        training.
        """
        return tuple(side for side in ("input", "output") if side in self.saves)

    def scratch(self, x: Any, y: Any) -> tuple[Inner, ...]:
        """Tensors that PyTorch makes in inference beside the output and drops again, as they are at the peak."""
        return ()

    def facts(self, x: Any) -> dict[str, Any]:
        """Facts for a target: the parameters, `in_channels`, and values derived from them."""
        facts = {name: self.__dict__[name] for name in self.fields}
        return facts if self.takes == "list" else facts | {"in_channels": x[0]}


def pair(size: Size) -> tuple[int, int]:
    """(height, width) of a size."""
    return size if type(size) is tuple else (size, size)  # pyright: ignore[reportReturnType]


def single(size: tuple[int, int]) -> Size:
    """Pair of equal numbers as one number."""
    return size[0] if size[0] == size[1] else size


def elements(shapes: Shapes) -> int:
    """Number of values of a tensor, or of all tensors of a list."""
    return sum(prod(shape) for shape in shapes) if shapes and isinstance(shapes[0], tuple) else prod(shapes)  # type: ignore[arg-type]


HERE = Reach(Fraction(1), Fraction(0), Fraction(0))
SAME_PLACE: Reaches = (HERE, HERE)
