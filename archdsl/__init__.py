"""archdsl: convolutional backbones from a page of text.

`load` reads a spec, `compile` works it out to a graph, `cost` counts what it costs, `emit` writes it as PyTorch
source, `draw` as a picture, `build` gives the module itself, `check` compares that with the graph, run op by op;
`load_weights` takes over the weights that people have, `to_reference` gives them back, `transfer_weights` carries them
over an edit. `export` writes a program for other runtimes, `save` the weights; `from_pretrained` builds either again
from the file alone. Whatever is wrong comes as one `ArchError`, with places; `validate` gives all that is wrong with a
file as a list.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from archdsl.api import build as build
    from archdsl.api import check as check
    from archdsl.api import cost as cost
    from archdsl.api import draw as draw
    from archdsl.api import emit as emit
    from archdsl.api import validate as validate
    from archdsl.diagnostics import ArchError as ArchError
    from archdsl.diagnostics import Diagnostic as Diagnostic
    from archdsl.driver import Network as Network
    from archdsl.driver import compile as compile
    from archdsl.driver import load as load
    from archdsl.driver import loads as loads
    from archdsl.driver.export import export as export
    from archdsl.driver.pretrained import from_pretrained as from_pretrained
    from archdsl.driver.pretrained import save as save
    from archdsl.graph import Graph as Graph
    from archdsl.many import cost_many as cost_many
    from archdsl.many import cost_stream as cost_stream
    from archdsl.weights.loading import load_weights as load_weights
    from archdsl.weights.loading import to_reference as to_reference
    from archdsl.weights.transfer import transfer_weights as transfer_weights

__version__ = "0.1.0"

HOMES = {
    "ArchError": "archdsl.diagnostics",
    "Diagnostic": "archdsl.diagnostics",
    "Graph": "archdsl.graph",
    "Network": "archdsl.driver",
    "build": "archdsl.api",
    "check": "archdsl.api",
    "compile": "archdsl.driver",
    "cost": "archdsl.api",
    "cost_many": "archdsl.many",
    "cost_stream": "archdsl.many",
    "draw": "archdsl.api",
    "emit": "archdsl.api",
    "export": "archdsl.driver.export",
    "from_pretrained": "archdsl.driver.pretrained",
    "load": "archdsl.driver",
    "load_weights": "archdsl.weights.loading",
    "loads": "archdsl.driver",
    "save": "archdsl.driver.pretrained",
    "to_reference": "archdsl.weights.loading",
    "transfer_weights": "archdsl.weights.transfer",
    "validate": "archdsl.api",
}

__all__ = [*HOMES, "__version__"]  # noqa: PLE0604  # pyright: ignore[reportUnsupportedDunderAll]


def __getattr__(name: str) -> Any:
    """A public name, imported on first use: start-up pays only for what is used."""
    if name not in HOMES:
        raise AttributeError(f"module 'archdsl' has no attribute {name!r}")
    return getattr(import_module(HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *HOMES])
