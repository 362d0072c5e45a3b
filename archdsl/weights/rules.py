"""Naming rules, read from the YAML files beside this one: a file is a project, with a scheme for each family.

    project: torchvision
    schemes:
      resnet:
        cases:                                       # each case is a scheme of its own, with its constants
          bottleneck: {last: 3, theirs: layer1.0.conv3.weight, ours: c2.0.body.cna2.conv.weight}
          basic: {last: 2, theirs: layer1.0.conv2.weight, ours: c2.0.body.cna.conv.weight}
        names:
          conv1: stem.cna.conv                       # theirs: ours, without `.weight`
          layer{i}.{j} = c{i+1}.{j}:                 # a group: both prefixes, then the names below them
            conv{last}: body.conv
            conv{k<3}: body.cna{k?}.conv             # of several lines that fit, the first that leads somewhere
          fc: {to: head.conv, ours: 1x1}             # a convolution here, a linear layer there
          output: [head.linear, {to: head.conv, ours: 1x1}]    # the first of these that is there
      densenet: {as: torchvision}                    # the same as in another file

`theirs` and `ours` are keys that tell a scheme from others, on each side. A tensor may be transformed: `to: [a, b]`
(theirs is ours, stacked), `swap: halves` (of the inputs), `theirs: 7x7` and `ours: 1x1` (a convolution with such a
kernel there, or here, and a linear layer on the other side).

In braces stands a variable, or a linear expression of one: `{i+1}`, `{2*j+6}`. Constants of the case may stand in it
(`{s*j+b}`), or alone (`conv{last}`). `{k?}` is written as our names are: nothing for 1, the number above (`cna`,
`cna2`, `cna3`). `{k<4}` bounds the variable.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple, TypeVar

from pydantic import BaseModel, BeforeValidator, Field, RootModel

if TYPE_CHECKING:
    from torch import Tensor

FOLDER = Path(__file__).parent

# ---- transforms of tensors -----------------------------------------------------------------------------------------

Kind = Literal["same", "rows", "halves", "from_conv", "to_conv"]


class Misshapen(Exception):
    """Raised for a tensor that a transform does not fit."""


class TensorTransform(NamedTuple):
    """Change of a tensor between two namings.

    `same`: none. `rows`: theirs is ours, stacked. `halves`: the halves of the inputs are swapped. `from_conv`: theirs
    is a convolution with a kernel of `window`, as large as its map, and ours a linear layer. `to_conv`: the reverse.
    """

    kind: Kind = "same"
    window: tuple[int, int] = (1, 1)

    def ours(self, tensor: Tensor, count: int) -> list[Tensor]:
        """Our `count` tensors from theirs; raises Misshapen."""
        with torch_refusals():
            if self.kind == "rows":
                return split_rows(tensor, count)
            return [FORTH[self.kind](tensor, self.window)]

    def theirs(self, tensors: Sequence[Tensor]) -> Tensor:
        """Their tensor from ours; raises Misshapen."""
        with torch_refusals():
            if self.kind == "rows":
                return stack_rows(tensors)
            return FORTH[REVERSE.get(self.kind, self.kind)](tensors[0], self.window)


@contextmanager
def torch_refusals() -> Generator[None]:
    """Raise Misshapen for what torch refuses: another number of axes, or an empty one."""
    try:
        yield
    except RuntimeError as error:
        raise Misshapen(f"a tensor is of no shape for this: {str(error).partition(chr(10))[0][:200]}") from None


def split_rows(tensor: Tensor, count: int) -> list[Tensor]:
    """Equal parts along the first axis; a scalar, such as a counter, goes to each part."""
    if tensor.ndim == 0:
        return [tensor] * count
    parts = list(tensor.chunk(count))
    if tensor.shape[0] % count or len(parts) != count:
        raise Misshapen(f"{tensor.shape[0]} rows cannot be cut into {count} equal parts")
    return parts


def stack_rows(tensors: Sequence[Tensor]) -> Tensor:
    """Tensors stacked along the first axis; scalars have to be equal."""
    import torch

    first = tensors[0]
    if first.ndim:
        return torch.cat(list(tensors))
    if not first.is_meta and any(not torch.equal(first, each) for each in tensors):
        raise Misshapen(f"they count {', '.join(str(each.item()) for each in tensors)}, and can be one only if equal")
    return first


def swap_halves(tensor: Tensor, window: tuple[int, int]) -> Tensor:
    """Weight with the halves of its inputs swapped; other tensors as they are."""
    if tensor.ndim < 2:
        return tensor
    if tensor.shape[1] % 2:
        raise Misshapen(f"{tensor.shape[1]} inputs have no halves")
    return tensor.roll(tensor.shape[1] // 2, 1)


def conv_weight(tensor: Tensor, window: tuple[int, int]) -> Tensor:
    """Weight of a linear layer as that of a convolution; other tensors as they are."""
    if tensor.ndim < 2:
        return tensor
    height, width = window
    if tensor.ndim > 2 or tensor.shape[1] % (height * width):
        raise Misshapen(f"{'x'.join(map(str, tensor.shape))} is no linear layer on maps of {height}x{width}")
    return tensor.reshape(len(tensor), -1, height, width)


FORTH: dict[Kind, Callable[[Tensor, tuple[int, int]], Tensor]] = {
    "same": lambda tensor, window: tensor,
    "halves": swap_halves,
    "from_conv": lambda tensor, window: tensor.flatten(1) if tensor.ndim > 1 else tensor,
    "to_conv": conv_weight,
}
REVERSE: dict[Kind, Kind] = {"from_conv": "to_conv", "to_conv": "from_conv"}

# ---- names with numbers in them ------------------------------------------------------------------------------------

BRACES = re.compile(r"\{([^{}]*)\}")
EXPRESSION = re.compile(
    r"(?:(?P<factor>\w+)\*)?(?P<name>\w+)(?P<offset>(?:[+-]\w+)*)(?P<bare>\?)?(?:<(?P<end>[0-9]+))?"
)
ADDEND = re.compile(r"([+-])(\w+)")
NUMBER = "(0|[1-9][0-9]*)"
BARE = "([2-9]|[1-9][0-9]+|)"


class TemplateNumber(NamedTuple):
    """Number in a template: `factor * variable + offset`, for a variable below `end`; a `bare` 1 is not written."""

    variable: str
    factor: int = 1
    offset: int = 0
    bare: bool = False
    end: int | None = None

    def write(self, value: int) -> str:
        """Number for a value of the variable."""
        number = self.factor * value + self.offset
        return "" if self.bare and number == 1 else str(number)

    def read(self, text: str) -> int | None:
        """Value of the variable for a number, or None."""
        value, rest = divmod(int(text or 1) - self.offset, self.factor)
        return value if rest == 0 and value >= 0 else None


class Template:
    """Name of a module, with slots for numbers."""

    def __init__(self, text: str, constants: Mapping[str, int]) -> None:
        self.text = text
        pieces = BRACES.split(text)
        self.parts = [slot(each, constants) if index % 2 else each for index, each in enumerate(pieces)]
        self.slots = [part for part in self.parts if isinstance(part, TemplateNumber)]
        self.variables = {each.variable for each in self.slots}
        self.ends = {each.variable: each.end for each in self.slots if each.end is not None}

    def __repr__(self) -> str:
        return f"Template({self.text!r})"

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """Regular expression of the names, with a group for each slot."""
        parts = [re.escape(part) if isinstance(part, str) else BARE if part.bare else NUMBER for part in self.parts]
        return re.compile("".join(parts))

    def match(self, name: str) -> dict[str, int] | None:
        """Values of the variables for a name, or None."""
        found = self.pattern.fullmatch(name)
        if found is None:
            return None
        values: dict[str, int] = {}
        for each, text in zip(self.slots, found.groups(), strict=True):
            value = each.read(text)
            if value is None or values.setdefault(each.variable, value) != value:
                return None
        return values

    def fill(self, values: Mapping[str, int]) -> str:
        """Name for values of the variables."""
        return "".join(part if isinstance(part, str) else part.write(values[part.variable]) for part in self.parts)


def slot(text: str, constants: Mapping[str, int]) -> TemplateNumber | str:
    """Slot for the text in braces; a constant becomes plain text."""

    def number(text: str) -> int:
        return int(text) if text.isdecimal() else constants[text]

    found = EXPRESSION.fullmatch(text)
    if found is None:
        raise ValueError(f"`{{{text}}}` is no number of a template")
    factor = number(found["factor"] or "1")
    offset = sum(int(f"{sign}1") * number(each) for sign, each in ADDEND.findall(found["offset"]))
    if (name := found["name"]) in constants:
        return str(factor * constants[name] + offset)
    return TemplateNumber(name, factor, offset, found["bare"] is not None, int(found["end"]) if found["end"] else None)


# ---- rules and schemes ---------------------------------------------------------------------------------------------


class KeyRule(NamedTuple):
    """Line of a scheme: their module, ours (several if theirs is split), and the transform of its tensors."""

    theirs: Template
    ours: tuple[Template, ...]
    change: TensorTransform

    def here(self, name: str) -> list[str] | None:
        """Our modules for one of theirs, or None if the rule does not match."""
        values = self.theirs.match(name)
        return [each.fill(values) for each in self.ours] if values is not None and self.allows(values) else None

    def there(self, name: str) -> str | None:
        """Their module for one of ours, or None if the rule does not match."""
        found = (each.match(name) for each in self.ours)
        values = next((each for each in found if each is not None), None)
        return self.theirs.fill(values) if values is not None and self.allows(values) else None

    def allows(self, values: Mapping[str, int]) -> bool:
        """Check the bounds of the variables."""
        return all(values[name] < end for name, end in self.theirs.ends.items())


class Scheme(NamedTuple):
    """Naming of the tensors of a family of networks.

    `theirs` are keys by which a checkpoint is recognized, `ours` the keys that a network must have.
    """

    project: str
    name: str
    theirs: tuple[str, ...]
    ours: tuple[str, ...]
    rules: tuple[KeyRule, ...]

    def __str__(self) -> str:
        return f"{self.project} ({self.name})"


# ---- the files -----------------------------------------------------------------------------------------------------

Texts = Annotated[list[str], BeforeValidator(lambda given: [given] if isinstance(given, str) else given)]
Window = Annotated[tuple[int, int], BeforeValidator(lambda given: given.split("x"))]
Key = str | int


class Target(BaseModel, extra="forbid"):
    """Our side of a line, with the transform of its tensors."""

    to: str | list[str]
    swap: Literal["halves"] | None = None
    theirs: Window | None = None
    ours: Window | None = None

    @property
    def change(self) -> TensorTransform:
        """Transform that the line asks for."""
        if not isinstance(self.to, str):
            return TensorTransform("rows")
        if self.theirs:
            return TensorTransform("from_conv", self.theirs)
        return TensorTransform("to_conv", self.ours) if self.ours else TensorTransform(self.swap or "same")


class Lines(RootModel[Any]):
    """Lines of a table: their names, each with ours, or with a table of the names below both."""

    # What has a `to` is no table.
    root: dict[Key, Annotated[str | Target | list[str | Target] | Lines, Field(union_mode="left_to_right")]] = {}


class Entry(BaseModel, extra="forbid"):
    """Family of networks in a file: its lines, or the project whose names it has."""

    project: str = Field("", alias="as")
    cases: dict[Key, dict[str, int | Texts]] = {"": {}}
    theirs: Texts = []
    ours: Texts = []
    names: Lines = Lines()


class ProjectFile(BaseModel, extra="forbid"):
    """File of a project."""

    project: str
    schemes: dict[Key, Entry]


class Wrappers(BaseModel, extra="forbid"):
    """File on what stands around the names of a network: see its comments."""

    containers: list[str]
    inserted: list[str]
    lifted: list[str]
    preferences: list[tuple[str, str]]


File = TypeVar("File", bound=BaseModel)


def content(name: str, model: type[File]) -> File:
    """Content of a YAML file of this folder."""
    import yaml

    return model.model_validate(yaml.safe_load((FOLDER / f"{name}.yaml").read_text(encoding="utf-8")))


@cache
def wrappers() -> Wrappers:
    """Content of `wrappers.yaml`."""
    return content("wrappers", Wrappers)


@cache
def entries(project: str) -> dict[Key, Entry]:
    """Families of networks in a project's file, in its order."""
    return content(project, ProjectFile).schemes


def projects() -> list[str]:
    """Names of the projects with rules."""
    return sorted(path.stem for path in FOLDER.glob("*.yaml") if path.stem != "wrappers")


@cache
def schemes(project: str) -> tuple[Scheme, ...]:
    """Schemes of a project, in the order of its file."""
    return tuple(each for name, entry in entries(project).items() for each in cases(project, name, entry))


@cache
def own_schemes(project: str) -> tuple[Scheme, ...]:
    """Schemes of a project, without those that it shares with another."""
    own = ((name, entry) for name, entry in entries(project).items() if not entry.project)
    return tuple(each for name, entry in own for each in cases(project, name, entry))


def cases(project: str, name: Key, entry: Entry) -> Iterator[Scheme]:
    """Schemes of an entry: one for each of its cases."""
    if entry.project:
        for each in cases(entry.project, name, entries(entry.project)[name]):
            yield each._replace(project=project)
        return
    for case, settings in entry.cases.items():
        constants = {key: value for key, value in settings.items() if isinstance(value, int)}
        keys = {key: value for key, value in settings.items() if not isinstance(value, int)}
        theirs, ours = [*keys.get("theirs", []), *entry.theirs], [*keys.get("ours", []), *entry.ours]
        rules = tuple(lines(entry.names, "", "", constants))
        yield Scheme(project, f"{name} {case}".strip(), tuple(theirs), tuple(ours), rules)


def lines(table: Lines, theirs: str, ours: str, constants: Mapping[str, int]) -> Iterator[KeyRule]:
    """Rules of a table below the prefixes `theirs` and `ours`."""
    for key, value in table.root.items():
        name, _, here = str(key).partition(" = ")
        if isinstance(value, Lines):
            yield from lines(value, f"{theirs}{name}.", f"{ours}{here or name}.", constants)
        else:
            ways = value if isinstance(value, list) else [value]
            yield from (line(f"{theirs}{name}", ours, each, constants) for each in ways)


def line(theirs: str, ours: str, value: str | Target, constants: Mapping[str, int]) -> KeyRule:
    """Rule of a line of the table."""
    target = Target(to=value) if isinstance(value, str) else value
    names = [target.to] if isinstance(target.to, str) else target.to
    rule = KeyRule(
        Template(theirs, constants), tuple(Template(ours + each, constants) for each in names), target.change
    )
    if any(each.variables != rule.theirs.variables for each in rule.ours):
        raise ValueError(f"`{theirs}: {value}` has a variable on one side only")
    return rule
