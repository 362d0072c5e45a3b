"""Pictures of comparisons, drawn by matplotlib: bars for each figure, and the Pareto front of many networks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from archdsl.analyses.comparison import Comparison, front
from archdsl.analyses.figures import FIGURES
from archdsl.commands._output import write_whole
from archdsl.commands._tables import short
from archdsl.diagnostics import catalog

# Number of networks from which on the Pareto front is drawn.
MANY = 4
FIRST, OTHER, EDGE = "#1b6ca8", "#9bbcd8", "#c8553d"
MUTED = "#666666"
# Approximate width and height of a character of a name, in points.
LETTER, LINE = 4.9, 10.0


def draw(found: Comparison, path: Path) -> None:
    """Write the picture; raises ArchError if matplotlib is missing."""
    figure = picture(found)
    kind = path.suffix.removeprefix(".")
    # No dates and versions, so that equal networks give equal files.
    metadata = {"Date": None} if kind == "svg" else {"Software": None}
    write_whole(path, lambda made: figure.savefig(made, format=kind, dpi=150, metadata=metadata))


def figure_class() -> Any:
    """Matplotlib's Figure, set up to be deterministic."""
    try:
        import matplotlib
    except ImportError:
        raise catalog.missing("matplotlib", "plot") from None
    # No window system is needed to write a file.
    matplotlib.use("Agg")
    matplotlib.rcParams.update(
        {"svg.hashsalt": "archdsl", "svg.fonttype": "none", "font.size": 9, "font.family": "DejaVu Sans"}
    )
    from matplotlib.figure import Figure

    return Figure


def picture(found: Comparison) -> Any:
    """The whole picture."""
    count = len(found.networks)
    height = 1.1 + 0.3 * count
    many = count >= MANY and bool(drawable(found))
    make = figure_class()
    figure = make(figsize=(2.6 * len(found.figures) + 1.5, height + (4.6 if many else 0)), layout="constrained")
    rows = figure.add_gridspec(2 if many else 1, 1, height_ratios=[height, 4.6] if many else [1])
    bars = rows[0].subgridspec(1, len(found.figures))
    for at, name in enumerate(found.figures):
        draw_bars(figure.add_subplot(bars[0, at]), found, name, labelled=at == 0)
    load = f"batch {found.load.batch}, {found.load.precision}"
    figure.suptitle(
        f"{load}; time at least, on {found.device}" if "time" in found.figures else load, fontsize=9, color=MUTED
    )
    if many:
        view = figure.add_subplot(rows[1])
        points, radii = draw_front(view, found)
        figure.draw_without_rendering()
        name_points(view, found, points, radii)
    return figure


def draw_bars(axes: Any, found: Comparison, name: str, *, labelled: bool) -> None:
    """Bar for each network, with its figure beside it."""
    figures = [network.figures[name] for network in found.networks]
    values = [figure or 0 for figure in figures]
    places = range(len(values))
    axes.barh(places, values, color=[FIRST, *[OTHER] * (len(values) - 1)], height=0.7)
    axes.set_yticks(places, found.names if labelled else [])
    axes.invert_yaxis()
    axes.set_title(FIGURES[name].title, fontsize=10, loc="left")
    axes.set_xlim(0, (max(values) or 1) * 1.32)
    axes.set_xticks([])
    axes.spines[["top", "right", "bottom"]].set_visible(False)
    for at, (value, figure) in enumerate(zip(values, figures, strict=True)):
        shown = "whole" if figure is None else brief(name, figure)
        axes.text(value, at, f" {shown}", va="center", color="black", fontsize=8)


def draw_front(axes: Any, found: Comparison) -> tuple[list[tuple[float, float]], list[float]]:
    """Scatter plot of two figures, with the Pareto front; the area of a disc is the number of parameters.

    Returns the centers of the discs, and their radii in points.
    """
    across, up = axes_of(found)
    points = [(network.figures[across], network.figures[up]) for network in found.networks]
    areas = [network.figures.get("params", 1) for network in found.networks]
    kept = front(points)
    colors = [EDGE if at in kept else OTHER for at in range(len(points))]
    sizes = [60 + 900 * area / (max(areas) or 1) for area in areas]
    axes.scatter(*zip(*points, strict=True), s=sizes, c=colors, alpha=0.75, linewidths=0, zorder=2)
    axes.step(*zip(*(points[at] for at in kept), strict=True), where="post", color=EDGE, linewidth=1, zorder=1)
    axes.margins(0.1, 0.2)
    axes.set_xlabel(FIGURES[across].title)
    axes.set_ylabel(FIGURES[up].title)
    axes.xaxis.set_major_formatter(formatter(across))
    axes.yaxis.set_major_formatter(formatter(up))
    axes.grid(color="#e6e6e6", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_title("red: no other has less of both; area: parameters", fontsize=9, loc="left", color=MUTED)
    return points, [area**0.5 / 2 for area in sizes]


def axes_of(found: Comparison) -> tuple[str, str]:
    """Figures of the axes: multiply-adds and time, or the first available."""
    names = drawable(found)
    across = "macs" if "macs" in names else names[0]
    rest = [name for name in ("time", "memory_access", *names) if name in names and name != across]
    return across, rest[0] if rest else across


def drawable(found: Comparison) -> list[str]:
    """Figures that all networks have."""
    return [name for name in found.figures if all(network.figures[name] is not None for network in found.networks)]


def name_points(axes: Any, found: Comparison, points: Sequence[tuple[float, float]], radii: Sequence[float]) -> None:
    """Write each network's name beside its disc, where it covers neither another name nor another disc."""
    scale = 72 / axes.figure.dpi
    places = [tuple(scale * side for side in axes.transData.transform(point)) for point in points]
    taken = [(x - r, y - r, x + r, y + r) for (x, y), r in zip(places, radii, strict=True)]
    kept = front(points)
    for at, network in enumerate(found.networks):
        others = taken[:at] + taken[at + 1 :]
        width = LETTER * len(network.name)
        order = offsets(radii[at], width, left=at in kept)
        choices = [(dx, dy, box(places[at], dx, dy, width)) for dx, dy in order]
        dx, dy, area = next(
            (each for each in choices if not any(overlap(each[2], other) for other in others)), choices[0]
        )
        taken.append(area)
        axes.annotate(
            network.name, points[at], (dx, dy), textcoords="offset points", ha="center", va="center", fontsize=8
        )


def offsets(radius: float, width: float, *, left: bool) -> list[tuple[float, float]]:
    """Offsets to try for the center of a name: right, left, above, below, and further.

    Left first for discs on the front, whose line leaves to the right.
    """
    side, up = (radius + width / 2 + 3) * (-1 if left else 1), radius + LINE / 2 + 1
    near = [(side, 0.0), (-side, 0.0), (0.0, up), (0.0, -up)]
    corners = [(x, y) for y in (LINE, -LINE, 2 * LINE, -2 * LINE) for x in (side, -side)]
    return near + corners


Box = tuple[float, float, float, float]


def box(place: tuple[float, ...], dx: float, dy: float, width: float) -> Box:
    """Bounding box of a name."""
    x, y = place[0] + dx, place[1] + dy
    return x - width / 2, y - LINE / 2, x + width / 2, y + LINE / 2


def overlap(one: Box, other: Box) -> bool:
    """Tell whether two boxes overlap."""
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def brief(name: str, value: float) -> str:
    """Figure in three digits."""
    unit = FIGURES[name].unit
    if unit == "seconds":
        return f"{value * 1e3:.3g} ms"
    return short(value) + ("B" if unit == "bytes" else "")


def formatter(name: str) -> Callable[[float, int], str]:
    """Formatter of a figure at the ticks of an axis."""
    return lambda value, at: brief(name, value)
