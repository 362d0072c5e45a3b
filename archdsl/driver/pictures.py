"""Pictures of graphs with the costs that their colors show: the analyses, handed to the pictures backend."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

from archdsl.diagnostics import ArchError, catalog
from archdsl.graph import Graph, Scope

if TYPE_CHECKING:
    from archdsl.analyses.cost import Load
    from archdsl.backends.pictures.model import Costs
    from archdsl.backends.pictures.scene import Scene
    from archdsl.driver.network import Network

Color = Literal["time", "macs", "params", "memory", "none"]
Theme = Literal["light", "dark", "print"]
COLORS: tuple[Color, ...] = ("time", "macs", "params", "memory", "none")
THEMES: tuple[Theme, ...] = ("light", "dark", "print")

# The imports below wait, as few who load and validate draw.


def costs(graph: Graph, color: Color, setting: Load | None = None) -> Costs:
    """Cost of each scope that a color stands for; `time` and `memory` are of a setting's device, precision and batch.

    `memory` is what is moved between memory and processor. Raises ArchError for `time` without a device.
    """
    from archdsl.analyses.cost import Load, counts, estimate

    setting = setting or Load()
    if color == "time":
        if setting.device is None:
            raise catalog.USAGE.error(None, "time, but on no device", help="name one: `--device v100`")
        times = estimate(graph, setting)
        return whole(graph, lambda scope: times[scope].seconds, "time", facts(times[graph.root].seconds, setting))
    if color == "memory":
        found = counts(graph)
        return whole(graph, lambda scope: found[scope].bytes(setting.precision, setting.batch), "memory access")
    if color == "macs":
        return whole(graph, lambda scope: scope.totals.macs, "multiply-adds")
    if color == "params":
        return whole(graph, lambda scope: scope.totals.params, "parameters")
    return whole(graph, lambda scope: 0.0, "")


def whole(graph: Graph, of: Callable[[Scope], float], noun: str, facts: str = "") -> Costs:
    """Costs with the network's own."""
    from archdsl.backends.pictures.model import Costs

    return Costs(of, of(graph.root), noun, facts)


def setting_of(device: str | None, precision: str = "fp32", batch: int = 1) -> Load | None:
    """Setting of an estimate; None without a device. Raises ArchError for an unknown device or precision."""
    from archdsl.analyses.cost import Load
    from archdsl.analyses.device import device as known

    return None if device is None else Load(batch, precision, known(device)).checked()


def facts(seconds: float, setting: Load) -> str:
    """Time of the network in a sentence."""
    samples = f"{setting.batch:,} images" if setting.batch > 1 else "one image"
    device = setting.chosen_device()
    return f"at least {1e3 * seconds:.3g} ms for {samples} on {device.label or device.name}, {setting.precision}"


def picture(graph: Graph, color: Color = "macs", setting: Load | None = None) -> Scene:
    """Picture of a network on one page; `svg` of the backend writes it."""
    from archdsl.backends.pictures.page import drawn

    return drawn(graph, costs(graph, color, setting))


def difference(before: Graph, after: Graph, color: Color = "macs", setting: Load | None = None) -> Scene:
    """Picture of what differs between two networks, with the cost of each change."""
    from archdsl.backends.pictures.diff import drawn_diff
    from archdsl.backends.pictures.model import Model

    return drawn_diff(*(Model(graph, costs(graph, color, setting)) for graph in (before, after)))


def outline(graph: Graph, form: str) -> str:
    """Network as text for Graphviz (`dot`) or Mermaid (`mmd`)."""
    from archdsl.backends.pictures.model import Model
    from archdsl.backends.pictures.outline import OUTLINES

    return OUTLINES[form](Model(graph, costs(graph, "none")))


def svg(scene: Scene, theme: Theme = "light") -> str:
    """SVG of a picture."""
    from archdsl.backends.pictures.svg import svg

    return svg(scene, theme)


def shown(spec: Graph | Network) -> str | None:
    """SVG of a graph or spec, as a notebook shows it; None for a spec that does not compile."""
    from archdsl.driver.loading import compile

    try:
        return svg(picture(spec if isinstance(spec, Graph) else compile(spec)))
    except ArchError:
        return None
