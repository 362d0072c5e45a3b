"""From a name, a path or a text to one backbone in its file."""

from __future__ import annotations

from pathlib import Path

from archdsl.driver.opening import Read, open_file, read_spec
from archdsl.driver.shipped import SHIPPED
from archdsl.errors import Source, Span, catalog, did_you_mean
from archdsl.errors.reading import resolved, shown
from archdsl.frontend.notation import SUFFIXES
from archdsl.lang.text.document import Backbone
from archdsl.lang.text.files import File


class Spec:
    """A backbone in its file: what `load` gives, and `build`, `compile` and `cost` take."""

    def __init__(self, file: File, backbone: Backbone) -> None:
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


def choose(file: File, name: str) -> Spec:
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


def opened(source: Source, path: Path | None = None, reads: list[Read] | None = None) -> File:
    """A text, which `path` holds if it is given, with what it imports; `reads` takes note of that."""
    if path is None:
        return open_file(SHIPPED, source, None, (), reads)
    real = resolved(path, None)
    return SHIPPED.opened(real, source.text) or open_file(SHIPPED, source, real.parent, (real,), reads)
