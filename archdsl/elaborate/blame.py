"""Findings on their way out: from the place where something failed to the place in the user's own text.

An error starts with the innermost place. As it passes each call, the blame moves to the argument that the caller
wrote, as long as the failing value is one that was handed through unchanged; a place in a shipped block gives way
to the call of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple, TypeVar

from archdsl.diagnostics import (
    ArchError,
    Diagnostic,
    DiagnosticKind,
    Note,
    Span,
    Text,
    UnlocatedError,
    catalog,
)
from archdsl.elaborate.values import Bound
from archdsl.syntax import ast
from archdsl.syntax.inheritance import InheritedLine, ResolvedNetwork
from archdsl.syntax.naming import ModuleName
from archdsl.syntax.scopes import Clash, clash

LONGEST_PATH = 12

Item = TypeVar("Item")
Made = TypeVar("Made")


class PathStep(NamedTuple):
    """A module on the path to an error: its name, the kind of block that it is, and its number, if the name has one."""

    name: str
    kind: str
    number: int = 0

    @property
    def words(self) -> str:
        """The module in words: the third of a repeat is `third bottleneck`, `cna2` is `second cna`."""
        return f"{ordinal(self.number)} {self.kind}" if self.number else self.name


class ElaborationError(UnlocatedError):
    """An error in a spec, found during elaboration.

    `blamed` is the parameter, of the block that is being worked out, that the value came from; `param` what the op
    that failed named. `is_set` says that the value is that of a setting, at whose place the error stays; `said` are
    all settings of the blocks on the way. `inside` is the place in a shipped block that gave way to the call of it.
    `also` is what else is wrong with the same call.
    """

    def __init__(
        self, rule: DiagnosticKind, span: Span | None, label: Text, help: Text = "", notes: tuple[Note, ...] = ()
    ) -> None:
        super().__init__(rule, label, help)
        self.span, self.notes = span, notes
        self.inner = span
        self.inside: Span | None = None
        self.blamed = ""
        self.param = ""
        # The tensor of a list that does not fit the first.
        self.index: int | None = None
        # The name that stands for nothing.
        self.unknown = ""
        self.is_set = False
        self.said: list[Bound] = []
        self.path: list[PathStep] | None = None
        self.also: list[ElaborationError] = []

    def blame(self, bound: Bound) -> None:
        """Blame the argument that the failing value came from."""
        self.span, self.blamed = bound.span, bound.reads

    def blame_setting(self, bound: Bound) -> None:
        """Blame the setting that the failing value came from; its names are not those of the blocks on the way."""
        self.span, self.blamed, self.is_set = bound.span, "", True

    def passes(self, given: dict[str, Bound], said: dict[str, Bound], call: Span) -> None:
        """Pass the error out of a block: its place becomes the caller's, where the caller has a part in it.

        `given` are the arguments of the call, `said` is what settings say of the other parameters.
        """
        # Other errors of the same call inside a shipped block would not help its caller.
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
        """Begin the path at the innermost module."""
        self.path = self.path or []

    def leaves(self, name: ModuleName, kind: str = "", at: int | None = None) -> None:
        """Add a module that encloses the error to its path: its kind (of block or line), and its place in a row."""
        if self.path is None:
            return
        if at is not None:
            self.path.append(PathStep(f"{name.text}.{at}" if name else str(at), kind, at + 1))
        else:
            self.path.append(PathStep(name.text, kind, name.number if name.number > 1 and name.kind == kind else 0))

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

    def advise(self, help: Text) -> None:
        """Set another way out."""
        self.texts = (self.texts[0], help)

    def error(self) -> ArchError:
        """The error as the one exception that leaves the package."""
        return ArchError([self.diagnostic()])


def nothing_called(word: str) -> str:
    """The label for an undefined name."""
    return f"nothing here is called `{word}`"


def ambiguous(found: Clash, span: Span) -> ElaborationError:
    """The error for a use of a name that several imports define."""
    return ElaborationError(catalog.DUPLICATE, span, *clash(found.name, [each.node.span for each in found.found]))


def every(items: Iterable[Item], work: Callable[[Item], Made]) -> list[Made]:
    """Map a function over items; raise the errors of all of them, not of the first alone."""
    made: list[Made] = []
    errors: list[ElaborationError] = []
    for item in items:
        try:
            made.append(work(item))
        except ElaborationError as error:
            errors.append(error)
    if errors:
        raise together(errors)
    return made


def together(errors: Sequence[ElaborationError]) -> ElaborationError:
    """Attach the other errors of a call to the first."""
    first, *others = errors
    first.also += [error for each in others for error in (each, *each.also)]
    return first


def is_own(place: Span | None, told: Span | None) -> bool:
    """Tell if a place is the user's to change: in no shipped file, or in the file that is reported on."""
    return place is None or not place.source.shipped or (told is not None and place.source is told.source)


def encloses(outer: Span | None, inner: Span | None) -> bool:
    """Tell if a place lies within another."""
    if outer is None or inner is None:
        return False
    return outer.source is inner.source and outer.start <= inner.start and inner.end <= outer.end


def path_text(path: list[str], between: str = ".") -> str:
    """The text of a path of scopes; the middle of a very long one is left out."""
    return between.join(path if len(path) <= LONGEST_PATH else [*path[:4], "...", *path[-4:]])


def in_words(path: list[PathStep]) -> str:
    """A path in words, where a name in it is a number or ends in one; otherwise empty."""
    if all(step.words == step.name for step in path):
        return ""
    first, *rest = path
    return path_text([f"{first.kind} {first.name}".lstrip(), *[step.words for step in rest]], ", ")


ORDINALS = ("", "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")
ENDINGS = {1: "st", 2: "nd", 3: "rd"}


def ordinal(number: int) -> str:
    """An ordinal: `third`, `21st`."""
    if 0 < number < len(ORDINALS):
        return ORDINALS[number]
    return f"{number}{'th' if number % 100 in {11, 12, 13} else ENDINGS.get(number % 10, 'th')}"


# The kinds of errors that other values of the same text would not cause.
OF_VALUES = {
    catalog.WRONG_TYPE,
    catalog.OUT_OF_RANGE,
    catalog.ARITHMETIC,
    catalog.TOO_MANY_OPS,
    catalog.TOO_DEEP,
    catalog.TOO_MANY_TURNS,
}


def bring_home(
    error: ElaborationError, line: InheritedLine, family: ResolvedNetwork, given: Mapping[str, Bound]
) -> None:
    """Move an error in a line to the value `given` for a parameter of the network, if that is to blame.

    What fails in a shipped line, which nobody gave a value to, is told at the one setting that reached it, or where
    it is extended.
    """
    place = error.span
    error.blamed = error.blamed or suspect(error, line, given)
    # A value may come from one given parameter through others: at most all of them.
    for _ in given:
        if error.blamed in given:
            error.blame(given[error.blamed])
    if error.span is not None and error.span.source.shipped and family.extends is not None:
        error.span = setting(error) or family.extends.span
    if error.is_set:
        place = error.inner
    if place is not None and place != error.span:
        note(error, place)


def suspect(error: ElaborationError, line: InheritedLine, given: Mapping[str, Bound]) -> str:
    """The one given parameter in the failing text, if its value can be to blame; else empty."""
    if error.rule not in OF_VALUES:
        return ""
    names = given.keys() & set(names_within(line.content.value, error.span))
    return names.pop() if len(names) == 1 else ""


def names_within(node: ast.Expression, place: Span | None) -> Iterator[str]:
    """The names that an expression reads at a place."""
    if encloses(place, node.span):
        yield from ast.names_in([node])
    else:
        for part in ast.parts(node):
            yield from names_within(part, place)


def setting(error: ElaborationError) -> Span | None:
    """The one setting of the user's own that applies to the failing block; None if there are none, or several."""
    own = {bound.span for bound in error.said if not bound.span.source.shipped}
    return own.pop() if len(own) == 1 else None


def note(error: ElaborationError, place: Span) -> None:
    """Note the original place of an error, instead of the innermost place if they are the same."""
    error.notes = (*error.notes, Note(place, "here"))
    if error.inner == place:
        error.inner = None
