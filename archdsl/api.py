"""What one does with a spec or a graph: check it, count it, write it, build it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from archdsl.asked import size_of
from archdsl.driver import Spec, checking, compile, elaborated, load
from archdsl.errors import ArchError, Diagnostic, Source, catalog, did_you_mean
from archdsl.errors.reading import read_text, shown
from archdsl.graph import Graph

if TYPE_CHECKING:
    from torch import nn

    from archdsl.analyses.cost import Figures
    from archdsl.analyses.many import Costed

FEW = 64
"""For fewer candidates no processes are started unless they are asked for."""


def validate(path: str | Path, *, text: str | None = None, input: Any = None) -> list[Diagnostic]:
    """Everything that `archdsl validate` finds in a file, errors or else warnings; an empty list where all is well.

    A finding has a `severity`, a `code`, a `span`, and more; `str()` shows it as the command does. With `text`, that
    is checked in place of what the file holds: an editor's, say. `input` checks it for another (channels, height,
    width); its `expect` then does not count.
    """
    file = Path(path)
    try:
        source = Source(shown(file), read_text(file) if text is None else text)
    except ArchError as error:
        return error.diagnostics
    return checking.validate(source, file, size_of(input))


def cost(graph: Graph) -> Figures:
    """The figures of a network: parameters, buffers, multiply-adds, activations, layers, by section and in all."""
    from archdsl.analyses.cost import cost as figures_of

    return figures_of(graph)


def cost_many(
    candidates: Iterable[Any],
    *,
    of: Spec | str | Path | None = None,
    processes: int | None = None,
    figures: Sequence[str] | None = None,
    batch: int = 1,
    precision: str = "fp32",
    input: Any = None,
) -> list[Costed]:
    """The figures of many networks, in order, worked out on several cores (`processes`; by default all of them).

    `candidates` are specs (loaded, paths, or names), or, where `of` names one, parameters for it: dicts, as
    `cost_many([{"depth": n} for n in range(1, 9)], of="net.arch")`. A result has the figures by name, as
    `result.params`, or the `error` that says what is wrong with its candidate. `figures` chooses others than the
    usual ones, `batch` and `precision` are for those of memory. In a script, call it under
    `if __name__ == "__main__":`, as for all that starts processes.
    """
    from archdsl.analyses.figures import Load
    from archdsl.analyses.many import USUAL, Chunk, checked, cost_chunks, in_chunks

    wanted = tuple(figures) if figures is not None else USUAL
    count = checked(wanted, processes)
    base = load(of) if isinstance(of, str | Path) else of
    pairs = tuple((base, each) if base is not None else (each, None) for each in candidates)
    whole = Chunk(elaborated, pairs, wanted, Load(batch, precision), size_of(input))
    if processes is None and len(pairs) < FEW:
        count = 1
    return list(cost_chunks(in_chunks(whole, count), count))


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
    (channels, height, width); a graph takes neither of them any more. Raises ArchError, also where torch is missing.
    """
    from archdsl.backends.torch.module import build as module_of

    if not isinstance(spec, Graph):
        return module_of(compile(spec, params=params, input=input))
    if params is not None or input is not None:
        label = "a graph has its parameters and its input size already"
        raise catalog.USAGE.error(None, label, help="give them to `compile`, or build the spec")
    return module_of(spec)
