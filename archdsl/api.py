"""Public functions on a spec or a graph: check it, count it, write it, build it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from archdsl.coerce import is_path, size_of
from archdsl.diagnostics import ArchError, Diagnostic, Source, catalog, did_you_mean
from archdsl.diagnostics.source import shown
from archdsl.driver import Network, compile, memory, validation
from archdsl.driver.imports import read_spec
from archdsl.driver.network import NetworkLike
from archdsl.graph import Graph

if TYPE_CHECKING:
    from torch import nn

    from archdsl.analyses.figures import Figures
    from archdsl.backends.crosscheck import Crosscheck
    from archdsl.driver.pictures import Color, Theme
    from archdsl.passes.features import Features


def validate(
    spec: NetworkLike,
    *,
    text: str | None = None,
    input: Any = None,
    base: str | Path | None = None,
) -> list[Diagnostic]:
    """Everything that `archdsl validate` finds in a spec, errors or else warnings; an empty list where all is well.

    `spec` is a file's path, a network, or a dict with the keys of a YAML spec, whose imports are relative to `base`. A
    finding has a `severity`, a `code`, a `span`, and more; `str()` shows it as the command does. With `text`, that is
    checked in place of what the file holds: an editor's, say. `input` checks the network for another (channels,
    height, width); its `expect` then does not count.
    """
    if isinstance(spec, Network | Mapping):
        return validation.validate_data(spec, size_of(input), base)
    if not is_path(spec):
        raise catalog.USAGE.error(None, f"this is of the type `{type(spec).__name__}`", help="give a file's path")
    file = Path(spec)
    try:
        source = Source(shown(file), read_spec(file) if text is None else text)
    except ArchError as error:
        return error.diagnostics
    return validation.validate(source, file, size_of(input))


def cost(
    spec: Graph | NetworkLike,
    *,
    params: dict[str, Any] | None = None,
    input: Any = None,
    batch: int = 1,
    precision: str = "fp32",
    device: str | None = None,
) -> Figures:
    """The figures of a network as attributes: `cost("resnet50").macs`, `.memory_access`, `.peak_memory`, ...

    `archdsl help figures` lists them; `.rows` has them by section, `.stages` and `.maps` are the shapes. `spec`,
    `params` and `input` are as for `build`; `batch` and `precision` are for bytes and times, and `device` (a name such
    as `v100`, or a file) for estimated times. Raises ArchError for what is wrong with any of them.
    """
    from archdsl.analyses.batch import load_of
    from archdsl.analyses.figures import Figures, Measured

    load = load_of(batch, precision, device)
    return Figures(Measured(graph_of(spec, params, input), memory), load)


def graph_of(spec: Any, params: Any, input: Any) -> Graph:
    """The graph of a graph, a network, a dict, a path or a name; raises ArchError for anything else."""
    if isinstance(spec, Graph):
        return settled(spec, params, input)
    return compile(checked_spec(spec), params=params, input=input)


def checked_spec(spec: Any) -> NetworkLike:
    """Return the spec unchanged if its type can be loaded."""
    if isinstance(spec, Network | Mapping) or is_path(spec):
        return cast("NetworkLike", spec)
    help = "give a path, the name of a shipped spec, a dict, a network, or a graph"
    raise catalog.USAGE.error(None, f"this is of the type `{type(spec).__name__}`, and no spec", help=help)


def settled(graph: Graph, params: Any, input: Any) -> Graph:
    """A graph, which takes neither parameters nor an input size any more."""
    if params is not None or input is not None:
        label = "a graph has its parameters and its input size already"
        raise catalog.USAGE.error(None, label, help="give them to `compile`, or use the spec")
    return graph


def targets() -> list[str]:
    """The names of all targets that a graph can be emitted to: the modules of `backends` that have an `emit`."""
    folder = Path(__file__).parent / "backends"
    names = (path.stem for path in folder.iterdir() if path.name[0] not in "_." and is_module(path))
    return sorted(name for name in names if hasattr(import_module(f"archdsl.backends.{name}"), "emit"))


def is_module(path: Path) -> bool:
    """True if a file or folder is a Python module."""
    return path.suffix == ".py" or (path / "__init__.py").is_file()


def emit(
    spec: Graph | NetworkLike,
    target: str = "torch",
    *,
    params: dict[str, Any] | None = None,
    input: Any = None,
) -> str:
    """A network as text of a target, by default PyTorch source; `spec`, `params` and `input` are as for `build`.

    Raises ArchError for an unknown target, or with everything that the target cannot say.
    """
    name, known = str(target), targets()
    if name not in known:
        raise catalog.USAGE.error(None, f"no target is called `{name[:80]}`", help=did_you_mean(name, known))
    return import_module(f"archdsl.backends.{name}").emit(graph_of(spec, params, input))


def build(
    spec: NetworkLike | Graph,
    *,
    params: dict[str, Any] | None = None,
    input: Any = None,
    features: Features | None = None,
    out_indices: Sequence[int] | None = None,
) -> nn.Module:
    """The PyTorch module of a spec: the emitted source, executed.

    `spec` is a network, a dict of its keys, a graph, a path, or the name of a shipped spec. `params` sets its
    parameters, `input` is (channels, height, width); `features` or `out_indices` choose the feature maps that it
    returns, as for `compile`. A graph takes none of them any more. With features, the module has `feature_info`,
    `out_channels` and `out_strides`, and its weights are named as those of the whole network. Raises ArchError, also
    where torch is missing.
    """
    from archdsl.driver.pretrained import built

    if features is None and out_indices is None:
        return built(graph_of(spec, params, input))
    if isinstance(spec, Graph):
        label = "a graph has its features already"
        raise catalog.USAGE.error(None, label, help="give them to `compile`, or use the spec")
    chosen = compile(checked_spec(spec), params=params, input=input, features=features, out_indices=out_indices)
    return built(chosen)


def draw(
    spec: NetworkLike | Graph,
    *,
    color: Color = "macs",
    device: str | None = None,
    batch: int = 1,
    precision: str = "fp32",
    theme: Theme = "light",
    params: dict[str, Any] | None = None,
    input: Any = None,
) -> str:
    """The picture of a network on one page, as SVG.

    `color` is what the colors show: `macs`, `params`, `memory`, `none`, or `time` on a `device`, for a `batch` in a
    `precision`. `theme` is `light`, `dark` or `print`. `spec`, `params` and `input` are as for `build`. Raises
    ArchError for what does not compile, and for an unknown device, color or theme.
    """
    from archdsl.driver.pictures import COLORS, THEMES, picture, setting_of, svg

    for name, value, known in (("color", color, COLORS), ("theme", theme, THEMES)):
        if value not in known:
            raise catalog.USAGE.error(None, f"`{name}` is `{str(value)[:40]}`", help=did_you_mean(str(value), known))
    return svg(picture(graph_of(spec, params, input), color, setting_of(device, precision, batch)), theme)


def check(
    spec: NetworkLike | Graph,
    model: nn.Module | None = None,
    *,
    params: dict[str, Any] | None = None,
    input: Any = None,
) -> Crosscheck:
    """Compare the emitted module with the graph, run op by op: outputs, buffers, gradients; `print` shows the result.

    `spec`, `params` and `input` are as for `build`. With `model`, that is compared in place of what `build` makes: a
    module with the spec's names of weights, such as an edited copy of the source. Its own weights do not matter, and
    it is left as it is. `result.agrees` is the verdict. Raises ArchError for ops without a `run`.
    """
    from archdsl.backends.crosscheck import crosscheck

    return crosscheck(graph_of(spec, params, input), model)
