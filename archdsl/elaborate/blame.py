"""Findings on their way out: from the place where something failed to the place in the user's own text.

A fault starts with the innermost place. As it passes each call, the blame moves to the argument that the caller
wrote, as long as the failing value is one that was handed through unchanged; a place in a shipped block gives way
to the call of it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple, TypeVar

from archdsl.diagnostics import ArchError, Diagnostic, DiagnosticKind, Note, Span, catalog
from archdsl.elaborate.values import Bound
from archdsl.syntax.inheritance import InheritedLine, ResolvedNetwork
from archdsl.syntax.scopes import Clash, clash

LONGEST_PATH = 12
NAME = re.compile(r"[A-Za-z_]\w*")

Item = TypeVar("Item")
Made = TypeVar("Made")


class PathStep(NamedTuple):
    """A module on the path to a fault: its name, and the kind of block that it is."""

    name: str
    kind: str

    @property
    def words(self) -> str:
        """The third of a repeat is `third bottleneck`, `cna2` is `second cna`; any other name is its own."""
        index = self.name.rpartition(".")[2]
        if index.isdecimal():
            return f"{ordinal(int(index) + 1)} {self.kind}"
        number = self.name.removeprefix(self.kind).removeprefix("_")
        return f"{ordinal(int(number))} {self.kind}" if number.isdecimal() else self.name


class ElaborationError(Exception):
    """What went wrong.

    `blamed` is the parameter, of the block that is being worked out, that the value came from; `param` what the op
    that failed named. `is_set` says that the value is that of a setting, at whose place the fault stays; `said` are
    all settings of the blocks on the way. `inside` is the place in a shipped block that gave way to the call of it.
    `also` is what else is wrong with the same call.
    """

    def __init__(
        self, rule: DiagnosticKind, span: Span | None, label: str, help: str = "", notes: tuple[Note, ...] = ()
    ) -> None:
        super().__init__(label)
        self.rule, self.span, self.label, self.help, self.notes = rule, span, label, help, notes
        self.inner = span
        self.inside: Span | None = None
        self.blamed = ""
        self.param = ""
        self.index: int | None = None
        """The tensor of a list that does not fit the first."""
        self.unknown = ""
        """The name that stands for nothing."""
        self.is_set = False
        self.said: list[Bound] = []
        self.path: list[PathStep] | None = None
        self.also: list[ElaborationError] = []

    def blame(self, bound: Bound) -> None:
        """The failing value came from this argument."""
        self.span = bound.span
        names = set(NAME.findall(bound.origin.text)) if bound.origin.kind != "literal" else set[str]()
        self.blamed = names.pop() if len(names) == 1 else ""

    def blame_setting(self, bound: Bound) -> None:
        """The failing value came from this setting, whose names are not those of the blocks on the way to it."""
        self.span, self.blamed, self.is_set = bound.span, "", True

    def passes(self, given: dict[str, Bound], said: dict[str, Bound], call: Span) -> None:
        """The fault leaves a block: its place becomes the caller's, where the caller has a part in it.

        `given` are the arguments of the call, `said` is what settings say of the other parameters.
        """
        self.also = [each for each in self.also if is_own(each.span, call)]
        name, self.blamed = self.blamed, ""
        if name in given:
            self.blame(given[name])
        elif name in said:
            self.blame_setting(said[name])
        elif self.span is None or not is_own(self.span, call):
            self.inside = self.inside or self.span
            self.span = call
        if self.is_set and (self.inner is None or self.inner.source.shipped):
            self.inner = call

    def starts_path(self) -> None:
        """The fault leaves the innermost module; the names from here on out say where that is."""
        self.path = self.path or []

    def leaves(self, name: str, kind: str = "") -> None:
        """The fault leaves a module of this name, which is a block (or a part of the network) of this kind."""
        if self.path is not None:
            self.path.append(PathStep(name, kind))

    def diagnostic(self) -> Diagnostic:
        """The finding, with the innermost place of the user's as a note where it is another one; or one in a block."""
        notes = self.notes
        if self.inner is not None and is_own(self.inner, self.span) and not encloses(self.inner, self.span):
            notes = (*notes, Note(self.inner, "here"))
        elif not notes and self.inside is not None and not is_own(self.inside, self.span):
            notes = (Note(self.inside, "here"),)
        path = (self.path or [])[::-1]
        where, scopes = path_text([step.name for step in path]), in_words(path)
        return self.rule.at(self.span, self.label, help=self.help, where=where, scopes=scopes, notes=notes)

    def error(self) -> ArchError:
        """The finding as the one exception that leaves the package."""
        return ArchError([self.diagnostic()])


def ambiguous(found: Clash, span: Span) -> ElaborationError:
    """A name that several imports define, at a use of it."""
    return ElaborationError(catalog.DUPLICATE, span, *clash(found.name, [each.node.span for each in found.found]))


def every(items: Iterable[Item], work: Callable[[Item], Made]) -> list[Made]:
    """What some work makes of each item, as `map`; raises what is wrong with all of them, not with the first alone."""
    made: list[Made] = []
    faults: list[ElaborationError] = []
    for item in items:
        try:
            made.append(work(item))
        except ElaborationError as fault:
            faults.append(fault)
    if faults:
        raise together(faults)
    return made


def together(faults: Sequence[ElaborationError]) -> ElaborationError:
    """The first of several faults of one call, with the others, and theirs."""
    first, *others = faults
    first.also += [fault for each in others for fault in (each, *each.also)]
    return first


def is_own(place: Span | None, told: Span | None) -> bool:
    """Whether a place is the user's to mend: it is in no shipped file, or in the one of which something is told."""
    return place is None or not place.source.shipped or (told is not None and place.source is told.source)


def encloses(outer: Span | None, inner: Span | None) -> bool:
    """Whether a place lies within another."""
    if outer is None or inner is None:
        return False
    return outer.source is inner.source and outer.start <= inner.start and inner.end <= outer.end


def path_text(path: list[str], between: str = ".") -> str:
    """A path of scopes, without the middle of a very long one."""
    return between.join(path if len(path) <= LONGEST_PATH else [*path[:4], "...", *path[-4:]])


def in_words(path: list[PathStep]) -> str:
    """A path in words, where a name in it is a number or ends in one; otherwise the names say it all."""
    if all(step.words == step.name for step in path):
        return ""
    first, *rest = path
    return path_text([f"{first.kind} {first.name}".lstrip(), *[step.words for step in rest]], ", ")


ORDINALS = ("", "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")
ENDINGS = {1: "st", 2: "nd", 3: "rd"}


def ordinal(number: int) -> str:
    """`third`, `21st`."""
    if 0 < number < len(ORDINALS):
        return ORDINALS[number]
    return f"{number}{'th' if number % 100 in {11, 12, 13} else ENDINGS.get(number % 10, 'th')}"


OF_VALUES = {
    catalog.WRONG_TYPE,
    catalog.OUT_OF_RANGE,
    catalog.ARITHMETIC,
    catalog.TOO_MANY_OPS,
    catalog.TOO_DEEP,
    catalog.TOO_MANY_TURNS,
}
"""What goes wrong with the values of a text that is fine with others."""


def bring_home(
    fault: ElaborationError, line: InheritedLine, family: ResolvedNetwork, given: Mapping[str, Bound]
) -> None:
    """Moves a fault in a line to the value that was `given` for one of the backbone's parameters, if that is to blame.

    What fails in a shipped line, which nobody gave a value to, is told at the one setting that reached it, or where
    it is extended.
    """
    place = fault.span
    fault.blamed = fault.blamed or suspect(fault, line, given)
    for _ in given:
        if fault.blamed in given:
            fault.blame(given[fault.blamed])
    if fault.span is not None and fault.span.source.shipped and family.extends is not None:
        fault.span = setting(fault) or family.extends.span
    if fault.is_set:
        place = fault.inner
    if place is not None and place != fault.span:
        note(fault, place)


def suspect(fault: ElaborationError, line: InheritedLine, given: Mapping[str, Bound]) -> str:
    """The one given parameter in the text that fails for its values; empty where there is none."""
    if fault.rule not in OF_VALUES or fault.span is None or fault.span.source is not line.file.source:
        return ""
    names = given.keys() & set(NAME.findall(fault.span.text))
    return names.pop() if len(names) == 1 else ""


def setting(fault: ElaborationError) -> Span | None:
    """The one setting of the user's own that reached what fails; None where there are none, or several."""
    own = {bound.span for bound in fault.said if not bound.span.source.shipped}
    return own.pop() if len(own) == 1 else None


def note(fault: ElaborationError, place: Span) -> None:
    """Notes where a fault was; instead of the innermost place, if that is the same."""
    fault.notes = (*fault.notes, Note(place, "here"))
    if fault.inner == place:
        fault.inner = None
