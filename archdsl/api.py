"""What one does with a graph: count it, write it, build it."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from archdsl.driver import Spec, compile
from archdsl.errors import catalog, did_you_mean
from archdsl.graph import Graph

if TYPE_CHECKING:
    from torch import nn

    from archdsl.analyses.cost import Figures


def cost(graph: Graph) -> Figures:
    """The figures of a network: parameters, buffers, multiply-adds, activations, layers, by section and in all."""
    from archdsl.analyses.cost import cost as figures_of

    return figures_of(graph)


def targets() -> list[str]:
    """The names of all targets that a graph can be emitted to."""
    folder = Path(__file__).parent / "backends"
    return sorted(path.stem for path in folder.iterdir() if path.name[0] not in "_." and is_target(path))


def is_target(path: Path) -> bool:
    """Whether a file or folder under `backends` is a target."""
    return path.suffix == ".py" or (path / "__init__.py").is_file()


def emit(graph: Graph, target: str = "torch") -> str:
    """A network as text of a target, by default PyTorch source.

    Raises ArchError for an unknown target, or with everything that the target cannot say.
    """
    known = targets()
    if target not in known:
        raise catalog.USAGE.error(None, f"no target is called `{target}`", help=did_you_mean(target, known))
    return import_module(f"archdsl.backends.{target}").emit(graph)


def build(spec: Spec | Graph | str | Path, *, params: dict[str, Any] | None = None, input: Any = None) -> nn.Module:
    """The PyTorch module of a spec: the emitted source, executed.

    `spec` is a loaded spec, a graph, a path, or the name of a shipped spec; `params` sets its parameters, `input` is
    (channels, height, width). Raises ArchError, also where torch is missing.
    """
    from archdsl.backends.torch.module import build as module_of

    return module_of(spec if isinstance(spec, Graph) else compile(spec, params=params, input=input))
