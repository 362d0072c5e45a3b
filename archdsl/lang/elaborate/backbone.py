"""A backbone becomes a graph: parameters, settings, then the sections of the chain in order, then further outputs."""

from __future__ import annotations

import gc
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import takewhile
from typing import Any, TypeGuard

from archdsl.errors import ArchError, Diagnostic, Span, catalog, did_you_mean, listed
from archdsl.errors.diagnostic import MOST_FINDINGS
from archdsl.graph import Child, Graph, Map, Run
from archdsl.graph import Section as Part
from archdsl.graph.attributes import attribute_name
from archdsl.lang.elaborate.application import Application
from archdsl.lang.elaborate.environment import Environment
from archdsl.lang.elaborate.inherited import bring_home
from archdsl.lang.elaborate.section import Worked, work_out
from archdsl.lang.elaborate.stage import reduction
from archdsl.lang.elaborate.unread import unread
from archdsl.lang.elaborate.unworked import look_over
from archdsl.lang.evaluate.building import Builder
from archdsl.lang.evaluate.calls import typed_argument
from archdsl.lang.evaluate.known import Known
from archdsl.lang.evaluate.session import NOWHERE, Session
from archdsl.lang.evaluate.setting import entry_of, slot_of
from archdsl.lang.evaluate.settings import Entry, Slot
from archdsl.lang.evaluate.table import bound, evaluate
from archdsl.lang.text import syntax as ast
from archdsl.lang.text.document import Output, Section, Setting, input_size
from archdsl.lang.text.family import Declared, Family, Line, key_of
from archdsl.lang.text.files import POLICIES
from archdsl.lang.text.signature import Slot as ParameterSlot
from archdsl.lang.text.signature import add_parameter, fitted
from archdsl.lang.text.statics import line_of
from archdsl.lang.values.faults import Fault
from archdsl.lang.values.limits import Budget
from archdsl.lang.values.types import Type, is_tensors
from archdsl.lang.values.value import BlockValue, Bound, Tensor, Value
from archdsl.op import Shape

LIMITS = {catalog.TOO_MANY_OPS.code, catalog.TOO_DEEP.code, catalog.TOO_MANY_TURNS.code}


def elaborate(
    family: Family,
    params: dict[str, Any] | None = None,
    size: tuple[int, ...] | None = None,
    known: Known | None = None,
    budget: Budget | None = None,
) -> Graph:
    """The graph of a backbone, its parameters set by `params` (values or expressions), on an input of `size`.

    `known` has the modules of earlier elaborations, and takes up those of this one; `budget` is what others have left
    of the work that may be done. Raises ArchError with all that is wrong.
    """
    if known and known.is_full:
        known.forget()
    with uncollected():
        return Elaboration(family, params or {}, size, Application(known, budget)).graph()


@contextmanager
def uncollected() -> Generator[None]:
    """Without the collector of cycles: what is made here has none, and there is much of it to go over."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


class Elaboration:
    """One backbone on its way to a graph."""

    def __init__(self, family: Family, params: dict[str, Any], size: tuple[int, ...] | None, session: Session) -> None:
        self.family = family
        self.params = params
        self.asked = size
        self.size: Shape = ()
        self.session = session
        self.environment = Environment(self.session, frozenset(each.parameter.name for each in family.parameters))
        self.environment.sections = frozenset(
            line.content.name for line in (*family.sections, *family.outputs) if not isinstance(line.content, Setting)
        )
        self.environment.outputs = frozenset(key for line in family.outputs if isinstance(key := key_of(line), str))
        self.given: dict[str, Bound] = {}
        """What was handed over for a parameter in a text: by `extends`, or by `-p`."""
        self.declared: dict[Slot, Entry] = {}
        self.findings: list[Diagnostic] = []
        self.root = Builder(())
        self.parts: list[Part] = []
        self.maps: list[Map] = []

    def graph(self) -> Graph:
        """All lines in order; raises with all independent findings."""
        self.attempt(self.bind_parameters)
        self.stop()
        self.attempt(self.bind_input)
        for work in (self.bind_settings, self.chain, self.outputs, self.check_read, self.check_unused):
            self.attempt(work)
            if self.findings and not any(finding.code in LIMITS for finding in self.findings):
                self.look_over()
            self.stop()
        graph = self.attempt(self.finish)
        self.stop()
        return graph

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

    def attempt(self, work: Callable[[], Any], line: Line | None = None) -> Any:
        """Does a piece of work (for a line); what is wrong with it is noted, and the result is None."""
        try:
            return work()
        except Fault as fault:
            self.findings += self.told(fault, line)
        except ArchError as error:
            self.findings += error.diagnostics
        except RecursionError:
            self.findings.append(catalog.TOO_DEEP.at(self.family.span, "this is nested too deeply"))
        finally:
            self.session.inside.clear()
        return None

    def told(self, fault: Fault, line: Line | None) -> list[Diagnostic]:
        """What is wrong with a line, at the places where the user has a part in it."""
        faults = (fault, *fault.also)
        if line is not None:
            for each in faults:
                bring_home(each, line, self.family, self.given)
        return [each.diagnostic() for each in faults]

    def stop(self) -> None:
        """Raises what has been found so far, if anything."""
        if self.findings:
            raise ArchError(in_order(self.findings))

    def look_over(self) -> None:
        """Notes what is wrong by its text with lines that were not worked out; not with those that name any."""
        known = self.environment.names
        constants = {line.content.target[0] for line in self.family.settings if is_constant(line.content)}
        for line in self.until_full((*self.family.sections, *self.family.outputs)):
            content = line.content
            assert not isinstance(content, Setting)
            names = line_of(content.value, line.file).names
            if content.name not in known and not any(
                is_tensors(known[name]) if name in known else name in self.environment.sections | constants
                for name in names
            ):
                room = MOST_FINDINGS - len(self.findings)
                told = partial(self.told, line=line)
                found = look_over(self.environment, content, line.file, told, room)
                self.findings += [each for each in found if all(each.span != other.span for other in self.findings)]

    def until_full(self, lines: Iterable[Line]) -> Iterator[Line]:
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

    def bind_parameter(self, declared: Declared, slot: ParameterSlot) -> None:
        """One parameter."""
        if slot.type.symbols:
            self.environment.choices[slot.name] = slot.type.symbols
        found = fitted(slot, self.argument(declared, slot.type), exact=True)
        self.environment.set_name(slot.name, found.value, declared.parameter.span)
        if found.origin is not NOWHERE and (slot.name in self.params or declared.parameter is not declared.first[0]):
            self.given[slot.name] = found

    def place_of(self, name: str) -> Span | None:
        """Where a parameter was asked for, if that was in a text."""
        value = self.params[name]
        if not isinstance(value, ast.Expression):
            return self.family.span
        source = value.span.source
        return Span(source, 0, len(name)) if source.text.startswith(f"{name}=") else value.span

    def argument(self, declared: Declared, kind: Type) -> Bound:
        """What stands for a parameter: the value asked for, or the default."""
        name, default = declared.parameter.name, declared.parameter.default
        asked = self.params.get(name, default)
        if asked is None and name not in self.params:
            raise Fault(
                catalog.MISSING_ARGUMENT,
                declared.parameter.span,
                f"`{name}` has no default, and is not given",
                f"give it a default; or, in commands that take `-p` (`show`, `build`), set it: `-p {name}=...`",
            )
        if isinstance(asked, ast.Expression):
            file = self.family.file if name in self.params else declared.file
            return typed_argument(self.environment.frame(asked, file), asked, kind)
        return Bound(asked, declared.parameter.span, NOWHERE)

    # ---- the input

    def bind_input(self) -> None:
        """The shape of the network's input: asked for, or declared."""
        family = self.family
        shape = self.asked or family.input
        if shape is None:
            raise Fault(
                catalog.MISSING_ARGUMENT,
                family.span,
                f"`{family.name}` does not say what its input is",
                "add `input 3 x 224 x 224`, in YAML `input: 3x224x224`",
            )
        self.size = input_size(tuple(shape), family.span if self.asked else family.input_span)
        self.root = Builder((self.size,))

    # ---- settings

    def bind_settings(self) -> None:
        """Constants, policies and defaults, in order."""
        entries: dict[Slot, Entry] = {}
        for line in self.until_full(self.family.settings):
            self.attempt(lambda line=line: self.bind_setting(line, entries), line)
        self.environment.settings = self.session.settings(entries)

    def bind_setting(self, line: Line, entries: dict[Slot, Entry]) -> None:
        """One constant, policy or default."""
        setting = line.content
        assert isinstance(setting, Setting)
        frame = self.environment.frame(setting.value, line.file)
        if is_constant(setting):
            value = bound(frame, setting.value, evaluate(frame, setting.value)).value
            self.environment.set_name(setting.target[0], value, setting.span)
            return
        slot = slot_of(frame, setting.target, setting.span or setting.value.span)
        entry = entries[slot] = entry_of(frame, slot, setting.target, setting.value)
        if line.own:
            self.declared[slot] = entry

    def check_unused(self) -> None:
        """Notes the backbone's own settings and constants that had no effect.

        Not where parameters were given: what they leave out (the classifier, say) may be what a setting was for.
        """
        if self.params:
            return
        marks = self.session.trace
        idle = [entry for slot, entry in self.declared.items() if slot not in self.root.used]
        idle += [entry for place, entry in marks.declared.items() if place not in marks.effective]
        for entry in idle:
            help = "no op or block of that name is built here, or each has its own value; remove the setting"
            label = f"the setting `{entry.text}` reaches nothing"
            self.findings.append(catalog.UNUSED.at(entry.bound.span, label, help=help))
        for line in self.family.settings:
            setting = line.content
            if line.own and is_constant(setting) and setting.target[0] not in self.environment.read:
                name = setting.target[0]
                block = isinstance(self.environment.names.get(name), BlockValue)
                help = f"a section is written `{name}: ...`; otherwise remove it" if block else "remove it"
                self.findings.append(catalog.UNUSED.at(setting.span, f"the constant `{name}` is never used", help=help))

    # ---- sections

    def chain(self) -> None:
        """The sections in order, each on the output of the one before."""
        if not self.family.sections:
            label = f"`{self.family.name}` has no sections"
            raise catalog.NO_BACKBONE.error(
                self.family.span, label, help="add a stage: `stage c1: ...`, in YAML `stages: {c1: ...}`"
            )
        value: Value = self.root.input(0)
        for line in self.family.sections:
            section = line.content
            assert isinstance(section, Section)
            worked = self.work_out(section, line, value)
            self.maps += worked.maps
            value = self.add(section, worked, "stage" if section.stage else "section", training=False)

    def outputs(self) -> None:
        """Further outputs, from the tensors that they name: those of outputs before them, too."""
        self.environment.outputs = frozenset()
        for line in self.until_full(self.family.outputs):
            output = line.content
            assert isinstance(output, Output)
            self.attempt(lambda line=line, output=output: self.output(line, output))

    def output(self, line: Line, output: Output) -> None:
        """One further output."""
        worked = self.work_out(output, line, None)
        if not output.training:
            self.check_inference(output, worked)
        self.add(output, worked, "output", output.training)

    def check_inference(self, output: Output, worked: Worked) -> None:
        """Raises where an output that is always there reads one that is there in training only."""
        read = {tensor.id for tensor in worked.inputs}
        for part in self.parts:
            if part.training_only and part.value in read:
                label = f"`{part.name}` exists in training only"
                help = f"write `{output.name} if training`"
                raise Fault(catalog.UNKNOWN_NAME, output.value.span, label, help)

    def check_read(self) -> None:
        """Notes the sections that inference has no need of."""
        self.findings += unread(self.parts, self.root.steps)

    def work_out(self, content: Section | Output, line: Line, before: Tensor | None) -> Worked:
        """A line's own scope."""
        try:
            worked = work_out(self.environment, content, line.file, before, self.size)
        except Fault as fault:
            fault.leaves(content.name, kind_of_line(content))
            bring_home(fault, line, self.family, self.given)
            raise
        self.root.used |= worked.used
        return worked

    def add(self, content: Section | Output, worked: Worked, kind: Any, training: bool) -> Tensor:
        """A line's scope as a child of the network, a step, and a named tensor."""
        name, scope = content.name, worked.scope
        self.environment.check_name(name, content.span)
        child = attribute_name(name)
        self.root.adopt(Child(child, "one", (Run(1, scope),)), content.span)
        value = self.root.step("call", tuple(each.id for each in worked.inputs), scope.output, child, scope)
        self.root.name_value(value, name)
        self.environment.set_name(name, value, content.span)
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


def kind_of_line(content: Section | Output) -> str:
    """What a line is called before its name."""
    if isinstance(content, Output):
        return "output"
    return "stage" if content.stage else ""


def is_constant(setting: Any) -> TypeGuard[Setting]:
    """Whether a line gives a name to a value (and is no policy)."""
    return isinstance(setting, Setting) and len(setting.target) == 1 and setting.target[0] not in POLICIES
