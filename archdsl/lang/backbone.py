"""A backbone becomes a graph: parameters, settings, then the sections of the chain in order, then further outputs."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from archdsl.errors import ArchError, Diagnostic, Span, catalog, did_you_mean
from archdsl.graph import Child, Graph, Map, Run, Scope
from archdsl.graph import Section as Part
from archdsl.lang import syntax as ast
from archdsl.lang.application import start
from archdsl.lang.building import Builder
from archdsl.lang.calls import typed_argument
from archdsl.lang.document import Output, Section, Setting
from archdsl.lang.evaluation import bound, evaluate
from archdsl.lang.family import Declared, Family, Line
from archdsl.lang.faults import Fault
from archdsl.lang.files import POLICIES, RESERVED
from archdsl.lang.frame import Frame
from archdsl.lang.session import NOWHERE, Session
from archdsl.lang.setting import entry_of, slot_of
from archdsl.lang.settings import Entry, Settings, Slot
from archdsl.lang.signature import fitted, of_parameters
from archdsl.lang.stage import Stage, reduction
from archdsl.lang.naming import attribute_name
from archdsl.lang.statics import Kind, Reader, of_expression
from archdsl.lang.types import is_tensors
from archdsl.lang.values import BlockValue, Bound, Tensor, Value

CLASSES = "classes"
LARGEST_SIDE = 10**6


def elaborate(family: Family, params: dict[str, Any] | None = None, size: tuple[int, ...] | None = None) -> Graph:
    """The graph of a backbone, its parameters set by `params` (values or expressions), on an input of `size`.

    Raises ArchError with what is wrong.
    """
    return Elaboration(family, params or {}, size).graph()


class Elaboration:
    """One backbone on its way to a graph. `names` are what its lines see: parameters, constants, sections."""

    def __init__(self, family: Family, params: dict[str, Any], size: tuple[int, ...] | None) -> None:
        self.family = family
        self.params = params
        self.session: Session = start()
        self.names: dict[str, Value] = {}
        self.kinds: dict[str, Kind] = {}
        self.read: set[str] = set()
        self.given: frozenset[str] = frozenset(each.parameter.name for each in family.parameters)
        self.settings: Settings = self.session.settings({})
        self.declared: dict[Slot, Entry] = {}
        self.findings: list[Diagnostic] = []
        self.size = self.input_size(size)
        self.root = Builder((self.size,))
        self.parts: list[Part] = []
        self.maps: list[Map] = []

    def input_size(self, size: tuple[int, ...] | None) -> tuple[int, ...]:
        """The shape of the network's input."""
        chosen = size or self.family.input
        if chosen is None:
            raise catalog.MISSING_ARGUMENT.error(
                self.family.span,
                f"`{self.family.name}` does not say what its input is",
                help="add `input 3 x 224 x 224`",
            )
        if len(chosen) != 3 or not all(0 < side <= LARGEST_SIDE for side in chosen):
            text = "x".join(map(str, chosen))
            raise catalog.OUT_OF_RANGE.error(
                self.family.span, f"{text} is no input size", help="channels x height x width, as 3x224x224"
            )
        return tuple(chosen)

    def graph(self) -> Graph:
        """All lines in order; raises with all independent findings."""
        self.attempt(self.bind_parameters)
        self.stop()
        self.attempt(self.bind_settings)
        self.stop()
        value = self.chain()
        self.stop()
        for line in self.family.outputs:
            self.attempt(lambda line=line: self.output(line))
        self.stop()
        self.check_unused()
        self.stop()
        idle = frozenset(part.name for part in self.parts if part.training_only)
        try:
            root = self.root.finish(
                self.family.span,
                idle,
                kind="network",
                name=self.family.name,
                doc=self.family.doc,
                result=value.id,
                output=value.shape,
            )
        except Fault as fault:
            raise fault.error() from None
        return Graph(
            name=self.family.name,
            doc=self.family.doc,
            input=self.size,
            root=root,
            sections=tuple(self.parts),
            maps=tuple(self.maps),
        )

    # ---- findings

    def attempt(self, work: Any) -> Any:
        """Does a piece of work; what is wrong with it is noted, and the result is None."""
        try:
            return work()
        except Fault as fault:
            self.findings.append(fault.diagnostic())
        except ArchError as error:
            self.findings += error.diagnostics
        except RecursionError:
            self.findings.append(catalog.TOO_DEEP.at(self.family.span, "this nests too deeply to be worked out"))
        finally:
            self.session.path.clear()
            self.session.depth = 0
        return None

    def stop(self) -> None:
        """Raises what has been found so far, if anything."""
        if self.findings:
            raise ArchError(self.findings)

    # ---- parameters and settings

    def bind_parameters(self) -> None:
        """The parameters: as asked for, else by default."""
        slots = {}
        for declared in self.family.parameters:
            slots |= of_parameters((declared.parameter,), declared.file)
        for name in self.params:
            if name not in slots:
                raise Fault(
                    catalog.UNKNOWN_PARAMETER,
                    self.place_of(name),
                    f"`{self.family.name}` has no parameter `{name}`",
                    did_you_mean(name, slots) or "it has none at all",
                )
        for declared in self.family.parameters:
            slot = slots[declared.parameter.name]
            value = fitted(slot, self.argument(declared, slot.type), exact=True).value
            self.set_name(slot.name, value, declared.parameter.span)

    def place_of(self, name: str) -> Span | None:
        """Where a parameter was asked for, if that was in a text."""
        value = self.params[name]
        return value.span if isinstance(value, ast.Expression) else self.family.span

    def argument(self, declared: Declared, kind: Any) -> Bound:
        """What stands for a parameter: the value asked for, or the default."""
        name, default = declared.parameter.name, declared.parameter.default
        asked = self.params.get(name, default)
        if asked is None and name not in self.params:
            raise Fault(
                catalog.MISSING_ARGUMENT,
                declared.parameter.span,
                f"`{name}` has no default, and was not given",
                f"give it: `-p {name}=...`",
            )
        if isinstance(asked, ast.Expression):
            file = self.family.file if name in self.params else declared.file
            frame = self.frame(asked, file)
            return typed_argument(frame, asked, kind)
        return Bound(asked, declared.parameter.span, NOWHERE)

    def set_name(self, name: str, value: Value, span: Span | None) -> None:
        """A name that later lines see."""
        if name in RESERVED or name in POLICIES:
            raise Fault(catalog.DUPLICATE, span, f"`{name}` is a word of the language", "choose another name")
        self.names[name] = value
        tensor = is_tensors(value)
        self.kinds[name] = "tensor" if tensor else "block" if isinstance(value, BlockValue) else "value"

    def frame(
        self, node: ast.Expression, file: Any, names: dict[str, Value] | None = None, builder: Any = None
    ) -> Frame:
        """Where a line is worked out."""
        statics = of_expression(node, file, self.kinds)
        visible = {**self.names, **(names or {})}
        frame = Frame(self.session, file, statics, visible, self.settings, builder, self.given)
        frame.read = self.read
        if self.names.get(CLASSES) == 0:
            frame.dropped = CLASSES
        return frame

    def bind_settings(self) -> None:
        """Constants, policies and defaults, in order."""
        entries: dict[Slot, Entry] = {}
        for line in self.family.settings:
            self.attempt(lambda line=line: self.bind_setting(line, entries))
        self.settings = self.session.settings(entries)

    def bind_setting(self, line: Line, entries: dict[Slot, Entry]) -> None:
        """One constant, policy or default."""
        setting = line.content
        assert isinstance(setting, Setting)
        frame = self.frame(setting.value, line.file)
        if len(setting.target) == 1 and setting.target[0] not in POLICIES:
            value = bound(frame, setting.value, evaluate(frame, setting.value)).value
            self.set_name(setting.target[0], value, setting.span)
            return
        slot = slot_of(frame, setting.target, setting.span or setting.value.span)
        entry = entries[slot] = entry_of(frame, slot, setting.target, setting.value)
        if line.own:
            self.declared[slot] = entry

    # ---- sections

    def chain(self) -> Tensor:
        """The sections in order, each on the output of the one before."""
        value: Value = self.root.input(0)
        for line in self.family.sections:
            done = self.attempt(lambda line=line, before=value: self.section(line, before))
            if done is None:
                break
            value = done
        if not self.family.sections:
            raise catalog.NO_BACKBONE.error(
                self.family.span, f"`{self.family.name}` has no sections", help="add a stage"
            )
        return value

    def section(self, line: Line, before: Tensor) -> Tensor:
        """A section: its scope, a step of the network, and its maps."""
        section = line.content
        assert isinstance(section, Section)
        stage = Stage(section, before, self.size)
        scope, inputs, maps = self.scope(line, before, stage)
        value = self.call(section.name, scope, inputs, section.span)
        self.maps += maps
        kind = "stage" if section.stage else "section"
        self.add_part(section.name, kind, value, scope, section.value.span)
        return value

    def output(self, line: Line) -> None:
        """A further output, from the tensors that it names."""
        output = line.content
        assert isinstance(output, Output)
        scope, inputs, _ = self.scope(line, None, None)
        value = self.call(output.name, scope, inputs, output.span)
        self.add_part(output.name, "output", value, scope, output.value.span, output.training)

    def scope(
        self, line: Line, before: Tensor | None, stage: Stage | None
    ) -> tuple[Scope, tuple[Tensor, ...], list[Map]]:
        """A line's own scope, the tensors of the network that it reads, and the maps of its links."""
        content: Any = line.content
        self.session.path.append(content.name)
        mentioned = [name for name in names_in(content.value) if is_tensors(self.names.get(name))]
        probe = self.frame(content.value, line.file)
        reads_before = before is not None and kind_of(content.value, line.file, self.kinds) != "tensor"
        inputs = ((before,) if reads_before and before is not None else ()) + tuple(
            self.names[name] for name in mentioned
        )

        def fresh() -> tuple[Builder, Frame]:
            builder = Builder(tuple(each.shape for each in inputs))
            offset = int(reads_before)
            seen = {name: builder.input(offset + at) for at, name in enumerate(mentioned)}
            for at, name in enumerate(mentioned):
                builder.names[offset + at] = name
            frame = self.frame(content.value, line.file, seen, builder)
            frame.statics = probe.statics
            return builder, frame

        builder, frame = fresh()
        result = evaluate(frame, content.value)
        maps: list[Map] = []
        if isinstance(result, BlockValue):
            if not reads_before or before is None:
                raise needs_tensor(content)
            assert stage is not None
            builder, result, maps = stage.work_out(self.session, builder, result, self.settings, fresh)
        if not isinstance(result, Tensor):
            raise Fault(
                catalog.NOT_A_TENSOR,
                content.value.span,
                f"`{content.name}` comes to a list of tensors"
                if is_tensors(result)
                else f"`{content.name}` is no tensor",
                "join them: `-> concat`, `-> add`",
            )
        if stage is not None:
            stage.check(result.shape)
        name = content.name
        scope = builder.finish(
            content.value.span, kind="chain", name=name, owner=name, result=result.id, output=result.shape
        )
        self.root.used |= builder.used
        self.session.path.clear()
        return scope, inputs, maps

    def call(self, name: str, scope: Scope, inputs: tuple[Tensor, ...], span: Span | None) -> Tensor:
        """The step of the network that a section is."""
            child = attribute_name(name)
        self.root.adopt(Child(child, "one", (Run(1, scope),)), span)
        value = self.root.step("call", tuple(each.id for each in inputs), scope.output, child, scope)
        self.root.name_value(value, name)
        self.set_name(name, value, span)
        return value

    def add_part(
        self, name: str, kind: Any, value: Tensor, scope: Scope, span: Span | None, training: bool = False
    ) -> None:
        """A named tensor of the network."""
        text = span.text if span is not None else ""
        self.parts.append(
            Part(name, kind, value.id, value.shape, reduction(self.size, value.shape), training, text, span)
        )

    def check_unused(self) -> None:
        """Notes the backbone's own settings and constants that had no effect."""
        session = self.session
        idle = [entry for slot, entry in self.declared.items() if slot not in self.root.used]
        idle += [entry for place, entry in session.declared.items() if place not in session.effective]
        for entry in idle:
            self.findings.append(
                catalog.UNUSED.at(
                    entry.bound.span,
                    f"the setting `{entry.text}` reaches nothing",
                    help="no op or block of that name is built here without its own value; remove it",
                )
            )
        for line in self.family.settings:
            setting = line.content
            if (
                line.own
                and isinstance(setting, Setting)
                and len(setting.target) == 1
                and setting.target[0] not in POLICIES
            ):
                if setting.target[0] not in self.read:
                    self.findings.append(
                        catalog.UNUSED.at(
                            setting.span, f"the constant `{setting.target[0]}` is never used", help="remove it"
                        )
                    )


def needs_tensor(content: Any) -> Fault:
    """An output that does not say which tensor it starts from."""
    return Fault(
        catalog.NOT_A_TENSOR,
        content.value.span,
        f"`{content.name}` does not say what it reads",
        "start from a section's name: `c4 -> ...`",
    )


def kind_of(node: ast.Expression, file: Any, kinds: dict[str, Kind]) -> Kind:
    """Whether a line starts from a named tensor."""
    reader = Reader(file)
    reader.kinds |= kinds
    return reader.kind(node)


def names_in(node: ast.Expression) -> list[str]:
    """The names in a text, in order, each once."""
    found: dict[str, None] = {}
    stack = [node]
    while stack:
        each = stack.pop()
        if isinstance(each, ast.Name):
            found[each.id] = None
        stack += reversed(ast.parts(each))
    return list(found)


__all__ = ["Fraction", "elaborate"]
