"""Public functions on a spec or a graph: check it, count it, write it, build it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from archdsl.coerce import is_path, is_row, parameter, size_of
from archdsl.diagnostics import ArchError, Diagnostic, Source, catalog, did_you_mean
from archdsl.diagnostics.source import shown
from archdsl.driver import Network, compile, counted, load, validation
from archdsl.driver.imports import read_spec
from archdsl.driver.network import NetworkLike
from archdsl.graph import Graph
from archdsl.syntax.inheritance import resolve

if TYPE_CHECKING:
    from torch import nn

    from archdsl.analyses.batch import Chunk, Costs
    from archdsl.analyses.cost import Figures
    from archdsl.analyses.families.costs import Family
    from archdsl.backends.crosscheck import Crosscheck
    from archdsl.driver.pictures import Color, Theme
    from archdsl.elaborate.scope_cache import ScopeCache
    from archdsl.passes.features import Features

FEW = 64
"""For fewer candidates no processes are started unless they are asked for."""
SEVERAL = 8
"""Fewer candidates of one spec are worked out one by one."""


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
    candidates: Any,
    *,
    of: NetworkLike | None = None,
    processes: int | None = None,
    figures: Sequence[str] | None = None,
    batch: int = 1,
    precision: str = "fp32",
    device: str | None = None,
    input: Any = None,
) -> Costs:
    """The figures of many networks, in order.

    `candidates` are specs (networks, dicts, paths, names) or graphs, or, with `of`, parameters for that one: dicts, as
    `cost_many([{"depth": n} for n in range(1, 9)], of="net.arch")`, or columns, a dict of arrays or lists. A result has
    the figures by name, as `result.params`, or the `error` that says what is wrong with its candidate; `columns()` of
    all results are numpy arrays. `figures` chooses others than the usual ones; `batch`, `precision` and `device` are
    for those of memory and time.

    With numpy there (`pip install 'archdsl[search]'`), candidates of one spec are worked out together, structure by
    structure; other ones, and figures of memory, on several cores (`processes`; by default all of them). In a script,
    call it under `if __name__ == "__main__":`, as for all that starts processes.
    """
    from archdsl.analyses.batch import USUAL, Chunk, ListedCosts, check_request, cost_chunks, in_chunks, load_of
    from archdsl.driver.memory import memory

    wanted = row_of(figures, "figures", '["params", "macs"]') if figures is not None else USUAL
    count = check_request(wanted, processes)
    if not (of is None or isinstance(of, Network | Mapping) or is_path(of)):
        raise catalog.USAGE.error(None, f"`of` is of the type `{type(of).__name__}`", help="give a spec, or its name")
    base = None if of is None else load(of)
    load_asked = load_of(batch, precision, device)
    if "time" in wanted:
        load_asked.chosen_device()
    asked = Chunk(candidate, memory, (), wanted, load_asked, size_of(input))
    columns = base is not None and is_table(candidates)
    given: Any = candidates if columns else row_of(candidates, "candidates", '["resnet18", "resnet34"]')
    if base is not None and (columns or len(given) >= SEVERAL) and (found := together(base, given, asked)) is not None:
        return found
    if columns:
        from archdsl.analyses.families.candidates import of_columns

        rows = of_columns(given)
        given = [rows.at(at) for at in range(rows.size)]
    whole = asked._replace(candidates=tuple((base, each) if base is not None else (each, None) for each in given))
    if processes is None and len(given) < FEW:
        count = 1
    return ListedCosts(wanted, list(cost_chunks(in_chunks(whole, count), count)))


def is_table(candidates: Any) -> bool:
    """True for candidates by columns: a dict, or a DataFrame."""
    return isinstance(candidates, Mapping) or hasattr(candidates, "columns")


def together(base: Network, candidates: Any, asked: Chunk) -> Costs | None:
    """The figures of candidates of one spec, by the batch engine; None where that cannot be."""
    family = family_of(base, asked)
    if family is None:
        return None
    from archdsl.analyses.families.candidates import of_columns, of_rows
    from archdsl.analyses.families.costs import joined

    return joined(family, of_columns(candidates) if is_table(candidates) else of_rows(candidates))


def family_of(base: Network, asked: Chunk) -> Family | None:
    """A spec whose candidates are worked out together; None where that cannot be.

    That is so without numpy, for figures that are more than sums over ops, and for a spec with errors of its own.
    """
    from archdsl.analyses.batch import FIGURES_OF_MANY

    if find_spec("numpy") is None or not all(FIGURES_OF_MANY[name].summed for name in asked.figures):
        return None
    try:
        resolved = resolve(base.scope, base)
    except ArchError:
        return None
    from archdsl.analyses.families.costs import Family

    return Family(resolved, parameter, base, asked)


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
    from archdsl.backends.torch.module import build as module_of

    if features is None and out_indices is None:
        return module_of(graph_of(spec, params, input))
    if isinstance(spec, Graph):
        label = "a graph has its features already"
        raise catalog.USAGE.error(None, label, help="give them to `compile`, or use the spec")
    chosen = compile(checked_spec(spec), params=params, input=input, features=features, out_indices=out_indices)
    return module_of(chosen)


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
