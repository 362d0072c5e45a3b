"""A line of a backbone that comes to a tensor: a section, a stage, or a further output."""

from __future__ import annotations

from typing import NamedTuple

from archdsl.errors import ArchError, catalog
from archdsl.graph import Map, Scope
from archdsl.lang.elaborate import stage
from archdsl.lang.elaborate.environment import Environment
from archdsl.lang.evaluate.building import Builder
from archdsl.lang.evaluate.chains import need_link, refuse_gate
from archdsl.lang.evaluate.frame import Frame
from archdsl.lang.evaluate.session import UNMARKED, Marks
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


class Attempt(NamedTuple):
    """A line worked out, or what was wrong with it; and the marks that it leaves if it counts."""

    builder: Builder
    value: Tensor | None
    maps: tuple[Map, ...]
    error: Fault | ArchError | None = None
    marks: Marks = UNMARKED

    @property
    def shape(self) -> Shape:
        """What it comes to; nothing where it failed."""
        return () if self.value is None else self.value.shape


def work_out(
    environment: Environment, line: Section | Output, file: File, before: Tensor | None, size: Shape
) -> Worked:
    """A line as written; where a stage keeps the size though it should reduce it, with the stride given.

    `before` is the chain's tensor, None for an output; `size` is the network's input.
    """
    reads = reads_of(environment, line.value, file, before)
    if isinstance(line, Section) and line.stage and before is not None:
        builder, value, maps = work_out_stage(environment, line, file, reads, before, size)[:3]
    else:
        builder, value, maps = attempt(environment, line, file, reads, size, builder_of(reads))[:3]
    assert value is not None
    builder.check_use(value.id)
    scope = builder.finish(
        line.value.span, kind="chain", name=line.name, owner=line.name, result=value.id, output=value.shape
    )
    return Worked(scope, reads.tensors, maps, frozenset(builder.used))


def work_out_stage(
    environment: Environment, line: Section, file: File, reads: Reads, before: Tensor, size: Shape
) -> Attempt:
    """The stage rule: as written; where that does not reduce though it should, with the stride for the first block.

    What is not chosen leaves nothing behind, an error neither: a block may be fine at the stage's stride alone. Beside
    what is known from other networks, errors are not told apart from limits that alone may not be reached.
    """
    budget = environment.session.budget
    spent = budget.spent
    chosen = written = trial(environment, line, file, reads, size, strided=False)
    if written.error is not None and environment.session.known is not None:
        raise written.error
    if (line.reduction or 1) > 1 and (written.error or stage.keeps_size(before.shape, written.shape)):
        budget.take_back(spent, line.span)
        chosen = meant(line, before.shape, written, trial(environment, line, file, reads, size, strided=True))
    if chosen.error is not None:
        raise chosen.error
    stage.check(line, before.shape, chosen.shape)
    environment.session.note(chosen.marks)
    return chosen


def meant(line: Section, before: Shape, written: Attempt, strided: Attempt) -> Attempt:
    """The one of two trials that a stage means, where it does not reduce as written, or fails.

    Where it fails, that is the one with the stride, unless there is no place for that, or something before the place
    of the error has reduced the map already.
    """
    if written.error is None or (strided.error is None and stage.holds(line, before, strided.shape)):
        return strided
    maps = [step.shape for step in written.builder.steps if stage.is_map(step.shape)]
    reduces = any(not stage.keeps_size(before, shape) for shape in maps)
    return written if reduces or isinstance(strided.error, stage.NoOpenStride) else strided


def trial(environment: Environment, line: Section, file: File, reads: Reads, size: Shape, strided: bool) -> Attempt:
    """A stage worked out, or what is wrong with it so; the session takes no note of it."""
    builder = builder_of(reads)

    def work() -> Attempt:
        try:
            return attempt(environment, line, file, reads, size, builder, strided)
        except (Fault, ArchError) as error:
            return Attempt(builder, None, (), error)

    tried, marks = environment.session.noting(work)
    return tried._replace(marks=marks)


def reads_of(environment: Environment, node: ast.Expression, file: File, before: Tensor | None) -> Reads:
    """What a line reads, by its text."""
    names = line_of(node, file).names
    named = {name: environment.names[name] for name in names if is_tensors(environment.names.get(name))}
    return Reads(None if environment.facts(node, file).kind == "tensor" else before, named)


def builder_of(reads: Reads) -> Builder:
    """An empty scope for a line."""
    return Builder(tuple(tensor.shape for tensor in reads.tensors))


def attempt(
    environment: Environment,
    line: Section | Output,
    file: File,
    reads: Reads,
    size: Shape,
    builder: Builder,
    strided: bool = False,
) -> Attempt:
    """A line worked out in a scope of its own; `strided` gives the stage's stride to its first block."""
    offset = len(reads.tensors) - len(reads.named)
    tensors = {name: builder.input(offset + at) for at, name in enumerate(reads.named)}
    builder.names.update({tensor.id: name for name, tensor in tensors.items()})
    frame = environment.frame(line.value, file, tensors, builder)
    maps = Maps(line.name, size)
    value = evaluate_tensor(frame, line.value, maps) if reads.before is None else evaluate(frame, line.value)
    if isinstance(value, BlockValue):
        if reads.before is None:
            raise needs_tensor(line)
        if strided and isinstance(line, Section):
            value = stage.with_stride(environment.session, line, value)
        value = through_links(frame, builder.input(0), value, maps)
    if not isinstance(value, Tensor):
        raise no_tensor(line, value)
    return Attempt(builder, value, tuple(maps.found.values()))


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
