"""The lines of a backbone that come to a tensor: sections, stages, and further outputs.

A line is a function, `work_out`: of the names in force that its text reads, of the settings, and of its input's shape.
"""

from __future__ import annotations

from copy import copy
from functools import cached_property, partial
from typing import Any, NamedTuple

from archdsl.diagnostics import ArchError, Span, catalog
from archdsl.elaborate.blame import ElaborationError
from archdsl.elaborate.budget import Cost, minus
from archdsl.elaborate.context import Context, Environment
from archdsl.elaborate.evaluate import evaluate, need_link, refuse_gate
from archdsl.elaborate.numbers import nearest_quotient
from archdsl.elaborate.scope_builder import ScopeBuilder
from archdsl.elaborate.scope_cache import UNMARKED, Marks
from archdsl.elaborate.signature import signature_of
from archdsl.elaborate.size_inference import SizeAnalysis
from archdsl.elaborate.values import (
    BLOCKS,
    BlockValue,
    Bound,
    Join,
    Links,
    Repeat,
    Role,
    SettingKey,
    Settings,
    Tensor,
    Use,
    Value,
    With,
    describe,
    is_list,
    is_tensors,
    label,
)
from archdsl.graph import Origin, Scope
from archdsl.op import Shape, Shapes
from archdsl.syntax import ast
from archdsl.syntax.ast import Output, SectionLine
from archdsl.syntax.scopes import POLICIES, RESERVED, FileScope
from archdsl.syntax.static_names import Kind, LineFacts, line_of, of_line

# By convention, the parameter that sizes the classifier; 0 drops it.
CLASSES = "classes"


class LineContext:
    """The names in force. `read` collects those that a line has used; `parameters` are the network's own.

    `sections` are all its sections and outputs, those that come later too; `outputs` those that no section reads.
    """

    def __init__(self, context: Context, parameters: frozenset[str]) -> None:
        self.context = context
        self.parameters = parameters
        self.names: dict[str, Value] = {}
        self.kinds: dict[str, Kind] = {}
        self.read: set[str] = set()
        self.choices: dict[str, tuple[str, ...]] = {}
        self.sections: frozenset[str] = frozenset()
        self.outputs: frozenset[str] = frozenset()
        self.settings = context.settings({})

    def under(self, names: dict[str, Value], settings: Settings) -> LineContext:
        """The same lines where names and settings have other values."""
        other = copy(self)
        other.names, other.settings = names, settings
        other.kinds = {name: kind_of(value) for name, value in names.items()}
        other.__dict__.pop("sizes", None)
        return other

    def check_name(self, name: str, span: Span | None) -> None:
        """Raise for a new name that has a meaning already."""
        if name in RESERVED or name in POLICIES:
            raise ElaborationError(catalog.DUPLICATE, span, f"`{name}` is a reserved word", "choose another name")
        if name in self.names:
            raise ElaborationError(
                catalog.DUPLICATE, span, f"`{name}` is the name of something else here", "choose another name"
            )

    def set_name(self, name: str, value: Value, span: Span | None) -> None:
        """Bind a name that later lines see."""
        self.check_name(name, span)
        self.names[name] = value
        self.kinds[name] = kind_of(value)

    def facts(self, node: ast.Expression, file: FileScope) -> LineFacts:
        """The static facts of a line: its kind (value, block, or tensor), and the names of its modules."""
        return of_line(line_of(node, file), file, self.kinds, self.parameters)

    @cached_property
    def sizes(self) -> SizeAnalysis:
        """The size analysis under the network's settings, which come before all lines that need it."""
        return SizeAnalysis({slot: entry.bound.value for slot, entry in self.settings.entries.items()})

    def keeps_size(self, node: ast.Expression, file: FileScope) -> bool:
        """True if the text of a line proves that it keeps the size of the map before it."""
        return self.sizes.keeps_size(line_of(node, file), file, self.names)

    def environment(
        self,
        node: ast.Expression,
        file: FileScope,
        tensors: dict[str, Value] | None = None,
        builder: ScopeBuilder | None = None,
    ) -> Environment:
        """The environment of a line; `tensors` are the sections as values of its own scope."""
        line = line_of(node, file)
        return Environment(
            context=self.context,
            file=file,
            statics=of_line(line, file, self.kinds, self.parameters).statics,
            names={name: self.names[name] for name in line.names if name in self.names} | (tensors or {}),
            settings=self.settings,
            read=self.read,
            choices=self.choices,
            around=self.names,
            builder=builder,
            parameters=self.parameters,
            once=False,
            dropped=CLASSES if CLASSES in line.names and self.names.get(CLASSES) == 0 else "",
            later=self.sections,
            outputs=self.outputs,
        )


def kind_of(value: Value) -> Kind:
    """The kind of a value, for what depends on the text alone."""
    return "tensor" if is_tensors(value) else "block" if isinstance(value, BlockValue) else "value"


# ---- a line


# The name of the chain's own tensor among the inputs of a line.
CHAIN = ""
Maps = dict[str, Shape]


class Worked(NamedTuple):
    """A line worked out.

    `reads` are the inputs of its scope, in order: sections by name, or `CHAIN`. `maps` are those that its links give,
    by the paths of their modules. `used` are the settings in force that it used, and `spent` is the work that it took.
    """

    scope: Scope
    reads: tuple[str, ...]
    maps: Maps
    used: frozenset[SettingKey]
    spent: Cost


class Attempt(NamedTuple):
    """A line worked out, or the error in it; and the marks that it leaves if it counts."""

    builder: ScopeBuilder
    value: Tensor | None
    maps: Maps
    error: ElaborationError | ArchError | None = None
    marks: Marks = UNMARKED

    @property
    def shape(self) -> Shape:
        """The shape of its result; empty where it failed."""
        return () if self.value is None else self.value.shape


def work_out(names: LineContext, content: SectionLine | Output, file: FileScope, shape: Shape | None) -> Worked:
    """A line as written; where a stage keeps the size though it should reduce it, with the stride given.

    `shape` is that of the chain before it, None for an output. Raises ElaborationError or ArchError.
    """
    budget = names.context.budget
    line, before = Line(names, content, file, shape), budget.spent
    if shape is not None and isinstance(content, SectionLine) and content.stage:
        done = line.as_stage(content, shape)
    else:
        done = line.attempt(line.builder())
    assert done.value is not None
    facts = {"kind": "chain", "name": content.name, "owner": content.name}
    scope = done.builder.close(done.value, content.value.span, **facts)
    return Worked(scope, tuple(line.reads), done.maps, frozenset(done.builder.used), minus(budget.spent, before))


class Line:
    """A line in its file, with the names in force, and the shapes of the tensors that it `reads`.

    A line that starts from a section by name does not read the chain's tensor.
    """

    def __init__(self, names: LineContext, content: SectionLine | Output, file: FileScope, shape: Shape | None) -> None:
        self.names, self.content, self.file = names, content, file
        node = content.value
        self.continues = shape is not None and names.facts(node, file).kind != "tensor"
        self.reads: dict[str, Shape] = {CHAIN: shape} if shape is not None and self.continues else {}
        for name in line_of(node, file).names:
            if isinstance(value := names.names.get(name), Tensor):
                self.reads[name] = value.shape

    def builder(self) -> ScopeBuilder:
        """An empty scope for the line."""
        return ScopeBuilder(tuple(self.reads.values()))

    def attempt(self, builder: ScopeBuilder, strided: bool = False) -> Attempt:
        """The line worked out in a scope of its own; `strided` gives the stage's stride to its first block."""
        tensors = {name: builder.input(at) for at, name in enumerate(self.reads) if name != CHAIN}
        builder.names.update({tensor.id: name for name, tensor in tensors.items()})
        environment = self.names.environment(self.content.value, self.file, tensors, builder)
        maps: Maps = {}
        value = evaluate(environment, self.content.value) if self.continues else self.from_tensor(environment, maps)
        if isinstance(value, BlockValue):
            if not self.continues:
                raise needs_tensor(self.content)
            if strided and isinstance(self.content, SectionLine):
                value = with_stride(self.names.context, self.content, value)
            value = self.through(environment, builder.input(0), value, maps)
        if not isinstance(value, Tensor):
            raise no_tensor(self.content, value)
        return Attempt(builder, value, maps)

    def from_tensor(self, environment: Environment, maps: Maps) -> Value:
        """The value of a line that starts from a tensor by name, as it should."""
        node = self.content.value
        if not isinstance(node, ast.Chain) or not is_tensors(value := evaluate(environment, node.links[0])):
            return evaluate(environment, node)
        refuse_gate(node.links[0])
        for link in node.links[1:]:
            value = self.through(environment, value, need_link(link, evaluate(environment, link)), maps)
        return value

    def through(self, environment: Environment, value: Value, block: BlockValue, maps: Maps) -> Value:
        """A tensor through the links of the line, one by one; a second map of a name gets a number, as modules do."""
        assert environment.builder is not None
        for link in block.links if isinstance(block, Links) else (block,):
            value = environment.context.apply(environment.builder, link, value, environment.settings)
            if isinstance(value, Tensor) and is_map(value.shape):
                first = name = f"{self.content.name}.{last_module(link)}"
                number = 2
                while name in maps:
                    name, number = f"{first}{number}", number + 1
                maps[name] = value.shape
        return value

    def as_stage(self, stage: SectionLine, before: Shape) -> Attempt:
        """The stage rule: as written; where that does not reduce though it should, with the stride given.

        If the text proves that it does not reduce as written, that is tried only after a failure with the stride. What
        is not chosen leaves nothing behind, an error neither: a block may be fine at the stage's stride alone. Beside
        what is known from other networks, errors are not told apart from limits that alone may not be reached.
        """
        context, reduces = self.names.context, (stage.reduction or 1) > 1
        worked, spent = context.worked, context.budget.spent
        if reduces and self.continues and self.names.keeps_size(stage.value, self.file):
            strided = self.trial(strided=True)
            if strided.error is None and holds(stage, before, strided.shape):
                context.note(strided.marks)
                return strided
            context.forget(worked)
            context.budget.reset(spent)
        chosen = written = self.trial(strided=False)
        if written.error is not None and context.known is not None:
            raise written.error
        if reduces and (written.error or keeps_size(before, written.shape)):
            context.forget(worked)
            context.budget.take_back(spent, stage.span)
            chosen = meant(stage, before, written, self.trial(strided=True))
        if chosen.error is not None:
            raise chosen.error
        check(stage, before, chosen.shape)
        context.note(chosen.marks)
        return chosen

    def trial(self, strided: bool) -> Attempt:
        """A stage worked out, or the error in it; the context takes no note of it."""
        builder = self.builder()

        def work() -> Attempt:
            try:
                return self.attempt(builder, strided)
            except (ElaborationError, ArchError) as error:
                return Attempt(builder, None, {}, error)

        tried, marks = self.names.context.noting(work)
        return tried._replace(marks=marks)


# ---- the stage rule


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
    return same_rank and all(factor == section.reduction for factor in factors_of(before, after))


def factors_of(before: Shape, after: Shape) -> list[int]:
    """The factors by which height and width of a map are reduced, rounded."""
    return [nearest_quotient(big, small) for big, small in zip(before[1:], after[1:], strict=True)]


def check(section: SectionLine, before: Shape, after: Shape) -> None:
    """Raise where a stage does not reduce as it says."""
    if len(after) != 3 or len(before) != 3:
        raise ElaborationError(
            catalog.NOT_A_MAP, section.span, f"the stage `{section.name}` does not end in a feature map"
        )
    wanted = 1 if section.reduction is None else section.reduction
    if any(factor != wanted for factor in factors_of(before, after)):
        said = "it has no `/`" if section.reduction is None else f"it says `/ {section.reduction}`"
        text = f"{'x'.join(map(str, before[1:]))} becomes {'x'.join(map(str, after[1:]))}"
        help = partial(other_factor, section, before, after)
        raise ElaborationError(catalog.REDUCTION, section.span, f"{said}, but {text}", help)


def other_factor(section: SectionLine, before: Shape, after: Shape) -> str:
    """Help for a stage that reduces by another factor than it says."""
    high, wide = factors_of(before, after)
    if high != wide:
        return "a stage reduces the height and the width alike; a section without `stage` need not"
    if stride := stride_of_each(section.value, high):
        return f"write `{section.name} / {stride}` and no stride: a stage gives it to the first of its blocks alone"
    return f"write `{section.name}{f' / {high}' if high > 1 else ''}`"


def stride_of_each(value: ast.Expression, factor: int) -> int:
    """The stride by which each block of a repeat reduces, where those make up the factor; else 0."""
    if not (isinstance(value, ast.Binary) and value.sign == "*" and isinstance(value.left, ast.Number)):
        return 0
    return next((stride for stride in range(2, factor) if stride**value.left.value == factor), 0)


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
    label = f"`{line.name}` does not say what it reads"
    return ElaborationError(catalog.NOT_A_TENSOR, line.value.span, label, "start from a section's name: `c4 -> ...`")


def no_tensor(line: SectionLine | Output, value: Value) -> ElaborationError:
    """A line that comes to something else than one tensor."""
    if is_tensors(value):
        label = f"`{line.name}` ends in a list of tensors"
        return ElaborationError(catalog.NOT_A_TENSOR, line.value.span, label, "join them: `-> concat`, `-> add`")
    label = f"`{line.name}` ends in {describe(value)}, but a tensor is needed"
    return ElaborationError(catalog.NOT_A_TENSOR, line.value.span, label, lambda: BLOCKS if is_list(value) else "")
