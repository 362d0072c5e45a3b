"""What can be seen to be wrong with a picture: overlaps, what is cut, what is too small."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, pairwise

from archdsl.backends.pictures.scene import Area, Circle, Polyline, Rect, Scene, Text

SMALLEST = 6.0
A4 = (595.3, 841.9)
PANELS = {"pn", "st"}
TOUCH = 0.3
"""Points by which things may touch that stand beside each other."""


def faults(scene: Scene) -> list[str]:
    """Everything wrong with a picture."""
    return [*of_page(scene), *of_texts(scene), *of_boxes(scene), *of_panels(scene), *of_lines(scene)]


def of_page(scene: Scene) -> Iterator[str]:
    """A page larger than A4, and what lies outside of it."""
    if not any(scene.width <= w + 0.1 and scene.height <= h + 0.1 for w, h in (A4, A4[::-1])):
        yield f"page of {scene.width:.0f} x {scene.height:.0f}"
    for item in scene.items:
        for x, y in corners(item):
            if not (0 <= x <= scene.width and 0 <= y <= scene.height):
                yield f"cut at {x:.0f}, {y:.0f}: {item}"
                break


def corners(item: object) -> list[tuple[float, float]]:
    """Points that lie at the border of an item."""
    if isinstance(item, Rect | Text):
        x, y, w, h = item.area
        return [(x, y), (x + w, y + h)]
    if isinstance(item, Circle):
        (x, y), r = item.center, item.radius
        return [(x - r, y - r), (x + r, y + r)]
    return list(getattr(item, "points", ()))


def of_texts(scene: Scene) -> Iterator[str]:
    """Texts that are too small, larger than their box, or over each other."""
    texts = [item for item in scene.items if isinstance(item, Text)]
    for text in texts:
        if text.size < SMALLEST:
            yield f"{text.size} pt: {text.text}"
        if text.inside and not within(text.area, text.inside):
            yield f"larger than its box: {text.text}"
    for one, two in combinations(texts, 2):
        if overlap(one.area, two.area):
            yield f"texts: {one.text} | {two.text}"


def of_boxes(scene: Scene) -> Iterator[str]:
    """Boxes over each other, or over a text that is not theirs."""
    boxes = [item for item in scene.items if isinstance(item, Rect) and item.solid]
    for one, two in combinations(boxes, 2):
        if overlap(one.area, two.area):
            yield f"boxes: {one.title} | {two.title} at {one.area[:2]}"
    for box in boxes:
        for text in scene.items:
            if isinstance(text, Text) and overlap(box.area, text.area) and not within(text.area, box.area):
                yield f"box over text: {box.title or box.area} | {text.text}"


def of_panels(scene: Scene) -> Iterator[str]:
    """Cards and bands over each other, and texts and boxes across their border."""
    panels = [item for item in scene.items if isinstance(item, Rect) and item.style in PANELS]
    for one, two in combinations(panels, 2):
        if overlap(one.area, two.area):
            yield f"panels at {one.area[:2]} and {two.area[:2]}"
    for panel in panels:
        for item in scene.items:
            if not isinstance(item, Text) and not (isinstance(item, Rect) and item.solid):
                continue
            if overlap(panel.area, item.area) and not within(item.area, panel.area):
                yield f"across the border of a panel: {getattr(item, 'text', '') or getattr(item, 'title', '')}"


def of_lines(scene: Scene) -> Iterator[str]:
    """Lines through boxes, texts and circles, and along each other."""
    solid = [item for item in scene.items if isinstance(item, Rect) and item.solid]
    texts = [item for item in scene.items if isinstance(item, Text)]
    circles = [item for item in scene.items if isinstance(item, Circle) and item.sign]
    lines = [item for item in scene.items if isinstance(item, Polyline)]
    for line in lines:
        for one, two in pairwise(line.points):
            area = min(one[0], two[0]), min(one[1], two[1]), abs(one[0] - two[0]), abs(one[1] - two[1])
            for box in solid:
                if crosses(area, box.area, 0.6):
                    yield f"line through box {box.title or box.area} at {one}, {two}"
            for text in texts:
                if crosses(area, text.area, 0.6):
                    yield f"line through text {text.text} at {one}, {two}"
            for circle in circles:
                (x, y), r = circle.center, circle.radius
                if crosses(area, (x - r, y - r, 2 * r, 2 * r), 1.0):
                    yield f"line through circle at {circle.center}"


def crosses(line: Area, box: Area, slack: float) -> bool:
    """Tell whether a straight line enters the inside of a box by more than a slack."""
    x, y, w, h = line
    left, top, wide, high = box
    return x + w > left + slack and x < left + wide - slack and y + h > top + slack and y < top + high - slack


def overlap(one: Area, two: Area) -> bool:
    """Tell whether two areas have more than their border in common."""
    return (
        min(one[0] + one[2], two[0] + two[2]) - max(one[0], two[0]) > TOUCH
        and min(one[1] + one[3], two[1] + two[3]) - max(one[1], two[1]) > TOUCH
    )


def within(inner: Area, outer: Area) -> bool:
    """Tell whether an area lies in another."""
    return (
        inner[0] >= outer[0] - TOUCH
        and inner[1] >= outer[1] - TOUCH
        and inner[0] + inner[2] <= outer[0] + outer[2] + TOUCH
        and inner[1] + inner[3] <= outer[1] + outer[3] + TOUCH
    )
