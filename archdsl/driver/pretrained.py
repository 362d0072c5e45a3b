"""Modules that know their spec: built with it, saved with it, and built again from a file alone."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from archdsl.diagnostics import catalog, listed
from archdsl.driver.containers import WEIGHTS, read_manifest
from archdsl.driver.loading import Request
from archdsl.driver.manifest import Manifest
from archdsl.driver.weight_files import SAVERS, weights_in, write_weights
from archdsl.graph import Graph

if TYPE_CHECKING:
    from torch import nn

PROGRAMS = (".onnx", ".pt2", ".ts")
"""Suffixes of programs, whose weights are read as data."""


def built(graph: Graph) -> nn.Module:
    """The module of a graph, with the manifest of the spec that the graph was compiled from."""
    from archdsl.backends.torch.module import build

    model: Any = build(graph)
    if isinstance(graph.request, Request):
        model.manifest = Manifest.of(graph).to_json()
    return model


def manifest_of(model: nn.Module) -> str:
    """Manifest of a module; raises ArchError for one that was not built from a spec."""
    found = getattr(model, "manifest", None)
    if not isinstance(found, str):
        label = f"this {type(model).__name__} does not know the spec that it was built from"
        raise catalog.USAGE.error(None, label, help="build it with archdsl.build() from a spec")
    return found


def save(model: nn.Module, path: str | Path) -> None:
    """Write the weights of a module that `build` made, with its spec: to x.safetensors, x.pt or x.pth.

    `from_pretrained` builds it again from that file alone. Raises ArchError if the file cannot be written.
    """
    place = Path(path)
    if place.suffix not in SAVERS:
        raise catalog.USAGE.error(
            None, f"no weights are written as `{place.suffix}`", help=f"choose from {listed(SAVERS)}"
        )
    write_weights(place, model.state_dict(), manifest_of(model))


def from_pretrained(path: str | Path) -> nn.Module:
    """The module that a file or folder holds: its spec, built, with its weights, in evaluation mode.

    The file is one that archdsl wrote (x.safetensors, x.pt, x.onnx, x.pt2, x.ts), or a folder of Hugging Face's form.
    It is read as data: the spec is validated, and nothing in the file is run. Raises ArchError for anything else.
    """
    from archdsl.weights.loading import load_weights

    place = Path(path)
    model = built(read_manifest(place).graph(str(place)))
    load_weights(model, weights_in(place) if place.suffix in PROGRAMS else place / WEIGHTS if place.is_dir() else place)
    return model.eval()
