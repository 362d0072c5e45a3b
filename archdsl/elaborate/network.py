"""A backbone becomes a graph: parameters, settings, then the sections of the chain in order, then further outputs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import pairwise, takewhile
from typing import Any, NamedTuple, TypeGuard

from archdsl.diagnostics import ArchError, Diagnostic, Note, Span, catalog, did_you_mean, listed
from archdsl.diagnostics.diagnostic import MOST_FINDINGS
from archdsl.elaborate.apply import APPLICATIONS
from archdsl.elaborate.blame import ElaborationError, bring_home
from archdsl.elaborate.budget import Budget
from archdsl.elaborate.calls import CALLS, entry_of, slot_of, typed_argument
from archdsl.elaborate.context import NOWHERE, Context, Dispatch
from archdsl.elaborate.evaluate import EXPRESSIONS, bound, evaluate
from archdsl.elaborate.instantiate import in_place
from archdsl.elaborate.lines import CHAIN, LineContext, Worked, reduction, work_out
from archdsl.elaborate.operators import FORM_CALLS, OPERATIONS
from archdsl.elaborate.scope_builder import ScopeBuilder
from archdsl.elaborate.scope_cache import ScopeCache
from archdsl.elaborate.signature import Slot as ParameterSlot
from archdsl.elaborate.signature import add_parameter, fitted, signature_of
from archdsl.elaborate.values import BlockValue, Bound, SettingEntry, SettingKey, Tensor, Value, is_tensors
from archdsl.graph import Child, Graph, Map, Run, Section, Step, needed, values_read
from archdsl.graph import Section as Part
from archdsl.graph.ir import attribute_name, distinct
from archdsl.op import Shape, Type
from archdsl.syntax import ast
from archdsl.syntax.ast import Output, SectionLine, Setting, input_size
from archdsl.syntax.inheritance import InheritedLine, InheritedParameter, ResolvedNetwork, key_of
from archdsl.syntax.naming import ModuleName
from archdsl.syntax.scopes import POLICIES, Definition, FileScope
from archdsl.syntax.static_names import line_of

MOST_NAMED = 3


def unread(sections: Sequence[Section], steps: Sequence[Step], inherited: frozenset[str]) -> list[Diagnostic]:
    """Findings for sections that nothing reads, without those that only such sections read."""
    named = {each.value: each for each in sections}
    reads = {step.output: [named[value] for value in values_read(step.inputs) if value in named] for step in steps}
    chain = [each for each in sections if each.kind != "output"]
    always = [each.value for each in sections if each.kind == "output" and not each.training_only]
    in_use = needed([chain[-1].value, *always], steps)
    readers: dict[int, list[Section]] = {}
    for reader in sections:
        for each in reads[reader.value] if reader.value not in in_use else ():
            readers.setdefault(each.value, []).append(reader)
    idle = [(section, after) for section, after in pairwise(chain) if section.value not in in_use]
    by = {section: readers.get(section.value, []) for section, _ in idle}
    return [
        left_over(section, after)
        if section.name in inherited
        else about(section, after, reads[after.value], by[section])
        for section, after in idle
        if all(each.training_only for each in by[section])
    ]


def about(section: Section, after: Section, reads: list[Section], by: list[Section]) -> Diagnostic:
    """The finding for a section that nothing reads, or only outputs in training, with a note on the next one."""
    label = f"nothing uses the output of `{section.name}`"
    help = f"leave it out, or start a line from it: `{section.name} -> ...`"
    if by:
        label += f" but {names(by)}, in training only"
        help = "move the blocks of this section into the output"
    note = Note(after.span, f"`{after.name}` comes next, and reads {names(reads)}")
    return catalog.UNUSED.at(section.span, label, help=help, notes=(note,))


def left_over(section: Section, after: Section) -> Diagnostic:
    """The finding for a section of the parent that nothing reads any more, at the line that starts elsewhere."""
    label = f"after this, nothing uses the inherited `{section.name}`"
    return catalog.UNUSED.at(after.span, label, help=f"leave it out of the parent: `{section.name}: none`")


def names(sections: Sequence[Section]) -> str:
    """Sections by name, the first few."""
    return listed(dict.fromkeys(each.name for each in sections[:MOST_NAMED]))


GATHERS = {"fork", "concat"}


def look_over(
    line_context: LineContext,
    line: SectionLine | Output,
    file: FileScope,
    told: Callable[[ElaborationError], list[Diagnostic]],
    most: int,
) -> list[Diagnostic]:
    """Check a skipped line that names no tensor, link by link; `told` makes findings of an error.

    At `most` so many findings, or what is wrong with one link more.
    """
    environment = line_context.environment(line.value, file)
    found: list[Diagnostic] = []
    for part in pieces(line.value):
        if len(found) >= most:
            break
        try:
            evaluate(environment, part)
        except ElaborationError as error:
            found += told(error)
        except ArchError as error:
            found += error.diagnostics
    return found


def pieces(node: ast.Expression) -> list[ast.Expression]:
    """The parts of an expression that mean the same on their own."""
    match node:
        case ast.Chain():
            parts: tuple[ast.Expression, ...] = node.links
        case ast.Binary(sign="+"):
            parts = (node.left, node.right)
        case ast.Named():
            parts = (node.body,)
        case ast.Unpack():
            parts = (node.value,)
        case ast.Call(callee=ast.Name(id=name)) if name in GATHERS and node.arguments:
            parts = tuple(argument.value for argument in node.arguments)
        case _:
            return [node]
    return [piece for part in parts for piece in pieces(part)]


class Guess(NamedTuple):
    """Guess at the output of a section that failed: a map of so many channels, and of its stage's size, or of this."""

    channels: int
    side: int

    def of(self, section: SectionLine, before: Shape) -> Shape:
        """The guess for a section on an input of this shape."""
        if not section.stage or len(before) != 3:
            return self.channels, self.side, self.side
        factor = section.reduction or 1
        return self.channels, *(-(-side // factor) for side in before[1:])


# Numbers that nearly everything divides, and others that hardly anything does.
GUESSES = (Guess(64, 56), Guess(20_160, 240), Guess(211, 113))
MOST_GUESSED = 50

LIMITS = {catalog.TOO_MANY_OPS.code, catalog.TOO_DEEP.code, catalog.TOO_MANY_TURNS.code}


DISPATCH = Dispatch(EXPRESSIONS | OPERATIONS | CALLS, FORM_CALLS, APPLICATIONS, in_place)


def elaborate(
    family: ResolvedNetwork,
    params: dict[str, Any] | None = None,
    size: tuple[int, ...] | None = None,
    known: ScopeCache | None = None,
    budget: Budget | None = None,
) -> Graph:
    """The graph of a network on an input of `size`, its parameters set by `params`: values, expressions, `name=value`.

    `known` has the modules of earlier elaborations, and takes up those of this one; `budget` is what others have left
    of the work that may be done. Raises ArchError with all that is wrong.
    """
    if known and known.is_full:
        known.forget()
    return Elaboration(family, params or {}, size, Context(DISPATCH, known, budget)).graph()


class Elaboration:
    """One backbone on its way to a graph."""

    def __init__(
        self, family: ResolvedNetwork, params: dict[str, Any], size: tuple[int, ...] | None, context: Context
    ) -> None:
        self.family = family
        self.params = params
        self.asked = size
        self.size: Shape = ()
        self.context = context
        self.line_context = LineContext(self.context, frozenset(each.parameter.name for each in family.parameters))
        self.line_context.sections = frozenset(
            line.content.name for line in (*family.sections, *family.outputs) if not isinstance(line.content, Setting)
        )
        self.line_context.outputs = frozenset(key for line in family.outputs if isinstance(key := key_of(line), str))
        # The values given for parameters in a text: by `extends`, or by `-p`.
        self.given: dict[str, Bound] = {}
        self.declared: dict[SettingKey, SettingEntry] = {}
        self.findings: list[Diagnostic] = []
        self.root = ScopeBuilder(())
        self.parts: list[Part] = []
        self.maps: list[Map] = []

    def graph(self) -> Graph:
        """All lines in order; raises with all independent findings."""
        self.prepare()
        for work in (self.chain, self.outputs, self.check_read, self.check_unused):
            self.check(work)
        graph = self.attempt(self.finish)
        self.stop()
        return graph

    def prepare(self) -> None:
        """Bind the names and settings of which each line is a function; raises with all findings."""
        self.attempt(self.bind_parameters)
        self.stop()
        self.attempt(self.bind_input)
        self.check(self.bind_settings)

    def check(self, work: Callable[[], Any]) -> None:
        """Does a piece of work; raises what is found, in lines that are skipped for it, too."""
        self.attempt(work)
        # At a limit, more work would run into the same limit.
        if self.findings and not any(finding.code in LIMITS for finding in self.findings):
            self.note_elsewhere(self.checked_by_text())
            if work == self.chain:
                self.note_elsewhere(self.checked_on_guesses())
        self.stop()

    def finish(self) -> Graph:
        """The network's own scope, and the graph."""
        last = next(part for part in reversed(self.parts) if part.kind != "output")
        root = self.root.finish(
            self.family.span,
            frozenset(attribute_name(part.name) for part in self.parts if part.training_only),
            kind="network",
            name=self.family.name,
            doc=self.family.doc,
            result=last.value,
            output=last.shape,
        )
        return Graph(self.family.name, self.family.doc, self.size, root, tuple(self.parts), tuple(self.maps))

    # ---- findings

    def attempt(self, work: Callable[[], Any], line: InheritedLine | None = None) -> Any:
        """Does a piece of work (for a line); what is wrong with it is noted, and the result is None."""
        try:
            return work()
        except ElaborationError as error:
            self.findings += self.told(error, line)
        except ArchError as error:
            self.findings += error.diagnostics
        except RecursionError:
            self.findings.append(catalog.TOO_DEEP.at(self.family.span, "this is nested too deeply"))
        finally:
            # A RecursionError may have struck where a level is left.
            self.context.inside.clear()
        return None

    def told(self, error: ElaborationError, line: InheritedLine | None) -> list[Diagnostic]:
        """The findings of an error in a line, at places of the user's own."""
        errors = (error, *error.also)
        if line is not None:
            for each in errors:
                bring_home(each, line, self.family, self.given)
        return [each.diagnostic() for each in errors]

    def stop(self) -> None:
        """Raise what has been found so far, if anything."""
        if self.findings:
            raise ArchError(in_order(self.findings))

    def note_elsewhere(self, findings: Iterable[Diagnostic]) -> None:
        """Note findings at places that have none yet."""
        for each in findings:
            if all(each.span != other.span for other in self.findings):
                self.findings.append(each)

    def checked_on_guesses(self) -> list[Diagnostic]:
        """Errors in the sections after the first that failed which do not depend on what that one would have given.

        These sections are worked out on several guesses, and what is wrong with all of them is so in any case.
        """
        done = sum(part.kind != "output" for part in self.parts)
        before = self.parts[done - 1].shape if done else self.size
        lines = self.family.sections[done : done + MOST_GUESSED]
        first, *others = [self.checked_on(guess, lines, before) for guess in GUESSES]
        return [each for each in first if each.code not in LIMITS and all(each in other for other in others)]

    def checked_on(self, guess: Guess, lines: Sequence[InheritedLine], before: Shape) -> list[Diagnostic]:
        """Find the errors in lines if the first of them, and each that fails, gives the guess."""
        findings, names, kinds = self.findings, dict(self.line_context.names), dict(self.line_context.kinds)
        self.findings = []
        try:
            for at, line in enumerate(lines):
                section = line.content
                assert isinstance(section, SectionLine)
                worked = self.attempt(partial(self.work_out, section, line, before)) if at else None
                before = guess.of(section, before) if worked is None else worked.scope.output
                # Not `set_name`: names that clash have been reported where they are bound.
                self.line_context.names[section.name] = Tensor(0, before)
                self.line_context.kinds[section.name] = "tensor"
            return self.findings
        finally:
            self.findings = findings
            self.line_context.names, self.line_context.kinds = names, kinds

    def checked_by_text(self) -> list[Diagnostic]:
        """Find the errors that the text alone shows in lines that were not worked out; not in those that name any."""
        findings: list[Diagnostic] = []
        known = self.line_context.names
        constants = {line.content.target[0] for line in self.family.settings if is_constant(line.content)}
        for line in self.until_full((*self.family.sections, *self.family.outputs)):
            content = line.content
            assert not isinstance(content, Setting)
            names = line_of(content.value, line.file).names
            if content.name not in known and not any(
                is_tensors(known[name]) if name in known else name in self.line_context.sections | constants
                for name in names
            ):
                room = MOST_FINDINGS - len(self.findings) - len(findings)
                findings += look_over(self.line_context, content, line.file, partial(self.told, line=line), room)
        return findings

    def until_full(self, lines: Iterable[InheritedLine]) -> Iterator[InheritedLine]:
        """Lines, as long as there are fewer findings than anybody reads."""
        return takewhile(lambda _: len(self.findings) < MOST_FINDINGS, lines)

    # ---- parameters

    def bind_parameters(self) -> None:
        """The parameters: as asked for, else by default."""
        slots: dict[str, ParameterSlot] = {}
        for declared in self.family.parameters:
            add_parameter(slots, *declared.first)
        for name in self.params:
            if name not in slots:
                label = f"`{self.family.name}` has no parameter `{name}`"
                help = did_you_mean(name, slots) or (f"it has {listed(slots)}" if slots else "it has no parameters")
                self.findings.append(catalog.UNKNOWN_PARAMETER.at(self.place_of(name), label, help=help))
        for declared in self.family.parameters:
            self.attempt(lambda declared=declared: self.bind_parameter(declared, slots[declared.parameter.name]))

    def bind_parameter(self, declared: InheritedParameter, slot: ParameterSlot) -> None:
        """One parameter."""
        if slot.type.symbols:
            self.line_context.choices[slot.name] = slot.type.symbols
        found = fitted(slot, self.argument(declared, slot.type), exact=True)
        self.line_context.set_name(slot.name, found.value, declared.parameter.span)
        if found.origin is not NOWHERE and (slot.name in self.params or declared.parameter is not declared.first[0]):
            self.given[slot.name] = found

    def place_of(self, name: str) -> Span | None:
        """The place of a parameter's value, if that is in a text."""
        given = self.params[name]
        if not isinstance(given, ast.CallArgument):
            return given.span if isinstance(given, ast.Expression) else self.family.span
        return Span(given.span.source, given.span.start, given.span.start + len(name))

    def argument(self, declared: InheritedParameter, kind: Type) -> Bound:
        """The value of a parameter: as given, or the default."""
        name, default = declared.parameter.name, declared.parameter.default
        asked = self.params.get(name, default)
        asked = asked.value if isinstance(asked, ast.CallArgument) else asked
        if asked is None and name not in self.params:
            label = f"`{name}` has no default, and is not given"
            help = f"give it a default; or, in commands that take `-p` (`show`, `build`), set it: `-p {name}=...`"
            raise ElaborationError(catalog.MISSING_ARGUMENT, declared.parameter.span, label, help)
        if isinstance(asked, ast.Expression):
            file = self.family.file if name in self.params else declared.file
            return typed_argument(self.line_context.environment(asked, file), asked, kind)
        return Bound(asked, declared.parameter.span, NOWHERE)

    # ---- the input

    def bind_input(self) -> None:
        """The shape of the network's input: asked for, or declared."""
        family = self.family
        shape = self.asked or family.input
        if shape is None:
            label = f"`{family.name}` does not say what its input is"
            help = "add `input 3 x 224 x 224`, in YAML `input: 3x224x224`"
            raise ElaborationError(catalog.MISSING_ARGUMENT, family.span, label, help)
        self.size = input_size(tuple(shape), family.span if self.asked else family.input_span)
        self.root = ScopeBuilder((self.size,))

    # ---- settings

    def bind_settings(self) -> None:
        """Constants, policies and defaults, in order."""
        entries: dict[SettingKey, SettingEntry] = {}
        for line in self.until_full(self.family.settings):
            self.attempt(lambda line=line: self.bind_setting(line, entries), line)
        self.line_context.settings = self.context.settings(entries)

    def bind_setting(self, line: InheritedLine, entries: dict[SettingKey, SettingEntry]) -> None:
        """One constant, policy or default."""
        setting = line.content
        assert isinstance(setting, Setting)
        environment = self.line_context.environment(setting.value, line.file)
        if is_constant(setting):
            value = bound(environment, setting.value, evaluate(environment, setting.value)).value
            self.line_context.set_name(setting.target[0], value, setting.span)
            return
        slot = slot_of(environment, setting.target, setting.span or setting.value.span)
        entry = entries[slot] = entry_of(environment, slot, setting.target, setting.value)
        if line.own:
            self.declared[slot] = entry

    def check_unused(self) -> None:
        """Note the backbone's own settings and constants that had no effect.

        Not where parameters were given: what they leave out (the classifier, say) may be what a setting was for.
        """
        if self.params:
            return
        marks = self.context.trace
        idle = [entry for slot, entry in self.declared.items() if slot not in self.root.used]
        idle += [entry for place, entry in marks.declared.items() if place not in marks.effective]
        for entry in idle:
            help = "no op or block of that name is built here, or each has its own value; remove the setting"
            label = f"the setting `{entry.text}` reaches nothing"
            self.findings.append(catalog.UNUSED.at(entry.bound.span, label, help=help))
        for line in self.family.settings:
            setting = line.content
            if line.own and is_constant(setting) and setting.target[0] not in self.line_context.read:
                name = setting.target[0]
                block = isinstance(self.line_context.names.get(name), BlockValue)
                help = f"a section is written `{name}: ...`; otherwise remove it" if block else "remove it"
                if owner := self.owner_of(name):
                    help = f"a parameter of a block is set by both names: `{owner}.{name} = ...`"
                self.findings.append(catalog.UNUSED.at(setting.span, f"the constant `{name}` is never used", help=help))

    def owner_of(self, parameter: str) -> str:
        """A block of the network that has the parameter; empty if none has it."""
        runs = [run for child in self.root.children.values() for run in child.runs]
        names = {scope.name for run in runs for scope in distinct(run.scope) if scope.kind == "block"}
        blocks = {name: self.family.file.find(name) for name in sorted(names)}
        known = {name: signature_of(found) for name, found in blocks.items() if isinstance(found, Definition)}
        return next((name for name, signature in known.items() if parameter in signature.slots), "")

    # ---- sections

    def chain(self) -> None:
        """The sections in order, each on the output of the one before."""
        if not self.family.sections:
            label = f"`{self.family.name}` has no sections"
            raise catalog.NO_BACKBONE.error(
                self.family.span, label, help="add a stage: `stage c1: ...`, in YAML `stages: {c1: ...}`"
            )
        value = Tensor(0, self.size)
        for line in self.family.sections:
            section = line.content
            assert isinstance(section, SectionLine)
            worked = self.work_out(section, line, value.shape)
            self.maps += [Map(name, shape, reduction(self.size, shape)) for name, shape in worked.maps.items()]
            value = self.add(section, worked, "stage" if section.stage else "section", before=value)

    def outputs(self) -> None:
        """Further outputs, from the tensors that they name: those of outputs before them, too."""
        self.line_context.outputs = frozenset()
        for line in self.until_full(self.family.outputs):
            output = line.content
            assert isinstance(output, Output)
            self.attempt(lambda line=line, output=output: self.output(line, output))

    def output(self, line: InheritedLine, output: Output) -> None:
        """One further output."""
        worked = self.work_out(output, line, None)
        if not output.training:
            self.check_inference(output, worked)
        self.add(output, worked, "output", training=output.training)

    def check_inference(self, output: Output, worked: Worked) -> None:
        """Raise where an output that is always there reads one that is there in training only."""
        read = {self.line_context.names[name].id for name in worked.reads}
        for part in self.parts:
            if part.training_only and part.value in read:
                label = f"`{part.name}` exists in training only"
                help = f"write `{output.name} if training`"
                raise ElaborationError(catalog.UNKNOWN_NAME, output.value.span, label, help)

    def check_read(self) -> None:
        """Note the sections that inference has no need of."""
        inherited = frozenset(
            line.content.name for line in self.family.sections if not line.own and not isinstance(line.content, Setting)
        )
        self.findings += unread(self.parts, self.root.steps, inherited)

    def work_out(self, content: SectionLine | Output, line: InheritedLine, shape: Shape | None) -> Worked:
        """A line's own scope, where the chain before it has this shape."""
        try:
            worked = work_out(self.line_context, content, line.file, shape)
        except ElaborationError as error:
            error.leaves(ModuleName(content.name), kind_of_line(content))
            bring_home(error, line, self.family, self.given)
            raise
        self.root.used |= worked.used
        return worked

    def add(
        self,
        content: SectionLine | Output,
        worked: Worked,
        kind: Any,
        before: Tensor | None = None,
        training: bool = False,
    ) -> Tensor:
        """A line's scope as a child of the network, a step, and a named tensor."""
        inputs: list[Value] = [before if name == CHAIN else self.line_context.names[name] for name in worked.reads]
        name, scope = content.name, worked.scope
        self.line_context.check_name(name, content.span)
        child = attribute_name(name)
        self.root.adopt(Child(child, "one", (Run(1, scope),)), content.span)
        value = self.root.step("call", tuple([each.id for each in inputs]), scope.output, child, scope)
        self.root.bind(name, value)
        self.line_context.set_name(name, value, content.span)
        span = content.value.span
        stride = reduction(self.size, value.shape)
        self.parts.append(Part(name, kind, value.id, value.shape, stride, training, span.text, span))
        return value


def in_order(findings: list[Diagnostic]) -> list[Diagnostic]:
    """Findings in the order of their places, those of one text together."""
    sources = list(dict.fromkeys(id(each.span.source) for each in findings if each.span))
    return sorted(
        findings, key=lambda each: (sources.index(id(each.span.source)), each.span.start) if each.span else (0, 0)
    )


def kind_of_line(content: SectionLine | Output) -> str:
    """The word before a line's name in a message."""
    if isinstance(content, Output):
        return "output"
    return "stage" if content.stage else ""


def is_constant(setting: Any) -> TypeGuard[Setting]:
    """Tell if a line binds a constant (and sets no policy)."""
    return isinstance(setting, Setting) and len(setting.target) == 1 and setting.target[0] not in POLICIES
