"""Flat list of what a picture consists of, in points from its upper left corner: the layout's result.

SVG is written from it, and the tests look at it: whether texts, boxes and lines overlap.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, NamedTuple

Point = tuple[float, float]
Area = tuple[float, float, float, float]
"""Left, top, width, height."""


class Rect(NamedTuple):
    """Rectangle; a `solid` one may touch nothing else that is solid, and no line may pass through it."""

    area: Area
    style: str
    radius: float = 2.0
    solid: bool = False
    title: str = ""


class Text(NamedTuple):
    """Line of text, from the start, middle or end of its baseline; `inside` is the box that it has to fit."""

    at: Point
    text: str
    size: float
    width: float
    bold: bool = False
    anchor: Literal["start", "middle", "end"] = "start"
    style: str = ""
    inside: Area | None = None

    @property
    def area(self) -> Area:
        """Bounding box of the letters."""
        left = self.at[0] - {"start": 0.0, "middle": 0.5, "end": 1.0}[self.anchor] * self.width
        return left, self.at[1] - 0.73 * self.size, self.width, 0.93 * self.size


class Polyline(NamedTuple):
    """Line with rounded corners, perhaps with an arrowhead."""

    points: tuple[Point, ...]
    style: str
    radius: float = 4.0
    arrow: bool = False


class Circle(NamedTuple):
    """Circle, with the sign of a sum or a product in it."""

    center: Point
    radius: float
    style: str
    sign: Literal["", "+", "×"] = ""


class Polygon(NamedTuple):
    """Filled polygon: a face of a small cuboid."""

    points: tuple[Point, ...]
    style: str


Item = Rect | Text | Polyline | Circle | Polygon


class Scene:
    """Items in the order in which they are painted."""

    def __init__(self) -> None:
        self.items: list[Item] = []
        self.width = self.height = 0.0
        self.title = self.description = ""

    def rect(self, area: Area, style: str, radius: float = 2.0, *, solid: bool = False, title: str = "") -> None:
        """Add a rectangle."""
        self.items.append(Rect(area, style, radius, solid, title))

    def line(self, points: Iterable[Point], style: str = "l", radius: float = 4.0, *, arrow: bool = False) -> None:
        """Add a polyline, without points that repeat the one before."""
        kept: list[Point] = []
        for x, y in points:
            if not kept or abs(x - kept[-1][0]) + abs(y - kept[-1][1]) > 0.05:
                kept.append((x, y))
        if len(kept) > 1:
            self.items.append(Polyline(tuple(kept), style, radius, arrow))

    def text(
        self,
        at: Point,
        text: str,
        size: float,
        *,
        bold: bool = False,
        anchor: Literal["start", "middle", "end"] = "start",
        style: str = "",
        inside: Area | None = None,
    ) -> None:
        """Add a line of text; nothing for an empty one."""
        from archdsl.backends.pictures.text import width

        if text:
            self.items.append(Text(at, text, size, width(text, size, bold=bold), bold, anchor, style, inside))

    def circle(self, center: Point, radius: float, style: str, sign: Literal["", "+", "×"] = "") -> None:
        """Add a circle."""
        self.items.append(Circle(center, radius, style, sign))

    def polygon(self, points: Iterable[Point], style: str) -> None:
        """Add a polygon."""
        self.items.append(Polygon(tuple(points), style))
