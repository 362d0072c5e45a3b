"""Public functions on a spec or a graph: check it, count it, write it, build it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from archdsl.coerce import is_path, is_row, size_of
from archdsl.diagnostics import ArchError, Diagnostic, Source, catalog, did_you_mean
from archdsl.diagnostics.source import shown
from archdsl.driver import Network, compile, counted, load, validation
from archdsl.driver.imports import read_spec
from archdsl.driver.network import NetworkLike
from archdsl.graph import Graph

if TYPE_CHECKING:
    from torch import nn

    from archdsl.analyses.batch import Costed
    from archdsl.analyses.cost import Figures
    from archdsl.backends.crosscheck import Crosscheck
    from archdsl.elaborate.scope_cache import ScopeCache

FEW = 64
"""For fewer candidates no processes are started unless they are asked for."""


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


def cost(spec: Graph | NetworkLike, *, params: dict[str, Any] | None = None, input: Any = None) -> Figures:
    """The figures of a network: parameters, buffers, multiply-adds, activations, layers, by section and in all.

    `spec`, `params` and `input` are as for `build`.
    """
    from archdsl.analyses.cost import cost as figures_of

    return figures_of(graph_of(spec, params, input))


def cost_many(
    candidates: Iterable[Any],
    *,
    of: NetworkLike | None = None,
    processes: int | None = None,
    figures: Sequence[str] | None = None,
    batch: int = 1,
    precision: str = "fp32",
    input: Any = None,
) -> list[Costed]:
    """The figures of many networks, in order, worked out on several cores (`processes`; by default all of them).

    `candidates` are specs (networks, dicts, paths, names) or graphs, or, with `of`, parameters for that one: dicts, as
    `cost_many([{"depth": n} for n in range(1, 9)], of="net.arch")`. A result has the figures by name, as
    `result.params`, or the `error` that says what is wrong with its candidate. `figures` chooses others than the
    usual ones, `batch` and `precision` are for those of memory. In a script, call it under
    `if __name__ == "__main__":`, as for all that starts processes.
    """
    from archdsl.analyses.batch import USUAL, Chunk, check_request, cost_chunks, in_chunks, load_of
    from archdsl.driver.memory import memory

    wanted = row_of(figures, "figures", '["params", "macs"]') if figures is not None else USUAL
    count = check_request(wanted, processes)
    if not (of is None or isinstance(of, Network | Mapping) or is_path(of)):
        raise catalog.USAGE.error(None, f"`of` is of the type `{type(of).__name__}`", help="give a spec, or its name")
    base = None if of is None else load(of)
    given = row_of(candidates, "candidates", '["resnet18", "resnet34"]')
    pairs = tuple((base, each) if base is not None else (each, None) for each in given)
    whole = Chunk(candidate, memory, pairs, wanted, load_of(batch, precision), size_of(input))
    if processes is None and len(pairs) < FEW:
        count = 1
    return list(cost_chunks(in_chunks(whole, count), count))


def row_of(values: Any, name: str, example: str) -> tuple[Any, ...]:
    """Several values that are asked for in a row; raises ArchError for what is none, as a single one."""
    if not is_row(values):
        raise catalog.USAGE.error(None, f"`{name}` is not a list: `{str(values)[:60]}`", help=f"write it as {example}")
    return tuple(values)


def candidate(spec: Any, params: Any = None, input: Any = None, known: ScopeCache | None = None) -> Graph:
    """The graph of one of many; raises ArchError for what is wrong with it."""
    if isinstance(spec, Graph):
        return settled(spec, params, input)
    if isinstance(spec, Mapping) and "name" not in spec:
        raise catalog.USAGE.error(None, "parameters, but of no spec", help="name the spec: `of=...`")
    return counted(checked_spec(spec), params, input, known)


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


def build(spec: NetworkLike | Graph, *, params: dict[str, Any] | None = None, input: Any = None) -> nn.Module:
    """The PyTorch module of a spec: the emitted source, executed.

    `spec` is a network, a dict of its keys, a graph, a path, or the name of a shipped spec. `params` sets its
    parameters, `input` is (channels, height, width); a graph takes neither of them any more. Raises ArchError, also
    where torch is missing.
    """
    from archdsl.backends.torch.module import build as module_of

    return module_of(graph_of(spec, params, input))


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
