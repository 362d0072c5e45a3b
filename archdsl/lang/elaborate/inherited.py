"""Whose doing it is that a line fails: that of the line, or of who hands it a value, by `extends` or by `-p`.

As with a call of a block, a fault goes to the place where the user has a part in it, and keeps a note of where it was.
"""

from __future__ import annotations

from collections.abc import Mapping

from archdsl.errors import Note, Span, catalog
from archdsl.lang.text.family import Family, Line
from archdsl.lang.values.faults import NAME, Fault
from archdsl.lang.values.value import Bound

OF_VALUES = {
    catalog.WRONG_TYPE,
    catalog.OUT_OF_RANGE,
    catalog.ARITHMETIC,
    catalog.TOO_MANY_OPS,
    catalog.TOO_DEEP,
    catalog.TOO_MANY_TURNS,
}
"""What goes wrong with the values of a text that is fine with others."""


def bring_home(fault: Fault, line: Line, family: Family, given: Mapping[str, Bound]) -> None:
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


def suspect(fault: Fault, line: Line, given: Mapping[str, Bound]) -> str:
    """The one given parameter in the text that fails for its values; empty where there is none."""
    if fault.rule not in OF_VALUES or fault.span is None or fault.span.source is not line.file.source:
        return ""
    names = given.keys() & set(NAME.findall(fault.span.text))
    return names.pop() if len(names) == 1 else ""


def setting(fault: Fault) -> Span | None:
    """The one setting of the user's own that reached what fails; None where there are none, or several."""
    own = {bound.span for bound in fault.said if not bound.span.source.shipped}
    return own.pop() if len(own) == 1 else None


def note(fault: Fault, place: Span) -> None:
    """Notes where a fault was; instead of the innermost place, if that is the same."""
    fault.notes = (*fault.notes, Note(place, "here"))
    if fault.inner == place:
        fault.inner = None
