"""The column of sections: a band for each, with its layers and blocks from top to bottom."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import sqrt

from archdsl.backends.pictures.elements import Box, Element, Maker, draw_badge
from archdsl.backends.pictures.labels import Line, Numbers, Words, shape_text
from archdsl.backends.pictures.model import Card, Model, SectionPart, places
from archdsl.backends.pictures.scene import Scene
from archdsl.backends.pictures.text import cut, width, wrapped
from archdsl.backends.pictures.tree import Frame, Layer, Parallel, Place, Reference, Repeat, Series, Tree, Web
from archdsl.graph import is_list
from archdsl.op import Shapes

GUTTER, BOX, PERCENT = 46.0, 104.0, 24.0
LEAD, TAIL = 24.0, 14.0
GAPS = {"same": 8.0, "shape": 15.0, "section": 22.0}
TAG = 13.0
WIDEST = 420.0
"""Width up to which branches are drawn in the chain."""
FACT = 6.4


@dataclass
class Row:
    """Layer or block of a section, and what comes out of it."""

    part: SectionPart
    element: Element
    share: float
    shape: Shapes
    count: int
    places: tuple[Place, ...]
    lines: tuple[Line, ...] = ()
    card: Card | None = None
    changes: bool = False
    first: bool = False
    last: bool = False
    y: float = 0.0
    gap: float = 0.0

    @property
    def in_place(self) -> bool:
        """Tell a row that is drawn with its branches."""
        return not self.lines


class Tag:
    """Output that leaves the chain: its name, perhaps with the letter of its card."""

    def __init__(self, name: str, letter: str, *, training: bool) -> None:
        self.name, self.letter, self.training = name, letter, training
        self.w = width(name, FACT, bold=True) + 8 + (11 + 3.4 * (len(letter) - 1) if letter else 0)

    def draw(self, scene: Scene, x: float, y: float, axis: float) -> None:
        """Draw the tag, whose right side is at a point, and the line to it."""
        style = "l d" if self.training else "l"
        left = x - self.w
        scene.line([(axis, y), (left, y)], style, arrow=True)
        scene.rect((left, y - 5.3, self.w, 10.6), "cc d" if self.training else "cc", 5, solid=True)
        if self.letter:
            draw_badge(scene, (left + 6.5, y), self.letter, 4)
        scene.text((x - 4, y + 2.3), self.name, FACT, bold=True, anchor="end")


class Chain:
    """Rows of some sections, and the height that they need at least and at best."""

    def __init__(
        self,
        model: Model,
        parts: Sequence[SectionPart],
        tags: Mapping[int, Sequence[Tag]],
        rows_of: Callable[[SectionPart], Sequence[Row]],
        *,
        most: int = 60,
    ) -> None:
        self.model, self.parts, self.tags = model, parts, tags
        self.rows: list[Row] = []
        self.pitch: Mapping[int, float] = {}
        self.start: Shapes = model.graph.input if not parts else parts[0].scope.inputs[0]
        before: Shapes = self.start
        for part in parts:
            # Rows are placed by each chain on its own.
            rows = [replace(row) for row in limited(rows_of(part), model, most)]
            rows[-1].shape = part.section.shape
            for at, row in enumerate(rows):
                row.first, row.last = at == 0, at + 1 == len(rows)
                row.changes = bool(row.shape) and row.shape != before
                before = row.shape or before
            self.rows += rows
        wide = max((row.element.w - row.element.axis for row in self.rows if row.in_place), default=0.0)
        left = max((row.element.axis for row in self.rows if row.in_place), default=0.0)
        self.box = max(BOX, 2 * left, 2 * wide)
        self.w = GUTTER + self.box + PERCENT

    @property
    def fixed(self) -> float:
        """Height of all boxes."""
        return LEAD + TAIL + sum(row.element.h for row in self.rows)

    @property
    def gaps(self) -> float:
        """Height of all gaps, unstretched."""
        return sum(self.gap(row) for row in self.rows[:-1])

    def gap(self, row: Row) -> float:
        """Gap behind a row."""
        tags = TAG * len(self.tags.get(row.part.section.value, ())) if row.last else 0.0
        kind = "section" if row.last else "shape" if row.changes else "same"
        return max(GAPS[kind] + tags, self.pitch.get(row.part.section.value, 0.0) if row.last else 0.0)

    def height(self, stretch: float = 1.0) -> float:
        """Height with gaps stretched."""
        last = self.rows[-1].part.section.value if self.rows else 0
        return self.fixed + stretch * self.gaps + TAG * len(self.tags.get(last, ()))

    def stretch_to(self, height: float) -> float:
        """Factor for the gaps with which a height is filled, within reason."""
        return min(1.7, max(0.8, (height - self.height(0.0)) / self.gaps)) if self.gaps else 1.0

    def draw(self, scene: Scene, x: float, y: float, stretch: float, *, first: bool = True, last: bool = True) -> None:
        """Draw the column, which may be one of several."""
        axis = x + GUTTER + self.box / 2
        below = y + LEAD
        for row in self.rows:
            row.y, row.gap = below, self.gap(row) * stretch
            below += row.element.h + row.gap
        for at, row in enumerate(self.rows):
            if row.first:
                self.draw_band(scene, x, row, next(each for each in self.rows[at:] if each.last))
        if first:
            scene.text((axis, y + 6), f"input {shape_text(self.start)}", FACT, anchor="middle", style="y")
            arrow = bool(self.rows) and self.rows[0].element.arrow
            scene.line([(axis, y + 8.5), (axis, y + LEAD)], arrow=arrow)
        for at, row in enumerate(self.rows):
            self.draw_row(scene, x, row, self.rows[at + 1] if at + 1 < len(self.rows) else None, ends=last)

    def draw_row(self, scene: Scene, x: float, row: Row, behind: Row | None, *, ends: bool) -> None:
        """Draw a row, its share, the line behind it, the shape of what comes out, and outputs that leave there."""
        left, axis = x + GUTTER, x + GUTTER + self.box / 2
        if isinstance(row.element, Box):
            row.element.draw_wide(scene, left, row.y, self.box)
        else:
            row.element.draw(scene, axis - row.element.axis, row.y)
        if row.share and self.model.costs.total:
            middle = row.y + row.element.h / 2 + 2.2
            scene.text((left + self.box + 3, middle), percent(row.share), 6.2, style="y")
        below = row.y + row.element.h
        tags = self.tags.get(row.part.section.value, ()) if row.last else ()
        end = below + (row.gap if behind else 13 + TAG * len(tags))
        scene.line([(axis, below), (axis, end)], arrow=behind.element.arrow if behind else ends)
        for at, tag in enumerate(tags):
            tag.draw(scene, left + self.box + PERCENT - 4, below + 12 + TAG * at, axis)
        if row.changes or row.last:
            above = below + TAG * len(tags) + (3 if tags else 0)
            at = above + 9.5 if behind is None else (above + end) / 2 + 2.3
            scene.text((axis + 4.5, at), short_shape(row.shape, self.box / 2 + PERCENT - 6), FACT)

    def draw_band(self, scene: Scene, x: float, first: Row, last: Row) -> None:
        """Draw a section's band, its name, and its map as a small cuboid."""
        top, bottom = first.y, last.y + last.element.h
        scene.rect((x, top - 4.5, self.w, bottom - top + 9), "st", 4)
        section = first.part.section
        size = 8.0 if width(section.name, 8, bold=True) < GUTTER - 6 else FACT
        name = cut(section.name, size, GUTTER - 6, bold=True)
        scene.text((x + 4, top + 6.5), name, size, bold=True)
        tall = bottom - top >= 38
        free = GUTTER - 8 - width(name, size, bold=True)
        if tall:
            draw_glyph(scene, self.model, section.shape, x + 20, top + 25, 32)
        elif free >= 14:
            draw_glyph(scene, self.model, section.shape, x + GUTTER - 4 - free / 2, (top + bottom) / 2, free - 5)


def draw_glyph(scene: Scene, model: Model, shape: Shapes, x: float, y: float, room: float) -> None:
    """Draw a map as a cuboid: the side is its height, the depth its channels."""
    maps = [part.section.shape for part in model.sections if len(part.section.shape) == 3] or [(1, 1, 1)]
    if is_list(shape) or len(shape) != 3:
        scene.polygon([(x - 1.5, y - 9), (x + 1.5, y - 9), (x + 1.5, y + 9), (x - 1.5, y + 9)], "gl c1")
        return
    channels, height = int(shape[0]), int(shape[1])  # type: ignore[arg-type]
    side = 3.5 + 18 * sqrt(height / max(each[1] for each in maps))
    depth = 1.5 + 9 * sqrt(channels / max(each[0] for each in maps))
    scale = min(1.0, room / (side + 0.8 * depth))
    side, dx, dy = scale * side, scale * 0.8 * depth, -scale * 0.5 * depth
    left, top = x - (side + dx) / 2, y - (side + dy) / 2
    right, bottom = left + side, top + side
    scene.polygon([(left, top), (left + dx, top + dy), (right + dx, top + dy), (right, top)], "gl c1")
    scene.polygon([(right, top), (right + dx, top + dy), (right + dx, bottom + dy), (right, bottom)], "gl c2")
    scene.polygon([(left, top), (right, top), (right, bottom), (left, bottom)], "gl c0")


def short_shape(shape: Shapes, room: float) -> str:
    """Shape of a tensor, or the number of tensors where their shapes do not fit."""
    text = shape_text(shape)
    return text if width(text, FACT) <= room else f"{len(shape)} maps" if is_list(shape) else cut(text, FACT, room)


def percent(share: float) -> str:
    """Share, without digits that do not matter."""
    return f"{100 * share:.0f} %" if share >= 0.01 else "< 1 %"


# ---- rows ----------------------------------------------------------------------------------------------------------


def rows_of(model: Model, part: SectionPart) -> list[Row]:
    """Rows of a section; neighbours that read the same are one."""
    if part.section.value < 0:
        rest = Row(part, Element(), 0.0, part.section.shape, 1, (), (Line(part.section.name, True),))
        return [boxed(model, replace(rest, part=part._replace(section=part.section._replace(name="…"))))]
    words = Words(Numbers())
    rows: list[Row] = []
    for item in part.tree.items or (Layer(part.tree.times, ()),):
        row = row_of(model, part, words, item)
        before = rows[-1] if rows else None
        alike = before and not row.in_place and (row.lines, row.card) == (before.lines, before.card)
        if before and alike and (row.card or row.shape == before.shape):
            whole = before.places + row.places
            count, share = before.count + row.count, before.share + row.share
            rows[-1] = boxed(model, replace(row, count=count, share=share, places=whole))
        else:
            rows.append(row if row.in_place else boxed(model, row))
    return rows


def row_of(model: Model, part: SectionPart, words: Words, item: Tree) -> Row:
    """Row of one part of a section."""
    share, shape, every = model.share(item), output_of(item), tuple(places(item))
    inner, count = item, 1
    if isinstance(item, Repeat) and not item.collects and len(item.body.items) == 1:
        inner, count = item.body.items[0], item.counts[0][1]
    if isinstance(inner, Reference):
        return Row(part, Element(), share, shape, count, every, (Line(inner.card.name, True),), inner.card)
    lines = listed(words, inner)
    if lines is not None:
        return Row(part, Element(), share, shape, count, every, tuple(lines))
    for most in (24, 8):
        element = Maker(model, words, None, narrow=True, most=most).element(item, part.tree.times)
        if 2 * max(element.axis, element.w - element.axis) <= WIDEST:
            return Row(part, element, share, shape, 1, every)
    return Row(part, Element(), share, shape, 1, every, (Line("branches", True),))


def output_of(item: Tree) -> Shapes:
    """Shape of what a part makes; nothing where that is not one tensor."""
    if isinstance(item, Parallel):
        return item.join.places[-1].scope.output if item.join else ()
    if isinstance(item, Layer | Reference):
        found = item.ops[-1].places if isinstance(item, Layer) else item.places
        return found[-1].scope.output
    below = item.below()
    return output_of(below[-1]) if below and not isinstance(item, Web) else ()


def listed(words: Words, item: Tree) -> list[Line] | None:
    """Lines of a layer, or of a block without branches; None for anything else."""
    if isinstance(item, Layer):
        return words.layer(item) if item.ops else [Line("identity")]
    if isinstance(item, Frame) and all(isinstance(each, Layer) for each in item.body.items):
        layers = [each for each in item.body.items if isinstance(each, Layer)]
        parts = [", ".join(line.text for line in words.layer(each)) for each in layers]
        return [Line(item.name, True), *map(Line, parts)]
    return None


def boxed(model: Model, row: Row) -> Row:
    """Row with its box: the count before its main line, long lines broken."""
    lines: list[Line] = []
    main = next((at for at, line in enumerate(row.lines) if line.main), 0)
    for at, line in enumerate(row.lines):
        text = f"{row.count:,} × {line.text}" if at == main and row.count > 1 else line.text
        size = 7.0 if line.main else 6.2
        room = BOX - 8 - (16 if row.card else 0)
        lines += [Line(each, line.main) for each in wrapped(text, size, room, 4, bold=line.main, at=",")]
    title = f"{row.part.section.name}: {' '.join(line.text for line in lines)}"
    if model.costs.total:
        title += f": {100 * row.share:.1f} % of the {model.costs.noun}"
    box = Box(lines, row.share, badge=row.card.letter if row.card else "", title=title)
    return replace(row, element=box)


def plain(model: Model, row: Row) -> Row:
    """Row with a box, also for branches that are else drawn in place."""
    return boxed(model, replace(row, lines=(Line("branches", True),))) if row.in_place else row


def few(parts: Sequence[SectionPart], most: int) -> Sequence[SectionPart]:
    """Sections; of too many, the first and the last, with one that stands for those between."""
    if len(parts) <= most:
        return parts
    hidden = parts[most - 2 : -1]
    last = hidden[-1]
    section = last.section._replace(name=f"… {len(hidden)} more sections", value=-1)
    return [*parts[: most - 2], last._replace(section=section, tree=Series(last.tree.times, ())), parts[-1]]


def limited(rows: Sequence[Row], model: Model, most: int) -> Sequence[Row]:
    """Rows; of too many, the first and last, with a box for those between."""
    if len(rows) <= most:
        return rows
    head, tail = rows[: most - 2], rows[-1:]
    hidden = rows[len(head) : -1]
    share = sum(row.share for row in hidden)
    lines = (Line(f"… {len(hidden)} more", True),)
    every = tuple(place for row in hidden for place in row.places)
    return [*head, boxed(model, Row(rows[0].part, Element(), share, hidden[-1].shape, 1, every, lines)), *tail]
