"""A card: a block, opened once for all its variants, with a table of what they differ in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from archdsl.backends.pictures.elements import Element, Maker, draw_badge
from archdsl.backends.pictures.labels import SHORT_NAMES, Numbers, Words, channels, shape_text, shown, value_of
from archdsl.backends.pictures.model import Card, Model
from archdsl.backends.pictures.scene import Scene
from archdsl.backends.pictures.text import sentences, width, wrapped
from archdsl.graph import Scope, is_list
from archdsl.op import Shapes

PAD = 8.0
CELL = 6.1
NOTE = 6.2
TITLE = 9.0
ROW = 8.0
COLUMN_GAP = 7.0
MOST_COLUMNS = 8

Row = tuple[str, ...]


class Detail(NamedTuple):
    """Amount of detail in a card, for the room that there is."""

    docs: bool = True
    rows: int = 9
    parts: int = 24


class Opened(NamedTuple):
    """Body of a card, laid out, with the names of its numbers."""

    numbers: Numbers
    body: Element

    @classmethod
    def of(cls, model: Model, card: Card, *, narrow: bool, parts: int) -> Opened:
        """Lay out a card's tree."""
        numbers = Numbers(card)
        return cls(numbers, Maker(model, Words(numbers), card.runs, narrow=narrow, most=parts).series(card.tree))


class Before(NamedTuple):
    """Card as it was before a change, in the network of that name."""

    network: str
    card: Card
    opened: Opened


class CardBox:
    """A card with its size; `mark` is a word on its change, in a drawn diff."""

    def __init__(
        self,
        model: Model,
        card: Card,
        opened: Opened,
        detail: Detail,
        *,
        doc: bool = True,
        mark: str = "",
        before: Before | None = None,
    ) -> None:
        self.card, self.mark, self.body = card, mark, opened.body
        total = sum(card.runs.values())
        self.count = f"× {total:,}" if total > 1 else ""
        # Beside the word on a change, the legend alone names what the share is of.
        noun = "" if mark else model.costs.noun
        self.share = card.remark or (share_text(model.card_share(card), noun) if model.costs.total else "")
        self.tables = tables_of(card, opened.numbers, detail.rows, before)
        notes: list[str] = []
        if not detail.rows or (len(self.tables) == 1 and len(self.tables[0].rows) == 2 and not before):
            notes = note(self.tables[0].rows) if detail.rows else legend_of(card, opened.numbers)
            self.tables = []
        tables = max((table.width for table in self.tables), default=0.0)
        self.w = max(self.body.w, tables, self.head_width, 90.0) + 2 * PAD
        self.notes = [line for text in notes for line in wrapped(text, NOTE, self.w - 2 * PAD, 3)]
        self.doc = sentences(card.doc, CELL, self.w - 2 * PAD, 3) if detail.docs and doc else []
        self.h = self.top + self.body.h + self.bottom

    @property
    def head_width(self) -> float:
        """Width of the first line."""
        title = 14 + 3.4 * (len(self.card.letter) - 1) + width(self.card.name, TITLE, bold=True)
        mark = width(self.mark, 6.4, bold=True) + 8 if self.mark else 0
        return title + 8 + width(self.count, 8) + mark + 10 + width(self.share, 6.4)

    @property
    def top(self) -> float:
        """Height above the body."""
        return PAD + 10 + 7.4 * len(self.doc) + 4 + 10

    @property
    def bottom(self) -> float:
        """Height below the body."""
        tables = sum(table.height for table in self.tables)
        return 10 + tables + (7.8 * len(self.notes) + 2 if self.notes else 0) + PAD - 2

    def draw(self, scene: Scene, x: float, y: float) -> None:
        """Draw the card with its upper left corner at a point."""
        scene.rect((x, y, self.w, self.h), "pn", 6)
        self.draw_head(scene, x, y)
        body_x = x + (self.w - self.body.w) / 2
        body_y = y + self.top
        axis = body_x + self.body.axis
        scene.line([(axis, body_y - 10), (axis, body_y)], arrow=self.body.arrow)
        self.body.draw(scene, body_x, body_y)
        below = body_y + self.body.h
        for each in self.body.exits:
            scene.line([(body_x + each, below), (body_x + each, below + 9)], arrow=True)
        below += 10
        for line in self.notes:
            below += 7.8
            scene.text((x + PAD, below), line, NOTE, style="y")
        for table in self.tables:
            table.draw(scene, x + PAD, below + 8, self.w - 2 * PAD)
            below += table.height

    def draw_head(self, scene: Scene, x: float, y: float) -> None:
        """Draw the letter, the name, the number of places, the share of the cost, and the docstring."""
        base = y + PAD + 7
        draw_badge(scene, (x + PAD + 4.5, base - 3.2), self.card.letter, 5)
        left = x + PAD + 13 + 3.4 * (len(self.card.letter) - 1)
        scene.text((left, base), self.card.name, TITLE, bold=True)
        left += width(self.card.name, TITLE, bold=True) + 5
        scene.text((left, base), self.count, 8, style="y")
        left += width(self.count, 8) + (5 if self.count else 0)
        style = {"new": "adi", "gone": "rei"}.get(self.mark, "ali")
        scene.text((left, base), self.mark, 6.4, bold=True, style=style)
        scene.text((x + self.w - PAD, base), self.share, 6.4, anchor="end", style="y")
        base += 3
        for line in self.doc:
            base += 7.4
            scene.text((x + PAD, base), line, CELL, style="y")


class Table:
    """Rows of texts under a head, perhaps with a title; the first and third column begin at the left."""

    def __init__(self, rows: Sequence[Row], title: str = "") -> None:
        self.rows, self.title = rows, title
        self.columns = [
            max(width(row[at], CELL, bold=line == 0) for line, row in enumerate(rows)) for at in range(len(rows[0]))
        ]
        self.width = max(sum(self.columns) + COLUMN_GAP * (len(self.columns) - 1), width(title, CELL, bold=True))
        self.height = ROW * len(rows) + 4 + (10 if title else 0)

    def draw(self, scene: Scene, x: float, y: float, room: float) -> None:
        """Draw the table, spread over some of the room."""
        if self.title:
            scene.text((x, y), self.title, CELL, bold=True, style="y")
            y += 10
        used = sum(self.columns) + COLUMN_GAP * (len(self.columns) - 1)
        spare = max(0.0, min(14.0, (room - used) / max(1, len(self.columns) - 1)))
        for line, row in enumerate(self.rows):
            left = x
            for at, (text, wide) in enumerate(zip(row, self.columns, strict=True)):
                start = at in {0, 2}
                style = "y" if line == 0 else "ali" if at > 2 and "→" in text else ""
                place = (left if start else left + wide, y)
                scene.text(place, text, CELL, bold=line == 0, anchor="start" if start else "end", style=style)
                left += wide + COLUMN_GAP + spare
            if line == 0:
                scene.line([(x, y + 2), (x + room, y + 2)], "t")
            y += ROW


def share_text(share: float, noun: str) -> str:
    """`86 % of the time`."""
    percent = f"{100 * share:.0f} %" if share >= 0.01 else "< 1 %"
    return f"{percent} of the {noun}" if noun else percent


# ---- the table -----------------------------------------------------------------------------------------------------


def tables_of(card: Card, numbers: Numbers, most: int, before: Before | None) -> list[Table]:
    """Table of a card; after a change, with the cells that changed as `64 → 128`, or with a second table of before."""
    if before is None:
        return [Table(table_of(card, numbers, most, ()))]
    always = [
        argument.name
        for argument in card.owners[0].arguments
        if {value_of(owner, argument.name) for owner in card.owners}
        != {value_of(owner, argument.name) for owner in before.card.owners}
    ]
    new = table_of(card, numbers, most, always)
    old = table_of(before.card, before.opened.numbers, most, always)
    if old[0] == new[0] and [row[0] for row in old] == [row[0] for row in new]:
        pairs = zip(old[1:], new[1:], strict=True)
        cells = [tuple(b if a == b else f"{a} → {b}" for a, b in zip(*pair, strict=True)) for pair in pairs]
        return [Table([new[0], *cells])]
    return [Table(new), Table(old, f"before, in {before.network}")]


def table_of(card: Card, numbers: Numbers, most: int, always: Sequence[str]) -> list[Row]:
    """Variants by section, with the numbers in which they differ; of too many, a row for each section."""
    columns = columns_of(card, numbers, always)
    rows: list[tuple[str, int, Row]] = []
    for (section, owner), count in card.uses.items():
        cells = (map_text(owner.inputs[0], owner.output), *(get(owner) for _, get in columns))
        if rows and rows[-1][0] == section and rows[-1][2] == cells:
            rows[-1] = (section, rows[-1][1] + count, cells)
        else:
            rows.append((section, count, cells))
    if len(rows) > most:
        rows = summed_up(rows)
    if len(rows) > most + 2:
        hidden = len(rows) - most
        rows = [*rows[: most - 1], ("…", 0, tuple("" for _ in rows[0][2])), rows[-1]] if hidden else rows
    head = ("stage", "", "map", *(SHORT_NAMES.get(name, name) for name, _ in columns))
    sections = [section for section, _, _ in rows]
    names = [name if at == 0 or name != sections[at - 1] else "" for at, name in enumerate(sections)]
    return [head, *((name, f"{row[1]:,} ×" if row[1] else "", *row[2]) for name, row in zip(names, rows, strict=True))]


def into(owner: Scope) -> Any:
    """Channels of a block's first input."""
    return channels(owner.inputs[0])


def out_of(owner: Scope) -> Any:
    """Channels of a block's output."""
    return channels(owner.output)


Column = tuple[str, Callable[[Scope], str]]


def columns_of(card: Card, numbers: Numbers, always: Sequence[str]) -> list[Column]:
    """Columns of a card's table: channels in and out, arguments that vary, and letters."""
    owners = card.owners
    found: list[Column] = [
        ("C", lambda owner: str(into(owner))),
        ("out", lambda owner: str(out_of(owner))),
    ]
    for name in dict.fromkeys(argument.name for owner in owners for argument in owner.arguments):
        column = [value_of(owner, name) for owner in owners]
        varies = len({repr(value) for value in column}) > 1
        plain = all(isinstance(value, int | float | tuple) for value in column)
        same = any(column == [get(owner) for owner in owners] for get in (into, out_of))
        told = same and (name == "out" or (name not in numbers.used and name not in always))
        if plain and not told and (varies or name in always):
            found.append((name, lambda owner, name=name: cell(value_of(owner, name))))
    for letter, column in numbers.letters.items():
        values = dict(zip(owners, column, strict=True))
        found.append((letter, lambda owner, values=values: shown(values[owner])))
    return found[:MOST_COLUMNS]


def cell(value: Any) -> str:
    """Value of an argument in a table."""
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else shown(value)


def summed_up(rows: Sequence[tuple[str, int, Row]]) -> list[tuple[str, int, Row]]:
    """A row for each section, with the first and the last of numbers that vary in it."""
    sections: dict[str, list[tuple[str, int, Row]]] = {}
    for row in rows:
        sections.setdefault(row[0], []).append(row)
    return [
        (
            section,
            sum(count for _, count, _ in group),
            tuple(map(span, zip(*(cells for _, _, cells in group), strict=True))),
        )
        for section, group in sections.items()
    ]


def span(cells: Sequence[str]) -> str:
    """Cells of a column as one."""
    if len(set(cells)) == 1:
        return cells[0]
    if any("²" in each or "×" in each for each in cells):
        first, last = cells[0].partition(" → ")[0], cells[-1].rpartition(" → ")[2]
        return f"{first} → {last}" if first != last else first
    every = list(dict.fromkeys(cells))
    if len(every) > 3 and all(each.isdecimal() for each in every):
        return f"{cells[0]}…{cells[-1]}"
    return ", ".join(every) if len(every) <= 3 else "…"


def note(table: Sequence[Row]) -> list[str]:
    """The only row of a table as a line."""
    head, row = table
    cells = [f"{name} = {value}" for name, value in zip(head[5:], row[5:], strict=True)]
    return [", ".join([f"{row[0]}: {row[3]} to {row[4]} channels, {row[2]}", *cells])]


def legend_of(card: Card, numbers: Numbers) -> list[str]:
    """Names that stand in the boxes, each with its values, as a line."""
    used = [(name, get) for name, get in columns_of(card, numbers, ()) if name in numbers.used]
    cells = [(SHORT_NAMES.get(name, name), span([get(owner) for owner in card.owners])) for name, get in used]
    return ["; ".join(f"{name} = {values}" for name, values in cells)] if cells else []


def map_text(before: Shapes, behind: Shapes) -> str:
    """Height and width before and behind: `56² → 28²`."""
    one, two = sides(before), sides(behind)
    return f"{one} → {two}" if one != two and two else one


def sides(shapes: Shapes) -> str:
    """Height and width of a tensor, or of a list's first."""
    first: Any = shapes[0] if is_list(shapes) and shapes else shapes
    if len(first) != 3:
        return shape_text(first[1:])
    return f"{first[1]}²" if first[1] == first[2] else f"{first[1]}×{first[2]}"
