"""Layout of a tree: each element knows its size and where its axis is, then draws itself into the scene.

An element is entered at the top of its axis and left at its exits, mostly the bottom of its axis; a row whose outputs
are collected has an exit for each.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction

from archdsl.backends.pictures.labels import Line, Words
from archdsl.backends.pictures.model import Model
from archdsl.backends.pictures.scene import Point, Scene
from archdsl.backends.pictures.text import width, wrapped
from archdsl.backends.pictures.themes import step_of
from archdsl.backends.pictures.tree import (
    Frame,
    Input,
    Layer,
    Parallel,
    Pick,
    Reference,
    Repeat,
    Series,
    Site,
    Times,
    Tree,
    Web,
)
from archdsl.graph import Scope

MAIN, SMALL = 7.0, 6.2
MAIN_LINE, SMALL_LINE = 8.6, 7.4
GAP, BRANCH_GAP = 9.0, 7.0
RADIUS = 5.5
BAR = 11.5
MOST_SHOWN = 5
"""Collected layers that are drawn one by one."""


class Element:
    """Part with a size; `axis` is the way in, `exits` the ways out, from the left."""

    w = h = axis = 0.0
    arrow = True
    """Whether the line that enters ends in an arrowhead."""
    over = 0.0
    """Height of what stands out above its top."""

    @property
    def exits(self) -> list[float]:
        """Ways out at the bottom."""
        return [self.axis]

    def draw(self, scene: Scene, x: float, y: float) -> None:
        """Draw the element with its upper left corner at a point."""
        raise NotImplementedError

    def cover(self, exits: Sequence[float]) -> bool:
        """Become wide enough for lines that enter beside the axis (relative to it); False if that is not possible."""
        return len(exits) == 1 and abs(exits[0]) < 0.05


class Bare(Element):
    """Plain line, with a label at its side: a part of the channels, or an input's name."""

    arrow = False

    def __init__(self, label: str = "", h: float = 0.0) -> None:
        self.label, self.h = label, h
        self.axis = 6.0
        self.w = 12.0 + (width(label, SMALL) if label else 0.0)

    def draw(self, scene: Scene, x: float, y: float) -> None:
        scene.line([(x + self.axis, y), (x + self.axis, y + self.h)])
        self.draw_label(scene, x, y + max(self.h - 1, 8))

    def draw_label(self, scene: Scene, x: float, y: float) -> None:
        """Draw the label beside the line."""
        scene.text((x + self.axis + 3.5, y), self.label, SMALL, style="y")


class Box(Element):
    """Lines of text in a box, colored by its share of the cost; a badge refers to a card."""

    def __init__(
        self, lines: Sequence[Line], share: float, *, dashed: bool = False, badge: str = "", title: str = ""
    ) -> None:
        self.lines, self.share, self.dashed, self.badge, self.title = lines, share, dashed, badge, title
        self.pad = 14.0 + 3.4 * (len(badge) - 1) if badge else 0.0
        text = max((width(line.text, size_of(line), bold=line.main) for line in lines), default=0.0)
        self.w = max(34.0, text + 8 + self.pad)
        self.h = (17.0 if badge else 4.0 + MAIN_LINE) if len(lines) == 1 and lines[0].main else 4.0 + text_height(lines)
        self.axis = self.w / 2

    def cover(self, exits: Sequence[float]) -> bool:
        left = max(self.axis, -min(exits) + 7)
        self.w = left + max(self.w - self.axis, max(exits) + 7)
        self.axis = left
        return True

    def draw(self, scene: Scene, x: float, y: float) -> None:
        self.draw_wide(scene, x, y, self.w)

    def draw_wide(self, scene: Scene, x: float, y: float, w: float, fill: str = "", ink: str = "") -> None:
        """Draw the box as wide as others."""
        step = step_of(self.share)
        area = (x, y, w, self.h)
        style = f"bx {fill or f'f{step}'}{' d' if self.dashed else ''}"
        scene.rect(area, style, 2.2, solid=True, title=self.title)
        if self.badge:
            scene.rect((x + 1.4, y + 1.4, w - 2.8, self.h - 2.8), "in", 1.4)
            draw_badge(scene, (x + 8.5, y + self.h / 2), self.badge)
        # A badge pushes the text aside only where it would touch it.
        middle = x + (w + (self.pad - 4 if self.badge and w < self.w + 24 else 0)) / 2
        below = y + (self.h - text_height(self.lines)) / 2
        for line in self.lines:
            below += MAIN_LINE if line.main else SMALL_LINE
            at = (middle, below - (2.2 if line.main else 1.8))
            size = size_of(line)
            scene.text(at, line.text, size, bold=line.main, anchor="middle", style=ink or f"k{step}", inside=area)


def size_of(line: Line) -> float:
    """Size of a line of text."""
    return MAIN if line.main else SMALL


def text_height(lines: Iterable[Line]) -> float:
    """Height of lines of text."""
    return sum(MAIN_LINE if line.main else SMALL_LINE for line in lines)


def draw_badge(scene: Scene, at: Point, letter: str, radius: float = 4.6) -> None:
    """Letter of a card in a disc, or in a pill if it is longer."""
    extra = 3.4 * (len(letter) - 1)
    if extra:
        scene.rect((at[0] - radius, at[1] - radius, 2 * radius + extra, 2 * radius), "bg", radius)
    else:
        scene.circle(at, radius, "bg")
    scene.text((at[0] + extra / 2, at[1] + 2.3), letter, 6.4, bold=True, anchor="middle", style="w")


class Gathered(Element):
    """Several lines that become one."""

    arrow = False
    h = 4.0

    def __init__(self, exits: Sequence[float]) -> None:
        self.axis = -min(0.0, *exits)
        self.ways = [self.axis + each for each in exits]
        self.w = max(self.ways)

    def draw(self, scene: Scene, x: float, y: float) -> None:
        for way in self.ways:
            scene.line([(x + way, y), (x + way, y + self.h), (x + self.axis, y + self.h)], radius=2)


class Stack(Element):
    """Elements in series along one axis."""

    def __init__(self, given: Sequence[Element]) -> None:
        items: list[Element] = []
        for item in given:
            exits = [each - items[-1].axis for each in items[-1].exits] if items else [0.0]
            items += [item] if item.cover(exits) else [Gathered(exits), item]
        self.items = items
        self.axis = max(item.axis for item in items)
        self.w = self.axis + max(item.w - item.axis for item in items)
        self.h = sum(item.h for item in items) + GAP * (len(items) - 1)
        self.arrow, self.over = items[0].arrow, items[0].over

    @property
    def exits(self) -> list[float]:
        return [self.axis - self.items[-1].axis + each for each in self.items[-1].exits] if self.items else [self.axis]

    def draw(self, scene: Scene, x: float, y: float) -> None:
        for at, item in enumerate(self.items):
            item.draw(scene, x + self.axis - item.axis, y)
            y += item.h
            if at + 1 < len(self.items):
                for each in item.exits:
                    line_x = x + self.axis - item.axis + each
                    scene.line([(line_x, y), (line_x, y + GAP)], arrow=self.items[at + 1].arrow)
            y += GAP


class Joined(Element):
    """Sum or product of two branches: the first runs straight, the other at its right into the circle."""

    arrow = False

    def __init__(self, main: Element, side: Element, sign: str, *, dashed: bool = False) -> None:
        self.main, self.side, self.sign, self.dashed = main, side, sign, dashed
        self.axis = main.axis
        self.side_x = main.w + BRANCH_GAP if side.h else main.w + 1
        # A sum's circle must not touch a bypass beside a narrow main branch.
        self.side_x = max(self.side_x, self.axis + RADIUS + 9 - side.axis)
        self.w = self.side_x + side.w
        self.top = 8.0 if main.h or side.h else 3.0
        self.zone = max(main.h, side.h)
        self.h = self.top + self.zone + 7 + 2 * RADIUS

    def draw(self, scene: Scene, x: float, y: float) -> None:
        axis, top = x + self.axis, y + self.top
        center = y + self.h - RADIUS
        style = "r" if self.sign == "+" else "g"
        side_style = f"{style} d" if self.dashed else style
        side_x = x + self.side_x + self.side.axis
        scene.line([(axis, y), (axis, top)], arrow=self.main.h > 0 and self.main.arrow)
        self.main.draw(scene, x, top)
        scene.line([(axis, top + self.main.h), (axis, center - RADIUS)], arrow=True)
        if self.side.h:
            scene.line([(axis, y + 2), (side_x, y + 2), (side_x, top)], side_style, arrow=self.side.arrow)
            self.side.draw(scene, x + self.side_x, top)
            scene.line([(side_x, top + self.side.h), (side_x, center), (axis + RADIUS, center)], side_style, arrow=True)
        else:
            self.side.draw(scene, x + self.side_x, top)
            turn = [(axis, y + 2), (side_x, y + 2), (side_x, center), (axis + RADIUS, center)]
            scene.line(turn, side_style, 7, arrow=True)
        scene.circle((axis, center), RADIUS, f"o {style}", "+" if self.sign == "+" else "×")


class Forked(Element):
    """Branches side by side into a bar (a concat), or with exits of their own."""

    arrow = False

    def __init__(self, branches: Sequence[Element], label: str = "", title: str = "", *, forks: bool = True) -> None:
        self.branches, self.label, self.title, self.forks = branches, label, title, forks
        self.top = 12.0 if forks else 0.0
        self.at: list[float] = []
        x = 0.0
        for branch in branches:
            self.at.append(x)
            x += branch.w + BRANCH_GAP
        self.w = x - BRANCH_GAP
        self.zone = max((branch.h for branch in branches), default=0.0)
        outs = [at + each for at, branch in zip(self.at, branches, strict=True) for each in branch.exits]
        self.low, self.high = min(outs) - 7, max(outs) + 7
        missing = (width(label, MAIN, bold=True) + 10 if label else 0.0) - (self.high - self.low)
        if missing > 0:
            self.low, self.high = self.low - missing / 2, self.high + missing / 2
        shift = max(0.0, -self.low)
        self.at = [at + shift for at in self.at]
        self.low, self.high = self.low + shift, self.high + shift
        self.w = max(self.w + shift, self.high)
        self.axis = (self.low + self.high) / 2
        self.h = self.top + self.zone + (12 + BAR if label else 0)

    @property
    def exits(self) -> list[float]:
        if self.label:
            return [self.axis]
        return [at + each for at, branch in zip(self.at, self.branches, strict=True) for each in branch.exits]

    def draw(self, scene: Scene, x: float, y: float) -> None:
        axis, top = x + self.axis, y + self.top
        bottom = top + self.zone + (12 if self.label else 0)
        for at, branch in zip(self.at, self.branches, strict=True):
            branch_x = x + at + branch.axis
            if self.forks:
                way = [(axis, y), (axis, y + 5), (branch_x, y + 5), (branch_x, top)]
                scene.line(way, radius=3, arrow=branch.h > 0 and branch.arrow)
            if isinstance(branch, Bare):
                branch.draw_label(scene, x + at, top + self.zone / 2 + 2)
            else:
                branch.draw(scene, x + at, top)
            for each in branch.exits:
                scene.line([(x + at + each, top + branch.h), (x + at + each, bottom)], arrow=bool(self.label))
        if self.label:
            area = (x + self.low, bottom, self.high - self.low, BAR)
            scene.rect(area, "cc", 3, solid=True, title=self.title)
            scene.text((axis, bottom + 8.2), self.label, MAIN, bold=True, anchor="middle", inside=area)


class Repeated(Element):
    """Dashed frame around what is repeated, with the count in a pill."""

    arrow = False
    over = 4.8

    def __init__(self, body: Element, label: str) -> None:
        self.body, self.label = body, label
        self.pill = width(label, 7.4, bold=True) + 8
        self.w = max(body.w + 14, self.pill + 16)
        self.body_x = (self.w - body.w) / 2
        self.axis = self.body_x + body.axis
        # The pill must not cover the line that enters.
        self.w += max(0.0, self.pill + 12 - (self.w - self.axis))
        self.h = body.h + 20

    def draw(self, scene: Scene, x: float, y: float) -> None:
        axis = x + self.axis
        scene.rect((x, y, self.w, self.h), "fr n", 5)
        scene.line([(axis, y), (axis, y + 10)], arrow=self.body.arrow)
        self.body.draw(scene, x + self.body_x, y + 10)
        for each in self.body.exits:
            exit_x = x + self.body_x + each
            scene.line([(exit_x, y + 10 + self.body.h), (exit_x, y + self.h - 4), (axis, y + self.h - 4)])
        scene.line([(axis, y + 10 + self.body.h), (axis, y + self.h)])
        left = x + self.w - self.pill - 4
        area = (left, y - 4.8, self.pill, 9.6)
        scene.rect(area, "bg", 4.8)
        scene.text((left + self.pill / 2, y + 2.6), self.label, 7.4, bold=True, anchor="middle", style="w", inside=area)


class Collected(Element):
    """Layers in a row, with a line from each into what joins them; of many, three with a gap."""

    def __init__(self, body: Element, counts: Sequence[int]) -> None:
        self.body = body
        every = set(counts)
        self.shown = max(every) if len(every) == 1 and max(every) <= MOST_SHOWN else 3
        self.label = "" if self.shown == max(every) and len(every) == 1 else "…"
        self.taps = self.shown - 1
        self.axis, self.arrow = body.axis, body.arrow
        self.tap_x = body.w + 5
        self.w = self.tap_x + 2.6 * self.taps + 2
        self.h = self.shown * body.h + 10 * self.taps + (8 if self.label else 0)

    @property
    def exits(self) -> list[float]:
        return [self.axis, *(self.tap_x + 2.6 * at for at in range(self.taps))]

    def draw(self, scene: Scene, x: float, y: float) -> None:
        bottom = y + self.h
        for at in range(self.shown):
            self.body.draw(scene, x, y)
            y += self.body.h
            if at + 1 == self.shown:
                break
            dotted = bool(self.label) and at + 2 == self.shown
            gap = 18.0 if dotted else 10.0
            tap = x + self.tap_x + 2.6 * (self.taps - 1 - at)
            axis = x + self.axis
            scene.line([(axis, y), (axis, y + gap)], "l d" if dotted else "l", arrow=True)
            if dotted:
                scene.text((axis + 4, y + gap - 3), self.label, SMALL, style="y")
            scene.line([(axis, y + 4), (tap, y + 4), (tap, bottom)], radius=3)
            y += gap


class Framed(Element):
    """Small block in a dotted frame under its name."""

    arrow = False

    def __init__(self, body: Element, name: str) -> None:
        self.body, self.name = body, name
        label = width(name, SMALL, bold=True) + 8
        self.axis = body.axis + 5
        self.w = max(body.w + 10, label + self.axis + 4)
        self.top = 11 + body.over
        self.h = self.top + body.h + 6

    def draw(self, scene: Scene, x: float, y: float) -> None:
        scene.rect((x, y, self.w, self.h), "nf n", 4)
        scene.text((x + self.w - 4, y + 7.6), self.name, SMALL, bold=True, anchor="end", style="y")
        axis = x + self.axis
        scene.line([(axis, y), (axis, y + self.top)], arrow=self.body.arrow)
        self.body.draw(scene, x + 5, y + self.top)
        scene.line([(axis, y + self.top + self.body.h), (axis, y + self.h)])


class Netted(Element):
    """Parts in execution order along one axis, with a lane at the right for each edge that skips some of them."""

    PORT, LANE, ENTRY = 3.6, 3.4, 5.0

    def __init__(self, parts: Sequence[Element], sources: Sequence[Sequence[int]], results: Sequence[int]) -> None:
        self.parts, self.results = parts, results
        skips = [(source, at) for at, reads in enumerate(sources) for source in reads if source != at - 1]
        skips += [(each, len(parts)) for each in results if each != len(parts) - 1]
        self.straight = {at for at, reads in enumerate(sources) if at - 1 in reads}
        self.lanes = lanes_of(skips)
        self.skips = sorted(skips, key=lambda each: (each[1], -each[0]))
        self.axis = max(part.axis for part in parts)
        self.body = self.axis + max(part.w - part.axis for part in parts)
        self.w = self.body + 6 + self.LANE * (max(self.lanes.values(), default=-1) + 1) + 4
        self.arrow = 0 in self.straight
        self.into = [[skip for skip in self.skips if skip[1] == at] for at in range(len(parts) + 1)]
        self.tops: list[float] = []
        y = 0.0
        for at, part in enumerate(parts):
            y += self.PORT * len(self.into[at]) + (4.0 if self.into[at] else 0.0)
            self.tops.append(y)
            y += part.h + GAP + (3.0 if any(source == at for source, _ in skips) else 0.0)
        self.h = y

    @property
    def exits(self) -> list[float]:
        lanes = [self.body + 6 + self.LANE * self.lanes[source] for source, at in self.skips if at == len(self.parts)]
        return [*([self.axis] if len(self.parts) - 1 in self.results else []), *sorted(lanes)]

    def draw(self, scene: Scene, x: float, y: float) -> None:
        axis = x + self.axis
        for at, part in enumerate(self.parts):
            top = y + self.tops[at]
            start = y if at == 0 else y + self.tops[at - 1] + self.parts[at - 1].h
            if at in self.straight:
                scene.line([(axis, start), (axis, top)], arrow=part.arrow)
            part.draw(scene, axis - part.axis, top)
        if len(self.parts) - 1 in self.results:
            scene.line([(axis, y + self.tops[-1] + self.parts[-1].h), (axis, y + self.h)])
        for source in dict.fromkeys(source for source, _ in self.skips):
            self.draw_lane(scene, x, y, source)

    def draw_lane(self, scene: Scene, x: float, y: float, source: int) -> None:
        """Draw the lane of one source, with a branch into each part that reads it."""
        axis = x + self.axis
        lane = x + self.body + 6 + self.LANE * self.lanes[source]
        start = y - 2 if source < 0 else y + self.tops[source] + self.parts[source].h + 2.5
        if source >= 0:
            scene.line([(axis, start - 2.5), (axis, start)])
        for skip in self.skips:
            if skip[0] == source:
                scene.line(
                    [(axis, start), (lane, start), *self.way(skip, x, y, lane)], radius=3, arrow=self.arrives(skip)
                )

    def way(self, skip: tuple[int, int], x: float, y: float, lane: float) -> list[Point]:
        """Way of an edge from its lane into a part, beside the part's other edges; or out at the bottom."""
        at = skip[1]
        if at == len(self.parts):
            return [(lane, y + self.h)]
        ports = self.into[at]
        top = y + self.tops[at]
        port = top - 4.5 - self.PORT * (len(ports) - 1 - ports.index(skip))
        entry = x + self.axis + self.ENTRY * (ports.index(skip) + (at in self.straight))
        return [(lane, port), (entry, port), (entry, top)]

    def arrives(self, skip: tuple[int, int]) -> bool:
        """Tell whether an edge ends in an arrowhead."""
        return skip[1] < len(self.parts) and self.parts[skip[1]].arrow


def lanes_of(skips: Iterable[tuple[int, int]]) -> Mapping[int, int]:
    """Lane of each source, so that no two overlap: the leftmost that is free over its whole length."""
    ends: dict[int, int] = {}
    for source, target in skips:
        ends[source] = max(ends.get(source, source), target)
    taken: list[int] = []
    found: dict[int, int] = {}
    for source, end in sorted(ends.items()):
        lane = next((at for at, last in enumerate(taken) if last < source), len(taken))
        taken[lane:] = [end, *taken[lane + 1 :]]
        found[source] = lane
    return found


# ---- from trees ----------------------------------------------------------------------------------------------------


class Maker:
    """Elements of trees, in terms of one card's numbers. `narrow` breaks the widest labels."""

    def __init__(
        self, model: Model, words: Words, runs: Mapping[Scope, int] | None, *, narrow: bool = False, most: int = 24
    ) -> None:
        self.model, self.words, self.runs, self.narrow, self.most = model, words, runs, narrow, most

    def series(self, tree: Series) -> Element:
        """Elements in series; of too many, the first and last."""
        shown = [item for item in tree.items if not isinstance(item, Pick)] or list(tree.items)
        left_out = len(shown) - self.most
        if left_out > 0:
            head, tail = shown[: self.most // 2], shown[-(self.most // 2) :]
            middle = shown[len(head) : len(shown) - len(tail)]
            elements = [*self.stacked(head, tree.times), self.rest(middle), *self.stacked(tail, tree.times)]
        else:
            elements = self.stacked(shown, tree.times)
        return elements[0] if len(elements) == 1 else Stack(elements)

    def stacked(self, items: Sequence[Tree], times: Times) -> list[Element]:
        """Element of each item."""
        return [self.element(item, times) for item in items]

    def rest(self, items: Sequence[Tree]) -> Element:
        """Box that stands for parts that there is no room for."""
        share = sum(self.model.share(item, self.runs) for item in items)
        return Box([Line(f"… {len(items)} more", True)], share, title=titled(f"{len(items)} more", share, self.model))

    def element(self, tree: Tree, times: Times) -> Element:
        """Element of a part; dashed if its surroundings run more often."""
        dashed = dict(tree.times) != dict(times)
        if isinstance(tree, Layer | Reference):
            return self.box(tree, dashed=dashed)
        if isinstance(tree, Parallel):
            return self.parallel(tree, dashed=dashed)
        if isinstance(tree, Repeat):
            return self.repeat(tree)
        if isinstance(tree, Frame):
            body = self.series(tree.body)
            return Framed(body, tree.name) if tree.name and len(body.exits) == 1 else body
        if isinstance(tree, Series):
            return self.series(tree)
        if isinstance(tree, Web):
            return self.web(tree)
        return (
            Bare(tree.name, 7.0) if isinstance(tree, Input) else Bare(self.pick(tree) if isinstance(tree, Pick) else "")
        )

    def box(self, tree: Layer | Reference, *, dashed: bool) -> Box:
        """Box of a layer, or of a block with a card."""
        share = self.model.share(tree, self.runs)
        if isinstance(tree, Reference):
            name = tree.card.name
            return Box(
                [Line(name, True)], share, dashed=dashed, badge=tree.card.letter, title=titled(name, share, self.model)
            )
        lines = self.words.layer(tree)
        title = titled(" ".join(line.text for line in lines), share, self.model)
        if self.narrow:
            lines = [part for line in lines for part in broken(line)]
        return Box(lines, share, dashed=dashed, title=title)

    def repeat(self, tree: Repeat) -> Element:
        """Repeated or collected body."""
        body = self.series(tree.body)
        counts = [count for _, count in tree.counts]
        if tree.collects and len(body.exits) == 1:
            return Collected(body, counts)
        if set(counts) == {1}:
            return body
        return Repeated(body, f"× {self.words.numbers.text(tree.counts, '', 'count')}")

    def pick(self, tree: Pick) -> str:
        """Label of one of a list's tensors: its share of the channels, or their number."""
        every = {channels for _, channels in tree.channels}
        if len(every) == 1:
            return str(every.pop()) if every != {0} else ""
        shares = {Fraction(channels, inputs_of(owner)) for owner, channels in tree.channels}
        if len(shares) == 1:
            share = str(shares.pop())
            return f"{ {'1/2': '½', '1/4': '¼', '3/4': '¾'}.get(share, share) } C".replace("1 C", "C")
        return self.words.numbers.text(tree.channels)

    def parallel(self, tree: Parallel, *, dashed: bool) -> Element:
        """Branches, and what joins them."""
        branches = [self.series(branch) if branch.items else Bare() for branch in tree.branches]
        if tree.join is None or tree.open:
            return Forked(branches)
        name = tree.join.name
        single = all(len(branch.exits) == 1 for branch in branches)
        if name in {"add", "multiply"} and len(branches) == 2 and single:
            main = self.main_branch(tree.join, branches)
            return Joined(branches[main], branches[1 - main], "+" if name == "add" else "×", dashed=dashed)
        label = {"add": "sum", "multiply": "product"}.get(name) or self.words.op(tree.join)[0]
        share = self.model.cost(tree.join.places, self.runs) / (self.model.costs.total or 1.0)
        return Forked(self.few(branches, tree), label, titled(label, share, self.model))

    def few(self, branches: Sequence[Element], tree: Parallel) -> Sequence[Element]:
        """Branches; of too many, the first and last."""
        most = max(4, self.most // 2)
        if len(branches) <= most:
            return branches
        middle = tree.branches[most - 2 : -1]
        return [*branches[: most - 2], self.rest(middle), branches[-1]]

    def main_branch(self, join: Site, branches: Sequence[Element]) -> int:
        """Branch that runs straight: the map that is weighed, or the longer side of a sum."""
        scope = join.places[0].scope
        shapes = scope.inputs[0] if len(scope.inputs) == 1 else scope.inputs
        if join.name == "multiply":
            return next((at for at, shape in enumerate(shapes[:2]) if shape == scope.output), 0)
        return 0 if branches[0].h >= branches[1].h else 1

    def web(self, tree: Web) -> Element:
        """Parts with edges that cross."""
        parts = [one_box(self.element(part, tree.times), part) for part in tree.parts]
        for part, reads in zip(parts, tree.sources, strict=True):
            part.cover([0.0, *(Netted.ENTRY * at for at in range(1, len(reads)))])
        if len(parts) > self.most:
            return self.rest(tree.parts)
        return Netted(parts, tree.sources, tree.results)


def one_box(element: Element, tree: Tree) -> Element:
    """Element with a single way out, that is more than a line."""
    if len(element.exits) == 1 and not isinstance(element, Bare):
        return element
    return Box([Line(tree.name if isinstance(tree, Input) else "list")], 0.0)


def inputs_of(owner: Scope) -> int:
    """Channels of a block's first tensor."""
    first: object = owner.inputs[0]
    while isinstance(first, tuple):
        first = first[0]
    return int(first)  # type: ignore[call-overload]


def titled(text: str, share: float, model: Model) -> str:
    """Text that a pointer shows over a box."""
    return f"{text}: {100 * share:.1f} % of the {model.costs.noun}" if model.costs.total else text


def broken(line: Line) -> list[Line]:
    """Label in two lines: `3×3 conv` and `256`."""
    head, comma, tail = line.text.rpartition(", ")
    if line.main and comma:
        return [Line(head, True), Line(tail, True)]
    return [Line(part) for part in wrapped(line.text, SMALL, 48, 3, at=",")] if not line.main else [line]
