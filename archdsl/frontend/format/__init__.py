"""Document to text, in both notations, and `archdsl fmt`: one canonical layout, whose parse is the document again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from archdsl.diagnostics import ArchError, Source, Span, catalog
from archdsl.diagnostics.characters import plain as without_tabs
from archdsl.frontend import read
from archdsl.syntax.text import is_yaml

if TYPE_CHECKING:
    from archdsl.frontend.format.doc import Notes
    from archdsl.syntax.document import File

Notation = Literal["arch", "yaml"]
# Most rounds of formatting the result again; most texts need one.
MOST_ROUNDS = 6


def to_arch(document: File) -> str:
    """The document as a `.arch` file."""
    from archdsl.frontend.format.arch import arch_text

    return arch_text(document)


def to_yaml(document: File) -> str:
    """The document as a YAML file."""
    from archdsl.frontend.format.yaml import yaml_text

    return yaml_text(document)


def to_data(document: File) -> dict[str, Any]:
    """The document as plain data: what its YAML file holds, in which every scalar is a text."""
    from yaml import BaseLoader, load

    return load(to_yaml(document), Loader=BaseLoader)


class CommentedDocument(NamedTuple):
    """The document of a text, its comments by place, and all its comments in order."""

    document: File
    notes: Notes
    comments: list[str]


def formatted(source: Source, to: Notation | None = None) -> str:
    """The canonical layout of a text, in its own notation or in another; raises ArchError for one that has errors.

    Where a comment stands decides how lines break, and the other way round: so the layout is taken of its own result
    until that is its own layout.
    """
    clean = Source(source.name, plain(source.text))
    own: Notation = "yaml" if is_yaml(clean.name, clean.text) else "arch"
    target = to or own
    told = read_notes(clean, own)
    document, _, comments = told
    text = written(told, own, target)
    for _ in range(MOST_ROUNDS):
        told = read_notes(Source(f"<formatted>.{target}", text), target)
        hold(told, document, comments, source)
        again = written(told, target, target)
        if again == text:
            return text
        text = again
    raise unformatted(source, "its layout does not come to rest")


def plain(text: str) -> str:
    """A text with one kind of line end, and without byte order mark."""
    return text.removeprefix("\ufeff").replace("\r\n", "\n")


def read_notes(source: Source, notation: Notation) -> CommentedDocument:
    """Read a text with its comments."""
    from archdsl.frontend.format.attach_comments import notes_of_arch
    from archdsl.frontend.format.yaml_comments import notes_of_yaml

    document = read(source)
    notes, comments = (notes_of_yaml if notation == "yaml" else notes_of_arch)(source, document)
    return CommentedDocument(document, notes, [without_tabs(each) for each in comments])


def written(told: CommentedDocument, own: Notation, target: Notation) -> str:
    """Write a document in a notation, with the comments of its text."""
    from archdsl.frontend.format.arch import arch_text
    from archdsl.frontend.format.yaml import yaml_text

    document, notes, _ = told
    if target == "yaml":
        return yaml_text(document, notes)
    notes.above = own == "yaml"
    notes.lead()
    return arch_text(document, notes, ordered=own == "arch")


def hold(told: CommentedDocument, document: File, comments: list[str], source: Source) -> None:
    """Raise ArchError, as for a bug, unless a text has this document and these comments."""
    # For `==`, 1 and 1.0 are the same; `repr` tells them apart.
    same = told.document == document and repr(told.document) == repr(document)
    if not same or sorted(told.comments) != sorted(comments):
        raise unformatted(source, "some comments would be lost" if same else "it would say something else")


def unformatted(source: Source, why: str) -> ArchError:
    """The finding for a text that we fail to lay out."""
    help = "it is left unchanged; this is a bug in archdsl: please report it, with the file"
    return catalog.OUTPUT.error(Span(source, 0, 0), f"this cannot be formatted: {why}", help=help)
