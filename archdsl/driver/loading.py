"""From a name, a path or a text to one backbone in its file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from archdsl.coerce import given, size_of
from archdsl.diagnostics import ArchError, Source, Span, catalog, did_you_mean
from archdsl.diagnostics.files import resolved
from archdsl.diagnostics.source import shown
from archdsl.driver.imports import Read, open_document, open_file, read_spec
from archdsl.driver.library import SHIPPED
from archdsl.driver.network import Network, NetworkLike
from archdsl.elaborate.budget import Budget
from archdsl.elaborate.network import elaborate
from archdsl.elaborate.scope_cache import ScopeCache
from archdsl.graph import Graph
from archdsl.graph.verify import verify
from archdsl.passes.features import Features, at_levels, with_features
from archdsl.syntax.document import File
from archdsl.syntax.inheritance import resolve
from archdsl.syntax.models import validated
from archdsl.syntax.nodes import of_python
from archdsl.syntax.scopes import FileScope
from archdsl.syntax.text import SUFFIXES

if TYPE_CHECKING:
    from archdsl.analyses.memory import Memory


def load(spec: NetworkLike, *, base: str | Path | None = None) -> Network:
    """A network: of a file (`net.yaml`, `net.arch`, `net.arch:name` of several), of a dict, or a shipped one's name.

    A dict has the keys of a YAML spec. What it imports is relative to the folder `base`, and below it; without `base`
    it imports nothing. Raises ArchError with everything that is wrong with the text.
    """
    if isinstance(spec, Network | Mapping):
        network = spec if isinstance(spec, Network) else validated(Network, spec)
        network = network if base is None else network.within(base)
        _ = network.scope  # opens what it imports, so that errors there are raised here, with or without `python -O`
        return network
    text = str(spec)
    path_text, name = split_name(text)
    path = Path(path_text)
    if path.suffix in SUFFIXES or exists(path) or "/" in path_text:
        return choose(opened(Source(shown(path), read_spec(path)), path), name)
    found = SHIPPED.spec(text)
    if found is None:
        raise catalog.FILE.error(
            None,
            f"`{text[:100]}` is neither a file nor a shipped spec",
            help=did_you_mean(text, SHIPPED.specs()) or "`archdsl list` shows the shipped specs",
        )
    return Network.of(*found)


def file_of(spec: Mapping[str, Any], base: str | Path | None) -> FileScope:
    """A dict with the keys of a file, and what it imports from the folder `base`."""
    document = validated(File, of_python(spec))
    return open_document(SHIPPED, document, Source("the spec", ""), None if base is None else Path(base))


def loads(text: str, name: str = "<text>", *, backbone: str = "") -> Network:
    """The backbone that a text holds, in either notation; of several, the one called `backbone`."""
    return choose(opened(Source(name, text)), backbone, 'loads(text, backbone="{name}")')


def exists(path: Path) -> bool:
    """True if the file exists; a name that the system does not accept is no file's."""
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


def split_name(text: str) -> tuple[str, str]:
    """A path, and the name of one of its backbones behind a colon."""
    path, colon, name = text.rpartition(":")
    return (path, name) if colon and name.isidentifier() and Path(path).suffix in SUFFIXES else (text, "")


def choose(file: FileScope, name: str, way: str = "{file}:{name}") -> Network:
    """One backbone of a file; `way` is how a user names one."""
    if name:
        if name not in file.backbones:
            raise catalog.NO_BACKBONE.error(
                None, f"{file.source.name} has no backbone `{name}`", help=did_you_mean(name, file.backbones)
            )
        return Network.of(file, file.backbones[name])
    if len(file.backbones) == 1:
        return Network.of(file, next(iter(file.backbones.values())))
    names = ", ".join(file.backbones)
    raise catalog.NO_BACKBONE.error(
        Span(file.source, 0, 0),
        f"{len(file.backbones)} backbones here" if names else "no backbone here",
        help=f"name one: `{way.format(file=file.source.name, name=next(iter(file.backbones)))}` (there are {names})"
        if names
        else "",
    )


def opened(source: Source, path: Path | None = None, reads: list[Read] | None = None) -> FileScope:
    """A text, which `path` holds if it is given, with what it imports; `reads` takes note of that."""
    if path is None:
        return open_file(SHIPPED, source, None, (), reads)
    real = resolved(path, None)
    return SHIPPED.opened(real, source.text) or open_file(SHIPPED, source, real.parent, (real,), reads)


def compile(
    spec: NetworkLike,
    *,
    params: dict[str, Any] | None = None,
    input: Any = None,
    features: Features | None = None,
    out_indices: Sequence[int] | None = None,
) -> Graph:
    """The graph of a spec, with its parameters set by `params`, for an input of (channels, height, width).

    Values of `params` are numbers, bools, None, lists of such, or texts of the language, as behind `-p`: `"[1, 2]"`,
    `"silu"`, `"cna(16)"`. `features` cuts the network to feature maps, which it then returns: sections, outputs, or
    modules by their paths (`"stem.cna"`). A text stands for a tensor, a list for a list, a dict `{path: key}` for a
    dict. `out_indices` chooses them by their size, as timm does: 0 is the last map of half the input's size, 1 that of
    a quarter, and so on. Raises ArchError with all that is wrong.
    """
    network = load(spec)
    graph = elaborated(network, params, input)
    verify(graph)
    graph = graph.replace(request=Request(network, given(params or {})))
    if features is None and out_indices is None:
        return graph
    cut = with_features(graph, chosen_features(graph, features, out_indices))
    verify(cut)
    return cut


class Request(NamedTuple):
    """Origin of a compiled graph: the network, and the values of its parameters."""

    network: Network
    params: dict[str, Any]

    def picture(self, graph: Graph) -> str | None:
        """Picture of the graph as SVG; none if it cannot be drawn."""
        from archdsl.driver.pictures import shown

        return shown(graph)


def chosen_features(graph: Graph, features: Features | None, out_indices: Sequence[int] | None) -> Features:
    """Features by their names, or by their sizes."""
    if out_indices is None:
        assert features is not None
        return features
    if features is not None:
        raise catalog.USAGE.error(None, "`features` and `out_indices` both choose features", help="give one of them")
    return at_levels(graph, out_indices)


def elaborated(
    spec: NetworkLike,
    params: dict[str, Any] | None = None,
    input: Any = None,
    known: ScopeCache | None = None,
    budget: Budget | None = None,
) -> Graph:
    """A spec worked out, without the account that `verify` takes of us: for many in a row, of which none is built.

    `known` is what those before have in common with it (the graph is then good for figures, not for places, and so
    are findings), `budget` what they have left of the work that may be done.
    """
    chosen = load(spec)
    try:
        family = resolve(chosen.scope, chosen)
        return elaborate(family, given(params or {}), size_of(input), known, budget)
    except RecursionError:
        raise ArchError([catalog.TOO_DEEP.at(chosen.span, "this nests too deeply")]) from None


def counted(
    spec: NetworkLike,
    params: dict[str, Any] | None = None,
    input: Any = None,
    known: ScopeCache | None = None,
) -> Graph:
    """A spec worked out for its figures, with what is `known` from others; what is wrong with it is told as alone."""
    if known is not None:
        with suppress(ArchError):
            return elaborated(spec, params, input, known)
    return elaborated(spec, params, input)


def memory(graph: Graph, batch: int = 1, precision: str = "fp32", checkpoint: Iterable[str] = ()) -> Memory:
    """Memory of a network for a batch in a precision, with the sections named in `checkpoint` run again in training.

    Raises ArchError for an unknown precision or section, and an empty batch.
    """
    # Imported late: validating, comparing and costing rarely need the torch backend.
    from archdsl.analyses.memory import memory
    from archdsl.backends.torch.memory import execution

    return memory(graph, execution, batch, precision, checkpoint)
