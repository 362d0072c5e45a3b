"""A line of a backbone that comes to a tensor: a section, a stage, or a further output."""

from __future__ import annotations

from contextlib import suppress
from typing import NamedTuple

from archdsl.errors import catalog
from archdsl.graph import Map, Scope
from archdsl.lang.elaborate import stage
from archdsl.lang.elaborate.environment import Environment
from archdsl.lang.evaluate.building import Builder
from archdsl.lang.evaluate.chains import need_link, refuse_gate
from archdsl.lang.evaluate.frame import Frame
from archdsl.lang.evaluate.settings import Slot
from archdsl.lang.evaluate.table import evaluate
from archdsl.lang.text import syntax as ast
from archdsl.lang.text.document import Output, Section
from archdsl.lang.text.files import File
from archdsl.lang.text.statics import line_of
from archdsl.lang.values.faults import Fault
from archdsl.lang.values.types import is_tensors
from archdsl.lang.values.value import (
    BLOCKS,
    BlockValue,
    Join,
    Links,
    Row,
    Tensor,
    Value,
    With,
    describe,
    is_list,
    label,
)
from archdsl.op import Shape


class Worked(NamedTuple):
    """A line worked out: its scope, the tensors of the network that it reads, and the maps that its links give."""

    scope: Scope
    inputs: tuple[Tensor, ...]
    maps: tuple[Map, ...]
    used: frozenset[Slot]


class Reads(NamedTuple):
    """What a line reads: the chain's tensor before it (unless it starts from a named one), and the tensors it names."""

    before: Tensor | None
    named: dict[str, Tensor]

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        """All of them, in the order of the scope's inputs."""
        first = () if self.before is None else (self.before,)
        return (*first, *self.named.values())


def work_out(
    environment: Environment, line: Section | Output, file: File, before: Tensor | None, size: Shape
) -> Worked:
    """A line as written; where a stage keeps the size though it should reduce it, with the stride given.

    `before` is the chain's tensor, None for an output; `size` is the network's input.
    """
    reads = reads_of(environment, line.value, file, before)
    if isinstance(line, Section) and line.stage and before is not None:
        builder, value, maps = work_out_stage(environment, line, file, reads, before, size)
    else:
        builder, value, maps = attempt(environment, line, file, reads, size, strided=False)
    builder.check_use(value.id)
    scope = builder.finish(
        line.value.span, kind="chain", name=line.name, owner=line.name, result=value.id, output=value.shape
    )
    return Worked(scope, reads.tensors, tuple(maps), frozenset(builder.used))


def work_out_stage(
    environment: Environment, line: Section, file: File, reads: Reads, before: Tensor, size: Shape
) -> tuple[Builder, Tensor, list[Map]]:
    """The stage rule. Where the first block is known to keep the size as written, it is not worked out to see that.

    What is wrong with the stride in place is none of the user's doing if all is well as it is written.
    """
    with suppress(Unclear, Fault):
        strided = attempt(environment, line, file, reads, size, strided=True, only_if_clear=True)
        if stage.holds(line, before.shape, strided[1].shape):
            return strided
    worked = attempt(environment, line, file, reads, size, strided=False)
    if stage.needs_stride(line, before.shape, worked[1].shape):
        worked = attempt(environment, line, file, reads, size, strided=True)
    stage.check(line, before.shape, worked[1].shape)
    return worked


class Unclear(Exception):
    """A stage of which only working it out as written shows whether it needs a stride."""


def reads_of(environment: Environment, node: ast.Expression, file: File, before: Tensor | None) -> Reads:
    """What a line reads, by its text."""
    names = line_of(node, file).names
    named = {name: environment.names[name] for name in names if is_tensors(environment.names.get(name))}
    return Reads(None if environment.facts(node, file).kind == "tensor" else before, named)


def attempt(
    environment: Environment,
    line: Section | Output,
    file: File,
    reads: Reads,
    size: Shape,
    strided: bool,
    only_if_clear: bool = False,
) -> tuple[Builder, Tensor, list[Map]]:
    """A line worked out in a scope of its own; raises Unclear where `only_if_clear` says so and it is not."""
    if only_if_clear and not (isinstance(line, Section) and line.stage and (line.reduction or 1) > 1):
        raise Unclear
    builder = Builder(tuple(tensor.shape for tensor in reads.tensors))
    offset = len(reads.tensors) - len(reads.named)
    tensors = {name: builder.input(offset + at) for at, name in enumerate(reads.named)}
    builder.names.update({tensor.id: name for name, tensor in tensors.items()})
    frame = environment.frame(line.value, file, tensors, builder)
    maps = Maps(line.name, size)
    value = evaluate_tensor(frame, line.value, maps) if reads.before is None else evaluate(frame, line.value)
    if only_if_clear and not (isinstance(value, BlockValue) and stage.keeps_size_as_written(value)):
        raise Unclear
    if isinstance(value, BlockValue):
        if reads.before is None:
            raise needs_tensor(line)
        if strided and isinstance(line, Section):
            value = stage.with_stride(environment.session, line, value)
        value = through_links(frame, builder.input(0), value, maps)
    if not isinstance(value, Tensor):
        raise no_tensor(line, value)
    return builder, value, list(maps.found.values())


class Maps:
    """The map that each link of a section gives, by its name."""

    def __init__(self, section: str, size: Shape) -> None:
        self.section = section
        self.size = size
        self.found: dict[str, Map] = {}

    def add(self, link: BlockValue, value: Value) -> None:
        """One more link's output, if it is a map; a second one of a name gets a number, as modules do."""
        if not isinstance(value, Tensor) or len(value.shape) != 3:
            return
        first = name = f"{self.section}.{last_module(link)}"
        number = 2
        while name in self.found:
            name, number = f"{first}{number}", number + 1
        self.found[name] = Map(name, value.shape, stage.reduction(self.size, value.shape))


def evaluate_tensor(frame: Frame, node: ast.Expression, maps: Maps) -> Value:
    """A line that starts from a tensor by name, as it should."""
    if not isinstance(node, ast.Chain) or not is_tensors(value := evaluate(frame, node.links[0])):
        return evaluate(frame, node)
    refuse_gate(node.links[0])
    for link in node.links[1:]:
        value = through_links(frame, value, need_link(link, evaluate(frame, link)), maps)
    return value


def through_links(frame: Frame, value: Value, block: BlockValue, maps: Maps) -> Value:
    """A tensor through the links of a section, one by one."""
    assert frame.builder is not None
    for link in block.links if isinstance(block, Links) else (block,):
        value = frame.session.apply(frame.builder, link, value, frame.settings)
        maps.add(link, value)
    return value


def last_module(link: BlockValue) -> str:
    """The name of the module that gives a link's output."""
    match link:
        case Row():
            at = sum(count for count, _ in link.runs) - 1
            return f"{link.name}.{at}" if link.name else str(at)
        case With():
            return last_module(link.body)
        case Join():
            return link.kind
        case _:
            return getattr(link, "name", "") or label(link)


def needs_tensor(line: Section | Output) -> Fault:
    """An output that does not say which tensor it starts from."""
    return Fault(
        catalog.NOT_A_TENSOR,
        line.value.span,
        f"`{line.name}` does not say what it reads",
        "start from a section's name: `c4 -> ...`",
    )


def no_tensor(line: Section | Output, value: Value) -> Fault:
    """A line that comes to something else than one tensor."""
    if is_tensors(value):
        return Fault(
            catalog.NOT_A_TENSOR,
            line.value.span,
            f"`{line.name}` ends in a list of tensors",
            "join them: `-> concat`, `-> add`",
        )
    label = f"`{line.name}` ends in {describe(value)}, but a tensor is needed"
    return Fault(catalog.NOT_A_TENSOR, line.value.span, label, BLOCKS if is_list(value) else "")
