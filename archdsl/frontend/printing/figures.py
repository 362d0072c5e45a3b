"""The small parts of a document that both notations write alike."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from archdsl.errors import Span
from archdsl.frontend.printing.expressions import arguments
from archdsl.frontend.printing.layout import WIDTH, Layout
from archdsl.frontend.printing.notes import Notes, Place, at, of
from archdsl.lang.text.document import Check, Extends, Output, Section

EXPECT_LINE = re.compile(r"\n\s*expect\s*:")
ROOM = WIDTH - len("    expect: ")


def amount(text: str) -> str:
    """An amount, with its digits in groups of three."""
    return f"{int(text):_}" if text.isdecimal() and str(int(text)) == text else text


def parent(extends: Extends) -> Layout:
    """A parent, with arguments or without."""
    return (extends.parent, *arguments(extends.arguments)) if extends.arguments else extends.parent


def stage_key(section: Section) -> str:
    """The name of a stage, with the number by which it reduces."""
    return section.name if section.reduction is None else f"{section.name} / {section.reduction}"


def output_key(output: Output) -> str:
    """The name of an output, and whether it is there in training only."""
    return f"{output.name} if training" if output.training else output.name


def drop_places(owner: Span | None) -> tuple[Place, ...]:
    """Where comments on what is left out may stand, as a section that is `none`."""
    return tuple(of(key, owner) for key in ("drop", "stages", "sections", "outputs"))


def check(node: Check) -> str:
    """A figure, and what it is held to."""
    return f"{'.'.join(node.figure)} {node.sign} {amount(node.amount)}{load(node)}"


def load(node: Check) -> str:
    """The batch and precision that a check is for."""
    batch = "" if node.batch is None else f" at batch {node.batch}"
    return f"{batch} {node.precision}" if node.precision else batch


def expect_lines(checks: Sequence[Check], notes: Notes) -> Iterator[list[Check]]:
    """As many lines of checks as their author began, as they need, and as their comments need."""
    row: list[Check] = []
    room = ROOM
    for each in checks:
        needed = len(check(each)) + 2
        if row and (needed > room + 2 or stands_apart(row[-1], each, notes)):
            yield row
            row, room = [], ROOM
        row.append(each)
        room -= needed
    if row:
        yield row


def stands_apart(before: Check, after: Check, notes: Notes) -> bool:
    """Whether two checks have lines of their own: because of comments, or because the author wrote two in `.arch`."""
    if notes.above and notes.comments_at([at(before.span), at(after.span)]):
        return True
    if not notes.keep or before.span is None or after.span is None:
        return False
    return EXPECT_LINE.search(before.span.source.text, before.span.end, after.span.start) is not None
