"""`extends`: a backbone with the lines that it takes over from its parents.

`extends` takes over lines, never names: each line keeps the file that it was written in.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from archdsl.diagnostics import ArchError, Diagnostic, Note, catalog, did_you_mean
from archdsl.syntax import ast
from archdsl.syntax.ast import Extends, Output, SectionLine, Setting
from archdsl.syntax.document import Backbone
from archdsl.syntax.scopes import MOST_NOTES, FileScope, clash

DEEPEST = 32
LONGEST_WALK = 1_000
"""The longest chain of parents that is searched for a circle."""


class InheritedLine(NamedTuple):
    """A line of a backbone, the file it was written in, and whether it is the backbone's own."""

    content: SectionLine | Setting | Output
    file: FileScope
    own: bool


class InheritedParameter(NamedTuple):
    """A parameter of a backbone, with the file in which its default was written; `first` declares its type."""

    parameter: ast.Parameter
    file: FileScope
    first: tuple[ast.Parameter, FileScope]


class ResolvedNetwork:
    """A network with all lines that it inherits."""

    def __init__(self, file: FileScope, backbone: Backbone) -> None:
        self.name = backbone.name
        self.doc = backbone.doc
        self.file = file
        self.span = backbone.span
        self.extends: Extends | None = None
        """The `extends` by which the user's own files inherit from a shipped network, if any."""
        self.expect = backbone.expect
        self.input = backbone.input
        self.input_span = backbone.input_span
        self.parameters: list[InheritedParameter] = []
        self.settings: list[InheritedLine] = []
        self.sections: list[InheritedLine] = []
        self.outputs: list[InheritedLine] = []


def resolve(file: FileScope, backbone: Backbone) -> ResolvedNetwork:
    """Merge a network with its parents; raise ArchError for an unknown parent, or a circle."""
    members = lineage(file, backbone)
    family = ResolvedNetwork(file, backbone)
    # An error in a shipped line is reported at the `extends` by which the user's own files inherit it.
    own = [member for home, member in members if not home.source.shipped]
    family.extends = own[-1].extends if own else None
    # From the oldest ancestor down: each member replaces lines, or adds its own.
    for at, (home, member) in enumerate(reversed(members)):
        own = at == len(members) - 1
        if member.input:
            family.input, family.input_span = member.input, member.input_span
        family.doc = member.doc or family.doc
        add_parameters(family, home, member)
        merge(family.settings, [InheritedLine(line, home, own) for line in member.settings])
        drop(family, member)
        merge_sections(family.sections, [InheritedLine(line, home, own) for line in member.sections])
        merge(family.outputs, [InheritedLine(line, home, own) for line in member.outputs])
    return family


def lineage(file: FileScope, backbone: Backbone) -> list[tuple[FileScope, Backbone]]:
    """The network, its parent, the parent of that, ..."""
    members = [(file, backbone)]
    while (extends := backbone.extends) is not None and len(members) < LONGEST_WALK:
        found = file.backbone(extends.parent)
        # A network may extend the shipped one of its own name.
        if (
            found is not None
            and is_member(found, members[-1:])
            and (found := file.library.spec(extends.parent)) is None
        ):
            raise catalog.CYCLE.error(extends.span, f"`{extends.parent}` extends itself")
        if len(several := file.backbones_called(extends.parent)) > 1:
            label, help, notes = clash(extends.parent, [each.span for _, each in several])
            raise ArchError([catalog.DUPLICATE.at(extends.span, label, help=help, notes=notes)])
        if found is None:
            known = [*file.backbones, *(name for other in file.imports for name in other.backbones)]
            raise catalog.NO_SUCH_PARENT.error(
                extends.span,
                f"no backbone is called `{extends.parent}`",
                help=did_you_mean(extends.parent, [*known, *file.library.specs()]),
            )
        file, backbone = found
        if is_member(found, members):
            raise circle([member for at, (_, member) in enumerate(members) if is_member(found, members[: at + 1])])
        members.append(found)
    if len(members) > DEEPEST:
        raise catalog.TOO_DEEP.error(members[0][1].span, f"more than {DEEPEST} backbones extend one another")
    return members


def is_member(found: tuple[FileScope, Backbone], members: list[tuple[FileScope, Backbone]]) -> bool:
    """True for a network that is among some: by file and name, as networks of different files may be equal."""
    return any(found[0] is file and found[1].name == member.name for file, member in members)


def circle(members: list[Backbone]) -> ArchError:
    """The error for networks that extend each other, at the first of them, so that it is reported once."""
    lines = [member.extends for member in members if member.extends is not None and member.extends.span is not None]
    first, *others = sorted(lines, key=lambda each: each.span.start if each.span else 0)
    notes = tuple(Note(each.span, f"`{each.parent}` is extended here") for each in others[:MOST_NOTES])
    return ArchError([catalog.CYCLE.at(first.span, f"`{first.parent}` leads back to this one", notes=notes)])


def add_parameters(family: ResolvedNetwork, home: FileScope, member: Backbone) -> None:
    """Add a member's own parameters, and its new defaults for those of its parent."""
    inherited = family.parameters
    known = {declared.parameter.name: at for at, declared in enumerate(inherited)}
    for argument in member.extends.arguments if member.extends else ():
        name = argument.target[-1] if argument.target else ""
        if name not in known:
            raise catalog.UNKNOWN_PARAMETER.error(
                argument.span,
                f"the parent has no parameter `{name}`" if name else "new defaults go by name",
                help=did_you_mean(name, known),
            )
        at = known[name]
        inherited[at] = inherited[at]._replace(
            parameter=inherited[at].parameter.replace(default=argument.value), file=home
        )
    own = [InheritedParameter(parameter, home, (parameter, home)) for parameter in member.parameters]
    names = {declared.parameter.name for declared in own}
    family.parameters = [*own, *(declared for declared in inherited if declared.parameter.name not in names)]


def key_of(line: InheritedLine) -> object:
    """The name by which a line replaces another."""
    return line.content.target if isinstance(line.content, Setting) else line.content.name


def merge(lines: list[InheritedLine], new: list[InheritedLine]) -> None:
    """Merge new lines: each replaces the line of its name, or comes last; raise for a name given twice."""
    places = {key_of(line): at for at, line in enumerate(lines)}
    seen: dict[object, InheritedLine] = {}
    for line in new:
        key = key_of(line)
        if key in seen:
            shown = ".".join(line.content.target) if isinstance(line.content, Setting) else key
            first = Note(seen[key].content.span, "first here")
            raise ArchError(
                [catalog.DUPLICATE.at(line.content.span, f"a second `{shown}` in one backbone", notes=(first,))]
            )
        seen[key] = line
        if key in places:
            lines[places[key]] = line
        else:
            lines.append(line)


def merge_sections(lines: list[InheritedLine], new: list[InheritedLine]) -> None:
    """As `merge`, but a new stage comes after the last stage; raise for stages that silently stop reducing."""
    check_reductions(lines, new)
    before = {key_of(line) for line in lines}
    had_stages = any(map(is_stage, lines))
    merge(lines, new)
    if had_stages:
        added = [line for line in lines if is_stage(line) and key_of(line) not in before]
        rest = [line for line in lines if not is_stage(line) or key_of(line) in before]
        # A line that is no stage may have taken the place of the last one.
        last = max((at for at, line in enumerate(rest) if is_stage(line)), default=len(rest) - 1)
        lines[:] = [*rest[: last + 1], *added, *rest[last + 1 :]]


def is_stage(line: InheritedLine) -> bool:
    """True for the line of a stage."""
    return isinstance(line.content, SectionLine) and line.content.stage


def check_reductions(lines: list[InheritedLine], new: list[InheritedLine]) -> None:
    """Raise for lines without `/` that replace a stage with one."""
    reducing = {
        line.content.name: line.content
        for line in lines
        if isinstance(line.content, SectionLine) and (line.content.reduction or 1) > 1
    }
    findings: list[Diagnostic] = []
    for line in new:
        section = line.content
        if isinstance(section, SectionLine) and section.reduction is None and section.name in reducing:
            findings.append(unsaid(section, reducing[section.name]))
    if findings:
        raise ArchError(findings)


def unsaid(section: SectionLine, parent: SectionLine) -> Diagnostic:
    """The finding for a line without `/` that replaces a stage with one."""
    name, stage = section.name, "" if section.stage else "stage "
    label = f"it has no `/`, but takes the place of `{name} / {parent.reduction}`"
    help = (
        f"write `{stage}{name} / {parent.reduction}: ...` to reduce as the parent does, "
        f"or `{stage}{name} / 1: ...` to keep the size on purpose"
    )
    return catalog.REDUCTION.at(section.span, label, help=help, notes=(Note(parent.span, "the parent's"),))


def drop(family: ResolvedNetwork, member: Backbone) -> None:
    """Drop the lines that a member leaves out; raise for one that is not there."""
    for dropped in member.drops:
        lines = next((each for each in (family.sections, family.outputs) if dropped.name in map(key_of, each)), None)
        if lines is None:
            names = [str(key_of(line)) for line in (*family.sections, *family.outputs)]
            label, help = f"the parent has no `{dropped.name}` to leave out", did_you_mean(dropped.name, names)
            raise catalog.UNKNOWN_NAME.error(dropped.span, label, help=help)
        lines[:] = [line for line in lines if key_of(line) != dropped.name]


# ---- parents of the same file ----------------------------------------------------------------------------------------


def in_one(file: FileScope, backbone: Backbone) -> Backbone:
    """A network with the lines of its parents of the same file among its own, so that it needs none of them."""
    members = lineage(file, backbone)
    own = [member for home, member in members if home is file]
    outer = resolve(*members[len(own)]) if len(own) < len(members) else None
    known = {str(key_of(line)) for line in (*outer.sections, *outer.outputs)} if outer else set[str]()
    # The parents outside keep their lines: what the result leaves out of them, or sets of them, it has to say itself.
    found = own.pop()
    while own:
        found = joined(file, found, own.pop(), known)
    return found


def joined(file: FileScope, parent: Backbone, child: Backbone, known: set[str]) -> Backbone:
    """A parent with the lines of a child; `known` are the sections and outputs that the parent itself inherits."""
    given = {each.target[-1]: each for each in (child.extends.arguments if child.extends else ()) if each.target}
    own = {each.name for each in child.parameters}
    inherited = [
        each.replace(default=given.pop(each.name).value) if each.name in given else each for each in parent.parameters
    ]
    extends = parent.extends
    if extends:
        kept = [each for each in extends.arguments if each.target[-1] not in given]
        extends = extends.replace(arguments=(*kept, *given.values()))
    left_out = {each.name for each in child.drops}
    drops = {each.name: each for each in (*parent.drops, *child.drops) if each.name in known}
    changes: dict[str, Any] = {
        "name": child.name,
        "doc": child.doc or parent.doc,
        "parameters": (*child.parameters, *(each for each in inherited if each.name not in own)),
        "extends": extends,
        "input": child.input or parent.input,
        "drops": tuple(drops.values()),
        "expect": child.expect,
    }
    for key, put in (("settings", merge), ("sections", merge_sections), ("outputs", merge)):
        lines, new = ([InheritedLine(line, file, True) for line in getattr(each, key)] for each in (parent, child))
        lines = [line for line in lines if key == "settings" or key_of(line) not in left_out]
        put(lines, new)
        changes[key] = tuple(line.content for line in lines)
    return parent.model_copy(update=changes).placed(child.span, child.places)
