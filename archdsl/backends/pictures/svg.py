"""Scene → SVG: one file that needs nothing else, the same bytes each time. All text is escaped."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from math import hypot
from typing import Any

from archdsl.backends.pictures.scene import Circle, Point, Polygon, Polyline, Rect, Scene, Text
from archdsl.backends.pictures.themes import THEMES, Theme, style_sheet
from archdsl.diagnostics.characters import on_one_line

ARROWS = {"l": "line", "r": "residual", "g": "gate"}
ANCHORS = {"start": "", "middle": "m", "end": "e"}


def svg(scene: Scene, theme: str = "light") -> str:
    """SVG of a scene in a theme."""
    colors = THEMES[theme]
    size = f'width="{number(scene.width)}pt" height="{number(scene.height)}pt"'
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {number(scene.width)} {number(scene.height)}" {size} '
        f'role="img"><title>{inert(scene.title)}</title><desc>{inert(scene.description)}</desc>'
        f"<style>{style_sheet(colors)}</style><defs>{markers(colors)}</defs>"
    )
    ground = f'<rect width="{number(scene.width)}" height="{number(scene.height)}" style="fill:{colors.ground}"/>'
    return "\n".join([head + ground, *(WRITERS[type(item)](item) for item in scene.items), "</svg>\n"])


POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def page(scene: Scene, theme: str = "light") -> str:
    """HTML page with a picture and nothing else; it may neither run nor load anything."""
    style = (
        f"body{{margin:0;background:{THEMES[theme].ground}}}svg{{display:block;margin:auto;max-width:100%;height:auto}}"
    )
    head = f'<meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="{POLICY}">'
    title = f"<title>{inert(scene.title)}</title>"
    body = f"<body>\n{svg(scene, theme)}</body>"
    return f'<!doctype html>\n<html lang="en"><head>{head}{title}<style>{style}</style></head>{body}</html>\n'


def inert(text: str) -> str:
    """Text that is nothing but text, in SVG as in HTML."""
    # A CI takes `##[error]` for a command wherever it stands in a line.
    return escape(on_one_line(text)).replace("##", "#&#35;")


def number(value: float) -> str:
    """Coordinate with one digit; the same text for the same place."""
    text = f"{value:.1f}"
    return text[:-2] if text.endswith(".0") else text


def markers(theme: Theme) -> str:
    """Arrowheads, one for each color of lines."""
    return "".join(
        f'<marker id="{name}" viewBox="0 0 6 6" refX="5.4" refY="3" markerWidth="4.6" markerHeight="4.6" '
        f'markerUnits="userSpaceOnUse" orient="auto"><path d="M0 .6L5.6 3L0 5.4Z" '
        f'style="fill:{getattr(theme, color)}"/></marker>'
        for name, color in ARROWS.items()
    )


def written_rect(item: Rect) -> str:
    """Rectangle; its title is what a pointer over it shows."""
    x, y, w, h = map(number, item.area)
    tag = f'<rect x="{x}" y="{y}" width="{w}" height="{h}" rx="{number(item.radius)}" class="{item.style}"'
    return f"{tag}><title>{inert(item.title)}</title></rect>" if item.title else f"{tag}/>"


def written_text(item: Text) -> str:
    """Text of a fixed length."""
    names = " ".join(filter(None, ["b" if item.bold else "", ANCHORS[item.anchor], item.style]))
    x, y = map(number, item.at)
    return (
        f'<text x="{x}" y="{y}" font-size="{item.size:g}"{f" class={chr(34)}{names}{chr(34)}" if names else ""} '
        f'textLength="{number(item.width)}" lengthAdjust="spacingAndGlyphs">{inert(item.text)}</text>'
    )


def written_line(item: Polyline) -> str:
    """Polyline as a path."""
    end = f' marker-end="url(#{item.style.split()[0]})"' if item.arrow else ""
    return f'<path d="{rounded(item.points, item.radius)}" class="n {item.style}"{end}/>'


def rounded(points: tuple[Point, ...], radius: float) -> str:
    """Path along points, with rounded corners."""
    parts = [f"M{pair(points[0])}"]
    for before, corner, behind in zip(points, points[1:], points[2:], strict=False):
        one, two = (
            hypot(corner[0] - before[0], corner[1] - before[1]),
            hypot(behind[0] - corner[0], behind[1] - corner[1]),
        )
        reach = min(radius, one / 2, two / 2)
        start, end = between(corner, before, reach / one), between(corner, behind, reach / two)
        parts.append(f"L{pair(start)}Q{pair(corner)} {pair(end)}")
    return "".join([*parts, f"L{pair(points[-1])}"])


def between(start: Point, end: Point, share: float) -> Point:
    """Point on the way from one to another."""
    return start[0] + (end[0] - start[0]) * share, start[1] + (end[1] - start[1]) * share


def pair(point: Point) -> str:
    """Coordinates of a point."""
    return f"{number(point[0])} {number(point[1])}"


def written_circle(item: Circle) -> str:
    """Circle, and its sign."""
    (x, y), r = item.center, item.radius
    circle = f'<circle cx="{number(x)}" cy="{number(y)}" r="{number(r)}" class="{item.style}"/>'
    if not item.sign:
        return circle
    d = 0.55 * r if item.sign == "+" else 0.41 * r
    ends = [((x - d, y), (x + d, y)), ((x, y - d), (x, y + d))]
    if item.sign == "×":
        ends = [((x - d, y - d), (x + d, y + d)), ((x - d, y + d), (x + d, y - d))]
    strokes = "".join(f"M{pair(one)}L{pair(two)}" for one, two in ends)
    return f'{circle}<path d="{strokes}" class="{item.style.removeprefix("o ")} sg"/>'


def written_polygon(item: Polygon) -> str:
    """Polygon as a closed path."""
    return f'<path d="M{"L".join(map(pair, item.points))}Z" class="{item.style}"/>'


WRITERS: dict[type, Callable[[Any], str]] = {
    Rect: written_rect,
    Text: written_text,
    Polyline: written_line,
    Circle: written_circle,
    Polygon: written_polygon,
}
