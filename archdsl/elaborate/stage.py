"""A line of a backbone that comes to a tensor: a section, a stage, or a further output."""

from __future__ import annotations

from typing import Any, NamedTuple

from archdsl.diagnostics import ArchError, catalog
from archdsl.elaborate.blame import ElaborationError
from archdsl.elaborate.context import Context
from archdsl.elaborate.environment import Environment, LineContext
from archdsl.elaborate.evaluate import evaluate, need_link, refuse_gate
from archdsl.elaborate.numbers import nearest_quotient
from archdsl.elaborate.scope_builder import ScopeBuilder
from archdsl.elaborate.scope_cache import UNMARKED, Marks
from archdsl.elaborate.signature import signature_of
from archdsl.elaborate.values import (
    BLOCKS,
    BlockValue,
    Bound,
    Join,
    Links,
    Repeat,
    Role,
    SettingKey,
    Tensor,
    Use,
    Value,
    With,
    describe,
    is_list,
    is_tensors,
    label,
)
from archdsl.graph import Map, Origin, Scope
from archdsl.op import Shape, Shapes
from archdsl.syntax import ast
from archdsl.syntax.elements import Output, SectionLine
from archdsl.syntax.scopes import FileScope
from archdsl.syntax.static_names import line_of


def reduction(size: Shape, shape: Shape) -> int:
    """The effective stride of a map: input size over map size, rounded; 0 for what is no map."""
    return nearest_quotient(size[1], shape[1]) if len(shape) == 3 else 0


class NoOpenStride(ElaborationError):
    """A stage that should reduce, whose first block has no `stride` left to give."""


def is_map(shape: Shapes) -> bool:
    """Tell if a shape is that of one map."""
    return len(shape) == 3 and not isinstance(shape[0], tuple)


def keeps_size(before: Shape, after: Shapes) -> bool:
    """Tell if a map has the height and width of the one before."""
    return is_map(after) and after[1:] == before[1:]


def holds(section: SectionLine, before: Shape, after: Shape) -> bool:
    """Tell if a stage reduces as it says."""
    same_rank = len(before) == 3 and len(after) == 3
    return same_rank and all(
        nearest_quotient(big, small) == section.reduction for big, small in zip(before[1:], after[1:], strict=True)
    )


def check(section: SectionLine, before: Shape, after: Shape) -> None:
    """Raise where a stage does not reduce as it says."""
    if len(after) != 3 or len(before) != 3:
        raise ElaborationError(
            catalog.NOT_A_MAP, section.span, f"the stage `{section.name}` does not end in a feature map"
        )
    factors = {nearest_quotient(big, small) for big, small in zip(before[1:], after[1:], strict=True)}
    if factors != {1 if section.reduction is None else section.reduction}:
        raise wrong(section, before, after, factors)


def wrong(section: SectionLine, before: Shape, after: Shape, factors: set[int]) -> ElaborationError:
    """A stage that reduces by another factor than it says."""
    text = f"{'x'.join(map(str, before[1:]))} becomes {'x'.join(map(str, after[1:]))}"
    said = "it has no `/`" if section.reduction is None else f"it says `/ {section.reduction}`"
    help = "a stage reduces the height and the width alike; a section without `stage` need not"
    if len(factors) == 1:
        factor = factors.pop()
        help = f"write `{section.name}{f' / {factor}' if factor > 1 else ''}`"
    return ElaborationError(catalog.REDUCTION, section.span, f"{said}, but {text}", help)


def with_stride(context: Context, section: SectionLine, block: BlockValue) -> BlockValue:
    """The block with the stage's reduction as the stride of its first block; raises where that has no open `stride`."""
    assert section.span is not None
    factor = section.reduction
    stride = Bound(factor, section.span, Origin("literal", str(factor)))
    given = give_stride(context, block, stride)
    if given is None:
        raise NoOpenStride(
            catalog.REDUCTION,
            section.span,
            f"it says `/ {factor}`, but nothing in it reduces, and its first block, `{label(first_of(block))}`, "
            "has no open `stride`",
            f"start it with a block that reduces: `maxpool({factor}) -> ...` or `cna(..., 3, {factor}) -> ...`",
        )
    return given


def first_of(block: BlockValue) -> BlockValue:
    """The block that comes first."""
    match block:
        case Links():
            return first_of(block.links[0])
        case Repeat():
            return first_of(block.runs[0][1])
        case With():
            return first_of(block.body)
        case _:
            return block


def give_stride(context: Context, block: BlockValue, stride: Bound) -> BlockValue | None:
    """The block with a stride for the first block in it; None where that has no open `stride`."""
    match block:
        case Use():
            slot = signature_of(block.target).slots.get("stride")
            if slot is None or "stride" in block.given or slot.rest:
                return None
            return context.use(block.target, {**block.given, "stride": stride}, block.name, block.span)
        case Links():
            first = give_stride(context, block.links[0], stride)
            return first and context.links((first, *block.links[1:]), block.span)
        case Repeat():
            return row_with_stride(context, block, stride)
        case With() | Role():
            body = give_stride(context, block.body, stride)
            kind: Any = ("with", block.settings.key) if isinstance(block, With) else (block.role, block.name)
            return body and block.replace(key=context.key(*kind, body.key), body=body)
        case _:
            return None


def row_with_stride(context: Context, row: Repeat, stride: Bound) -> Repeat | None:
    """A row whose first module has the stride."""
    (count, block), *rest = row.runs
    first = give_stride(context, block, stride)
    if first is None or row.gathers:
        return None
    runs = ((1, first), *(((count - 1, block),) if count > 1 else ()), *rest)
    return context.row(row.name, runs, row.gathers, row.span)


class Worked(NamedTuple):
    """A line worked out: its scope, the tensors of the network that it reads, and the maps that its links give."""

    scope: Scope
    inputs: tuple[Tensor, ...]
    maps: tuple[Map, ...]
    used: frozenset[SettingKey]


class Reads(NamedTuple):
    """The tensors that a line reads: the chain's before it (unless it starts from a named one), and those it names."""

    before: Tensor | None
    named: dict[str, Tensor]

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        """All of them, in the order of the scope's inputs."""
        first = () if self.before is None else (self.before,)
        return (*first, *self.named.values())


class Attempt(NamedTuple):
    """A line worked out, or what was wrong with it; and the marks that it leaves if it counts."""

    builder: ScopeBuilder
    value: Tensor | None
    maps: tuple[Map, ...]
    error: ElaborationError | ArchError | None = None
    marks: Marks = UNMARKED

    @property
    def shape(self) -> Shape:
        """The shape of its result; empty where it failed."""
        return () if self.value is None else self.value.shape


def work_out(
    line_context: LineContext, line: SectionLine | Output, file: FileScope, before: Tensor | None, size: Shape
) -> Worked:
    """A line as written; where a stage keeps the size though it should reduce it, with the stride given.

    `before` is the chain's tensor, None for an output; `size` is the network's input.
    """
    reads = reads_of(line_context, line.value, file, before)
    if isinstance(line, SectionLine) and line.stage and before is not None:
        builder, value, maps = work_out_stage(line_context, line, file, reads, before, size)[:3]
    else:
        builder, value, maps = attempt(line_context, line, file, reads, size, builder_of(reads))[:3]
    assert value is not None
    builder.check_use(value.id)
    scope = builder.finish(
        line.value.span, kind="chain", name=line.name, owner=line.name, result=value.id, output=value.shape
    )
    return Worked(scope, reads.tensors, maps, frozenset(builder.used))


def work_out_stage(
    line_context: LineContext, line: SectionLine, file: FileScope, reads: Reads, before: Tensor, size: Shape
) -> Attempt:
    """The stage rule: as written; where that does not reduce though it should, with the stride for the first block.

    If the text proves that it does not reduce as written, that is tried only after a failure with the stride. What is
    not chosen leaves nothing behind, an error neither: a block may be fine at the stage's stride alone. Beside what is
    known from other networks, errors are not told apart from limits that alone may not be reached.
    """
    context, reduces = line_context.context, (line.reduction or 1) > 1
    worked, spent = context.worked, context.budget.spent
    if reduces and reads.before is not None and line_context.keeps_size(line.value, file):
        strided = trial(line_context, line, file, reads, size, strided=True)
        if strided.error is None and holds(line, before.shape, strided.shape):
            context.note(strided.marks)
            return strided
        context.forget(worked)
        context.budget.reset(spent)
    chosen = written = trial(line_context, line, file, reads, size, strided=False)
    if written.error is not None and context.known is not None:
        raise written.error
    if reduces and (written.error or keeps_size(before.shape, written.shape)):
        context.forget(worked)
        context.budget.take_back(spent, line.span)
        chosen = meant(line, before.shape, written, trial(line_context, line, file, reads, size, strided=True))
    if chosen.error is not None:
        raise chosen.error
    check(line, before.shape, chosen.shape)
    context.note(chosen.marks)
    return chosen


def meant(line: SectionLine, before: Shape, written: Attempt, strided: Attempt) -> Attempt:
    """The one of two trials that a stage means, where it does not reduce as written, or fails.

    Where it fails, that is the one with the stride, unless there is no place for that, or something before the place
    of the error has reduced the map already.
    """
    if written.error is None or (strided.error is None and holds(line, before, strided.shape)):
        return strided
    maps = [step.shape for step in written.builder.steps if is_map(step.shape)]
    reduces = any(not keeps_size(before, shape) for shape in maps)
    return written if reduces or isinstance(strided.error, NoOpenStride) else strided


def trial(
    line_context: LineContext, line: SectionLine, file: FileScope, reads: Reads, size: Shape, strided: bool
) -> Attempt:
    """A stage worked out, or what is wrong with it so; the context takes no note of it."""
    builder = builder_of(reads)

    def work() -> Attempt:
        try:
            return attempt(line_context, line, file, reads, size, builder, strided)
        except (ElaborationError, ArchError) as error:
            return Attempt(builder, None, (), error)

    tried, marks = line_context.context.noting(work)
    return tried._replace(marks=marks)


def reads_of(line_context: LineContext, node: ast.Expression, file: FileScope, before: Tensor | None) -> Reads:
    """The tensors that a line reads, by its text."""
    names = line_of(node, file).names
    named = {name: line_context.names[name] for name in names if is_tensors(line_context.names.get(name))}
    return Reads(None if line_context.facts(node, file).kind == "tensor" else before, named)


def builder_of(reads: Reads) -> ScopeBuilder:
    """An empty scope for a line."""
    return ScopeBuilder(tuple(tensor.shape for tensor in reads.tensors))


def attempt(
    line_context: LineContext,
    line: SectionLine | Output,
    file: FileScope,
    reads: Reads,
    size: Shape,
    builder: ScopeBuilder,
    strided: bool = False,
) -> Attempt:
    """A line worked out in a scope of its own; `strided` gives the stage's stride to its first block."""
    offset = len(reads.tensors) - len(reads.named)
    tensors = {name: builder.input(offset + at) for at, name in enumerate(reads.named)}
    builder.names.update({tensor.id: name for name, tensor in tensors.items()})
    environment = line_context.environment(line.value, file, tensors, builder)
    maps = Maps(line.name, size)
    value = (
        evaluate_tensor(environment, line.value, maps) if reads.before is None else evaluate(environment, line.value)
    )
    if isinstance(value, BlockValue):
        if reads.before is None:
            raise needs_tensor(line)
        if strided and isinstance(line, SectionLine):
            value = with_stride(line_context.context, line, value)
        value = through_links(environment, builder.input(0), value, maps)
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
        self.found[name] = Map(name, value.shape, reduction(self.size, value.shape))


def evaluate_tensor(environment: Environment, node: ast.Expression, maps: Maps) -> Value:
    """A line that starts from a tensor by name, as it should."""
    if not isinstance(node, ast.Chain) or not is_tensors(value := evaluate(environment, node.links[0])):
        return evaluate(environment, node)
    refuse_gate(node.links[0])
    for link in node.links[1:]:
        value = through_links(environment, value, need_link(link, evaluate(environment, link)), maps)
    return value


def through_links(environment: Environment, value: Value, block: BlockValue, maps: Maps) -> Value:
    """A tensor through the links of a section, one by one."""
    assert environment.builder is not None
    for link in block.links if isinstance(block, Links) else (block,):
        value = environment.context.apply(environment.builder, link, value, environment.settings)
        maps.add(link, value)
    return value


def last_module(link: BlockValue) -> str:
    """The name of the module that gives a link's output."""
    match link:
        case Repeat():
            at = sum(count for count, _ in link.runs) - 1
            return f"{link.name}.{at}" if link.name else str(at)
        case With():
            return last_module(link.body)
        case Join():
            return link.kind
        case _:
            return getattr(link, "name", "") or label(link)


def needs_tensor(line: SectionLine | Output) -> ElaborationError:
    """An output that does not say which tensor it starts from."""
    return ElaborationError(
        catalog.NOT_A_TENSOR,
        line.value.span,
        f"`{line.name}` does not say what it reads",
        "start from a section's name: `c4 -> ...`",
    )


def no_tensor(line: SectionLine | Output, value: Value) -> ElaborationError:
    """A line that comes to something else than one tensor."""
    if is_tensors(value):
        return ElaborationError(
            catalog.NOT_A_TENSOR,
            line.value.span,
            f"`{line.name}` ends in a list of tensors",
            "join them: `-> concat`, `-> add`",
        )
    label = f"`{line.name}` ends in {describe(value)}, but a tensor is needed"
    return ElaborationError(catalog.NOT_A_TENSOR, line.value.span, label, lambda: BLOCKS if is_list(value) else "")
