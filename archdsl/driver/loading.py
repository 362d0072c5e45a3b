"""From a name, a path or a text to one backbone in its file."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

from archdsl.coerce import given, size_of
from archdsl.diagnostics import ArchError, Source, Span, catalog, did_you_mean
from archdsl.diagnostics.files import resolved
from archdsl.diagnostics.source import shown
from archdsl.driver.imports import Read, open_file, read_spec
from archdsl.driver.library import SHIPPED
from archdsl.elaborate.budget import Budget
from archdsl.elaborate.network import elaborate
from archdsl.elaborate.scope_cache import ScopeCache
from archdsl.graph import Graph
from archdsl.graph.verify import verify
from archdsl.syntax.detect_format import SUFFIXES
from archdsl.syntax.document import Backbone
from archdsl.syntax.inheritance import resolve
from archdsl.syntax.scopes import FileScope


class Spec:
    """A backbone in its file: what `load` gives, and `build`, `compile` and `cost` take."""

    def __init__(self, file: FileScope, backbone: Backbone) -> None:
        self.file = file
        self.backbone = backbone
        self.name = backbone.name

    def __repr__(self) -> str:
        return f"<Spec {self.name} of {self.file.source.name}>"


def load(spec: str | Path) -> Spec:
    """The backbone that a file holds (`net.yaml`, `net.arch`, `net.arch:name` of several), or a shipped one's name.

    Raises ArchError with everything that is wrong with the text.
    """
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
    return Spec(*found)


def loads(text: str, name: str = "<text>") -> Spec:
    """The backbone that a text holds, in either notation."""
    return choose(opened(Source(name, text)), "")


def exists(path: Path) -> bool:
    """Whether there is such a file; no file has a name that no system takes."""
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


def split_name(text: str) -> tuple[str, str]:
    """A path, and the name of one of its backbones behind a colon."""
    path, colon, name = text.rpartition(":")
    return (path, name) if colon and name.isidentifier() and Path(path).suffix in SUFFIXES else (text, "")


def choose(file: FileScope, name: str) -> Spec:
    """One backbone of a file."""
    if name:
        if name not in file.backbones:
            raise catalog.NO_BACKBONE.error(
                None, f"{file.source.name} has no backbone `{name}`", help=did_you_mean(name, file.backbones)
            )
        return Spec(file, file.backbones[name])
    if len(file.backbones) == 1:
        return Spec(file, next(iter(file.backbones.values())))
    names = ", ".join(file.backbones)
    raise catalog.NO_BACKBONE.error(
        Span(file.source, 0, 0),
        f"{len(file.backbones)} backbones here" if names else "no backbone here",
        help=f"name one: `{file.source.name}:{next(iter(file.backbones))}` (there are {names})" if names else "",
    )


def opened(source: Source, path: Path | None = None, reads: list[Read] | None = None) -> FileScope:
    """A text, which `path` holds if it is given, with what it imports; `reads` takes note of that."""
    if path is None:
        return open_file(SHIPPED, source, None, (), reads)
    real = resolved(path, None)
    return SHIPPED.opened(real, source.text) or open_file(SHIPPED, source, real.parent, (real,), reads)


def compile(spec: Spec | str | Path, *, params: dict[str, Any] | None = None, input: Any = None) -> Graph:
    """The graph of a spec, with its parameters set by `params`, for an input of (channels, height, width).

    Values of `params` are numbers, bools, None, lists of such, or texts of the language, as behind `-p`: `"[1, 2]"`,
    `"silu"`, `"cna(16)"`. Raises ArchError with all that is wrong.
    """
    graph = elaborated(spec, params, input)
    verify(graph)
    return graph


def elaborated(
    spec: Spec | str | Path,
    params: dict[str, Any] | None = None,
    input: Any = None,
    known: ScopeCache | None = None,
    budget: Budget | None = None,
) -> Graph:
    """A spec worked out, without the account that `verify` takes of us: for many in a row, of which none is built.

    `known` is what those before have in common with it (the graph is then good for figures, not for places, and so
    are findings), `budget` what they have left of the work that may be done.
    """
    chosen = spec if isinstance(spec, Spec) else load(spec)
    try:
        family = resolve(chosen.file, chosen.backbone)
        return elaborate(family, given(params or {}), size_of(input), known, budget)
    except RecursionError:
        raise ArchError([catalog.TOO_DEEP.at(chosen.backbone.span, "this nests too deeply")]) from None


def counted(
    spec: Spec | str | Path, params: dict[str, Any] | None = None, input: Any = None, known: ScopeCache | None = None
) -> Graph:
    """A spec worked out for its figures, with what is `known` from others; what is wrong with it is told as alone."""
    if known is not None:
        with suppress(ArchError):
            return elaborated(spec, params, input, known)
    return elaborated(spec, params, input)
