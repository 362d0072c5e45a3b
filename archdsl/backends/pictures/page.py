"""The page: head, chain, cards and legend on at most one sheet of A4, cropped to what is on it.

Cards are packed under a skyline, for a few widths and orders, for one to three columns of the chain, on an upright and
on a lying sheet; the smallest page wins. If nothing fits, details go in a fixed order: docstrings, tables, layers in
the middle of long rows, then the cheapest cards, which the legend names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import islice, permutations
from typing import Literal, NamedTuple

from archdsl.backends.pictures.cards import CardBox, Detail, Opened
from archdsl.backends.pictures.chain import Chain, Row, Tag, few, plain, rows_of
from archdsl.backends.pictures.elements import draw_badge
from archdsl.backends.pictures.labels import shape_text
from archdsl.backends.pictures.lanes import Lanes
from archdsl.backends.pictures.model import Card, Costs, Model, SectionPart, letter_names
from archdsl.backends.pictures.scene import Scene
from archdsl.backends.pictures.text import cut, sentences, width, wrapped
from archdsl.backends.pictures.themes import STEP_NAMES
from archdsl.graph import Graph

A4 = (595.3, 841.9)
MARGIN, GAP, BESIDE = 18.0, 10.0, 12.0
FOOT = {False: 40.0, True: 36.0}
"""Height of the legend on an upright and a lying page."""
TITLE = 16.0
NARROWEST = 262.0
MOST_ORDERS = 240
MOST_CARDS = 20
"""Number of cards that might fit a page."""
DETAILS = (Detail(), Detail(docs=False), Detail(False, 4), Detail(False, 1), Detail(False, 0, 12), Detail(False, 0, 6))
CHAIN_ROWS = (60, 60, 40, 30, 20, 8)


class Layout(NamedTuple):
    """Arrangement of a page: its chain's columns and its cards with their places, and how good it is."""

    penalty: float
    columns: tuple[Chain, ...]
    lanes: Lanes | None
    cards: tuple[tuple[CardBox, float, float], ...]
    width: float
    height: float
    left: float
    detail: Detail


def drawn(graph: Graph, costs: Costs) -> Scene:
    """Picture of a network."""
    model = Model(graph, costs)
    return Page(model).scene()


class Page:
    """Sections by their place (the chain, the lanes beside it, or cards), and the search for a layout."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.spine, self.sides = spine_of(model)
        self.pyramid = any(part.section.kind != "output" for part in self.sides)
        self.outputs = [] if self.pyramid else output_cards(self.sides)
        self.cards = [*model.cards, *self.outputs]
        for card, letter in zip(self.outputs, letter_names(len(model.cards)), strict=False):
            card.letter = letter
        self.known_rows: dict[int, Sequence[Row]] = {}
        self.opened: dict[tuple[Card, int, bool], Opened] = {}
        self.built: dict[tuple[Card, Detail, bool], CardBox] = {}
        self.tags: dict[int, list[Tag]] = {}
        for part in [] if self.pyramid else self.sides:
            name = part.section.name
            letter = next((card.letter for card in self.outputs if any(name == use for use, _ in card.uses)), "")
            tag = Tag(cut(name, 6.4, 60, bold=True), letter, training=part.section.training_only)
            self.tags.setdefault(part.inputs[0] if part.inputs else 0, []).append(tag)

    def scene(self) -> Scene:
        """The page, laid out and drawn."""
        layout, left_out = self.best()
        scene = Scene()
        scene.title = self.model.graph.name
        scene.description = self.description()
        top = self.draw_head(scene, layout)
        bottom = self.draw_body(scene, layout, top)
        bottom = self.draw_legend(scene, layout, left_out, bottom + 14)
        scene.width, scene.height = layout.width + 2 * MARGIN, bottom + MARGIN
        return scene

    # ---- layout

    def best(self) -> tuple[Layout, list[Card]]:
        """Best layout with as much detail as there is room for, and the cards that there is none for."""
        if len(self.cards) <= MOST_CARDS and (found := self.detailed(self.cards)):
            return found, []
        ranked = sorted(self.cards, key=self.model.card_share, reverse=True)
        fitting, failing = 0, min(len(ranked), MOST_CARDS + 1)
        while failing - fitting > 1:
            middle = (fitting + failing) // 2
            fits = self.layout(self.kept(ranked[:middle]), DETAILS[-1], CHAIN_ROWS[-1])
            fitting, failing = (middle, failing) if fits else (fitting, middle)
        kept = self.kept(ranked[:fitting])
        return self.detailed(kept) or self.cut_short(), [card for card in self.cards if card not in kept]

    def kept(self, cards: Sequence[Card]) -> list[Card]:
        """Some of the cards in their order."""
        return [card for card in self.cards if card in cards]

    def detailed(self, cards: Sequence[Card]) -> Layout | None:
        """Best layout of some cards with the most detail for which there is room."""
        for detail, rows in zip(DETAILS, CHAIN_ROWS, strict=True):
            if found := self.layout(cards, detail, rows):
                return found
            # Before a card is left out, other orders of the cards are tried.
            if detail.rows <= 1 and (found := self.layout(cards, detail, rows, patient=True)):
                return found
        return None

    def cut_short(self) -> Layout:
        """Layout of a chain that is too long for any page: without its middle, and if need be without branches."""
        room = A4[0] - 2 * MARGIN, A4[1] - 2 * MARGIN - head_room(DETAILS[-1]) - FOOT[False]
        found = Layout(0.0, (), None, (), 0.0, 0.0, 0.0, DETAILS[-1])
        step = max(1, len(self.spine) // 16)
        for rows in (self.rows, self.plain_rows):
            for most in (*range(len(self.spine), 3, -step), 3):
                chain = Chain(self.model, few(self.spine, most), self.tags, rows, most=3)
                for count in range(min(3, len(chain.parts)), 0, -1):
                    columns = self.columns(chain, count, 3, rows)
                    high = max(each.height(0.8) for each in columns)
                    wide = sum(each.w for each in columns) + BESIDE * (len(columns) - 1)
                    found = Layout(0.0, columns, None, (), max(NARROWEST, wide), high, wide, DETAILS[-1])
                    if wide <= room[0] and high <= room[1]:
                        return found
        return found

    def plain_rows(self, part: SectionPart) -> Sequence[Row]:
        """Rows of a section, with a box in place of branches."""
        return [plain(self.model, row) for row in self.rows(part)]

    def rows(self, part: SectionPart) -> Sequence[Row]:
        """Rows of a section, worked out once."""
        if part.section.value not in self.known_rows or part.section.value < 0:
            self.known_rows[part.section.value] = rows_of(self.model, part)
        return self.known_rows[part.section.value]

    def columns(
        self, chain: Chain, count: int, most: int, rows: Callable[[SectionPart], Sequence[Row]]
    ) -> tuple[Chain, ...]:
        """A chain in several columns."""
        return tuple(Chain(self.model, parts, self.tags, rows, most=most) for parts in divided(chain, count))

    def layout(self, cards: Sequence[Card], detail: Detail, rows: int, *, patient: bool = False) -> Layout | None:
        """Best layout with some cards and detail; with patience, in any order, but in few forms."""
        found: Layout | None = None
        chains = list(self.chains(rows))[: 1 if patient else None]
        for lying in (False, True):
            page_w, page_h = reversed(A4) if lying else A4
            for columns, lanes in chains:
                left = sum(chain.w for chain in columns) + BESIDE * (len(columns) - 1) + (lanes.w if lanes else 0.0)
                room = (
                    page_w - 2 * MARGIN - left - BESIDE,
                    page_h - 2 * MARGIN - head_room(detail, lying=lying) - FOOT[lying],
                )
                below = lanes.height() if lanes else 0.0
                high = max(chain.height(0.8) for chain in columns) + below
                if high > room[1] or room[0] < -BESIDE:
                    continue
                for narrow, boxes in self.boxes(cards, detail, room[0], patient):
                    for placed, w, h in packings(boxes, room, patient):
                        whole_w = left + (BESIDE + w if placed else 0.0)
                        whole_h = max(h, *(chain.height() + below for chain in columns))
                        whole_h = max(high, min(whole_h, room[1]))
                        size = max(whole_w, NARROWEST), whole_h
                        filled = sum(chain.w * chain.height() for chain in columns) + sum(b.w * b.h for b in boxes)
                        penalty = penalty_of(*size, lying, narrow) * (1.5 - 0.5 * filled / (size[0] * size[1]))
                        penalty *= 1 + 0.04 * len(columns)
                        if found is None or penalty < found.penalty - 1e-6:
                            found = Layout(penalty, columns, lanes, placed, *size, left, detail)
        return found

    def chains(self, rows: int) -> Iterator[tuple[tuple[Chain, ...], Lanes | None]]:
        """Chain in one column; without lanes also in two or three, of about equal heights."""
        whole = Chain(self.model, self.spine, self.tags, self.rows, most=rows)
        if self.pyramid:
            yield (whole,), Lanes(self.model, whole, self.sides)
            return
        yield (whole,), None
        for count in (2, 3):
            if len(self.spine) >= count and len(whole.rows) >= 5 * count:
                yield self.columns(whole, count, rows, self.rows), None

    def boxes(
        self, cards: Sequence[Card], detail: Detail, room: float, patient: bool
    ) -> Iterator[tuple[float, list[CardBox]]]:
        """Cards with wide and with narrow boxes, and with narrow ones where that saves most; and the share of those."""
        if not cards:
            yield 0.0, []
            return
        wide, narrow = ([self.box(card, detail, each) for card in cards] for each in (False, True))
        gains = [one.w - two.w for one, two in zip(wide, narrow, strict=True)]
        choices = {tuple(one.w > room for one in wide)}
        choices |= {
            tuple(gain > 1 and gain >= least for gain in gains)
            for least in sorted(gains)[: 1 if patient else None][-8:]
        }
        for choice in sorted(choices):
            chosen = [two if small else one for one, two, small in zip(wide, narrow, choice, strict=True)]
            yield sum(choice) / len(cards), chosen

    def box(self, card: Card, detail: Detail, narrow: bool) -> CardBox:
        """Card with some detail; its body is laid out once."""
        if (card, detail, narrow) not in self.built:
            key = (card, detail.parts, narrow)
            if key not in self.opened:
                self.opened[key] = Opened.of(self.model, card, narrow=narrow, parts=detail.parts)
            first = next(each for each in self.cards if each.name == card.name)
            self.built[card, detail, narrow] = CardBox(self.model, card, self.opened[key], detail, doc=card is first)
        return self.built[card, detail, narrow]

    # ---- drawing

    def draw_head(self, scene: Scene, layout: Layout) -> float:
        """Draw the name, the facts and the docstring; returns where the body begins."""
        graph, costs, room = self.model.graph, self.model.costs, layout.width
        base = MARGIN + 13
        title = cut(graph.name, TITLE, room, bold=True)
        scene.text((MARGIN, base), title, TITLE, bold=True)
        totals = graph.root.totals
        facts = [
            f"input {shape_text(graph.input)}",
            f"{si(totals.params)} parameters",
            f"{si(totals.macs)} multiply-adds",
        ]
        lines = flowed([*facts, *([costs.facts] if costs.facts else [])], room)
        if len(lines) == 1 and width(title, TITLE, bold=True) + 14 + width(lines[0], 7) <= room:
            scene.text((MARGIN + room, base), lines[0], 7, anchor="end")
        else:
            for at, line in enumerate(lines):
                base += 9.4 if at else 12
                scene.text((MARGIN, base), line, 7)
        base += 2.5
        for line in sentences(graph.doc, 7, room, doc_lines(layout.detail)):
            base += 9.2
            scene.text((MARGIN, base), line, 7, style="y")
        return base + 13

    def draw_body(self, scene: Scene, layout: Layout, top: float) -> float:
        """Draw the chain, its lanes and the cards; returns where they end."""
        x = MARGIN
        bottom = top + layout.height
        before: tuple[float, float] | None = None
        for at, chain in enumerate(layout.columns):
            stretch = chain.stretch_to(layout.height - (layout.lanes.height() if layout.lanes else 0.0))
            axis = x + chain.w - 24.0 - chain.box / 2
            chain.draw(scene, x, top, stretch, first=at == 0, last=at + 1 == len(layout.columns))
            if before is not None:
                turn = x - BESIDE / 2
                way = [before, (before[0], bottom + 4), (turn, bottom + 4), (turn, top), (axis, top), (axis, top + 24)]
                scene.line(way, arrow=True)
            last = chain.rows[-1]
            before = (axis, last.y + last.element.h + 13)
            x += chain.w + BESIDE
        if layout.lanes:
            layout.lanes.draw(scene, MARGIN + layout.columns[0].w, top)
        for box, card_x, card_y in layout.cards:
            box.draw(scene, MARGIN + layout.left + BESIDE + card_x, top + card_y)
        return bottom + (6 if len(layout.columns) > 1 else 0)

    def draw_legend(self, scene: Scene, layout: Layout, left_out: Sequence[Card], y: float) -> float:
        """Draw the meaning of the colors and signs that occur; returns where it ends."""
        legend, costs = Legend(scene, layout.width, y), self.model.costs
        styles = {getattr(item, "style", "") for item in scene.items}
        signs = {getattr(item, "sign", "") for item in scene.items}
        if costs.total:
            legend.steps(f"share of the {costs.noun}")
        if "+" in signs:
            legend.entry(24, "residual sum", lambda x, y: legend.sign(x, y, "r", "+"))
        if "×" in signs:
            legend.entry(24, "gate", lambda x, y: legend.sign(x, y, "g", "×"))
        if layout.cards:
            legend.entry(14, "opened beside", lambda x, y: draw_badge(scene, (x + 5, y + 4.3), "A", 4.4))
        if styles & {"r d", "g d", *(f"bx f{step} d" for step in range(5))}:
            legend.entry(24, "in some places only", lambda x, y: scene.rect((x, y, 20, 8.6), "bx f0 d", 1.5))
        if any(part.section.training_only for part in self.sides):
            line = partial(scene.line, style="l d", arrow=True)
            legend.entry(24, "in training only", lambda x, y: line([(x, y + 4.3), (x + 19, y + 4.3)]))
        if layout.cards and costs.total:
            legend.entry(0, "Opened blocks: all their places together.", None, style="y")
        if left_out:
            names = ", ".join(f"{card.letter} {card.name}" for card in left_out[:6])
            more = f" and {len(left_out) - 6} more" if len(left_out) > 6 else ""
            legend.entry(0, f"Not opened for want of room: {names}{more}.", None, style="y")
        return legend.y + 9

    def description(self) -> str:
        """The picture in words, for those who cannot see it."""
        parts: list[str] = []
        for part in self.model.sections[:60]:
            names = [words for row in self.rows(part) if (words := row_words(row))]
            parts.append(f"{part.section.name}: {', '.join(names)}, giving {shape_text(part.section.shape)}")
        return f"{self.model.graph.name}: {'; '.join(parts)}"


def row_words(row: Row) -> str:
    """Row of the chain in words."""
    return (f"{row.count:,} × " if row.count > 1 else "") + (" ".join(line.text for line in row.lines) or "branches")


# ---- parts of the page ---------------------------------------------------------------------------------------------


def head_room(detail: Detail, *, lying: bool = False) -> float:
    """Height of the head: the facts stand beside the name on a lying page, in up to two lines below it else."""
    return (28.5 if lying else 48.0) + 9.2 * doc_lines(detail)


def doc_lines(detail: Detail) -> int:
    """Number of lines that the network's docstring may take."""
    return 2 if detail.docs else 1


def spine_of(model: Model) -> tuple[list[SectionPart], list[SectionPart]]:
    """Sections of the chain, each of which reads the one before, and those at its side."""
    spine: list[SectionPart] = []
    sides: list[SectionPart] = []
    for part in model.sections:
        before = spine[-1].section.value if spine else 0
        (spine if part.inputs == (before,) and part.section.kind != "output" else sides).append(part)
    read = {value for part in sides if part.section.kind != "output" for value in part.inputs}
    # The first map of a pyramid reads the last stage alone, and still belongs to the others.
    while read and len(spine) > 1 and spine[-1].section.kind == "section" and spine[-1].section.value in read:
        sides.insert(0, spine.pop())
    return spine or [sides.pop(0)], sides


def output_cards(sides: Sequence[SectionPart]) -> list[Card]:
    """Cards of outputs that do more than hand on a section; equal ones share a card."""
    found: list[Card] = []
    for part in sides:
        if not part.tree.items:
            continue
        card = next((card for card in found if card.takes(part.tree)), None)
        if card is None:
            card = Card(part.section.name)
            card.takes(part.tree)
            found.append(card)
        else:
            card.name = f"{card.name}, {part.section.name}"
        card.uses[part.section.name, part.scope] = 1
        card.remark = "in training only" if part.section.training_only else ""
    return found


def divided(chain: Chain, count: int) -> list[list[SectionPart]]:
    """Sections in several columns of about equal heights."""
    heights = {part.section.value: 0.0 for part in chain.parts}
    for row in chain.rows:
        heights[row.part.section.value] += row.element.h + chain.gap(row)
    whole = sum(heights.values())
    columns: list[list[SectionPart]] = [[] for _ in range(count)]
    reached = 0.0
    for at, part in enumerate(chain.parts):
        high = heights[part.section.value]
        column = min(count - 1, int((reached + high / 2) * count / whole))
        # Each column gets at least one section.
        column = max(min(column, at), count - (len(chain.parts) - at))
        columns[column].append(part)
        reached += high
    return [column for column in columns if column]


def packings(
    boxes: Sequence[CardBox], room: tuple[float, float], patient: bool = False
) -> Iterator[tuple[tuple[tuple[CardBox, float, float], ...], float, float]]:
    """Arrangements of cards that fit a room, with their widths and heights."""
    if not boxes:
        yield (), 0.0, 0.0
        return
    area = sum((box.w + GAP) * (box.h + GAP) for box in boxes)
    if max(box.w for box in boxes) > room[0] or area > (room[0] + GAP) * (room[1] + GAP):
        return
    orders = [list(boxes), sorted(boxes, key=lambda box: -box.h), sorted(boxes, key=lambda box: -box.w)][: len(boxes)]
    if patient:
        orders = [list(order) for order in islice(permutations(boxes), MOST_ORDERS)]
    for order in orders:
        for wide in [room[0]] if patient else widths(boxes, room[0]):
            placed = skyline(order, wide + 0.01)
            high = max(y + box.h for box, _, y in placed)
            if high <= room[1]:
                yield tuple(placed), max(x + box.w for box, x, _ in placed), high


def widths(boxes: Sequence[CardBox], room: float) -> list[float]:
    """Widths to try: those of one, two or three cards side by side, and all there is."""
    every = [box.w for box in boxes][:12]
    pairs = [one + two + GAP for at, one in enumerate(every) for two in every[at + 1 :]]
    found = sorted({round(wide, 1) for wide in (max(box.w for box in boxes), *pairs) if wide <= room})
    found = [wide for wide in found if wide >= max(box.w for box in boxes) - 0.1]
    step = max(1, len(found) // 6)
    return [*found[::step], room]


def skyline(boxes: Sequence[CardBox], room: float) -> list[tuple[CardBox, float, float]]:
    """Places of cards in order, each as high as it fits, then as far left."""
    sky: list[tuple[float, float, float]] = [(0.0, room, 0.0)]
    placed: list[tuple[CardBox, float, float]] = []
    for box in boxes:
        starts = [x for x, _, _ in sky if x + box.w <= room + 0.01] or [0.0]
        heights = [(max(y for at, wide, y in sky if at < x + box.w - 0.01 and at + wide > x + 0.01), x) for x in starts]
        y, x = min(heights)
        placed.append((box, x, y))
        end = x + box.w + GAP
        rest = [(at, min(at + wide, x) - at, top) for at, wide, top in sky if at < x]
        rest += [(max(at, end), at + wide - max(at, end), top) for at, wide, top in sky if at + wide > end]
        sky = sorted([*rest, (x, box.w + GAP, y + box.h + GAP)])
    return placed


def penalty_of(wide: float, high: float, lying: bool, narrow: float) -> float:
    """Area of a page, more for one that is lying, very long, or full of narrow boxes."""
    return wide * high * (1 + 0.12 * lying + 0.12 * (wide > 1.25 * high) + 0.3 * (high > 1.9 * wide) + 0.12 * narrow)


def flowed(texts: Sequence[str], room: float) -> list[str]:
    """Facts on as few lines as fit."""
    lines: list[str] = []
    for text in texts:
        longer = f"{lines[-1]}  ·  {text}" if lines else text
        if lines and width(longer, 7) <= room:
            lines[-1] = longer
        else:
            lines += wrapped(text, 7, room, 3)
    return lines


def si(value: float) -> str:
    """Number in three digits: `6.00 G`."""
    for factor, prefix in ((1e12, " T"), (1e9, " G"), (1e6, " M"), (1e3, " k")):
        if value >= factor:
            part = value / factor
            return (
                f"{part:.2f}{prefix}"
                if part < 100
                else f"{part:,.0f}{prefix}"
                if part < 10**6
                else f"{part:.2g}{prefix}"
            )
    return f"{value:g}"


class Legend:
    """Signs with their meaning, in lines."""

    def __init__(self, scene: Scene, room: float, y: float) -> None:
        self.scene, self.room = scene, room
        self.x, self.y = MARGIN, y

    def steps(self, text: str) -> None:
        """Draw the colors and their shares."""
        self.entry(0, text, None, bold=True)
        for step, name in enumerate(STEP_NAMES):
            self.entry(23, name, lambda x, y, step=step: self.scene.rect((x, y, 20, 8.6), f"bx f{step}", 1.5))

    def entry(
        self,
        lead: float,
        text: str,
        draw: Callable[[float, float], None] | None,
        *,
        bold: bool = False,
        style: str = "",
    ) -> None:
        """Draw one sign and its text, on the next line if there is no room."""
        text = cut(text, 6.4, self.room - lead, bold=bold)
        wide = lead + width(text, 6.4, bold=bold)
        if self.x > MARGIN and self.x + wide > MARGIN + self.room:
            self.x, self.y = MARGIN, self.y + 12.5
        if draw is not None:
            draw(self.x, self.y)
        self.scene.text((self.x + lead, self.y + 6.6), text, 6.4, bold=bold, style=style)
        self.x += wide + 9

    def sign(self, x: float, y: float, style: str, sign: Literal["+", "×"]) -> None:
        """Draw the circle of a sum or product with a line into it."""
        self.scene.line([(x, y + 4.3), (x + 9, y + 4.3)], style, arrow=True)
        self.scene.circle((x + 13.5, y + 4.3), 4, f"o {style}", sign)
