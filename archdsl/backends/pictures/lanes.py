"""Lanes beside the chain: sections that read several others, as in a pyramid, beside the stage of the same size."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from archdsl.backends.pictures.chain import Chain, rows_of
from archdsl.backends.pictures.labels import shape_text
from archdsl.backends.pictures.model import Model, SectionPart
from archdsl.backends.pictures.scene import Area, Scene
from archdsl.backends.pictures.text import cut, wrapped
from archdsl.backends.pictures.themes import step_of

LANE, BOX = 96.0, 76.0
ROOM = 16.0
APART = 14.0


class Cell(NamedTuple):
    """Place of a section: the row of a section of the chain (or below all), and the lane."""

    row: int
    lane: int


class Lanes:
    """Sections beside a chain, each in a cell of its own."""

    def __init__(self, model: Model, chain: Chain, parts: Sequence[SectionPart]) -> None:
        self.model, self.chain, self.parts = model, chain, parts
        self.cells: dict[int, Cell] = {}
        self.lines = {part.section.value: lines_of(model, part) for part in parts}
        self.rows = [part.section.shape[1:] for part in chain.parts]
        for at, part in enumerate(chain.parts):
            self.cells[part.section.value] = Cell(at, 0)
        for part in parts:
            self.cells[part.section.value] = self.cell(part)
        self.lanes = max((self.cells[part.section.value].lane for part in parts), default=0)
        self.w = ROOM + LANE * self.lanes
        self.below = max(0, max((cell.row for cell in self.cells.values()), default=0) - len(chain.parts) + 1)
        chain.pitch = dict(self.pitches())

    def cell(self, part: SectionPart) -> Cell:
        """Free cell in the row of the map's size, behind what the section reads."""
        size = part.section.shape[1:]
        if size not in self.rows:
            self.rows.append(size)
        row = max(at for at, each in enumerate(self.rows) if each == size)
        lane = max([1, *(self.behind(value, row) for value in part.inputs)])
        while Cell(row, lane) in self.cells.values():
            lane += 1
        return Cell(row, lane)

    def behind(self, value: int, row: int) -> int:
        """First lane for what reads a value: the next in the same row, the same in another."""
        cell = self.cells.get(value, Cell(0, 0))
        return cell.lane + (cell.row == row)

    def height_of(self, part: SectionPart) -> float:
        """Height of a section's box."""
        return 11 + 7.4 * len(self.lines[part.section.value]) + 9

    def pitches(self) -> Iterator[tuple[int, float]]:
        """Gaps behind sections of the chain that leave room for the boxes beside them."""
        high: dict[int, float] = {}
        for part in self.parts:
            row = self.cells[part.section.value].row
            high[row] = max(high.get(row, 0.0), self.height_of(part))
        bands = band_heights(self.chain)
        for at, part in enumerate(self.chain.parts[:-1]):
            over = [max(0.0, high.get(row, 0.0) - bands[row]) / 2 for row in (at, at + 1)]
            yield part.section.value, sum(over) * 1.25 + APART

    def height(self) -> float:
        """Height of the rows below the chain."""
        return sum(self.row_height(len(self.chain.parts) + at) for at in range(self.below))

    def row_height(self, row: int) -> float:
        """Height of a row below the chain."""
        boxes = [self.height_of(part) for part in self.parts if self.cells[part.section.value].row == row]
        return max(boxes, default=0.0) + APART

    def draw(self, scene: Scene, x: float, top: float) -> None:
        """Draw the boxes, and the lines between neighbours; the text of a box names all that it reads."""
        areas = dict(self.areas(x, top))
        for part in self.parts:
            for value in dict.fromkeys(part.inputs):
                if value in self.cells:
                    self.draw_edge(scene, areas, value, part)
        for part in self.parts:
            self.draw_box(scene, part, areas[part.section.value])

    def areas(self, x: float, top: float) -> Iterator[tuple[int, Area]]:
        """Areas of the boxes, and of the chain's bands."""
        middles: dict[int, float] = {}
        below = top
        for at, part in enumerate(self.chain.parts):
            rows = [row for row in self.chain.rows if row.part is part]
            start, end = rows[0].y, rows[-1].y + rows[-1].element.h
            middles[at] = (start + end) / 2
            below = max(below, end + 30)
            yield part.section.value, (x - self.chain.w, start - 4.5, self.chain.w, end - start + 9)
        for row in range(len(self.chain.parts), len(self.rows)):
            middles[row] = below + self.row_height(row) / 2
            below += self.row_height(row)
        for part in self.parts:
            cell, high = self.cells[part.section.value], self.height_of(part)
            yield part.section.value, (x + ROOM + LANE * (cell.lane - 1), middles[cell.row] - high / 2, BOX, high)

    def draw_edge(self, scene: Scene, areas: Mapping[int, Area], value: int, part: SectionPart) -> None:
        """Draw the line from a neighbour: beside, above or below, with nothing between."""
        one, two = self.cells[value], self.cells[part.section.value]
        (x, y, w, h), (to_x, to_y, to_w, to_h) = areas[value], areas[part.section.value]
        style = "l d" if part.section.training_only else "l"
        between = [cell for cell in self.cells.values() if cell not in {one, two}]
        if one.row == two.row and not any(cell.row == one.row and one.lane < cell.lane < two.lane for cell in between):
            middle = to_y + to_h / 2
            scene.line([(x + w, middle), (to_x, middle)], style, arrow=True)
        elif one.lane == two.lane > 0:
            low, high = sorted((one.row, two.row))
            if not any(cell.lane == one.lane and low < cell.row < high for cell in between):
                start, end = (y, to_y + to_h) if two.row < one.row else (y + h, to_y)
                scene.line([(x + w / 2, start), (to_x + to_w / 2, end)], style, arrow=True)

    def draw_box(self, scene: Scene, part: SectionPart, area: Area) -> None:
        """Draw a section: its name, what it does, its shape."""
        x, y, w, _ = area
        section = part.section
        step = step_of(self.model.share(part.tree) if not section.training_only else 0.0)
        style = f"bx f{step}{' d' if section.training_only else ''}"
        scene.rect(area, style, 3, solid=True, title=f"{section.name}: {section.text}")
        room = w - 10 - (22 if section.kind == "output" else 0)
        scene.text((x + 5, y + 8.6), cut(section.name, 7, room, bold=True), 7, bold=True, style=f"k{step}", inside=area)
        if section.kind == "output":
            scene.text((x + w - 5, y + 8.6), "output", 6.2, anchor="end", style=f"k{step}", inside=area)
        base = y + 9.5
        for line in self.lines[section.value]:
            base += 7.4
            scene.text((x + 5, base), line, 6.2, style=f"k{step}", inside=area)
        scene.text((x + 5, base + 8), cut(shape_text(section.shape), 6.2, w - 10), 6.2, style=f"k{step}", inside=area)


def lines_of(model: Model, part: SectionPart) -> list[str]:
    """Label of a section: its text, or what it is made of."""
    text = " ".join(part.section.text.split())
    if not text:
        rows = rows_of(model, part)
        text = ", ".join(" ".join(line.text for line in row.lines) or "branches" for row in rows)
    return wrapped(text, 6.2, BOX - 10, 4)


def band_heights(chain: Chain) -> list[float]:
    """Heights of the chain's bands."""
    found: list[float] = []
    for part in chain.parts:
        rows = [row for row in chain.rows if row.part is part]
        found.append(sum(row.element.h for row in rows) + sum(chain.gap(row) for row in rows[:-1]) + 9)
    return found
