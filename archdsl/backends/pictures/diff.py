"""The drawn diff: the chains of two networks side by side, what differs marked, with the cost of each change."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal, NamedTuple

from archdsl.backends.pictures.cards import Before, CardBox, Detail, Opened
from archdsl.backends.pictures.chain import Row, plain, rows_of
from archdsl.backends.pictures.elements import Box
from archdsl.backends.pictures.labels import shape_text
from archdsl.backends.pictures.model import Card, Model, SectionPart, letter_names
from archdsl.backends.pictures.page import A4, BESIDE, MARGIN, Legend, flowed, packings, penalty_of, si
from archdsl.backends.pictures.scene import Point, Scene
from archdsl.backends.pictures.text import cut, width, wrapped
from archdsl.backends.pictures.tree import merged
from archdsl.graph import Graph, Scope, distinct

Kind = Literal["same", "altered", "added", "removed"]
SIGNS: dict[Kind, str] = {"same": "", "altered": "~", "added": "+", "removed": "–"}
FILLS: dict[Kind, str] = {"same": "f0", "altered": "al", "added": "ad", "removed": "re"}
GUTTER, BOX, MIDDLE = 44.0, 104.0, 112.0
CHAINS = GUTTER + 2 * BOX + MIDDLE + 6
LEAST_ROW = {"same": 13.0, "altered": 25.0, "added": 25.0, "removed": 25.0}
HEAD, FOOT, LEAD = 46.0, 40.0, 27.0
MOST_CARDS = 12


CardPair = tuple[Card | None, Card | None]
"""Card before and after a change; one of them may be missing."""


class DiffLayout(NamedTuple):
    """Arrangement of a page: cards with their places, its size, and the number of cards that there is no room for."""

    penalty: float
    cards: tuple[tuple[CardBox, float, float], ...]
    width: float
    height: float
    left_out: int


class Delta(NamedTuple):
    """Cost that a change adds: multiply-adds, parameters, and the cost that is asked for."""

    macs: float = 0
    params: float = 0
    cost: float = 0.0


@dataclass
class Pair:
    """Rows of both chains that stand side by side; either may be missing."""

    section: str
    kind: Kind
    before: Row | None
    after: Row | None
    delta: Delta
    last: bool = False
    y: float = 0.0

    @property
    def h(self) -> float:
        """Height of the higher box."""
        boxes = [row.element.h for row in (self.before, self.after) if row is not None]
        return max([LEAST_ROW[self.kind], *boxes])

    @property
    def gap(self) -> float:
        """Gap behind it."""
        return 18.0 if self.last else 10.0


class Diff:
    """Two models, their cards under common letters, and their rows in pairs."""

    def __init__(self, before: Model, after: Model) -> None:
        self.before, self.after = before, after
        self.keys = keys_of((before.graph, after.graph))
        self.cards = list(paired_cards(before, after, self.keys))
        for (old, new), letter in zip(self.cards, letter_names(), strict=False):
            for card in (old, new):
                if card is not None:
                    card.letter = letter
        for card in (*before.cards, *after.cards):
            if not any(card in pair for pair in self.cards):
                card.letter = ""
        self.pairs = list(self.rows())

    def rows(self) -> Iterator[Pair]:
        """Pairs of rows, section by section; sections go by their names."""
        old = {part.section.name: part for part in self.before.sections}
        new = {part.section.name: part for part in self.after.sections}
        for name in interleaved(list(old), list(new)):
            pairs = list(self.section(name, old.get(name), new.get(name)))
            if pairs:
                pairs[-1].last = True
            yield from pairs

    def section(self, name: str, old: SectionPart | None, new: SectionPart | None) -> Iterator[Pair]:
        """Pairs of rows of one section."""
        befores = [plain(self.before, row) for row in rows_of(self.before, old)] if old else []
        afters = [plain(self.after, row) for row in rows_of(self.after, new)] if new else []
        matcher = SequenceMatcher(None, [self.key(row) for row in befores], [self.key(row) for row in afters], False)
        for tag, first, last, start, end in matcher.get_opcodes():
            for at in range(max(last - first, end - start)):
                one = befores[first + at] if at < last - first else None
                two = afters[start + at] if at < end - start else None
                kind: Kind = "same" if tag == "equal" else "altered" if one and two else "removed" if one else "added"
                yield Pair(name, kind, one, two, self.delta(one, two))

    def key(self, row: Row) -> object:
        """Content of a row; equal for equal modules in both networks."""
        return row.lines, row.count, tuple((place.runs, self.keys[place.scope]) for place in row.places)

    def delta(self, before: Row | None, after: Row | None) -> Delta:
        """Difference of what two rows cost."""
        one, two = (figures(row, model) for row, model in ((before, self.before), (after, self.after)))
        return Delta(*(new - old for old, new in zip(one, two, strict=True)))


def figures(row: Row | None, model: Model) -> Delta:
    """Multiply-adds, parameters and cost of a row; parts that exist in training only have parameters alone."""
    found = row.places if row else ()
    params = sum(place.runs * place.scope.totals.params for place in found)
    if row and row.part.section.training_only:
        return Delta(params=params)
    return Delta(sum(place.runs * place.scope.totals.macs for place in found), params, model.cost(found))


def keys_of(graphs: Sequence[Graph]) -> dict[Scope, int]:
    """Number of each scope; equal for modules that are equal, in whichever graph."""
    numbers: dict[object, int] = {}
    found: dict[Scope, int] = {}
    for graph in graphs:
        for scope in distinct(graph.root):
            children = tuple(
                (child.form, *((run.count, found[run.scope]) for run in child.runs)) for child in scope.children
            )
            steps = tuple(
                (step.kind, repr(step.inputs), repr(step.index), step.scope and found[step.scope])
                for step in scope.steps
            )
            content = scope.kind, scope.op, scope.inputs, scope.output, children, steps, repr(scope.result)
            found[scope] = numbers.setdefault(content, len(numbers))
    return found


def interleaved(old: Sequence[str], new: Sequence[str]) -> list[str]:
    """Names of both rows, each once, in an order that keeps that of the new one."""
    found: list[str] = []
    for tag, first, last, start, end in SequenceMatcher(None, old, new, False).get_opcodes():
        found += old[first:last] if tag in {"delete", "replace", "equal"} else []
        found += new[start:end] if tag in {"insert", "replace"} else []
    return list(dict.fromkeys(found))


def paired_cards(before: Model, after: Model, keys: dict[Scope, int]) -> Iterator[tuple[Card | None, Card | None]]:
    """Cards of both networks that differ: pairs of one name that are wired alike, and those of one side only."""
    left = list(before.cards)
    for card in after.cards:
        alike = [old for old in left if old.name == card.name and merged([old.tree, card.tree]) is not None]
        if alike:
            left.remove(alike[0])
        if not alike or variants(alike[0], keys) != variants(card, keys):
            yield (alike[0] if alike else None), card
    yield from ((card, None) for card in left)


def variants(card: Card, keys: dict[Scope, int]) -> list[tuple[str, int, int]]:
    """Variants of a card, where they stand and how often."""
    return [(section, keys[owner], count) for (section, owner), count in card.uses.items()]


# ---- the page ------------------------------------------------------------------------------------------------------


def drawn_diff(before: Model, after: Model) -> Scene:
    """Picture of the difference of two networks."""
    return DiffPage(Diff(before, after)).scene()


class DiffPage:
    """Layout of a drawn diff: the chains at the left, the cards that changed beside them."""

    def __init__(self, diff: Diff) -> None:
        self.diff = diff
        self.largest = max([abs(pair.delta.macs) for pair in diff.pairs] + [1])

    def scene(self) -> Scene:
        """The page, laid out and drawn."""
        pairs = shortened(self.diff.pairs)
        layout = self.layout(height_of(pairs))
        scene = Scene()
        scene.title = f"{self.diff.before.graph.name} and {self.diff.after.graph.name}"
        scene.description = "; ".join(self.facts())
        top = self.draw_head(scene, layout.width)
        self.draw_pairs(scene, pairs, top)
        for box, x, y in layout.cards:
            box.draw(scene, MARGIN + CHAINS + BESIDE + x, top + y)
        bottom = self.draw_legend(scene, top + layout.height + 14, layout, len(pairs))
        scene.width, scene.height = layout.width + 2 * MARGIN, bottom + MARGIN
        return scene

    # ---- layout

    def layout(self, high: float) -> DiffLayout:
        """Best layout with as many cards and as much detail as there is room for."""
        cards = sorted(self.diff.cards, key=self.share, reverse=True)[:MOST_CARDS]
        while cards:
            kept = [pair for pair in self.diff.cards if pair in cards]
            for detail in (Detail(), Detail(docs=False), Detail(False, 4)):
                layouts = [each for narrow in (False, True) for each in self.layouts(kept, detail, narrow, high)]
                if layouts:
                    return min(layouts, key=lambda each: each.penalty)
            cards.pop()
        return DiffLayout(0.0, (), CHAINS, high, len(self.diff.cards))

    def layouts(self, cards: Sequence[CardPair], detail: Detail, narrow: bool, high: float) -> Iterator[DiffLayout]:
        """Layouts of some cards beside the chains, on an upright and a lying page."""
        boxes = [self.box(pair, detail, narrow) for pair in cards]
        for lying in (False, True):
            page_w, page_h = reversed(A4) if lying else A4
            room = page_w - 2 * MARGIN - CHAINS - BESIDE, page_h - 2 * MARGIN - HEAD - FOOT
            if high <= room[1]:
                for placed, wide, tall in packings(boxes, room):
                    size = CHAINS + BESIDE + wide, max(high, tall)
                    penalty = penalty_of(*size, lying, float(narrow))
                    yield DiffLayout(penalty, placed, *size, len(self.diff.cards) - len(cards))

    def box(self, pair: CardPair, detail: Detail, narrow: bool) -> CardBox:
        """Card of a pair: as it is after the change, with what was before in its table."""
        old, new = pair
        model, card = (self.diff.after, new) if new is not None else (self.diff.before, old)
        assert card is not None
        opened = Opened.of(model, card, narrow=narrow, parts=detail.parts)
        mark = "new" if old is None else "gone" if new is None else "altered"
        before = None
        if old is not None and new is not None:
            was = Opened.of(self.diff.before, old, narrow=narrow, parts=detail.parts)
            before = Before(self.diff.before.graph.name, old, was)
        return CardBox(model, card, opened, detail, mark=mark, before=before)

    def share(self, pair: CardPair) -> float:
        """Share of a card in the network that has it."""
        old, new = pair
        return self.diff.after.card_share(new) if new is not None else self.diff.before.card_share(old) if old else 0.0

    # ---- drawing

    def facts(self) -> list[str]:
        """Totals of both networks, and their ratio."""
        one, two = self.diff.before, self.diff.after
        old, new = one.graph.root.totals, two.graph.root.totals
        found = [
            f"{si(old.params)} to {si(new.params)} parameters{change(old.params, new.params)}",
            f"{si(old.macs)} to {si(new.macs)} multiply-adds{change(old.macs, new.macs)}",
        ]
        if two.costs.facts:
            old_ms, new_ms = (f"{1e3 * model.costs.total:.3g}" for model in (one, two))
            rest = two.costs.facts.partition(" ms ")[2]
            found.append(f"at least {old_ms} to {new_ms} ms{change(one.costs.total, two.costs.total)} {rest}")
        return found

    def draw_head(self, scene: Scene, room: float) -> float:
        """Draw the names and the totals; returns where the body begins."""
        base = MARGIN + 13
        title = cut(f"{self.diff.before.graph.name}  →  {self.diff.after.graph.name}", 15, room, bold=True)
        scene.text((MARGIN, base), title, 15, bold=True)
        for line in flowed(self.facts(), room):
            base += 11
            scene.text((MARGIN, base), line, 7, style="y")
        return base + 14

    def draw_pairs(self, scene: Scene, pairs: Sequence[Pair], top: float) -> None:
        """Draw both chains and what stands between them."""
        left, right = MARGIN + GUTTER, MARGIN + GUTTER + BOX + MIDDLE
        middle = (left + BOX + right) / 2
        for x, model in ((left, self.diff.before), (right, self.diff.after)):
            name = cut(model.graph.name, 7.4, BOX, bold=True)
            scene.text((x + BOX / 2, top + 6), name, 7.4, bold=True, anchor="middle")
        scene.text((middle, top + 2), "what the change adds:", 6.2, anchor="middle", style="y")
        scene.text((middle, top + 10), "multiply-adds, parameters" + self.third, 6.2, anchor="middle", style="y")
        y = top + LEAD
        for pair in pairs:
            pair.y = y
            y += pair.h + pair.gap
        self.draw_bands(scene, pairs)
        self.draw_lines(scene, pairs, left + BOX / 2, [pair.before for pair in pairs], top)
        self.draw_lines(scene, pairs, right + BOX / 2, [pair.after for pair in pairs], top)
        for pair in pairs:
            for x, row in ((left, pair.before), (right, pair.after)):
                if row is not None:
                    draw_row(scene, row, pair, x)
            self.draw_middle(scene, pair, left + BOX, right)
            # Beside the border, so that a badge in the box stays free.
            for x, row in ((left + BOX + 2.5, pair.before), (right - 2.5, pair.after)):
                if row is not None and pair.kind != "same":
                    draw_sign(scene, (x, pair.y + pair.h / 2), pair.kind)

    @property
    def third(self) -> str:
        """Name of the third figure, if it is neither of the others."""
        noun = self.diff.after.costs.noun
        return "" if noun in {"", "multiply-adds", "parameters"} else f", {noun}"

    def draw_bands(self, scene: Scene, pairs: Sequence[Pair]) -> None:
        """Draw a band for each section, with its name."""
        top = pairs[0].y if pairs else 0.0
        for at, pair in enumerate(pairs):
            if pair.last:
                scene.rect((MARGIN, top - 4.5, CHAINS, pair.y + pair.h - top + 9), "st", 4)
                size = 8.0 if width(pair.section, 8, bold=True) < GUTTER - 6 else 6.4
                name = cut(pair.section, size, GUTTER - 8, bold=True)
                scene.text((MARGIN + 4, top + 6.5), name, size, bold=True)
                top = pairs[at + 1].y if at + 1 < len(pairs) else 0.0

    def draw_lines(self, scene: Scene, pairs: Sequence[Pair], x: float, rows: Sequence[Row | None], top: float) -> None:
        """Draw the line down one chain, with the shapes at the ends of its sections."""
        rows_of_sections = {pair.section: row for pair, row in zip(pairs, rows, strict=True) if row is not None}
        final = list(rows_of_sections)[-1:]
        below = top + 9
        for pair, row in zip(pairs, rows, strict=True):
            if row is not None:
                start = pair.y + (pair.h - row.element.h) / 2
                scene.line([(x, below), (x, start)], arrow=True)
                below = start + row.element.h
            shown = rows_of_sections.get(pair.section)
            if pair.last and shown is not None and pair.section not in final:
                # Between the bands of two sections.
                scene.text((x + 4.5, pair.y + pair.h + pair.gap / 2 + 2), shape_text(shown.shape), 6.2)
        scene.line([(x, below), (x, below + 13)], arrow=True)

    def draw_middle(self, scene: Scene, pair: Pair, left: float, right: float) -> None:
        """Draw that a pair is equal, or what its change adds: a bar and figures."""
        y, x = pair.y + pair.h / 2, (left + right) / 2
        if pair.kind == "same":
            scene.line([(left + 4, y), (x - 7, y)], "eq")
            scene.line([(x + 7, y), (right - 4, y)], "eq")
            scene.text((x, y + 2.6), "=", 7.4, anchor="middle", style="y")
            return
        delta = pair.delta
        if pair.kind == "altered" and not any(delta):
            lines = settings_of(pair)
            for at, text in enumerate(lines):
                scene.text((x, y + 2.2 + 8 * (at - (len(lines) - 1) / 2)), text, 6.2, anchor="middle", style="y")
            return
        wide = abs(delta.macs) / self.largest * (MIDDLE / 2 - 12)
        ink = "rei" if delta.macs > 0 else "adi"
        if wide > 0.05:
            scene.rect((x - wide if delta.macs < 0 else x, y - 10.5, wide, 4.5), ink, 1)
        scene.line([(x, y - 12), (x, y - 4.5)])
        scene.text((x, y + 2.6), f"{signed(delta.macs)} multiply-adds", 6.4, bold=True, anchor="middle", style=ink)
        figures = f"{signed(delta.params)} param."
        if self.third == ", time":
            figures += f", {signed_ms(delta.cost)} ms"
        elif self.third:
            figures += f", {signed(delta.cost)} B"
        scene.text((x, y + 10), figures, 6.2, anchor="middle", style="y")

    def draw_legend(self, scene: Scene, y: float, layout: DiffLayout, shown: int) -> float:
        """Draw the meaning of signs and colors; returns where it ends."""
        legend = Legend(scene, layout.width, y)
        kinds = {pair.kind for pair in self.diff.pairs}
        for kind, sign in SIGNS.items():
            if kind in kinds:
                legend.entry(30 if sign else 24, kind, lambda x, y, kind=kind: draw_swatch(scene, x, y, kind))
        if layout.cards and self.diff.after.costs.total:
            legend.steps(f"opened blocks: share of the {self.diff.after.costs.noun}")
        if hidden := len(self.diff.pairs) - shown:
            legend.entry(0, f"{hidden} rows are not shown, for want of room.", None, style="y")
        if layout.left_out:
            legend.entry(0, f"{layout.left_out} changed blocks are not opened, for want of room.", None, style="y")
        return legend.y + 9


def settings_of(pair: Pair) -> list[str]:
    """Settings of ops that differ in a change that costs nothing, in lines."""
    assert pair.before is not None
    assert pair.after is not None
    found: list[str] = []
    for one, two in zip(pair.before.places, pair.after.places, strict=False):
        old, new = one.scope.op, two.scope.op
        if old is not None and new is not None and old.name == new.name:
            names = [name for name in old.fields if getattr(old, name) != getattr(new, name)]
            for name in names:
                values = getattr(old, name), getattr(new, name)
                numbers = all(isinstance(value, int | float) for value in values)
                found.append(f"{old.name}.{name}" + (f" {values[0]:g} → {values[1]:g}" if numbers else ""))
    return wrapped(", ".join(dict.fromkeys(found)) or "settings inside", 6.2, MIDDLE - 16, 3, at=",")


def draw_row(scene: Scene, row: Row, pair: Pair, x: float) -> None:
    """Draw a box of a chain, in the color of its change."""
    assert isinstance(row.element, Box)
    row.element.draw_wide(scene, x, pair.y + (pair.h - row.element.h) / 2, BOX, FILLS[pair.kind], "i")


def draw_sign(scene: Scene, at: Point, kind: Kind) -> None:
    """Draw the sign of a change in a disc."""
    scene.circle(at, 4.6, f"{FILLS[kind]}i")
    scene.text((at[0], at[1] + 2.5), SIGNS[kind], 7.4, bold=True, anchor="middle", style="v")


def draw_swatch(scene: Scene, x: float, y: float, kind: Kind) -> None:
    """Draw a box of the legend."""
    scene.rect((x, y, 20, 8.6), f"bx {FILLS[kind]}", 1.5)
    if SIGNS[kind]:
        draw_sign(scene, (x + 20, y + 4.3), kind)


def height_of(pairs: Sequence[Pair]) -> float:
    """Height of the chains."""
    return LEAD + sum(pair.h + pair.gap for pair in pairs) - (pairs[-1].gap if pairs else 0) + 14


def shortened(pairs: Sequence[Pair]) -> list[Pair]:
    """Pairs that fit a page: if there are too many, equal ones go first, then the cheapest changes."""
    room = A4[1] - 2 * MARGIN - HEAD - FOOT
    kept = list(pairs)
    while height_of(kept) > room and len(kept) > 1:
        equal = [pair for pair in kept if pair.kind == "same"]
        gone = equal[len(equal) // 2] if equal else min(kept, key=lambda pair: abs(pair.delta.macs))
        at = kept.index(gone)
        if gone.last and at and kept[at - 1].section == gone.section:
            kept[at - 1].last = True
        kept.remove(gone)
    return kept


def change(before: float, after: float) -> str:
    """Difference in percent."""
    if not before:
        return ""
    percent = 100 * (after / before - 1)
    return f" ({'+' if percent > 0 else '–' if percent < 0 else '±'}{abs(percent):.0f} %)"


def signed(value: float) -> str:
    """Number with its sign."""
    return f"{'+' if value > 0 else '–' if value < 0 else '±'}{si(abs(value))}"


def signed_ms(seconds: float) -> str:
    """Milliseconds with their sign."""
    return f"{'+' if seconds > 0 else '–' if seconds < 0 else '±'}{abs(1e3 * seconds):.2f}"
